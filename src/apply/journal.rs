//! Events on this machine's disk that no shared ledger holds yet: a hint for the next run here, never more.
//!
//! A file of lines, each synced before the effect it announces. The first line names the ledger's version that the
//! events follow; where the ledger has moved on, they are forgotten: what they told of is observed again.

use std::fs::{File, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::ledger::event::Event;
use crate::world::files::{FileError, write_atomically};

/// The open journal of one repository. Its folder is this process's alone while it holds the ship's lock.
#[derive(Debug)]
pub struct Journal {
    folder: PathBuf,
    file: Option<File>,
}

/// What an earlier run left.
#[derive(Debug, Default)]
pub struct Left {
    pub events: Vec<Event>,
    /// The plans that the events speak of, by the hex of their digest.
    pub plans: Vec<(String, Vec<u8>)>,
}

/// Why the journal can not be written.
#[derive(Debug, thiserror::Error)]
#[error("the journal in `{}` can not be written", folder.display())]
pub struct JournalError {
    pub folder: PathBuf,
    #[source]
    pub source: std::io::Error,
}

#[derive(Serialize, Deserialize)]
struct Head {
    follows: Option<String>,
}

impl Journal {
    pub fn in_folder(folder: PathBuf) -> Journal {
        Journal { folder, file: None }
    }

    /// What an earlier run left that follows this version of the ledger; a line that was cut off by a kill ends it.
    pub fn left(&self, version: Option<&str>) -> Left {
        let Ok(text) = std::fs::read_to_string(self.path()) else { return Left::default() };
        let mut lines = text.split_inclusive('\n').filter(|line| line.ends_with('\n'));
        let head = lines.next().and_then(|line| serde_json::from_str::<Head>(line).ok());
        if head.is_none_or(|head| head.follows.as_deref() != version) {
            return Left::default();
        }
        let events = lines.map_while(|line| serde_json::from_str(line).ok()).collect();
        Left { events, plans: self.plans() }
    }

    /// Begins anew after a version of the ledger, with events that it does not hold.
    ///
    /// # Errors
    /// A full or read-only disk.
    pub fn begin(&mut self, version: Option<&str>, events: &[Event]) -> Result<(), JournalError> {
        self.file = None;
        let mut text = line(&Head { follows: version.map(str::to_owned) });
        events.iter().for_each(|event| text.extend(line(event)));
        write_atomically(&self.path(), &text).map_err(|error| self.error(error))
    }

    /// Adds one event and waits until the disk has it.
    ///
    /// # Errors
    /// A full or read-only disk.
    pub fn add(&mut self, event: &Event) -> Result<(), JournalError> {
        let path = self.path();
        let failed = |source| JournalError { folder: self.folder.clone(), source };
        if self.file.is_none() {
            self.file = Some(OpenOptions::new().append(true).open(&path).map_err(failed)?);
        }
        let file = self.file.as_mut().expect("it was opened above");
        file.write_all(&line(event)).and_then(|()| file.sync_data()).map_err(failed)
    }

    /// Keeps a plan beside the events.
    ///
    /// # Errors
    /// A full or read-only disk.
    pub fn keep_plan(&self, hex: &str, bytes: &[u8]) -> Result<(), JournalError> {
        write_atomically(&self.folder.join(format!("plan-{hex}.json")), bytes)
            .map_err(|error| self.error(error))
    }

    /// Forgets the plans that nothing speaks of any more.
    pub fn forget_plans(&self, kept: &dyn Fn(&str) -> bool) {
        for (hex, _) in self.plans() {
            if !kept(&hex) {
                // What can not be deleted is only wasted space.
                let _ = std::fs::remove_file(self.folder.join(format!("plan-{hex}.json")));
            }
        }
    }

    fn plans(&self) -> Vec<(String, Vec<u8>)> {
        let Ok(entries) = std::fs::read_dir(&self.folder) else { return Vec::new() };
        let plan = |path: &Path| {
            let name = path.file_name()?.to_str()?;
            let hex = name.strip_prefix("plan-")?.strip_suffix(".json")?.to_owned();
            Some((hex, std::fs::read(path).ok()?))
        };
        entries.flatten().filter_map(|entry| plan(&entry.path())).collect()
    }

    fn path(&self) -> PathBuf {
        self.folder.join("events.jsonl")
    }

    fn error(&self, error: FileError) -> JournalError {
        let source = match error {
            FileError::Failed { source, .. } => source,
            other => std::io::Error::other(other.to_string()),
        };
        JournalError { folder: self.folder.clone(), source }
    }
}

fn line(value: &impl Serialize) -> Vec<u8> {
    let mut text = serde_json::to_vec(value).expect("these types have string keys only, so they serialise");
    text.push(b'\n');
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ledger::event::What;
    use crate::plan::digest::Digest;

    fn event(number: u64) -> Event {
        let what = What::Started { step: "claim".to_owned() };
        Event { number, time: 7, who: "a".to_owned(), plan: Digest::of(b"plan"), what }
    }

    fn journal() -> (tempfile::TempDir, Journal) {
        let folder = tempfile::tempdir().unwrap();
        let journal = Journal::in_folder(folder.path().join("journal"));
        (folder, journal)
    }

    #[test]
    fn what_was_added_is_left_for_the_version_it_follows() {
        let (_folder, mut journal) = journal();
        journal.begin(Some("7a"), &[event(1)]).unwrap();
        journal.add(&event(2)).unwrap();
        assert_eq!(journal.left(Some("7a")).events, [event(1), event(2)]);
        assert!(journal.left(Some("7b")).events.is_empty());
        assert!(journal.left(None).events.is_empty());
    }

    #[test]
    fn a_line_that_was_cut_off_ends_it() {
        let (_folder, mut journal) = journal();
        journal.begin(None, &[event(1)]).unwrap();
        let path = journal.path();
        let whole = std::fs::read(&path).unwrap();
        let mut torn = whole.clone();
        torn.extend(&line(&event(2))[..20]);
        std::fs::write(&path, torn).unwrap();
        assert_eq!(journal.left(None).events, [event(1)]);
    }

    #[test]
    fn plans_are_kept_while_they_are_spoken_of() {
        let (_folder, mut journal) = journal();
        journal.begin(None, &[]).unwrap();
        journal.keep_plan("ab", b"{}").unwrap();
        assert_eq!(journal.left(None).plans, [("ab".to_owned(), b"{}".to_vec())]);
        journal.forget_plans(&|hex| hex != "ab");
        assert!(journal.left(None).plans.is_empty());
    }
}
