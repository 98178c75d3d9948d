//! The form of a trusted publisher to fill in for each package, as the generated workflow will show itself.

use crate::render::workflows::publishing_environment;
use crate::report::doctor::{Finding, Level};
use crate::survey::facts::Survey;
use crate::survey::home::Home;
use crate::survey::workflow_files::repository;
use crate::workspace::action_pins::Pins;
use crate::workspace::config::Index;
use crate::workspace::config::tables::Auth;
use crate::workspace::config::workflows::Workflow;
use crate::world::github::address::{Known, locate};

/// One for each package whose index trusts a CI; none where no workflows are configured.
pub fn publishers(survey: &Survey, home: &Home) -> Vec<Finding> {
    if survey.workflows.install.is_none() {
        return Vec::new();
    }
    let pins = Pins::known();
    let environment = publishing_environment(&repository(survey, home.github.as_ref(), &pins));
    let environment = environment.map_or_else(|| "none".to_owned(), |name| format!("`{name}`"));
    let place = place(home);
    let packages = survey.facts.packages.iter().zip(&survey.facts.settings);
    let trusted = packages.filter(|(_, settings)| {
        matches!(survey.uploads.get(&settings.index), Some(Index::Remote { auth: Auth::Trusted, .. }))
    });
    let form = |name: &str, index: &str| Finding {
        level: Level::Good,
        fact: format!(
            "trusted publisher of `{name}` at `{index}`: {place}, workflow `{}`, environment {environment}",
            Workflow::Release.file()
        ),
        next: None,
    };
    trusted.map(|(package, settings)| form(package.name.as_str(), &settings.index)).collect()
}

/// Owner and repository, where anything tells them.
fn place(home: &Home) -> String {
    let remote = home.remote_address();
    let known = Known {
        repository: home.github.as_ref().and_then(|table| table.repository.as_deref()),
        api: None,
        remote: remote.as_deref(),
    };
    match locate(&known, &|name| std::env::var_os(name)) {
        Ok(place) => format!("owner `{}`, repository `{}`", place.slug.owner, place.slug.name),
        Err(_) => "owner and repository as at GitHub".to_owned(),
    }
}
