//! The first file system of a machine, as the archive that the kernel unpacks: cpio, in the form called newc.
//!
//! The form is described in the kernel's documentation (`driver-api/early-userspace/buffer-format`): for each entry a header of
//! numbers in hexadecimal, the name and the content, each filled up to a multiple of four bytes.

/// The name of the entry behind the last one.
const LAST: &str = "TRAILER!!!";

/// The kinds and rights of entries.
const FOLDER: u32 = 0o040_755;
const PROGRAM: u32 = 0o100_755;
const DEVICE: u32 = 0o020_600;

/// Returns the archive of a file system with one program, the one that the kernel runs first.
pub(super) fn with_program(program: &[u8]) -> Vec<u8> {
    let mut archive = Vec::with_capacity(program.len() + 4096);
    let mut entries = 0;
    for (name, kind, device, content) in [
        ("dev", FOLDER, (0, 0), &[][..]),
        // The kernel gives it to the program as its input and its outputs.
        ("dev/console", DEVICE, (5, 1), &[]),
        ("proc", FOLDER, (0, 0), &[]),
        ("sys", FOLDER, (0, 0), &[]),
        ("init", PROGRAM, (0, 0), program),
        (LAST, 0, (0, 0), &[]),
    ] {
        entries += 1;
        append(&mut archive, entries, name, kind, device, content);
    }
    archive
}

fn append(
    archive: &mut Vec<u8>,
    number: u32,
    name: &str,
    kind: u32,
    device: (u32, u32),
    content: &[u8],
) {
    // The kernel refuses what is larger long before.
    let size = |bytes: usize| u32::try_from(bytes).unwrap_or(u32::MAX);
    let fields = [
        number,
        kind,
        0, // the user: root
        0, // the group
        1, // links
        0, // when it was changed
        size(content.len()),
        0, // the device that holds it
        0,
        device.0,
        device.1,
        size(name.len() + 1),
        0, // no checksum in this form
    ];
    archive.extend_from_slice(b"070701");
    fields.iter().for_each(|field| archive.extend_from_slice(format!("{field:08x}").as_bytes()));
    archive.extend_from_slice(name.as_bytes());
    archive.push(0);
    fill_up(archive);
    archive.extend_from_slice(content);
    fill_up(archive);
}

fn fill_up(archive: &mut Vec<u8>) {
    archive.resize(archive.len().next_multiple_of(4), 0);
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The numbers in a header, its magic left out.
    fn header(bytes: &[u8]) -> Vec<u32> {
        let text = std::str::from_utf8(&bytes[6..110]).expect("hexadecimal");
        (0..13).map(|i| u32::from_str_radix(&text[i * 8..][..8], 16).expect("a number")).collect()
    }

    #[test]
    fn the_entries_are_found_where_the_headers_say() {
        let archive = with_program(b"\x7fELF.");
        assert_eq!(archive.len() % 4, 0);
        let (mut place, mut found) = (0, Vec::new());
        while place < archive.len() {
            assert_eq!(&archive[place..place + 6], b"070701", "at {place}");
            let numbers = header(&archive[place..]);
            let (kind, content, name) = (numbers[1], numbers[6] as usize, numbers[11] as usize);
            let text = &archive[place + 110..place + 110 + name];
            let begin = (place + 110 + name).next_multiple_of(4);
            let device = (numbers[9], numbers[10]);
            found.push((text, kind, device, archive[begin..begin + content].to_vec()));
            place = (begin + content).next_multiple_of(4);
        }
        let expected: [(&[u8], _, _, _); 6] = [
            (b"dev\0", 0o040_755, (0, 0), vec![]),
            (b"dev/console\0", 0o020_600, (5, 1), vec![]),
            (b"proc\0", 0o040_755, (0, 0), vec![]),
            (b"sys\0", 0o040_755, (0, 0), vec![]),
            (b"init\0", 0o100_755, (0, 0), b"\x7fELF.".to_vec()),
            (b"TRAILER!!!\0", 0, (0, 0), vec![]),
        ];
        assert_eq!(found, expected);
    }
}
