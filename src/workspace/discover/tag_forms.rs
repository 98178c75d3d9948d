//! How existing tags are written: which format, which names, which older formats.

use std::collections::{BTreeMap, BTreeSet};

use crate::version::number::Version;
use crate::workspace::discover::Candidate;
use crate::workspace::name::normalize;

/// Formats that hold a name, as text between name and version.
const NAMED: [&str; 6] = ["-v", "/v", "@", "-", "/", "@v"];
/// Formats that hold no name, as text before the version.
const NAMELESS: [&str; 2] = ["v", ""];

/// What the tags say.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TagForms {
    /// The format of most packages' newest tags.
    pub tag: Option<String>,
    /// How many tags are written so.
    pub count: usize,
    /// Other formats in which tags of packages are written.
    pub aliases: Vec<String>,
    /// What names in tags leave out of the packages' names.
    pub strip: Option<String>,
    /// What differs for a package, by its place in the list.
    pub packages: BTreeMap<usize, PackageForms>,
    /// Tags that name no package of the repository, by the name they hold.
    pub strangers: BTreeMap<String, usize>,
    /// Tags that hold a version and no name, where they belong to no package.
    pub nameless: Vec<String>,
    /// Tags that hold no version.
    pub unread: Vec<String>,
}

/// What differs for one package.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PackageForms {
    pub name: Option<String>,
    pub tag: Option<String>,
    pub aliases: Vec<String>,
}

/// Reads the tags; `declared` are formats that other tools declare, worth less than any tag.
pub fn find(packages: &[Candidate], tags: &[String], declared: &[String]) -> TagForms {
    let strip = common_prefix(packages, tags, declared);
    let mut forms = TagForms { strip, ..TagForms::default() };
    let mut readings = Vec::new();
    for tag in tags {
        forms.read(packages, tag, &mut readings);
    }
    for format in declared {
        let mut told = TagForms { strip: forms.strip.clone(), ..TagForms::default() };
        let from = readings.len();
        told.read(packages, &format.replace("{version}", "0.0.0"), &mut readings);
        readings[from..].iter_mut().for_each(|reading| reading.weight = 0);
    }
    forms.settle(packages, readings);
    forms
}

/// One tag understood as a release of a package.
#[derive(Debug, Clone)]
struct Reading {
    package: usize,
    /// The name as the tag writes it; empty in a format without one.
    name: String,
    spelling: Spelling,
    /// The text between name and version.
    separator: &'static str,
    version: Version,
    /// 1 for a tag, 0 for a declaration.
    weight: usize,
}

/// Which of a package's names a tag holds, the most telling first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Spelling {
    Short,
    Full,
    Nameless,
    /// The folder's name, or the end of the full name.
    Own,
}

impl TagForms {
    fn read(&mut self, packages: &[Candidate], tag: &str, readings: &mut Vec<Reading>) {
        if let Some((separator, version)) = without_name(tag) {
            match alone_or_root(packages) {
                Some(package) => readings.push(Reading {
                    package,
                    name: String::new(),
                    spelling: Spelling::Nameless,
                    separator,
                    version,
                    weight: 1,
                }),
                None => self.nameless.push(tag.to_owned()),
            }
            return;
        }
        let split = splits(tag);
        let found = split.iter().find_map(|(name, separator, version)| {
            let (package, spelling) = named(packages, self.strip.as_deref(), name)?;
            let (name, version) = ((*name).to_owned(), version.clone());
            Some(Reading { package, name, spelling, separator, version, weight: 1 })
        });
        match (found, split.first()) {
            (Some(reading), _) => readings.push(reading),
            (None, Some((name, separator, version))) => {
                *self.strangers.entry((*name).to_owned()).or_default() += 1;
                if let [_] = packages {
                    let (name, version) = ((*name).to_owned(), version.clone());
                    let spelling = Spelling::Own;
                    readings.push(Reading { package: 0, name, spelling, separator, version, weight: 1 });
                }
            }
            (None, None) => self.unread.push(tag.to_owned()),
        }
    }

