use globset::{Glob, GlobSetBuilder};

use super::*;
use crate::history::commit::Touched;
use crate::survey::tags::list_tags;
use crate::version::number::Version;
use crate::world::testing::{TestRepository, run_git};

fn package(path: &str, name: &str) -> WalkPackage {
    WalkPackage { path: path.to_owned(), name: name.to_owned(), ..WalkPackage::default() }
}

/// Walks from HEAD; tags are named `NAME-vVERSION`.
fn read(repository: &TestRepository, mut packages: Vec<WalkPackage>) -> History {
    let opened = repository.open();
    for tag in list_tags(&opened).unwrap() {
        let Some((name, version)) = tag.name.rsplit_once("-v") else { continue };
        let version = Version::parse(version).unwrap();
        for package in packages.iter_mut().filter(|package| package.name == name) {
            let tag =
                VersionTag { tag: tag.name.clone(), version: version.clone(), commit: tag.commit.clone() };
            package.version_tags.push(tag);
        }
    }
    walk(&opened, Walk { head: opened.head().unwrap().commit, packages, ..Walk::default() }).unwrap()
}

/// Each commit in one line: its subject, what it touches of each package, `+` for files of none.
fn told(history: &History) -> Vec<String> {
    let tell = |commit: &Commit| {
        let mut line = commit.message.lines().next().unwrap_or("").to_owned();
        for touch in &commit.touches {
            line.push_str(&format!(" {}:{:?}", touch.package, touch.what));
        }
        line + if commit.outside { " +" } else { "" } + if commit.empty { " empty" } else { "" }
    };
    history.commits.iter().map(tell).collect()
}

fn names(tags: &[VersionTag]) -> Vec<&str> {
    tags.iter().map(|tag| tag.tag.as_str()).collect()
}

#[test]
fn the_walk_ends_at_each_packages_last_release() {
    let repository = TestRepository::init();
    repository.change("a/x", "1", "one");
    repository.change("b/x", "1", "two");
    repository.git(&["tag", "a-v1.0.0"]);
    repository.git(&["tag", "-a", "-m", "x", "b-v1.0.0"]);
    repository.change("a/x", "2", "three");
    repository.git(&["tag", "a-v1.1.0rc1"]);
    repository.change("b/x", "2", "four");
    let history = read(&repository, vec![package("a", "a"), package("b", "b")]);
    assert_eq!(told(&history), ["four 1:Files", "three 0:Files"]);
    let three = &history.commits[1];
    assert_eq!(three.unreleased.iter().collect::<Vec<_>>(), [1]);
    assert_eq!(three.since_final.iter().collect::<Vec<_>>(), [0, 1]);
    assert_eq!(names(&history.tags[0]), ["a-v1.1.0rc1", "a-v1.0.0"]);
}

#[test]
fn nothing_is_read_beyond_where_all_lines_have_come_together() {
    let repository = TestRepository::init();
    let commit = |name: &str, time: i64| repository.change_at(&format!("a/{name}"), name, name, time);
    for (version, time) in [("1.0.0", 1000), ("1.1.0", 2000), ("1.2.0", 3000)] {
        commit(version, time);
        repository.git(&["tag", &format!("a-v{version}")]);
    }
    repository.git(&["branch", "side"]);
    commit("four", 4000);
    repository.git(&["switch", "--quiet", "side"]);
    commit("five", 5000);
    repository.git(&["switch", "--quiet", "main"]);
    repository.git(&["merge", "--quiet", "--no-edit", "side"]);
    let history = read(&repository, vec![package("a", "a")]);
    assert_eq!(history.commits.len(), 3);
    // An older tag would have been met beyond the end.
    assert_eq!(names(&history.tags[0]), ["a-v1.2.0"]);
    assert_eq!(names(&history.older_tags[0]), ["a-v1.1.0", "a-v1.0.0"]);
}

#[test]
fn a_commit_dated_before_its_ancestors_is_looked_behind() {
    let repository = TestRepository::init();
    let commit = |name: &str, time: i64| repository.change_at(&format!("a/{name}"), name, name, time);
    commit("one", 1000);
    commit("two", 2000);
    repository.git(&["branch", "side"]);
    commit("three", 2500);
    repository.git(&["switch", "--quiet", "side"]);
    // The clock was wrong for a while, and then there was a release.
    commit("old", 10);
    commit("new", 3000);
    repository.git(&["tag", "a-v1.0.0"]);
    repository.git(&["switch", "--quiet", "main"]);
    repository.git(&["merge", "--quiet", "--no-edit", "-m", "merge", "side"]);
    let history = read(&repository, vec![package("a", "a")]);
    assert_eq!(told(&history), ["merge", "three 0:Files"]);
}

