//! The newest commits that two commits both have.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use gix::ObjectId;
use gix::hashtable::HashMap;
use gix::objs::Kind;

use crate::world::commit_text::CommitText;
use crate::world::git_error::GitError;
use crate::world::grafts::Grafts;
use crate::world::objects::Objects;

/// The newest commits that both have; most often one. Where clocks run wrong and there are several, ancestors of others may
/// be among them. It takes as long as there are commits that only one of the two has.
///
/// # Errors
/// Unreadable commits.
pub fn merge_bases(objects: &Objects, one: ObjectId, other: ObjectId) -> Result<Vec<ObjectId>, GitError> {
    let mut search = Search {
        objects,
        shallow: objects.shallow_commits()?,
        grafts: objects.grafts()?,
        nodes: HashMap::default(),
        queue: BinaryHeap::new(),
        queued: 0,
        open: 0,
    };
    search.paint(one, ONE)?;
    search.paint(other, OTHER)?;
    search.run()
}

/// Colours, each a bit: which of the two has the commit.
const ONE: u8 = 1;
const OTHER: u8 = 2;
/// Below a commit that both have.
const BELOW: u8 = 4;

struct Search<'o> {
    objects: &'o Objects,
    shallow: Vec<ObjectId>,
    grafts: Grafts,
    nodes: HashMap<ObjectId, Node>,
    /// The newest comes first; among those of one time the first that came here.
    queue: BinaryHeap<(i64, Reverse<usize>, ObjectId)>,
    /// How many came there so far.
    queued: usize,
    /// How many of those that are there are not below a commit that both have.
    open: usize,
}

struct Node {
    colours: u8,
    time: i64,
    parents: Vec<ObjectId>,
    is_found: bool,
    /// How often it waits in the queue.
    waits: usize,
}

impl Node {
    fn is_below(&self) -> bool {
        self.colours & BELOW != 0
    }
}

