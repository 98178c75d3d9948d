//! The commits from HEAD back to the last releases, and which releases hold each of them.
//!
//! One walk by commit date for all packages. A commit passes the releases that hold it on to its parents;
//! one that learns of a release late passes it on again, so that merges and clocks that run wrong do no
//! harm. The walk ends where every commit still to be looked at is held by all releases and older than all
//! that are not; then a few hundred more are looked at, on every open line in turn, for parents that were
//! already seen: commits dated before their own ancestors. (Dates alone can not rule out a still longer
//! chain of such commits; only reading all of history could. git's own walk stops after five.) Where all lines
//! have come together in one commit, and none has ended before, there is nothing to look for: all that was seen leads
//! to it.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, VecDeque};
use std::sync::Arc;

use gix::ObjectId;
use gix::hashtable::HashMap;
use gix::objs::Kind;

use crate::history::commit::PackageSet;
use crate::history::text::Text;
use crate::survey::walk_ahead::{Ahead, ReadCommit};
use crate::survey::walk_batches::Job;
use crate::survey::walk_early::Early;
use crate::survey::walk_releases::Releases;
use crate::survey::walk_sets::{FULL, SetId, Sets};
use crate::world::commit_text::{Authors, Words};
use crate::world::git_error::GitError;
use crate::world::grafts::Grafts;
use crate::world::objects::Objects;

/// How many commits are looked at beyond the end.
const BEYOND: usize = 256;

/// Commits by number, in the order they were met; 0 is HEAD.
pub struct Graph {
    pub nodes: Vec<Node>,
    /// Parents of all nodes, one after the other.
    edges: Vec<u32>,
    numbers: HashMap<ObjectId, u32>,
}

/// A commit.
pub struct Node {
    pub id: ObjectId,
    pub tree: ObjectId,
    pub time: i64,
    /// The releases that hold it.
    pub set: SetId,
    /// What it says; dropped once all releases hold it.
    pub words: Words<Text>,
    /// Its own parents, until they are met.
    named: Box<[ObjectId]>,
    /// Where its parents stand among the edges.
    parents: std::ops::Range<u32>,
    expanded: bool,
}

impl Node {
    /// The places of its parents among the edges.
    fn edges(&self) -> std::ops::Range<usize> {
        self.parents.start as usize..self.parents.end as usize
    }
}

impl Graph {
    /// Walks back from a commit; the second value tells whether all of history was read.
    ///
    /// # Errors
    /// Unreadable commits; a shallow clone that ends before the last releases.
    pub fn walk(
        objects: &Objects,
        ahead: Ahead,
        early: &mut Early,
        head: ObjectId,
        releases: &mut Releases,
        sets: &mut Sets,
    ) -> Result<(Graph, bool), GitError> {
        let graph = Graph { nodes: Vec::new(), edges: Vec::new(), numbers: HashMap::default() };
        let shallow = objects.shallow_commits()?;
        let queue = BinaryHeap::new();
        let grafts = objects.grafts()?;
        // What is read ahead follows the commits' own parents.
        let ahead = if grafts.is_empty() { ahead } else { Ahead::default() };
        let mut walk = Walk {
            graph,
            objects,
            ahead,
            early,
            releases,
            sets,
            shallow,
            grafts,
            queue,
            authors: Authors::default(),
            open: 0,
            oldest_open: i64::MAX,
            has_met_an_end: false,
        };
        walk.enter(head)?;
        let exhausted = walk.run()?;
        walk.look_beyond()?;
        walk.check_shallow()?;
        Ok((walk.graph, exhausted))
    }

    /// Whether the walk came by a commit.
    pub fn holds(&self, commit: &ObjectId) -> bool {
        self.numbers.contains_key(commit)
    }

    /// Gives back what is only needed while commits are met.
    pub fn meet_no_more(&mut self) {
        self.numbers = HashMap::default();
    }

    pub fn parents(&self, number: u32) -> &[u32] {
        &self.edges[self.nodes[number as usize].edges()]
    }

