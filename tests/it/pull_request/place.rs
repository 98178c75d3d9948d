//! A small monorepo with a remote, one clone for the tool and one for people.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::github::GitHub;
use crate::matrix::light::light;
use crate::world::{Answer, World};

pub const CONFIG: &str = "[workspace]\npackages = [\"packages/*\"]\nstrip = \"light-\"\ntag = \"{name}-v{version}\"\n\
                          branch = \"main\"\n\n[pull-request]\n";

pub struct Place {
    pub world: World,
    origin: PathBuf,
    /// What the tool's runs are given besides.
    more: Vec<(String, String)>,
}

impl Place {
    /// Four packages with a feature each since their first release, on a remote.
    pub fn new(config: &str) -> Place {
        let world = Place::begun(config);
        let origin = world.folder().join("origin.git");
        world.git(["clone", "--quiet", "--bare", ".", origin.to_str().unwrap()]);
        world.git(["remote", "add", "origin", &format!("file://{}", origin.display())]);
        Place { world, origin, more: Vec::new() }.with_people()
    }

    /// The same at GitHub, with a token for the tool.
    pub fn at_github(github: &GitHub, token: &str, config: &str) -> Place {
        let world = Place::begun(&format!("{config}\n[github]\n"));
        world.git(["remote", "add", "origin", &github.remote_of(token)]);
        let origin = github.git().path.clone();
        world.git(["push", "--quiet", origin.to_str().unwrap(), "main", "--tags"]);
        world.git(["fetch", "--quiet", "origin"]);
        let more = vec![("RELEASE_GITHUB_TOKEN".to_owned(), token.to_owned())];
        Place { world, origin, more }.with_people()
    }

    fn begun(config: &str) -> World {
        let world = light();
        fs::write(world.repository().join("release.toml"), config).unwrap();
        fs::write(world.repository().join(".gitignore"), "dist/\n").unwrap();
        world.commit_all("build: configure releases");
        world
    }

    fn with_people(self) -> Place {
        let (origin, people) = (self.origin(), self.people());
        let words = ["clone", "--quiet", origin.to_str().unwrap(), people.to_str().unwrap()];
        self.git_in(&self.world.folder().to_owned(), &words);
        self
    }

    pub fn origin(&self) -> PathBuf {
        self.origin.clone()
    }

    /// The clone of somebody else.
    pub fn people(&self) -> PathBuf {
        self.world.folder().join("people")
    }

    /// git as a person uses it, in the other clone.
    pub fn git(&self, words: &[&str]) -> String {
        self.git_in(&self.people(), words)
    }

    pub fn git_in(&self, folder: &PathBuf, words: &[&str]) -> String {
        let mut command = self.world.command("git");
        command.current_dir(folder).args(words);
        command.env("GIT_AUTHOR_NAME", "Eve Person").env("GIT_COMMITTER_NAME", "Eve Person");
        Answer::of(command.output().unwrap()).well().out.trim().to_owned()
    }

    /// The tool, in its clone.
    pub fn release(&self, words: &[&str]) -> Answer {
        self.release_with(words, &[])
    }

    pub fn release_with(&self, words: &[&str], more: &[(&str, &str)]) -> Answer {
        let mut command = self.command(&self.world.repository(), words);
        Answer::of(command.envs(more.iter().copied()).output().unwrap())
    }

    /// The tool in some clone.
    pub fn command(&self, folder: &Path, words: &[&str]) -> Command {
        let mut command = self.world.command(env!("CARGO_BIN_EXE_release"));
        command.current_dir(folder).args(words);
        command.envs(self.more.iter().map(|(name, value)| (name, value)));
        command.env("RELEASE_PACE", "quick").env("RELEASE_CLOCK", "1738368000").stdin(Stdio::null());
        command
    }

    /// Brings both clones to where the remote is.
    pub fn pull(&self) {
        self.world.git(["pull", "--quiet", "--ff-only", "--tags", "origin", "main"]);
    }

    /// A person's commit on the main branch of the remote.
    pub fn commit(&self, file: &str, text: &str, message: &str) -> String {
        self.git(&["fetch", "--quiet", "--prune", "origin"]);
        self.git(&["checkout", "--quiet", "-B", "main", "origin/main"]);
        self.commit_here(file, text, message);
        self.git(&["push", "--quiet", "origin", "main"]);
        self.git(&["rev-parse", "HEAD"])
    }

    /// A person's commit on the release branch.
    pub fn commit_on_branch(&self, branch: &str, change: impl Fn(&PathBuf), message: &str) {
        self.git(&["fetch", "--quiet", "--prune", "origin"]);
        self.git(&["checkout", "--quiet", "-B", "work", &format!("origin/{branch}")]);
        change(&self.people());
        self.git(&["commit", "--quiet", "--all", "-m", message]);
        self.git(&["push", "--quiet", "origin", &format!("HEAD:{branch}")]);
    }

    fn commit_here(&self, file: &str, text: &str, message: &str) {
        let path = self.people().join(file);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
        self.git(&["add", "--all"]);
        self.git(&["commit", "--quiet", "-m", message]);
    }

    /// Merges the release branch as a forge does, and pushes; answers the main branch's new commit.
    pub fn merge(&self, how: &str, branch: &str) -> String {
        self.git(&["fetch", "--quiet", "--prune", "origin"]);
        self.git(&["checkout", "--quiet", "-B", "main", "origin/main"]);
        let side = format!("origin/{branch}");
        match how {
            "merge" => {
                let message = "Merge pull request #1 from acme/release/next\n\nchore(release): all";
                self.git(&["merge", "--quiet", "--no-ff", "-m", message, &side]);
            }
            "squash" => {
                let said = match self.git(&["rev-list", "--count", &format!("main..{side}")]).as_str() {
                    "1" => self.git(&["log", "-1", "--format=%B", &side]),
                    _ => {
                        let all = ["log", "--reverse", "--format=* %B", &format!("main..{side}")];
                        format!("chore: release all of it\n\n{}", self.git(&all))
                    }
                };
                let (title, rest) = said.split_once('\n').unwrap();
                self.git(&["merge", "--quiet", "--squash", &side]);
                let message = format!("{title} (#1)\n{rest}\n\nCo-authored-by: A <a@example.org>");
                self.git(&["commit", "--quiet", "-m", &message]);
            }
            "rebase" => {
                self.git(&["cherry-pick", &format!("main..{side}")]);
            }
            _ => {
                self.git(&["merge", "--quiet", "--ff-only", &side]);
            }
        }
        self.git(&["push", "--quiet", "origin", "main"]);
        self.git(&["rev-parse", "HEAD"])
    }

    pub fn at(&self, name: &str) -> Option<String> {
        let listed = self.git_in(&self.origin(), &["for-each-ref", "--format=%(objectname)", name]);
        (!listed.is_empty()).then_some(listed)
    }

    /// The commit that a tag of the remote names.
    pub fn tagged(&self, tag: &str) -> String {
        self.git_in(&self.origin(), &["rev-parse", &format!("refs/tags/{tag}^{{commit}}")])
    }

    /// The refs of the remote with a prefix.
    pub fn refs(&self, prefix: &str) -> Vec<String> {
        let listed = self.git_in(&self.origin(), &["for-each-ref", "--format=%(refname)", prefix]);
        listed.lines().map(str::to_owned).collect()
    }

    /// A file on a ref of the remote.
    pub fn file(&self, at: &str, path: &str) -> String {
        self.git_in(&self.origin(), &["show", &format!("{at}:{path}")])
    }
}
