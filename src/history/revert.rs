//! Commits that take others back: what a message reverts, and which commits of a range cancel out.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use crate::history::commit::CommitId;
use crate::history::footer::read_body;
use crate::history::header::read_header;
use crate::history::lines::{Line, first_and_rest, holds, lines_of};
use crate::history::reference::{leading_number, split_trailing};

/// What a commit takes back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Revert {
    /// The title of what is reverted. `Reapply "x"` reverts `Revert "x"`.
    pub subject: String,
    /// The commits it names, whole or by their first digits, in lower case.
    pub commits: Vec<String>,
    /// The pull request that is reverted.
    pub pull_request: Option<u64>,
}

/// Reads what a message reverts: git's and GitHub's `Revert "…"`, git's `Reapply "…"`, `revert: …` with `Refs:`,
/// and other commits whose title says `revert "…"`. A title without quotation marks needs a body that names
/// the commit, or a conventional title after the word.
pub fn revert_of(message: &str) -> Option<Revert> {
    if !may_revert(message) {
        return None;
    }
    let lines = lines_of(message);
    let (first, rest) = first_and_rest(&lines)?;
    let mut commits = named_commits(rest);
    let header = read_header(first.text).ok();
    let title = header.as_ref().map_or(first.text.trim(), |header| &header.description);
    let subject = match &header {
        Some(header) if header.kind.eq_ignore_ascii_case("revert") => {
            commits.extend(footer_commits(rest));
            after_word(title, "revert").and_then(quoted).or_else(|| quoted(title)).unwrap_or(title).to_owned()
        }
        _ => reverted_title(title, !commits.is_empty())?,
    };
    let pull_request = split_trailing(&subject).1.or_else(|| named_request(rest));
    Some(Revert { subject, commits: without_repeats(commits), pull_request })
}

/// Whether the first line holds one of the words that every revert's has.
pub fn may_revert(message: &str) -> bool {
    let title = message.lines().find(|line| !line.trim().is_empty()).unwrap_or("");
    holds(title, "revert") || holds(title, "reapply")
}

/// One commit of a range, as far as reverts ask.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RangeCommit<'a> {
    pub id: &'a CommitId,
    /// The first line of its message.
    pub subject: &'a str,
    pub revert: Option<&'a Revert>,
}

/// Which commits of a range cancel out.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RevertPairs {
    /// Each commit that vanishes, and the commit it vanishes with: a revert and what it takes back.
    pub cancelled: BTreeMap<CommitId, CommitId>,
    /// The reverts that stay, newest first: what they take back, or a part of it, lies outside the range.
    pub outside: Vec<CommitId>,
}

/// Pairs the reverts of a range with what they take back.
///
/// The range is given newest first. A revert looks for the commits it names, else for the newest older commit of
/// its title (exactly, then without the pull request at its end), else of its pull request. Reverts are
/// carried out from the newest back: one that is itself taken back does nothing.
pub fn pair_reverts(range: &[RangeCommit<'_>]) -> RevertPairs {
    let mut index = Index::new(range);
    let mut pairs = RevertPairs::default();
    for (place, commit) in range.iter().enumerate() {
        let Some(revert) = commit.revert.filter(|_| index.alive[place]) else { continue };
        let found = index.find(place, revert);
        for target in &found.targets {
            index.remove(*target);
            pairs.cancelled.insert(range[*target].id.clone(), commit.id.clone());
        }
        match found.targets.first().filter(|_| !found.missing) {
            Some(target) => {
                index.remove(place);
                pairs.cancelled.insert(commit.id.clone(), range[*target].id.clone());
            }
            None => pairs.outside.push(commit.id.clone()),
        }
    }
    pairs
}

/// Places in the range, counted from the newest.
type Places = BTreeSet<usize>;

/// What a revert hits in the range.
struct Found {
    targets: Vec<usize>,
    /// Whether it hits something else too.
    missing: bool,
}

/// The commits of a range that have not vanished, by all that a revert can name.
struct Index<'a> {
    range: &'a [RangeCommit<'a>],
    alive: Vec<bool>,
    ids: BTreeMap<String, usize>,
    titles: BTreeMap<&'a str, Places>,
    /// By a title's bare form, then by the pull request at its end.
    bare: BTreeMap<Form<'a>, BTreeMap<Option<u64>, Places>>,
    requests: BTreeMap<u64, Places>,
}