    /// What is to be found out about a commit for these packages; its parents must have been read.
    pub fn job(&self, number: u32, open: Arc<PackageSet>) -> Job {
        let parents = self.parents(number);
        Job {
            old: parents.first().map(|parent| self.nodes[*parent as usize].tree),
            new: self.nodes[number as usize].tree,
            is_merge: parents.len() > 1,
            open,
            early: None,
        }
    }

    /// Spreads the releases anew, for when some tags were given up. All of history must have been read.
    pub fn spread_again(&mut self, releases: &mut Releases, sets: &mut Sets) {
        for node in &mut self.nodes {
            node.set = releases.meet(&node.id, sets);
        }
        for number in self.order(|_| true) {
            let set = self.nodes[number as usize].set;
            for edge in self.nodes[number as usize].edges() {
                let parent = &mut self.nodes[self.edges[edge] as usize];
                parent.set = sets.union(parent.set, set);
            }
        }
    }

    /// The commits that some release does not hold: newest first, children before their parents.
    pub fn unreleased(&self) -> Vec<u32> {
        self.order(|node| node.expanded && node.set != FULL)
    }

    /// The commits on the first-parent line of HEAD, as far as they were walked.
    pub fn mainline(&self) -> Vec<bool> {
        let mut mainline = vec![false; self.nodes.len()];
        let mut next = (!self.nodes.is_empty()).then_some(0);
        while let Some(number) = next {
            mainline[number as usize] = true;
            next = self.parents(number).first().copied();
        }
        mainline
    }

    /// Chosen commits by date, but never a parent before its child. With a commit its children are chosen.
    fn order(&self, chosen: impl Fn(&Node) -> bool) -> Vec<u32> {
        let mut children = vec![0u32; self.nodes.len()];
        let numbers = || (0u32..).zip(&self.nodes).filter(|(_, node)| chosen(node)).map(|(number, _)| number);
        for number in numbers() {
            for parent in self.parents(number) {
                children[*parent as usize] += 1;
            }
        }
        let key = |number: u32| (self.nodes[number as usize].time, Reverse(number));
        let mut ready: BinaryHeap<_> =
            numbers().filter(|number| children[*number as usize] == 0).map(key).collect();
        let mut order = Vec::new();
        while let Some((_, Reverse(number))) = ready.pop() {
            order.push(number);
            for parent in self.parents(number) {
                children[*parent as usize] -= 1;
                if children[*parent as usize] == 0 && chosen(&self.nodes[*parent as usize]) {
                    ready.push(key(*parent));
                }
            }
        }
        order
    }
}

struct Walk<'a> {
    graph: Graph,
    objects: &'a Objects,
    ahead: Ahead,
    early: &'a mut Early,
    releases: &'a mut Releases,
    sets: &'a mut Sets,
    /// Commits whose parents are not here, sorted.
    shallow: Vec<ObjectId>,
    /// Commits with other parents than their own.
    grafts: Grafts,
    queue: BinaryHeap<(i64, Reverse<u32>)>,
    /// Of commits that were not read ahead.
    authors: Authors,
    /// How many queued commits are not held by all releases.
    open: usize,
    /// The date of the oldest commit that was not held by all releases when it was looked at.
    oldest_open: i64,
    /// Whether some line was followed to a commit that has no parents here.
    has_met_an_end: bool,
}