impl Search<'_> {
    fn run(mut self) -> Result<Vec<ObjectId>, GitError> {
        let mut found = Vec::new();
        while self.open > 0 {
            let Some((.., id)) = self.queue.pop() else { break };
            let Some(node) = self.nodes.get_mut(&id) else { continue };
            node.waits -= 1;
            self.open -= usize::from(!node.is_below());
            let mut colours = node.colours;
            if colours == ONE | OTHER {
                if !std::mem::replace(&mut node.is_found, true) {
                    found.push(id);
                }
                colours |= BELOW;
            }
            for parent in node.parents.clone() {
                self.paint(parent, colours)?;
            }
        }
        found.retain(|id| !self.nodes[id].is_below());
        Ok(found)
    }

    /// Gives a commit colours; one that gets a new one is looked at (again).
    fn paint(&mut self, id: ObjectId, colours: u8) -> Result<(), GitError> {
        if !self.nodes.contains_key(&id) {
            let node = self.read(&id)?;
            self.nodes.insert(id, node);
        }
        if let Some(node) = self.nodes.get_mut(&id)
            && node.colours & colours != colours
        {
            let was_below = node.is_below();
            node.colours |= colours;
            if node.is_below() && !was_below {
                self.open -= node.waits;
            }
            node.waits += 1;
            self.open += usize::from(!node.is_below());
            self.queued += 1;
            self.queue.push((node.time, Reverse(self.queued), id));
        }
        Ok(())
    }

    fn read(&self, id: &ObjectId) -> Result<Node, GitError> {
        let mut bytes = Vec::new();
        self.objects.expect(id, Kind::Commit, &mut bytes)?;
        let text = CommitText(&bytes);
        let parents = match self.grafts.get(id) {
            _ if self.shallow.binary_search(id).is_ok() => Vec::new(),
            Some(grafted) => grafted.clone(),
            None => text.parents().collect(),
        };
        Ok(Node { colours: 0, time: text.time(), parents, is_found: false, waits: 0 })
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::world::objects::parse_id;
    use crate::world::testing::{TestRepository, run_git};

    fn ours(repository: &TestRepository, one: &str, other: &str) -> BTreeSet<String> {
        let objects = repository.open().objects();
        let found = merge_bases(&objects, parse_id(one).unwrap(), parse_id(other).unwrap()).unwrap();
        found.iter().map(ObjectId::to_string).collect()
    }

    fn gits(repository: &TestRepository, one: &str, other: &str) -> BTreeSet<String> {
        let arguments = ["merge-base", "--all", one, other];
        let found = run_git(&repository.path(), &arguments, &[], b"");
        String::from_utf8(found.stdout).unwrap().lines().map(str::to_owned).collect()
    }

    /// Commits of many branches with clocks that run wrong and several roots; the last two merge the same two crosswise.
    fn commits(repository: &TestRepository) -> Vec<String> {
        const COUNT: usize = 60;
        let mut stream = String::new();
        let mut commit = |mark: usize, parents: &[usize]| {
            let time = 1_000_000 + 100 * mark - (mark * 7919 % 11) * 90;
            stream += &format!("commit refs/heads/b{mark}\nmark :{mark}\n");
            stream += &format!("committer A <a@b> {time} +0000\ndata 1\nx\n");
            for (parent, word) in parents.iter().zip(["from", "merge"]) {
                stream += &format!("{word} :{parent}\n");
            }
            stream += "\n";
        };
        for mark in 1..=COUNT {
            let back = |step: usize| mark - 1 - mark * step % (mark - 1).min(6);
            let parents = match mark {
                1 => Vec::new(),
                2 => vec![1],
                _ if mark % 17 == 0 => Vec::new(),
                _ if mark % 3 == 0 && back(5) != back(7919) => vec![back(5), back(7919)],
                _ => vec![back(5)],
            };
            commit(mark, &parents);
        }
        let [left, right] = [COUNT + 1, COUNT + 2];
        commit(left, &[COUNT]);
        commit(right, &[COUNT]);
        commit(COUNT + 3, &[left, right]);
        commit(COUNT + 4, &[right, left]);
        repository.git_with(&["fast-import", "--quiet"], &[], stream.as_bytes());
        (1..=COUNT + 4).map(|mark| repository.git(&["rev-parse", &format!("b{mark}")])).collect()
    }

    #[test]
    fn what_git_finds_is_found() {
        let repository = TestRepository::init();
        let commits = commits(&repository);
        let (mut none, mut several) = (0, 0);
        for (place, one) in commits.iter().enumerate() {
            for other in commits.iter().skip(place).step_by(5).chain(commits.last()) {
                let found = ours(&repository, one, other);
                assert_eq!(found, gits(&repository, one, other), "{one} {other}");
                assert_eq!(found, ours(&repository, other, one));
                none += usize::from(found.is_empty());
                several += usize::from(found.len() > 1);
            }
        }
        assert!(none > 0 && several > 0, "{none} {several}");
    }

    #[test]
    fn what_a_shallow_clone_cut_off_is_not_asked_for() {
        let repository = TestRepository::init();
        let commits: Vec<String> =
            (0..6).map(|number| repository.change("a", &number.to_string(), "fix: x")).collect();
        std::fs::write(repository.path().join(".git/shallow"), format!("{}\n", commits[2])).unwrap();
        assert_eq!(ours(&repository, &commits[4], &commits[5]), BTreeSet::from([commits[4].clone()]));
        assert!(ours(&repository, &commits[1], &commits[5]).is_empty());
    }

    /// The graph of git's own test t6010, whose clocks make an ancestor of the answer look like another one.
    #[test]
    fn an_ancestor_of_the_answer_is_no_answer() {
        let repository = TestRepository::init();
        let mut stream = String::new();
        let commits = [
            ("E", 5, ""),
            ("D", 4, "E"),
            ("F", 6, "E"),
            ("C", 3, "D"),
            ("B", 2, "C"),
            ("A", 1, "B"),
            ("G", 7, "B E"),
            ("H", 8, "A F"),
        ];
        for (name, time, parents) in commits {
            stream += &format!("commit refs/heads/{name}\ncommitter A <a@b> {time} +0000\ndata 1\nx\n");
            for (parent, word) in parents.split_whitespace().zip(["from", "merge"]) {
                stream += &format!("{word} refs/heads/{parent}\n");
            }
            stream += "\n";
        }
        repository.git_with(&["fast-import", "--quiet"], &[], stream.as_bytes());
        let [g, h, b] = ["G", "H", "B"].map(|name| repository.git(&["rev-parse", name]));
        assert!(ours(&repository, &g, &h).contains(&b));
        assert_eq!(repository.open().merge_base(&g, &h).unwrap(), Some(b));
    }
}
