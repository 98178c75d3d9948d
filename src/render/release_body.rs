//! The text of a release at GitHub: the notes, cut where they are too long, and a mark by which it is found again.

/// The most characters that GitHub takes.
const LIMIT: usize = 125_000;
const OPENS: &str = "<!-- release-plan: ";
const CLOSES: &str = " -->";

/// What makes a release ours, hidden in its text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mark {
    /// The plan's digest.
    pub plan: String,
    pub package: String,
    pub version: String,
}

impl Mark {
    /// As an HTML comment, which GitHub does not show.
    pub fn text(&self) -> String {
        let Mark { plan, package, version } = self;
        format!("{OPENS}{plan} package: {package} version: {version}{CLOSES}")
    }

    /// The last mark of a text, whatever a person wrote around it.
    pub fn read(text: &str) -> Option<Mark> {
        let (_, after) = text.rsplit_once(OPENS)?;
        let (inside, _) = after.split_once(CLOSES)?;
        let (plan, rest) = inside.split_once(" package: ")?;
        let (package, version) = rest.split_once(" version: ")?;
        Some(Mark { plan: plan.to_owned(), package: package.to_owned(), version: version.to_owned() })
    }
}

/// The notes and the mark below them. Notes that are too long end at a line; `whole` says where all of them stand.
pub fn body(notes: &str, mark: &Mark, whole: &str) -> String {
    let mark = mark.text();
    let notes = notes.trim_end();
    if notes.chars().count() + mark.chars().count() + 4 <= LIMIT {
        return format!("{notes}\n\n{mark}\n").trim_start().to_owned();
    }
    let pointer = format!("\n\n… {whole}\n\n{mark}\n");
    let room = LIMIT - pointer.chars().count().min(LIMIT);
    let cut = notes.char_indices().nth(room).map_or(notes.len(), |(at, _)| at);
    let end = notes[..cut].rfind('\n').unwrap_or(cut);
    let kept = notes[..end].trim_end();
    format!("{}{pointer}", closed(kept))
}

/// A text whose last code fence is closed, so that what follows is shown.
fn closed(text: &str) -> String {
    let fences = text.lines().filter(|line| line.trim_start().starts_with("```")).count();
    if fences % 2 == 0 { text.to_owned() } else { format!("{text}\n```") }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mark() -> Mark {
        Mark { plan: "sha256:ab".to_owned(), package: "core".to_owned(), version: "1.2.0rc1".to_owned() }
    }

    #[test]
    fn a_release_is_found_again_by_its_mark_whatever_was_written_around_it() {
        let text = body("## Features\n\n- a\n", &mark(), "elsewhere");
        let expected =
            "## Features\n\n- a\n\n<!-- release-plan: sha256:ab package: core version: 1.2.0rc1 -->\n";
        assert_eq!(text, expected);
        assert_eq!(Mark::read(&text), Some(mark()));
        let edited = format!("By hand.\r\n{}\r\nBelow.", text.replace('\n', "\r\n"));
        assert_eq!(Mark::read(&edited), Some(mark()));
        for other in
            ["", "release-plan: sha256:ab", "<!-- release-plan: sha256:ab -->", "<!-- release-plan: "]
        {
            assert_eq!(Mark::read(other), None, "{other}");
        }
    }

    #[test]
    fn notes_that_are_too_long_end_at_a_line_and_say_where_the_rest_is() {
        let notes = "- ä line of the notes\n".repeat(10_000);
        let text = body(&notes, &mark(), "all of it: CHANGELOG.md");
        assert!(
            text.chars().count() <= LIMIT && text.chars().count() > LIMIT - 100,
            "{}",
            text.chars().count()
        );
        let (kept, rest) = text.split_once("\n\n… ").unwrap();
        assert!(kept.lines().all(|line| line == "- ä line of the notes"));
        assert!(rest.starts_with("all of it: CHANGELOG.md\n\n<!--"), "{rest}");
        assert_eq!(Mark::read(&text), Some(mark()));
        let code = format!("```\n{}", "x\n".repeat(100_000));
        assert!(body(&code, &mark(), "w").contains("x\n```\n\n… w"));
        let one_line = "x".repeat(200_000);
        assert!(body(&one_line, &mark(), "w").chars().count() <= LIMIT);
    }
}
