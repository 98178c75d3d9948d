//! File names of wheels (PEP 427) and source distributions (PEP 625).

use crate::version::number::Version;
use crate::workspace::name::PackageName;

/// A distribution's file name, read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FileName {
    Wheel(WheelName),
    Sdist(SdistName),
}

/// `name-version(-build)?-python-abi-platform.whl`
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WheelName {
    pub name: PackageName,
    pub version: Version,
    /// The name and version as they are spelt: the stem of the `.dist-info` folder.
    pub stem: String,
    pub build: Option<BuildTag>,
    /// The tags it stands for (PEP 425), expanded, in lower case and sorted: `py2-none-any`, `py3-none-any`.
    pub tags: Vec<String>,
}

/// `name-version.tar.gz`
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SdistName {
    pub name: PackageName,
    pub version: Version,
    /// The name without `.tar.gz`: the folder that everything in it stands in.
    pub stem: String,
}

/// A wheel's build tag: a number first, then any text.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct BuildTag {
    pub number: u64,
    pub rest: String,
}

/// Why a file name is none of a wheel or source distribution.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{file}` is not the name of a {kind}: {reason}")]
pub struct FileNameError {
    pub file: String,
    pub kind: &'static str,
    pub reason: String,
}

impl FileName {
    /// Reads a file name: of a wheel if it ends in `.whl`, else of a source distribution.
    ///
    /// # Errors
    /// Where it names neither.
    pub fn parse(file: &str) -> Result<FileName, FileNameError> {
        if file.ends_with(".whl") {
            return WheelName::parse(file).map(FileName::Wheel);
        }
        SdistName::parse(file).map(FileName::Sdist)
    }

    pub fn name(&self) -> &PackageName {
        match self {
            FileName::Wheel(wheel) => &wheel.name,
            FileName::Sdist(sdist) => &sdist.name,
        }
    }

    pub fn version(&self) -> &Version {
        match self {
            FileName::Wheel(wheel) => &wheel.version,
            FileName::Sdist(sdist) => &sdist.version,
        }
    }

    /// How the two standards spell a release's file names: name and version, each in normal form.
    pub fn normal_stem(name: &PackageName, version: &Version) -> String {
        format!("{}-{version}", name.in_file_names())
    }
}

impl WheelName {
    /// Reads a wheel's file name.
    ///
    /// # Errors
    /// Where a part is missing or is not what PEP 427 says.
    pub fn parse(file: &str) -> Result<WheelName, FileNameError> {
        read_wheel(file).map_err(|reason| FileNameError { file: file.to_owned(), kind: "wheel", reason })
    }
}

impl SdistName {
    /// Reads a source distribution's file name.
    ///
    /// # Errors
    /// Where it has no name, no version or another ending than `.tar.gz`.
    pub fn parse(file: &str) -> Result<SdistName, FileNameError> {
        let kind = "source distribution";
        read_sdist(file).map_err(|reason| FileNameError { file: file.to_owned(), kind, reason })
    }
}

fn read_wheel(file: &str) -> Result<WheelName, String> {
    let stem = stem(file, ".whl")?;
    let parts: Vec<&str> = stem.split('-').collect();
    let (name, version, build, tags) = match parts[..] {
        [name, version, python, abi, platform] => (name, version, None, [python, abi, platform]),
        [name, version, build, python, abi, platform] => {
            (name, version, Some(build_tag(build)?), [python, abi, platform])
        }
        _ => return Err(format!("{} parts between dashes, not 5 or 6", parts.len())),
    };
    if name.contains("__") {
        return Err(format!("`{name}` is not escaped: runs of separators are one `_`"));
    }
    Ok(WheelName {
        name: package_name(name)?,
        version: version_of(version)?,
        stem: format!("{name}-{version}"),
        build,
        tags: expand(tags)?,
    })
}

/// Older tools left dashes in the name.
fn read_sdist(file: &str) -> Result<SdistName, String> {
    let stem = stem(file, ".tar.gz")?;
    let (name, version) = stem.rsplit_once('-').ok_or("no `-` before a version")?;
    let name = package_name(&name.replace('-', "_"))?;
    Ok(SdistName { name, version: version_of(version)?, stem: stem.to_owned() })
}

/// The name without its ending. A name that could lead to another folder, or change what a terminal shows, is none.
fn stem<'f>(file: &'f str, ending: &str) -> Result<&'f str, String> {
    let strange = |character: char| {
        character.is_control() || character.is_whitespace() || matches!(character, '/' | '\\')
    };
    if let Some(character) = file.chars().find(|character| strange(*character)) {
        return Err(format!("it holds `{}`", character.escape_debug()));
    }
    file.strip_suffix(ending).ok_or_else(|| format!("it does not end in `{ending}`"))
}

/// Letters and digits (of any script, as the reference implementation takes them), `_` and `.` between them.
fn package_name(text: &str) -> Result<PackageName, String> {
    let edge = |character: Option<char>| character.is_some_and(char::is_alphanumeric);
    let accepted = |character: char| character.is_alphanumeric() || matches!(character, '_' | '.');
    if !edge(text.chars().next()) || !edge(text.chars().last()) || !text.chars().all(accepted) {
        return Err(format!("`{text}` is no name"));
    }
    Ok(PackageName::new(text))
}

fn version_of(text: &str) -> Result<Version, String> {
    Version::parse(text).map_err(|error| error.to_string())
}

fn build_tag(text: &str) -> Result<BuildTag, String> {
    let digits = text.find(|character: char| !character.is_ascii_digit()).unwrap_or(text.len());
    let (number, rest) = text.split_at(digits);
    let number = number.parse().map_err(|_| format!("build tag `{text}` does not begin with a number"))?;
    Ok(BuildTag { number, rest: rest.to_owned() })
}

/// All tags that a compressed set stands for (PEP 425).
fn expand([pythons, abis, platforms]: [&str; 3]) -> Result<Vec<String>, String> {
    if let Some(set) = [pythons, abis, platforms].iter().find(|set| set.split('.').any(str::is_empty)) {
        return Err(format!("an empty tag in `{set}`"));
    }
    let mut tags = Vec::new();
    for python in pythons.split('.') {
        for abi in abis.split('.') {
            let tag = |platform| format!("{python}-{abi}-{platform}").to_lowercase();
            tags.extend(platforms.split('.').map(tag));
        }
    }
    tags.sort();
    tags.dedup();
    Ok(tags)
}

#[cfg(test)]
mod tests;
