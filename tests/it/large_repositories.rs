//! Repositories of a size at which careless work would explode. What their plans hold is known from how they are made.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use crate::histories::import;
use crate::world::World;

/// What is released: package, version, and the subjects that ask for it.
type Released = BTreeMap<String, (String, Vec<String>)>;

const PACKAGES: usize = 2_000;
/// One commit after the other changes every so-manieth package, from another one on.
const STEP: usize = 59;
const COMMITS: usize = 120;

#[test]
fn two_thousand_packages_and_nine_thousand_tags_loose_and_packed() {
    let world = World::new();
    let mut stream = String::new();
    let manifests = (0..PACKAGES).map(|package| {
        (
            format!("packages/p{package}/pyproject.toml"),
            format!("[project]\nname = \"p{package}\"\nversion = \"1.0.0\"\n"),
        )
    });
    write_commit(&mut stream, 0, "chore: begin", manifests);
    for commit in 1..=COMMITS {
        let files = (commit % STEP..PACKAGES)
            .step_by(STEP)
            .map(|package| (format!("packages/p{package}/a.py"), format!("{commit}\n")));
        write_commit(&mut stream, commit, &title(commit), files);
    }
    import(&world, &stream);
    let commits: Vec<String> =
        world.git(["rev-list", "--reverse", "main"]).lines().map(str::to_owned).collect();
    let tags = world.repository().join(".git/refs/tags");
    let mut expected = Released::new();
    for package in 0..PACKAGES {
        let last = 1 + package % 97;
        // Four tags or five: 9,000 in all.
        for back in 0..4 + package % 2 {
            let at = last.saturating_sub(back);
            let name = format!("p{package}-v1.{}.0", 4 - back);
            std::fs::write(tags.join(name), format!("{}\n", commits[at])).unwrap();
        }
        let asking: Vec<usize> =
            (last + 1..=COMMITS).rev().filter(|commit| commit % STEP == package % STEP).collect();
        if !asking.is_empty() {
            let is_feature = asking.iter().any(|commit| title(*commit).starts_with("feat"));
            let to = if is_feature { "1.5.0" } else { "1.4.1" };
            let subjects = asking.into_iter().map(title).collect();
            expected.insert(format!("p{package}"), (to.to_owned(), subjects));
        }
    }
    assert_eq!(tags.read_dir().unwrap().count(), 9_000);
    assert!((1_000..PACKAGES).contains(&expected.len()), "{}", expected.len());
    assert!(released(&world) == expected, "loose tags");
    world.git(["pack-refs", "--all"]);
    assert!(released(&world) == expected, "packed tags");
}

/// How many commits lie between the oldest last release and HEAD.
const LONG: usize = 90_000;

#[test]
fn a_release_that_lies_far_back_is_found_with_all_that_came_since() {
    let world = World::new();
    let mut stream = String::new();
    let manifests = ["quiet", "busy"].map(|package| {
        let text = format!("[project]\nname = \"{package}\"\nversion = \"1.0.0\"\n");
        (format!("packages/{package}/pyproject.toml"), text)
    });
    write_commit(&mut stream, 0, "chore: begin", manifests);
    let changes = [1, LONG / 2, LONG - 7];
    for commit in 1..LONG {
        let package = if changes.contains(&commit) { "quiet" } else { "busy" };
        let file = (format!("packages/{package}/a.py"), format!("{commit}\n"));
        write_commit(&mut stream, commit, &format!("fix: {commit}"), [file]);
    }
    import(&world, &stream);
    world.git(["tag", "quiet-v1.0.0", &format!("main~{}", LONG - 1)]);
    world.git(["tag", "busy-v3.0.0", "main~2"]);
    let named = |commits: &[usize]| commits.iter().rev().map(|commit| format!("fix: {commit}")).collect();
    let expected = Released::from([
        ("busy".to_owned(), ("3.0.1".to_owned(), named(&[LONG - 2, LONG - 1]))),
        ("quiet".to_owned(), ("1.0.1".to_owned(), named(&changes))),
    ]);
    assert_eq!(released(&world), expected);
}

fn title(commit: usize) -> String {
    let kind = if commit.is_multiple_of(3) { "feat" } else { "fix" };
    format!("{kind}: {commit}")
}

fn write_commit(
    stream: &mut String,
    time: usize,
    title: &str,
    files: impl IntoIterator<Item = (String, String)>,
) {
    writeln!(stream, "commit refs/heads/main").unwrap();
    writeln!(stream, "committer Ada <ada@example.org> {} +0000", 1_700_000_000 + time).unwrap();
    writeln!(stream, "data {}\n{title}", title.len()).unwrap();
    for (path, text) in files {
        writeln!(stream, "M 100644 inline {path}\ndata {}\n{text}", text.len()).unwrap();
    }
    stream.push('\n');
}

/// What a plan of all packages releases.
fn released(world: &World) -> Released {
    let answer = world.release(["plan", "--trust", "tag", "--output", "json"]).well().json();
    let text = |value: &serde_json::Value| value.as_str().unwrap().to_owned();
    let releases = answer["releases"].as_array().unwrap().iter();
    releases
        .map(|release| {
            let because = release["because"].as_array().unwrap().iter();
            let subjects = because.map(|one| text(&one["text"])).collect();
            (text(&release["package"]), (text(&release["to"]), subjects))
        })
        .collect()
}
