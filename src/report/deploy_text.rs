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
        None => "first time".to_owned(),
    };
    let what = match &release.artifact {
        Artifact::Image { digest, .. } => digest.short().to_owned(),
        Artifact::Files { index, .. } => format!("from {}", line(index)),
    };
    let back = match (&item.back_to, kind) {
        (_, DeploymentKind::Rollback) => String::new(),
        (Some(back), _) => format!("else back to {}", line(&back.version)),
        (None, _) => "no way back yet".to_owned(),
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::gate::Gate;
    use crate::plan::deployment::{FORMAT, Placed};
    use crate::plan::digest::Digest;

    fn placed(version: &str) -> Placed {
        Placed {
            package: "data-observability".to_owned(),
            version: version.to_owned(),
            tag: format!("v{version}"),
            commit: String::new(),
            artifact: Artifact::Image { repository: "r".to_owned(), digest: Digest::of(version.as_bytes()) },
        }
    }

    fn deployment(kind: DeploymentKind) -> Deployment {
        let item = |before: Option<&str>, back_to: Option<&str>| Item {
            release: placed("1.12.0"),
            before: before.map(placed),
            back_to: back_to.map(placed),
        };
        Deployment {
            format: FORMAT,
            digest: Digest::none(),
            environment: "staging".to_owned(),
            kind,
            from: (kind == DeploymentKind::Promote).then(|| "development".to_owned()),
            reason: Some("the night shift \u{1b}[2J agreed".to_owned()),
            mirror: None,
            overrides: vec!["window".to_owned()],
            ledger: 7,
            items: vec![item(Some("1.11.3"), Some("1.11.3")), item(None, None)],
        }
    }

    #[test]
    fn a_deployment_fits_a_terminal_and_says_where_a_failure_goes() {
        let text = deployment_text(&deployment(DeploymentKind::Promote), 80);
        let expected = "\
promote from development to staging
  data-observability  1.12.0  over 1.11.3  a9cf15bfb3c1  else back to 1.11.3
  data-observability  1.12.0  first time   a9cf15bfb3c1  no way back yet
  past window: the night shift agreed
";
        assert!(text.lines().all(|line| line.chars().count() <= 80), "{text}");
        let shape = |text: &str| {
            text.split_whitespace().filter(|word| word.len() != 12).collect::<Vec<_>>().join(" ")
        };
        assert_eq!(shape(&text), shape(expected), "\n{text}");
        let back = deployment_text(&deployment(DeploymentKind::Rollback), 80);
        assert!(back.starts_with("take staging back\n") && !back.contains("else back"), "{back}");
    }

    #[test]
    fn closed_gates_are_told_with_the_moment_they_open() {
        let closed = Closed { gate: Gate::Soak, reason: "not long enough".to_owned(), until: Some(0) };
        assert_eq!(
            closed_text("production", &[("mlops 1.0".to_owned(), closed)], 80),
            "not allowed into production now:\n  mlops 1.0: soak: not long enough (until 1970-01-01 00:00:00)\n"
        );
    }
}