#[test]
fn a_higher_tag_elsewhere_is_reported_and_does_not_count() {
    let repository = TestRepository::init();
    repository.change("a/x", "1", "one");
    repository.git(&["tag", "a-v1.0.0"]);
    repository.git(&["switch", "-q", "-c", "other"]);
    repository.change("a/x", "2", "elsewhere");
    repository.git(&["tag", "a-v2.0.0"]);
    repository.git(&["switch", "-q", "main"]);
    repository.change("a/x", "3", "two");
    let history = read(&repository, vec![package("a", "a")]);
    assert_eq!(told(&history), ["two 0:Files"]);
    assert_eq!(history.unreachable_tags, [("a-v2.0.0".to_owned(), 0)]);
    assert_eq!(history.tags[0].len(), 1);
}

#[test]
fn only_files_that_count_are_files() {
    let repository = TestRepository::init();
    let manifest =
        |version: &str, more: &str| format!("[project]\nname = 'a'\nversion = '{version}'\n{more}");
    repository.write("a/pyproject.toml", &manifest("1", ""));
    repository.change("a/src/v.py", "__version__ = '1.0.0'\n", "start");
    repository.change("a/uv.lock", "1", "lock");
    repository.change("a/src/uv.lock", "1", "nested lock");
    repository.change("a/tests/deep/t.py", "1", "ignored");
    repository.change("a/src/v.py", "__version__ = '1.0.1'\n", "version file");
    repository.change("a/src/v.py", "__version__ = '1.0.1'\nx = 1\n", "version file and more");
    repository.write("a/pyproject.toml", &manifest("2", ""));
    repository.change("a/CHANGELOG.md", "x", "release");
    repository.change("a/pyproject.toml", &manifest("3", "dependencies = ['b']"), "dependency");
    repository.write("a/tests/t.py", "2");
    repository.change("a/uv.lock", "2", "two that do not count");
    repository.write("a/tests/t.py", "3");
    repository.change("a/src/w.py", "2", "one that counts");
    let ignore = GlobSetBuilder::new().add(Glob::new("tests/**").unwrap()).build().unwrap();
    let package = WalkPackage {
        ignore,
        version_files: vec!["src/v.py".to_owned()],
        changelog: Some("CHANGELOG.md".to_owned()),
        ..package("a", "a")
    };
    let mut lines = told(&read(&repository, vec![package]));
    lines.reverse();
    assert_eq!(
        lines,
        [
            "start 0:Files",
            "lock 0:Lock",
            "nested lock 0:Files",
            "ignored 0:Ignored",
            "version file 0:Version",
            "version file and more 0:Files",
            "release 0:Version",
            "dependency 0:Files",
            "two that do not count 0:Ignored",
            "one that counts 0:Files",
        ]
    );
}

#[test]
fn shared_files_touch_all_their_packages() {
    let repository = TestRepository::init();
    repository.change("schema/deep/x.json", "1", "one");
    repository.change("other/x", "1", "two");
    let opened = repository.open();
    let patterns = GlobSetBuilder::new().add(Glob::new("schema/**").unwrap()).build().unwrap();
    let input = Walk {
        head: opened.head().unwrap().commit,
        packages: vec![package("a", "a"), package("b", "b")],
        shared: vec![Shared { patterns, packages: vec![0, 1] }],
        ..Walk::default()
    };
    assert_eq!(told(&walk(&opened, input).unwrap()), ["two +", "one 0:Shared 1:Shared"]);
}

#[test]
fn a_moved_package_keeps_its_older_commits() {
    let repository = TestRepository::init();
    repository.write("ops/older/pyproject.toml", "[tool.poetry]\nname = 'Acme.Infra'\n");
    repository.change("ops/older/x", "1", "start");
    repository.git(&["mv", "ops/older", "ops/old"]);
    repository.commit("first move");
    repository.change("ops/old/x", "2", "before");
    repository.git(&["mv", "ops/old", "ops/new"]);
    repository.commit("second move");
    repository.change("ops/new/x", "3", "after");
    let packages = vec![package("ops/new", "acme-infra")];
    let expected =
        ["after", "second move", "before", "first move", "start"].map(|line| format!("{line} 0:Files"));
    assert_eq!(told(&read(&repository, packages)), expected);
    let packages = vec![package("ops/new", "another")];
    let expected = ["after 0:Files", "second move 0:Files +", "before +", "first move +", "start +"];
    assert_eq!(told(&read(&repository, packages)), expected);
}

