//! Which tags decide how far a package's history is read: its last release and its last final release.

use gix::ObjectId;
use gix::hashtable::HashMap;
use rayon::iter::{
    IndexedParallelIterator, IntoParallelIterator, IntoParallelRefMutIterator, ParallelIterator,
};

use crate::history::commit::VersionTag;
use crate::survey::tags::object_of;
use crate::survey::walk_sets::{SetId, Sets};
use crate::version::number::Version;
use crate::world::git_error::GitError;

/// The version tags of all packages, and which of them were met.
pub struct Releases {
    packages: Vec<Tags>,
    /// The tags that may decide, by commit.
    at: HashMap<ObjectId, Vec<(usize, usize)>>,
    /// Tags that may decide and were not met yet.
    pending: usize,
}

/// How many packages' tags one thread takes at least: fewer are looked at before another begins.
const TOGETHER: usize = 64;

/// One package's tags, highest version first.
struct Tags {
    tags: Vec<VersionTag>,
    met: Vec<bool>,
    /// How many of the first ones are waited for: down to the last final release.
    deciding: usize,
}

impl Releases {
    /// # Errors
    /// A tag whose commit is no full id.
    pub fn new(packages: impl IntoIterator<Item = Vec<VersionTag>>) -> Result<Releases, GitError> {
        let mut releases = Releases { packages: Vec::new(), at: HashMap::default(), pending: 0 };
        for mut tags in packages {
            tags.sort_by(|left, right| {
                right.version.cmp(&left.version).then_with(|| left.tag.cmp(&right.tag))
            });
            releases.packages.push(Tags { met: vec![false; tags.len()], tags, deciding: 0 });
        }
        releases.find_deciding()?;
        Ok(releases)
    }

    fn find_deciding(&mut self) -> Result<(), GitError> {
        self.at.clear();
        self.pending = 0;
        for (package, tags) in self.packages.iter_mut().enumerate() {
            let last_final = tags.tags.iter().find(|tag| is_final(&tag.version)).map(|tag| &tag.version);
            let may_decide = |tag: &&VersionTag| last_final.is_none_or(|last| tag.version >= *last);
            for (index, tag) in tags.tags.iter().take_while(may_decide).enumerate() {
                self.at.entry(object_of(&tag.commit)?).or_default().push((package, index));
                self.pending += 1;
                tags.deciding = index + 1;
            }
        }
        Ok(())
    }

    /// Notes the older tags whose commits the walk came by.
    ///
    /// # Errors
    /// A tag whose commit is no full id.
    pub fn meet_older(&mut self, came_by: impl Fn(&ObjectId) -> bool + Sync) -> Result<(), GitError> {
        let packages = self.packages.par_iter_mut().with_min_len(TOGETHER);
        packages.try_for_each(|Tags { tags, met, deciding }| {
            for (tag, met) in tags.iter().zip(met).skip(*deciding) {
                *met = came_by(&object_of(&tag.commit)?);
            }
            Ok(())
        })
    }

    /// Notes that a commit is reachable; gives the releases that stand on it, if each package's highest
    /// tags are reachable.
    pub fn meet(&mut self, commit: &ObjectId, sets: &mut Sets) -> SetId {
        let mut set = sets.start();
        for (package, index) in self.at.get(commit).map(Vec::as_slice).unwrap_or_default() {
            let tags = &mut self.packages[*package];
            if !std::mem::replace(&mut tags.met[*index], true) {
                self.pending -= 1;
            }
            let version = &tags.tags[*index].version;
            let highest = |wanted: fn(&Version) -> bool| {
                tags.tags.iter().find(|tag| wanted(&tag.version)).is_some_and(|tag| tag.version == *version)
            };
            if highest(is_final) {
                set = sets.with_final(set, *package);
            } else if highest(|_| true) {
                set = sets.with_release(set, *package);
            }
        }
        set
    }

    /// Whether no tag is left that could still decide.
    pub fn are_settled(&self) -> bool {
        self.pending == 0
    }

    /// Once all of history was read: gives up the tags that were not met.
    ///
    /// # Errors
    /// A tag whose commit is no full id.
    pub fn forget_unreachable(&mut self) -> Result<Vec<(String, usize)>, GitError> {
        let mut unreachable = Vec::new();
        for (package, tags) in self.packages.iter_mut().enumerate() {
            let met = std::mem::take(&mut tags.met);
            let (reachable, lost): (Vec<_>, Vec<_>) =
                std::mem::take(&mut tags.tags).into_iter().zip(met).partition(|(_, met)| *met);
            unreachable.extend(lost.into_iter().map(|(tag, _)| (tag.tag, package)));
            tags.met = vec![true; reachable.len()];
            tags.tags = reachable.into_iter().map(|(tag, _)| tag).collect();
        }
        unreachable.sort();
        self.find_deciding()?;
        self.pending = 0;
        Ok(unreachable)
    }

    /// For each package the tags that were met, and those that were not; highest first.
    pub fn into_met(self) -> (Vec<Vec<VersionTag>>, Vec<Vec<VersionTag>>) {
        let parted = |Tags { mut tags, met, .. }: Tags| {
            let mut met = met.into_iter();
            let older = tags.extract_if(.., |_| !met.next().unwrap_or_default()).collect();
            (tags, older)
        };
        self.packages.into_par_iter().with_min_len(TOGETHER).map(parted).unzip()
    }
}

fn is_final(version: &Version) -> bool {
    !version.is_prerelease()
}
