//! What withdrawing a release means: where it runs, what to do by hand, how to go forward.

use serde::Serialize;

use crate::report::plain::line;
use crate::report::table::{indented, paragraph};

/// A release that was withdrawn, and what follows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Withdrawal {
    pub package: String,
    pub version: String,
    pub reason: String,
    pub index: String,
    /// Whether the index is a folder.
    pub folder: bool,
    /// The page where a person yanks it, where one is known.
    pub page: Option<String>,
    /// The environments that run it.
    pub running: Vec<String>,
    /// Packages of the repository that depend on the package.
    pub dependents: Vec<String>,
    pub last_good: Option<String>,
    pub last_good_tag: Option<String>,
    pub bad_tag: String,
    /// The package's folder.
    pub path: String,
    /// The version that the next plan gives it; null where nothing waits.
    pub next: Option<String>,
}

/// For people, in the order of what to do.
pub fn withdrawal_text(withdrawal: &Withdrawal, width: usize) -> String {
    let (package, version) = (line(&withdrawal.package), line(&withdrawal.version));
    let mut text = format!("withdrew {package} {version}: it comes into no environment any more\n");
    let mut say = |told: String| text.push_str(&indented(&paragraph(&told, width.saturating_sub(2), 2), 2));
    for environment in &withdrawal.running {
        let environment = line(environment);
        say(format!("- {environment} runs it: `release rollback {environment} -p {package} --reason TEXT`"));
    }
    say(format!("- {}", yank(withdrawal)));
    say(format!(
        "- who pins `{package}=={version}` gets it all the same (PEP 592): tell them; those who depend on it here: {}",
        match withdrawal.dependents.is_empty() {
            true => "nobody".to_owned(),
            false => line(&withdrawal.dependents.join(", ")),
        }
    ));
    match (&withdrawal.last_good_tag, &withdrawal.next) {
        (_, Some(next)) => say(format!(
            "- forward: the next plan releases {package} {}; `release plan -p {package}`",
            line(next)
        )),
        (Some(good), None) => say(format!(
            "- forward: revert what is bad of `git log --oneline {}..{} -- {}`, then `release plan -p {package}`",
            line(good),
            line(&withdrawal.bad_tag),
            line(&withdrawal.path)
        )),
        (None, None) => say("- forward: mend it, then `release plan` gives the next number".to_owned()),
    }
    text
}

fn yank(withdrawal: &Withdrawal) -> String {
    let (package, version) = (line(&withdrawal.package), line(&withdrawal.version));
    match (&withdrawal.page, withdrawal.folder) {
        (Some(page), _) => format!(
            "yank it by hand: {page}, Options, Yank, with the reason \"{}\"",
            line(&withdrawal.reason)
        ),
        (None, true) => format!(
            "`{}` is a folder: set `yanked` of the files of {package} {version} in its `index.json` to the reason; the next \
             release of it writes `index.html` by that",
            line(&withdrawal.index)
        ),
        (None, false) => format!("yank it by hand on `{}`, as that index has it", line(&withdrawal.index)),
    }
}
