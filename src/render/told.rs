//! What a pull request or an issue is told after a release.

use crate::render::neutral::one_line;

/// How the first line begins; the plan's digest follows.
pub const MARK: &str = "<!-- release: told plan=";

/// The comment: each release with its page.
pub fn told_body(mark: &str, released: &[(String, String)]) -> String {
    let named: Vec<String> =
        released.iter().map(|(name, page)| format!("[{}]({page})", one_line(name))).collect();
    format!("{mark}\nReleased in {}.\n", named.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_releases_stand_in_one_comment() {
        let released = [("core 1.2.0", "https://host/a"), ("[x](y) @all <b>", "https://host/b")];
        let released = released.map(|(name, page)| (name.to_owned(), page.to_owned()));
        let body = told_body("<!-- release: told plan=1 -->", &released);
        assert!(
            body.starts_with("<!-- release: told plan=1 -->\nReleased in [core 1.2.0](https://host/a), [")
        );
        assert!(!body.contains("[x](y)") && !body.contains("<b>"), "{body}");
        assert_eq!(body.matches("@all").count(), body.matches("`@all`").count(), "nobody is called: {body}");
    }
}
