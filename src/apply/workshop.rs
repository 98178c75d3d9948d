//! Where a ship works: the repository, the stash of built files, checkouts, indexes, tools.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use tokio::sync::{Mutex, OnceCell};

use crate::apply::claim::Claim;
use crate::apply::crash;
use crate::apply::effect::StepError;
use crate::apply::images::Images;
use crate::apply::pace::Pace;
use crate::apply::publisher::Publisher;
use crate::apply::rooms::Rooms;
use crate::apply::workbench::Workbench;
use crate::ledger::state::Ship;
use crate::plan::Plan;
use crate::plan::digest::Digest;
use crate::world::git::Repository;
use crate::world::git_error::GitError;
use crate::world::github::GitHub;
use crate::world::refs::Expected;
use crate::world::tools::ToolCache;
use crate::world::variable::of_this_process;

/// Where the files of an index stand.
pub enum Outlet {
    Folder(PathBuf),
    Remote(Box<Publisher>),
}

/// The places and limits of one ship.
pub struct Workshop {
    pub repository: Repository,
    /// The git remote that the claim goes to; none where all stays here.
    pub remote: Option<String>,
    /// The indexes by name.
    pub outlets: BTreeMap<String, Outlet>,
    pub tools: ToolCache,
    /// Where what is published is tried.
    pub rooms: Rooms,
    /// How many steps run side by side.
    pub jobs: usize,
    /// Where packages are built.
    pub workbench: Workbench,
    /// How long one build may take.
    pub build_limit: Duration,
    /// The folder that keeps built files until a ship ends.
    pub stash: PathBuf,
    /// Held by the one that fills the stash anew.
    pub building: Mutex<()>,
    /// What images are built with and where they go.
    pub images: Images,
    /// Where releases are made beside indexes; none where the configuration has no `[github]`.
    pub github: Option<GitHub>,
    checkout: OnceCell<tempfile::TempDir>,
}

impl Workshop {
    pub fn new(
        repository: Repository,
        remote: Option<String>,
        outlets: BTreeMap<String, Outlet>,
        tools: ToolCache,
    ) -> Workshop {
        let jobs = std::thread::available_parallelism().map_or(2, usize::from);
        let stash = repository.common_dir().join("release").join("stash");
        let workbench = Workbench::new(true, jobs, &tools);
        Workshop {
            repository,
            remote,
            outlets,
            tools,
            rooms: Rooms::default(),
            jobs,
            workbench,
            build_limit: Duration::from_secs(15 * 60),
            stash,
            building: Mutex::new(()),
            images: Images::new(of_this_process(), Pace::default()),
            github: None,
            checkout: OnceCell::new(),
        }
    }

    /// The index of this name.
    ///
    /// # Errors
    /// `NoIndex` where none is configured.
    pub fn outlet(&self, index: &str) -> Result<&Outlet, StepError> {
        self.outlets.get(index).ok_or_else(|| StepError::NoIndex { index: index.to_owned() })
    }

    /// The folders of the indexes that are folders.
    pub fn folders(&self) -> BTreeMap<String, PathBuf> {
        let folder = |(name, outlet): (&String, &Outlet)| match outlet {
            Outlet::Folder(folder) => Some((name.clone(), folder.clone())),
            Outlet::Remote(_) => None,
        };
        self.outlets.iter().filter_map(folder).collect()
    }

    /// Gives back what was lent: minted tokens are burnt, build environments cleared away.
    pub async fn close(&self) {
        let publishers = async {
            for outlet in self.outlets.values() {
                if let Outlet::Remote(publisher) = outlet {
                    publisher.close().await;
                }
            }
        };
        tokio::join!(self.workbench.close(), publishers);
    }

    /// The folder that keeps one package's built files between runs. A ship that began at another time builds other
    /// bytes: its files stand elsewhere.
    pub fn stash(&self, plan: &Digest, began: i64, package: &str) -> PathBuf {
        self.stash.join(format!("{}-{began}", plan.short())).join(package)
    }

    /// A clean checkout of the release commit, made once and gone with the ship; `tags` are known in it too.
    ///
    /// # Errors
    /// Where git can not make it.
    pub async fn checkout(&self, commit: &str, tags: &[(String, String)]) -> Result<PathBuf, WorkshopError> {
        let made = self
            .checkout
            .get_or_try_init(|| async {
                let folder = tempfile::Builder::new()
                    .prefix("release-checkout-")
                    .tempdir()
                    .map_err(|source| WorkshopError::Folder { source })?;
                let target = folder.path().join("source");
                self.repository.export(commit, &target, tags)?;
                Ok::<_, WorkshopError>(folder)
            })
            .await?;
        Ok(made.path().join("source"))
    }

    /// A folder for the temporary files of tools, gone with the ship.
    pub fn scratch(&self) -> Option<PathBuf> {
        let folder = self.checkout.get()?.path().join("tmp");
        std::fs::create_dir_all(&folder).ok().map(|()| folder)
    }

    /// Whether the ship's own tags are there: its claim is made, whatever the ledger knows of it.
    pub fn is_claimed(&self, plan: &Plan, ship: &Ship) -> bool {
        let claim = Claim::of(plan, ship);
        claim.is_ok_and(|claim| claim.has_tags_in(&self.repository).unwrap_or(false))
    }

    /// Deletes what the ship of a plan that began at this time kept for itself.
    pub fn clear(&self, plan: &Digest, began: i64) {
        // What can not be deleted is only wasted space.
        let _ = std::fs::remove_dir_all(self.stash.join(format!("{}-{began}", plan.short())));
        crash::point();
        let _ = self.repository.delete_ref(&pending(plan), Expected::Any);
    }
}

/// The ref that keeps a release commit alive until the claim.
pub fn pending(plan: &Digest) -> String {
    format!("refs/release/pending/{}", plan.short())
}

#[derive(Debug, thiserror::Error)]
pub enum WorkshopError {
    #[error("no temporary folder could be made")]
    Folder {
        #[source]
        source: std::io::Error,
    },
    #[error(transparent)]
    Git(#[from] GitError),
}
