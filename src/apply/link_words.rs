//! What a link of the ledger is called: its events, a few words each.

use crate::ledger::event::{Event, What};

/// The message of a link with these events.
pub fn message(events: &[Event]) -> String {
    let lines: Vec<String> =
        events.iter().map(|event| format!("{}: {}", event.number, title(&event.what))).collect();
    match &lines[..] {
        [one] => one.clone(),
        [first, .., last] => format!("{first} … {last}\n\n{}", lines.join("\n")),
        [] => "nothing new".to_owned(),
    }
}

fn title(what: &What) -> String {
    match what {
        What::Begun { releases } => format!("begun, {} releases", releases.len()),
        What::Leased { epoch, .. } => format!("leased, epoch {epoch}"),
        What::Unleased { epoch } => format!("unleased, epoch {epoch}"),
        What::Started { step } => format!("started {step}"),
        What::Succeeded { step, .. } => format!("succeeded {step}"),
        What::Failed { step, .. } => format!("failed {step}"),
        What::Finished { .. } => "finished".to_owned(),
        What::Deploying { deployment } => format!("deploying to {}", deployment.environment),
        What::Deployed { ending, .. } => format!("deployed, {ending:?}").to_lowercase(),
        What::Mirrored { id, told, .. } => format!("mirrored {id}, {told}"),
        What::Awaited { environment, .. } => format!("awaited in {environment}"),
        What::Looked { environment, trial } => format!("looked at {} in {environment}", trial.package),
        What::Halted { .. } => "halted".to_owned(),
        What::Resumed { .. } => "resumed".to_owned(),
        What::Approved { package, version, .. } => format!("approved {package} {version}"),
        What::Disapproved { package, .. } => format!("disapproved {package}"),
        What::Withdrawn { package, version, .. } => format!("withdrew {package} {version}"),
        What::Yanked { package, version } => format!("yanked {package} {version}"),
        What::HotfixOpened { branch, .. } => format!("opened {branch}"),
        What::HotfixPorted { branch, .. } => format!("ported {branch}"),
        What::Abandoned { .. } => "abandoned".to_owned(),
        What::Closed { .. } => "closed".to_owned(),
    }
}
