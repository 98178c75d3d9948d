//! The forms of texts about images: tags, repositories, platforms.

use crate::workspace::config::text::Fault;

/// What a tag's form may hold in braces.
const HOLES: [&str; 4] = ["{version}", "{major}", "{minor}", "{patch}"];

/// The most characters of a tag, and of a repository's name (OCI distribution specification).
const LONGEST: usize = 128;
const LONGEST_NAME: usize = 255;

pub(in crate::workspace::config) fn tag_fault(text: &str) -> Option<Fault> {
    let filled = HOLES.iter().fold(text.to_owned(), |text, hole| text.replace(hole, "0"));
    if is_tag(&filled) {
        return None;
    }
    Some(Fault {
        message: format!("`{text}` gives no tag"),
        help: "letters, digits, `_`, `.`, `-` and {version}, {major}, {minor}, {patch}: `{major}.{minor}`"
            .to_owned(),
    })
}

/// Whether a registry takes it as a tag.
fn is_tag(text: &str) -> bool {
    let of_word = |character: char| character.is_ascii_alphanumeric() || character == '_';
    text.starts_with(of_word)
        && text.len() <= LONGEST
        && text.chars().all(|character| of_word(character) || matches!(character, '.' | '-'))
}

pub(in crate::workspace::config) fn repository_fault(text: &str) -> Option<Fault> {
    let (first, rest) = text.split_once('/').map_or((None, text), |(first, rest)| match is_host(first) {
        true => (Some(first), rest),
        false => (None, text),
    });
    let fits = rest.split('/').all(is_component) && rest.len() <= LONGEST_NAME;
    if fits && first.is_none_or(|host| !host.is_empty()) {
        return None;
    }
    Some(Fault {
        message: format!("`{text}` is no repository of images"),
        help: "write HOST/PATH in lower case, without scheme, tag and digest: `ghcr.io/acme/mlops`"
            .to_owned(),
    })
}

/// As Docker tells a registry from the first folder of a name.
fn is_host(first: &str) -> bool {
    let fits = |character: char| character.is_ascii_alphanumeric() || ".:-[]".contains(character);
    (first.contains(['.', ':']) || first == "localhost") && first.chars().all(fits)
}

fn is_component(text: &str) -> bool {
    let ends = |character: Option<char>| {
        character.is_some_and(|one| one.is_ascii_lowercase() || one.is_ascii_digit())
    };
    let fits = |one: char| one.is_ascii_lowercase() || one.is_ascii_digit() || "._-".contains(one);
    ends(text.chars().next()) && ends(text.chars().next_back()) && text.chars().all(fits)
}

pub(in crate::workspace::config) fn platform_fault(text: &str) -> Option<Fault> {
    let parts: Vec<&str> = text.split('/').collect();
    let word = |part: &&str| {
        !part.is_empty() && part.chars().all(|one| one.is_ascii_lowercase() || one.is_ascii_digit())
    };
    if (2..=3).contains(&parts.len()) && parts.iter().all(word) {
        return None;
    }
    Some(Fault {
        message: format!("`{text}` is no platform"),
        help: "write system and architecture: `linux/amd64`, `linux/arm64`, `linux/arm/v7`".to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forms_of_tags_give_tags() {
        for good in ["{version}", "{major}.{minor}", "latest", "v{major}", "_x"] {
            assert_eq!(tag_fault(good), None, "{good}");
        }
        for bad in ["", "{verson}", "a b", "-x", "a:b", "a/b", &"x".repeat(129)] {
            assert!(tag_fault(bad).is_some(), "{bad}");
        }
    }

    #[test]
    fn a_repository_is_a_host_and_a_path() {
        for good in
            ["ghcr.io/acme/mlops", "localhost:5000/a", "127.0.0.1:5000/a/b", "acme/app", "[::1]:5000/a"]
        {
            assert_eq!(repository_fault(good), None, "{good}");
        }
        for bad in [
            "",
            "ghcr.io/",
            "ghcr.io/Acme/a",
            "ghcr.io/a:1",
            "https://ghcr.io/a",
            "ghcr.io/a@sha256:1",
            "a//b",
        ] {
            assert!(repository_fault(bad).is_some(), "{bad}");
        }
    }

    #[test]
    fn a_platform_is_a_system_and_an_architecture() {
        for good in ["linux/amd64", "linux/arm/v7"] {
            assert_eq!(platform_fault(good), None, "{good}");
        }
        for bad in ["amd64", "linux/", "Linux/amd64", "linux/arm/v7/x"] {
            assert!(platform_fault(bad).is_some(), "{bad}");
        }
    }
}
