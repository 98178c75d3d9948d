//! Judges the files of one release as a package index would, before anything is published.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use pep508_rs::MarkerTree;

use crate::check::finding::Finding;
use crate::check::metadata::Metadata;
use crate::check::{modules, requires, sdist, wheel};
use crate::version::number::Version;
use crate::workspace::file_name::FileName;
use crate::workspace::name::PackageName;

/// The size above which the public index refuses a file.
pub const LARGEST: usize = 100 * 1000 * 1000;

/// The versions of core metadata that are known here.
const METADATA_VERSIONS: [&str; 8] = ["1.0", "1.1", "1.2", "2.1", "2.2", "2.3", "2.4", "2.5"];

/// What was planned, and what was built.
#[derive(Debug, Clone, Copy)]
pub struct Expected<'a> {
    pub name: &'a PackageName,
    pub version: &'a Version,
    /// The packages of the repository with the versions they have once all is published.
    pub internal: &'a BTreeMap<PackageName, Version>,
    /// File names and their bytes.
    pub files: &'a [(&'a str, &'a [u8])],
}

/// Judges a release's files: each one, then the set. Nothing found means an index has no reason to refuse them.
pub fn check(expected: &Expected<'_>) -> Vec<Finding> {
    let mut findings = the_set(expected);
    let mut read: Vec<Read<'_>> = Vec::new();
    for (file, bytes) in expected.files {
        match FileName::parse(file) {
            Ok(name) => {
                findings.extend(file_name(expected, file, &name));
                findings.extend(size(file, bytes));
                findings.extend(archive(expected, file, &name, bytes, &mut read));
            }
            Err(error) => {
                let message = format!(
                    "names neither a wheel (PEP 427) nor a source distribution (PEP 625): {}",
                    error.reason
                );
                findings.push(Finding::error(file, message, "remove it from the release"));
            }
        }
    }
    findings.extend(between(&read));
    findings
}

/// The metadata of one file that could be read.
struct Read<'a> {
    file: &'a str,
    is_wheel: bool,
    metadata: Metadata,
}

/// Exactly one source distribution and at least one wheel; no local version.
fn the_set(expected: &Expected<'_>) -> Vec<Finding> {
    let count = |ending: &str| expected.files.iter().filter(|(file, _)| file.ends_with(ending)).count();
    let mut findings = Vec::new();
    match count(".tar.gz") {
        1 => {}
        0 => findings.push(Finding::error("", "there is no source distribution", "build one with the wheel")),
        many => {
            let message = format!("there are {many} source distributions; an index takes one per release");
            findings.push(Finding::error("", message, "build into an empty folder"));
        }
    }
    if count(".whl") == 0 {
        findings.push(Finding::error("", "there is no wheel", "build one from the source distribution"));
    }
    let names: BTreeSet<&str> = expected.files.iter().map(|(file, _)| *file).collect();
    if names.len() < expected.files.len() {
        findings.push(Finding::error("", "two files have one name", "build into an empty folder"));
    }
    if expected.version.as_pep440().is_local() {
        let message = format!("{} is a local version, which package indexes refuse", expected.version);
        findings.push(Finding::error("", message, "release a version without `+…`"));
    }
    findings
}

/// The file's name against the plan, and its spelling.
fn file_name(expected: &Expected<'_>, file: &str, name: &FileName) -> Vec<Finding> {
    let (planned, version) = (expected.name, expected.version);
    if name.name() != planned || name.version() != version {
        let message = format!("names {} {}, planned is {planned} {version}", name.name(), name.version());
        return vec![Finding::error(file, message, "build from the release commit, in an empty folder")];
    }
    let normal = FileName::normal_stem(planned, version);
    let way_out = "use a newer build backend: it writes the normal form";
    match name {
        FileName::Sdist(sdist) if sdist.stem != normal => {
            vec![Finding::error(file, format!("should be `{normal}.tar.gz` (PEP 625)"), way_out)]
        }
        FileName::Wheel(wheel) if wheel.stem != normal => {
            vec![Finding::warning(file, format!("should begin with `{normal}` (PEP 427)"), way_out)]
        }
        _ => Vec::new(),
    }
}

fn size(file: &str, bytes: &[u8]) -> Option<Finding> {
    let message =
        || format!("is {} MB large; the public index takes less than 100 MB", bytes.len() / 1_000_000);
    (bytes.len() >= LARGEST)
        .then(|| Finding::error(file, message(), "leave large data out, or ask for a limit"))
}

