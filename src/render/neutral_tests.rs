use proptest::prelude::{ProptestConfig, proptest};

use super::*;

#[track_caller]
fn check(text: &str, expected: &str) {
    assert_eq!(one_line(text), expected);
}

#[track_caller]
fn check_block(text: &str, expected: &str) {
    assert_eq!(block(text), expected);
}

#[test]
fn plain_sentences_stay_as_they_are() {
    for text in [
        "add a streaming reader",
        "read `a < b` and `<T>` from snake_case names (#12)",
        "a < b, 3 > 2, x <= y, AT&T & co; see GH-12 and 1a2b3c4d",
        "2 * 3, a - b, ~/.config, `~=1.4` to ~=1.5",
        "see https://example.org/a_b?c=d&e=f#g_h",
        "größer, 日本語, 👩\u{200d}💻, a@example.org",
    ] {
        check(text, text);
    }
}

#[test]
fn html_is_shown_and_not_run() {
    check("<script>alert(1)</script>", "&lt;script>alert(1)&lt;/script>");
    check("<img src=x onerror=y> <!-- hidden", "&lt;img src=x onerror=y> &lt;!-- hidden");
    check("&lt;b&gt; &#60; & &;", "&amp;lt;b&amp;gt; &amp;#60; & &;");
    check("ends with <", "ends with &lt;");
    check("\\<b>", "\\\\&lt;b>");
}

#[test]
fn mentions_become_code() {
    check("thanks @everyone and @acme/core-team.", "thanks `@everyone` and `@acme/core-team`.");
    check("@property is kept, a@b is not one, @ alone", "`@property` is kept, a@b is not one, @ alone");
    check("`x`@foo`y`", "`x` `@foo` `y`");
    check("`@inside` stays", "`@inside` stays");
    check("https://@everyone", "https://%40everyone");
    check("_@all_ a_@ada", "\\_`@all_` a\\_`@ada`");
}

#[test]
fn links_and_images_do_not_act() {
    check("[click](javascript:alert(1))", "\\[click\\](javascript:alert(1))");
    check("x](javascript:alert(1)) [y", "x\\](javascript:alert(1)) \\[y");
    check("![pixel](https://t.example/p.png)", "!\\[pixel\\](https://t.example/p.png)");
    check("[1.2.3]: https://evil.example", "\\[1.2.3\\]: https://evil.example");
    check("fix list[int]", "fix list\\[int\\]");
}

#[test]
fn text_at_the_start_begins_no_block() {
    check("# heading", "\\# heading");
    check("#12 is fixed", "\\#12 is fixed");
    check("- item", "\\- item");
    check("* item", "\\* item");
    check("> quote", "\\> quote");
    check("12. item", "12\\. item");
    check("---", "\\---");
    check("===", "\\===");
    check("~~~", "\\~\\~\\~");
    check("-1 is allowed", "-1 is allowed");
    check("3.12 support", "3.12 support");
}

#[test]
fn emphasis_is_shown_as_written() {
    check("add __init__ and *args, **kwargs", "add \\_\\_init\\_\\_ and \\*args, \\*\\*kwargs");
    check("_private and ~~old~~", "\\_private and \\~\\~old\\~\\~");
}

#[test]
fn backticks_are_balanced() {
    check("a `b", "a \\`b");
    check("`a` `b", "`a` \\`b");
    check("``a` b``", "``a` b``");
    check("```", "\\`\\`\\`");
    check("\\`a`", "\\\\`a`");
    check("<b `a> c`", "&lt;b `a> c`");
}

#[test]
fn lines_collapse_and_control_characters_go() {
    check("  a\r\n\r\n b\tc\u{1b}[31m \u{202e}d\u{0} ", "a b c d");
    assert_eq!(terminal("a\u{1b}[2J\r\nb\u{9b}1mc"), "a\nbc");
    assert_eq!(terminal_line("a\u{1b}[2J\r\nb"), "a b");
}

