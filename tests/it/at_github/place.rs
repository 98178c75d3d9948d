//! What the runs of one test share: a small monorepo at the double of GitHub, an index, and states to begin from.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use serde_json::Value;

use crate::clones::copy;
use crate::github::GitHub;
use crate::github::state::State;
use crate::matrix::light;
use crate::world::{Answer, World};

/// 2025-02-01.
const CLOCK: &str = "1738368000";

/// How many runs may follow a fault until nothing is left to do.
const TRIES: usize = 4;

pub struct Place {
    pub github: GitHub,
    pub world: World,
    /// May write contents.
    pub token: String,
    clones: Cell<usize>,
}

/// All of the outside at one moment.
pub struct Moment {
    state: State,
    folder: PathBuf,
}

pub struct Clone {
    folder: PathBuf,
}

impl Clone {
    pub fn repository(&self) -> PathBuf {
        self.folder.join("repository")
    }
}

impl Place {
    /// One package, `solo`; `None` where the double can not be had.
    pub fn single() -> Option<Place> {
        Place::of(&[("solo", &[])], "")
    }

    /// `base`, and `left` which needs it.
    pub fn pair(more: &str) -> Option<Place> {
        Place::of(&[("base", &[]), ("left", &["base"])], more)
    }

    fn of(packages: &[(&str, &[&str])], more: &str) -> Option<Place> {
        let github = GitHub::start()?;
        let world = light::of(packages);
        let token = github.job();
        let config = format!(
            "[workspace]\npackages = [\"packages/*\"]\nstrip = \"{}\"\ntag = \"{{name}}-v{{version}}\"\n\
             branch = \"main\"\n\n[build]\nstash = \"{}\"\n\n[index.local]\ndirectory = \"{}\"\n\n[github]\n{more}",
            light::PREFIX,
            world.folder().join("stash").display(),
            world.folder().join("index").display(),
        );
        fs::write(world.folder().join("release.toml"), config).unwrap();
        world.git(["push", "--quiet", &github.remote_of(&token), "main", "--tags"]);
        for folder in ["stash", "index"] {
            fs::create_dir(world.folder().join(folder)).unwrap();
        }
        Some(Place { github, world, token, clones: Cell::new(0) })
    }

    /// A fresh clone: another machine.
    pub fn fresh(&self) -> Clone {
        let number = self.clones.replace(self.clones.get() + 1);
        let clone = Clone { folder: self.world.folder().join(format!("clone-{number}")) };
        for name in ["home", "tmp"] {
            fs::create_dir_all(clone.folder.join(name)).unwrap();
        }
        let mut git = self.world.command("git");
        git.args(["clone", "--quiet", &self.github.remote_of(&self.token)]).arg(clone.repository());
        Answer::of(git.output().unwrap()).well();
        clone
    }

    pub fn command(&self, clone: &Clone, words: &[&str]) -> Command {
        let mut command = self.world.command(env!("CARGO_BIN_EXE_release"));
        command.current_dir(clone.repository());
        command.arg("--config").arg(self.world.folder().join("release.toml")).args(words);
        command.env("HOME", clone.folder.join("home")).env("TMPDIR", clone.folder.join("tmp"));
        command.env("RELEASE_CLOCK", CLOCK).env("RELEASE_PACE", "quick").stdin(Stdio::null());
        command.env("RELEASE_GITHUB_TOKEN", &self.token);
        command
    }

    /// The binary in a clone. What it says holds no token.
    #[track_caller]
    pub fn run(&self, clone: &Clone, words: &[&str], more: &[(&str, &str)]) -> Answer {
        let answer = Answer::of(self.command(clone, words).envs(more.iter().copied()).output().unwrap());
        assert!(!answer.err.contains(&self.token) && !answer.out.contains(&self.token), "{}", answer.err);
        answer
    }

    /// The binary on a machine of its own.
    #[track_caller]
    pub fn anywhere(&self, words: &[&str]) -> Answer {
        self.run(&self.fresh(), words, &[])
    }

    /// Runs a command on other machines until nothing is left to do.
    #[track_caller]
    pub fn converge(&self, words: &[&str]) {
        let mut said = String::new();
        for _ in 0..TRIES {
            let answer = self.anywhere(words);
            match answer.code {
                Some(0 | 3) => return,
                Some(7 | 10) => said.push_str(&answer.err),
                _ => panic!("it ended with {:?}:\n{}{}", answer.code, answer.out, answer.err),
            }
        }
        panic!("{TRIES} runs did not finish it:\n{said}");
    }

    /// Nothing that was built is left.
    pub fn lose_stash(&self) {
        fs::remove_dir_all(self.world.folder().join("stash")).unwrap();
        fs::create_dir(self.world.folder().join("stash")).unwrap();
    }

