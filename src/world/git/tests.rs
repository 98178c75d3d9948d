use super::*;
use crate::world::refs::{Expected, RefUpdate};
use crate::world::snapshot::Snapshot;
use crate::world::testing::{TestRepository, run_git, stamp};
use crate::world::tree::Mode;
use crate::world::write::FileWrite;

#[test]
fn a_folder_of_no_repository_is_said_so() {
    let folder = tempfile::tempdir().unwrap();
    let error = Repository::open(folder.path()).unwrap_err();
    assert!(matches!(error, GitError::NotARepository { .. }), "{error}");
    assert!(matches!(Repository::open(&folder.path().join("gone")), Err(GitError::File { .. })));
}

#[test]
fn a_repository_without_commits_is_unborn() {
    let repository = TestRepository::init();
    assert!(matches!(repository.open().head(), Err(GitError::Unborn { .. })));
}

#[test]
fn head_is_a_branch_or_detached() {
    let repository = TestRepository::init();
    let commit = repository.change("a", "1", "one");
    repository.git(&["switch", "-q", "-c", "team/feature"]);
    let branch = Some("team/feature".to_owned());
    assert_eq!(repository.open().head().unwrap(), Head { commit: commit.clone(), branch });
    repository.git(&["checkout", "-q", "--detach"]);
    assert_eq!(repository.open().head().unwrap(), Head { commit, branch: None });
}

#[test]
fn it_opens_from_below_and_bare_and_linked() {
    let repository = TestRepository::init();
    let commit = repository.change("deep/a", "1", "one");
    let root = repository.path().canonicalize().unwrap();
    let opened = Repository::open(&repository.path().join("deep")).unwrap();
    assert_eq!(opened.root(), root);
    let linked = repository.beside("linked");
    repository.git(&["worktree", "add", "-q", "--detach", linked.to_str().unwrap()]);
    let opened = Repository::open(&linked).unwrap();
    assert_eq!(opened.root(), linked.canonicalize().unwrap());
    assert_eq!(opened.common_dir().canonicalize().unwrap(), root.join(".git"));
    let bare = repository.beside("bare.git");
    repository.git(&["clone", "-q", "--bare", ".", bare.to_str().unwrap()]);
    let opened = Repository::open(&bare).unwrap();
    assert!(opened.is_bare());
    assert_eq!(opened.head().unwrap().commit, commit);
    assert!(opened.dirty_files().unwrap().is_empty());
}

#[test]
fn other_formats_are_refused_by_name() {
    let folder = tempfile::tempdir().unwrap();
    let made = run_git(folder.path(), &["init", "-q", "--object-format=sha256", "."], &[], b"");
    assert!(made.status.success());
    let error = Repository::open(folder.path()).unwrap_err();
    assert!(matches!(&error, GitError::ObjectFormat { format, .. } if format == "sha256"), "{error:?}");

    let folder = tempfile::tempdir().unwrap();
    if run_git(folder.path(), &["init", "-q", "--ref-format=reftable", "."], &[], b"").status.success() {
        let error = Repository::open(folder.path()).unwrap_err();
        assert!(matches!(&error, GitError::RefFormat { format, .. } if format == "reftable"), "{error:?}");
    }
}

#[test]
fn a_repository_of_another_user_is_not_trusted() {
    let repository = TestRepository::init();
    let path = repository.path();
    let chown = std::process::Command::new("chown").args(["-R", "12345"]).arg(&path).output().unwrap();
    if !chown.status.success() {
        return; // only root can give files away
    }
    let error = Repository::open(&path).unwrap_err();
    assert!(matches!(error, GitError::Untrusted { .. }), "{error:?}");
}

#[test]
fn the_remote_is_shown_without_its_password() {
    let repository = TestRepository::init();
    assert_eq!(repository.open().remote_url("origin"), None);
    repository.git(&["remote", "add", "origin", "https://user:secret@example.invalid/a/b.git"]);
    repository.git(&["config", "url.https://mirror.invalid/.insteadOf", "gh:"]);
    repository.git(&["remote", "add", "short", "gh:a/b"]);
    let opened = repository.open();
    assert_eq!(opened.remote_url("origin").as_deref(), Some("https://example.invalid/a/b.git"));
    assert_eq!(opened.remote_url("short").as_deref(), Some("https://mirror.invalid/a/b"));
}

