//! Which tags name releases of which packages.

use std::collections::{BTreeMap, HashMap};

use rayon::iter::{IndexedParallelIterator, IntoParallelRefIterator, ParallelIterator};

use crate::history::commit::VersionTag;
use crate::survey::tags::Tag;
use crate::version::semver::read_tag_version;
use crate::workspace::name::normalize;
use crate::workspace::package::Package;
use crate::workspace::tag::TagFormat;

/// The version tags of all packages.
#[derive(Debug, Default)]
pub struct VersionTags {
    /// By package, in the tags' order.
    pub found: Vec<Vec<VersionTag>>,
    /// Tags in the form of a package whose version does not read: (tag, package).
    pub unreadable: Vec<(String, usize)>,
}

/// Reads every tag once under each distinct format: cost grows with tags × formats, not with tags × packages.
pub fn version_tags(tags: &[Tag], packages: &[Package]) -> VersionTags {
    let formats = formats(packages);
    let mut read = VersionTags { found: vec![Vec::new(); packages.len()], unreadable: Vec::new() };
    let owned = tags.par_iter().with_min_len(TOGETHER).flat_map_iter(|tag| {
        let mut owners: Vec<(usize, &str)> = Vec::new();
        for format in formats.values() {
            format.owners(&tag.name, &mut owners);
        }
        owners.sort_unstable();
        owners.dedup_by_key(|(package, _)| *package);
        owners.into_iter().map(move |(package, text)| (package, tag, read_tag_version(text).ok()))
    });
    for (package, tag, version) in owned.collect::<Vec<_>>() {
        let (tag, commit) = (tag.name.clone(), tag.commit.clone());
        match version {
            Some(version) => read.found[package].push(VersionTag { tag, version, commit }),
            None => read.unreadable.push((tag, package)),
        }
    }
    read
}

/// How many tags one thread reads at least: fewer are read before another begins.
const TOGETHER: usize = 256;

/// A tag format and the packages whose tags it reads.
struct Readers<'p> {
    format: &'p TagFormat,
    by_name: HashMap<String, Vec<usize>>,
    nameless: Vec<usize>,
}

impl Readers<'_> {
    fn owners<'t>(&self, tag: &'t str, owners: &mut Vec<(usize, &'t str)>) {
        for (name, version) in self.format.read(tag) {
            let named = match name {
                None => Some(&self.nameless),
                Some(name) => self.by_name.get(&normalize(name)),
            };
            owners.extend(named.into_iter().flatten().map(|package| (*package, version)));
        }
    }
}

fn formats(packages: &[Package]) -> BTreeMap<&str, Readers<'_>> {
    let mut formats: BTreeMap<&str, Readers<'_>> = BTreeMap::new();
    for (index, package) in packages.iter().enumerate() {
        for format in [&package.tag].into_iter().chain(&package.aliases) {
            let readers = formats.entry(format.as_str()).or_insert_with(|| Readers {
                format,
                by_name: HashMap::new(),
                nameless: Vec::new(),
            });
            if !format.has_name() {
                readers.nameless.push(index);
                continue;
            }
            for name in [normalize(&package.short), package.name.as_str().to_owned()] {
                let named = readers.by_name.entry(name).or_default();
                if !named.contains(&index) {
                    named.push(index);
                }
            }
        }
    }
    formats
}
