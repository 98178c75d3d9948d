//! What a deployment looks at before it is decided: what runs, what is possible, which gates are closed.

use crate::apply::ground::Ground;
use crate::apply::target::error::TargetError;
use crate::apply::target::{Observed, is_running};
use crate::check::gate::{self, Closed, Gate, Window};
use crate::check::window::{Deed, Standing, Windows};
use crate::cli::deploying::{Deploying, Request};
use crate::cli::failure::Failure;
use crate::cli::ground::target_failure;
use crate::plan::deployment::{DeploymentKind, Item, Placed};
use crate::survey::choice::{self, below_floor};
use crate::survey::environments::EnvironmentSettings;
use crate::survey::gates::{Asked, Seen, gate_facts};
use crate::world::clock;

impl Deploying<'_> {
    /// The releases that do not run there verified. What the ledger says of one is looked at: somebody may have removed
    /// or replaced it.
    pub(in crate::cli) async fn missing(
        &self,
        environment: &EnvironmentSettings,
        ground: &Ground,
        releases: Vec<Placed>,
    ) -> Result<Vec<Placed>, Failure> {
        let mut missing = Vec::new();
        for release in releases {
            let stands = choice::stands(environment, self.book.state(), &release);
            if !stands || !self.runs(ground, &release).await? {
                missing.push(release);
            }
        }
        Ok(missing)
    }

    async fn runs(&self, ground: &Ground, release: &Placed) -> Result<bool, Failure> {
        let observed = ground.observe(&release.package).await.map_err(target_failure)?;
        Ok(is_running(observed.as_ref(), release))
    }

    /// Asks the target what runs, and what would be possible.
    pub(in crate::cli) async fn look(
        &mut self,
        environment: &EnvironmentSettings,
        ground: &Ground,
        items: &[Item],
        is_return: bool,
    ) -> Result<Vec<Seen>, Failure> {
        let mut all = Vec::new();
        for item in items {
            let observed = ground.observe(&item.release.package).await.map_err(target_failure)?;
            ground.possible(&item.release).await.map_err(target_failure)?;
            let no_return = match &item.back_to {
                // A way back has none of its own: where it leads to is what the floor is about.
                None if is_return => below_floor(environment, &item.release),
                None => None,
                Some(back_to) => match below_floor(environment, back_to) {
                    Some(reason) => Some(reason),
                    None => match ground.possible(back_to).await {
                        Ok(()) => None,
                        Err(error @ TargetError::Outside { .. }) => return Err(target_failure(error)),
                        Err(error) => Some(error.to_string()),
                    },
                },
            };
            let drift = self.drift(item, observed.as_ref());
            all.push(Seen { drift, no_return });
        }
        Ok(all)
    }

    /// What runs though the ledger says another thing.
    fn drift(&self, item: &Item, observed: Option<&Observed>) -> Option<String> {
        let observed = observed?;
        let expected = item.before.as_ref().map(Placed::digest);
        if observed.digest == item.release.digest() || expected.as_ref() == Some(&observed.digest) {
            return None;
        }
        // What a deployment that is under way or was superseded brought is no surprise.
        let ours = observed.deployment.as_ref().is_some_and(|deployment| self.is_known(deployment));
        if ours {
            return None;
        }
        let found = observed.version.as_deref().unwrap_or("something").to_owned();
        let short = observed.digest.short();
        Some(match &item.before {
            Some(before) => format!(
                "{} {found} ({short}) runs in `{}`, and the ledger says {}: somebody changed it by hand",
                item.release.package, observed.place, before.version
            ),
            None => format!(
                "{} {found} ({short}) runs in `{}`, and nobody deployed it",
                item.release.package, observed.place
            ),
        })
    }

    fn is_known(&self, deployment: &str) -> bool {
        let state = self.book.state();
        let last = |environment: &crate::ledger::environments::Environment| {
            environment.last.as_ref().is_some_and(|last| last.deployment == deployment)
        };
        state.rollouts.contains_key(deployment) || state.environments.values().any(last)
    }

    /// The gates that are closed, and for which item.
    pub(in crate::cli) fn ask_gates(
        &self,
        environment: &EnvironmentSettings,
        request: &Request,
        items: &[Item],
        seen: &[Seen],
        overrides: &[Gate],
    ) -> Vec<(Item, Closed)> {
        let now = clock::now();
        let who = self.book.who();
        let is_return = request.kind == DeploymentKind::Rollback;
        let deed = if is_return { Deed::Rollback } else { Deed::Deploy };
        let window = match Windows::of(&environment.table.windows).standing(now, deed) {
            Standing::Open => Window::Open,
            Standing::Closed { because, opens } => Window::Closed { because, opens },
        };
        let asked = Asked { now, who: &who, window: &window };
        let mut closed = Vec::new();
        for (item, seen) in items.iter().zip(seen) {
            let facts =
                gate_facts(environment, self.book.state(), &self.survey.repository, item, seen, asked);
            let shut = if is_return { gate::closed_for_return(&facts) } else { gate::closed(&facts) };
            let shut = shut.into_iter().filter(|closed| !overrides.contains(&closed.gate));
            closed.extend(shut.map(|closed| (item.clone(), closed)));
        }
        closed
    }
}
