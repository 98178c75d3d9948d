use std::os::unix::fs::PermissionsExt;

use super::*;
use crate::world::testing::{TestRepository, run_git, stamp};
use crate::world::write::FileWrite;

fn repository_with_hooks() -> TestRepository {
    let repository = TestRepository::init();
    repository.write("pkg/a b.txt", "one\n");
    repository.write("pkg/run.sh", "#!/bin/sh\n");
    repository.write(".gitattributes", "*.txt export-ignore\n");
    std::os::unix::fs::symlink("a b.txt", repository.path().join("pkg/link")).unwrap();
    repository.git(&["add", "-A"]);
    repository.git(&["update-index", "--chmod=+x", "pkg/run.sh"]);
    repository.git(&["commit", "-q", "-m", "one"]);
    for hook in ["post-checkout", "reference-transaction"] {
        let hook = repository.path().join(".git/hooks").join(hook);
        fs::create_dir_all(hook.parent().unwrap()).unwrap();
        fs::write(&hook, "#!/bin/sh\ntouch \"$0.ran\"\n").unwrap();
        fs::set_permissions(&hook, fs::Permissions::from_mode(0o755)).unwrap();
    }
    repository
}

#[test]
fn an_export_is_a_clean_repository_with_all_tags() {
    let repository = repository_with_hooks();
    repository.git(&["tag", "-a", "-m", "x", "old-v1"]);
    let opened = repository.open();
    let head = opened.head().unwrap().commit;
    let file = FileWrite { path: "pkg/new.txt".to_owned(), bytes: Some(b"new\n".to_vec()) };
    let commit = opened.write_commit(&head, &[file], "chore: release", &stamp(9), &stamp(9)).unwrap();
    let tag = opened.write_tag_object("pkg-v2", &commit, "pkg 2", &stamp(9)).unwrap();
    repository.write("pkg/untracked", "");
    let into = repository.beside("export \"dir\"");
    opened.export(&commit, &into, &[("pkg-v2".to_owned(), tag)]).unwrap();
    let ask = |arguments: &[&str]| {
        let output = run_git(&into, arguments, &[], b"");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8_lossy(&output.stdout).trim().to_owned()
    };
    assert_eq!(ask(&["describe", "--tags"]), "pkg-v2");
    assert_eq!(ask(&["tag"]), "old-v1\npkg-v2");
    assert_eq!(ask(&["status", "--porcelain"]), "");
    assert_eq!(fs::read(into.join("pkg/new.txt")).unwrap(), b"new\n");
    assert!(!into.join("pkg/untracked").exists());
    let mode = |path: &str| fs::metadata(into.join(path)).unwrap().permissions().mode() & 0o777;
    assert_eq!((mode("pkg/run.sh"), mode("pkg/a b.txt"), mode("pkg")), (0o755, 0o644, 0o755));
    assert_eq!(opened.ref_target("refs/tags/pkg-v2").unwrap(), None);
    assert!(opened.export(&commit, &into, &[]).is_err());
    assert!(!repository.path().join(".git/hooks/post-checkout.ran").exists());
}

/// Names that git would take for patterns or magic, were they not literal.
const NAMES: [&str; 5] = ["*.txt", "[ab]", ":!a", ":(top)b", "zo\u{eb}\n?"];

#[test]
fn paths_are_names_and_never_patterns() {
    let repository = TestRepository::init();
    for name in NAMES.iter().chain(&["a", "b", "a.txt"]) {
        repository.write(name, "one\n");
    }
    let commit = repository.commit("one");
    let opened = repository.open();
    let read = |name: &str| fs::read_to_string(repository.path().join(name)).unwrap();
    for name in NAMES {
        for name in NAMES.iter().chain(&["a", "b", "a.txt"]) {
            repository.write(name, "two\n");
        }
        opened.checkout_paths(&commit, &[name]).unwrap();
        assert_eq!(opened.differing(&commit, &NAMES).unwrap().len(), NAMES.len() - 1, "{name}");
        assert_eq!(read(name), "one\n");
        assert!(["a", "b", "a.txt"].iter().all(|other| read(other) == "two\n"), "{name}");
        opened.remove_paths(&[name]).unwrap();
        assert!(!repository.path().join(name).exists(), "{name}");
        assert!(["a", "b", "a.txt"].iter().all(|other| read(other) == "two\n"), "{name}");
        opened.checkout_paths(&commit, &NAMES).unwrap();
    }
}

#[test]
fn removed_paths_leave_index_and_worktree() {
    let repository = repository_with_hooks();
    repository.write("deep/er/changed", "one\n");
    repository.commit("two");
    repository.write("deep/er/changed", "two\n");
    repository.write("new", "");
    repository.git(&["add", "new"]);
    repository.write("untracked", "");
    let opened = repository.open();
    opened.remove_paths(&["deep/er/changed", "new", "untracked", "pkg/link", "no/where"]).unwrap();
    assert_eq!(repository.git(&["status", "--porcelain"]), "D  deep/er/changed\nD  pkg/link\n?? untracked");
    assert!(!repository.path().join("deep").exists() && !repository.path().join("new").exists());
    assert!(repository.path().join("pkg/a b.txt").exists());
    opened.remove_paths(&[]).unwrap();
    assert!(opened.remove_paths(&["pkg"]).is_err());
    assert!(opened.remove_paths(&["../x"]).is_err());
    assert!(repository.path().join("pkg/run.sh").exists());
}

#[test]
fn only_the_named_paths_are_checked_out() {
    let repository = repository_with_hooks();
    let opened = repository.open();
    let head = opened.head().unwrap().commit;
    repository.write("pkg/*.txt", "a name, not a pattern\n");
    repository.commit("two");
    repository.write("pkg/a b.txt", "changed\n");
    repository.write("pkg/run.sh", "changed too\n");
    opened.checkout_paths(&head, &["pkg/a b.txt"]).unwrap();
    assert_eq!(fs::read(repository.path().join("pkg/a b.txt")).unwrap(), b"one\n");
    assert_eq!(fs::read(repository.path().join("pkg/run.sh")).unwrap(), b"changed too\n");
    assert!(opened.checkout_paths(&head, &["pkg/*.txt"]).is_err());
    opened.checkout_paths(&head, &[]).unwrap();
    assert!(!repository.path().join(".git/hooks/post-checkout.ran").exists());
}
