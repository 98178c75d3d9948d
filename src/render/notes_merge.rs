//! Brings notes that people edited up to new changes: their words stay, what is new comes in, what is gone goes.

use crate::render::headings::Hidden;

/// A heading, a list item with its lines, or a paragraph.
type Item<'t> = &'t str;

/// The edited notes with what `new` says beyond `old`, and without what `old` said and `new` does not.
///
/// What a person changed is no item of `old` any more and stays as it is; what a person deleted stays away.
pub fn merge(old: &str, new: &str, edited: &str) -> String {
    let (old, new) = (items(old), items(new));
    let mut merged: Vec<Item<'_>> = items(edited);
    if old == new {
        return joined(&merged);
    }
    let gone: Vec<Item<'_>> = old.iter().filter(|item| !new.contains(item)).copied().collect();
    // Put in before anything goes, so that what replaces an item comes in its place.
    for (place, item) in new.iter().enumerate() {
        if old.contains(item) || merged.contains(item) {
            continue;
        }
        let at = place_of(&new[..place], &old, item, &merged);
        match at {
            Place::After(index) => merged.insert(index + 1, item),
            Place::Section(heading) => merged.extend([heading, *item]),
            Place::First => merged.insert(0, item),
            Place::End => merged.push(item),
        }
    }
    merged.retain(|item| !gone.contains(item));
    joined(&without_empty_sections(merged, &gone))
}

enum Place<'t> {
    After(usize),
    /// At the end, below its heading written again.
    Section(Item<'t>),
    First,
    End,
}