#[test]
fn a_block_keeps_paragraphs_lists_and_code() {
    let text = "The reader changed.\r\n\r\n\r\n- use `read`\r\n  - not <b>\r\n> said @ada\n\n```python\n@x < 3\n```\n";
    check_block(
        text,
        "The reader changed.\n\n- use `read`\n  - not &lt;b>\n> said `@ada`\n\n```python\n@x < 3\n```",
    );
}

#[test]
fn a_block_holds_no_headings_or_rules() {
    check_block("Title\n=====\n# a\n- # b\n---\n***", "Title\n\\=====\n\\# a\n- \\# b\n\\---\n\\*\\*\\*");
}

#[test]
fn code_of_a_block_can_not_be_left() {
    check_block("a\n  ```\nb\n    c\n  ```\n<i>", "a\n```\nb\n  c\n```\n&lt;i>");
    check_block("a\n````x <y>\n```\n# b", "a\n````x\n```\n# b\n````");
    check_block("- ```\n  <b>", "- \\`\\`\\`\n  &lt;b>");
    check_block("```\nx\n```", "\n```\nx\n```");
    check_block("```\n<b> `x`\n\n  [a](b)\n```", "- `` <b> `x` ``\n- `  [a](b)`");
}

#[test]
fn reviewed_markdown_keeps_emphasis_and_web_links() {
    assert_eq!(
        markdown("**New** [docs](https://x.org/a_b), [a](javascript:b) ![i](https://x.org/i.png) <b> @ada"),
        "**New** [docs](https://x.org/a_b), \\[a\\](javascript:b) \\![i](https://x.org/i.png) &lt;b> `@ada`"
    );
    assert_eq!(markdown("- ~~~\n<b>"), "- \\~~~\n&lt;b>");
    assert_eq!(
        markdown("_@all_ http://x.org/_a_![i](http://t)"),
        "_`@all`_ http://x.org/%5Fa%5F\\![i](http://t)"
    );
    assert_eq!(markdown("[x]: javascript:a"), "\\[x\\]: javascript:a");
}

#[test]
fn long_lines_take_linear_time() {
    for piece in ["`", "`a``b```c", "[a](", "[", "\\", "<", "&", "@a", "*_~", "https://", "\u{1b}["] {
        let text = piece.repeat(400_000 / piece.len());
        assert!(!one_line(&text).contains('\u{1b}'));
        markdown(&text);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn nothing_opens_a_tag_outside_code(text in "[<>a-c`\\\\@\\[\\]()!/&;# \n~*_-]{0,60}") {
        let line = one_line(&text);
        assert!(!line.contains('\n'));
        assert!(!tag_outside_code(&line), "{text:?} became {line:?}");
        assert!(line.matches('[').count() == line.matches("\\[").count() || line.contains('`'));
    }

    #[test]
    fn any_text_is_taken(text in "\\PC*|(?s).{0,200}") {
        let _ = (one_line(&text), block(&text), markdown(&text));
        let shown = terminal(&text);
        assert!(shown.chars().all(|c| c == '\n' || !c.is_control()));
        assert_eq!(terminal(&shown), shown);
    }
}

/// Reads code spans as CommonMark does and looks for `<` before a letter outside of them.
fn tag_outside_code(line: &str) -> bool {
    let characters: Vec<char> = line.chars().collect();
    let run = |at: usize| characters[at..].iter().take_while(|c| **c == '`').count();
    let mut at = 0;
    while at < characters.len() {
        match characters[at] {
            '\\' => at += 2,
            '`' => {
                let length = run(at);
                let mut end = at + length;
                while end < characters.len() && !(characters[end] == '`' && run(end) == length) {
                    end += if characters[end] == '`' { run(end) } else { 1 };
                }
                at = if end < characters.len() { end + length } else { at + length };
            }
            '<' if characters.get(at + 1).is_some_and(|c| c.is_ascii_alphabetic() || "/!?".contains(*c)) => {
                return true;
            }
            _ => at += 1,
        }
    }
    false
}
