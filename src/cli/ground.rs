//! Opens what a deployment stands on: the environment's target and its checks.

use std::collections::BTreeMap;
use std::path::Path;

use crate::apply::ground::{Ground, Target};
use crate::apply::target::command::CommandTarget;
use crate::apply::target::container::ContainerTarget;
use crate::apply::target::error::TargetError;
use crate::apply::target::swarm::SwarmTarget;
use crate::check::proof::checks;
use crate::cli::failure::{Failure, Kind};
use crate::cli::workshop::workshop;
use crate::ledger::state::State;
use crate::survey::environments::EnvironmentSettings;
use crate::survey::facts::Survey;
use crate::survey::home::Home;
use crate::version::number::Version;
use crate::workspace::config::environment;
use crate::workspace::name::{PackageName, normalize};
use crate::world::engine::Engine;
use crate::world::engine::EngineError;
use crate::world::variable::of_this_process;

/// The ground of an environment.
///
/// # Errors
/// Where its target can not be reached or is not set up right.
pub async fn ground(
    survey: &Survey,
    home: &Home,
    state: &State,
    settings: &EnvironmentSettings,
) -> Result<Ground, Failure> {
    let table = &settings.table;
    let root = survey.repository.root();
    let services = || short_names(survey, settings);
    let target = match settings.target {
        environment::Target::Container => Target::Container(ContainerTarget::new(
            engine(root, settings).await?,
            &scope(survey),
            &settings.name,
            services(),
            of_this_process(),
        )),
        environment::Target::Swarm => Target::Swarm(SwarmTarget::new(
            engine(root, settings).await?,
            &scope(survey),
            &settings.name,
            services(),
            of_this_process(),
        )),
        environment::Target::Python => {
            let folder =
                table.directory.clone().unwrap_or_else(|| format!(".release/environments/{}", settings.name));
            Target::Python { directory: root.join(folder), services: services() }
        }
        environment::Target::Command => {
            let programs = table.command.clone().unwrap_or_default();
            Target::Command(CommandTarget::new(&settings.name, root.to_owned(), &programs))
        }
    };
    Ok(Ground {
        environment: settings.name.clone(),
        target,
        checks: checks(table),
        workshop: workshop(survey, home)?,
        internal: internal(survey, state),
        variable: of_this_process(),
    })
}

/// The engine that an environment names, else the one that Docker's own settings name.
async fn engine(root: &Path, settings: &EnvironmentSettings) -> Result<Engine, Failure> {
    let table = &settings.table;
    let tls = table.tls.as_ref().map(|folder| root.join(folder));
    let connected =
        Engine::connect(table.host.as_deref(), tls.as_deref(), &|name| std::env::var_os(name)).await;
    connected.map_err(|error| {
        let kind = match &error {
            EngineError::Settings { .. } => Kind::User,
            _ => Kind::Outside,
        };
        let hints = error.hints();
        hints.into_iter().fold(Failure::new(kind, error), Failure::hint)
    })
}

/// What tells this repository's containers from others' on the same host: the repository's name.
fn scope(survey: &Survey) -> String {
    let of_remote = survey.facts.remote.as_deref().and_then(|url| {
        let name = url.trim_end_matches('/').rsplit(['/', ':']).next()?;
        Some(name.trim_end_matches(".git").to_owned())
    });
    let of_folder = || survey.repository.root().file_name().map(|name| name.to_string_lossy().into_owned());
    normalize(&of_remote.or_else(of_folder).unwrap_or_else(|| "release".to_owned()))
}

/// The services under the short names that packages are known by.
fn short_names(
    survey: &Survey,
    settings: &EnvironmentSettings,
) -> BTreeMap<String, environment::ServiceTable> {
    let short = |word: &String| {
        let wanted = normalize(word);
        let found = survey
            .facts
            .packages
            .iter()
            .find(|package| normalize(&package.short) == wanted || package.name.as_str() == wanted);
        found.map_or_else(|| word.clone(), |package| package.short.clone())
    };
    settings.table.service.iter().map(|(word, table)| (short(word), table.clone())).collect()
}

/// The versions of the repository's packages that belong together: the released ones.
fn internal(survey: &Survey, state: &State) -> BTreeMap<PackageName, Version> {
    let version = |package: &crate::workspace::package::Package| {
        let released =
            state.released.get(&package.short).and_then(|known| Version::parse(&known.version).ok());
        Some((package.name.clone(), released.or_else(|| package.version.clone())?))
    };
    survey.facts.packages.iter().filter_map(version).collect()
}

/// A target's error with what to do about it.
pub fn target_failure(error: TargetError) -> Failure {
    let (kind, hint) = match &error {
        TargetError::Broken { .. } => (Kind::Gate, "`release log` has what it said"),
        TargetError::Impossible { .. } => {
            (Kind::NotAllowed, "bring it back where it is fetched from, or release a better one")
        }
        TargetError::Conflict { .. } => {
            (Kind::Conflict, "find out who put it there; what was released is never overwritten")
        }
        TargetError::Outside { .. } => {
            (Kind::Outside, "run it again once it answers: it goes on where it stopped")
        }
        TargetError::Raced { .. } => (Kind::Stale, "`release status` shows what the other one does"),
        TargetError::Settings { .. } => (Kind::User, "correct it in release.toml"),
    };
    Failure::new(kind, error).hint(hint)
}
