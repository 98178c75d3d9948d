//! The bare repository behind the double, asked and changed by git itself.

use std::collections::BTreeMap;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// Refuses what the file `refused` names; git runs it before each ref that a push changes.
const HOOK: &str = "#!/bin/sh\n\
    [ -f refused ] || exit 0\n\
    while IFS='\t' read -r ref said; do\n\
    \x20 if [ \"$1\" = \"$ref\" ]; then echo \"error: $said\" >&2; exit 1; fi\n\
    done < refused\n";

pub const NONE: &str = "0000000000000000000000000000000000000000";

pub struct Git {
    pub path: PathBuf,
}

impl Git {
    /// An empty repository below `root`.
    pub fn bare(root: &Path, owner: &str, name: &str) -> Git {
        let path = root.join(owner).join(format!("{name}.git"));
        std::fs::create_dir_all(&path).unwrap();
        let git = Git { path };
        git.well(&["init", "--quiet", "--bare", "--initial-branch", "main", "."]);
        for (key, value) in [
            ("http.receivepack", "true"),
            ("uploadpack.allowAnySHA1InWant", "true"),
            ("uploadpack.allowFilter", "true"),
            ("gc.auto", "0"),
        ] {
            git.well(&["config", key, value]);
        }
        let hook = git.path.join("hooks/update");
        std::fs::create_dir_all(git.path.join("hooks")).unwrap();
        std::fs::write(&hook, HOOK).unwrap();
        std::fs::set_permissions(hook, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
        git
    }

    /// What git prints, without the last line's end; `None` where it fails.
    pub fn ask(&self, words: &[&str]) -> Option<String> {
        self.feed(words, b"", &[]).ok()
    }

    /// What git prints where it can not fail.
    #[track_caller]
    pub fn well(&self, words: &[&str]) -> String {
        self.feed(words, b"", &[]).unwrap_or_else(|said| panic!("git {words:?}: {said}"))
    }

    /// With an input and more variables; the error is what git says.
    pub fn feed(&self, words: &[&str], input: &[u8], more: &[(&str, &str)]) -> Result<String, String> {
        let bytes = self.bytes(words, input, more)?;
        Ok(String::from_utf8_lossy(&bytes).trim_end_matches('\n').to_owned())
    }

    pub fn bytes(&self, words: &[&str], input: &[u8], more: &[(&str, &str)]) -> Result<Vec<u8>, String> {
        let mut command = Command::new("git");
        command.current_dir(&self.path).args(words);
        command.env("GIT_CONFIG_GLOBAL", "/dev/null").env("GIT_CONFIG_NOSYSTEM", "1");
        for role in ["AUTHOR", "COMMITTER"] {
            command.env(format!("GIT_{role}_NAME"), "GitHub");
            command.env(format!("GIT_{role}_EMAIL"), "noreply@github.com");
        }
        command.envs(more.iter().copied());
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let mut stdin = child.stdin.take().unwrap();
        let input = input.to_owned();
        let writer = std::thread::spawn(move || stdin.write_all(&input).is_ok());
        let output = child.wait_with_output().unwrap();
        let _ = writer.join();
        if output.status.success() {
            return Ok(output.stdout);
        }
        let said = [output.stdout, output.stderr].concat();
        Err(String::from_utf8_lossy(&said).into_owned())
    }

    /// Every ref with what it points at.
    pub fn refs(&self) -> BTreeMap<String, String> {
        let list = self.well(&["for-each-ref", "--format=%(refname) %(objectname)"]);
        let pairs = list.lines().filter_map(|line| line.split_once(' '));
        pairs.map(|(name, sha)| (name.to_owned(), sha.to_owned())).collect()
    }

    /// The commit that a SHA, a branch, a tag or a whole ref stands for.
    pub fn commit(&self, name: &str) -> Option<String> {
        let whole = |prefix: &str| format!("{prefix}{name}^{{commit}}");
        ["refs/heads/", "refs/tags/", "refs/", ""].iter().find_map(|prefix| {
            let name = whole(prefix);
            self.ask(&["rev-parse", "--verify", "--quiet", "--end-of-options", &name])
        })
    }

    /// The commit of a branch alone.
    pub fn branch(&self, name: &str) -> Option<String> {
        self.ask(&["rev-parse", "--verify", "--quiet", &format!("refs/heads/{name}^{{commit}}")])
    }

    pub fn has_tag(&self, name: &str) -> bool {
        self.ask(&["rev-parse", "--verify", "--quiet", &format!("refs/tags/{name}")]).is_some()
    }

    pub fn contains(&self, branch: &str, commit: &str) -> bool {
        self.ask(&["merge-base", "--is-ancestor", commit, branch]).is_some()
    }

    /// One field of a commit, by git's own format.
    pub fn show(&self, commit: &str, format: &str) -> String {
        self.well(&["log", "-1", &format!("--format={format}"), commit, "--"])
    }

    /// Writes which refs nobody may push to, and what is said about each.
    pub fn refuse(&self, refused: &BTreeMap<String, String>) {
        let lines: String = refused.iter().map(|(name, said)| format!("{name}\t{said}\n")).collect();
        std::fs::write(self.path.join("refused"), lines).unwrap();
    }
}
