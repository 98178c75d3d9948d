//! The commit message that GitHub will write when it merges a pull request.

/// A pull request and the settings of its repository; what is not known is GitHub's default.
#[derive(Debug, Clone, Copy, Default)]
pub struct MergeWords<'m> {
    pub number: u64,
    pub title: &'m str,
    pub body: &'m str,
    /// `owner:branch`.
    pub label: &'m str,
    /// The messages of its commits, the oldest first.
    pub messages: &'m [String],
    /// `PR_TITLE` and the like, as GitHub's interface names them.
    pub title_rule: Option<&'m str>,
    pub message_rule: Option<&'m str>,
}

/// Of a merge commit.
pub fn merge_message(words: &MergeWords<'_>) -> String {
    let title = match words.title_rule {
        Some("PR_TITLE") => titled(words.title, words.number),
        _ => format!("Merge pull request #{} from {}", words.number, words.label.replacen(':', "/", 1)),
    };
    let body = match words.message_rule {
        Some("PR_BODY") => words.body.trim(),
        Some("BLANK") => "",
        _ => words.title.trim(),
    };
    joined(&title, body)
}

/// Of the one commit that a squashed pull request becomes. Its title counts: without the repository's own word, its
/// commits are left out.
pub fn squash_message(words: &MergeWords<'_>) -> String {
    let (title, only) = match (words.title_rule, words.messages) {
        (Some("COMMIT_OR_PR_TITLE"), [only]) => (only.lines().next().unwrap_or_default(), Some(only)),
        _ => (words.title, None),
    };
    let title = titled(title, words.number);
    match (words.message_rule, words.messages) {
        (Some("PR_BODY"), _) => joined(&title, words.body.trim()),
        (Some("COMMIT_MESSAGES"), [one]) => {
            let text = only.unwrap_or(one);
            joined(&title, text.split_once('\n').map_or("", |(_, body)| body.trim()))
        }
        (Some("COMMIT_MESSAGES"), several) => {
            let listed: Vec<String> = several.iter().map(|message| format!("* {}", message.trim())).collect();
            joined(&title, &listed.join("\n\n"))
        }
        _ => title,
    }
}

fn titled(title: &str, number: u64) -> String {
    format!("{} (#{number})", title.trim())
}

fn joined(title: &str, body: &str) -> String {
    if body.is_empty() { title.to_owned() } else { format!("{title}\n\n{body}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words<'m>(messages: &'m [String], rules: (&'m str, &'m str)) -> MergeWords<'m> {
        let known = |rule: &'m str| (!rule.is_empty()).then_some(rule);
        MergeWords {
            number: 12,
            title: "feat: all of it",
            body: "Because.\n\nBREAKING CHANGE: gone",
            label: "ada:topic/one",
            messages,
            title_rule: known(rules.0),
            message_rule: known(rules.1),
        }
    }

    #[test]
    fn a_merge_says_what_the_repository_lets_it_say() {
        let check = |rules, expected| assert_eq!(merge_message(&words(&[], rules)), expected);
        check(("", ""), "Merge pull request #12 from ada/topic/one\n\nfeat: all of it");
        check(("MERGE_MESSAGE", "BLANK"), "Merge pull request #12 from ada/topic/one");
        check(("PR_TITLE", "PR_BODY"), "feat: all of it (#12)\n\nBecause.\n\nBREAKING CHANGE: gone");
    }

    #[test]
    fn a_squash_says_its_title_and_what_the_repository_adds() {
        let two = ["fix: a\n\nwhy".to_owned(), "chore: b".to_owned()];
        let check = |messages: &[String], rules, expected: &str| {
            assert_eq!(squash_message(&words(messages, rules)), expected);
        };
        check(&two, ("", ""), "feat: all of it (#12)");
        check(&two, ("PR_TITLE", "PR_BODY"), "feat: all of it (#12)\n\nBecause.\n\nBREAKING CHANGE: gone");
        let both = ("COMMIT_OR_PR_TITLE", "COMMIT_MESSAGES");
        check(&two, both, "feat: all of it (#12)\n\n* fix: a\n\nwhy\n\n* chore: b");
        check(&two[..1], both, "fix: a (#12)\n\nwhy");
        check(&two[..1], ("PR_TITLE", "COMMIT_MESSAGES"), "feat: all of it (#12)\n\nwhy");
        check(&two[..1], ("COMMIT_OR_PR_TITLE", "BLANK"), "fix: a (#12)");
    }
}
