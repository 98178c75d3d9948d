//! Which packages a branch affects: those whose files it changes, and those that need one of them.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::history::commit::Touched;
use crate::survey::config_file::find_config;
use crate::survey::error::SurveyError;
use crate::survey::facts::{Options, shared, walk_packages};
use crate::survey::inventory::{find_packages, graph};
use crate::survey::packages::Files;
use crate::survey::walk_batches::{Job, compare_all};
use crate::workspace::graph::Graph;
use crate::world::beside::beside;
use crate::world::git::Repository;

/// The packages that a branch affects, by their short names, in the workspace's order.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Affected {
    /// Those whose files it changes, in a way that counts: lock files do, versions alone and what `ignore` names do not.
    pub changed: Vec<String>,
    /// Further ones that need one of these, directly or by others: for anything, tests and development too.
    pub dependents: Vec<String>,
}

/// What HEAD affects, seen from where it left `base`, a commit's full id: the trees of both are compared, on the way
/// to the packages only, however many commits lie between them.
///
/// # Errors
/// Where something can not be read or understood.
pub fn affected(options: &Options, base: &str) -> Result<Affected, SurveyError> {
    let repository = Repository::open(&options.directory)?;
    let head = repository.head()?.commit;
    let (objects, config_file) =
        repository.objects_beside(|| find_config(repository.root(), options.config.as_deref()));
    let config_file = config_file?;
    let mut files = Files::of(&objects, &head);
    // The branch's beginning is looked for while the packages are.
    let (found, start) = beside(
        || find_packages(&repository, &head, &config_file, &mut files, options),
        || repository.merge_base(base, &head),
    );
    let (found, _) = found?;
    let (packages, settings): (Vec<_>, Vec<_>) =
        found.into_iter().map(|found| (found.package, found.settings)).unzip();
    let graph = graph(&packages)?;
    let start = start?.unwrap_or_else(|| base.to_owned());
    let job = Job {
        old: Some(objects.tree_of(&start)?),
        new: objects.tree_of(&head)?,
        is_merge: false,
        open: Arc::new((0..packages.len()).collect()),
        early: None,
    };
    let walked = walk_packages(&packages, &settings, vec![Vec::new(); packages.len()]);
    let compared =
        compare_all(&repository, &walked, &shared(&config_file.config, &packages), [job].into_iter())?;
    let counts = |what: Touched| what.counts() || what == Touched::Lock;
    let touches = compared.iter().flat_map(|one| &one.touches).filter(|touch| counts(touch.what));
    let changed: BTreeSet<usize> = touches.map(|touch| touch.package).collect();
    let names =
        |places: BTreeSet<usize>| places.into_iter().map(|package| packages[package].short.clone()).collect();
    Ok(Affected { dependents: names(dependents(&graph, &changed)), changed: names(changed) })
}

/// All packages that need one of these, without these.
fn dependents(graph: &Graph, changed: &BTreeSet<usize>) -> BTreeSet<usize> {
    let mut found = BTreeSet::new();
    let mut waiting: Vec<usize> = changed.iter().copied().collect();
    while let Some(package) = waiting.pop() {
        for edge in graph.dependents_of(package) {
            if !changed.contains(&edge.dependent) && found.insert(edge.dependent) {
                waiting.push(edge.dependent);
            }
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::world::testing::TestRepository;

    #[test]
    fn a_branch_affects_what_it_changes_and_what_needs_that() {
        let repository = TestRepository::init();
        for (name, needs) in [("a", ""), ("b", "'a'"), ("c", "'b'"), ("d", "")] {
            let text = format!("[project]\nname = '{name}'\nversion = '1.0.0'\ndependencies = [{needs}]\n");
            repository.write(&format!("{name}/pyproject.toml"), &text);
        }
        let base = repository.commit("chore: begin");
        repository.git(&["switch", "-q", "-c", "branch"]);
        repository.change("a/x.py", "1", "feat: x");
        repository.change(
            "d/pyproject.toml",
            "[project]\nname = 'd'\nversion = '1.0.1'\ndependencies = []\n",
            "chore: d 1.0.1",
        );
        repository.git(&["switch", "-q", "main"]);
        let main = repository.change("d/y.py", "1", "fix: y");
        repository.git(&["switch", "-q", "branch"]);
        let options = Options { directory: repository.path(), ..Options::default() };
        let wanted =
            Affected { changed: vec!["a".to_owned()], dependents: vec!["b".to_owned(), "c".to_owned()] };
        assert_eq!(affected(&options, &base).unwrap(), wanted);
        assert_eq!(affected(&options, &main).unwrap(), wanted, "what main got meanwhile is not the branch's");
    }
}
