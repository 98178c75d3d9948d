//! Lists the tags and reads commits while the packages are looked for: which commits the walk will ask for first is plain
//! from their dates.

use std::cmp::Reverse;
use std::collections::{self, BinaryHeap};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, channel, sync_channel};

use gix::ObjectId;
use gix::hashtable::{HashMap, HashSet};
use gix::objs::Kind;

use crate::history::condensed::push_condensed;
use crate::history::text::Text;
use crate::survey::tags::{Tag, list_tags, object_of};
use crate::world::commit_text::{Authors, CommitText, Words};
use crate::world::git::Repository;
use crate::world::git_error::GitError;
use crate::world::objects::parse_id;

/// Gives the list of tags, once it is read.
pub type Listed = Receiver<Result<Vec<Tag>, GitError>>;

/// Commits, as a thread of their own reads them.
#[derive(Debug, Default)]
pub struct Ahead {
    read: HashMap<ObjectId, ReadCommit>,
    more: Option<Receiver<Batch>>,
}

/// A commit: what its place in history is known by, and what it says.
#[derive(Debug)]
pub struct ReadCommit {
    pub tree: Option<ObjectId>,
    pub parents: Box<[ObjectId]>,
    /// The committer's time, seconds since 1970 (UTC).
    pub time: i64,
    pub words: Words<Text>,
}

impl ReadCommit {
    /// Its message is put behind others, without the prose that nobody reads.
    pub fn of(object: &[u8], authors: &mut Authors, messages: &mut String) -> ReadCommit {
        let text = CommitText(object);
        let (time, words) = text.time_and_words(authors, |message| {
            Text::behind(messages, |messages| push_condensed(&message, messages))
        });
        ReadCommit { tree: text.tree(), parents: text.parents().collect(), time, words }
    }
}

type Batch = Vec<(ObjectId, ReadCommit)>;

/// How many commits are read beyond the last series: most often, the lines have come together by then.
const BEYOND: usize = 32;
/// How many commits are handed over at once.
const BATCH: usize = if cfg!(test) { 4 } else { 128 };
/// How many bytes of messages are enough to hand over fewer.
const MOST_TEXT: usize = if cfg!(test) { 64 } else { 1 << 20 };
/// How many batches wait to be asked for: then reading waits too.
const WAITING: usize = 64;

impl Ahead {
    /// Lists the tags beside some work that needs them in the end, and then reads commits back from one, newest first,
    /// as long as the work asks for them. On one processor no commit: that would take the work's time.
    pub fn beside<T>(repository: &Repository, from: &str, work: impl FnOnce(Listed, Ahead) -> T) -> T {
        let (listing, listed) = channel();
        let (sender, more) = sync_channel(WAITING);
        let reads = rayon::current_num_threads() > 1;
        std::thread::scope(|scope| {
            scope.spawn(move || {
                let tags = list_tags(repository);
                let series = Series::of(tags.as_deref().unwrap_or_default());
                // Work that failed asks for nothing any more.
                if listing.send(tags).is_ok() && reads {
                    read(repository, from, series, BEYOND, &sender);
                }
            });
            work(listed, Ahead { read: HashMap::default(), more: Some(more) })
        })
    }

    /// A commit, if it is read here, now or soon; it is given once.
    pub fn take(&mut self, id: &ObjectId) -> Option<ReadCommit> {
        loop {
            if let Some(commit) = self.read.remove(id) {
                return Some(commit);
            }
            match self.more.as_ref()?.recv() {
                Ok(batch) => self.read.extend(batch),
                Err(_) => self.more = None,
            }
        }
    }

    /// From here on only what is there already is given.
    pub fn wait_no_more(&mut self) {
        let there = self.more.take();
        self.read.extend(there.iter().flat_map(Receiver::try_iter).flatten());
    }
}

/// Reads commits in the walk's order, until nobody takes them or every series of tags was met, and so many beyond: the
/// walk goes little further. What can not be read is left to the walk, which says why.
fn read(
    repository: &Repository,
    from: &str,
    mut series: Series,
    mut beyond: usize,
    sender: &SyncSender<Batch>,
) {
    let objects = repository.objects();
    let (mut met, mut queue) = (HashSet::default(), BinaryHeap::new());
    let (mut batch, mut messages) = (Batch::new(), String::new());
    let (mut object, mut authors) = (Vec::new(), Authors::default());
    let mut waiting: Vec<ObjectId> = parse_id(from).into_iter().collect();
    while !series.are_met() || beyond > 0 {
        beyond -= usize::from(series.are_met());
        for id in waiting.drain(..) {
            if !met.insert(id) || objects.expect(&id, Kind::Commit, &mut object).is_err() {
                continue;
            }
            series.meet(&id);
            let commit = ReadCommit::of(&object, &mut authors, &mut messages);
            queue.push((commit.time, Reverse(met.len()), commit.parents.clone()));
            batch.push((id, commit));
        }
        let Some((.., parents)) = queue.pop() else { break };
        waiting = parents.into_vec();
        let is_full = batch.len() >= BATCH || messages.len() >= MOST_TEXT;
        if is_full && sender.send(together(&mut batch, &mut messages)).is_err() {
            return;
        }
    }
    // Whoever took what came before may want no more.
    let _last = sender.send(together(&mut batch, &mut messages));
}

/// A whole batch, whose messages stand in one text. Both are empty then.
fn together(batch: &mut Batch, messages: &mut String) -> Batch {
    let whole: Arc<str> = messages.as_str().into();
    messages.clear();
    messages.shrink_to(MOST_TEXT);
    let mut batch = std::mem::take(batch);
    batch.iter_mut().for_each(|(_, commit)| commit.words.message.stand_in(&whole));
    batch
}

