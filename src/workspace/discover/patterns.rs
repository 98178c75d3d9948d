//! The fewest patterns that describe a set of folders.

use crate::workspace::discover::Pattern;
use crate::workspace::path::RepoPath;

/// Patterns that cover all of `wanted` and none of `others`; the widest first chosen, the plainest among equals.
pub fn describe(wanted: &[RepoPath], others: &[RepoPath]) -> Vec<String> {
    let mut open: Vec<&RepoPath> = wanted.iter().collect();
    let mut chosen = Vec::new();
    while let Some(first) = open.first() {
        let best = open
            .iter()
            .flat_map(|folder| candidates(folder))
            .filter_map(|text| Pattern::new(&text).map(|pattern| (text, pattern)))
            .filter(|(_, pattern)| !others.iter().any(|other| pattern.covers(other)))
            .map(|(text, pattern)| {
                let count = open.iter().filter(|folder| pattern.covers(folder)).count();
                (count, std::cmp::Reverse(text.matches('*').count()), text)
            })
            .max_by(|one, other| (one.0, one.1).cmp(&(other.0, other.1)).then_with(|| other.2.cmp(&one.2)));
        let text = best.map_or_else(|| first.to_string(), |(_, _, text)| text);
        let Some(pattern) = Pattern::new(&text) else { break };
        let before = open.len();
        open.retain(|folder| !pattern.covers(folder));
        if open.len() == before {
            break;
        }
        chosen.push(text);
    }
    chosen.sort();
    chosen
}

/// The folder itself, then with its last parts as `*`, one more each time; the first part stays where there are several.
fn candidates(folder: &RepoPath) -> Vec<String> {
    if folder.is_root() {
        return vec![".".to_owned()];
    }
    let parts: Vec<&str> = folder.as_git().split('/').collect();
    let widest = if parts.len() == 1 { 1 } else { parts.len() - 1 };
    (0..=widest)
        .map(|stars| {
            let (kept, starred) = parts.split_at(parts.len() - stars);
            let kept = kept.iter().map(|part| escaped(part));
            kept.chain(starred.iter().map(|_| "*".to_owned())).collect::<Vec<_>>().join("/")
        })
        .collect()
}

/// A folder's name in which the signs of patterns stand for themselves.
fn escaped(part: &str) -> String {
    globset::escape(part)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(wanted: &[&str], others: &[&str], expected: &[&str]) {
        let paths = |list: &[&str]| -> Vec<RepoPath> {
            list.iter().map(|path| RepoPath::new(path).unwrap()).collect()
        };
        assert_eq!(describe(&paths(wanted), &paths(others)), expected);
    }

    #[test]
    fn few_patterns_describe_the_set() {
        check(
            &["src/packages/ai/mlops", "src/packages/data/a", "src/packages/data/b"],
            &["."],
            &["src/packages/*/*"],
        );
        check(&["packages/core", "packages/mlops"], &[], &["packages/*"]);
        check(
            &["packages/core", "packages/mlops"],
            &["packages/internal"],
            &["packages/core", "packages/mlops"],
        );
        check(&["libs/a", "libs/b", "apps/c"], &[], &["apps/c", "libs/*"]);
        check(&["core", "mlops"], &["."], &["*"]);
        check(&["core", "mlops"], &["tools"], &["core", "mlops"]);
        check(&["."], &[], &["."]);
        check(&[".", "plugins/a", "plugins/b"], &[], &[".", "plugins/*"]);
        check(&["only/one"], &[], &["only/one"]);
        check(&["a[1]", "b"], &["c"], &["a[[]1[]]", "b"]);
        check(&[], &[], &[]);
    }
}
