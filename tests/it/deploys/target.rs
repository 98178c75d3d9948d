//! What runs the releases of a story: a small program that keeps them as files, and does what goes wrong on order.

use std::fs;
use std::path::Path;

/// The program of the target `command` and of its checks. Beside it stand `runs/ENVIRONMENT/PACKAGE.json`, `orders/`
/// and `log`, a line at the begin and at the end of each change. It refuses an epoch lower than the last one it saw.
const PROGRAM: &str = r#"#!/bin/sh
set -eu
here=$(dirname "$0")
runs="$here/runs/$RELEASE_ENVIRONMENT"
file="$runs/$RELEASE_PACKAGE.json"
what="$RELEASE_ENVIRONMENT-$RELEASE_PACKAGE-${RELEASE_VERSION:-}"

ordered() { test -e "$here/orders/$1-$what"; }
note() { echo "$1 $RELEASE_ENVIRONMENT $RELEASE_PACKAGE $RELEASE_VERSION $RELEASE_DIGEST $RELEASE_EPOCH" >> "$here/log"; }
# Says that it is there, and waits until the order is lifted.
wait_while() {
    if ordered "$1"; then : > "$here/orders/reached-$1-$what"; fi
    while ordered "$1"; do sleep 0.02; done
}

case $1 in
status)
    if test -e "$file"; then cat "$file"; else echo '{}'; fi ;;
possible)
    wait_while ponder
    if ordered gone; then echo "its image is gone"; exit 1; fi ;;
apply)
    note begin
    mkdir -p "$runs"
    wait_while hang
    if ordered fail; then note failed; echo "no room for it" >&2; exit 1; fi
    last=$(cat "$file.epoch" 2>/dev/null || echo 0)
    if test "$RELEASE_EPOCH" -lt "$last"; then note overtaken; echo "epoch $last was here" >&2; exit 1; fi
    echo "$RELEASE_EPOCH" > "$file.epoch"
    digest=$RELEASE_DIGEST
    if ordered wrong; then digest=sha256:$(printf '0%.0s' $(seq 64)); fi
    printf '{"digest":"%s","version":"%s","deployment":"%s"}\n' \
        "$digest" "$RELEASE_VERSION" "$RELEASE_DEPLOYMENT" > "$file.new"
    mv "$file.new" "$file"
    note end ;;
check)
    wait_while slow
    if ordered sick; then echo "it answers with nonsense"; exit 1; fi
    grep -q "\"version\":\"$RELEASE_VERSION\"" "$file" ;;
esac
"#;

/// Writes the program into a folder.
pub fn install(folder: &Path) {
    for name in ["runs", "orders"] {
        fs::create_dir_all(folder.join(name)).unwrap();
    }
    fs::write(folder.join("target.sh"), PROGRAM).unwrap();
}

/// One change, as the program noted it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// begin, end, failed or overtaken.
    pub what: String,
    pub environment: String,
    pub package: String,
    pub version: String,
    pub digest: String,
    pub epoch: u64,
}

/// All changes so far.
pub fn changes(folder: &Path) -> Vec<Change> {
    let text = fs::read_to_string(folder.join("log")).unwrap_or_default();
    let change = |line: &str| {
        let words: Vec<&str> = line.split(' ').collect();
        let [what, environment, package, version, digest] = [0, 1, 2, 3, 4].map(|at| words[at].to_owned());
        Change { what, environment, package, version, digest, epoch: words[5].parse().unwrap() }
    };
    text.lines().map(change).collect()
}

/// Two changes of one place to different bytes at the same time, where there were.
pub fn overlap(changes: &[Change]) -> Option<(Change, Change)> {
    let mut open: Vec<&Change> = Vec::new();
    for change in changes {
        let here =
            |other: &&Change| other.environment == change.environment && other.package == change.package;
        if change.what != "begin" {
            let own = open.iter().position(|other| here(other) && other.epoch == change.epoch);
            own.map(|at| open.remove(at));
            continue;
        }
        if let Some(other) = open.iter().find(|other| here(other) && other.digest != change.digest) {
            return Some(((*other).clone(), change.clone()));
        }
        open.push(change);
    }
    None
}

#[test]
fn an_overlap_is_seen_and_a_sequence_is_none() {
    let change = |what: &str, digest: &str, epoch| Change {
        what: what.to_owned(),
        environment: "staging".to_owned(),
        package: "core".to_owned(),
        version: "1.0.0".to_owned(),
        digest: digest.to_owned(),
        epoch,
    };
    let sequence = [change("begin", "a", 1), change("end", "a", 1), change("begin", "b", 2)];
    assert_eq!(overlap(&sequence), None);
    assert!(overlap(&[change("begin", "a", 1), change("begin", "b", 2)]).is_some());
    assert_eq!(overlap(&[change("begin", "a", 1), change("begin", "a", 2)]), None);
}
