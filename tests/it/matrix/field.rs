//! A place for one run and those that finish it: an origin, fresh clones with homes of their own, all that was said.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

use crate::clones::{Clone, copy};
use crate::matrix::ground::{CLOCK, Ground, Start};
use crate::world::{Answer, World};

/// How many runs may follow a fault until nothing is left to do.
const TRIES: usize = 4;

pub struct Field<'g> {
    pub ground: &'g Ground,
    world: World,
    clones: Cell<usize>,
    said: RefCell<String>,
}

impl<'g> Field<'g> {
    pub fn new(ground: &'g Ground, start: &Start) -> Field<'g> {
        let world = World::without_repository();
        copy(&start.origin, &world.folder().join("origin.git"));
        if ground.stash().exists() {
            fs::remove_dir_all(ground.stash()).unwrap();
        }
        copy(&start.stash, &ground.stash());
        Field { ground, world, clones: Cell::new(0), said: RefCell::default() }
    }

    pub fn folder(&self) -> &Path {
        self.world.folder()
    }

    pub fn origin(&self) -> PathBuf {
        self.folder().join("origin.git")
    }

    /// A fresh clone of the origin as it is now.
    pub fn fresh(&self) -> Clone {
        Clone::of(&self.world, self.clones.replace(self.clones.get() + 1))
    }

    /// The built binary in a clone, as a runner of CI would start it.
    pub fn command(&self, clone: &Clone, words: &[&str]) -> Command {
        let mut command = clone.command(&self.world, &self.ground.config(), words, CLOCK);
        command.envs(self.ground.runner()).envs(self.ground.more.iter().cloned());
        command
    }

    pub fn run(&self, clone: &Clone, words: &[&str], more: &[(&str, &str)]) -> Answer {
        let output = self.command(clone, words).envs(more.iter().copied()).output().unwrap();
        self.note(Answer::of(output))
    }

    /// Keeps what a run said, for the search for tokens.
    pub fn note(&self, answer: Answer) -> Answer {
        self.said.borrow_mut().push_str(&format!("{}{}", answer.out, answer.err));
        answer
    }

    /// The ship of this ground.
    pub fn ship(&self, clone: &Clone, more: &[(&str, &str)]) -> Answer {
        self.run(clone, &self.words(), more)
    }

    pub fn words(&self) -> Vec<&'static str> {
        let mut words = vec!["ship", "--yes", "--detailed-exitcode"];
        words.extend(self.ground.until.into_iter().flat_map(|until| ["--until", until]));
        words
    }

    /// Runs the same command from fresh clones until nothing is left to do. How many runs there were.
    ///
    /// Each may end incomplete (10) or find that somebody was faster (7); nothing else.
    pub fn converge(&self) -> usize {
        let mut said = String::new();
        for run in 1..=TRIES {
            let answer = self.ship(&self.fresh(), &[]);
            match answer.code {
                Some(0 | 3) => return run,
                Some(7 | 10) => said.push_str(&answer.err),
                _ => panic!("run {run} ended with {:?}:\n{}{}", answer.code, answer.out, answer.err),
            }
        }
        panic!("{TRIES} runs did not finish it:\n{said}");
    }

    /// Forgets the files that are built: who goes on has to build them again.
    pub fn empty_stash(&self) {
        fs::remove_dir_all(self.ground.stash()).unwrap();
        fs::create_dir(self.ground.stash()).unwrap();
    }

    /// Git in the origin; what it prints.
    pub fn git(&self, words: &[&str]) -> String {
        let mut git = self.world.command("git");
        git.arg("--git-dir").arg(self.origin()).args(words);
        Answer::of(git.output().unwrap()).well().out.trim_end().to_owned()
    }

    /// Git in a clone; what it prints.
    pub fn git_in(&self, clone: &Clone, words: &[&str]) -> String {
        let mut git = self.world.command("git");
        git.current_dir(clone.repository()).args(words);
        Answer::of(git.output().unwrap()).well().out.trim_end().to_owned()
    }

