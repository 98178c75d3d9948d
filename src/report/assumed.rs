//! Says of a plan that it counts commits that do not exist.

use crate::plan::{Assumed, Plan};
use crate::report::markdown::cell;
use crate::report::paint::Paint;
use crate::report::plain::line;
use crate::report::table::paragraph;
use crate::report::words::some;

/// How many paths of a commit are named.
const NAMED: usize = 3;

/// A line for each assumed commit; empty for a plan of what is there.
pub fn assumed_text(plan: &Plan, width: usize, color: bool) -> String {
    let one = |assumed: &Assumed| {
        let paths = some(&assumed.paths, NAMED);
        let text = paragraph(&format!("assumed: {} ({paths})", line(&assumed.subject)), width, 2);
        match text.strip_prefix("assumed:") {
            Some(rest) => Paint::Yellow.on("assumed:", color) + rest,
            None => text,
        }
    };
    plan.assumed.iter().map(one).collect()
}

/// The same as a quotation, which says what follows from it.
pub fn assumed_markdown(plan: &Plan) -> String {
    if plan.assumed.is_empty() {
        return String::new();
    }
    let mut text = "> as if these commits stood on top; this plan can not be shipped:\n>\n".to_owned();
    for assumed in &plan.assumed {
        let (subject, paths) = (cell(&assumed.subject), cell(&some(&assumed.paths, NAMED)));
        text.push_str(&format!("> - {subject} ({paths})\n"));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::samples::{empty, hostile};

    fn plan(subject: &str) -> Plan {
        let paths = ["a", "b", "c", "d"].into_iter().map(str::to_owned).collect();
        Plan {
            assumed: vec![Assumed { commit: "assumed".to_owned(), subject: subject.to_owned(), paths }],
            ..empty()
        }
    }

    #[test]
    fn an_assumed_commit_is_named_with_its_paths() {
        let plan = plan("feat!: x");
        assert_eq!(assumed_text(&plan, 80, false), "assumed: feat!: x (a, b, c, +1 more)\n");
        assert_eq!(
            assumed_markdown(&plan),
            "> as if these commits stood on top; this plan can not be shipped:\n>\n\
             > - feat\\!: x (a, b, c, +1 more)\n"
        );
        assert_eq!(assumed_text(&empty(), 80, false) + &assumed_markdown(&empty()), "");
    }

    #[test]
    fn a_hostile_message_stays_text() {
        let plan = plan(&hostile());
        let text = assumed_markdown(&plan) + &assumed_text(&plan, 80, false);
        assert!(!text.contains("<img @") && !text.contains('\u{1b}') && !text.contains('\u{202e}'), "{text}");
    }
}
