//! Reads tree objects: a folder's entries, and where two folders differ.

use std::cmp::Ordering;
use std::ops::ControlFlow;

use gix::oid;

/// What an entry of a folder is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Mode {
    File,
    Executable,
    Symlink,
    Folder,
    Submodule,
}

/// One entry of a folder.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Entry<'a> {
    pub name: &'a [u8],
    pub mode: Mode,
    pub id: &'a oid,
}

/// A place where two folders differ: gone, new, or changed in content or mode.
#[derive(Debug, Clone, Copy)]
pub struct Difference<'a> {
    pub name: &'a [u8],
    pub old: Option<Entry<'a>>,
    pub new: Option<Entry<'a>>,
}

impl Mode {
    /// In words, for messages.
    pub fn describe(self) -> &'static str {
        match self {
            Mode::File => "a file",
            Mode::Executable => "an executable file",
            Mode::Symlink => "a symbolic link",
            Mode::Folder => "a folder",
            Mode::Submodule => "a submodule",
        }
    }

    pub fn is_file(self) -> bool {
        matches!(self, Mode::File | Mode::Executable)
    }

    fn parse(octal: &[u8]) -> Option<Mode> {
        match octal {
            b"40000" | b"040000" => Some(Mode::Folder),
            b"120000" => Some(Mode::Symlink),
            b"160000" => Some(Mode::Submodule),
            [b'1', b'0', b'0', owner, ..] => {
                Some(if (owner - b'0') & 1 == 1 { Mode::Executable } else { Mode::File })
            }
            _ => None,
        }
    }
}

/// The entries of a tree object, in git's order; ends early where the object is damaged.
pub fn entries(tree: &[u8]) -> impl Iterator<Item = Entry<'_>> {
    let mut rest = tree;
    std::iter::from_fn(move || {
        let (entry, length) = first(rest)?;
        rest = &rest[length..];
        Some(entry)
    })
}

/// Where each entry of a tree object begins, and where the last one ends; `None` where the object is damaged.
pub fn starts(tree: &[u8]) -> Option<Vec<u32>> {
    let mut starts = vec![0];
    let mut end = 0;
    while end < tree.len() {
        end += first(&tree[end..])?.1;
        starts.push(u32::try_from(end).ok()?);
    }
    Some(starts)
}

/// The entry that a tree object begins with.
pub fn first_entry(tree: &[u8]) -> Option<Entry<'_>> {
    Some(first(tree)?.0)
}

/// Visits each place where two tree objects differ, in git's order, until the visitor breaks.
/// A folder that takes a file's name is two differences.
pub fn differences<'a, B>(
    mut old: &'a [u8],
    mut new: &'a [u8],
    mut visit: impl FnMut(Difference<'a>) -> ControlFlow<B>,
) -> ControlFlow<B> {
    loop {
        let equal = equal_stretch(old, new);
        (old, new) = (&old[equal..], &new[equal..]);
        let (here, there) = (first(old), first(new));
        let order = match (&here, &there) {
            (None, None) => break,
            (Some(_), None) => Ordering::Less,
            (None, Some(_)) => Ordering::Greater,
            (Some((left, _)), Some((right, _))) => compare(left, right),
        };
        let old_entry = here.filter(|_| order != Ordering::Greater);
        let new_entry = there.filter(|_| order != Ordering::Less);
        old = &old[old_entry.map_or(0, |(_, length)| length)..];
        new = &new[new_entry.map_or(0, |(_, length)| length)..];
        let (old_entry, new_entry) = (old_entry.map(|(entry, _)| entry), new_entry.map(|(entry, _)| entry));
        let Some(name) = old_entry.or(new_entry).map(|entry| entry.name) else { break };
        visit(Difference { name, old: old_entry, new: new_entry })?;
    }
    ControlFlow::Continue(())
}

/// How many bytes of whole entries two trees have in common at their beginning.
fn equal_stretch(old: &[u8], new: &[u8]) -> usize {
    const WIDE: usize = 256;
    let shorter = old.len().min(new.len());
    let mut equal = 0;
    while equal + WIDE <= shorter && old[equal..equal + WIDE] == new[equal..equal + WIDE] {
        equal += WIDE;
    }
    let (left, right) = (&old[equal..], &new[equal..]);
    let eight = left.as_chunks::<8>().0.iter().zip(right.as_chunks::<8>().0);
    equal += 8 * eight.take_while(|(left, right)| left == right).count();
    equal += old[equal..].iter().zip(&new[equal..]).take_while(|(left, right)| left == right).count();
    if equal == old.len() && equal == new.len() {
        return equal;
    }
    let mut entries = 0;
    while let Some(end) = old[..equal].get(entries + SHORTEST..).and_then(end_of) {
        let next = entries + SHORTEST + end + 1 + ID;
        if next > equal {
            break;
        }
        entries = next;
    }
    entries
}

