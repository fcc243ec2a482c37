//! The machines that are emulated: plain data, and the words in which qemu is told of them.
//!
//! It starts nothing. CPUs and nodes have the numbers by which Linux will know them.

use std::path::Path;
use std::process::Command;

/// The emulator.
pub(super) const QEMU: &str = "qemu-system-x86_64";

/// One machine.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Machine {
    /// What it is called on the command line.
    pub(super) name: &'static str,
    /// What is special about it.
    pub(super) about: &'static str,
    /// How many sockets, cores in each, and threads in each of these.
    pub(super) shape: [u32; 3],
    /// Its nodes, from 0 on.
    pub(super) nodes: &'static [Node],
    /// How far it is from node to node, as the firmware's table has it (SLIT): 10 is local.
    pub(super) distance: &'static [&'static [u32]],
    /// The CPUs that the executor may use, if not all: the others are kept from it by a control group.
    pub(super) granted: Option<&'static [u32]>,
}

/// One node of a machine.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Node {
    /// Its CPUs, all in a row; none if it is memory only.
    pub(super) cpus: &'static [u32],
    /// Its memory.
    pub(super) mebibytes: u64,
}

/// Every machine, in the order in which they are booted.
pub(super) const MACHINES: &[Machine] = &[
    Machine {
        name: "two",
        about: "two nodes of two CPUs",
        shape: [2, 2, 1],
        nodes: TWO,
        distance: &[&[10, 21], &[21, 10]],
        granted: None,
    },
    Machine {
        name: "boxed",
        about: "the same, of which a container may use one CPU of each node",
        shape: [2, 2, 1],
        nodes: TWO,
        distance: &[&[10, 21], &[21, 10]],
        granted: Some(&[1, 2]),
    },
    Machine {
        name: "four",
        about: "four nodes of two CPUs in a row, the farther the dearer",
        shape: [4, 2, 1],
        nodes: &[
            Node { cpus: &[0, 1], mebibytes: 384 },
            Node { cpus: &[2, 3], mebibytes: 256 },
            Node { cpus: &[4, 5], mebibytes: 256 },
            Node { cpus: &[6, 7], mebibytes: 256 },
        ],
        distance: &[&[10, 16, 21, 31], &[16, 10, 16, 21], &[21, 16, 10, 16], &[31, 21, 16, 10]],
        granted: None,
    },
    Machine {
        name: "memory-only",
        about: "two nodes of two CPUs, and one of memory only",
        shape: [2, 2, 1],
        nodes: &[
            Node { cpus: &[0, 1], mebibytes: 384 },
            Node { cpus: &[2, 3], mebibytes: 384 },
            Node { cpus: &[], mebibytes: 256 },
        ],
        distance: &[&[10, 21, 17], &[21, 10, 28], &[17, 28, 10]],
        granted: None,
    },
    Machine {
        name: "smt",
        about: "two nodes of two cores with two threads each",
        shape: [2, 2, 2],
        nodes: &[
            Node { cpus: &[0, 1, 2, 3], mebibytes: 512 },
            Node { cpus: &[4, 5, 6, 7], mebibytes: 512 },
        ],
        distance: &[&[10, 20], &[20, 10]],
        granted: None,
    },
];

const TWO: &[Node] =
    &[Node { cpus: &[0, 1], mebibytes: 512 }, Node { cpus: &[2, 3], mebibytes: 512 }];

impl Machine {
    /// Returns the CPUs of a node that the executor may use.
    pub(super) fn cpus_of(&self, node: usize) -> Vec<u32> {
        let is_granted = |cpu: &u32| self.granted.is_none_or(|granted| granted.contains(cpu));
        self.nodes[node].cpus.iter().copied().filter(is_granted).collect()
    }

    /// Returns the cores that the executor may use, by their CPUs.
    pub(super) fn cores(&self) -> Vec<Vec<u32>> {
        let [sockets, cores, threads] = self.shape;
        let mut found: Vec<Vec<u32>> = vec![Vec::new(); (sockets * cores) as usize];
        for cpu in (0..self.nodes.len()).flat_map(|node| self.cpus_of(node)) {
            found[(cpu / threads) as usize].push(cpu);
        }
        found.retain(|core| !core.is_empty());
        found
    }

    /// Returns the node of a CPU.
    pub(super) fn node_of(&self, cpu: u32) -> Option<u32> {
        let node = self.nodes.iter().position(|node| node.cpus.contains(&cpu))?;
        u32::try_from(node).ok()
    }

