//! Git fails or somebody works against a ship: pushes refused or lost, refs moved, deleted, rewound.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use crate::matrix::dice::some;
use crate::matrix::field::Field;
use crate::matrix::ground::{Ground, Start};
use crate::matrix::{compare, tell};

const REFUSE: &str = "echo 'not today' >&2; exit 1";
const DIE: &str = "kill -KILL $PPID";

/// A hook of the origin that does this at one push, or from one on.
fn hook(field: &Field<'_>, name: &str, push: usize, for_ever: bool, action: &str) {
    let which = if for_ever { "-ge" } else { "-eq" };
    let script =
        format!("#!/bin/sh\necho >> pushes\n[ \"$(wc -l < pushes)\" {which} {push} ] || exit 0\n{action}\n");
    write_hook(field, name, &script);
}

fn write_hook(field: &Field<'_>, name: &str, script: &str) {
    let folder = field.origin().join("hooks");
    fs::create_dir_all(&folder).unwrap();
    fs::write(folder.join(name), script).unwrap();
    fs::set_permissions(folder.join(name), fs::Permissions::from_mode(0o755)).unwrap();
}

fn mend(field: &Field<'_>) {
    fs::remove_dir_all(field.origin().join("hooks")).unwrap();
}

#[test]
fn a_push_refused_or_lost_before_or_after_it_happened_is_made_good() {
    let Some(ground) = Ground::light().map(Ground::without_trials) else { return };
    let claimed = ground.claimed();
    let (twin, _) = ground.twin(&claimed);
    // After the claim: the lease, all is published, the lease is put down.
    let mut runs = Vec::new();
    for (name, action) in [("pre-receive", REFUSE), ("pre-receive", DIE), ("post-receive", DIE)] {
        for push in 1..=3 {
            runs.extend([false, true].map(|for_ever| (name, action, push, for_ever)));
        }
    }
    let made = some("pushes", runs, 6);
    for (name, action, push, for_ever) in &made {
        let field = ground.field(&claimed);
        hook(&field, name, *push, *for_ever, action);
        let answer = field.ship(&field.fresh(), &[]);
        let said = format!("{name} {action} at {push}, {for_ever}: {:?}\n{}", answer.code, answer.err);
        // A push whose answer alone was lost has happened.
        let expected: &[i32] = match (*action, *name, *for_ever) {
            (REFUSE, ..) => &[9],
            (_, "pre-receive", true) => &[10],
            _ => &[0],
        };
        assert!(answer.code.is_some_and(|code| expected.contains(&code)), "{said}");
        mend(&field);
        field.converge();
        compare(&twin, &field.end(), &said);
    }
    tell("pushes refused and lost", &format!("{} runs, all converged", made.len()));
}

#[test]
fn a_claim_is_made_whole_or_not_at_all() {
    let Some(ground) = Ground::light().map(Ground::without_trials) else { return };
    let start = Start { stash: ground.claimed().stash, ..ground.untouched() };
    let (twin, _) = ground.twin(&start);
    let one_tag = "#!/bin/sh\ncase $1 in refs/tags/left-*) echo 'not this tag' >&2; exit 1;; esac\n";
    for (name, script, code) in [
        ("update", one_tag.to_owned(), 9),
        ("pre-receive", format!("#!/bin/sh\n{REFUSE}\n"), 9),
        ("pre-receive", format!("#!/bin/sh\n{DIE}\n"), 10),
        ("post-receive", format!("#!/bin/sh\n{DIE}\n"), 0),
    ] {
        let field = ground.field(&start);
        let before = field.git(&["for-each-ref"]);
        write_hook(&field, name, &script);
        let answer = field.ship(&field.fresh(), &[]);
        let said = format!("{script}{}", answer.err);
        assert_eq!(answer.code, Some(code), "{said}");
        if code != 0 {
            assert_eq!(field.git(&["for-each-ref"]), before, "no ref has moved: {said}");
            assert_eq!(field.index(), "", "nothing is published: {said}");
        }
        mend(&field);
        field.converge();
        compare(&twin, &field.end(), &said);
    }
}

#[test]
fn a_tag_that_somebody_moved_is_put_back_by_what_is_printed() {
    let Some(ground) = Ground::light().map(Ground::without_trials) else { return };
    let claimed = ground.claimed();
    let (twin, _) = ground.twin(&claimed);
    let field = ground.field(&claimed);
    field.git(&["update-ref", "refs/tags/left-v1.1.0", "refs/heads/main~1"]);
    let clone = field.fresh();
    let answer = field.ship(&clone, &[]);
    assert_eq!(answer.code, Some(11), "{}", answer.err);
    assert!(answer.err.contains("`left-v1.1.0`"), "{}", answer.err);
    assert_eq!(field.index(), "", "nothing is published under a moved tag");
    let way_out = quoted(&answer.err, "git push --force").unwrap_or_else(|| panic!("{}", answer.err));
    field.git_in(&clone, &words(&way_out)[1..]);
    field.converge();
    compare(&twin, &field.end(), &way_out);
}