    /// Chooses the formats from what was read.
    fn settle(&mut self, packages: &[Candidate], mut readings: Vec<Reading>) {
        // a single package's tags may hold any word, but only where nothing better is there
        let is_stranger = |reading: &Reading| self.strangers.contains_key(&reading.name);
        if readings.iter().any(|reading| !is_stranger(reading)) {
            readings.retain(|reading| !is_stranger(reading));
        } else if !readings.is_empty() {
            self.strangers.clear();
        }
        let mut current: BTreeMap<usize, String> = BTreeMap::new();
        for package in 0..packages.len() {
            let own: Vec<&mut Reading> =
                readings.iter_mut().filter(|reading| reading.package == package).collect();
            self.own_name(package, packages.len() == 1, own);
            let newest = readings.iter().filter(|reading| reading.package == package).max_by(|one, other| {
                (&one.version, one.weight)
                    .cmp(&(&other.version, other.weight))
                    .then(other.spelling.cmp(&one.spelling))
            });
            current.extend(newest.map(|reading| (package, self.format(reading))));
        }
        self.tag = self.commonest(packages, &current, &readings);
        self.count =
            readings.iter().filter(|reading| Some(self.format(reading)) == self.tag).map(|r| r.weight).sum();
        for (package, format) in &current {
            if Some(format) != self.tag.as_ref() {
                self.packages.entry(*package).or_default().tag = Some(format.clone());
            }
        }
        self.older(packages.len() == 1, &current, &readings);
    }

    /// A package whose tags only ever hold a name of their own gets that name.
    fn own_name(&mut self, package: usize, is_single: bool, readings: Vec<&mut Reading>) {
        let names: BTreeSet<String> = readings.iter().map(|reading| normalize(&reading.name)).collect();
        let all_own = readings.iter().all(|reading| reading.spelling == Spelling::Own);
        if is_single || names.len() != 1 || !all_own {
            return;
        }
        self.packages.entry(package).or_default().name = Some(readings[0].name.clone());
        for reading in readings {
            reading.spelling = Spelling::Short;
        }
    }

    fn format(&self, reading: &Reading) -> String {
        let separator = reading.separator;
        match reading.spelling {
            Spelling::Short => format!("{{name}}{separator}{{version}}"),
            Spelling::Full => {
                format!("{}{{name}}{separator}{{version}}", self.strip.as_deref().unwrap_or_default())
            }
            Spelling::Nameless => format!("{separator}{{version}}"),
            Spelling::Own => format!("{}{separator}{{version}}", reading.name),
        }
    }

    /// The format that most packages' newest tags have; then the one of most tags; then the first of our list.
    fn commonest(
        &self,
        packages: &[Candidate],
        current: &BTreeMap<usize, String>,
        readings: &[Reading],
    ) -> Option<String> {
        let serves = |format: &str| packages.len() == 1 || format.contains("{name}");
        let formats: BTreeSet<&String> = current.values().filter(|format| serves(format)).collect();
        let rank = |format: &str| {
            NAMED
                .iter()
                .position(|separator| format == format!("{{name}}{separator}{{version}}"))
                .unwrap_or(NAMED.len())
        };
        let chosen = formats.into_iter().max_by_key(|format| {
            let of_packages = current.values().filter(|other| other == format).count();
            let of_tags = readings.iter().filter(|reading| self.format(reading) == **format).count();
            (of_packages, of_tags, std::cmp::Reverse(rank(format)))
        });
        chosen.cloned()
    }

    /// Formats of older tags: of names for all packages, of own words for the one package.
    fn older(&mut self, is_single: bool, current: &BTreeMap<usize, String>, readings: &[Reading]) {
        for reading in readings.iter().filter(|reading| reading.weight > 0) {
            let format = self.format(reading);
            if current.get(&reading.package) == Some(&format) {
                continue;
            }
            let is_general = format.contains("{name}") || is_single;
            if is_general && Some(&format) == self.tag.as_ref() {
                // the package has a format of its own now and the common one before
                push_new(&mut self.packages.entry(reading.package).or_default().aliases, format);
            } else if is_general {
                push_new(&mut self.aliases, format);
            } else {
                push_new(&mut self.packages.entry(reading.package).or_default().aliases, format);
            }
        }
    }
}

