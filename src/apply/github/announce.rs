//! Publishes the draft release of a tag, with every sealed file in it; after that nothing of it changes.

use crate::apply::crash;
use crate::apply::effect::{Evidence, Job, StepError};
use crate::apply::github::draft::{Ours, Standing};
use crate::apply::github::error::ReleaseError;
use crate::apply::pace::Patience;
use crate::apply::workshop::Workshop;
use crate::plan::step::Action;
use crate::render::release_body::Mark;
use crate::version::number::Version;
use crate::world::github::error::GitHubError;
use crate::world::github::releases::Release;

/// Brings the release of the tag out of draft. One that is published already and right is success.
///
/// # Errors
/// Where another's stands under the tag, or what is published lacks a file and can not be changed.
pub async fn announce(job: &Job, workshop: &Workshop) -> Result<Evidence, StepError> {
    let Action::Announce { tag, version, prerelease, latest } = &job.step.action else {
        return Err(StepError::Plan { reason: "the step announces nothing".to_owned() });
    };
    let ours = Ours::of(job, workshop, tag)?;
    let mut patience = Patience::new(ours.pace);
    loop {
        let draft = match ours.complete(workshop).await? {
            Standing::Published(release) => return Ok(ours.evidence(&release)),
            Standing::Draft(draft) => draft,
        };
        ours.refuse_other_tag().await?;
        let latest = *latest && !ours.is_outdone(version).await?;
        job.may_go_on().await?;
        crash::point();
        let published = ours.github.publish_release(draft.id, tag, *prerelease, latest).await;
        crash::point();
        let failed = match published {
            Ok(_) => ReleaseError::Unpublished { tag: tag.clone() },
            Err(error) if is_worth_a_look(&error) => error.into(),
            Err(error) => return Err(ReleaseError::from(error).into()),
        };
        // Whatever was answered: what stands there now counts.
        if !ours.is_published(&draft).await? && !patience.wait(None).await {
            return Err(failed.into());
        }
    }
}

/// Whether the release may be published all the same, or be another one by now.
fn is_worth_a_look(error: &GitHubError) -> bool {
    error.is_transient() || error.may_have_acted() || error.is_missing() || error.status() == Some(422)
}

impl Ours<'_> {
    async fn is_published(&self, draft: &Release) -> Result<bool, StepError> {
        let found = self.github.release(draft.id).await.map_err(ReleaseError::from)?;
        Ok(found.is_some_and(|release| !release.draft))
    }

    /// Whether GitHub's latest is a higher version of this package: another ship was finished meanwhile.
    async fn is_outdone(&self, version: &str) -> Result<bool, StepError> {
        let Some(latest) = self.github.latest_release().await.map_err(ReleaseError::from)? else {
            return Ok(false);
        };
        let mark = Mark::read(&latest.body);
        let same = mark.filter(|mark| mark.package == self.package);
        let [there, ours] = [same.map(|mark| mark.version), Some(version.to_owned())]
            .map(|text| text.and_then(|text| Version::parse(&text).ok()));
        Ok(matches!((there, ours), (Some(there), Some(ours)) if there > ours))
    }
}