#[test]
fn the_committer_is_whom_git_names() {
    if std::env::var_os("GIT_COMMITTER_NAME").is_some() || std::env::var_os("GIT_COMMITTER_EMAIL").is_some() {
        return; // variables win over the configuration that is tested here
    }
    let repository = TestRepository::init();
    repository.git(&["config", "user.name", "Zoë <Example> Müller"]);
    repository.git(&["config", "user.email", "zoe@example.invalid"]);
    let person = repository.open().identity().unwrap();
    assert_eq!(person, Person { name: "Zoë Example Müller".into(), email: "zoe@example.invalid".into() });
}

#[test]
fn dirty_files_are_told_apart() {
    let repository = TestRepository::init();
    repository.write("moved here.txt", "some text that is long enough to be found again\n");
    repository.write("a b.txt", "1");
    repository.write(".gitignore", "ignored\n");
    repository.commit("one");
    assert!(repository.open().dirty_files().unwrap().is_empty());
    repository.write("a b.txt", "2");
    repository.git(&["mv", "moved here.txt", "zo\u{eb}\n.txt"]);
    repository.write("new/x", "");
    repository.write("ignored", "");
    let dirty = repository.open().dirty_files().unwrap();
    let names = |paths: &[Vec<u8>]| {
        paths.iter().map(|path| String::from_utf8(path.clone()).unwrap()).collect::<Vec<_>>()
    };
    assert_eq!(names(&dirty.changed), ["a b.txt", "zo\u{eb}\n.txt", "moved here.txt"]);
    assert_eq!(names(&dirty.untracked), ["new/"]);
}

#[test]
fn files_are_read_from_a_commit_and_links_are_seen() {
    let repository = TestRepository::init();
    repository.write("pkg/pyproject.toml", "[project]\n");
    repository.write("pkg ü/line\nbreak/pyproject.toml", "");
    repository.write("run.sh", "");
    std::os::unix::fs::symlink("pkg", repository.path().join("link")).unwrap();
    repository.git(&["add", "-A"]);
    repository.git(&["update-index", "--chmod=+x", "run.sh"]);
    let commit = {
        repository.git(&["commit", "-q", "-m", "one"]);
        repository.git(&["rev-parse", "HEAD"])
    };
    let objects = repository.open().objects();
    let snapshot = Snapshot::of(&objects, &commit);
    assert_eq!(
        objects.blob(&commit, "pkg/pyproject.toml").unwrap().as_deref(),
        Some(b"[project]\n".as_slice())
    );
    assert_eq!(objects.blob(&commit, "pkg/none").unwrap(), None);
    assert_eq!(objects.blob(&commit, "link/pyproject.toml").unwrap(), None);
    assert!(matches!(objects.blob(&commit, "link"), Err(GitError::NotAFile { .. })));
    assert_eq!(snapshot.entry("link").unwrap().unwrap().mode, Mode::Symlink);
    assert_eq!(snapshot.entry("run.sh").unwrap().unwrap().mode, Mode::Executable);
    let found = snapshot.find("", &|_| true, &|path| path.ends_with(b"pyproject.toml")).unwrap();
    let paths: Vec<&str> = found.iter().map(|file| std::str::from_utf8(&file.path).unwrap()).collect();
    assert_eq!(paths, ["pkg ü/line\nbreak/pyproject.toml", "pkg/pyproject.toml"]);
    assert_eq!(snapshot.blob(paths[1]).unwrap().as_deref(), Some(b"[project]\n".as_slice()));
    assert!(matches!(snapshot.blob("link"), Err(GitError::NotAFile { .. })));
    assert!(objects.commit_time("zz").unwrap_err().to_string().contains("zz"));
    let missing = "1".repeat(40);
    assert!(matches!(objects.commit(&missing), Err(GitError::Missing { .. })));
}

