//! Recognises tags of a format that a package had before: without it, what was released long ago would look new.

use std::collections::{BTreeSet, HashMap};

use crate::history::commit::VersionTag;
use crate::survey::tags::Tag;
use crate::version::number::Version;
use crate::version::semver::read_tag_version;
use crate::workspace::package::Package;
use crate::workspace::tag::TagFormat;

/// For each package without a tag of its own forms, looks for one that names the version its manifest declares and
/// whose other words are all words of the package's name or folder. Its form is read from then on. Answers a
/// warning for each.
pub fn recognise_older_formats(
    tags: &[Tag],
    packages: &mut [Package],
    found: &[Vec<VersionTag>],
) -> Vec<String> {
    let lone: Vec<usize> = (0..packages.len()).filter(|index| found[*index].is_empty()).collect();
    if lone.is_empty() || tags.is_empty() {
        return Vec::new();
    }
    let readings = Readings::of(tags);
    let words: HashMap<usize, BTreeSet<String>> =
        lone.iter().map(|index| (*index, words(&packages[*index]))).collect();
    let prefixes: HashMap<usize, BTreeSet<&str>> =
        lone.iter().map(|index| (*index, readings.prefixes(&packages[*index], &words[index]))).collect();
    let mut warnings = Vec::new();
    for index in &lone {
        let Some(prefix) = prefix_of(&prefixes, &words, *index) else { continue };
        let package = &mut packages[*index];
        let Ok(format) = TagFormat::parse(&format!("{prefix}{{version}}")) else { continue };
        warnings.push(format!(
            "{} has no tag of the form `{}`; `{prefix}…` is read instead: add `tag-aliases = [\"{prefix}{{version}}\"]` to its table",
            package.short,
            package.tag.as_str(),
        ));
        package.aliases.push(format);
    }
    warnings
}

/// What stands before the version in all tags that fit the package, where that is one text and fits no package
/// better.
fn prefix_of<'t>(
    prefixes: &HashMap<usize, BTreeSet<&'t str>>,
    words: &HashMap<usize, BTreeSet<String>>,
    index: usize,
) -> Option<&'t str> {
    let mut fitting = prefixes[&index].iter();
    let (prefix, None) = (*fitting.next()?, fitting.next()) else { return None };
    let is_nearest = |(other, theirs): (&usize, &BTreeSet<&str>)| {
        *other == index || !theirs.contains(prefix) || words[&index].len() < words[other].len()
    };
    prefixes.iter().all(is_nearest).then_some(prefix)
}

/// Where in tags versions begin, and what stands before them.
struct Readings<'t> {
    by_version: HashMap<Version, BTreeSet<&'t str>>,
    /// Of each tag the first.
    first: BTreeSet<&'t str>,
    /// The words of each text that stands before a version, `v` left out.
    said: HashMap<&'t str, Vec<String>>,
}

impl<'t> Readings<'t> {
    fn of(tags: &'t [Tag]) -> Readings<'t> {
        let mut readings =
            Readings { by_version: HashMap::new(), first: BTreeSet::new(), said: HashMap::new() };
        for tag in tags {
            let mut seen: Vec<Version> = Vec::new();
            for (start, version) in versions_in(&tag.name) {
                let prefix = &tag.name[..start];
                let say = || words_of(prefix).filter(|word| word != "v").collect();
                readings.said.entry(prefix).or_insert_with(say);
                if seen.is_empty() {
                    readings.first.insert(prefix);
                }
                if !seen.contains(&version) {
                    readings.by_version.entry(version.clone()).or_default().insert(prefix);
                    seen.push(version);
                }
            }
        }
        readings
    }

    /// What stands before the declared version (any version, where none is declared) in the tags whose words are all
    /// the package's own.
    fn prefixes(&self, package: &Package, own: &BTreeSet<String>) -> BTreeSet<&'t str> {
        let all = match &package.version {
            Some(declared) => self.by_version.get(declared),
            None => Some(&self.first),
        };
        let is_own = |prefix: &&str| {
            let said = &self.said[*prefix];
            !said.is_empty() && said.iter().all(|word| own.contains(word))
        };
        all.into_iter().flatten().copied().filter(is_own).collect()
    }
}

/// The versions that end a tag, each with where it begins.
fn versions_in(tag: &str) -> impl Iterator<Item = (usize, Version)> + '_ {
    let starts = tag.char_indices().filter(|(at, character)| {
        character.is_ascii_digit()
            && !tag[..*at].ends_with(|before: char| before.is_ascii_digit() || before == '.')
    });
    starts.filter_map(|(at, _)| Some((at, read_tag_version(&tag[at..]).ok()?)))
}

fn words(package: &Package) -> BTreeSet<String> {
    words_of(package.name.as_str())
        .chain(words_of(package.path.as_git()))
        .chain(words_of(&package.short))
        .collect()
}

fn words_of(text: &str) -> impl Iterator<Item = String> + '_ {
    text.split(|character: char| !character.is_alphanumeric())
        .filter(|word| !word.is_empty())
        .map(str::to_lowercase)
}
