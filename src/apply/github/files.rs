//! The files of a release at GitHub: compared with the sealed ones, sent, looked at again.

use std::collections::BTreeMap;
use std::path::PathBuf;

use crate::apply::crash;
use crate::apply::effect::{Evidence, Job, StepError};
use crate::apply::github::draft::{Ours, Standing};
use crate::apply::github::error::ReleaseError;
use crate::apply::pace::Patience;
use crate::apply::stash::sealed_files;
use crate::apply::workshop::Workshop;
use crate::plan::digest::Digest;
use crate::world::github::releases::{Asset, Release};

/// How a release stands to one sealed file.
#[derive(Debug)]
pub enum Holds<'r> {
    Same,
    /// Under our name, with other bytes.
    Other(&'r Asset, String),
    /// Under our name, and GitHub does not say which bytes.
    Unknown(&'r Asset),
    /// An upload that broke off: GitHub keeps the name of it, and nothing more.
    Broken(&'r Asset),
    Nothing,
}

impl<'r> Holds<'r> {
    /// By digest alone: GitHub gives files other names where it does not like theirs.
    pub fn of(release: &'r Release, name: &str, digest: &str) -> Holds<'r> {
        let whole = || release.assets.iter().filter(|asset| is_whole(asset));
        if whole().any(|asset| asset.digest.as_deref() == Some(digest)) {
            return Holds::Same;
        }
        let named = |asset: &&Asset| asset.name == name || asset.name == plain_name(name);
        match release.assets.iter().find(named) {
            None => Holds::Nothing,
            Some(asset) if !is_whole(asset) => Holds::Broken(asset),
            Some(asset) => match &asset.digest {
                Some(there) => Holds::Other(asset, there.clone()),
                None => Holds::Unknown(asset),
            },
        }
    }
}

/// The asset that is, or may be, a sealed file: by its digest, or by its name where GitHub names no digest.
pub fn asset_of<'r>(release: &'r Release, name: &str, digest: &str) -> Option<&'r Asset> {
    match Holds::of(release, name, digest) {
        Holds::Same => release.assets.iter().find(|asset| asset.digest.as_deref() == Some(digest)),
        Holds::Unknown(asset) => Some(asset),
        _ => None,
    }
}

/// Whether a release has all the files, as far as GitHub says.
pub fn holds_all(release: &Release, sealed: &BTreeMap<&str, &str>) -> bool {
    !sealed.is_empty()
        && sealed.iter().all(|(name, digest)| matches!(Holds::of(release, name, digest), Holds::Same))
}

/// Whether a release has no other bytes than these files'.
pub fn holds_only(release: &Release, sealed: &BTreeMap<&str, &str>) -> bool {
    let known = |asset: &Asset| sealed.values().any(|digest| asset.digest.as_deref() == Some(*digest));
    release.assets.iter().all(|asset| !is_whole(asset) || known(asset))
}

fn is_whole(asset: &Asset) -> bool {
    asset.state == "uploaded"
}

/// A name as GitHub writes it: what it does not like becomes a dot.
fn plain_name(name: &str) -> String {
    let plain = |one: char| one.is_ascii_alphanumeric() || "-_.+@".contains(one);
    name.chars().map(|one| if plain(one) { one } else { '.' }).collect()
}

/// Keeps the sealed files in a draft of the tag.
///
/// # Errors
/// Where other things stand under our name, or GitHub does not take them.
pub async fn keep(job: &Job, workshop: &Workshop, tag: &str) -> Result<Evidence, StepError> {
    let ours = Ours::of(job, workshop, tag)?;
    ours.refuse_other_tag().await?;
    let release = ours.complete(workshop).await?;
    Ok(ours.evidence(release.release()))
}

impl Standing {
    pub fn release(&self) -> &Release {
        match self {
            Standing::Draft(release) | Standing::Published(release) => release,
        }
    }
}

impl Ours<'_> {
    /// The release of the tag with every sealed file in it. What is published and can not be changed must have them.
    ///
    /// # Errors
    /// As `ensure`; `Other` and `Incomplete`.
    pub async fn complete(&self, workshop: &Workshop) -> Result<Standing, StepError> {
        let mut patience = Patience::new(self.pace);
        loop {
            let mut standing = self.ensure().await?;
            let mut gone = false;
            let mut sent: Option<String> = None;
            while let Some(name) = self.to_send(&standing).await? {
                if sent.as_deref() == Some(name) && !patience.wait(None).await {
                    return Err(ReleaseError::Lost { tag: self.tag.to_owned(), file: name.to_owned() }.into());
                }
                sent = Some(name.to_owned());
                let fixed = standing.release().immutable;
                if fixed && matches!(standing, Standing::Published(_)) {
                    return Err(ReleaseError::Incomplete {
                        tag: self.tag.to_owned(),
                        file: name.to_owned(),
                        page: standing.release().page.clone(),
                    }
                    .into());
                }
                self.send(workshop, standing.release(), name).await?;
                match self.github.release(standing.release().id).await.map_err(ReleaseError::from)? {
                    Some(release) if release.draft => standing = Standing::Draft(Box::new(release)),
                    Some(release) => standing = Standing::Published(Box::new(release)),
                    None => {
                        gone = true;
                        break;
                    }
                }
            }
            if !gone {
                return Ok(standing);
            }
            // Another racer has deleted this draft for its own; theirs is found now.
            if !patience.wait(None).await {
                return Err(ReleaseError::Gone { tag: self.tag.to_owned() }.into());
            }
        }
    }

    /// The first sealed file that is not there yet; what broke off is one of them.
    async fn to_send(&self, standing: &Standing) -> Result<Option<&str>, StepError> {
        let release = standing.release();
        for (name, digest) in &self.sealed {
            match Holds::of(release, name, digest) {
                Holds::Same => {}
                Holds::Nothing | Holds::Broken(_) => return Ok(Some(name)),
                Holds::Other(_, there) => return Err(self.other(release, name, digest, there)),
                Holds::Unknown(asset) => {
                    let bytes = self.github.download_asset(asset).await.map_err(ReleaseError::from)?;
                    let there = Digest::of(&bytes);
                    if there.as_str() != *digest {
                        return Err(self.other(release, name, digest, there.to_string()));
                    }
                }
            }
        }
        Ok(None)
    }

    fn other(&self, release: &Release, name: &str, ours: &str, there: String) -> StepError {
        let (file, tag, ours) = (name.to_owned(), self.tag.to_owned(), ours.to_owned());
        ReleaseError::Other { file, tag, there, ours, page: release.page.clone() }.into()
    }

    /// Sends one file once. What became of it is looked at by the caller, unless it is over for good.
    async fn send(&self, workshop: &Workshop, release: &Release, name: &str) -> Result<(), StepError> {
        let path = self.local(workshop, name).await?;
        if let Holds::Broken(asset) = Holds::of(release, name, self.sealed[name]) {
            self.job.may_go_on().await?;
            crash::point();
            self.github.delete_asset(asset.id).await.map_err(ReleaseError::from)?;
            crash::point();
        }
        let step = format!("stash:{}", self.package);
        let progress = |sent, total| self.job.notes.bytes(&step, sent, total);
        self.job.may_go_on().await?;
        crash::point();
        let sent = self.github.upload_asset(release, name, &path, &progress).await;
        crash::point();
        match sent {
            Ok(_) => Ok(()),
            // 422: a file of this name is there. 404: the draft is gone.
            Err(error)
                if error.is_transient()
                    || error.may_have_acted()
                    || matches!(error.status(), Some(404 | 422)) =>
            {
                self.job.notes.remark(format!("`{name}` was not taken by GitHub at once: {error}"));
                Ok(())
            }
            Err(error) => Err(ReleaseError::from(error).into()),
        }
    }

    /// A sealed file on this machine, from the stash or built again.
    async fn local(&self, workshop: &Workshop, name: &str) -> Result<PathBuf, StepError> {
        sealed_files(self.job, workshop, self.package).await?;
        Ok(workshop.stash(&self.job.plan.digest, self.job.ship.began, self.package).join(name))
    }
}

#[cfg(test)]
#[path = "files_tests.rs"]
mod tests;