fn push_new(list: &mut Vec<String>, text: String) {
    if !list.contains(&text) {
        list.push(text);
    }
}

/// The only package, else the one at the root.
fn alone_or_root(packages: &[Candidate]) -> Option<usize> {
    match packages {
        [_] => Some(0),
        _ => packages.iter().position(|package| package.folder.is_root()),
    }
}

/// A tag of one of the formats without a name.
fn without_name(tag: &str) -> Option<(&'static str, Version)> {
    NAMELESS.into_iter().find_map(|before| Some((before, version(tag.strip_prefix(before)?)?)))
}

/// Every reading of a tag as name, separator and version.
fn splits(tag: &str) -> Vec<(&str, &'static str, Version)> {
    let mut found = Vec::new();
    for separator in NAMED {
        for (at, _) in tag.match_indices(separator) {
            let (name, rest) = (&tag[..at], &tag[at + separator.len()..]);
            if let (false, Some(version)) = (name.is_empty(), version(rest)) {
                found.push((name, separator, version));
            }
        }
    }
    found
}

/// A version that begins with a digit and has at least two numbers: `2024` or `v1` are words of a name.
fn version(text: &str) -> Option<Version> {
    let is_plain = text.starts_with(|first: char| first.is_ascii_digit()) && text.contains('.');
    is_plain.then(|| Version::parse(text).ok()).flatten()
}

/// The package that a tag's name means.
fn named(packages: &[Candidate], strip: Option<&str>, name: &str) -> Option<(usize, Spelling)> {
    let wanted = normalize(name);
    let full = |package: &Candidate| package.name.as_str() == wanted;
    let short = |package: &Candidate| {
        Some(wanted.as_str()) == strip.and_then(|p| package.name.as_str().strip_prefix(p))
    };
    let own = |package: &Candidate| {
        normalize(package.folder.file_name()) == wanted
            || package.name.as_str().strip_suffix(wanted.as_str()).is_some_and(|start| start.ends_with('-'))
    };
    if let Some(package) = packages.iter().position(short) {
        return Some((package, Spelling::Short));
    }
    if let Some(package) = packages.iter().position(full) {
        let is_stripped = strip.is_some_and(|prefix| packages[package].name.as_str().starts_with(prefix));
        return Some((package, if is_stripped { Spelling::Full } else { Spelling::Short }));
    }
    let mut owners = packages.iter().enumerate().filter(|(_, package)| own(package));
    let (package, _) = owners.next()?;
    owners.next().is_none().then_some((package, Spelling::Own))
}

/// What most names in tags leave out of the packages' names: `acme-` where acme-core is tagged `core-v1.0.0`.
fn common_prefix(packages: &[Candidate], tags: &[String], declared: &[String]) -> Option<String> {
    let declared = declared.iter().map(|format| format.replace("{version}", "0.0.0"));
    let names: BTreeSet<String> = tags
        .iter()
        .cloned()
        .chain(declared)
        .filter(|tag| without_name(tag).is_none())
        .flat_map(|tag| splits(&tag).into_iter().map(|(name, ..)| normalize(name)).collect::<Vec<_>>())
        .collect();
    let mut prefixes: BTreeMap<&str, usize> = BTreeMap::new();
    for package in packages {
        let name = package.name.as_str();
        for short in &names {
            if let Some(prefix) = name.strip_suffix(short.as_str()).filter(|prefix| prefix.ends_with('-')) {
                *prefixes.entry(prefix).or_default() += 1;
            }
        }
    }
    let full = packages.iter().filter(|package| names.contains(package.name.as_str())).count();
    let (prefix, count) =
        prefixes.into_iter().max_by_key(|(prefix, count)| (*count, std::cmp::Reverse(prefix.len())))?;
    (count > full).then(|| prefix.to_owned())
}
