use proptest::prelude::{ProptestConfig, any, prop_assert, proptest};

use super::*;

/// Packages as (name, lines of TOML below `[project]`); each stands in `packages/NAME`.
fn build(packages: &[(&str, &str)]) -> Result<Graph, Cycle> {
    let manifests: Vec<Manifest> = packages
        .iter()
        .map(|(name, lines)| {
            let text = format!("[project]\nname = \"{name}\"\nversion = \"1\"\n{lines}\n");
            Manifest::read(&text, name).unwrap()
        })
        .collect();
    let listed: Vec<_> = manifests
        .iter()
        .map(|manifest| {
            let path = RepoPath::new(&format!("packages/{}", manifest.name)).unwrap();
            (PackageName::new(&manifest.name), manifest, path)
        })
        .collect();
    Graph::build(&listed)
}

fn check_waves(packages: &[(&str, &str)], expected: &[&[&str]]) {
    let graph = build(packages).unwrap();
    let waves: Vec<Vec<&str>> =
        graph.waves().iter().map(|wave| wave.iter().map(|&index| packages[index].0).collect()).collect();
    assert_eq!(waves, expected);
}

#[test]
fn dependencies_come_first_and_independent_packages_side_by_side() {
    let packages = [
        ("app", "dependencies = [\"lib>=1\", \"tool\"]"),
        ("lib", "dependencies = [\"base\"]"),
        ("tool", ""),
        ("base", "dependencies = [\"requests\"]"),
    ];
    check_waves(&packages, &[&["tool", "base"], &["lib"], &["app"]]);
    assert_eq!(build(&packages).unwrap().order(), [2, 3, 1, 0]);
}

#[test]
fn an_edge_knows_every_place_that_asks_for_it() {
    let graph = build(&[
        (
            "app",
            "dependencies = [\"x\", \"Lib>=1\"]\n[project.optional-dependencies]\nfast = [\"lib[fast]\"]\n\
             [dependency-groups]\ntest = [\"lib\"]\n[build-system]\nrequires = [\"lib\"]",
        ),
        ("lib", ""),
    ])
    .unwrap();
    let [edge] = graph.dependencies_of(0) else { panic!("one edge") };
    let places: Vec<String> = edge.uses.iter().map(|one| one.place.to_string()).collect();
    assert_eq!(places, ["dependencies", "extra `fast`", "group `test`", "build requirements"]);
    assert_eq!(edge.uses[0].requirement, 1);
    assert_eq!(graph.dependents_of(1), [edge]);
    assert!(graph.dependents_of(0).is_empty() && graph.dependencies_of(1).is_empty());
    assert!(graph.dependencies_of(9).is_empty() && graph.dependents_of(9).is_empty());
}

#[test]
fn poetrys_paths_and_uvs_sources_are_edges() {
    let packages = [
        ("app", "[tool.poetry.dependencies]\nother-name = { path = \"../lib\" }\n"),
        ("lib", "dependencies = [\"base-name\"]\n[tool.uv.sources]\nbase-name = { path = \"../base\" }\n"),
        ("base", ""),
    ];
    check_waves(&packages, &[&["base"], &["lib"], &["app"]]);
}

#[test]
fn a_cycle_is_named_as_a_whole() {
    let cycle = build(&[
        ("app", "dependencies = [\"a\"]"),
        ("a", "dependencies = [\"b\"]"),
        ("b", "dependencies = [\"c\"]"),
        ("c", "[build-system]\nrequires = [\"a\"]"),
    ])
    .unwrap_err();
    assert_eq!(cycle.to_string(), "packages need each other: a → b → c → a");
}

#[test]
fn extras_and_groups_may_lead_in_a_circle() {
    let packages = [
        ("app", "dependencies = [\"a\"]"),
        ("a", "[project.optional-dependencies]\ntest = [\"a[x]\", \"b\", \"testing\"]"),
        ("b", "dependencies = [\"a\"]\n[dependency-groups]\ndev = [\"app\"]"),
        ("testing", ""),
    ];
    check_waves(&packages, &[&["testing"], &["a"], &["app", "b"]]);
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn needed_packages_always_come_before(seeds in proptest::collection::vec(any::<u16>(), 1..12)) {
        let name = |index: usize| format!("p{index}");
        let lists: Vec<(String, String)> = seeds.iter().enumerate().map(|(index, seed)| {
            let named = |bit: &usize| seed & (1 << bit) != 0;
            let needed: Vec<String> = (0..index).filter(named).map(name).collect();
            let extra: Vec<String> = (0..seeds.len()).filter(|bit| seed.rotate_left(5) & (1 << bit) != 0).map(name).collect();
            let lines = format!("dependencies = {needed:?}\noptional-dependencies.x = {extra:?}");
            (name(index), lines)
        }).collect();
        let packages: Vec<(&str, &str)> = lists.iter().map(|(name, lines)| (name.as_str(), lines.as_str())).collect();
        let graph = build(&packages).unwrap();
        let order = graph.order();
        prop_assert!(order.len() == packages.len());
        let at = |package: usize| order.iter().position(|&one| one == package);
        for edge in (0..packages.len()).flat_map(|package| graph.dependencies_of(package)) {
            prop_assert!(!edge.is_needed() || at(edge.dependency) < at(edge.dependent));
        }
    }
}