#[test]
fn a_written_commit_keeps_modes_and_moves_nothing() {
    let repository = TestRepository::init();
    repository.write("a/run.sh", "old");
    repository.write("a/keep", "kept");
    std::os::unix::fs::symlink("keep", repository.path().join("a/link")).unwrap();
    repository.git(&["add", "-A"]);
    repository.git(&["update-index", "--chmod=+x", "a/run.sh"]);
    repository.git(&["commit", "-q", "-m", "one"]);
    let base = repository.git(&["rev-parse", "HEAD"]);
    let opened = repository.open();
    let write = |path: &str| FileWrite { path: path.to_owned(), bytes: Some(b"new".to_vec()) };
    let files = [write("a/run.sh"), write("b/ü new.txt")];
    let (author, committer) = (stamp(1_700_000_000), stamp(1_700_000_001));
    let commit = opened.write_commit(&base, &files, "chore: release\n\nBody ü", &author, &committer).unwrap();
    assert_eq!(opened.head().unwrap().commit, base);
    let again =
        opened.write_commit(&base, &files, "chore: release\n\nBody ü\n", &author, &committer).unwrap();
    assert_eq!(again, commit);
    let listing = repository.git(&[
        "-c",
        "core.quotePath=false",
        "ls-tree",
        "-r",
        "--format=%(objectmode) %(path)",
        &commit,
    ]);
    assert_eq!(listing, "100644 a/keep\n120000 a/link\n100755 a/run.sh\n100644 b/ü new.txt");
    assert_eq!(
        repository.git(&["show", "-s", "--format=%P %at %ct %cn", &commit]),
        format!("{base} 1700000000 1700000001 Ada Example")
    );
    assert_eq!(repository.git(&["show", "-s", "--format=%B", &commit]), "chore: release\n\nBody ü");
    repository.git(&["fsck", "--strict", "--no-dangling"]);
    for bad in ["a/link", "a", "a/keep/x", ".git/config", "x/../y"] {
        assert!(opened.write_commit(&base, &[write(bad)], "x", &author, &author).is_err(), "{bad}");
    }
}

#[test]
fn a_written_commit_can_delete_files() {
    let repository = TestRepository::init();
    repository.write("a/b/last", "1");
    repository.write("a/keep", "1");
    std::os::unix::fs::symlink("keep", repository.path().join("a/link")).unwrap();
    let base = repository.commit("one");
    let opened = repository.open();
    let file = |path: &str, bytes: Option<&[u8]>| FileWrite {
        path: path.to_owned(),
        bytes: bytes.map(<[u8]>::to_vec),
    };
    let files =
        [file("a/b/last", None), file("no/where", None), file("a/none", None), file("new", Some(b"2"))];
    let commit = opened.write_commit(&base, &files, "x", &stamp(5), &stamp(5)).unwrap();
    assert_eq!(repository.git(&["ls-tree", "-r", "-t", "--name-only", &commit]), "a\na/keep\na/link\nnew");
    repository.git(&["fsck", "--strict", "--no-dangling"]);
    let all = [file("a/b/last", None), file("a/keep", None)];
    assert!(opened.write_commit(&base, &all, "x", &stamp(5), &stamp(5)).is_ok());
    for bad in ["a", "a/link", "a/keep/x"] {
        let deleted = opened.write_commit(&base, &[file(bad, None)], "x", &stamp(5), &stamp(5));
        assert!(deleted.is_err(), "{bad}");
    }
}

#[test]
fn a_written_tag_is_a_tag_to_git() {
    let repository = TestRepository::init();
    let commit = repository.change("a", "1", "one");
    let opened = repository.open();
    let tag = opened.write_tag_object("core-v1.0.0", &commit, "core 1.0.0", &stamp(5)).unwrap();
    assert_eq!(opened.ref_target("refs/tags/core-v1.0.0").unwrap(), None);
    let update = RefUpdate {
        name: "refs/tags/core-v1.0.0".to_owned(),
        new: Some(tag.clone()),
        expected_old: Expected::Missing,
    };
    opened.update_refs(&[update], "release").unwrap();
    assert_eq!(opened.ref_target("refs/tags/core-v1.0.0").unwrap(), Some(tag));
    assert_eq!(repository.git(&["describe"]), "core-v1.0.0");
    repository.git(&["fsck", "--strict"]);
    assert!(opened.write_tag_object("bad name", &commit, "x", &stamp(5)).is_err());
}