impl<'a> Index<'a> {
    fn new(range: &'a [RangeCommit<'a>]) -> Index<'a> {
        let mut index = Index {
            range,
            alive: vec![true; range.len()],
            ids: BTreeMap::new(),
            titles: BTreeMap::new(),
            bare: BTreeMap::new(),
            requests: BTreeMap::new(),
        };
        let reverts = || range.iter().filter_map(|commit| commit.revert);
        if reverts().any(|revert| !revert.commits.is_empty()) {
            index.ids =
                range.iter().enumerate().map(|(place, commit)| (commit.id.to_string(), place)).collect();
        }
        // Most commits are named by none.
        let forms: HashSet<Form<'_>> = reverts().map(|revert| bare(&revert.subject).form).collect();
        let requests: HashSet<u64> = reverts().filter_map(|revert| revert.pull_request).collect();
        if forms.is_empty() {
            return index;
        }
        for (place, commit) in range.iter().enumerate() {
            let title = commit.subject.trim();
            let Bare { form, request } = bare(title);
            if forms.contains(&form) {
                index.titles.entry(title).or_default().insert(place);
                index.bare.entry(form).or_default().entry(request).or_default().insert(place);
            }
            if let Some(request) = split_trailing(title).1.filter(|request| requests.contains(request)) {
                index.requests.entry(request).or_default().insert(place);
            }
        }
        index
    }

    fn find(&self, place: usize, revert: &Revert) -> Found {
        let named: Vec<usize> = revert.commits.iter().filter_map(|name| self.by_id(place, name)).collect();
        let targets: Places = named.iter().copied().filter(|target| self.alive[*target]).collect();
        if !named.is_empty() {
            let missing = named.len() < revert.commits.len();
            return Found { targets: targets.into_iter().collect(), missing };
        }
        let by_text = self.by_title(place, &revert.subject).or_else(|| {
            let places = self.requests.get(&revert.pull_request?)?;
            older(places, place)
        });
        Found { targets: by_text.into_iter().collect(), missing: false }
    }

    /// The one older commit whose id begins so.
    fn by_id(&self, place: usize, name: &str) -> Option<usize> {
        let mut beginning = self.ids.range(name.to_owned()..).take_while(|(id, _)| id.starts_with(name));
        let (_, target) = beginning.next()?;
        (beginning.next().is_none() && *target > place).then_some(*target)
    }

    fn by_title(&self, place: usize, title: &str) -> Option<usize> {
        let exact = self.titles.get(title.trim()).and_then(|places| older(places, place));
        exact.or_else(|| {
            let Bare { form, request } = bare(title);
            let forms = self.bare.get(&form)?;
            let matching = |places: &Places| older(places, place);
            match request {
                Some(_) => [request, None].iter().filter_map(|one| forms.get(one).and_then(matching)).min(),
                None => forms.values().filter_map(matching).min(),
            }
        })
    }

    fn remove(&mut self, place: usize) {
        let title = self.range[place].subject.trim();
        self.alive[place] = false;
        let Bare { form, request } = bare(title);
        let forms = self.bare.get_mut(&form).and_then(|forms| forms.get_mut(&request));
        let titles = self.titles.get_mut(title);
        let requests = split_trailing(title).1.and_then(|request| self.requests.get_mut(&request));
        for places in [forms, titles, requests].into_iter().flatten() {
            places.remove(&place);
        }
    }
}

fn older(places: &Places, place: usize) -> Option<usize> {
    places.range(place + 1..).next().copied()
}

/// A title in the form that several spellings of it share, and the pull request at its end where it reverts
/// nothing.
struct Bare<'a> {
    form: Form<'a>,
    request: Option<u64>,
}

#[derive(PartialEq, Eq, PartialOrd, Ord, Hash)]
struct Form<'a> {
    /// How many reverts stand around the innermost title.
    reverts: usize,
    title: &'a str,
}