/// Where a new item goes: behind the nearest item before it that is there. One of a section stays in its section.
fn place_of<'t>(before: &[Item<'t>], old: &[Item<'t>], item: Item<'t>, merged: &[Item<'t>]) -> Place<'t> {
    let there = |wanted: &Item<'t>| merged.iter().rposition(|found| found == wanted);
    if !is_listed(item) {
        return match before.iter().rev().find_map(there) {
            Some(index) => Place::After(end_of_section(merged, index, item)),
            None if before.is_empty() => Place::First,
            None => Place::End,
        };
    }
    let heading = before.iter().rposition(|item| is_heading(item));
    let section = &before[heading.map_or(0, |at| at + 1)..];
    if let Some(index) = section.iter().rev().find_map(there) {
        return Place::After(index);
    }
    match heading.map(|at| before[at]) {
        Some(heading) => match there(&heading) {
            Some(index) => Place::After(index),
            // The heading is reworded: what stood below it in the old notes tells where.
            None => match sibling(old, heading, merged) {
                Some(index) => Place::After(index),
                None => Place::Section(heading),
            },
        },
        None => Place::First,
    }
}

/// A heading or paragraph comes after the whole section of its predecessor.
fn end_of_section(merged: &[Item<'_>], index: usize, item: Item<'_>) -> usize {
    if !is_heading(item) {
        return index;
    }
    let further = merged[index + 1..].iter().take_while(|next| is_listed(next)).count();
    index + further
}

/// The last item that the old notes had below a heading and that is still there.
fn sibling(old: &[Item<'_>], heading: Item<'_>, merged: &[Item<'_>]) -> Option<usize> {
    let at = old.iter().position(|item| *item == heading)?;
    let below = old[at + 1..].iter().take_while(|item| is_listed(item));
    below.filter_map(|item| merged.iter().rposition(|found| found == item)).max()
}

/// A heading of the old notes below which nothing is left goes too.
fn without_empty_sections<'t>(merged: Vec<Item<'t>>, gone: &[Item<'t>]) -> Vec<Item<'t>> {
    if gone.is_empty() {
        return merged;
    }
    let is_empty = |index: usize| merged.get(index + 1).is_none_or(|next| is_heading(next));
    let kept =
        |index: &usize| !(is_heading(merged[*index]) && gone.contains(&merged[*index]) && is_empty(*index));
    (0..merged.len()).filter(kept).map(|index| merged[index]).collect()
}

fn is_heading(item: Item<'_>) -> bool {
    item.starts_with('#')
}

fn is_listed(item: Item<'_>) -> bool {
    item.starts_with("- ") || item.starts_with("* ")
}

/// The items of a text. An item of a list holds the lines below it that are indented.
fn items(text: &str) -> Vec<Item<'_>> {
    let mut found: Vec<(usize, usize)> = Vec::new();
    let mut hidden = Hidden::default();
    let (mut at, mut blank) = (0, true);
    for line in text.split_inclusive('\n') {
        let (start, end) = (at, at + line.trim_end().len());
        at += line.len();
        let takes = hidden.takes(line.trim_end());
        if line.trim().is_empty() {
            blank = true;
            continue;
        }
        let indented = line.starts_with([' ', '\t']);
        let opens = !takes && (is_heading(line) || is_listed(line));
        let goes_on = found.last().is_some_and(|(first, _)| {
            let last = &text[*first..];
            (indented && is_listed(last)) || (!blank && !opens && !is_heading(last)) || takes
        });
        match found.last_mut() {
            Some((_, last)) if goes_on => *last = end,
            _ => found.push((start, end)),
        }
        blank = false;
    }
    found.into_iter().map(|(start, end)| &text[start..end]).collect()
}

fn joined(items: &[Item<'_>]) -> String {
    let mut text = String::new();
    for (index, item) in items.iter().enumerate() {
        let listed = index > 0 && is_listed(item) && is_listed(items[index - 1]);
        text.push_str(match index {
            0 => "",
            _ if listed => "\n",
            _ => "\n\n",
        });
        text.push_str(item);
    }
    text.push('\n');
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    const OLD: &str = "### Features\n\n- one\n- two\n\nContributors: Ada.\n\n[All changes](c/1.2.1)\n";

    #[track_caller]
    fn check(new: &str, edited: &str, expected: &str) {
        assert_eq!(merge(OLD, new, edited), expected);
    }

    #[test]
    fn new_entries_come_into_their_section() {
        check(
            "### Features\n\n- one\n- two\n- three\n\n### Fixes\n\n- four\n\nContributors: Ada.\n\n[All changes](c/1.2.1)\n",
            "Read this.\n\n### Features\n\n- one, reworded\n- two\n\nContributors: Ada.\n\n[All changes](c/1.2.1)\n",
            "Read this.\n\n### Features\n\n- one, reworded\n- two\n- three\n\n### Fixes\n\n- four\n\nContributors: Ada.\n\n[All changes](c/1.2.1)\n",
        );
    }

    #[test]
    fn what_people_deleted_stays_away_and_what_is_gone_goes() {
        check(
            "### Features\n\n- two\n- three\n\nContributors: Ada.\n\n[All changes](c/1.3.0)\n",
            "### Features\n\n- one\n\nContributors: Ada.\n\n[All changes](c/1.2.1)\n",
            "### Features\n\n- three\n\nContributors: Ada.\n\n[All changes](c/1.3.0)\n",
        );
    }

    #[test]
    fn a_reworded_heading_keeps_its_section() {
        check(
            "### Features\n\n- one\n- two\n- three\n\nContributors: Ada.\n\n[All changes](c/1.2.1)\n",
            "### What is new\n\n- one\n- two\n",
            "### What is new\n\n- one\n- two\n- three\n",
        );
        check(
            "### Features\n\n- one\n- two\n- three\n\nContributors: Ada.\n\n[All changes](c/1.2.1)\n",
            "All of it is new.\n",
            "All of it is new.\n\n### Features\n\n- three\n",
        );
    }

    #[test]
    fn nothing_new_leaves_the_words_alone() {
        check(
            OLD,
            "- mine\n  and more\n\n```\n# no heading\n\n- no item\n```\n",
            "- mine\n  and more\n\n```\n# no heading\n\n- no item\n```\n",
        );
    }

    #[test]
    fn without_the_old_notes_all_is_new_that_is_not_there() {
        assert_eq!(
            merge("", "### Features\n\n- one\n- two\n", "### Features\n\n- two\n- mine\n"),
            "### Features\n\n- one\n- two\n- mine\n"
        );
    }
}
