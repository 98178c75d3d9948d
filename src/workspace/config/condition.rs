//! The language of `success`: one expression with a value, which sees its variables and nothing else.

use std::collections::BTreeSet;

use minijinja::{AutoEscape, Environment, ErrorKind, UndefinedBehavior};

use crate::workspace::config::environment::CheckKind;
use crate::workspace::config::nearest::nearest;
use crate::workspace::config::text::Fault;

/// How many instructions an expression may take: far more than any needs.
const FUEL: u64 = 200_000;
/// Functions that make values out of nothing; conditions are about what was answered.
const GLOBALS: [&str; 4] = ["range", "dict", "debug", "namespace"];

/// The evaluator: no files, no functions, a bounded number of steps, and what is not there is an error.
pub fn evaluator() -> Environment<'static> {
    let mut environment = Environment::new();
    environment.set_auto_escape_callback(|_| AutoEscape::None);
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    environment.set_fuel(Some(FUEL));
    for global in GLOBALS {
        environment.remove_global(global);
    }
    environment
}

/// The variables that an expression for this kind of check sees.
pub fn variables(kind: CheckKind) -> &'static [&'static str] {
    match kind {
        CheckKind::Http => &["status", "headers", "body", "json", "seconds", "version", "digest", "package"],
        CheckKind::Command => &["status", "body", "json", "seconds", "version", "digest", "package"],
        CheckKind::Metrics => &["value", "samples", "seconds", "version", "digest", "package"],
        CheckKind::Container | CheckKind::Install | CheckKind::Version => &[],
    }
}

/// What is wrong with an expression; `None` where nothing is, as far as it can be told without an answer.
pub fn fault(text: &str, kind: CheckKind) -> Option<Fault> {
    let environment = evaluator();
    let expression = match environment.compile_expression(text) {
        Ok(expression) => expression,
        Err(error) => {
            let reason = error.detail().map_or_else(|| error.kind().to_string(), str::to_owned);
            return Some(Fault {
                message: format!("`success` is no expression: {}", reason.trim_end_matches('.')),
                help: "for example \"status == 200 and json.version == version\"".to_owned(),
            });
        }
    };
    if let Some(message) = unknown_word(text) {
        let help = "filters and tests are those of Jinja: `length`, `lower`, `int`, `defined`, …".to_owned();
        return Some(Fault { message, help });
    }
    let known = variables(kind);
    let named: BTreeSet<String> = expression.undeclared_variables(false).into_iter().collect();
    let unknown = named.iter().find(|name| !known.contains(&name.as_str()))?;
    Some(Fault {
        message: format!("`success` knows no `{unknown}` here"),
        help: match nearest(unknown, known.iter().copied()) {
            Some(near) => format!("did you mean `{near}`?"),
            None => format!("there are {}", known.join(", ")),
        },
    })
}

/// A filter, test or method that there is not, as far as it is met without an answer.
fn unknown_word(text: &str) -> Option<String> {
    let mut environment = evaluator();
    environment.set_undefined_behavior(UndefinedBehavior::Chainable);
    let error = environment.compile_expression(text).ok()?.eval(()).err()?;
    let is_unknown = matches!(error.kind(), ErrorKind::UnknownFilter | ErrorKind::UnknownTest);
    is_unknown
        .then(|| format!("`success`: {}", error.detail().unwrap_or("a filter or test that there is not")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(text: &str) -> Option<(String, String)> {
        fault(text, CheckKind::Http).map(|fault| (fault.message, fault.help))
    }

    #[test]
    fn an_expression_names_what_there_is() {
        assert_eq!(said("status == 200 and json.version == version"), None);
        assert_eq!(said("headers['x-build'] is defined and body|length > 3"), None);
        let (message, help) = said("stauts == 200").unwrap();
        assert_eq!(
            (message.as_str(), help.as_str()),
            ("`success` knows no `stauts` here", "did you mean `status`?")
        );
        let (message, help) = said("value < 1").unwrap();
        assert_eq!(message, "`success` knows no `value` here");
        assert!(help.starts_with("there are status, headers"), "{help}");
        assert!(said("range(3)").is_some() && said("debug()").is_some());
    }

    #[test]
    fn what_is_no_expression_is_said_with_its_reason() {
        let (message, _) = said("status == ").unwrap();
        assert!(message.starts_with("`success` is no expression: "), "{message}");
        for text in ["", "{{ status }}", "status = 200", "status == 200 &&"] {
            let (message, _) = said(text).unwrap_or_else(|| panic!("{text}"));
            assert!(message.starts_with("`success` is no expression: "), "{message}");
        }
        let (message, _) = said("json.state|nosuch == 'up'").unwrap();
        assert!(message.contains("nosuch"), "{message}");
    }
}
