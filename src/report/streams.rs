//! The one door to the terminal: asked-for data to stdout, telling to stderr.

use std::env;
use std::io::{self, BufRead, BufWriter, ErrorKind, IsTerminal, StdoutLock, Write};

/// What `--color` says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ColorChoice {
    Auto,
    Always,
    Never,
}

/// How many bytes are written at once.
const PIECE: usize = 64 << 10;
/// Columns where nobody says how many there are.
const WIDTH: usize = 80;
/// Fewer columns than these are not laid out for.
const NARROWEST: usize = 24;

/// Stdout and stderr, and how they want to be written to.
#[derive(Debug)]
pub struct Streams {
    quiet: bool,
    color: bool,
    color_of_telling: bool,
    terminal: bool,
    rewritable: bool,
    width: usize,
    lost: bool,
}

impl Streams {
    /// Looks at the environment and the two streams once.
    pub fn new(color: ColorChoice, quiet: bool) -> Streams {
        let terminal = io::stderr().is_terminal();
        let wish = ColorWish::of(color, |name| env::var(name).ok());
        Streams {
            quiet,
            color: wish.colors(io::stdout().is_terminal()),
            color_of_telling: wish.colors(terminal),
            terminal,
            rewritable: terminal && !wish.dumb,
            width: width(env::var("COLUMNS").ok().as_deref()),
            lost: false,
        }
    }

    /// Prints what was asked for. A reader that has gone away is no failure.
    pub fn print(&mut self, text: &str) {
        self.print_with(|stdout| stdout.write_all(text.as_bytes()));
    }

    /// Prints what a function writes, piece by piece.
    pub fn print_with(&mut self, write: impl FnOnce(&mut BufWriter<StdoutLock<'static>>) -> io::Result<()>) {
        let mut stdout = BufWriter::with_capacity(PIECE, io::stdout().lock());
        let written = write(&mut stdout).and_then(|()| stdout.flush());
        // What could not be written is not tried again.
        drop(stdout.into_parts());
        match written {
            Err(error) if error.kind() != ErrorKind::BrokenPipe => {
                self.lost = true;
                self.error(&format!("error: failed to write to stdout: {error}\n"));
            }
            _ => {}
        }
    }

    /// Tells something beside the data; silent where `--quiet` was said.
    pub fn tell(&mut self, text: &str) {
        if !self.quiet {
            tell_always(text);
        }
    }

    /// Tells what went wrong, quiet or not.
    pub fn error(&mut self, text: &str) {
        tell_always(text);
    }

    /// Asks a person. True for `y` and `yes`; false for all else and for the end of the input.
    pub fn ask(&mut self, question: &str) -> bool {
        tell_always(question);
        let mut answer = String::new();
        match io::stdin().lock().read_line(&mut answer) {
            Ok(_) => is_yes(&answer),
            Err(_) => false,
        }
    }

    /// Columns of the terminal.
    pub fn width(&self) -> usize {
        self.width
    }

    /// Whether data is colored.
    pub fn color(&self) -> bool {
        self.color
    }

    /// Whether telling is colored.
    pub fn color_of_telling(&self) -> bool {
        self.color_of_telling
    }

    /// Whether telling goes to a terminal.
    pub fn is_terminal(&self) -> bool {
        self.terminal
    }

    /// Whether telling goes to a terminal that can rewrite its last line.
    pub fn is_rewritable(&self) -> bool {
        self.rewritable
    }

    /// Whether asked-for data could not be written, as on a full disk.
    pub fn has_lost_data(&self) -> bool {
        self.lost
    }
}

/// Writes to stderr. A stderr that is closed has nobody who could be told.
pub fn tell_always(text: &str) {
    let mut stderr = io::stderr().lock();
    let written = stderr.write_all(text.as_bytes()).and_then(|()| stderr.flush());
    drop(written);
}

fn is_yes(answer: &str) -> bool {
    matches!(answer.trim().to_ascii_lowercase().as_str(), "y" | "yes")
}

/// `COLUMNS`, else the terminal's size, else 80.
fn width(columns: Option<&str>) -> usize {
    let said = columns.and_then(|text| text.trim().parse::<usize>().ok()).filter(|columns| *columns > 0);
    let seen = || terminal_size::terminal_size().map(|(width, _)| usize::from(width.0));
    said.or_else(seen).filter(|columns| *columns > 0).unwrap_or(WIDTH).max(NARROWEST)
}

/// What the command line and the environment say of color (no-color.org, bixense.com/clicolors).
#[derive(Debug, Clone, Copy)]
struct ColorWish {
    decided: Option<bool>,
    dumb: bool,
}

impl ColorWish {
    fn of(choice: ColorChoice, variable: impl Fn(&str) -> Option<String>) -> ColorWish {
        let is_set = |name: &str| variable(name).is_some_and(|value| !value.is_empty());
        let forced = variable("CLICOLOR_FORCE").is_some_and(|value| !value.is_empty() && value != "0");
        let dumb = variable("TERM").is_some_and(|value| value == "dumb");
        let decided = match choice {
            ColorChoice::Always => Some(true),
            ColorChoice::Never => Some(false),
            ColorChoice::Auto if is_set("NO_COLOR") => Some(false),
            ColorChoice::Auto if forced => Some(true),
            ColorChoice::Auto if dumb => Some(false),
            ColorChoice::Auto => None,
        };
        ColorWish { decided, dumb }
    }

    fn colors(self, terminal: bool) -> bool {
        self.decided.unwrap_or(terminal)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn colors(choice: ColorChoice, variables: &[(&str, &str)], terminal: bool) -> bool {
        let find = |name: &str| {
            variables.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned())
        };
        ColorWish::of(choice, find).colors(terminal)
    }

    #[test]
    fn a_terminal_is_colored_and_a_file_is_not() {
        assert!(colors(ColorChoice::Auto, &[], true));
        assert!(!colors(ColorChoice::Auto, &[], false));
    }

    #[test]
    fn the_flag_wins_over_the_environment() {
        assert!(colors(ColorChoice::Always, &[("NO_COLOR", "1"), ("TERM", "dumb")], false));
        assert!(!colors(ColorChoice::Never, &[("CLICOLOR_FORCE", "1")], true));
    }

    #[test]
    fn the_environment_decides_where_no_flag_does() {
        assert!(!colors(ColorChoice::Auto, &[("NO_COLOR", "1"), ("CLICOLOR_FORCE", "1")], true));
        assert!(colors(ColorChoice::Auto, &[("NO_COLOR", "")], true));
        assert!(colors(ColorChoice::Auto, &[("CLICOLOR_FORCE", "1")], false));
        assert!(!colors(ColorChoice::Auto, &[("CLICOLOR_FORCE", "0")], false));
        assert!(!colors(ColorChoice::Auto, &[("TERM", "dumb")], true));
    }

    #[test]
    fn columns_say_the_width() {
        assert_eq!(width(Some("120")), 120);
        assert_eq!(width(Some(" 33\n")), 33);
        assert_eq!(width(Some("5")), 24);
        assert!(width(Some("0")) > 0);
        assert!(width(Some("wide")) > 0);
    }

    #[test]
    fn only_yes_is_yes() {
        for (answer, yes) in [("y\n", true), ("YES\r\n", true), ("", false), ("n", false), ("yep", false)] {
            assert_eq!(is_yes(answer), yes, "{answer:?}");
        }
    }
}