impl Walk<'_> {
    /// Looks at commits by date until the rest is released; tells whether none is left.
    fn run(&mut self) -> Result<bool, GitError> {
        while let Some((time, _)) = self.queue.peek() {
            if self.open == 0 && self.releases.are_settled() && *time < self.oldest_open {
                return Ok(false);
            }
            if let Some((_, Reverse(number))) = self.queue.pop() {
                self.expand(number)?;
            }
        }
        Ok(true)
    }

    /// Looks a little further on every line that is still open, whatever its date. A single one, as long as no line has
    /// ended, is an ancestor of all that was looked at: none of it can stand below.
    fn look_beyond(&mut self) -> Result<(), GitError> {
        self.ahead.wait_no_more();
        let mut lines: VecDeque<u32> =
            std::mem::take(&mut self.queue).into_iter().map(|(_, Reverse(n))| n).collect();
        lines.make_contiguous().sort_unstable();
        for _ in 0..BEYOND {
            if lines.len() == 1 && !self.has_met_an_end {
                break;
            }
            let Some(number) = lines.pop_front() else { break };
            self.expand(number)?;
            lines.extend(self.queue.drain().map(|(_, Reverse(number))| number));
        }
        Ok(())
    }

    /// Meets a commit's parents and passes its releases on.
    fn expand(&mut self, number: u32) -> Result<(), GitError> {
        let node = &mut self.graph.nodes[number as usize];
        let (words, named) = (std::mem::take(&mut node.words), std::mem::take(&mut node.named));
        let id = node.id;
        node.expanded = true;
        if node.set != FULL {
            self.open -= 1;
            self.oldest_open = self.oldest_open.min(node.time);
        }
        let start = self.graph.edges.len();
        if self.shallow.binary_search(&id).is_err() {
            let grafted = self.grafts.get(&id).map(|parents| parents.as_slice().into());
            for parent in grafted.unwrap_or(named) {
                let parent = self.enter(parent)?;
                self.graph.edges.push(parent);
            }
        }
        let parents = numbered(start, &id)?..numbered(self.graph.edges.len(), &id)?;
        self.has_met_an_end |= parents.is_empty();
        let node = &mut self.graph.nodes[number as usize];
        node.parents = parents;
        let set = node.set;
        if set != FULL {
            node.words = words;
            self.early.ask(number, set, self.sets, |open| self.graph.job(number, open));
        }
        self.pass_on(number);
        Ok(())
    }

    /// The number of a commit, which is read where it was not met before.
    fn enter(&mut self, id: ObjectId) -> Result<u32, GitError> {
        if let Some(number) = self.graph.numbers.get(&id) {
            return Ok(*number);
        }
        let number = numbered(self.graph.nodes.len(), &id)?;
        let commit = match self.ahead.take(&id) {
            Some(commit) => commit,
            None => {
                let (mut object, mut message) = (Vec::new(), String::new());
                self.objects.expect(&id, Kind::Commit, &mut object)?;
                let mut commit = ReadCommit::of(&object, &mut self.authors, &mut message);
                commit.words.message.stand_in(&message.into());
                commit
            }
        };
        let ReadCommit { tree, parents: named, time, words } = commit;
        let tree = tree.ok_or_else(|| GitError::Damaged { id: id.to_string(), what: "no tree" })?;
        let set = self.releases.meet(&id, self.sets);
        self.open += usize::from(set != FULL);
        self.queue.push((time, Reverse(number)));
        self.graph.numbers.insert(id, number);
        self.graph.nodes.push(Node { id, tree, time, set, words, named, parents: 0..0, expanded: false });
        Ok(number)
    }

    /// Passes a commit's releases on to all ancestors that were looked at before.
    fn pass_on(&mut self, number: u32) {
        let mut changed = vec![number];
        while let Some(number) = changed.pop() {
            let set = self.graph.nodes[number as usize].set;
            for edge in self.graph.nodes[number as usize].edges() {
                let parent_number = self.graph.edges[edge];
                let parent = &mut self.graph.nodes[parent_number as usize];
                let union = self.sets.union(parent.set, set);
                if union == parent.set {
                    continue;
                }
                parent.set = union;
                if parent.expanded {
                    changed.push(parent_number);
                } else if union == FULL {
                    self.open -= 1;
                }
                if parent.expanded && union == FULL {
                    parent.words = Words::default();
                }
            }
        }
    }

    fn check_shallow(&self) -> Result<(), GitError> {
        let cut =
            |node: &Node| node.expanded && node.set != FULL && self.shallow.binary_search(&node.id).is_ok();
        if self.graph.nodes.iter().any(cut) { Err(self.objects.shallow_error()) } else { Ok(()) }
    }
}

/// A place among the commits or their parents.
fn numbered(place: usize, id: &ObjectId) -> Result<u32, GitError> {
    let what = "more than 2^32 commits or parents";
    u32::try_from(place).map_err(|_| GitError::Damaged { id: id.to_string(), what })
}
