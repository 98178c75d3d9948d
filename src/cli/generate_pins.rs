//! `release generate --update-pins`: newer releases of the actions, once they have been out for a while.

use crate::apply::crash;
use crate::cli::args_generate::Generate;
use crate::cli::failure::{Failure, Kind};
use crate::cli::github::{self, tempo};
use crate::cli::ledger;
use crate::cli::workshop::pace;
use crate::report::generate_text::{MovedPin, pins_text};
use crate::report::streams::Streams;
use crate::survey::home::Home;
use crate::workspace::action_pins::{ActionRelease, Pin, Pins, newer};
use crate::workspace::config::text::Span;
use crate::world::clock;
use crate::world::files::{join_inside, write_changed};
use crate::world::github::GitHub;
use crate::world::github::address::{Known, PUBLIC_API, locate};
use crate::world::github::token;

/// Asks for each pinned action, writes the file where anything has moved, and gives the pins as they are now.
pub fn update_pins(
    home: &Home,
    verb: &Generate,
    pins: &Pins,
    file: &str,
    streams: &mut Streams,
) -> Result<Pins, Failure> {
    let cooldown = Span::read(&verb.cooldown).ok_or_else(|| {
        Failure::user(format!("`{}` is no span of time", verb.cooldown)).hint("write it as 7d or 12h")
    })?;
    let until = clock::now().saturating_sub(i64::try_from(cooldown.seconds).unwrap_or(i64::MAX));
    let api =
        home.github.as_ref().and_then(|table| table.api.clone()).unwrap_or_else(|| PUBLIC_API.to_owned());
    let mut updated = pins.clone();
    let mut moved = Vec::new();
    ledger::runtime()?.block_on(async {
        for (action, pin) in &mut updated.0 {
            let github = repository_of(action, &api).await?;
            if let Some(next) = next(&github, action, pin, until).await? {
                moved.push(MovedPin { action: action.clone(), from: pin.tag.clone(), to: next.tag.clone() });
                *pin = next;
            }
        }
        Ok::<(), Failure>(())
    })?;
    let path = join_inside(home.repository.root(), file).map_err(Failure::user)?;
    crash::point();
    if !moved.is_empty() {
        write_changed(&path, updated.to_toml().as_bytes()).map_err(Failure::user)?;
    }
    crash::point();
    streams.print(&pins_text(&moved));
    Ok(updated)
}

/// A client for the repository that an action lives in.
async fn repository_of(action: &str, api: &str) -> Result<GitHub, Failure> {
    let repository: Vec<&str> = action.splitn(3, '/').take(2).collect();
    let repository = repository.join("/");
    let known = Known { repository: Some(&repository), api: Some(api), remote: None };
    let place = locate(&known, &|_| None).map_err(Failure::user)?;
    let token = token::find(&place.api, &|name| std::env::var_os(name)).await;
    GitHub::new(place, token, tempo(&pace())).map_err(github::failure)
}

/// The pin that takes this one's place, where there is one. A tag that leads elsewhere than it did is somebody's attack
/// or mistake: nothing moves then.
async fn next(github: &GitHub, action: &str, pin: &Pin, until: i64) -> Result<Option<Pin>, Failure> {
    let commit_of = async |tag: &str| github.commit_of_tag(tag).await.map_err(github::failure);
    if let Some(found) = commit_of(&pin.tag).await?
        && found != pin.commit
    {
        let text = format!("tag `{}` of `{action}` leads to {found} now, not to {}", pin.tag, pin.commit);
        return Err(Failure::new(Kind::Conflict, text)
            .hint("the workflows stay at the commit that is pinned; find out who moved the tag, and why"));
    }
    let published = github.final_releases().await.map_err(github::failure)?;
    let releases: Vec<ActionRelease> = published
        .into_iter()
        .filter_map(|release| {
            let at: jiff::Timestamp = release.at.parse().ok()?;
            Some(ActionRelease { tag: release.tag, published: at.as_second() })
        })
        .collect();
    let Some(release) = newer(&pin.tag, &releases, until) else { return Ok(None) };
    let commit = commit_of(&release.tag).await?.ok_or_else(|| {
        Failure::new(Kind::Outside, format!("`{action}` has released `{}`, and no such tag", release.tag))
    })?;
    Ok(Some(Pin { tag: release.tag.clone(), commit, date: clock::day(release.published) }))
}
