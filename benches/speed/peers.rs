//! The other planners that are on the path, and how each is asked for the next version of a package or of all.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::json;

use crate::problem::Problem;
use crate::race::Contestant;
use crate::repository::{Repository, git};

/// A peer, by the name of its program.
#[derive(Debug, Clone)]
pub struct Peer {
    pub name: &'static str,
    program: PathBuf,
}

/// Those that are known here.
pub const NAMES: [&str; 4] = ["git-cliff", "cog", "cz", "semantic-release"];

/// Packages that a peer in a loop really runs for.
const SAMPLE: usize = 8;

/// A clone of a repository with what the peers need to know of it.
pub struct Ground {
    repository: Repository,
}

/// The program on the path.
pub fn program(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path).map(|folder| folder.join(name)).find(|file| file.is_file())
}

/// The peers on the path, and a line for each that is not.
pub fn installed() -> (Vec<Peer>, Vec<String>) {
    let (mut peers, mut missing) = (Vec::new(), Vec::new());
    for name in NAMES {
        match program(name) {
            Some(program) => peers.push(Peer { name, program }),
            None => missing.push(format!("{name}: not on the path")),
        }
    }
    (peers, missing)
}

impl Ground {
    pub fn of(repository: &Repository, folder: &Path) -> Result<Ground, Problem> {
        let repository = repository.clone_to(folder)?;
        git(folder, &["remote", "add", "origin", "https://github.com/example/monorepo.git"])?;
        fs::create_dir_all(folder.join(".git/info"))?;
        fs::write(folder.join(".git/info/exclude"), "cog.toml\n.peers/\n")?;
        fs::create_dir_all(folder.join(".peers"))?;
        let mut cog = "ignore_merge_commits = true\ngenerate_mono_repository_global_tag = false\n\
             skip_untracked = true\nmonorepo_version_separator = \"-\"\ntag_prefix = \"v\"\n[monorepo.packages]\n"
            .to_owned();
        for (name, path) in &repository.known.packages {
            cog += &format!("{name} = {{ path = \"{path}\" }}\n");
            let tag = &repository.known.last[name];
            let version = tag.rsplit_once("-v").map_or(tag.as_str(), |(_, version)| version);
            fs::write(folder.join(format!(".peers/{name}.psr.toml")), semantic_release(name))?;
            fs::write(folder.join(format!(".peers/{name}.cz.toml")), commitizen(name, version))?;
        }
        fs::write(folder.join("cog.toml"), cog)?;
        Ok(Ground { repository })
    }

    /// The peer, asked for one package.
    pub fn one(&self, peer: &Peer, package: &str) -> Contestant {
        self.contestant(format!("{}, one package", peer.name), vec![self.command(peer, package)], 1.0)
    }

    /// The peer, asked for one package after the other: for a sample of those with something to release, scaled.
    pub fn looped(&self, peer: &Peer) -> Contestant {
        let due: Vec<&String> = self.repository.known.next.keys().collect();
        let step = due.len().div_ceil(SAMPLE).max(1);
        let commands: Vec<_> = due.iter().step_by(step).map(|name| self.command(peer, name)).collect();
        #[expect(clippy::cast_precision_loss, reason = "there are not that many packages")]
        let scale = self.repository.known.packages.len() as f64 / commands.len() as f64;
        self.contestant(format!("{}, in a loop", peer.name), commands, scale)
    }

    /// A package that has something to release.
    pub fn due(&self) -> Option<&String> {
        self.repository.known.next.keys().next()
    }

    fn contestant(&self, label: String, commands: Vec<Vec<String>>, scale: f64) -> Contestant {
        Contestant { label, folder: self.repository.folder.clone(), commands, scale, is_peer: true }
    }

    pub fn command(&self, peer: &Peer, package: &str) -> Vec<String> {
        let path = &self.repository.known.packages[package];
        let program = peer.program.display().to_string();
        let words: Vec<String> = match peer.name {
            "git-cliff" => {
                let (paths, tags) = (format!("{path}/**"), format!("^{package}-v"));
                ["--unreleased", "--bump", "--include-path", &paths, "--tag-pattern", &tags]
                    .map(str::to_owned)
                    .into()
            }
            "cog" => ["bump", "--auto", "--dry-run", "--package", package].map(str::to_owned).into(),
            "cz" => {
                let config = format!(".peers/{package}.cz.toml");
                ["--config", &config, "bump", "--dry-run", "--yes"].map(str::to_owned).into()
            }
            _ => {
                let folder = self.repository.folder.join(path).display().to_string();
                let config = self.repository.folder.join(format!(".peers/{package}.psr.toml"));
                let words = ["env", "-C", &folder, &program, "-c", &config.display().to_string()];
                return words.into_iter().chain(["version", "--print"]).map(str::to_owned).collect();
            }
        };
        std::iter::once(program).chain(words).collect()
    }
}

fn semantic_release(name: &str) -> String {
    format!(
        "[semantic_release]\ncommit_parser = \"conventional-monorepo\"\ntag_format = \"{name}-v{{version}}\"\n\
         allow_zero_version = true\n[semantic_release.remote]\ntype = \"github\"\nname = \"origin\"\n\
         [semantic_release.commit_parser_options]\npath_filters = [\".\"]\n"
    )
}

fn commitizen(name: &str, version: &str) -> String {
    format!(
        "[tool.commitizen]\nname = \"cz_conventional_commits\"\nversion = \"{version}\"\n\
         tag_format = {}\n",
        json!(format!("{name}-v$version"))
    )
}
