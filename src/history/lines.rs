//! The lines of a message, and which of them only quote what others said.

/// A line without its line end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Line<'a> {
    /// Without white space at its end.
    pub text: &'a str,
    /// Whether it lies in a code fence, a quotation (`>`) or an HTML block of a bot's making.
    pub quoted: bool,
}

impl<'a> Line<'a> {
    pub fn is_blank(&self) -> bool {
        self.text.is_empty()
    }

    /// Whether it stands between two paragraphs; a blank line in a code fence does not.
    pub fn separates(&self) -> bool {
        self.is_blank() && !self.quoted
    }

    /// How many spaces it begins with.
    pub fn indent(&self) -> usize {
        self.text.len() - self.text.trim_start_matches(' ').len()
    }

    /// The same line with some spaces fewer at its start.
    pub fn dedented(&self, spaces: usize) -> Line<'a> {
        let fewer = spaces.min(self.indent());
        Line { text: &self.text[fewer..], quoted: self.quoted }
    }
}

/// Splits a text at LF or CRLF and marks what is quoted.
pub fn lines_of(text: &str) -> Vec<Line<'_>> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let ends = memchr::memchr_iter(b'\n', text.as_bytes()).chain([text.len()]);
    let mut start = 0;
    mark(ends.map(|end| text[std::mem::replace(&mut start, end + 1)..end].trim_end()))
}

/// Marks what is quoted in lines that are already apart.
pub fn mark<'a>(texts: impl Iterator<Item = &'a str>) -> Vec<Line<'a>> {
    let mut lines: Vec<Line<'a>> = texts.map(|text| Line { text, quoted: false }).collect();
    // Nearly no message quotes anything.
    if !lines.iter().any(|line| line.text.trim_start().starts_with(QUOTING)) {
        return lines;
    }
    let closings = closings(&lines);
    let mut state = Quote::None;
    for (index, line) in lines.iter_mut().enumerate() {
        let bare = line.text.trim_start();
        let (quoted, next) = match state {
            Quote::None => open(bare, closings[index + 1]),
            Quote::Fence(fence) if fence.closed_by(bare) => (true, Quote::None),
            Quote::Html(depth) => (true, deeper(depth, bare)),
            Quote::Fence(fence) => (true, Quote::Fence(fence)),
        };
        state = next;
        line.quoted = quoted;
    }
    lines
}

/// What the first line of anything quoted begins with.
pub const QUOTING: [char; 4] = ['`', '~', '>', '<'];

/// The first line that is not blank, and all that follow it.
pub fn first_and_rest<'a, 'b>(lines: &'b [Line<'a>]) -> Option<(Line<'a>, &'b [Line<'a>])> {
    let first = lines.iter().position(|line| !line.is_blank())?;
    Some((lines[first], &lines[first + 1..]))
}

/// Whether a text holds a word of ASCII, in any case.
pub fn holds(text: &str, word: &str) -> bool {
    let (bytes, word) = (text.as_bytes(), word.as_bytes());
    let Some(anchor) = (0..word.len()).min_by_key(|at| RANKS[usize::from(word[*at])]) else {
        return true;
    };
    let stands_around = |at: usize| {
        let part = at.checked_sub(anchor).and_then(|start| bytes.get(start..start + word.len()));
        part.is_some_and(|part| part.eq_ignore_ascii_case(word))
    };
    let (lower, upper) = (word[anchor].to_ascii_lowercase(), word[anchor].to_ascii_uppercase());
    memchr::memchr2_iter(lower, upper, bytes).any(stands_around)
}

/// By which of its signs a word is looked for: the one of the lowest rank.
const RANKS: [u8; 256] = {
    // English has least of the first ones.
    let rarest = b"-zqjxkvbpygfwm";
    let mut ranks = [u8::MAX; 256];
    let mut rank = rarest.len();
    while rank > 0 {
        rank -= 1;
        ranks[rarest[rank] as usize] = rank as u8;
        ranks[rarest[rank].to_ascii_uppercase() as usize] = rank as u8;
    }
    ranks
};

/// The paragraphs: runs of lines between lines that separate.
pub fn paragraphs<'a, 'b>(lines: &'b [Line<'a>]) -> impl Iterator<Item = &'b [Line<'a>]> {
    lines.split(Line::separates).filter(|paragraph| !paragraph.is_empty())
}