/// Tags that differ in what stands after their last mark: most likely the versions of one package. A guess, by which only
/// time is won or lost.
struct Series {
    /// Of each commit its last tag.
    at: HashMap<ObjectId, usize>,
    /// Of each tag its series, and the tag before it on the same commit.
    tags: Vec<(usize, Option<usize>)>,
    met: Vec<bool>,
    open: usize,
}

impl Series {
    fn of(tags: &[Tag]) -> Series {
        let mut numbers = collections::HashMap::new();
        let mut at = HashMap::with_capacity_and_hasher(tags.len(), gix::hashtable::hash::Builder);
        let mut list = Vec::with_capacity(tags.len());
        // Tags come by name, so that most are of the series of the one before.
        let mut last = None;
        for tag in tags {
            let Ok(commit) = object_of(&tag.commit) else { continue };
            let stem = tag.name.rsplit_once(['/', '@', '-', '_']).map_or("", |(stem, _)| stem);
            let number = match last {
                Some((known, number)) if known == stem => number,
                _ => {
                    let next = numbers.len();
                    *numbers.entry(stem).or_insert(next)
                }
            };
            last = Some((stem, number));
            let before = at.insert(commit, list.len());
            list.push((number, before));
        }
        Series { at, tags: list, met: vec![false; numbers.len()], open: numbers.len() }
    }

    fn meet(&mut self, commit: &ObjectId) {
        let mut next = self.at.get(commit).copied();
        while let Some(tag) = next {
            let (number, before) = self.tags[tag];
            if !std::mem::replace(&mut self.met[number], true) {
                self.open -= 1;
            }
            next = before;
        }
    }

    /// Whether one tag of each was met; never where there is none.
    fn are_met(&self) -> bool {
        self.open == 0 && !self.met.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::world::testing::TestRepository;

    fn batches(repository: &TestRepository, head: &str, beyond: usize) -> Vec<Batch> {
        let opened = repository.open();
        let series = Series::of(&list_tags(&opened).unwrap());
        let (sender, receiver) = sync_channel(WAITING);
        super::read(&opened, head, series, beyond, &sender);
        receiver.try_iter().collect()
    }

    fn read(repository: &TestRepository, head: &str, beyond: usize) -> Vec<ObjectId> {
        batches(repository, head, beyond).into_iter().flatten().map(|(id, _)| id).collect()
    }

    #[test]
    fn batches_are_full_by_commits_or_by_their_messages() {
        let repository = TestRepository::init();
        let messages: Vec<String> =
            (0..7).map(|number| format!("feat: {number}{}\n", "ü".repeat(number / 5 * 40))).collect();
        let mut head = String::new();
        for message in &messages {
            head = repository.change("a", message, message.trim_end());
        }
        let batches = batches(&repository, &head, 0);
        assert_eq!(batches.iter().map(Vec::len).collect::<Vec<_>>(), [1, 1, 4, 1]);
        let read = batches.iter().flatten().map(|(_, commit)| commit.words.message.as_str());
        assert!(read.eq(messages.iter().rev()));
    }

    #[test]
    fn commits_are_read_until_each_series_of_tags_was_met() {
        let repository = TestRepository::init();
        let commits: Vec<String> = (0..6)
            .map(|number| repository.change("a", &number.to_string(), &format!("feat: {number}")))
            .collect();
        let head = &commits[5];
        let newest = |count: usize| -> Vec<ObjectId> {
            commits.iter().rev().take(count).map(|id| parse_id(id).unwrap()).collect()
        };
        assert_eq!(read(&repository, head, 0), newest(6), "no tags: all");
        repository.git(&["tag", "core-v1.0.0", &commits[1]]);
        repository.git(&["tag", "core-v1.1.0", &commits[3]]);
        assert_eq!(read(&repository, head, 0), newest(3));
        assert_eq!(read(&repository, head, 1), newest(4));
        assert_eq!(read(&repository, head, 9), newest(6));
        repository.git(&["tag", "-m", "x", "api/v2", &commits[2]]);
        assert_eq!(read(&repository, head, 0), newest(4));
        assert!(read(&repository, &"1".repeat(40), 1).is_empty());
    }

    #[test]
    fn a_commit_is_given_once_and_what_is_not_read_not() {
        let repository = TestRepository::init();
        let commits = ["1", "2"].map(|text| repository.change("a", text, text));
        let ids = commits.each_ref().map(|commit| parse_id(commit).unwrap());
        let opened = repository.open();
        Ahead::beside(&opened, &commits[1], |listed, mut ahead| {
            assert!(listed.recv().unwrap().unwrap().is_empty());
            let older = ahead.take(&ids[0]);
            if rayon::current_num_threads() > 1 {
                let older = older.unwrap();
                assert_eq!((older.words.message.as_str(), older.parents.len()), ("1\n", 0));
                let tree = repository.git(&["rev-parse", &format!("{}^{{tree}}", commits[0])]);
                assert_eq!(older.tree, parse_id(&tree).ok());
                assert!(ahead.take(&ids[0]).is_none());
            }
            ahead.wait_no_more();
            assert!(ahead.take(&ObjectId::null(gix::hash::Kind::Sha1)).is_none());
        });
        let lost = Ahead::beside(&opened, &commits[1], |_, _| "work that failed");
        assert_eq!(lost, "work that failed");
    }
}
