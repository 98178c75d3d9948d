//! Recognises tags of a format that a package had before: without it, what was released long ago would look new.

use std::collections::BTreeSet;

use crate::history::commit::VersionTag;
use crate::survey::tags::Tag;
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
    let mut warnings = Vec::new();
    for index in &lone {
        let Some(prefix) = prefix_of(tags, packages, &lone, *index) else { continue };
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

/// What stands before the version in the tag of the package's declared version, where one tag alone fits it.
fn prefix_of(tags: &[Tag], packages: &[Package], lone: &[usize], index: usize) -> Option<String> {
    let mut fitting = tags.iter().filter_map(|tag| fit(&tag.name, &packages[index]));
    let prefix = fitting.next()?;
    if fitting.any(|other| other != prefix) {
        return None;
    }
    let is_nearest = |other: &usize| {
        *other == index
            || tags.iter().filter_map(|tag| fit(&tag.name, &packages[*other])).all(|theirs| theirs != prefix)
            || words(&packages[index]).len() < words(&packages[*other]).len()
    };
    lone.iter().all(is_nearest).then_some(prefix)
}

/// What stands before the declared version (any version, where none is declared) in a tag whose words are all the
/// package's own.
fn fit(tag: &str, package: &Package) -> Option<String> {
    let declared = package.version.as_ref();
    let starts = tag.char_indices().filter(|(at, character)| {
        character.is_ascii_digit()
            && !tag[..*at].ends_with(|before: char| before.is_ascii_digit() || before == '.')
    });
    let start = starts.map(|(at, _)| at).find(|at| {
        read_tag_version(&tag[*at..])
            .is_ok_and(|version| declared.is_none_or(|declared| version == *declared))
    })?;
    let prefix = &tag[..start];
    let own = words(package);
    let said: Vec<String> = words_of(prefix).filter(|word| word != "v").collect();
    (!said.is_empty() && said.iter().all(|word| own.contains(word))).then(|| prefix.to_owned())
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
