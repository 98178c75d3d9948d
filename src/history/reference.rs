//! Numbers of issues and pull requests in a text.

/// The numbers that `#12` names, in order, each once. `owner/repository#12` is another repository's.
pub fn numbers(text: &str) -> Vec<u64> {
    let mut found = Vec::new();
    for (index, _) in text.match_indices('#') {
        let before = text[..index].chars().next_back();
        if !before.is_some_and(|c| c.is_alphanumeric() || matches!(c, '/' | '&' | '_' | '-' | '.' | '#'))
            && let Some((number, rest)) = leading_number(&text[index + 1..])
            && !rest.starts_with(|c: char| c.is_alphanumeric() || c == '_')
        {
            found.push(number);
        }
    }
    distinct(found)
}

/// The same numbers, each where it stands first.
pub fn distinct(numbers: Vec<u64>) -> Vec<u64> {
    let mut seen = std::collections::BTreeSet::new();
    numbers.into_iter().filter(|number| seen.insert(*number)).collect()
}

/// Splits a title in the pull request it ends in (`(#12)`, Bitbucket's `(pull request #12)`) and what stands before.
pub fn split_trailing(title: &str) -> (&str, Option<u64>) {
    let title = title.trim_end();
    let split = || {
        let (before, inside) = title.strip_suffix(')')?.rsplit_once('(')?;
        let digits = inside.strip_prefix('#').or_else(|| inside.strip_prefix("pull request #"))?;
        let (number, rest) = leading_number(digits)?;
        rest.is_empty().then_some((before.trim_end(), Some(number)))
    };
    split().unwrap_or((title, None))
}

/// The number a text begins with, and what follows it.
pub fn leading_number(text: &str) -> Option<(u64, &str)> {
    let end = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    Some((text[..end].parse().ok()?, &text[end..]))
}

#[cfg(test)]
mod tests {
    use super::{numbers, split_trailing};

    #[test]
    fn numbers_of_this_repository_are_found() {
        assert_eq!(numbers("fix #3, (#12) [#4]: #3 and #5."), [3, 12, 4, 5]);
        assert_eq!(numbers("a#1 x/y#2 &#39; #3b # 4 ##5 #99999999999999999999999"), [] as [u64; 0]);
    }

    #[test]
    fn a_trailing_pull_request_is_split_off() {
        assert_eq!(split_trailing("feat: x (#12) "), ("feat: x", Some(12)));
        assert_eq!(split_trailing("Merged in a/b  (pull request #10)"), ("Merged in a/b", Some(10)));
        assert_eq!(split_trailing("(#1)"), ("", Some(1)));
        for title in ["feat: x #12", "feat: (#12) x", "f(#)", "f(#1a)", "f(12)", ""] {
            assert_eq!(split_trailing(title), (title, None));
        }
    }
}