#[test]
fn merges_are_listed_without_files() {
    let repository = TestRepository::init();
    repository.change("a/x", "1", "one");
    repository.git(&["switch", "-q", "-c", "side"]);
    repository.change("a/y", "1", "side");
    repository.git(&["switch", "-q", "main"]);
    repository.change("b", "1", "main");
    repository.git(&["merge", "-q", "--no-ff", "-m", "Merge branch 'side'", "side"]);
    repository.commit("nothing");
    let history = read(&repository, vec![package("a", "a")]);
    let mainline: Vec<bool> = history.commits.iter().map(|commit| commit.mainline).collect();
    assert_eq!(told(&history)[..2], ["nothing empty", "Merge branch 'side'"]);
    assert_eq!(mainline.iter().filter(|mainline| !**mainline).count(), 1);
    assert_eq!(history.commits[1].parents.len(), 2);
}

#[test]
fn odd_paths_and_links_are_files_like_others() {
    let repository = TestRepository::init();
    repository.change("pkg ü/a b/line\nbreak.py", "1", "odd");
    std::os::unix::fs::symlink("elsewhere", repository.path().join("pkg ü/link")).unwrap();
    repository.commit("link");
    std::fs::remove_dir_all(repository.path().join("pkg ü")).unwrap();
    std::os::unix::fs::symlink("elsewhere", repository.path().join("pkg ü")).unwrap();
    repository.commit("folder becomes a link");
    let history = read(&repository, vec![package("pkg ü", "x")]);
    assert_eq!(told(&history), ["folder becomes a link 0:Files +", "link 0:Files", "odd 0:Files"]);
}

#[test]
fn messages_are_decoded_by_their_header() {
    let repository = TestRepository::init();
    repository.git(&["config", "i18n.commitEncoding", "ISO-8859-1"]);
    repository.git_with(&["commit", "-q", "--allow-empty", "-F", "-"], &[], b"fix: f\xfcr alle\n");
    let head = repository.git(&["rev-parse", "HEAD"]);
    let stream = b"commit refs/heads/main\ncommitter Ada <ada@example.invalid> 1700000009 +0000\ndata 5\nf\xfcr\n\nfrom ";
    repository.git_with(&["fast-import", "--quiet"], &[], &[stream, head.as_bytes(), b"\n"].concat());
    let history = read(&repository, vec![package("a", "a")]);
    assert_eq!((history.commits[1].message.as_str(), history.commits[1].lossy), ("fix: für alle\n", false));
    assert!(history.commits[0].lossy);
    assert_eq!(&*history.commits[0].author, "Ada");
}

#[test]
fn a_shallow_clone_serves_as_far_as_it_reaches() {
    let repository = TestRepository::init();
    for text in ["1", "2", "3", "4"] {
        repository.change("a/x", text, text);
        repository.git(&["tag", &format!("a-v{text}")]);
    }
    repository.change("a/x", "5", "five");
    let shallow = repository.beside("shallow");
    let url = format!("file://{}", repository.path().display());
    let clone =
        run_git(&repository.path(), &["clone", "-q", "--depth=3", &url, shallow.to_str().unwrap()], &[], b"");
    assert!(clone.status.success());
    let opened = Repository::open(&shallow).unwrap();
    assert!(opened.is_shallow());
    let tags = |wanted: &str| {
        let tags = list_tags(&opened).unwrap().into_iter().filter(|tag| tag.name == wanted);
        tags.map(|tag| VersionTag {
            tag: tag.name,
            version: Version::parse("4").unwrap(),
            commit: tag.commit,
        })
        .collect()
    };
    let head = opened.head().unwrap().commit;
    let input = |version_tags| Walk {
        head: head.clone(),
        packages: vec![WalkPackage { version_tags, ..package("a", "a") }],
        ..Walk::default()
    };
    assert_eq!(told(&walk(&opened, input(tags("a-v4"))).unwrap()), ["five 0:Files"]);
    let error = walk(&opened, input(Vec::new())).unwrap_err();
    assert!(matches!(error, GitError::Shallow { .. }) && error.to_string().contains("git fetch --unshallow"));
}

#[test]
fn what_is_released_needs_no_touches() {
    let repository = TestRepository::init();
    repository.change("a/x", "1", "one");
    repository.change("b/x", "1", "two");
    repository.git(&["tag", "a-v1.0.0"]);
    let history = read(&repository, vec![package("a", "a"), package("b", "b")]);
    assert_eq!(told(&history), ["two 1:Files", "one"]);
    assert!(
        history.commits.iter().all(|commit| commit.touches.iter().all(|touch| touch.what == Touched::Files))
    );
}

#[test]
fn without_packages_there_is_nothing_to_read() {
    let repository = TestRepository::init();
    repository.change("a/x", "1", "one");
    assert!(read(&repository, Vec::new()).commits.is_empty());
}
