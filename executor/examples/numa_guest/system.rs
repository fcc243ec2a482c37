//! What only the first program of a machine does: mounts, a box of CPUs, and the end of the machine.

use std::fs;
use std::io;
use std::path::Path;

use rustix::mount::{MountFlags, mount};
use rustix::system::{RebootCommand, reboot};
use rustix::termios::tcdrain;

const GROUPS: &str = "/sys/fs/cgroup";

/// Makes the kernel's own file systems available.
pub(crate) fn mount_all() -> io::Result<()> {
    let all = [("devtmpfs", "/dev"), ("proc", "/proc"), ("sysfs", "/sys"), ("cgroup2", GROUPS)];
    for (kind, folder) in all {
        mount(kind, folder, kind, MountFlags::empty(), None)?;
    }
    Ok(())
}

/// Puts this program, and those that it starts from now on, into a control group with these CPUs only, as a container is.
pub(crate) fn box_in(cpus: &str) -> io::Result<()> {
    let groups = Path::new(GROUPS);
    fs::write(groups.join("cgroup.subtree_control"), "+cpuset")?;
    let own = groups.join("box");
    fs::create_dir(&own)?;
    fs::write(own.join("cpuset.cpus"), cpus)?;
    fs::write(own.join("cgroup.procs"), std::process::id().to_string())
}

/// Switches the machine off, when the console has taken all that was written.
///
/// # Errors
/// When the kernel refuses; otherwise it does not return.
pub(crate) fn power_off() -> io::Result<()> {
    tcdrain(io::stdout())?;
    Ok(reboot(RebootCommand::PowerOff)?)
}