/// The archive itself and what it says of itself.
fn archive<'a>(
    expected: &Expected<'_>,
    file: &'a str,
    name: &FileName,
    bytes: &[u8],
    read: &mut Vec<Read<'a>>,
) -> Vec<Finding> {
    let mut findings = match name {
        FileName::Wheel(name) => wheel::check(file, name, bytes),
        FileName::Sdist(name) => sdist::check(file, name, bytes),
    };
    let metadata = match name {
        FileName::Wheel(_) => wheel::read(bytes).map_err(|error| error.to_string()).map(|wheel| {
            findings.extend(accidental(file, wheel.modules));
            wheel.metadata
        }),
        FileName::Sdist(name) => {
            sdist::read(name, bytes).map_err(|error| error.to_string()).map(|sdist| sdist.metadata)
        }
    };
    match metadata {
        Ok(metadata) => {
            let is_wheel = matches!(name, FileName::Wheel(_));
            findings.extend(identity(expected, file, &metadata));
            if is_wheel {
                findings.extend(requires::check(file, &metadata, expected.internal));
            }
            read.push(Read { file, is_wheel, metadata });
        }
        Err(error) if findings.iter().any(|finding| finding.message == error) => {}
        Err(error) => findings.push(Finding::error(file, error, "build it again from the release commit")),
    }
    findings
}

/// Name, version and format of the metadata.
fn identity(expected: &Expected<'_>, file: &str, metadata: &Metadata) -> Vec<Finding> {
    let mut findings = Vec::new();
    if PackageName::new(metadata.name()) != *expected.name {
        let message = format!("the metadata names `{}`, planned is `{}`", metadata.name(), expected.name);
        findings.push(Finding::error(file, message, "build the package that was planned"));
    }
    let version = Version::parse(metadata.version());
    if version.as_ref() != Ok(expected.version) {
        let message =
            format!("the metadata gives version `{}`, planned is {}", metadata.version(), expected.version);
        let way_out =
            "build from the release commit; where the version comes from a tag, hand it to the backend";
        findings.push(Finding::error(file, message, way_out));
    }
    if !METADATA_VERSIONS.contains(&metadata.metadata_version()) {
        let message = format!("metadata version {} is not known here", metadata.metadata_version());
        findings.push(Finding::warning(file, message, "the index decides; an older one may refuse it"));
    }
    findings
}

fn accidental(file: &str, modules: Vec<String>) -> Option<Finding> {
    let (_, accidental) = modules::split_accidental(modules);
    let message = || format!("installs `{}` at the top of site-packages", accidental.join("`, `"));
    (!accidental.is_empty())
        .then(|| Finding::warning(file, message(), "exclude it from the wheel: other packages do the same"))
}

/// Wheel and source distribution must say the same (PEP 643: unless a field is declared dynamic).
fn between(read: &[Read<'_>]) -> Vec<Finding> {
    let Some(sdist) = read.iter().find(|file| !file.is_wheel) else { return Vec::new() };
    let dynamic: BTreeSet<String> = sdist.metadata.all("Dynamic").map(str::to_lowercase).collect();
    let is_binding = !matches!(sdist.metadata.metadata_version(), "1.0" | "1.1" | "1.2" | "2.1");
    let mut findings = Vec::new();
    for wheel in read.iter().filter(|file| file.is_wheel) {
        for field in ["Requires-Dist", "Requires-Python", "Provides-Extra"] {
            let (ours, theirs) = (values(&wheel.metadata, field), values(&sdist.metadata, field));
            if ours == theirs || dynamic.contains(&field.to_lowercase()) || (!is_binding && theirs.is_empty())
            {
                continue;
            }
            let message = format!("`{field}` is not what the source distribution says");
            let way_out =
                "build the wheel from the source distribution, and let no build code change the metadata";
            let finding = if is_binding { Finding::error } else { Finding::warning };
            findings.push(finding(wheel.file, message, way_out));
        }
    }
    findings
}

/// A field's values in a form that compares: order and spelling of requirements do not matter. A marker stays apart:
/// it compares at once and prints slowly.
fn values(metadata: &Metadata, field: &str) -> HashSet<(String, MarkerTree)> {
    let plain = |text: String| (text, MarkerTree::TRUE);
    let normal = |value: &str| match field {
        "Requires-Dist" => match requires::parse(value) {
            Ok(mut read) => {
                let marker = std::mem::replace(&mut read.marker, MarkerTree::TRUE);
                (read.to_string(), marker)
            }
            Err(_) => plain(value.to_owned()),
        },
        "Provides-Extra" => plain(PackageName::new(value).as_str().to_owned()),
        _ => plain(value.chars().filter(|character| !character.is_whitespace()).collect()),
    };
    metadata.all(field).map(normal).collect()
}

#[cfg(test)]
#[path = "artifact_tests.rs"]
mod tests;
