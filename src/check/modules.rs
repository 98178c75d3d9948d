//! Which modules a wheel makes importable.

use std::collections::{BTreeMap, BTreeSet};

use crate::check::entry_points::is_identifier;

/// Folders that land in wheels by accident and need what is not installed.
const ACCIDENTAL: [&str; 6] = ["tests", "test", "docs", "doc", "examples", "benchmarks"];

/// The modules at the top of a wheel, from its file names, sorted: packages, single files and extensions. A folder
/// without `__init__` is a namespace (PEP 420): what it holds is listed instead.
pub fn top_level<'a>(files: impl IntoIterator<Item = &'a str>) -> Vec<String> {
    let mut tree = Folder::default();
    for file in files {
        if let Some(path) = importable(file) {
            tree.add(path);
        }
    }
    let mut modules = BTreeSet::new();
    tree.collect("", &mut modules);
    modules.into_iter().collect()
}

/// The modules of `top_level` that are worth importing, and those that stand there by accident (`tests`, `docs`, …).
pub fn split_accidental(modules: Vec<String>) -> (Vec<String>, Vec<String>) {
    let is_accidental = |module: &String| ACCIDENTAL.contains(&module.split('.').next().unwrap_or(module));
    if modules.iter().all(is_accidental) {
        return (modules, Vec::new());
    }
    modules.into_iter().partition(|module| !is_accidental(module))
}

/// The path as installed into `site-packages`; `None` for what is installed elsewhere.
fn importable(file: &str) -> Option<&str> {
    let (top, below) = file.split_once('/').unwrap_or((file, ""));
    if top.ends_with(".dist-info") {
        return None;
    }
    if top.ends_with(".data") {
        return below.strip_prefix("purelib/").or_else(|| below.strip_prefix("platlib/"));
    }
    Some(file)
}

#[derive(Default)]
struct Folder<'a> {
    modules: BTreeSet<&'a str>,
    folders: BTreeMap<&'a str, Folder<'a>>,
}

impl<'a> Folder<'a> {
    fn add(&mut self, path: &'a str) {
        match path.split_once('/') {
            Some((folder, below)) if is_identifier(folder) => {
                self.folders.entry(folder).or_default().add(below)
            }
            Some(_) => {}
            None => self.modules.extend(module(path)),
        }
    }

    fn collect(&self, prefix: &str, modules: &mut BTreeSet<String>) {
        for module in self.modules.iter().filter(|module| **module != "__main__") {
            modules.insert(format!("{prefix}{module}"));
        }
        for (name, folder) in &self.folders {
            if folder.modules.contains("__init__") {
                modules.insert(format!("{prefix}{name}"));
            } else {
                folder.collect(&format!("{prefix}{name}."), modules);
            }
        }
    }
}

/// The module that a file is: `a.py`, `a.so`, `a.cpython-311-x86_64-linux-gnu.so`, `a.pyd`.
fn module(file: &str) -> Option<&str> {
    let (stem, ending) = file.split_once('.')?;
    let is_module =
        ending == "py" || ending.ends_with("so") && !file.starts_with("lib") || ending.ends_with("pyd");
    (is_module && is_identifier(stem)).then_some(stem)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(files: &[&str], expected: &[&str]) {
        assert_eq!(top_level(files.iter().copied()), expected);
    }

    #[test]
    fn packages_files_and_extensions_are_modules() {
        check(&["acme/__init__.py", "acme/core.py", "acme/data/x.json"], &["acme"]);
        check(&["six.py", "fast.cpython-311-x86_64-linux-gnu.so", "libz.so"], &["fast", "six"]);
        check(&["acme/_native.abi3.so", "acme/__init__.py"], &["acme"]);
    }

    #[test]
    fn a_namespace_gives_what_it_holds() {
        check(&["acme/core/__init__.py", "acme/tools.py", "acme/py.typed"], &["acme.core", "acme.tools"]);
    }

    #[test]
    fn what_is_not_imported_is_not_listed() {
        check(
            &["acme-1.0.dist-info/METADATA", "acme-stubs/__init__.pyi", "x.pth", "acme-1.0.data/scripts/run"],
            &[],
        );
        check(&["acme-1.0.data/purelib/acme/__init__.py", "__main__.py"], &["acme"]);
    }

    #[test]
    fn tests_beside_a_package_are_accidental() {
        let split = |names: &[&str]| split_accidental(names.iter().map(|name| (*name).to_owned()).collect());
        assert_eq!(split(&["acme", "tests"]), (vec!["acme".to_owned()], vec!["tests".to_owned()]));
        assert_eq!(split(&["tests"]), (vec!["tests".to_owned()], vec![]));
    }
}
