//! Lists the tags and reads commits while the packages are looked for: which commits the walk will ask for first is plain
//! from their dates.

use std::cmp::Reverse;
use std::collections::{self, BinaryHeap};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, channel};

use gix::ObjectId;
use gix::hashtable::{HashMap, HashSet};
use gix::objs::Kind;

use crate::survey::tags::{Tag, list_tags};
use crate::world::commit_text::CommitText;
use crate::world::git::Repository;
use crate::world::git_error::GitError;
use crate::world::objects::parse_id;

/// Gives the list of tags, once it is read.
pub type Listed = Receiver<Result<Vec<Tag>, GitError>>;

/// Commit objects by their ids.
#[derive(Debug, Clone, Default)]
pub struct Ahead(HashMap<ObjectId, Vec<u8>>);

impl Ahead {
    /// Lists the tags beside some work that needs them in the end, and then reads commits back from one, newest first,
    /// until the work is done. On one processor no commit: that would take the work's time.
    pub fn beside<T>(repository: &Repository, from: &str, work: impl FnOnce(Listed) -> T) -> (T, Ahead) {
        let done = AtomicBool::new(rayon::current_num_threads() == 1);
        let (sender, listed) = channel();
        std::thread::scope(|scope| {
            let ahead = scope.spawn(|| {
                let tags = list_tags(repository);
                let series = Series::of(tags.as_deref().unwrap_or_default());
                // Work that failed asks for no tags.
                let _unasked = sender.send(tags);
                Ahead::read(repository, from, series, &done)
            });
            let answer = work(listed);
            done.store(true, Ordering::Relaxed);
            (answer, ahead.join().expect("reading commits does not panic"))
        })
    }

    /// A commit object, if it was read; it is given once.
    pub fn take(&mut self, id: &ObjectId) -> Option<Vec<u8>> {
        self.0.remove(id)
    }

    /// Ends early where every series of tags was met: the walk goes little further. What can not be read is left to the
    /// walk, which says why.
    fn read(repository: &Repository, from: &str, mut series: Series, done: &AtomicBool) -> Ahead {
        let objects = repository.objects();
        let (mut ahead, mut met, mut queue) = (Ahead::default(), HashSet::default(), BinaryHeap::new());
        let mut waiting: Vec<ObjectId> = parse_id(from).into_iter().collect();
        while !done.load(Ordering::Relaxed) && !series.are_met() {
            for id in waiting.drain(..) {
                let mut object = Vec::new();
                if !met.insert(id) || objects.expect(&id, Kind::Commit, &mut object).is_err() {
                    continue;
                }
                series.meet(&id);
                queue.push((CommitText(&object).time(), Reverse(ahead.0.len()), id));
                ahead.0.insert(id, object);
            }
            let Some((.., id)) = queue.pop() else { break };
            waiting.extend(ahead.0.get(&id).into_iter().flat_map(|object| CommitText(object).parents()));
        }
        ahead
    }
}

/// Tags that differ in what stands after their last mark: most likely the versions of one package. A guess, by which only
/// time is won or lost.
struct Series {
    at: HashMap<ObjectId, Vec<usize>>,
    met: Vec<bool>,
    open: usize,
}

impl Series {
    fn of(tags: &[Tag]) -> Series {
        let mut numbers = collections::HashMap::new();
        let mut at: HashMap<ObjectId, Vec<usize>> = HashMap::default();
        for tag in tags {
            let Ok(commit) = parse_id(&tag.commit.0) else { continue };
            let stem = tag.name.rsplit_once(['/', '@', '-', '_']).map_or("", |(stem, _)| stem);
            let next = numbers.len();
            at.entry(commit).or_default().push(*numbers.entry(stem).or_insert(next));
        }
        Series { at, met: vec![false; numbers.len()], open: numbers.len() }
    }

    fn meet(&mut self, commit: &ObjectId) {
        for number in self.at.get(commit).into_iter().flatten() {
            if !std::mem::replace(&mut self.met[*number], true) {
                self.open -= 1;
            }
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

    fn read(repository: &TestRepository, head: &str) -> Ahead {
        let opened = repository.open();
        let series = Series::of(&list_tags(&opened).unwrap());
        Ahead::read(&opened, head, series, &AtomicBool::new(false))
    }

    #[test]
    fn commits_are_read_until_each_series_of_tags_was_met() {
        let repository = TestRepository::init();
        let commits: Vec<String> = (0..6)
            .map(|number| repository.change("a", &number.to_string(), &format!("feat: {number}")))
            .collect();
        let head = &commits[5];
        assert_eq!(read(&repository, head).0.len(), 6, "no tags: all");
        repository.git(&["tag", "core-v1.0.0", &commits[1]]);
        repository.git(&["tag", "core-v1.1.0", &commits[3]]);
        assert_eq!(read(&repository, head).0.len(), 3);
        repository.git(&["tag", "-m", "x", "api/v2", &commits[2]]);
        let mut ahead = read(&repository, head);
        assert_eq!(ahead.0.len(), 4);
        let id = parse_id(&commits[2]).unwrap();
        let object = String::from_utf8(ahead.take(&id).unwrap()).unwrap();
        assert_eq!(object.trim_end(), repository.git(&["cat-file", "commit", &commits[2]]));
        assert!(ahead.take(&id).is_none());
        assert!(read(&repository, &"1".repeat(40)).0.is_empty());
    }
}
