//! Text that fits: cut, wrapped, and laid out in columns, measured as a terminal shows it.

use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

use crate::report::paint::Paint;
use crate::report::plain::line;

/// One cell: its text is cut where it does not fit, its tail never.
#[derive(Debug, Clone, Default)]
pub struct Cell {
    text: String,
    tail: String,
    paint: Paint,
    right: bool,
}

impl Cell {
    /// A cell of foreign or own text, brought onto one plain line.
    pub fn new(text: &str) -> Cell {
        Cell { text: line(&start(text)), ..Cell::default() }
    }

    pub fn paint(self, paint: Paint) -> Cell {
        Cell { paint, ..self }
    }

    /// What stands behind the text, cut or not.
    pub fn tail(self, tail: &str) -> Cell {
        Cell { tail: tail.to_owned(), ..self }
    }

    /// Stands at the right side of its column.
    pub fn right(self) -> Cell {
        Cell { right: true, ..self }
    }

    fn width(&self) -> usize {
        self.text.width() + self.tail.width()
    }

    /// The cell in so many columns.
    fn fitted(&self, width: usize) -> String {
        if self.tail.width() >= width {
            return fit(&format!("{}{}", self.text, self.tail), width);
        }
        fit(&self.text, width - self.tail.width()) + &self.tail
    }
}

/// Rows in columns, two spaces apart; no line is wider than `width`, none ends in a space.
///
/// The widest columns give way first.
pub fn table(rows: &[Vec<Cell>], width: usize, color: bool) -> String {
    let columns = columns(rows, width);
    let mut text = String::new();
    for row in rows {
        text.push_str(&row_line(row, &columns, width, color));
        text.push('\n');
    }
    text
}

/// The text in at most so many columns; what is cut off shows as `…`.
pub fn fit(text: &str, width: usize) -> String {
    let most = width.saturating_mul(4);
    if text.width() <= width && text.chars().nth(most).is_none() {
        return text.to_owned();
    }
    let Some(room) = width.checked_sub(1) else { return String::new() };
    let mut used = 0;
    let mut cut: String = text
        .chars()
        .take(most)
        .take_while(|character| {
            used += character.width().unwrap_or(0);
            used <= room
        })
        .collect();
    cut.truncate(cut.trim_end().len());
    cut.push('…');
    cut
}

/// Words in lines of at most `width` columns; lines after the first begin with `indent` spaces.
///
/// A word wider than a line is cut.
pub fn wrap(text: &str, width: usize, indent: usize) -> Vec<String> {
    let mut lines = Vec::new();
    let mut current = String::new();
    for word in text.split(' ').filter(|word| !word.is_empty()) {
        let gap = usize::from(!current.trim().is_empty());
        if gap == 1 && current.width() + 1 + word.width() > width {
            lines.push(std::mem::replace(&mut current, " ".repeat(indent)));
        } else if gap == 1 {
            current.push(' ');
        }
        current.push_str(word);
    }
    lines.push(current);
    lines.iter().map(|line| fit(line, width)).collect()
}

/// Wrapped text as one string, each line ended.
pub fn paragraph(text: &str, width: usize, indent: usize) -> String {
    wrap(text, width, indent).into_iter().map(|line| line + "\n").collect()
}

/// At most so many lines of wrapped text; where lines are missing, the last one ends in `…`.
pub fn first_lines(text: &str, width: usize, indent: usize, most: usize) -> String {
    let mut lines = wrap(text, width, indent);
    if lines.len() > most {
        lines.truncate(most);
        if let Some(last) = lines.last_mut() {
            *last = match last.width() < width {
                true => format!("{last}…"),
                false => fit(&format!("{last} "), width),
            };
        }
    }
    lines.into_iter().map(|line| line + "\n").collect()
}

/// Every line a few spaces in.
pub fn indented(text: &str, spaces: usize) -> String {
    let space = " ".repeat(spaces);
    text.lines().map(|line| format!("{space}{line}").trim_end().to_owned() + "\n").collect()
}

/// Enough of a text for any line; the rest is not worth reading.
fn start(text: &str) -> String {
    text.chars().take(20_000).collect()
}

