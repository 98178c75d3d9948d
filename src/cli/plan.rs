//! `release plan`: what would be released, and why.

use crate::cli::args::{self, Global};
use crate::cli::args_relay::PlanShape;
use crate::cli::assume::{assumptions, refuse_saving};
use crate::cli::failure::{Failure, Kind};
use crate::cli::github_output;
use crate::cli::ledger;
use crate::cli::merged::{concerning, merged};
use crate::cli::{open, preview};
use crate::plan::Plan;
use crate::plan::make::Draft;
use crate::report::sealing::write_and_seal;
use crate::report::streams::Streams;
use crate::report::words::planned;
use crate::report::{explain, json, plain, plan_markdown, plan_text};
use crate::survey::facts::Survey;
use crate::survey::merged::named;
use crate::world::beside::take_part;
use crate::world::files;

pub fn run(global: &Global, verb: &args::Plan, streams: &mut Streams) -> Result<u8, Failure> {
    if let Some(word) = &verb.assume.comment {
        return preview::run(global, verb, word, streams);
    }
    refuse_saving(verb)?;
    let assumed = assumptions(&verb.assume)?;
    let is_assumed = !assumed.is_empty();
    take_part();
    let mut survey = open::survey_assuming(global, &verb.wish, assumed)?;
    if let Some(tag) = &verb.of.tag {
        return github_output::what_is_left(global, verb, &survey, tag, streams);
    }
    let waiting = if is_assumed { None } else { waiting(&survey, global, streams)? };
    let is_streamed = verb.output == PlanShape::Json && verb.out.is_none() && verb.explain.is_none();
    let plan = match waiting {
        Some(plan) => plan,
        None if is_streamed => {
            let Draft { mut plan, waste } = open::draft(&mut survey, global, &verb.wish)?;
            streams.print_with(|stdout| write_and_seal(&mut plan, stdout));
            std::mem::forget(waste);
            return end(survey, plan, verb, global, streams);
        }
        None => open::plan(&survey, global, &verb.wish)?,
    };
    if let Some(path) = &verb.out {
        files::write_atomically(path, json::plan_json(&plan).as_bytes()).map_err(|error| {
            Failure::user(error).hint(format!("choose another place than {}", path.display()))
        })?;
    }
    match &verb.explain {
        Some(name) => {
            let package = open::package(&survey, name)?;
            let short = &survey.facts.packages[package].short;
            streams.print(&explain::explain(&plan, short, streams.width()));
        }
        None => print(&plan, verb, global, streams)?,
    }
    end(survey, plan, verb, global, streams)
}

/// What is said once the plan is printed, and how the process ends.
fn end(
    survey: Survey,
    plan: Plan,
    verb: &args::Plan,
    global: &Global,
    streams: &mut Streams,
) -> Result<u8, Failure> {
    if !global.quiet && verb.output != PlanShape::Text {
        tell_warnings(&plan, streams);
    }
    let code = code(&plan, verb);
    // The process ends here: nothing of it has to be given back piece by piece.
    std::mem::forget((survey, plan));
    code
}

/// What is left to do of a merged release pull request: it comes before all else.
fn waiting(survey: &Survey, global: &Global, streams: &mut Streams) -> Result<Option<Plan>, Failure> {
    // Most often no commit names a plan, and nothing else is looked at.
    if named(survey).is_empty() {
        return Ok(None);
    }
    let remote = ledger::home(global)?.remote;
    let packages = open::names(survey, global)?;
    let found = ledger::runtime()?.block_on(merged(survey, remote.as_deref()));
    let waiting = match found {
        Err(failure) if failure.kind == Kind::Outside => {
            streams.tell(&format!(
                "whether a merged release pull request waits is not known: {}\n",
                failure.error
            ));
            return Ok(None);
        }
        found => concerning(found?, packages.as_ref()),
    };
    Ok(waiting.map(|waiting| {
        streams.tell(&format!(
            "a merged release pull request waits to be shipped: {}; `release ship` ships it\n",
            planned(&waiting.plan)
        ));
        waiting.plan
    }))
}

fn print(plan: &Plan, verb: &args::Plan, global: &Global, streams: &mut Streams) -> Result<(), Failure> {
    match verb.output {
        PlanShape::Text => {
            let (width, color) = (streams.width(), streams.color());
            streams.print(&plan_text::plan_text(plan, width, color, global.verbose));
        }
        PlanShape::Json => streams.print_with(|stdout| json::write(plan, stdout)),
        PlanShape::Markdown => streams.print(&plan_markdown::plan_markdown(plan)),
        PlanShape::Github => github_output::plan(plan, streams)?,
    }
    Ok(())
}

fn tell_warnings(plan: &Plan, streams: &mut Streams) {
    for warning in &plan.warnings {
        streams.tell(&format!("warning: {}\n", plain::line(warning)));
    }
}

fn code(plan: &Plan, verb: &args::Plan) -> Result<u8, Failure> {
    if let Some(refused) = plan.refused.first() {
        let count = plan.refused.len();
        let text = match count {
            1 => format!("{} can not be planned: {}", refused.package, refused.reason),
            _ => format!(
                "{count} packages can not be planned, the first is {}: {}",
                refused.package, refused.reason
            ),
        };
        return Err(Failure::user(text).hint(refused.way_out.clone()));
    }
    let unread = plan.left_out.iter().filter(|row| row.kind == "unparseable").count();
    if verb.strict && unread > 0 {
        let text = format!("{unread} commits can not be read");
        let hint = "reword them with `.release/overrides/SHA.toml`; the plan lists them";
        return Err(Failure::new(Kind::Gate, text).hint(hint));
    }
    Ok(if verb.detailed_exitcode && plan.releases.is_empty() { 3 } else { 0 })
}
