//! What a deployment stands on: the environment's target, its checks, and the indexes that releases come from.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use crate::apply::supply::Supply;
use crate::apply::target::command::CommandTarget;
use crate::apply::target::container::ContainerTarget;
use crate::apply::target::error::TargetError;
use crate::apply::target::python::PythonTarget;
use crate::apply::target::swarm::SwarmTarget;
use crate::apply::target::{Mark, Observed, Remark};
use crate::apply::validate::record::Verdict;
use crate::apply::validate::{Measured, Subject, validate};
use crate::apply::workshop::Workshop;
use crate::check::proof::Check;
use crate::check::trial::Outcome;
use crate::plan::deployment::Placed;
use crate::plan::digest::Digest;
use crate::version::number::Version;
use crate::workspace::config::environment::ServiceTable;
use crate::workspace::name::PackageName;
use crate::world::variable::Env;

/// How long installing a release may take.
const INSTALL: Duration = Duration::from_secs(600);

/// One environment, opened.
pub struct Ground {
    pub environment: String,
    pub target: Target,
    pub checks: Vec<Check>,
    /// The indexes and the tools that install from them.
    pub workshop: Workshop,
    /// The repository's packages and the versions that belong together.
    pub internal: BTreeMap<PackageName, Version>,
    /// Reads a variable of this run's environment.
    pub variable: Env,
}

/// What runs the releases of an environment.
pub enum Target {
    Container(ContainerTarget),
    Swarm(SwarmTarget),
    Python {
        /// An absolute path.
        directory: PathBuf,
        services: BTreeMap<String, ServiceTable>,
    },
    Command(CommandTarget),
}

/// What the checks say of what runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Proof {
    pub proven: Proven,
    /// What was measured, for the ledger.
    pub evidence: BTreeMap<String, String>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Proven {
    Holds,
    Fails(String),
    /// A check could not be made, or says nothing.
    Undecided(String),
}

impl Ground {
    /// Whether a release could be brought there, with nothing touched.
    ///
    /// # Errors
    /// Why not.
    pub async fn possible(&self, wanted: &Placed) -> Result<(), TargetError> {
        match &self.target {
            Target::Container(target) => target.possible(wanted).await,
            Target::Swarm(target) => target.possible(wanted).await,
            Target::Python { directory, services } => {
                python(self, directory, services, &self.supply()).possible(wanted).await
            }
            Target::Command(target) => target.possible(wanted).await,
        }
    }

    /// Brings a release there: it runs, is well, and has the traffic.
    ///
    /// # Errors
    /// Why it does not.
    pub async fn apply(
        &self,
        wanted: &Placed,
        mark: &Mark,
        remark: Remark<'_>,
    ) -> Result<Observed, TargetError> {
        match &self.target {
            Target::Container(target) => target.apply(wanted, mark, remark).await,
            Target::Swarm(target) => target.apply(wanted, mark, remark).await,
            Target::Python { directory, services } => {
                python(self, directory, services, &self.supply()).apply(wanted, mark, remark).await
            }
            Target::Command(target) => target.apply(wanted, mark, remark).await,
        }
    }

    /// The same for one that ran before: what was kept of it comes back at once.
    ///
    /// # Errors
    /// Why it does not.
    pub async fn back(
        &self,
        wanted: &Placed,
        mark: &Mark,
        remark: Remark<'_>,
    ) -> Result<Observed, TargetError> {
        match &self.target {
            Target::Command(target) => target.back(wanted, mark, remark).await,
            _ => self.apply(wanted, mark, remark).await,
        }
    }

    /// What runs of a package.
    ///
    /// # Errors
    /// Where the target does not answer.
    pub async fn observe(&self, package: &str) -> Result<Option<Observed>, TargetError> {
        match &self.target {
            Target::Container(target) => target.observe(package).await,
            Target::Swarm(target) => target.observe(package).await,
            Target::Python { directory, services } => {
                python(self, directory, services, &self.supply()).observe(package).await
            }
            Target::Command(target) => target.observe(package).await,
        }
    }

    /// Forgets all releases of a package but these.
    ///
    /// # Errors
    /// Where the target does not answer.
    pub async fn prune(&self, package: &str, keep: &[Placed]) -> Result<(), TargetError> {
        match &self.target {
            Target::Container(target) => target.prune(package, keep).await,
            Target::Swarm(target) => target.prune(package, keep).await,
            Target::Python { directory, services } => {
                python(self, directory, services, &self.supply()).prune(package, keep).await
            }
            Target::Command(target) => target.prune(package, keep).await,
        }
    }

    /// Asks all checks of the environment about a release that runs.
    pub async fn prove(
        &self,
        release: &Placed,
        before: Option<&Placed>,
        deployment: &Digest,
        remark: &mut (dyn FnMut(&str) + Send),
    ) -> Proof {
        self.ask(&self.checks, release, before, deployment, remark).await
    }

    /// One short look at a release that was proven before and soaks: no check waits before its first try.
    pub async fn look(&self, release: &Placed, deployment: &Digest) -> Proof {
        let mut checks = self.checks.clone();
        for check in &mut checks {
            check.schedule.initial_delay = Duration::ZERO;
        }
        self.ask(&checks, release, None, deployment, &mut |_| {}).await
    }

    async fn ask(
        &self,
        checks: &[Check],
        release: &Placed,
        before: Option<&Placed>,
        deployment: &Digest,
        remark: &mut (dyn FnMut(&str) + Send),
    ) -> Proof {
        let supply = self.supply();
        let observe = || -> futures_util::future::BoxFuture<'_, Result<Option<Observed>, TargetError>> {
            Box::pin(self.observe(&release.package))
        };
        let subject = Subject {
            environment: &self.environment,
            placed: release,
            before,
            deployment: deployment.as_str(),
            observe: &observe,
            supply: &supply,
            root: self.workshop.repository.root(),
            variable: &self.variable,
        };
        let mut tell = |measured: Measured<'_>| {
            if !measured.words.is_empty() && measured.outcome != Some(Outcome::Pass) {
                remark(&format!(
                    "{} try {}: {}: {}",
                    measured.check,
                    measured.number,
                    measured.shown.word(),
                    measured.words
                ));
            }
        };
        proof(validate(checks, &subject, &mut tell).await)
    }

    fn supply(&self) -> Supply<'_> {
        Supply { outlets: &self.workshop.outlets, tools: &self.workshop.tools, internal: &self.internal }
    }
}

fn python<'p>(
    ground: &'p Ground,
    directory: &std::path::Path,
    services: &'p BTreeMap<String, ServiceTable>,
    supply: &'p Supply<'p>,
) -> PythonTarget<'p> {
    PythonTarget {
        environment: &ground.environment,
        directory: directory.to_owned(),
        services,
        supply,
        install_limit: INSTALL,
    }
}

fn proof(verdict: Verdict) -> Proof {
    let reason = verdict.reason;
    let proven = match verdict.outcome {
        Outcome::Pass => Proven::Holds,
        Outcome::Fail => Proven::Fails(reason),
        Outcome::Inconclusive | Outcome::Error => Proven::Undecided(reason),
    };
    Proof { proven, evidence: verdict.evidence }
}