/// `Revert "x" (#13)` is one revert around `x`; `Reapply "x"` is two.
fn bare(title: &str) -> Bare<'_> {
    let (mut inner, request) = split_trailing(title.trim());
    let mut reverts = 0;
    loop {
        let (more, rest) = match inner.strip_prefix("Revert \"") {
            Some(rest) => (1, rest),
            None => match inner.strip_prefix("Reapply \"") {
                Some(rest) => (2, rest),
                None => break,
            },
        };
        let Some(rest) = split_trailing(rest).0.strip_suffix('"') else { break };
        reverts += more;
        inner = rest;
    }
    Bare { form: Form { reverts, title: inner }, request: request.filter(|_| reverts == 0) }
}

/// The title in `Revert "title"`, `Reapply "title"`, or after the bare word `Revert`.
fn reverted_title(title: &str, names_commits: bool) -> Option<String> {
    if let Some(rest) = after_word(title, "reapply") {
        return quoted(rest).map(|inner| format!("Revert \"{inner}\""));
    }
    let rest = after_word(title, "revert").or_else(|| after_word(title, "reverts"))?;
    if let Some(inner) = quoted(rest) {
        return Some(inner.to_owned());
    }
    let conventional = read_header(rest).is_ok_and(|header| header.is_common());
    (names_commits || conventional).then(|| rest.to_owned())
}

/// What follows a word, in any case, and the space after it.
fn after_word<'a>(text: &'a str, word: &str) -> Option<&'a str> {
    let start = text.get(..word.len())?;
    let rest = text[word.len()..].strip_prefix(' ')?.trim();
    (start.eq_ignore_ascii_case(word) && !rest.is_empty()).then_some(rest)
}

/// What stands between a quotation mark and the last one, a pull request after it apart.
/// Titles that were cut off have no last one.
fn quoted(text: &str) -> Option<&str> {
    let inner = text.strip_prefix('"')?;
    let (whole, _) = split_trailing(inner);
    Some(whole.strip_suffix('.').unwrap_or(whole).strip_suffix('"').unwrap_or(inner))
}

/// The commits in `This reverts commit SHA.`; what a merge had as its other side (`reversing changes made to`) is
/// none of them.
fn named_commits(lines: &[Line<'_>]) -> Vec<String> {
    let mut commits = Vec::new();
    for (index, line) in lines.iter().enumerate().filter(|(_, line)| !line.quoted) {
        let Some(rest) = after_start(line.text, "this reverts commit") else { continue };
        let words = rest.strip_prefix('s').unwrap_or(rest);
        let next = lines.get(index + 1).map_or("", |line| line.text);
        let words = if words.trim().is_empty() { next } else { words };
        let words = words.split_once("reversing").map_or(words, |(before, _)| before);
        commits.extend(object_names(words));
    }
    commits
}

fn after_start<'a>(text: &'a str, start: &str) -> Option<&'a str> {
    let named = text.get(..start.len())?.eq_ignore_ascii_case(start);
    named.then(|| &text[start.len()..])
}

/// The commits in the footers `Refs: 676104e, a215868`, as the specification suggests.
fn footer_commits(lines: &[Line<'_>]) -> Vec<String> {
    let footers = read_body(lines).footers;
    let named =
        footers.iter().filter(|footer| ["ref", "refs", "reverts"].iter().any(|token| footer.is(token)));
    named.flat_map(|footer| object_names(&footer.value)).collect()
}

/// The words that are object names, or beginnings of one: 7 to 64 hexadecimal digits.
fn object_names(text: &str) -> Vec<String> {
    let words = text.split(|c: char| !c.is_ascii_alphanumeric());
    let names =
        words.filter(|word| (7..=64).contains(&word.len()) && word.bytes().all(|b| b.is_ascii_hexdigit()));
    names.map(str::to_ascii_lowercase).collect()
}

fn without_repeats(names: Vec<String>) -> Vec<String> {
    let mut seen = BTreeSet::new();
    names.into_iter().filter(|name| seen.insert(name.clone())).collect()
}

/// The number in GitHub's `Reverts owner/repository#12` and GitLab's `This reverts merge request !12`.
fn named_request(lines: &[Line<'_>]) -> Option<u64> {
    lines.iter().filter(|line| !line.quoted).find_map(|line| {
        let (_, number) = match after_start(line.text, "reverts ") {
            Some(rest) => rest.split_once('#').filter(|(before, _)| !before.contains(' '))?,
            None => after_start(line.text, "this reverts merge request ")?.split_once('!')?,
        };
        leading_number(number).map(|(number, _)| number)
    })
}

#[cfg(test)]
mod tests;
