//! `{version}`, `{digest}` and `{package}` in texts of checks.

/// The words that stand for something.
pub const WORDS: [&str; 3] = ["version", "digest", "package"];

/// What they stand for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Filling<'f> {
    pub version: &'f str,
    pub digest: &'f str,
    pub package: &'f str,
}

/// The text with its placeholders filled, once: what is filled in is not read again. Other braces stay.
pub fn fill(text: &str, filling: &Filling<'_>) -> String {
    fill_with(text, filling, str::to_owned)
}

/// `fill` for regular expressions: what is filled in stands for itself.
pub fn fill_escaped(text: &str, filling: &Filling<'_>) -> String {
    fill_with(text, filling, regex::escape)
}

fn fill_with(text: &str, filling: &Filling<'_>, write: fn(&str) -> String) -> String {
    let values =
        [("{version}", filling.version), ("{digest}", filling.digest), ("{package}", filling.package)];
    let mut filled = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(brace) = rest.find('{') {
        filled.push_str(&rest[..brace]);
        rest = &rest[brace..];
        match values.iter().find_map(|(word, value)| Some((rest.strip_prefix(word)?, value))) {
            Some((after, value)) => {
                filled.push_str(&write(value));
                rest = after;
            }
            None => {
                filled.push('{');
                rest = &rest[1..];
            }
        }
    }
    filled + rest
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILLING: Filling<'_> = Filling { version: "1.2", digest: "sha256:ab", package: "{version}" };

    #[test]
    fn placeholders_are_filled_once() {
        assert_eq!(fill("{package}-{version}", &FILLING), "{version}-1.2");
        assert_eq!(fill("up{job=\"{version}\"} {{digest}}", &FILLING), "up{job=\"1.2\"} {sha256:ab}");
        assert_eq!(fill("{", &FILLING), "{");
        assert_eq!(fill_escaped("^{version}$", &FILLING), "^1\\.2$");
    }
}
