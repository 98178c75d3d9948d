//! A failure as a person reads it: what, because of what, and what to do.

use std::error::Error;

use crate::report::paint::Paint;
use crate::report::plain::terminal;

/// `error: …`, its causes, then a line for each hint; ends with a newline.
pub fn render_failure(error: &dyn Error, hints: &[String], color: bool) -> String {
    let mut text = labelled("error", Paint::Red, &error.to_string(), color);
    for cause in causes(error) {
        text.push_str(&labelled("  because", Paint::Dim, &cause, color));
    }
    for hint in hints {
        text.push_str(&labelled("hint", Paint::Cyan, hint, color));
    }
    text
}

/// The messages of all causes, without those that the messages before already say.
fn causes(error: &dyn Error) -> Vec<String> {
    let mut said = error.to_string();
    let mut causes = Vec::new();
    let mut next = error.source();
    while let Some(cause) = next {
        let message = cause.to_string();
        if !said.contains(message.trim()) {
            said.push('\n');
            said.push_str(&message);
            causes.push(message);
        }
        next = cause.source();
    }
    causes
}

/// One labelled message; its further lines keep their shape and stand below.
fn labelled(label: &str, paint: Paint, message: &str, color: bool) -> String {
    let indent = label.len() - label.trim_start().len();
    let (space, word) = label.split_at(indent);
    let shown = terminal(message);
    let mut lines = shown.trim_end().lines().map(str::trim_end);
    let first = lines.next().unwrap_or("");
    let mut text = format!("{space}{} {first}", Paint::on(paint, &format!("{word}:"), color));
    text.truncate(text.trim_end().len());
    for line in lines {
        text.push('\n');
        if !line.is_empty() {
            text.push_str(space);
            text.push_str(line);
        }
    }
    text.push('\n');
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, thiserror::Error)]
    #[error("{message}")]
    struct Layer {
        message: String,
        #[source]
        source: Option<Box<Layer>>,
    }

    fn error(messages: &[&str]) -> Layer {
        let (first, rest) = messages.split_first().unwrap();
        let source = (!rest.is_empty()).then(|| Box::new(error(rest)));
        Layer { message: (*first).to_owned(), source }
    }

    #[track_caller]
    fn check(messages: &[&str], hints: &[&str], shown: &str) {
        let hints: Vec<String> = hints.iter().map(|hint| (*hint).to_owned()).collect();
        assert_eq!(render_failure(&error(messages), &hints, false), shown);
    }

    #[test]
    fn causes_follow_and_hints_end_it() {
        check(
            &["failed to read release.toml", "permission denied"],
            &["`chmod u+r release.toml`", "or run it as its owner"],
            "error: failed to read release.toml\n  because: permission denied\n\
             hint: `chmod u+r release.toml`\nhint: or run it as its owner\n",
        );
    }

    #[test]
    fn a_cause_already_said_is_not_said_again() {
        check(
            &["failed to open a: no such file", "no such file", "no such file"],
            &[],
            "error: failed to open a: no such file\n",
        );
    }

    #[test]
    fn lines_stay_and_controls_go() {
        check(
            &["build failed:\n    line\u{1b}[31m one\r\n\u{202e}two  \n\n"],
            &[],
            "error: build failed:\n    line one\ntwo\n",
        );
    }

    #[test]
    fn color_paints_the_label_alone() {
        assert_eq!(render_failure(&error(&["x"]), &[], true), "\u{1b}[1;31merror:\u{1b}[0m x\n");
    }
}
