use std::os::unix::fs::{PermissionsExt, symlink};

use super::*;
use crate::world::testing::TestRepository;

fn check(repository: &TestRepository, commit: &str, path: &str, expected: bool) {
    let found = repository.open().differing(commit, &[path]).unwrap();
    assert_eq!(found, if expected { vec![path.to_owned()] } else { Vec::new() }, "{path}");
}

#[test]
fn what_differs_from_a_commit_is_named_in_order() {
    let repository = TestRepository::init();
    for name in ["same", "gone", "changed", "other", "zo\u{eb}\n"] {
        repository.write(&format!("d/{name}"), "one\n");
    }
    let commit = repository.commit("one");
    repository.write("d/changed", "two\n");
    repository.write("d/other", "two\n");
    repository.write("d/zo\u{eb}\n", "two\n");
    repository.write("d/untracked", "");
    fs::remove_file(repository.path().join("d/gone")).unwrap();
    let opened = repository.open();
    let paths = ["d/zo\u{eb}\n", "d/untracked", "d/same", "d/nowhere", "d/gone", "d/changed"];
    let expected = ["d/zo\u{eb}\n", "d/untracked", "d/gone", "d/changed"];
    assert_eq!(opened.differing(&commit, &paths).unwrap(), expected);
    assert!(opened.differing(&commit, &[]).unwrap().is_empty());
    assert!(matches!(opened.differing(&commit, &["d"]), Err(GitError::NotAFile { .. })));
    assert!(opened.differing(&"1".repeat(40), &["d/same"]).is_err());
    assert!(opened.differing("HEAD", &["d/same"]).is_err());
}

#[test]
fn the_index_has_no_say_in_what_differs() {
    let repository = TestRepository::init();
    let first = repository.change("a", "one\n", "one");
    let second = repository.change("b", "one\n", "two");
    repository.git(&["rm", "-q", "--cached", "a"]);
    check(&repository, &second, "a", false);
    repository.write("b", "two\n");
    repository.git(&["add", "b"]);
    repository.write("b", "one\n");
    check(&repository, &second, "b", false);
    check(&repository, &first, "b", true);
    let before = repository.git(&["status", "--porcelain"]);
    assert_eq!(before, "D  a\nMM b\n?? a");
}

#[test]
fn modes_links_and_filters_count_as_git_counts_them() {
    let repository = TestRepository::init();
    repository.write(".gitattributes", "*.txt text eol=crlf\n");
    repository.write("lines.txt", "one\r\n");
    repository.write("run", "");
    repository.write("folder", "");
    symlink("run", repository.path().join("link")).unwrap();
    let commit = repository.commit("one");
    check(&repository, &commit, "lines.txt", false);
    check(&repository, &commit, "link", false);
    let run = repository.path().join("run");
    fs::set_permissions(&run, fs::Permissions::from_mode(0o755)).unwrap();
    check(&repository, &commit, "run", true);
    for name in ["link", "folder"] {
        fs::remove_file(repository.path().join(name)).unwrap();
    }
    symlink("lines.txt", repository.path().join("link")).unwrap();
    check(&repository, &commit, "link", true);
    repository.write("folder/inside", "");
    check(&repository, &commit, "folder", true);
    check(&repository, &commit, "folder/inside", true);
    symlink("nowhere", repository.path().join("dangling")).unwrap();
    check(&repository, &commit, "dangling", true);
}
