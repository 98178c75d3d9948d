//! Histories as text: reads a case's `history.txt` and plays it into a repository.
//!
//! One line is one thing, read from the top:
//!
//! ```text
//! # words                   a remark
//! commit [@NAME] SUBJECT    a commit of what the lines since the last one changed; the first holds `before/`
//! | TEXT                    goes on with the message of the commit above
//! set PATH TEXT             the file holds this text; `\n` breaks a line
//! add PATH TEXT             the text is appended to the file
//! change PATH OLD => NEW    OLD, which stands there once, becomes NEW (nothing after `=>`: it goes)
//! remove PATH               the file goes
//! move OLD NEW              a file or folder moves
//! tag NAME [MESSAGE]        tags the present commit: annotated with a message, lightweight without
//! branch NAME               goes on with another branch, made here where it is new
//! merge NAME [SUBJECT]      merges a branch, with a merge commit; `\n` breaks a line of the message
//! arguments WORDS           words for `plan` and `ship`
//! ```
//!
//! `{@NAME}` in messages, paths and texts is the full hash of the commit with that name. The lines that change files
//! stand above the commit that holds them.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use crate::world::World;

/// What a script leaves besides the repository.
pub struct Played {
    /// Words for `plan` and `ship`.
    pub arguments: Vec<String>,
}

/// Plays a script into an empty repository.
pub fn play(script: &str, world: &World) -> Played {
    let mut player = Player { world, names: BTreeMap::new(), waiting: None, arguments: Vec::new() };
    for (index, line) in script.lines().enumerate() {
        player.line(line, index + 1);
    }
    player.commit();
    Played { arguments: player.arguments }
}

struct Player<'a> {
    world: &'a World,
    names: BTreeMap<String, String>,
    /// The commit whose message may go on: its name and message.
    waiting: Option<(Option<String>, String)>,
    arguments: Vec<String>,
}

impl Player<'_> {
    fn line(&mut self, line: &str, number: usize) {
        if let Some(more) = line.strip_prefix('|') {
            let more = self.fill(more.strip_prefix(' ').unwrap_or(more));
            let (_, message) =
                self.waiting.as_mut().unwrap_or_else(|| panic!("line {number}: no commit goes on"));
            message.push('\n');
            message.push_str(&more);
            return;
        }
        self.commit();
        let (word, rest) = line.split_once(' ').unwrap_or((line, ""));
        let rest = self.fill(rest);
        match word {
            "" | "#" => {}
            "commit" => self.waiting = Some(named(&rest)),
            "set" => self.write(&rest, |_, text| text.to_owned()),
            "add" => self.write(&rest, |old, text| format!("{old}{text}")),
            "change" => self.write(&rest, |old, text| {
                let (from, to) = text.split_once(" =>").unwrap_or_else(|| panic!("line {number}: no ` =>`"));
                let to = to.strip_prefix(' ').unwrap_or(to);
                assert_eq!(old.matches(from).count(), 1, "line {number}: `{from}` stands there once");
                old.replace(from, to)
            }),
            "remove" => fs::remove_file(self.world.repository().join(&rest)).unwrap(),
            "move" => self.rename(&rest),
            "tag" => match rest.split_once(' ') {
                Some((name, message)) => self.world.tag(name, message),
                None => drop(self.world.git(["tag", &rest])),
            },
            "branch" => self.branch(&rest),
            "merge" => self.merge(&rest),
            "arguments" => self.arguments = rest.split_whitespace().map(str::to_owned).collect(),
            _ => panic!("line {number}: `{word}` is no word of a script"),
        }
    }

    /// Makes the commit that waited for the rest of its message.
    fn commit(&mut self) {
        let Some((name, message)) = self.waiting.take() else { return };
        let id = self.world.commit_all(&message);
        if let Some(name) = name {
            self.names.insert(name, id);
        }
    }

    /// The text with names of commits replaced by their hashes.
    fn fill(&self, text: &str) -> String {
        let filled = |text: String, (name, id): (&String, &String)| text.replace(&format!("{{@{name}}}"), id);
        self.names.iter().fold(text.to_owned(), filled)
    }

    fn write(&self, rest: &str, make: impl Fn(&str, &str) -> String) {
        let (path, text) = rest.split_once(' ').unwrap_or((rest, ""));
        let path = self.world.repository().join(path);
        let old = fs::read_to_string(&path).unwrap_or_default();
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, make(&old, &text.replace("\\n", "\n"))).unwrap();
    }

    fn rename(&self, rest: &str) {
        let (old, new) = rest.split_once(' ').unwrap();
        let (old, new) = (self.world.repository().join(old), self.world.repository().join(new));
        fs::create_dir_all(new.parent().unwrap()).unwrap();
        fs::rename(old, new).unwrap();
    }

    fn branch(&self, name: &str) {
        let known = !self.world.git(["branch", "--list", name]).is_empty();
        let words: &[&str] =
            if known { &["switch", "--quiet", name] } else { &["switch", "--quiet", "--create", name] };
        self.world.git(words);
    }

    fn merge(&self, rest: &str) {
        let (name, subject) = rest.split_once(' ').unwrap_or((rest, ""));
        let subject = if subject.is_empty() { format!("Merge branch '{name}'") } else { subject.to_owned() };
        self.world.git(["merge", "--quiet", "--no-ff", "--no-commit", name]);
        self.world.commit_all(&subject.replace("\\n", "\n"));
    }
}

/// The name and the message of `[@NAME] SUBJECT`.
fn named(rest: &str) -> (Option<String>, String) {
    match rest.strip_prefix('@').and_then(|rest| rest.split_once(' ')) {
        Some((name, subject)) => (Some(name.to_owned()), subject.to_owned()),
        None => (None, rest.to_owned()),
    }
}

/// Copies a folder's files over another folder.
pub fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).unwrap();
        }
    }
}
