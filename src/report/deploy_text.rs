//! A deployment before it is done, and the gates that are closed.

use crate::check::gate::Closed;
use crate::plan::deployment::{Artifact, Deployment, DeploymentKind, Item};
use crate::report::moment::moment;
use crate::report::plain::line;
use crate::report::table::{Cell, indented, paragraph, table};

/// What will be moved, and where a failure goes back to.
pub fn deployment_text(deployment: &Deployment, width: usize) -> String {
    let environment = line(&deployment.environment);
    let title = match (deployment.kind, &deployment.from) {
        (DeploymentKind::Promote, Some(from)) => format!("promote from {} to {environment}\n", line(from)),
        (DeploymentKind::Rollback, _) => format!("take {environment} back\n"),
        _ => format!("deploy to {environment}\n"),
    };
    let rows: Vec<Vec<Cell>> = deployment.items.iter().map(|item| row(deployment.kind, item)).collect();
    let mut text = title + &indented(&table(&rows, width.saturating_sub(2), false), 2);
    if !deployment.overrides.is_empty() {
        let past = format!(
            "past {}: {}",
            deployment.overrides.join(", "),
            line(deployment.reason.as_deref().unwrap_or_default())
        );
        text.push_str(&indented(&paragraph(&past, width.saturating_sub(2), 2), 2));
    }
    text
}

fn row(kind: DeploymentKind, item: &Item) -> Vec<Cell> {
    let release = &item.release;
    let from = match &item.before {
        Some(before) if before.version == release.version => "again".to_owned(),
        Some(before) => format!("over {}", line(&before.version)),
        None => "for the first time".to_owned(),
    };
    let what = match &release.artifact {
        Artifact::Image { digest, .. } => format!("image {}", digest.short()),
        Artifact::Files { index, .. } => format!("from {}", line(index)),
    };
    let back = match (&item.back_to, kind) {
        (_, DeploymentKind::Rollback) => String::new(),
        (Some(back), _) => format!("back to {} if it fails", line(&back.version)),
        (None, _) => "nothing to go back to".to_owned(),
    };
    [line(&release.package), line(&release.version), from, what, back]
        .iter()
        .map(|text| Cell::new(text))
        .collect()
}

/// Why releases do not come in, gate by gate.
pub fn closed_text(environment: &str, closed: &[(String, Closed)], width: usize) -> String {
    let mut text = format!("not allowed into {} now:\n", line(environment));
    for (release, closed) in closed {
        let until = closed.until.map(|until| format!(" (until {})", moment(until))).unwrap_or_default();
        let told = format!("{}: {}: {}{until}", line(release), closed.gate, line(&closed.reason));
        text.push_str(&indented(&paragraph(&told, width.saturating_sub(2), 2), 2));
    }
    text
}
