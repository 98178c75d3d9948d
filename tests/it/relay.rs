//! From a laptop to a CI: what its jobs read of a plan, and how a laptop follows them.

mod outputs;
mod shares;
mod starting;
mod watching;

use std::fs;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use crate::clones::Clone;
use crate::matrix::ground::CLOCK;
use crate::matrix::light::{PACKAGES, PREFIX, light};
use crate::world::{Answer, World};

/// Four packages, their origin, and clones of it: a laptop, jobs.
pub struct Relay {
    pub world: World,
}

impl Relay {
    /// An index in a folder that all clones share.
    pub fn new() -> Relay {
        let world = light();
        let mut config = format!(
            "[workspace]\npackages = [\"packages/*\"]\nstrip = \"{PREFIX}\"\ntag = \"{{name}}-v{{version}}\"\n\n\
             [build]\nstash = \"{0}/stash\"\n\n[index.shared]\ndirectory = \"{0}/index\"\n",
            world.folder().display()
        );
        for (name, _) in PACKAGES {
            config.push_str(&format!("\n[package.{name}]\nindex = \"shared\"\n"));
        }
        fs::write(world.folder().join("relay.toml"), config).unwrap();
        world.git(["clone", "--quiet", "--bare", ".", world.folder().join("origin.git").to_str().unwrap()]);
        Relay { world }
    }

    pub fn clone(&self, number: usize) -> Clone {
        Clone::of(&self.world, number)
    }

    pub fn config(&self) -> PathBuf {
        self.world.folder().join("relay.toml")
    }

    pub fn index(&self) -> PathBuf {
        self.world.folder().join("index")
    }

    pub fn command(&self, clone: &Clone, words: &[&str]) -> Command {
        let mut command = clone.command(&self.world, &self.config(), words, CLOCK);
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    pub fn run(&self, clone: &Clone, words: &[&str]) -> Answer {
        Answer::of(self.command(clone, words).output().unwrap())
    }
}

#[track_caller]
pub fn check(answer: &Answer, code: i32, words: &[&str]) {
    let said = format!("{}{}", answer.out, answer.err);
    assert_eq!(answer.code, Some(code), "{said}");
    words.iter().for_each(|word| assert!(said.contains(word), "`{word}` in:\n{said}"));
}