    /// Keeps the outside as it is now.
    pub fn moment(&self, name: &str) -> Moment {
        let folder = self.world.folder().join(name);
        fs::create_dir(&folder).unwrap();
        copy(&self.github.git().path, &folder.join("git"));
        for part in ["stash", "index"] {
            copy(&self.world.folder().join(part), &folder.join(part));
        }
        Moment { state: self.github.state(|state| state.clone()), folder }
    }

    /// Brings the outside back to a moment.
    pub fn back_to(&self, moment: &Moment) {
        self.github.clear_faults();
        self.github.clear_requests();
        let git = &self.github.git().path;
        fs::remove_dir_all(git).unwrap();
        copy(&moment.folder.join("git"), git);
        for part in ["stash", "index"] {
            let there = self.world.folder().join(part);
            fs::remove_dir_all(&there).unwrap();
            copy(&moment.folder.join(part), &there);
        }
        self.github.state(|state| *state = moment.state.clone());
    }

    /// The releases of a tag, drafts among them.
    pub fn releases(&self, tag: &str) -> Vec<Value> {
        self.github.state(|state| {
            let of_tag = state.releases.iter().filter(|release| release["tag_name"] == *tag);
            of_tag.cloned().collect()
        })
    }

    /// The only release of a tag.
    #[track_caller]
    pub fn release(&self, tag: &str) -> Value {
        let mut releases = self.releases(tag);
        assert_eq!(releases.len(), 1, "{tag}: {releases:#?}");
        releases.remove(0)
    }

    /// The whole assets of a release: names and digests.
    pub fn assets(&self, release: &Value) -> BTreeMap<String, String> {
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        self.github.state(|state| {
            let own = state.assets.iter().filter(|asset| release["id"] == asset.release);
            let whole = own.filter(|asset| asset.value["state"] == "uploaded");
            whole.map(|asset| (text(&asset.value["name"]), text(&asset.value["digest"]))).collect()
        })
    }

    /// What the shared ledger adds up to.
    pub fn ledger(&self) -> Value {
        let state = self.github.git().well(&["show", "refs/release/ledger:state.json"]);
        serde_json::from_str(&state).unwrap()
    }

    /// The sealed files of a package and their digests, as the ledger has them.
    pub fn sealed(&self, package: &str) -> BTreeMap<String, String> {
        let state = self.ledger();
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        if let Some(files) = state["released"][package]["files"].as_object() {
            return files.iter().map(|(name, digest)| (name.clone(), text(digest))).collect();
        }
        let ships = state["in_flight"].as_object().unwrap();
        let sealed = ships.values().find_map(|ship| ship["steps"]["seal"]["evidence"].as_object()).unwrap();
        let own = |(path, digest): (&String, &Value)| {
            Some((path.strip_prefix(package)?.strip_prefix('/')?.to_owned(), text(digest)))
        };
        sealed.iter().filter_map(own).collect()
    }

    /// What all ends must have in common, in words.
    pub fn end(&self) -> BTreeMap<String, String> {
        let mut words = BTreeMap::new();
        let refs = self.github.git().well(&["for-each-ref", "--format=%(refname) %(objectname)"]);
        for (name, id) in refs.lines().filter_map(|line| line.split_once(' ')) {
            if name != "refs/release/ledger" {
                words.insert(name.to_owned(), id.to_owned());
            }
        }
        let releases = self.github.state(|state| state.releases.clone());
        for release in &releases {
            let said = ["draft", "prerelease", "immutable", "latest", "name", "body"];
            let said: Vec<String> = said.iter().map(|key| format!("{key}={}", release[*key])).collect();
            let tag = release["tag_name"].as_str().unwrap();
            let before = words.insert(
                format!("release of {tag}"),
                format!("{} {:?}", said.join(" "), self.assets(release)),
            );
            assert_eq!(before, None, "{tag} has one release: {releases:#?}");
        }
        words.insert("index".to_owned(), listed(&self.world.folder().join("index/files")));
        words.insert("left to do".to_owned(), self.anywhere(&["plan"]).well().out);
        words
    }
}

/// The files below a folder.
fn listed(folder: &std::path::Path) -> String {
    let mut open = vec![folder.to_owned()];
    let mut files = Vec::new();
    while let Some(folder) = open.pop() {
        for entry in fs::read_dir(&folder).into_iter().flatten().flatten() {
            match entry.path() {
                path if path.is_dir() => open.push(path),
                path => files.push(path.file_name().unwrap().to_string_lossy().into_owned()),
            }
        }
    }
    files.sort();
    files.join("\n")
}

/// Both ends, word by word.
#[track_caller]
pub fn compare(twin: &BTreeMap<String, String>, found: &BTreeMap<String, String>, what: &str) {
    for word in twin.keys().chain(found.keys()) {
        assert_eq!(found.get(word), twin.get(word), "{word}: {what}");
    }
}
