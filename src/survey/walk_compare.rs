//! Compares the trees of a commit and its first parent, on the way to the packages' folders only.

use std::collections::BTreeMap;
use std::ops::ControlFlow;

use gix::ObjectId;

use crate::history::commit::{PackageSet, Touch, Touched};
use crate::survey::walk::{Shared, WalkPackage};
use crate::survey::walk_files::{
    Doubt, MANIFEST, State, Verdict, judge, may_hold_uncounted, state_of, system_path,
};
use crate::survey::walk_folders::{FolderId, Folders, ROOT};
use crate::world::git_error::GitError;
use crate::world::held::{Held, differences};
use crate::world::objects::Objects;
use crate::world::tree::{Difference, Entry, Mode};

/// Compares commits with their first parents.
pub struct Comparer<'a> {
    pub objects: &'a Objects,
    pub packages: &'a [WalkPackage],
    pub shared: &'a [Shared],
    pub folders: &'a Folders,
}

/// What a commit changes.
#[derive(Debug, Default)]
pub struct Comparison {
    pub empty: bool,
    pub outside: bool,
    pub touches: Vec<Touch>,
    /// Packages whose manifest is new in their folder.
    pub appeared: Box<[usize]>,
}

impl Comparison {
    /// As if only these packages had been asked about.
    pub fn within(mut self, packages: &PackageSet) -> Comparison {
        self.touches.retain(|touch| packages.contains(touch.package));
        if !self.appeared.is_empty() {
            let asked = self.appeared.into_iter().filter(|package| packages.contains(*package));
            self.appeared = asked.collect();
        }
        self
    }
}

impl Comparer<'_> {
    /// What a commit changes of the packages in `open`, and whether it changes files of no package.
    ///
    /// # Errors
    /// Unreadable objects.
    pub fn compare(
        &mut self,
        old: Option<ObjectId>,
        new: ObjectId,
        open: &PackageSet,
    ) -> Result<Comparison, GitError> {
        if old.map_or_else(|| new.is_empty_tree(), |old| old == new) {
            return Ok(Comparison { empty: true, ..Comparison::default() });
        }
        let mut pass = Pass {
            comparer: self,
            open,
            path: Vec::new(),
            touched: BTreeMap::new(),
            outside: false,
            appeared: Vec::new(),
            doubtful: Vec::new(),
        };
        pass.folder(ROOT, None, old, Some(new))?;
        pass.judge_doubtful()?;
        let touches = pass.touched.into_iter().map(|(package, what)| Touch { package, what }).collect();
        Ok(Comparison { empty: false, outside: pass.outside, touches, appeared: pass.appeared.into() })
    }
}

/// The package that owns a folder, and how long the folder's path is, with the slash.
#[derive(Clone, Copy)]
struct Owner {
    package: usize,
    prefix: usize,
}

/// One comparison of two trees.
struct Pass<'c, 'a> {
    comparer: &'c mut Comparer<'a>,
    open: &'c PackageSet,
    /// The path of the folder or file at hand.
    path: Vec<u8>,
    touched: BTreeMap<usize, Touched>,
    outside: bool,
    /// Packages whose manifest is new.
    appeared: Vec<usize>,
    /// Files that may have changed in their version alone.
    doubtful: Vec<(usize, Doubt)>,
}

impl Pass<'_, '_> {
    /// A folder that is a package's or leads to one.
    fn folder(
        &mut self,
        folder: FolderId,
        outer: Option<Owner>,
        old: Option<ObjectId>,
        new: Option<ObjectId>,
    ) -> Result<(), GitError> {
        let prefix = if self.path.is_empty() { 0 } else { self.path.len() + 1 };
        let owner = self.comparer.folders.owner(folder).map(|package| Owner { package, prefix }).or(outer);
        self.differences(old, new, |pass, difference| {
            let child = pass.comparer.folders.child(folder, difference.name);
            let sides = [difference.old, difference.new];
            if let Some(child) = child.filter(|_| sides.into_iter().flatten().any(is_folder)) {
                if pass.is_worth_a_look(child, owner) {
                    pass.folder(child, owner, tree_of(difference.old), tree_of(difference.new))?;
                }
                return Ok(ControlFlow::Continue(()));
            }
            pass.note_manifest(folder, difference);
            // Even where the owner is known, other packages may follow in this folder.
            let _known = pass.entry(owner, difference.old, difference.new)?;
            Ok(ControlFlow::Continue(()))
        })
        .map(drop)
    }

    /// Whether anything can be learned in a folder.
    fn is_worth_a_look(&self, folder: FolderId, outer: Option<Owner>) -> bool {
        let folders = &self.comparer.folders;
        let owner = folders.owner(folder).or(outer.map(|owner| owner.package));
        !self.comparer.shared.is_empty()
            || owner.map_or(!self.outside, |owner| self.open.contains(owner))
            || folders.lead_to(folder, self.open)
    }

