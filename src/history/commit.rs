//! One commit as plain data.

use std::sync::Arc;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::history::text::Text;
use crate::version::number::Version;

/// What a commit is known by.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum CommitId {
    /// Its object id.
    Sha1([u8; 20]),
    /// What stands in place of an id where the commit does not exist.
    Name(Arc<str>),
}

impl CommitId {
    /// Forty hexadecimal digits are an id; anything else is a name.
    pub fn of(text: &str) -> CommitId {
        let digit = |byte: &u8| char::from(*byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
        let byte = |pair: &[u8; 2]| Some(digit(&pair[0])? << 4 | digit(&pair[1])?);
        let (pairs, rest) = text.as_bytes().as_chunks();
        let bytes: Option<Vec<u8>> = pairs.iter().map(byte).collect();
        match bytes.filter(|_| rest.is_empty()).and_then(|bytes| bytes.try_into().ok()) {
            Some(id) => CommitId::Sha1(id),
            None => CommitId::Name(text.into()),
        }
    }

    /// The first eight digits, for people.
    pub fn short(&self) -> String {
        match self {
            CommitId::Sha1(id) => id[..4].iter().flat_map(digits_of).map(char::from).collect(),
            CommitId::Name(name) => name.chars().take(8).collect(),
        }
    }

    /// Puts all of it behind a text.
    pub fn push_to(&self, text: &mut String) {
        text.push_str(self.whole(&mut [[0; 2]; 20]));
    }

    /// Whether it begins with these digits.
    pub fn begins_with(&self, digits: &str) -> bool {
        match self {
            CommitId::Sha1(id) => {
                let mut all = id.iter().flat_map(digits_of);
                digits.bytes().all(|digit| all.next() == Some(digit))
            }
            CommitId::Name(name) => name.starts_with(digits),
        }
    }

    /// All of it, with room for its digits.
    fn whole<'r>(&'r self, room: &'r mut [[u8; 2]; 20]) -> &'r str {
        match self {
            CommitId::Name(name) => name,
            CommitId::Sha1(id) => {
                for (digits, byte) in room.iter_mut().zip(id) {
                    *digits = digits_of(byte);
                }
                std::str::from_utf8(room.as_flattened()).unwrap_or_default()
            }
        }
    }
}

impl Serialize for CommitId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.whole(&mut [[0; 2]; 20]))
    }
}

impl<'de> Deserialize<'de> for CommitId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<CommitId, D::Error> {
        String::deserialize(deserializer).map(|text| CommitId::of(&text))
    }
}

impl std::fmt::Display for CommitId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.whole(&mut [[0; 2]; 20]))
    }
}

fn digits_of(byte: &u8) -> [u8; 2] {
    const DIGITS: [u8; 16] = *b"0123456789abcdef";
    [byte >> 4, byte & 15].map(|digit| DIGITS[usize::from(digit)])
}

/// A commit with all that a plan asks about it.
#[derive(Debug, Clone)]
pub struct Commit {
    pub id: CommitId,
    pub parents: Box<[CommitId]>,
    /// The author's name.
    pub author: Arc<str>,
    /// Committer time, seconds since 1970 (UTC).
    pub time: i64,
    /// The message; prose that nobody reads may be left out, and bytes that its encoding does not explain are replaced.
    pub message: Text,
    /// Whether the message held bytes that had to be replaced.
    pub lossy: bool,
    /// Whether it stands on the first-parent line of the planned commit.
    pub mainline: bool,
    /// Whether it changes no file against its first parent.
    pub empty: bool,
    /// Whether it changes a file that belongs to no package (against its first parent).
    pub outside: bool,
    /// The packages whose files it changes, each once, in the workspace's order. Empty for merges.
    pub touches: Vec<Touch>,
    /// Packages whose last release (pre-releases included) does not hold this commit.
    pub unreleased: Arc<PackageSet>,
    /// Packages whose last final release does not hold this commit; holds `unreleased`.
    pub since_final: Arc<PackageSet>,
}

/// How a commit touches one package.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Touch {
    pub package: usize,
    pub what: Touched,
}

