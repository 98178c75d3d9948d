//! Which part of a ship this job does, as `--tag` and `--package` say.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::apply::artifacts::{bring, leave};
use crate::apply::book::BookError;
use crate::apply::effect::StepError;
use crate::apply::lease::{is_same_run, our_run};
use crate::apply::part::Part;
use crate::apply::ship::Outcome;
use crate::apply::workshop::Workshop;
use crate::cli::failure::{Failure, Kind};
use crate::cli::open;
use crate::cli::ship::Shipping;
use crate::cli::ship_answer::step_failure;
use crate::plan::Plan;
use crate::report::words::{count, planned};
use crate::survey::facts::Survey;

impl Shipping<'_> {
    /// Whether this job was asked for some packages of a claimed release: another one deploys it.
    pub(in crate::cli) fn is_part(&self) -> bool {
        self.verb.tag.is_some() && !self.global.packages.is_empty()
    }

    /// The steps that are ours: with `--tag` those of the named packages alone. In a CI the jobs of one run hold the ship
    /// together then; one that does all that is left joins them.
    ///
    /// # Errors
    /// Where a package is not part of the release, or nothing is claimed yet.
    pub(in crate::cli) fn part(
        &self,
        plan: &Plan,
        survey: &Survey,
        is_claimed: bool,
    ) -> Result<Part, Failure> {
        let run = our_run(&|name| std::env::var_os(name)).filter(|_| self.home.remote.is_some());
        if !self.is_part() {
            let holder = self.book.ship(&plan.digest).and_then(|ship| ship.holder.as_ref());
            let together = holder.zip(run.as_ref()).is_some_and(|(holder, run)| is_same_run(holder, run));
            return Ok(Part { packages: None, together });
        }
        if !is_claimed {
            let text = format!("{} is not claimed yet, so there is nothing to share", planned(plan));
            return Err(Failure::new(Kind::Outside, text).hint("`release ship --until claim` claims it"));
        }
        let packages: BTreeSet<String> = open::names(survey, self.global)?.unwrap_or_default();
        let is_released = |name: &&String| plan.releases.iter().any(|release| release.package == **name);
        if let Some(other) = packages.iter().find(|name| !is_released(name)) {
            return Err(Failure::user(format!("`{other}` is not part of this release"))
                .hint(format!("its packages are: {}", planned(plan))));
        }
        Ok(Part { packages: Some(packages), together: run.is_some() })
    }

    /// Takes sealed files from the folder that was named, where the ship is sealed and they are not here.
    ///
    /// # Errors
    /// Where a file there is another than was sealed.
    pub(in crate::cli) fn bring_artifacts(
        &mut self,
        plan: &Plan,
        workshop: &Workshop,
    ) -> Result<(), Failure> {
        let ship = self.book.ship(&plan.digest).filter(|ship| ship.has_done("seal"));
        let (Some(folder), Some(ship)) = (&self.verb.relay.artifacts, ship) else { return Ok(()) };
        let brought = bring(workshop, plan, ship, folder).map_err(artifacts_failure)?;
        if brought > 0 {
            let told = format!("took the files of {} from {}\n", count(brought, "package"), folder.display());
            self.streams.tell(&told);
        }
        Ok(())
    }

    /// Puts the sealed files into that folder, where the ship stops after its seal.
    ///
    /// # Errors
    /// Where they are lost and can not be built again; where the folder can not be written.
    pub(in crate::cli) async fn leave_artifacts(
        &self,
        plan: &Plan,
        workshop: &Workshop,
        outcome: &Result<Outcome, BookError>,
    ) -> Result<(), Failure> {
        let Some(folder) = &self.verb.relay.artifacts else { return Ok(()) };
        let ship = self.book.ship(&plan.digest).filter(|ship| ship.has_done("seal"));
        match (outcome, ship) {
            (Ok(Outcome::Stopped), Some(ship)) => {
                leave(workshop, &Arc::new(plan.clone()), ship, folder).await.map_err(artifacts_failure)
            }
            _ => Ok(()),
        }
    }
}

fn artifacts_failure(error: StepError) -> Failure {
    step_failure(vec![("passing the files on".to_owned(), error)])
}
