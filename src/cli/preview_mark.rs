//! The first line of a preview's comment: which commit and which run it is of. Nobody sees it, and it is never believed
//! of a stranger's comment.

use std::ffi::OsString;

/// How the line begins.
pub const PREVIEW: &str = "<!-- release: preview ";

/// What the line says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mark {
    /// The pull request's last commit.
    pub tip: String,
    /// The CI's run and its attempt; zeros outside of one.
    pub run: (u64, u64),
}

impl Mark {
    /// The bytes that a mark and the end of its line take at most.
    pub const ROOM: usize = 200;

    /// The mark of this run.
    pub fn new(tip: &str, variable: &dyn Fn(&str) -> Option<OsString>) -> Mark {
        let number = |name: &str| variable(name)?.into_string().ok()?.parse::<u64>().ok();
        let run = number("GITHUB_RUN_ID").unwrap_or(0);
        Mark { tip: tip.to_owned(), run: (run, number("GITHUB_RUN_ATTEMPT").unwrap_or(0)) }
    }

    pub fn line(&self) -> String {
        let Mark { tip, run: (run, attempt) } = self;
        format!("{PREVIEW}commit={tip} run={run} attempt={attempt} -->")
    }

    /// Reads a line; none where it is no whole mark.
    pub fn read(line: &str) -> Option<Mark> {
        let rest = line.strip_prefix(PREVIEW)?.trim_end().strip_suffix(" -->")?;
        let (mut tip, mut run, mut attempt) = (None, None, None);
        for word in rest.split(' ') {
            match word.split_once('=')? {
                ("commit", value) if value.chars().all(|one| one.is_ascii_hexdigit()) => {
                    tip = Some(value.to_owned())
                }
                ("run", value) => run = value.parse().ok(),
                ("attempt", value) => attempt = value.parse().ok(),
                _ => return None,
            }
        }
        Some(Mark { tip: tip?, run: (run?, attempt?) })
    }

    /// Whether this is of a later commit, or of a later run of the same one. Of two commits that have nothing to do
    /// with each other the later run's counts.
    pub fn is_newer_than(&self, other: &Mark, is_ancestor: &dyn Fn(&str, &str) -> bool) -> bool {
        if self.tip != other.tip {
            if is_ancestor(&self.tip, &other.tip) {
                return false;
            }
            if is_ancestor(&other.tip, &self.tip) {
                return true;
            }
        }
        // Runs outside of a CI have no number: whoever looks now is the newest.
        other.run.0 != 0 && self.run > other.run
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mark(tip: &str, run: u64, attempt: u64) -> Mark {
        Mark { tip: tip.to_owned(), run: (run, attempt) }
    }

    #[test]
    fn a_mark_is_read_back_and_nothing_else_is_one() {
        let one = mark(&"a".repeat(40), 71, 2);
        assert_eq!(Mark::read(&one.line()), Some(one.clone()));
        assert!(one.line().len() < Mark::ROOM);
        assert!(mark(&"a".repeat(64), u64::MAX, u64::MAX).line().len() < Mark::ROOM);
        for other in [
            "",
            "> <!-- release: preview commit=a run=1 attempt=1 -->",
            "<!-- release: preview commit=a run=1 -->",
            "<!-- release: preview commit=--> run=1 attempt=1 -->",
            "<!-- release: preview commit=a run=x attempt=1 -->",
        ] {
            assert_eq!(Mark::read(other), None, "{other}");
        }
    }

    #[test]
    fn a_run_outside_of_a_ci_has_no_number() {
        let of = |pairs: &'static [(&'static str, &'static str)]| {
            Mark::new("a", &move |name| {
                pairs.iter().find(|(key, _)| *key == name).map(|(_, value)| value.into())
            })
        };
        assert_eq!(of(&[]).run, (0, 0));
        assert_eq!(of(&[("GITHUB_RUN_ID", "71"), ("GITHUB_RUN_ATTEMPT", "2")]).run, (71, 2));
    }

    #[test]
    fn descent_goes_before_runs_and_runs_decide_the_rest() {
        let line = |older: &str, newer: &str| older <= newer && older.len() == newer.len();
        let newer = |one: &Mark, other: &Mark| one.is_newer_than(other, &line);
        assert!(newer(&mark("b", 1, 1), &mark("a", 9, 1)), "a later commit, though by an earlier run");
        assert!(!newer(&mark("a", 9, 1), &mark("b", 1, 1)));
        assert!(newer(&mark("a", 9, 2), &mark("a", 9, 1)));
        assert!(!newer(&mark("a", 9, 1), &mark("a", 9, 1)));
        assert!(newer(&mark("bb", 9, 1), &mark("a", 8, 1)), "unrelated: the later run");
        assert!(!newer(&mark("bb", 8, 1), &mark("a", 9, 1)));
        assert!(!newer(&mark("a", 9, 1), &mark("a", 0, 0)));
    }
}
