//! Whether a text is an environment marker (PEP 508, "Environment Markers").

/// The variables of PEP 508 and PEP 751, and those that setuptools knew before.
const VARIABLES: &[&str] = &[
    "python_version",
    "python_full_version",
    "os_name",
    "sys_platform",
    "platform_release",
    "platform_system",
    "platform_version",
    "platform_machine",
    "platform_python_implementation",
    "implementation_name",
    "implementation_version",
    "extra",
    "extras",
    "dependency_groups",
    "os.name",
    "sys.platform",
    "platform.version",
    "platform.machine",
    "platform.python_implementation",
    "python_implementation",
];

/// Checks the shape of a marker: comparisons of a variable or quotation with another, joined by `and` and `or`,
/// grouped by parentheses. What the comparisons mean is not asked.
///
/// # Errors
/// The first thing that is wrong, in words.
pub fn check(text: &str) -> Result<(), String> {
    let mut tokens = Tokens { rest: text };
    let mut depth = 0_usize;
    loop {
        depth += tokens.openings();
        comparison(&mut tokens)?;
        loop {
            match tokens.next()? {
                Token::Close if depth > 0 => depth -= 1,
                Token::Word("and" | "or") => break,
                Token::End if depth == 0 => return Ok(()),
                Token::End => return Err("`(` in the marker is never closed".to_owned()),
                other => return Err(format!("expected `and`, `or` or the end of the marker, found {other}")),
            }
        }
    }
}

fn comparison(tokens: &mut Tokens<'_>) -> Result<(), String> {
    operand(tokens)?;
    match tokens.next()? {
        Token::Operator("<" | "<=" | ">" | ">=" | "==" | "!=" | "~=" | "===") | Token::Word("in") => {}
        Token::Word("not") => match tokens.next()? {
            Token::Word("in") => {}
            other => return Err(format!("expected `in` after `not` in the marker, found {other}")),
        },
        other => return Err(format!("expected a comparison in the marker, found {other}")),
    }
    operand(tokens)
}

fn operand(tokens: &mut Tokens<'_>) -> Result<(), String> {
    match tokens.next()? {
        Token::Quotation => Ok(()),
        Token::Word(word) if VARIABLES.contains(&word) => Ok(()),
        other => Err(format!("expected a marker variable or a quotation, found {other}")),
    }
}

enum Token<'t> {
    Word(&'t str),
    Operator(&'t str),
    Quotation,
    Open,
    Close,
    End,
}

impl std::fmt::Display for Token<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Token::Word(text) | Token::Operator(text) => write!(f, "`{text}`"),
            Token::Quotation => f.write_str("a quotation"),
            Token::Open => f.write_str("`(`"),
            Token::Close => f.write_str("`)`"),
            Token::End => f.write_str("the end"),
        }
    }
}

struct Tokens<'t> {
    rest: &'t str,
}

impl<'t> Tokens<'t> {
    /// Moves past the opening parentheses ahead and counts them.
    fn openings(&mut self) -> usize {
        let mut count = 0;
        while let Some(rest) = self.rest.trim_start_matches([' ', '\t']).strip_prefix('(') {
            self.rest = rest;
            count += 1;
        }
        count
    }

    fn next(&mut self) -> Result<Token<'t>, String> {
        self.rest = self.rest.trim_start_matches([' ', '\t']);
        let Some(first) = self.rest.chars().next() else { return Ok(Token::End) };
        match first {
            '(' => Ok(self.single(Token::Open)),
            ')' => Ok(self.single(Token::Close)),
            '\'' | '"' => self.quotation(first),
            '<' | '>' | '=' | '!' | '~' => {
                Ok(Token::Operator(self.take(|character| matches!(character, '<' | '>' | '=' | '!' | '~'))))
            }
            _ => {
                let word =
                    self.take(|character| character.is_ascii_alphanumeric() || "_.".contains(character));
                match word {
                    "" => Err(format!("`{}` has no place in a marker", first.escape_debug())),
                    word => Ok(Token::Word(word)),
                }
            }
        }
    }

    fn single(&mut self, token: Token<'t>) -> Token<'t> {
        self.rest = &self.rest[1..];
        token
    }

    fn quotation(&mut self, mark: char) -> Result<Token<'t>, String> {
        let (_, rest) = self.rest[1..].split_once(mark).ok_or("a quotation in the marker is never closed")?;
        self.rest = rest;
        Ok(Token::Quotation)
    }

    fn take(&mut self, accepted: impl Fn(char) -> bool) -> &'t str {
        let length = self.rest.find(|character| !accepted(character)).unwrap_or(self.rest.len());
        let (taken, rest) = self.rest.split_at(length);
        self.rest = rest;
        taken
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn markers_of_every_shape_are_known() {
        for text in [
            "python_version < '3.12'",
            "python_version<\"3.12\"and(os_name=='nt'or extra=='a-b')",
            "'linux' in sys_platform and 'x' not  in platform_version",
            "((os.name == 'é'))",
            "'' === '(' or python_full_version ~= '3.8.1'",
            "'dev' in dependency_groups",
        ] {
            assert_eq!(check(text), Ok(()), "{text}");
        }
    }

    #[test]
    fn other_texts_are_refused_with_the_reason() {
        let refused = |text: &str, reason: &str| assert_eq!(check(text).unwrap_err(), reason);
        refused("", "expected a marker variable or a quotation, found the end");
        refused("nonsense == 'a'", "expected a marker variable or a quotation, found `nonsense`");
        refused("os_name", "expected a comparison in the marker, found the end");
        refused("os_name = 'a'", "expected a comparison in the marker, found `=`");
        refused("os_name not 'a'", "expected `in` after `not` in the marker, found a quotation");
        refused("os_name == 'a", "a quotation in the marker is never closed");
        refused("(os_name == 'a'", "`(` in the marker is never closed");
        refused("os_name == 'a')", "expected `and`, `or` or the end of the marker, found `)`");
        refused("os_name == 'a' 'b'", "expected `and`, `or` or the end of the marker, found a quotation");
        refused("os_name == 'a' and", "expected a marker variable or a quotation, found the end");
        refused("os_name == 'a'é", "`é` has no place in a marker");
    }

    #[test]
    fn depth_costs_no_stack() {
        let depth = 200_000;
        assert_eq!(check(&format!("{}os_name == 'a'{}", "(".repeat(depth), ")".repeat(depth))), Ok(()));
        assert!(check(&"(".repeat(depth)).is_err());
    }
}
