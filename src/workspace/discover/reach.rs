//! How far a search for packages has to look: only folders on the way to one that a pattern can cover.

use globset::{GlobBuilder, GlobMatcher};

use crate::workspace::config::Config;
use crate::workspace::discover::manifest::ManifestFacts;
use crate::workspace::path::RepoPath;

/// The folders that a search enters.
#[derive(Debug)]
pub struct Reach {
    /// `None` where packages may stand anywhere.
    ways: Option<Vec<Way>>,
}

/// The parts of a pattern, one for each folder on the way.
#[derive(Debug)]
struct Way {
    parts: Vec<GlobMatcher>,
    /// Whether it goes on to any depth from there.
    is_endless: bool,
}

impl Reach {
    pub fn everywhere() -> Reach {
        Reach { ways: None }
    }

    /// As far as [`discover`](super::discover) looks with this configuration and this `pyproject.toml` at the root.
    pub fn of(config: &Config, root: Option<&str>) -> Reach {
        if let Some(patterns) = &config.tables.workspace.packages {
            return Reach::to(patterns);
        }
        let facts = root.and_then(|text| ManifestFacts::read(text).ok());
        facts.and_then(|facts| facts.workspace).map_or_else(Reach::everywhere, |uv| Reach::to(&uv.members))
    }

    fn to(patterns: &[String]) -> Reach {
        Reach { ways: Some(patterns.iter().filter_map(|pattern| Way::read(pattern)).collect()) }
    }

    /// Whether a folder is one that a pattern covers or leads to one.
    pub fn enters(&self, folder: &str) -> bool {
        self.ways.as_ref().is_none_or(|ways| ways.iter().any(|way| way.leads_through(folder)))
    }
}

impl Way {
    /// `None` for a pattern that covers nothing.
    fn read(pattern: &str) -> Option<Way> {
        let plain = RepoPath::new(pattern)?;
        let (mut parts, mut is_endless) = (Vec::new(), false);
        for part in plain.as_git().split('/').filter(|part| !part.is_empty()) {
            // These may hold a slash, or stand for several folders.
            if part.contains("**") || part.contains(['{', '}', '[', ']', '\\']) {
                is_endless = true;
                break;
            }
            parts.push(GlobBuilder::new(part).literal_separator(true).build().ok()?.compile_matcher());
        }
        Some(Way { parts, is_endless })
    }

    fn leads_through(&self, folder: &str) -> bool {
        let mut parts = self.parts.iter();
        for name in folder.split('/') {
            match parts.next() {
                Some(part) if part.is_match(name) => {}
                Some(_) => return false,
                None => return self.is_endless,
            }
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(patterns: &[&str], entered: &[&str], passed: &[&str]) {
        let patterns: Vec<String> = patterns.iter().map(|one| (*one).to_owned()).collect();
        let reach = Reach::to(&patterns);
        for folder in entered {
            assert!(reach.enters(folder), "{folder} by {patterns:?}");
        }
        for folder in passed {
            assert!(!reach.enters(folder), "{folder} by {patterns:?}");
        }
    }

    #[test]
    fn only_the_way_to_what_patterns_cover_is_entered() {
        check(&["packages/*"], &["packages", "packages/a"], &["docs", "packages/a/src", "package"]);
        check(&["."], &[], &["a"]);
        check(&["./libs/one/", "apps/*-api"], &["libs", "libs/one", "apps/x-api"], &["libs/two", "apps/x"]);
        check(&["src/**/lib"], &["src", "src/a", "src/a/b/c"], &["lib"]);
        check(&["{a,b/c}/d"], &["a", "b/c/d", "x"], &[]);
        check(&["a/[bc]"], &["a", "a/x/y"], &["b"]);
        check(&["../x", "/y"], &[], &["x", "y"]);
    }

    #[test]
    fn without_patterns_everything_is_entered() {
        assert!(Reach::everywhere().enters("any/where"));
        let config = Config::default();
        assert!(Reach::of(&config, None).enters("any/where"));
        assert!(Reach::of(&config, Some("[project]\nname = 'a'\n")).enters("any/where"));
        let members = "[tool.uv.workspace]\nmembers = ['packages/*']\n";
        assert!(!Reach::of(&config, Some(members)).enters("docs"));
    }
}