/// Each column's width: as wide as its widest cell, then the widest ones narrowed until all fit.
fn columns(rows: &[Vec<Cell>], width: usize) -> Vec<usize> {
    let count = rows.iter().map(Vec::len).max().unwrap_or(0);
    let widest = |column: usize| rows.iter().filter_map(|row| row.get(column)).map(Cell::width).max();
    let mut columns: Vec<usize> = (0..count).map(|column| widest(column).unwrap_or(0).min(width)).collect();
    let gaps = 2 * columns.iter().filter(|column| **column > 0).count().saturating_sub(1);
    while columns.iter().sum::<usize>() + gaps > width {
        let Some(column) = columns.iter_mut().max().filter(|column| **column > 1) else { break };
        *column -= 1;
    }
    columns
}

fn row_line(row: &[Cell], columns: &[usize], width: usize, color: bool) -> String {
    let mut text = String::new();
    let mut used = 0;
    let mut at = 0;
    for (cell, column) in row.iter().zip(columns).filter(|(_, column)| **column > 0) {
        let fitted = cell.fitted(*column).trim_end().to_owned();
        let before = if cell.right { column - fitted.width().min(*column) } else { 0 };
        if !fitted.is_empty() && at + before + fitted.width() <= width {
            text.push_str(&" ".repeat(at + before - used));
            used = at + before + fitted.width();
            text.push_str(&cell.paint.on(&fitted, color));
        }
        at += column + 2;
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cut_shows_and_counts_wide_characters_twice() {
        assert_eq!(fit("abcdef", 6), "abcdef");
        assert_eq!(fit("abcdef", 5), "abcd…");
        assert_eq!(fit("ab cdef", 4), "ab…");
        assert_eq!(fit("日本語", 5), "日本…");
        assert_eq!(fit("日本語", 4), "日…");
        assert_eq!(fit("abc", 1), "…");
        assert_eq!(fit("abc", 0), "");
    }

    #[test]
    fn marks_without_width_do_not_go_on_for_ever() {
        let piled = format!("a{}", "\u{301}".repeat(10_000));
        assert!(fit(&piled, 10).chars().count() <= 41);
    }

    #[test]
    fn the_widest_column_gives_way() {
        let rows = vec![
            vec![Cell::new("core"), Cell::new("10").right(), Cell::new(&"long ".repeat(2_000))],
            vec![Cell::new("日本"), Cell::new("9").right(), Cell::new("short").tail(", +2 more")],
        ];
        let expected = "core  10  long long long lon…\n日本   9  short, +2 more\n";
        assert_eq!(table(&rows, 29, false), expected);
    }

    #[test]
    fn a_tail_is_never_cut() {
        let rows = vec![vec![Cell::new("a very long reason").tail(", +2 more")]];
        assert_eq!(table(&rows, 18, false), "a very l…, +2 more\n");
    }

    #[test]
    fn color_does_not_move_columns() {
        let rows = vec![vec![Cell::new("a").paint(Paint::Red), Cell::default(), Cell::new("b")]];
        assert_eq!(table(&rows, 80, true), "\u{1b}[1;31ma\u{1b}[0m  b\n");
    }

    #[test]
    fn no_width_is_too_small() {
        let rows = vec![vec![Cell::new("abc"), Cell::new("defg"), Cell::new("日本").right()]];
        for width in 0..12 {
            for line in table(&rows, width, false).lines() {
                assert!(line.width() <= width, "{width}: {line:?}");
                assert!(!line.ends_with(' '), "{width}: {line:?}");
            }
        }
    }

    #[test]
    fn lines_that_are_missing_show() {
        assert_eq!(first_lines("one two three", 7, 0, 1), "one tw…\n");
        assert_eq!(first_lines("one two three", 8, 0, 1), "one two…\n");
        assert_eq!(first_lines("one two three", 7, 0, 2), "one two\nthree\n");
    }

    #[test]
    fn words_are_wrapped_under_an_indent() {
        assert_eq!(wrap("hint: one two three", 10, 2), ["hint: one", "  two", "  three"]);
        assert_eq!(wrap("", 10, 2), [""]);
        assert_eq!(wrap(&"x".repeat(30), 5, 2), ["xxxx…"]);
    }
}
