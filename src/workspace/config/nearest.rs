//! The name that was probably meant.

/// The candidate most like `name`; `None` where none is alike.
pub fn nearest<'c>(name: &str, candidates: impl Iterator<Item = &'c str>) -> Option<&'c str> {
    let plain = |text: &str| text.to_lowercase().replace('_', "-");
    let wanted = plain(name);
    let mut best: Option<(usize, &str)> = None;
    for candidate in candidates {
        let distance = strsim::damerau_levenshtein(&wanted, &plain(candidate));
        let longest = wanted.chars().count().max(candidate.chars().count());
        let is_alike = distance <= 3 && distance * 2 <= longest;
        if is_alike && best.is_none_or(|(nearest, _)| distance < nearest) {
            best = Some((distance, candidate));
        }
    }
    best.map(|(_, candidate)| candidate)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_name_that_is_alike_is_proposed() {
        let keys = ["packages", "tag", "aliases", "empty-commits"];
        assert_eq!(nearest("pakcages", keys.into_iter()), Some("packages"));
        assert_eq!(nearest("empty_commits", keys.into_iter()), Some("empty-commits"));
        assert_eq!(nearest("pipy", ["local", "pypi"].into_iter()), Some("pypi"));
        assert_eq!(nearest("cat", keys.into_iter()), None);
        assert_eq!(nearest("zebra", keys.into_iter()), None);
    }
}
