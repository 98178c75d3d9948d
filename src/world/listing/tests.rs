use super::*;
use crate::world::delta::apply;
use crate::world::held::{Held, SMALL, differences};
use crate::world::testing::TestRepository;
use crate::world::tree;
use gix::objs::Kind;
use proptest::prelude::*;

const ENTRIES: usize = 100;

/// A folder of files, each with the same byte throughout its id.
fn folder(ids: &[u8]) -> Vec<u8> {
    let entry = |(place, id): (usize, &u8)| [format!("100644 f{place:03}\0").as_bytes(), &[*id; ID]].concat();
    ids.iter().enumerate().flat_map(entry).collect()
}

/// The delta that copies all but some places, which it writes anew: `(at, bytes)`, in order.
fn delta(base: usize, made: usize, new: &[(usize, &[u8])]) -> Vec<u8> {
    let size = |value: usize| vec![value as u8 | 0x80, (value >> 7) as u8 | 0x80, (value >> 14) as u8];
    let mut delta = [size(base), size(made)].concat();
    let mut at = 0;
    let copy = |delta: &mut Vec<u8>, from: usize, to: usize| {
        if from < to {
            let count = to - from;
            delta.extend([0xb3, from as u8, (from >> 8) as u8, count as u8, (count >> 8) as u8]);
        }
    };
    for (place, bytes) in new {
        copy(&mut delta, at, *place);
        for part in bytes.chunks(0x7f) {
            delta.push(part.len() as u8);
            delta.extend(part);
        }
        at = place + bytes.len();
    }
    copy(&mut delta, at, made);
    delta
}

fn listing(bytes: &[u8]) -> Listing {
    match Held::of(Kind::Tree, bytes.to_vec()) {
        Held::Listing(listing) => listing,
        Held::Whole(_) => panic!("a short folder"),
    }
}

fn seen(
    visit: impl FnOnce(&mut dyn FnMut(Difference<'_>) -> ControlFlow<()>) -> ControlFlow<()>,
) -> Vec<String> {
    let mut seen = Vec::new();
    let end = visit(&mut |difference| {
        seen.push(format!("{difference:?}"));
        ControlFlow::Continue(())
    });
    assert!(end.is_continue());
    seen
}

fn check_differences(old: &Held, new: &Held) -> usize {
    let here = seen(|visit| differences(old, new, visit));
    assert_eq!(here, seen(|visit| tree::differences(&old.bytes(), &new.bytes(), visit)));
    here.len()
}

proptest! {
    #[test]
    fn changed_ids_are_what_the_delta_says(
        bases in prop::collection::vec(any::<u8>(), ENTRIES),
        steps in prop::collection::vec(
            prop::collection::btree_map(0..ENTRIES, (any::<u8>(), 0..ID, 1..=2 * ID), 0..6),
            1..5,
        ),
    ) {
        let first = folder(&bases);
        let mut all = vec![listing(&first)];
        let mut bytes = first;
        for step in steps {
            let before = bytes.clone();
            // Some bytes of an id, and perhaps what follows it.
            let mut places: Vec<(usize, usize)> = Vec::new();
            for (entry, (id, from, count)) in step {
                let start = (entry + 1) * (bytes.len() / ENTRIES) - ID + from;
                let end = (start + count).min(bytes.len());
                if places.last().is_some_and(|(_, before)| *before > start) {
                    continue;
                }
                bytes[start..end.min((entry + 1) * (before.len() / ENTRIES))].fill(id);
                places.push((start, end));
            }
            let new: Vec<(usize, &[u8])> =
                places.iter().map(|(start, end)| (*start, &bytes[*start..*end])).collect();
            let delta = delta(before.len(), bytes.len(), &new);
            prop_assert_eq!(apply(&before, &delta), Some(bytes.clone()));
            let changed = all.last().and_then(|last| last.changed(&delta)).unwrap();
            prop_assert_eq!(&*changed.bytes(), &bytes);
            all.push(changed);
        }
        for old in &all {
            for new in &all {
                check_differences(&Held::Listing(old.clone()), &Held::Listing(new.clone()));
            }
        }
    }
}

#[test]
fn a_delta_that_changes_more_than_ids_is_left() {
    let bytes = folder(&[1; ENTRIES]);
    let (length, one) = (bytes.len(), bytes.len() / ENTRIES);
    let listing = listing(&bytes);
    let left = |new: &[(usize, &[u8])]| listing.changed(&delta(length, length, new)).is_none();
    assert!(!left(&[]));
    assert!(!left(&[(one - 1, b"x")]));
    assert!(!left(&[(one - 2, b"xy100644 f001\0z")]), "the same name");
    assert!(left(&[(one - 2, b"xy100644 g001\0z")]));
    assert!(left(&[(3, b"755")]), "another mode");
    assert!(left(&[(length - 1, b"xx")]), "beyond the end");
    assert!(left(&[(length, b"x")]));
    let shorter = delta(length, length - one, &[]);
    assert!(listing.changed(&shorter).is_none());
    assert!(listing.changed(&delta(length - 1, length, &[])).is_none(), "another base");
    let mut cut = delta(length, length, &[(one - 1, b"x")]);
    cut.truncate(cut.len() - 5);
    assert!(listing.changed(&cut).is_none());
    let mut moved = delta(length, length, &[]);
    let (at, moves) = (moved.len() - 4, 1);
    moved[at] = moves;
    assert!(listing.changed(&moved).is_none(), "copied to another place");
}

#[test]
fn what_reads_as_no_folder_is_left() {
    let mut bytes = folder(&[1; ENTRIES]);
    bytes.push(b'1');
    let delta = delta(bytes.len(), bytes.len(), &[]);
    let listing = listing(&bytes);
    assert!(listing.changed(&delta).is_none());
    assert_eq!(*listing.bytes(), bytes);
}

#[test]
fn long_folders_of_a_pack_are_what_git_says() {
    let repository = TestRepository::init();
    let files = |changed: &[usize]| {
        for file in changed {
            repository.write(&format!("long/folder/f{file:03}"), &format!("{changed:?}"));
        }
    };
    files(&(0..ENTRIES).collect::<Vec<_>>());
    let mut commits = vec![repository.commit("feat: all")];
    for number in 0..30 {
        files(&[number * 7 % ENTRIES, number * 13 % ENTRIES]);
        match number % 10 {
            4 => repository.write(&format!("long/folder/g{number}"), "new"),
            8 if number == 8 => {
                repository.git(&["rm", "-q", "long/folder/f001"]);
                repository.write("long/folder/f001/file", "a folder now");
            }
            _ => {}
        }
        commits.push(repository.commit(&format!("fix: {number}")));
    }
    repository.git(&["repack", "-adfq", "--depth=50"]);
    let objects = repository.open().objects();
    let held: Vec<Held> = commits
        .iter()
        .map(|commit| {
            let id = repository.git(&["rev-parse", &format!("{commit}:long/folder")]);
            let held = objects.tree(&ObjectId::from_hex(id.as_bytes()).unwrap()).unwrap();
            let bytes = held.bytes();
            assert!(bytes.len() > SMALL);
            let hash = gix::objs::compute_hash(gix::hash::Kind::Sha1, Kind::Tree, &bytes).unwrap();
            assert_eq!(hash.to_string(), id);
            held
        })
        .collect();
    let mut found = 0;
    for old in &held {
        for new in &held {
            found += check_differences(old, new);
        }
    }
    assert!(found > ENTRIES);
    let changed = |held: &&Held| matches!(held, Held::Listing(listing) if !listing.changes.is_empty());
    assert!(held.iter().filter(changed).count() > commits.len() / 2);
}
