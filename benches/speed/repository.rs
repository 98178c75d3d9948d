//! Makes the repositories, as a hosting server would pack them, and keeps them where they are to be kept.

use std::fs;
use std::io::{self, BufWriter};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::{Value, json};

use crate::history::{self, Known};
use crate::problem::Problem;
use crate::shape::Shape;

/// Goes up when the same seed gives another history.
const EDITION: u64 = 1;
const SEED: u64 = 1;

/// A repository on `main`, with a work tree.
#[derive(Debug, Clone)]
pub struct Repository {
    pub name: String,
    pub folder: PathBuf,
    pub known: Known,
}

impl Repository {
    /// The repository of this shape in the folder, made unless it is there.
    pub fn of(shape: Shape, folder: &Path) -> Result<Repository, Problem> {
        let place = folder.join(shape.name);
        let file = folder.join(format!("{}.json", shape.name));
        if let Some(known) = read(&file, shape) {
            return Ok(Repository { name: shape.name.to_owned(), folder: place, known });
        }
        eprintln!("making {}: {} packages, {} commits", shape.name, shape.packages, shape.commits);
        let _ = fs::remove_dir_all(&place);
        fs::create_dir_all(&place)?;
        git(&place, &["init", "--quiet", "--initial-branch", "main"])?;
        let known = import(shape, &place)?;
        git(&place, &["pack-refs", "--all"])?;
        git(&place, &["repack", "-adfq", "--depth=50", "--window=10"])?;
        git(&place, &["reset", "--quiet", "--hard"])?;
        fs::write(&file, stored(shape, &known).to_string())?;
        Ok(Repository { name: shape.name.to_owned(), folder: place, known })
    }

    /// A clone in the folder that shares its pack, made anew.
    pub fn clone_to(&self, folder: &Path) -> Result<Repository, Problem> {
        let _ = fs::remove_dir_all(folder);
        let mut clone = Command::new("git");
        clone.args(["clone", "--quiet", "--local"]).arg(&self.folder).arg(folder);
        run(&mut clone)?;
        git(folder, &["pack-refs", "--all"])?;
        git(folder, &["remote", "remove", "origin"])?;
        Ok(Repository { folder: folder.to_owned(), ..self.clone() })
    }

    /// A clone in the folder without a tag.
    pub fn without_tags(&self, folder: &Path) -> Result<Repository, Problem> {
        let mut clone = self.clone_to(folder)?;
        let _ = fs::remove_file(clone.folder.join(".git/packed-refs"));
        let _ = fs::remove_dir_all(clone.folder.join(".git/refs/tags"));
        fs::create_dir_all(clone.folder.join(".git/refs/tags"))?;
        git(&clone.folder, &["update-ref", "refs/heads/main", self.head()?.as_str()])?;
        clone.name = format!("{} without tags", self.name);
        clone.known = Known { packages: self.known.packages.clone(), ..Known::default() };
        Ok(clone)
    }

    /// What a plan has to look at, in git's words.
    pub fn range(&self) -> String {
        match self.known.oldest.as_str() {
            "" => "HEAD".to_owned(),
            oldest => format!("{oldest}..HEAD"),
        }
    }

    pub fn head(&self) -> Result<String, Problem> {
        git(&self.folder, &["rev-parse", "HEAD"])
    }

    /// In one line: how large it is.
    pub fn size(&self) -> Result<String, Problem> {
        let count = |range: &str| git(&self.folder, &["rev-list", "--count", range]);
        let tags = git(&self.folder, &["tag", "--list"])?.lines().count();
        Ok(format!(
            "{}: {} packages, {} commits, {} since the oldest last release, {tags} tags",
            self.name,
            self.known.packages.len(),
            count("HEAD")?,
            count(&self.range())?,
        ))
    }
}

/// Runs git in the folder; answers what it prints, without the last line's end.
pub fn git(folder: &Path, words: &[&str]) -> Result<String, Problem> {
    run(Command::new("git").arg("-C").arg(folder).args(words))
}

/// Runs a program to its good end; answers what it prints, without the last line's end.
pub fn run(command: &mut Command) -> Result<String, Problem> {
    let output = quiet(command).stdin(Stdio::null()).output();
    let output = output.map_err(|error| Problem::new(format!("{command:?}: {error}")))?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        return Err(Problem::new(format!("{command:?} ends with {}: {said}", output.status)));
    }
    Ok(String::from_utf8_lossy(&output.stdout).trim_end_matches('\n').to_owned())
}

/// Without anybody's settings of git, and as somebody.
pub fn quiet(command: &mut Command) -> &mut Command {
    command
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .env("GIT_CONFIG_NOSYSTEM", "1")
        .env("GIT_AUTHOR_NAME", "Ada Example")
        .env("GIT_AUTHOR_EMAIL", "ada@example.org")
        .env("GIT_COMMITTER_NAME", "Ada Example")
        .env("GIT_COMMITTER_EMAIL", "ada@example.org")
        .env("LC_ALL", "C.UTF-8")
        .env("COLUMNS", "80")
}

fn import(shape: Shape, place: &Path) -> Result<Known, Problem> {
    let mut importing = Command::new("git");
    importing.arg("-C").arg(place).args(["fast-import", "--quiet", "--done", "--depth=50"]);
    let mut importing = quiet(&mut importing).stdin(Stdio::piped()).spawn()?;
    let input = importing.stdin.take().ok_or_else(|| io::Error::other("no way into git fast-import"))?;
    let written = history::write(shape, SEED, BufWriter::with_capacity(1 << 20, input));
    if !importing.wait()?.success() {
        return Err(Problem::new("git fast-import did not take the history"));
    }
    Ok(written?)
}

fn stored(shape: Shape, known: &Known) -> Value {
    json!({
        "made": stamp(shape),
        "packages": known.packages,
        "last": known.last,
        "next": known.next,
        "oldest": known.oldest,
    })
}

/// What is known of a repository that was made before, the same way.
fn read(file: &Path, shape: Shape) -> Option<Known> {
    let stored: Value = serde_json::from_slice(&fs::read(file).ok()?).ok()?;
    if stored["made"] != stamp(shape) {
        return None;
    }
    let map = |field: &str| serde_json::from_value(stored[field].clone()).ok();
    Some(Known {
        packages: map("packages")?,
        last: map("last")?,
        next: map("next")?,
        oldest: stored["oldest"].as_str()?.to_owned(),
    })
}

fn stamp(shape: Shape) -> String {
    format!("{EDITION} {SEED} {shape:?}")
}