/// Where the first NUL stands. Names are short: eight bytes at a time find their end sooner than a search made for long
/// texts.
fn end_of(rest: &[u8]) -> Option<usize> {
    const LOWEST: u64 = u64::from_ne_bytes([0x01; 8]);
    const HIGHEST: u64 = u64::from_ne_bytes([0x80; 8]);
    let mut at = 0;
    while let Some(bytes) = rest[at..].first_chunk() {
        let word = u64::from_le_bytes(*bytes);
        // The highest bit of each byte that is zero, and perhaps of some behind the first of these.
        let zeros = word.wrapping_sub(LOWEST) & !word & HIGHEST;
        if zeros != 0 {
            return Some(at + zeros.trailing_zeros() as usize / 8);
        }
        at += 8;
    }
    rest[at..].iter().position(|byte| *byte == 0).map(|end| at + end)
}

/// Bytes before the NUL of the shortest entry, `40000 x`.
const SHORTEST: usize = 7;
/// Bytes of an object id.
pub const ID: usize = 20;

/// `mode SP name NUL 20 bytes`, and its length.
fn first(tree: &[u8]) -> Option<(Entry<'_>, usize)> {
    let space = tree.iter().take(7).position(|byte| *byte == b' ')?;
    let mode = Mode::parse(&tree[..space])?;
    let end = space + 1 + end_of(&tree[space + 1..])?;
    if end < SHORTEST {
        return None;
    }
    let id = tree.get(end + 1..end + 1 + ID)?;
    let id = oid::try_from_bytes(id).ok()?;
    Some((Entry { name: &tree[space + 1..end], mode, id }, end + 1 + ID))
}

/// git's order: by name, a folder's as if a `/` followed.
fn compare(left: &Entry<'_>, right: &Entry<'_>) -> Ordering {
    let common = left.name.len().min(right.name.len());
    left.name[..common].cmp(&right.name[..common]).then_with(|| {
        let next = |entry: &Entry<'_>| {
            let end = if entry.mode == Mode::Folder { b'/' } else { 0 };
            entry.name.get(common).copied().unwrap_or(end)
        };
        next(left).cmp(&next(right))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tree(entries: &[(&str, &str, u8)]) -> Vec<u8> {
        let mut bytes = Vec::new();
        for (mode, name, id) in entries {
            bytes.extend(format!("{mode} {name}\0").into_bytes());
            bytes.extend([*id; 20]);
        }
        bytes
    }

    fn check(old: &[(&str, &str, u8)], new: &[(&str, &str, u8)], expected: &[&str]) {
        let (old, new) = (tree(old), tree(new));
        let mut seen = Vec::new();
        let end = differences::<()>(&old, &new, |difference| {
            let sign = match (difference.old, difference.new) {
                (Some(_), Some(_)) => '~',
                (Some(_), None) => '-',
                _ => '+',
            };
            seen.push(format!("{sign}{}", String::from_utf8_lossy(difference.name)));
            ControlFlow::Continue(())
        });
        assert!(end.is_continue());
        assert_eq!(seen, expected);
    }

    #[test]
    fn only_what_differs_is_visited() {
        check(
            &[("100644", "a", 1), ("40000", "b", 2), ("100644", "z", 3)],
            &[("100644", "a", 1), ("40000", "b", 9), ("100755", "z", 3)],
            &["~b", "~z"],
        );
        check(&[], &[("100644", "a", 1)], &["+a"]);
        check(
            &[("100644", "a", 1), ("100644", "c", 1)],
            &[("100644", "b", 1), ("100644", "c", 1)],
            &["-a", "+b"],
        );
    }

    #[test]
    fn a_folder_sorts_as_if_a_slash_followed() {
        check(
            &[("100644", "a", 1), ("100644", "a.b", 1)],
            &[("100644", "a.b", 1), ("40000", "a", 1)],
            &["-a", "+a"],
        );
    }

    #[test]
    fn names_of_any_length_and_ids_of_any_byte_are_told_apart() {
        let names: Vec<String> = (1..40).map(|length| "n".repeat(length)).collect();
        for (place, id) in (0..names.len()).flat_map(|place| [0, 1, 0x7f, 0x80, 0xff].map(|id| (place, id))) {
            let old: Vec<_> = names.iter().map(|name| ("100644", name.as_str(), id)).collect();
            let mut new = old.clone();
            new[place].2 = !id;
            check(&old, &new, &[&format!("~{}", names[place])]);
            let more: Vec<String> = names[place + 1..].iter().map(|name| format!("+{name}")).collect();
            check(&old[..=place], &old, &more.iter().map(String::as_str).collect::<Vec<_>>());
        }
    }

    #[test]
    fn a_damaged_tree_ends_the_reading() {
        assert_eq!(entries(b"100644 a\x00short").count(), 0);
        assert_eq!(entries(b"junk").count(), 0);
        for short in [b"40000 \0".as_slice(), b"1006 x\0"] {
            assert_eq!(entries(&[short, &[1; ID]].concat()).count(), 0);
        }
    }
}
