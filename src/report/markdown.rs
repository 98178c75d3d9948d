//! Foreign text as Markdown shows it: letters, never markup, links, mentions or HTML.

use crate::report::plain::{line, terminal};

/// One line of foreign text, fit for a table's cell.
pub fn cell(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for character in line(text).chars().take(500) {
        match character {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '@' => safe.push_str("@\u{200d}"),
            '#' => safe.push_str("#\u{200d}"),
            '\\' | '`' | '*' | '_' | '[' | ']' | '|' | '~' | '!' => {
                safe.push('\\');
                safe.push(character);
            }
            character => safe.push(character),
        }
    }
    safe
}

/// Text that is Markdown already: HTML and mentions lose their effect, all else stays.
pub fn block(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for character in terminal(text).chars() {
        match character {
            '<' => safe.push_str("&lt;"),
            '@' => safe.push_str("@\u{200d}"),
            character => safe.push(character),
        }
    }
    safe
}

/// A row of a table; its cells are Markdown already.
pub fn row(cells: &[String]) -> String {
    format!("| {} |\n", cells.join(" | "))
}

/// A table's first two lines.
pub fn head(titles: &[&str]) -> String {
    format!("| {} |\n|{}\n", titles.join(" | "), " --- |".repeat(titles.len()))
}

/// A part that is folded until somebody opens it.
pub fn folded(summary: &str, body: &str) -> String {
    format!("<details>\n<summary>{summary}</summary>\n\n{}\n\n</details>\n", body.trim())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cell_holds_letters_only() {
        assert_eq!(
            cell("a|b <img> @all `x`\n[l](u) #7"),
            "a\\|b &lt;img&gt; @\u{200d}all \\`x\\` \\[l\\](u) #\u{200d}7"
        );
        assert!(cell(&"|".repeat(10_000)).len() <= 1_000);
    }

    #[test]
    fn a_block_keeps_its_markdown_and_loses_html() {
        assert_eq!(
            block("### Fixes\n\n- `a` </details>\u{1b}[2J @all"),
            "### Fixes\n\n- `a` &lt;/details> @\u{200d}all"
        );
    }
}