/// What of a package a commit changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Touched {
    /// Files that count.
    Files,
    /// Files under a `shared` pattern that names the package; none in its own folder.
    Shared,
    /// Only files that `versioning.ignore` names.
    Ignored,
    /// Only its version (manifest, version files) and changelog.
    Version,
    /// Only lock files.
    Lock,
}

impl Touched {
    /// Whether it may ask for a release.
    pub fn counts(self) -> bool {
        matches!(self, Touched::Files | Touched::Shared)
    }
}

/// A tag that names a release of a package.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VersionTag {
    pub tag: String,
    pub version: Version,
    pub commit: CommitId,
}

/// A set of packages, by their places in the workspace's list.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PackageSet {
    words: Vec<u64>,
}

impl PackageSet {
    /// The first `count` packages but those whose bits are set, 64 to a word.
    pub fn all_but(count: usize, bits: &[u64]) -> PackageSet {
        let all = |word: usize| match count - word * 64 {
            below @ 1..64 => (1 << below) - 1,
            _ => u64::MAX,
        };
        let mut words: Vec<u64> =
            bits.iter().take(count.div_ceil(64)).enumerate().map(|(word, bits)| all(word) & !bits).collect();
        while words.pop_if(|word| *word == 0).is_some() {}
        PackageSet { words }
    }

    pub fn insert(&mut self, package: usize) {
        let word = package / 64;
        if self.words.len() <= word {
            self.words.resize(word + 1, 0);
        }
        self.words[word] |= 1 << (package % 64);
    }

    pub fn contains(&self, package: usize) -> bool {
        self.words.get(package / 64).is_some_and(|word| word & (1 << (package % 64)) != 0)
    }

    pub fn is_empty(&self) -> bool {
        self.words.iter().all(|word| *word == 0)
    }

    pub fn iter(&self) -> impl Iterator<Item = usize> + '_ {
        self.words.iter().enumerate().flat_map(|(index, word)| {
            let rest = |word: u64| (word != 0).then_some(word);
            let lowest_gone = std::iter::successors(rest(*word), move |word| rest(word & (word - 1)));
            lowest_gone.map(move |word| index * 64 + word.trailing_zeros() as usize)
        })
    }
}

impl FromIterator<usize> for PackageSet {
    fn from_iter<I: IntoIterator<Item = usize>>(packages: I) -> PackageSet {
        let mut set = PackageSet::default();
        for package in packages {
            set.insert(package);
        }
        set
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_told_as_it_was_written() {
        let id = "00112233445566778899aabbccddeeff01234567";
        assert!(matches!(CommitId::of(id), CommitId::Sha1([0, 0x11, ..])));
        assert_eq!(CommitId::of(id).to_string(), id);
        assert_eq!(CommitId::of(&id.to_uppercase()), CommitId::of(id));
        assert_eq!(CommitId::of(id).short(), "00112233");
        for (digits, expected) in
            [("", true), ("001122334", true), (id, true), ("1", false), ("0011223g", false)]
        {
            assert_eq!(CommitId::of(id).begins_with(digits), expected, "{digits}");
        }
        assert!(!CommitId::of(id).begins_with(&format!("{id}0")));
        for name in ["assumed", "assumed2", "", "001122", &format!("{id}0"), &format!("{}x", &id[1..])] {
            assert!(matches!(CommitId::of(name), CommitId::Name(_)), "{name}");
            assert_eq!(CommitId::of(name).to_string(), *name);
        }
        assert_eq!(CommitId::of("assumed").short(), "assumed");
    }

    #[test]
    fn a_set_of_what_is_missing_is_the_set_of_its_members() {
        for (count, bits) in
            [(0, vec![]), (1, vec![0]), (64, vec![0]), (70, vec![1 << 63, 0b10]), (70, vec![5, 63])]
        {
            let missing: PackageSet =
                (0..count).filter(|package| bits[package / 64] & (1u64 << (package % 64)) == 0).collect();
            let found = PackageSet::all_but(count, &bits);
            assert_eq!(found, missing, "{count} {bits:?}");
            assert_eq!(found.iter().collect::<PackageSet>(), found);
            assert!(found.iter().all(|package| found.contains(package) && package < count));
        }
    }
}