#[test]
fn a_tag_that_somebody_deleted_is_made_again() {
    let Some(ground) = Ground::light().map(Ground::without_trials) else { return };
    let claimed = ground.claimed();
    let (twin, _) = ground.twin(&claimed);
    let field = ground.field(&claimed);
    field.git(&["update-ref", "-d", "refs/tags/left-v1.1.0"]);
    field.git(&["gc", "--quiet", "--prune=now"]);
    field.converge();
    compare(&twin, &field.end(), "a tag deleted");
}

#[test]
fn a_branch_without_its_release_commit_is_refused_until_it_is_back() {
    let Some(ground) = Ground::light().map(Ground::without_trials) else { return };
    let claimed = ground.claimed();
    let (twin, _) = ground.twin(&claimed);
    let field = ground.field(&claimed);
    let release = field.git(&["rev-parse", "refs/heads/main"]);
    field.git(&["update-ref", "refs/heads/main", "refs/heads/main~1"]);
    let clone = field.fresh();
    let answer = field.ship(&clone, &[]);
    assert_eq!(answer.code, Some(11), "{}", answer.err);
    assert!(answer.err.contains(&format!("bring {release} back onto `main`")), "{}", answer.err);
    assert_eq!(field.index(), "");
    field.git_in(&clone, &["push", "--quiet", "origin", &format!("{release}:refs/heads/main")]);
    field.converge();
    compare(&twin, &field.end(), "a branch rewound");
}

#[test]
fn a_commit_of_somebody_else_is_never_lost_and_changes_no_release() {
    let Some(ground) = Ground::light().map(Ground::without_trials) else { return };
    let claimed = ground.claimed();
    let (twin, _) = ground.twin(&claimed);
    let untouched = Start { stash: claimed.stash.clone(), ..ground.untouched() };
    for start in [untouched, claimed] {
        let field = ground.field(&start);
        let ours = field.fresh();
        let theirs = commit_of_somebody_else(&field);
        let answer = field.ship(&ours, &[]);
        if answer.code == Some(7) {
            // Nothing was claimed yet, so that the plan is one for the newer commit.
            assert_eq!(field.index(), "");
            let way_out = quoted(&answer.err, "git pull").unwrap_or_else(|| panic!("{}", answer.err));
            field.git_in(&ours, &words(&way_out)[1..]);
            assert_eq!(field.ship(&ours, &[]).code, Some(0));
        } else {
            assert_eq!(answer.code, Some(0), "{}", answer.err);
        }
        field.converge();
        let end = field.end();
        for word in ["index", "fsck"] {
            assert_eq!(end.get(word), twin.get(word), "{word}");
        }
        assert!(end["left to do"].starts_with("nothing to release"), "{}", end["left to do"]);
        field.git(&["merge-base", "--is-ancestor", &theirs, "refs/heads/main"]);
    }
}

#[test]
fn a_ledger_that_was_rewound_is_refused_by_who_saw_it_and_followed_by_the_others() {
    let Some(ground) = Ground::light().map(Ground::without_trials) else { return };
    let claimed = ground.claimed();
    let (twin, _) = ground.twin(&claimed);
    let field = ground.field(&claimed);
    let ours = field.fresh();
    field.run(&ours, &["status"], &[]).well();
    field.git(&["update-ref", "refs/release/ledger", "refs/release/ledger~1"]);
    let answer = field.ship(&ours, &[]);
    assert_eq!(answer.code, Some(11), "{}", answer.err);
    assert_eq!(field.index(), "", "nothing is done on a ledger that was rewound");
    field.converge();
    compare(&twin, &field.end(), "a ledger rewound");
}

#[test]
fn a_lock_that_a_dying_server_left_is_named_and_removed_by_hand() {
    let Some(ground) = Ground::light().map(Ground::without_trials) else { return };
    let claimed = ground.claimed();
    let (twin, _) = ground.twin(&claimed);
    let field = ground.field(&claimed);
    let lock = field.origin().join("refs/release/ledger.lock");
    fs::create_dir_all(lock.parent().unwrap()).unwrap();
    fs::write(&lock, "").unwrap();
    let answer = field.ship(&field.fresh(), &[]);
    assert!(matches!(answer.code, Some(7 | 9 | 10)), "{:?} {}", answer.code, answer.err);
    assert!(answer.err.contains("lock"), "{}", answer.err);
    fs::remove_file(&lock).unwrap();
    field.converge();
    compare(&twin, &field.end(), "a lock left behind");
}

fn commit_of_somebody_else(field: &Field<'_>) -> String {
    let theirs = field.fresh();
    fs::write(theirs.repository().join("README.md"), "# Light, and bright\n").unwrap();
    field.git_in(&theirs, &["commit", "--quiet", "--all", "-m", "docs: say more"]);
    field.git_in(&theirs, &["push", "--quiet", "origin", "HEAD:main"]);
    field.git_in(&theirs, &["rev-parse", "HEAD"])
}

/// The first command between backticks that starts so.
fn quoted(text: &str, start: &str) -> Option<String> {
    text.split('`').find(|part| part.starts_with(start)).map(str::to_owned)
}

fn words(command: &str) -> Vec<&str> {
    command.split(' ').collect()
}
