//! Opens GitHub where the configuration says that the repository is there.

use crate::apply::pace::Pace;
use crate::cli::failure::{Failure, Kind};
use crate::cli::workshop::pace;
use crate::survey::home::Home;
use crate::world::github::GitHub;
use crate::world::github::address::{Known, PlaceError, locate};
use crate::world::github::error::GitHubError;
use crate::world::github::limits::Tempo;
use crate::world::github::token;

/// The repository at GitHub, with the token that is at hand; `None` where the configuration has no `[github]`. Asks
/// GitHub nothing.
pub async fn github(home: &Home) -> Result<Option<GitHub>, Failure> {
    let Some(table) = &home.github else { return Ok(None) };
    let variable = |name: &str| std::env::var_os(name);
    let remote = home.remote_address();
    let known = Known {
        repository: table.repository.as_deref(),
        api: table.api.as_deref(),
        remote: remote.as_deref(),
    };
    let place = locate(&known, &variable).map_err(place_failure)?;
    let token = token::find(&place.api, &variable).await;
    GitHub::new(place, token, tempo(&pace())).map(Some).map_err(failure)
}

/// The same pace as for other servers.
pub fn tempo(pace: &Pace) -> Tempo {
    Tempo {
        base: pace.base,
        cap: pace.cap,
        retries: pace.retries,
        limited: pace.budget,
        unnamed: pace.unnamed,
        limits: pace.limits,
    }
}

/// What GitHub refuses, with what to do about it.
pub fn failure(error: GitHubError) -> Failure {
    let hint = error.way_out();
    let kind = match () {
        () if error.is_forbidden() => Kind::NotAllowed,
        () if matches!(error, GitHubError::Away { .. }) => Kind::User,
        () => Kind::Outside,
    };
    let failure = Failure::new(kind, error);
    match hint {
        Some(hint) => failure.hint(hint),
        None => failure,
    }
}

fn place_failure(error: PlaceError) -> Failure {
    let hint = match error {
        PlaceError::NoRepository => {
            "write `repository = \"owner/name\"` into `[github]`: the remote's address names none"
        }
        PlaceError::Api { .. } => "write `api` of `[github]` as https://HOST/api/v3",
    };
    Failure::user(error).hint(hint)
}
