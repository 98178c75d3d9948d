//! Whether a plan says what it must: a fast wrong answer does not count.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::problem::Problem;
use crate::race::Times;
use crate::repository::Repository;

/// The plan releases just the packages that have something to release, each as the version that is due.
pub fn plan(times: &Times, repository: &Repository) -> Result<(), Problem> {
    let wrong = |what: String| Err(Problem::new(format!("the plan of {}: {what}", repository.name)));
    if let Some(said) = &times.failed {
        return wrong(said.clone());
    }
    if times.over.is_some() {
        return wrong("it took too long and was stopped".to_owned());
    }
    let planned = match planned(&times.answer) {
        Some(planned) => planned,
        None => return wrong("it can not be read".to_owned()),
    };
    let is_first = repository.known.last.is_empty();
    let due: Vec<&String> = if is_first {
        repository.known.packages.keys().collect()
    } else {
        repository.known.next.keys().collect()
    };
    for name in &due {
        let wanted = repository.known.next.get(*name);
        match planned.get(*name) {
            None => return wrong(format!("{name} is missing")),
            Some(version) if wanted.is_some_and(|wanted| wanted != version) => {
                return wrong(format!("{name} {version} instead of {}", wanted.map_or("", |text| text)));
            }
            Some(_) => {}
        }
    }
    match planned.keys().find(|name| !due.contains(name)) {
        Some(name) => wrong(format!("{name} has nothing to release")),
        None => Ok(()),
    }
}

fn planned(answer: &[u8]) -> Option<BTreeMap<String, String>> {
    let plan: Value = serde_json::from_slice(answer).ok()?;
    let releases = plan["releases"].as_array()?;
    let row =
        |release: &Value| Some((release["package"].as_str()?.to_owned(), release["to"].as_str()?.to_owned()));
    releases.iter().map(row).collect()
}