    /// The state that all ends must have, in words; what must never be is looked for on the way.
    pub fn end(&self) -> BTreeMap<String, String> {
        self.no_token_is_left();
        self.no_file_was_sent_with_two_digests();
        self.the_ledger_is_linear();
        let mut words = BTreeMap::new();
        for line in self.git(&["for-each-ref", "--format=%(refname) %(objectname)"]).lines() {
            let (name, id) = line.split_once(' ').unwrap();
            // Its links tell of tries; what they add up to is in the status.
            if name != "refs/release/ledger" {
                words.insert(name.to_owned(), id.to_owned());
            }
        }
        words.insert("index".to_owned(), self.index());
        let clone = self.fresh();
        // Reading the log plays all events again: an illegal order would fail.
        self.run(&clone, &["log"], &[]).well();
        words.insert("status".to_owned(), self.status(&clone));
        words.insert("left to do".to_owned(), self.run(&clone, &["plan"], &[]).well().out);
        words.insert("in flight".to_owned(), self.in_flight());
        words.insert("fsck".to_owned(), self.git(&["fsck", "--strict", "--no-dangling"]));
        words
    }

    /// What `release status` says. Files that were found on the index are no steps that were done, so a ship that is
    /// under way may tell of fewer.
    fn status(&self, clone: &Clone) -> String {
        let mut status = self.run(clone, &["status", "--output", "json"], &[]).well().json();
        for ship in status["in_flight"].as_array_mut().unwrap() {
            ship["done"].take();
        }
        status.to_string()
    }

    /// The files of the index, with their digests.
    pub fn index(&self) -> String {
        let mut lines = Vec::new();
        for (project, found) in self.ground.double.state().as_object().unwrap() {
            for (version, release) in found["releases"].as_object().into_iter().flatten() {
                for file in release["files"].as_array().unwrap() {
                    lines.push(format!("{project} {version} {} {}", file["filename"], file["sha256"]));
                }
            }
        }
        lines.sort();
        lines.join("\n")
    }

    /// The ships under way; nobody holds one.
    fn in_flight(&self) -> String {
        let state = self.git(&["show", "refs/release/ledger:state.json"]);
        let state: Value = serde_json::from_str(&state).unwrap();
        let mut lines = Vec::new();
        for (plan, ship) in state["in_flight"].as_object().into_iter().flatten() {
            assert!(ship["holder"].is_null(), "{plan} is held by nobody: {}", ship["holder"]);
            lines.push(plan.clone());
        }
        lines.join("\n")
    }

    fn the_ledger_is_linear(&self) {
        let links = self.git(&["rev-list", "--parents", "refs/release/ledger"]);
        let links: Vec<Vec<&str>> = links.lines().map(|link| link.split(' ').collect()).collect();
        for (at, link) in links.iter().enumerate() {
            let before = links.get(at + 1).map(|before| before[0]);
            assert_eq!(link.get(1).copied(), before, "each link follows the one before");
            assert!(link.len() <= 2, "no link has two parents: {link:?}");
        }
    }

    fn no_file_was_sent_with_two_digests(&self) {
        let mut sent: BTreeMap<String, Value> = BTreeMap::new();
        for upload in self.ground.double.requests("POST", "/legacy/") {
            let Some(file) = upload.get("file") else { continue };
            let before = sent.insert(file["filename"].to_string(), file["sha256"].clone());
            assert!(before.is_none_or(|digest| digest == file["sha256"]), "{file} was sent with other bytes");
        }
    }

    /// In no output, no file, no object of any repository here.
    fn no_token_is_left(&self) {
        let secrets = self.ground.secrets();
        for secret in &secrets {
            assert!(
                !self.said.borrow().contains(secret),
                "an output holds {secret}:\n{}",
                self.said.borrow()
            );
        }
        let mut patterns = Vec::new();
        secrets.iter().for_each(|secret| patterns.extend(["-e", secret]));
        let mut files = self.world.command("grep");
        files.args(["-rlaF"]).args(&patterns).arg(self.folder()).arg(self.ground.stash());
        let found = Answer::of(files.output().unwrap());
        assert_eq!((found.code, found.out.as_str()), (Some(1), ""), "files hold tokens: {}", found.err);
        let repositories = (0..self.clones.get()).map(|number| format!("clone-{number}/repository/.git"));
        for repository in repositories.chain(["origin.git".to_owned()]) {
            let script = "git cat-file --batch --batch-all-objects --buffer --unordered | grep -caF \"$@\"";
            let mut objects = self.world.command("sh");
            objects
                .args(["-c", script, "sh"])
                .args(&patterns)
                .env("GIT_DIR", self.folder().join(&repository));
            let found = Answer::of(objects.output().unwrap());
            assert_eq!(found.out, "0\n", "objects of {repository} hold no token: {}", found.err);
        }
    }
}
