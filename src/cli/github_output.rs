//! `release plan --output github`: what is to be released, or left to do, for the jobs of a workflow.

use std::path::PathBuf;

use crate::cli::args::{self, Global};
use crate::cli::args_relay::PlanShape;
use crate::cli::failure::Failure;
use crate::cli::known::{claimed, over, plan_of_tag};
use crate::cli::{ledger, open};
use crate::plan::Plan;
use crate::plan::digest::Digest;
use crate::plan::waves::{Matrix, waves};
use crate::report::github_output::{LIMIT, outputs, remark, summary, told};
use crate::report::plan_markdown::plan_markdown;
use crate::report::streams::Streams;
use crate::survey::facts::Survey;
use crate::world::files;

/// Writes a plan of this moment.
///
/// # Errors
/// Where the files that GitHub names can not be written, or would not be read.
pub fn plan(plan: &Plan, streams: &mut Streams) -> Result<(), Failure> {
    let waves = waves(plan, &|_| false);
    write(&waves, &plan.digest, &plan_markdown(plan), streams)
}

/// Writes what is left of the claimed release that a tag belongs to: packages with a step that is not done.
///
/// # Errors
/// As `plan`; where the ledger does not answer or does not know the tag.
pub fn what_is_left(
    global: &Global,
    verb: &args::Plan,
    survey: &Survey,
    tag: &str,
    streams: &mut Streams,
) -> Result<u8, Failure> {
    if verb.output != PlanShape::Github {
        return Err(Failure::user("`--tag` asks what is left for the jobs of a workflow")
            .hint("say `--output github` too; `release status` tells people"));
    }
    let home = ledger::home(global)?;
    let book = ledger::runtime()?.block_on(ledger::present_book(&home))?;
    let under_way = claimed(&book, survey, tag)?;
    let Some((plan, ship)) = under_way else {
        let text = over(book.state(), survey, tag)? + "\n";
        let digest = plan_of_tag(survey, tag)?.as_deref().and_then(Digest::parse);
        write(&[], &digest.unwrap_or_else(Digest::none), &text, streams)?;
        return Ok(if verb.detailed_exitcode { 3 } else { 0 });
    };
    let only = open::names(survey, global)?;
    let is_asked = |id: &str| match (&only, id.split_once(':')) {
        (Some(only), Some((_, package))) => only.contains(package),
        _ => true,
    };
    let waves = waves(&plan, &|id| ship.has_done(id) || !is_asked(id));
    let text = format!("Left of plan {}:\n\n{}", plan.digest.short(), plan_markdown(&left_of(&plan, &waves)));
    write(&waves, &plan.digest, &text, streams)?;
    Ok(if verb.detailed_exitcode && waves.is_empty() { 3 } else { 0 })
}

/// The plan with those releases alone that are not done.
fn left_of(plan: &Plan, waves: &[Matrix]) -> Plan {
    let mut left = plan.clone();
    let is_left =
        |package: &str| waves.iter().flat_map(|wave| &wave.include).any(|row| row.package == package);
    left.releases.retain(|release| is_left(&release.package));
    left
}

fn write(waves: &[Matrix], plan: &Digest, text: &str, streams: &mut Streams) -> Result<(), Failure> {
    let outputs = outputs(waves, plan);
    if outputs.len() > LIMIT {
        let text = format!("the outputs have {} bytes, and GitHub takes {LIMIT} of a job", outputs.len());
        return Err(Failure::user(text).hint(
            "release fewer packages at once with `-p`, or in one job: `release ship --tag TAG --yes`",
        ));
    }
    if let Some(path) = file("GITHUB_STEP_SUMMARY") {
        let room = LIMIT.saturating_sub(usize::try_from(files::length(&path)).unwrap_or(LIMIT));
        files::append(&path, summary(text, room).as_bytes()).map_err(Failure::user)?;
    }
    if let Some(remark) = remark(waves) {
        streams.tell(&format!("{remark}\n"));
    }
    match file("GITHUB_OUTPUT") {
        Some(path) => {
            files::append(&path, outputs.as_bytes()).map_err(Failure::user)?;
            streams.tell(&told(waves));
        }
        None => streams.print(&outputs),
    }
    Ok(())
}

/// The file that a variable of the job names, where it names one.
pub fn file(variable: &str) -> Option<PathBuf> {
    std::env::var_os(variable).filter(|path| !path.is_empty()).map(PathBuf::from)
}