/// The text of lines, each line on its own.
pub fn joined(lines: &[Line<'_>]) -> String {
    lines.iter().map(|line| line.text).collect::<Vec<_>>().join("\n")
}

#[derive(Clone, Copy)]
enum Quote {
    None,
    Fence(Fence),
    Html(usize),
}

/// A code fence (CommonMark 0.31, section 4.5).
#[derive(Clone, Copy)]
struct Fence {
    tilde: bool,
    length: usize,
}

impl Fence {
    fn opened_by(text: &str) -> Option<Fence> {
        let tilde = text.starts_with('~');
        let rest = text.trim_start_matches(if tilde { '~' } else { '`' });
        let length = text.len() - rest.len();
        let opens = length >= 3 && (tilde || !rest.contains('`'));
        opens.then_some(Fence { tilde, length })
    }

    fn closed_by(self, text: &str) -> bool {
        bare_fence(text).is_some_and(|other| other.tilde == self.tilde && other.length >= self.length)
    }
}

/// A line that can close a fence: nothing else stands on it.
fn bare_fence(text: &str) -> Option<Fence> {
    let fence = Fence::opened_by(text)?;
    (text.len() == fence.length).then_some(fence)
}

/// For each line the longest fences that can still close from there on: (backticks, tildes).
/// A fence that nothing closes is no fence, or all that follows it would be lost.
fn closings(lines: &[Line<'_>]) -> Vec<(usize, usize)> {
    let mut longest = vec![(0, 0); lines.len() + 1];
    for (index, line) in lines.iter().enumerate().rev() {
        longest[index] = longest[index + 1];
        if let Some(fence) = bare_fence(line.text.trim_start()) {
            let (backticks, tildes) = &mut longest[index];
            let length = if fence.tilde { tildes } else { backticks };
            *length = fence.length.max(*length);
        }
    }
    longest
}

fn open(text: &str, (backticks, tildes): (usize, usize)) -> (bool, Quote) {
    if let Some(fence) = Fence::opened_by(text)
        && fence.length <= if fence.tilde { tildes } else { backticks }
    {
        return (true, Quote::Fence(fence));
    }
    if is_html_quote(text) {
        return (true, deeper(0, text));
    }
    (text.starts_with('>'), Quote::None)
}

/// The blocks in which bots quote release notes and changelogs.
fn is_html_quote(text: &str) -> bool {
    starts_with_tag(text, "<details") || starts_with_tag(text, "<blockquote")
}

fn deeper(depth: usize, text: &str) -> Quote {
    let mut depth = depth;
    for (start, _) in text.match_indices('<') {
        let tag = &text[start..];
        if is_html_quote(tag) {
            depth += 1;
        } else if starts_with_tag(tag, "</details") || starts_with_tag(tag, "</blockquote") {
            depth = depth.saturating_sub(1);
        }
    }
    if depth == 0 { Quote::None } else { Quote::Html(depth) }
}

fn starts_with_tag(text: &str, tag: &str) -> bool {
    let named = text.get(..tag.len()).is_some_and(|start| start.eq_ignore_ascii_case(tag));
    named && !text[tag.len()..].starts_with(|c: char| c.is_ascii_alphanumeric())
}

#[cfg(test)]
mod tests {
    use super::{holds, lines_of};

    fn quoted(text: &str) -> String {
        lines_of(text).iter().map(|line| if line.quoted { 'q' } else { '-' }).collect()
    }

    #[test]
    fn a_word_is_found_in_any_case_and_place() {
        for text in ["Release-As", "x\nRELEASE-AS: 1", "ärelease-as", "-release-as", "release-release-as"] {
            assert!(holds(text, "release-as"), "{text}");
        }
        for text in ["", "release", "-as", "release_as", "release-a", "elease-as", "rélease-as"] {
            assert!(!holds(text, "release-as"), "{text}");
        }
        assert!(holds("Re-REVERTED", "revert") && holds("Packages: a", "packages") && holds("", ""));
        assert!(!holds("reverb", "revert") && !holds("package s", "packages"));
    }

    #[test]
    fn line_ends_and_trailing_space_vanish() {
        let texts: Vec<&str> = lines_of("\u{feff}a  \r\n b\t\n\nc").iter().map(|line| line.text).collect();
        assert_eq!(texts, ["a", " b", "", "c"]);
    }

    #[test]
    fn fences_quotations_and_details_are_quoted() {
        assert_eq!(quoted("a\n```\nb\n\nc\n```\nd"), "-qqqqq-");
        assert_eq!(quoted("a\n  ~~~ text\nb ```\n~~~~\nd"), "-qqq-");
        assert_eq!(quoted("> a\n>\nb"), "qq-");
        assert_eq!(quoted("<details>\na\n<blockquote>\nb</blockquote>\nc\n</details>\nd"), "qqqqqq-");
        assert_eq!(quoted("<DETAILS open><summary>x</summary></DETAILS>\nd"), "q-");
        assert_eq!(quoted("<detailsman>\nd"), "--");
    }

    #[test]
    fn a_fence_that_nothing_closes_hides_nothing() {
        assert_eq!(quoted("```\na\nb"), "---");
        assert_eq!(quoted("````\na\n```\nb\n```\nc"), "--qqq-");
        assert_eq!(quoted("```\n~~~\n```\nb"), "qqq-");
        assert_eq!(quoted("`` not\n```in`line```\nb"), "---");
    }

    #[test]
    fn details_that_nothing_closes_run_to_the_end() {
        assert_eq!(quoted("a\n<details>\nb\n\nc"), "-qqqq");
    }
}