#[test]
fn an_annotated_tag_tells_its_message() {
    let repository = TestRepository::init();
    let commit = repository.change("a", "1", "one");
    repository.git(&["tag", "light"]);
    repository.git(&["tag", "-a", "-m", "first line\n\nbody \u{fc}", "deep/full"]);
    repository.git(&["tag", "-a", "-m", "outer", "nested", "deep/full"]);
    let opened = repository.open();
    let tag = opened.write_tag_object("ours", &commit, "ours 1\n\nline", &stamp(5)).unwrap();
    let update = |name: &str, new: &str| RefUpdate {
        name: name.to_owned(),
        new: Some(new.to_owned()),
        expected_old: Expected::Missing,
    };
    let signed = format!(
        "object {commit}\ntype commit\ntag signed\ntagger A <a@b> 5 +0000\n\nsigned 1\n\
         -----BEGIN PGP SIGNATURE-----\n\nx\n-----END PGP SIGNATURE-----\n"
    );
    let signed = repository.git_with(&["hash-object", "-t", "tag", "-w", "--stdin"], &[], signed.as_bytes());
    opened.update_refs(&[update("refs/tags/ours", &tag), update("refs/tags/signed", &signed)], "x").unwrap();
    let objects = opened.objects();
    let message = |tag: &str| objects.tag_message(tag).unwrap();
    assert_eq!(message("deep/full").as_deref(), Some("first line\n\nbody \u{fc}"));
    assert_eq!(message("nested").as_deref(), Some("outer"));
    assert_eq!(message("ours").as_deref(), Some("ours 1\n\nline"));
    assert_eq!(message("signed").as_deref(), Some("signed 1"));
    assert_eq!((message("light"), message("none")), (None, None));
    assert!(matches!(objects.tag_message("a b"), Err(GitError::BadName { .. })));
}

#[test]
fn refs_move_all_or_none() {
    let repository = TestRepository::init();
    let one = repository.change("a", "1", "one");
    let two = repository.change("a", "2", "two");
    let opened = repository.open();
    let update =
        |name: &str, expected_old| RefUpdate { name: name.to_owned(), new: Some(two.clone()), expected_old };
    let moves =
        [update("refs/tags/new", Expected::Missing), update("refs/heads/main", Expected::At(one.clone()))];
    let error = opened.update_refs(&moves, "release").unwrap_err();
    assert!(matches!(&error, GitError::LostRace { name, .. } if name == "refs/heads/main"), "{error}");
    assert_eq!(opened.ref_target("refs/tags/new").unwrap(), None);
    opened.update_refs(&[update("refs/tags/new", Expected::Missing)], "release").unwrap();
    let error = opened.update_refs(&[update("refs/tags/new", Expected::Missing)], "release").unwrap_err();
    assert!(matches!(error, GitError::LostRace { .. }), "{error}");
    let conflict = opened.update_refs(&[update("refs/tags/new/below", Expected::Missing)], "x").unwrap_err();
    assert!(matches!(conflict, GitError::Failed { .. }), "{conflict}");
    assert!(matches!(opened.delete_ref("refs/tags/new", Expected::At(one)), Err(GitError::LostRace { .. })));
    opened.delete_ref("refs/tags/new", Expected::At(two.clone())).unwrap();
    assert_eq!(opened.ref_target("refs/tags/new").unwrap(), None);
    for bad in ["tags/new", "refs/tags/a b", "refs/tags/x\0y", "refs/../x", "refs/tags/x\ny"] {
        assert!(matches!(
            opened.update_refs(&[update(bad, Expected::Any)], "x"),
            Err(GitError::BadName { .. })
        ));
    }
}

#[test]
fn a_partial_clone_says_how_to_complete_it() {
    let repository = TestRepository::init();
    repository.change("pkg/a", "1", "one");
    let commit = repository.change("pkg/a", "2", "two");
    repository.git(&["config", "uploadpack.allowFilter", "true"]);
    let clone = repository.beside("partial");
    let url = format!("file://{}", repository.path().display());
    repository.git(&["clone", "-q", "--no-checkout", "--filter=blob:none", &url, clone.to_str().unwrap()]);
    let opened = Repository::open(&clone).unwrap();
    let error = opened.objects().blob(&commit, "pkg/a").unwrap_err();
    assert!(matches!(error, GitError::Promised { .. }), "{error:?}");
    let mended = run_git(&clone, &["fetch", "-q", "--refetch", "--no-filter"], &[], b"");
    assert!(mended.status.success(), "{}", String::from_utf8_lossy(&mended.stderr));
    let opened = Repository::open(&clone).unwrap();
    assert_eq!(opened.objects().blob(&commit, "pkg/a").unwrap().as_deref(), Some(b"2".as_slice()));
}