    fn note_manifest(&mut self, folder: FolderId, difference: Difference<'_>) {
        let owner = self.comparer.folders.owner(folder).filter(|package| self.open.contains(*package));
        let is_new = difference.old.is_none() && difference.new.is_some_and(|new| new.mode.is_file());
        if is_new && difference.name == MANIFEST.as_bytes() {
            self.appeared.extend(owner);
        }
    }

    /// An entry of a folder that leads to no package: all of it belongs to one owner.
    fn entry(
        &mut self,
        owner: Option<Owner>,
        old: Option<Entry<'_>>,
        new: Option<Entry<'_>>,
    ) -> Result<ControlFlow<()>, GitError> {
        if self.is_known(owner) {
            return Ok(ControlFlow::Break(()));
        }
        if ![old, new].into_iter().flatten().any(is_folder) {
            return self.file(owner, state_of(old), state_of(new));
        }
        if let Some(owner) = owner.filter(|_| self.comparer.shared.is_empty())
            && !may_hold_uncounted(&self.comparer.packages[owner.package], &self.path[owner.prefix..])
        {
            self.note(owner.package, Touched::Files);
            return Ok(ControlFlow::Break(()));
        }
        self.differences(tree_of(old), tree_of(new), |pass, difference| {
            pass.entry(owner, difference.old, difference.new)
        })
    }

    /// A changed file. Breaks where further files of the same owner can teach nothing.
    fn file(&mut self, owner: Option<Owner>, old: State, new: State) -> Result<ControlFlow<()>, GitError> {
        let shared = self.share();
        match owner {
            None => self.outside |= !shared,
            Some(Owner { package, prefix }) if self.open.contains(package) => {
                let comparer = &*self.comparer;
                let path = &self.path[prefix..];
                match judge(&comparer.packages[package], path, old, new) {
                    Verdict::Is(what) => self.note(package, what),
                    Verdict::Doubt(doubt) => self.doubtful.push((package, doubt)),
                }
            }
            Some(_) => {}
        }
        Ok(if self.is_known(owner) { ControlFlow::Break(()) } else { ControlFlow::Continue(()) })
    }

    /// Reads the files whose content decides, where no other file has decided for their package.
    fn judge_doubtful(&mut self) -> Result<(), GitError> {
        for (package, doubt) in std::mem::take(&mut self.doubtful) {
            if self.touched.get(&package) != Some(&Touched::Files) {
                self.note(package, doubt.settle(self.comparer.objects)?);
            }
        }
        Ok(())
    }

    /// Whether nothing more can be learned about this owner.
    fn is_known(&self, owner: Option<Owner>) -> bool {
        self.comparer.shared.is_empty()
            && match owner {
                None => self.outside,
                Some(Owner { package, .. }) => {
                    !self.open.contains(package) || self.touched.get(&package) == Some(&Touched::Files)
                }
            }
    }

    /// Notes the file at hand for the packages that share it; tells whether any does.
    fn share(&mut self) -> bool {
        let mut any = false;
        for shared in self.comparer.shared {
            if shared.patterns.is_match(system_path(&self.path)) {
                any = true;
                for package in &shared.packages {
                    self.note(*package, Touched::Shared);
                }
            }
        }
        any
    }

    /// Keeps what counts most of all that is touched.
    fn note(&mut self, package: usize, what: Touched) {
        if self.open.contains(package) {
            let known = self.touched.entry(package).or_insert(what);
            *known = what.min(*known);
        }
    }

    /// Visits each difference of two folders with its path at hand.
    fn differences(
        &mut self,
        old: Option<ObjectId>,
        new: Option<ObjectId>,
        mut visit: impl FnMut(&mut Self, Difference<'_>) -> Result<ControlFlow<()>, GitError>,
    ) -> Result<ControlFlow<()>, GitError> {
        let (before, after) = (self.read(old)?, self.read(new)?);
        let length = self.path.len();
        let end = differences(&before, &after, |difference| {
            if length > 0 {
                self.path.push(b'/');
            }
            self.path.extend_from_slice(difference.name);
            let next = visit(self, difference);
            self.path.truncate(length);
            match next {
                Ok(ControlFlow::Continue(())) => ControlFlow::Continue(()),
                Ok(ControlFlow::Break(())) => ControlFlow::Break(Ok(())),
                Err(error) => ControlFlow::Break(Err(error)),
            }
        });
        match end {
            ControlFlow::Continue(()) => Ok(ControlFlow::Continue(())),
            ControlFlow::Break(result) => result.map(ControlFlow::Break),
        }
    }

    fn read(&self, tree: Option<ObjectId>) -> Result<Held, GitError> {
        tree.map_or_else(|| Ok(Held::default()), |tree| self.comparer.objects.tree(&tree))
    }
}

fn is_folder(entry: Entry<'_>) -> bool {
    entry.mode == Mode::Folder
}

fn tree_of(entry: Option<Entry<'_>>) -> Option<ObjectId> {
    entry.filter(|entry| is_folder(*entry)).map(|entry| entry.id.to_owned())
}
