//! Which packages a scope or a footer names.

use std::collections::{BTreeMap, HashMap};

use globset::{Glob, GlobMatcher};

use crate::plan::facts::Facts;
use crate::workspace::name::normalize;

/// The names by which commits call the packages.
#[derive(Debug, Default)]
pub struct ScopeNames {
    /// Only ever asked for one name.
    exact: HashMap<String, Vec<usize>>,
    patterns: Vec<(GlobMatcher, usize)>,
}

impl ScopeNames {
    /// Short names, distribution names, folder names (where one package has it) and `scopes` patterns.
    pub fn of(facts: &Facts) -> ScopeNames {
        let mut exact: HashMap<String, Vec<usize>> = HashMap::with_capacity(2 * facts.packages.len());
        let mut patterns = Vec::new();
        for (index, package) in facts.packages.iter().enumerate() {
            for name in [package.short.as_str(), package.name.as_str()] {
                let named = exact.entry(normalize(name)).or_default();
                if !named.contains(&index) {
                    named.push(index);
                }
            }
            for scope in &facts.settings[index].scopes {
                match Glob::new(scope) {
                    Ok(glob) => patterns.push((glob.compile_matcher(), index)),
                    Err(_) => exact.entry(normalize(scope)).or_default().push(index),
                }
            }
        }
        let mut folders: BTreeMap<String, Vec<usize>> = BTreeMap::new();
        for (index, package) in facts.packages.iter().enumerate() {
            folders.entry(normalize(package.path.file_name())).or_default().push(index);
        }
        for (folder, indexes) in folders {
            if indexes.len() == 1 && !folder.is_empty() {
                exact.entry(folder).or_insert(indexes);
            }
        }
        ScopeNames { exact, patterns }
    }

    /// The packages that a scope names: `core`, `core,mlops`, `core/cli`; empty where it names none.
    pub fn packages_of_scope(&self, scope: &str) -> Vec<usize> {
        let mut found = Vec::new();
        for part in scope.split([',', ';', '+', '&']) {
            let part = part.trim();
            let head = part.split(['/', ':']).next().unwrap_or(part);
            found.extend(self.packages_named(part));
            if head != part {
                found.extend(self.packages_named(head));
            }
        }
        found.sort_unstable();
        found.dedup();
        found
    }

    /// The packages of one name; `*` names all of them.
    pub fn packages_named(&self, name: &str) -> Vec<usize> {
        let mut found = self.exact.get(&normalize(name.trim())).cloned().unwrap_or_default();
        found.extend(
            self.patterns.iter().filter(|(glob, _)| glob.is_match(name.trim())).map(|(_, index)| *index),
        );
        found
    }
}
