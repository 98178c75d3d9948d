//! Commands in a mount namespace of their own, with a small file system that is nearly full, or in another PID namespace.
//!
//! All of it is gone with the command. Needs root, or a kernel that lets users make namespaces.

use std::path::Path;
use std::process::{Command, Stdio};

/// A file system for a clone's repository or its temporary folder, with this many KiB left.
pub struct Room {
    pub repository: bool,
    pub left: usize,
}

/// Whether namespaces can be made here; says so where not. A run of CI must be able to.
pub fn can_be_made() -> bool {
    let mut tried = unshare();
    tried.args(["--mount", "--pid", "--mount-proc", "mount", "-t", "tmpfs", "none", "/mnt"]);
    let can = tried.stderr(Stdio::null()).status().is_ok_and(|status| status.success());
    assert!(can || std::env::var_os("CI").is_none(), "`unshare` (util-linux) can make namespaces");
    if !can {
        eprintln!("skipped: no namespaces can be made here; run as root, with `unshare` of util-linux");
    }
    can
}

impl Room {
    /// The same command, with a copy of a folder in its place, on the small file system.
    pub fn around(&self, folder: &Path, command: &Command) -> Command {
        let script =
            "set -e; small=\"$1.small\"; mkdir \"$small\"; mount -t tmpfs -o size=16m none \"$small\"
\
                      cp -a \"$1/.\" \"$small/\"; mount --bind \"$small\" \"$1\"
\
                      fill=\"$1/fill\"; [ ! -d \"$1/.git\" ] || fill=\"$1/.git/fill\"
\
                      free=$(df -k --output=avail \"$1\" | tail -1)
\
                      head -c $(((free - $2) * 1024)) /dev/zero > \"$fill\" || true
\
                      cd \"$3\"; shift 3; exec \"$@\"";
        let mut around = unshare();
        around.args(["--mount", "sh", "-c", script, "sh"]).arg(folder).arg(self.left.to_string());
        around.arg(command.get_current_dir().expect("a ship runs in a clone"));
        wrap(around, command)
    }
}

/// The same command in a PID namespace of its own: nobody outside can tell by its number whether it lives.
pub fn elsewhere(command: &Command) -> Command {
    let mut around = unshare();
    around.args(["--pid", "--mount-proc", "--kill-child"]);
    wrap(around, command)
}

fn unshare() -> Command {
    let mut unshare = Command::new("unshare");
    unshare.arg("--fork");
    let is_root =
        std::fs::metadata("/proc/self").is_ok_and(|this| std::os::unix::fs::MetadataExt::uid(&this) == 0);
    if !is_root {
        unshare.args(["--user", "--map-root-user"]);
    }
    unshare
}

/// Another command's program, words, folder and environment behind this one's words.
fn wrap(mut around: Command, command: &Command) -> Command {
    around.arg(command.get_program()).args(command.get_args()).env_clear().stdin(Stdio::null());
    for (name, value) in command.get_envs() {
        if let Some(value) = value {
            around.env(name, value);
        }
    }
    if let Some(folder) = command.get_current_dir() {
        around.current_dir(folder);
    }
    around
}
