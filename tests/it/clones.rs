//! Fresh clones of an origin, each with a home and a temporary folder that only it has; and copies of folders.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::world::{Answer, World};

pub struct Clone {
    pub folder: PathBuf,
}

impl Clone {
    /// A clone of `origin.git` in the world's folder as it is now.
    pub fn of(world: &World, number: usize) -> Clone {
        let clone = Clone { folder: world.folder().join(format!("clone-{number}")) };
        for name in ["home", "tmp"] {
            fs::create_dir_all(clone.folder.join(name)).unwrap();
        }
        let origin = format!("file://{}", world.folder().join("origin.git").display());
        let mut git = world.command("git");
        git.args(["clone", "--quiet", "--branch", "main", &origin]).arg(clone.repository());
        Answer::of(git.output().unwrap()).well();
        clone
    }

    pub fn repository(&self) -> PathBuf {
        self.folder.join("repository")
    }

    /// The built binary in it, at a time and in no hurry.
    pub fn command(&self, world: &World, config: &Path, words: &[&str], clock: i64) -> Command {
        let mut command = world.command(env!("CARGO_BIN_EXE_release"));
        command.current_dir(self.repository()).arg("--config").arg(config).args(words);
        command.env("HOME", self.folder.join("home")).env("TMPDIR", self.folder.join("tmp"));
        command.env("RELEASE_CLOCK", clock.to_string()).env("RELEASE_PACE", "quick").stdin(Stdio::null());
        command
    }
}

/// A copy with all that `cp -a` keeps.
pub fn copy(from: &Path, to: &Path) {
    let copied = Command::new("cp").arg("-a").arg(from).arg(to).status().unwrap();
    assert!(copied.success(), "{} was copied", from.display());
}