    /// Returns the command that boots it with this kernel and this first file system, its console on the standard output.
    ///
    /// The processors are emulated too: hardware that does so is not there everywhere, and not always to be used where it is.
    pub(super) fn boot(&self, kernel: &Path, archive: &Path) -> Command {
        let mut command = Command::new(QEMU);
        command
            .args("-accel tcg -cpu Nehalem -nodefaults -no-user-config -no-reboot".split(' '))
            .args("-display none -serial stdio".split(' '))
            .args(self.hardware())
            .arg("-kernel")
            .arg(kernel)
            .arg("-initrd")
            .arg(archive)
            .args(["-append", &self.kernel_line()]);
        command
    }

    /// Writes out the processors, the memory and the nodes.
    fn hardware(&self) -> Vec<String> {
        let [sockets, cores, threads] = self.shape;
        let cpus = sockets * cores * threads;
        let memory: u64 = self.nodes.iter().map(|node| node.mebibytes).sum();
        let mut args = vec![
            "-smp".to_owned(),
            format!("{cpus},sockets={sockets},cores={cores},threads={threads}"),
            "-m".to_owned(),
            memory.to_string(),
        ];
        for (index, node) in self.nodes.iter().enumerate() {
            let size = node.mebibytes;
            let cpus = match (node.cpus.first(), node.cpus.last()) {
                (Some(first), Some(last)) => format!(",cpus={first}-{last}"),
                _ => String::new(),
            };
            let backend = format!("memory-backend-ram,id=m{index},size={size}M");
            args.extend(["-object".to_owned(), backend]);
            args.extend(["-numa".to_owned(), format!("node,nodeid={index},memdev=m{index}{cpus}")]);
        }
        for (from, row) in self.distance.iter().enumerate() {
            for (to, distance) in row.iter().enumerate().skip(from + 1) {
                let text = format!("dist,src={from},dst={to},val={distance}");
                args.extend(["-numa".to_owned(), text]);
            }
        }
        args
    }

    /// Writes out what the kernel is told. It ends the machine when it panics, and leaves memory where it was first touched.
    fn kernel_line(&self) -> String {
        let mut line = "console=ttyS0 quiet panic=-1 numa_balancing=disable".to_owned();
        if let Some(granted) = self.granted {
            let list: Vec<String> = granted.iter().map(u32::to_string).collect();
            // What is behind the dashes is for the first program.
            line = format!("{line} -- --cpus {}", list.join(","));
        }
        line
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn machine(name: &str) -> &'static Machine {
        MACHINES.iter().find(|machine| machine.name == name).expect("a machine of that name")
    }

    #[test]
    fn the_machines_are_consistent() {
        for machine in MACHINES {
            let name = machine.name;
            let cpus: Vec<u32> = machine.nodes.iter().flat_map(|node| node.cpus).copied().collect();
            let count = machine.shape.iter().product();
            assert_eq!(cpus, (0..count).collect::<Vec<_>>(), "{name}: each CPU has one node");
            assert_eq!(machine.distance.len(), machine.nodes.len(), "{name}");
            for (from, row) in machine.distance.iter().enumerate() {
                assert_eq!((row.len(), row[from]), (machine.nodes.len(), 10), "{name}");
                let back: Vec<u32> = machine.distance.iter().map(|row| row[from]).collect();
                assert_eq!(*row, back, "{name}: as far there as back");
            }
        }
    }

    #[test]
    fn qemu_is_told_of_nodes_and_distances() {
        let command = machine("memory-only").boot(Path::new("/k"), Path::new("/a"));
        let args: Vec<_> = command.get_args().map(|arg| arg.to_string_lossy()).collect();
        let line = args.join(" ");
        for part in [
            "-accel tcg",
            "-smp 4,sockets=2,cores=2,threads=1 -m 1024",
            "-object memory-backend-ram,id=m1,size=384M -numa node,nodeid=1,memdev=m1,cpus=2-3",
            "-object memory-backend-ram,id=m2,size=256M -numa node,nodeid=2,memdev=m2 -numa",
            "-numa dist,src=0,dst=2,val=17 -numa dist,src=1,dst=2,val=28 -kernel /k -initrd /a",
        ] {
            assert!(line.contains(part), "{part:?} is not in {line}");
        }
        assert!(line.ends_with("numa_balancing=disable"), "{line}");
    }

    #[test]
    fn a_box_is_for_the_first_program_to_make() {
        let boxed = machine("boxed");
        assert!(boxed.kernel_line().ends_with(" -- --cpus 1,2"));
        assert_eq!((boxed.cpus_of(0), boxed.cpus_of(1)), (vec![1], vec![2]));
        assert_eq!(boxed.cores(), [[1], [2]]);
    }

    #[test]
    fn threads_share_a_core_with_the_next_number() {
        assert_eq!(machine("smt").cores(), [[0, 1], [2, 3], [4, 5], [6, 7]]);
        assert_eq!(machine("smt").node_of(4), Some(1));
    }
}
