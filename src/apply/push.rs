//! Puts a package's image into its registry: by digest, then under its version, then under the tags that move.
//!
//! The registry is looked at before anything is sent and after. The tag of a version never moves; before another does,
//! the ledger knows where it led.

use std::pin::Pin;

use crate::apply::crash;
use crate::apply::effect::{Evidence, Job, StepError, package_of, version_of};
use crate::apply::image::{ImageMade, image_into_stash, kept_image};
use crate::apply::image_error::ImageError;
use crate::apply::pace::Patience;
use crate::apply::stash::sealed_files;
use crate::apply::workshop::Workshop;
use crate::ledger::event::What;
use crate::plan::image::{self, ImageTag, Line, ReleaseImage, is_highest};
use crate::plan::step::Action;
use crate::version::number::Version;
use crate::world::oci::{Descriptor, INDEX, Layout, MANIFEST};
use crate::world::registry::{Registry, RegistryError};

/// What is written where a tag led nowhere before.
const NOTHING: &str = "nothing";

/// One question to the registry, to be had again.
type Asking<'a, T> = Pin<Box<dyn Future<Output = Result<T, RegistryError>> + Send + 'a>>;

/// The registry has the image and its tags lead to it. The evidence names repository, digest and tags.
///
/// # Errors
/// `Conflict` where the tag of the version leads to another image; where the registry does not take it.
pub async fn push_image(
    job: &Job,
    workshop: &Workshop,
    repository: &str,
    tags: &[ImageTag],
) -> Result<Evidence, StepError> {
    let registry = workshop.images.registry(repository)?;
    let pushing = Pushing { job, workshop, registry: &registry, package: package_of(job) };
    let own: Vec<&ImageTag> = tags.iter().filter(|tag| tag.of == Line::Version).collect();
    let digest = pushing.ensure_image(&own).await?;
    let mut evidence = Evidence::from([
        ("repository".to_owned(), repository.to_owned()),
        ("digest".to_owned(), digest.clone()),
    ]);
    for tag in own {
        pushing.ensure_version_tag(&tag.name, &digest).await?;
        evidence.insert(format!("tag {}", tag.name), digest.clone());
    }
    pushing.move_tags(tags, &digest, &mut evidence).await?;
    Ok(evidence)
}

/// Looks whether the tag of a version is taken by another image: after the claim it would be too late. A registry that
/// can not be read now is left to the push.
///
/// # Errors
/// `Conflict`.
pub async fn refuse_taken_tags(
    job: &Job,
    workshop: &Workshop,
    image: &ReleaseImage,
    ours: &str,
) -> Result<(), StepError> {
    let registry = workshop.images.registry(&image.repository)?;
    for tag in image.tags.iter().filter(|tag| tag.of == Line::Version) {
        match registry.digest(&tag.name).await {
            Ok(Some(there)) if there != ours => {
                return Err(conflict(&registry, &tag.name, there, ours).into());
            }
            Ok(_) => {}
            Err(error) => job.notes.remark(format!("whether `{}` is free is not known: {error}", tag.name)),
        }
    }
    Ok(())
}

struct Pushing<'p> {
    job: &'p Job,
    workshop: &'p Workshop,
    registry: &'p Registry,
    package: &'p str,
}

impl Pushing<'_> {
    /// The image stands in the registry by its digest, which is answered: the sealed one, or where nobody has ever seen
    /// that and its bytes are lost, the one that was built again.
    async fn ensure_image(&self, own: &[&ImageTag]) -> Result<String, StepError> {
        let known = self.known();
        for tag in own {
            if let Some(there) = self.look(&tag.name).await? {
                if known.contains(&there) {
                    return Ok(there);
                }
                return Err(conflict(self.registry, &tag.name, there, &known[0]).into());
            }
        }
        for digest in &known {
            if self.look(digest).await?.is_some() {
                return Ok(digest.clone());
            }
        }
        let layout = self.bytes(&known).await?;
        self.push(&layout).await?;
        Ok(layout.root.digest)
    }

    /// The digests that are ours: the sealed one, and those of images that were built again.
    fn known(&self) -> Vec<String> {
        let sealed = self.job.ship.sealed_image(self.package).unwrap_or(NOTHING).to_owned();
        let prefix = format!("again:{}/", self.package);
        let again = self.job.ship.steps.keys().filter_map(|step| step.strip_prefix(&prefix));
        std::iter::once(sealed).chain(again.map(str::to_owned)).collect()
    }

    /// The image in the stash; one that is lost is built again, and its new digest kept before anybody sees it.
    async fn bytes(&self, known: &[String]) -> Result<Layout, StepError> {
        let kept = kept_image(self.job, self.workshop, self.package);
        if let Ok(layout) = kept.as_ref()
            && known.contains(&layout.root.digest)
        {
            return Ok(layout.clone());
        }
        let step = self.job.plan.steps.iter().find(|step| step.id.0 == format!("image:{}", self.package));
        let Some(Action::Image { path, distribution, version, image, with }) = step.map(|step| &step.action)
        else {
            return Err(StepError::Forgotten { step: format!("image:{}", self.package) });
        };
        for package in with.iter().map(String::as_str).chain([self.package]) {
            sealed_files(self.job, self.workshop, package).await?;
        }
        let made = ImageMade { path, distribution, version, image, with };
        image_into_stash(self.job, self.workshop, self.package, &made).await?;
        let layout = kept_image(self.job, self.workshop, self.package)?;
        if !known.contains(&layout.root.digest) {
            self.note_again(&layout.root.digest, &known[0]).await?;
        }
        Ok(layout)
    }

    async fn note_again(&self, digest: &str, sealed: &str) -> Result<(), StepError> {
        self.job.notes.remark(format!(
            "the image of {} was lost before anybody saw it, and is built again: {digest} in place of {sealed}",
            self.package
        ));
        let step = format!("again:{}/{digest}", self.package);
        let evidence = Evidence::from([("digest".to_owned(), digest.to_owned())]);
        self.note(step, evidence).await
    }

    /// Blobs first, then manifests, the root last: what is named is there.
    async fn push(&self, layout: &Layout) -> Result<(), StepError> {
        for blob in &layout.blobs {
            self.job.may_go_on().await?;
            crash::point();
            self.push_blob(layout, blob).await?;
        }
        for manifest in layout.parts.iter().chain([&layout.root]) {
            self.job.may_go_on().await?;
            crash::point();
            let bytes = layout.manifest(manifest).map_err(ImageError::from)?;
            self.put(&manifest.digest, &manifest.media_type, &bytes).await?;
        }
        crash::point();
        match self.look(&layout.root.digest).await? {
            Some(_) => Ok(()),
            None => Err(ImageError::Unseen {
                repository: self.registry.name.clone(),
                digest: layout.root.digest.clone(),
            }
            .into()),
        }
    }

    async fn push_blob(&self, layout: &Layout, blob: &Descriptor) -> Result<(), StepError> {
        let file = layout.path(blob).map_err(ImageError::from)?;
        let short = blob.digest.get(..19).unwrap_or(&blob.digest);
        let step = format!("upload:{}/{short}", self.package);
        let progress = |sent, total| self.job.notes.bytes(&step, sent, total);
        let push = || -> Asking<'_, bool> { Box::pin(self.registry.push_blob(blob, &file, &progress)) };
        self.patiently(push).await.map(|_| ())
    }

    /// The tag of a version: set once, and the same for ever.
    async fn ensure_version_tag(&self, tag: &str, digest: &str) -> Result<(), StepError> {
        if self.look(tag).await?.is_none() {
            self.job.may_go_on().await?;
            crash::point();
            self.lead(tag, digest).await?;
            crash::point();
        }
        match self.look(tag).await? {
            Some(there) if there == digest => Ok(()),
            Some(there) => Err(conflict(self.registry, tag, there, digest).into()),
            None => Err(self.unseen(digest)),
        }
    }

    /// Moves those tags whose line has no higher stable version, in the registry or among the repository's tags.
    async fn move_tags(
        &self,
        tags: &[ImageTag],
        digest: &str,
        evidence: &mut Evidence,
    ) -> Result<(), StepError> {
        let moving: Vec<&ImageTag> = tags.iter().filter(|tag| tag.of != Line::Version).collect();
        if moving.is_empty() {
            return Ok(());
        }
        let version = self.version()?;
        let others = self.others().await?;
        for tag in moving {
            if is_highest(&version, tag.of, &others) {
                self.move_tag(&tag.name, digest, evidence).await?;
            } else {
                self.job.notes.remark(format!(
                    "`{}` of `{}` stays where it is: {version} is not the highest of its line",
                    tag.name, self.registry.name
                ));
            }
        }
        Ok(())
    }

    async fn move_tag(&self, tag: &str, digest: &str, evidence: &mut Evidence) -> Result<(), StepError> {
        let before = self.look(tag).await?;
        let step = format!("retag:{}/{tag}", self.package);
        if before.as_deref() != Some(digest) {
            self.job.may_go_on().await?;
            let before = before.unwrap_or_else(|| NOTHING.to_owned());
            if !self.job.ship.has_done(&step) {
                let kept = [("before", before), ("digest", digest.to_owned())];
                let kept = kept.map(|(key, value)| (key.to_owned(), value)).into();
                self.note(step.clone(), kept).await?;
            }
            crash::point();
            self.lead(tag, digest).await?;
            crash::point();
            let there = self.look(tag).await?.unwrap_or_else(|| NOTHING.to_owned());
            if there != digest {
                let (repository, tag) = (self.registry.name.clone(), tag.to_owned());
                return Err(ImageError::Moved { repository, tag, there }.into());
            }
        }
        evidence.insert(format!("tag {tag}"), digest.to_owned());
        Ok(())
    }

    /// Puts a manifest that the registry has under a tag: no layer is sent.
    async fn lead(&self, tag: &str, digest: &str) -> Result<(), StepError> {
        let get = || -> Asking<'_, Option<Vec<u8>>> { Box::pin(self.registry.manifest(digest)) };
        let bytes = self.patiently(get).await?.ok_or_else(|| self.unseen(digest))?;
        let media_type = serde_json::from_slice::<serde_json::Value>(&bytes).ok();
        let media_type = media_type.as_ref().and_then(|json| json.get("mediaType")?.as_str());
        let media_type = if media_type == Some(INDEX) { INDEX } else { MANIFEST };
        self.put(tag, media_type, &bytes).await
    }

    async fn put(&self, reference: &str, media_type: &str, bytes: &[u8]) -> Result<(), StepError> {
        let put =
            || -> Asking<'_, String> { Box::pin(self.registry.put_manifest(reference, media_type, bytes)) };
        self.patiently(put).await.map(|_| ())
    }

    async fn look(&self, reference: &str) -> Result<Option<String>, StepError> {
        let look = || -> Asking<'_, Option<String>> { Box::pin(self.registry.digest(reference)) };
        self.patiently(look).await
    }

    /// The versions that are known beside this one, by the registry's tags and by the repository's.
    async fn others(&self) -> Result<Vec<Version>, StepError> {
        let list = || -> Asking<'_, Vec<String>> { Box::pin(self.registry.tags()) };
        let tags = self.patiently(list).await?;
        let mut others: Vec<Version> = tags.iter().filter_map(|tag| image::version_of(tag)).collect();
        let release = self.job.plan.releases.iter().find(|release| release.package == self.package);
        if let Some((before, after)) = release.and_then(|release| release.tag.split_once(release.to.as_str()))
        {
            let names = self.workshop.repository.tag_names()?;
            let of_package =
                |name: &String| Version::parse(name.strip_prefix(before)?.strip_suffix(after)?).ok();
            others.extend(names.iter().filter_map(of_package));
        }
        Ok(others)
    }

    fn version(&self) -> Result<Version, StepError> {
        match &self.job.step.action {
            Action::Push { version, .. } => version_of(version),
            _ => Err(StepError::Plan { reason: format!("{} is no push", self.job.step.id) }),
        }
    }

    async fn note(&self, step: String, evidence: Evidence) -> Result<(), StepError> {
        self.job.notes.keep(What::Started { step: step.clone() }).await?;
        self.job.notes.keep(What::Succeeded { step, evidence }).await
    }

    fn unseen(&self, digest: &str) -> StepError {
        let (repository, digest) = (self.registry.name.clone(), digest.to_owned());
        ImageError::Unseen { repository, digest }.into()
    }

    /// Asks again while the registry fails in a way that may pass, as often and as long as the pace allows.
    async fn patiently<'a, T>(&self, ask: impl Fn() -> Asking<'a, T>) -> Result<T, StepError> {
        let mut patience = Patience::new(&self.workshop.images.pace);
        loop {
            match ask().await {
                Ok(found) => return Ok(found),
                Err(error) if error.is_transient() => {
                    if !patience.wait(error.retry_after()).await {
                        return Err(ImageError::Tried { retries: patience.retries, last: error }.into());
                    }
                    // Whoever took the ship over meanwhile goes on with it.
                    self.job.may_go_on().await?;
                }
                Err(error) => return Err(ImageError::from(error).into()),
            }
        }
    }
}

/// Another image stands under a tag that never moves.
pub fn conflict(registry: &Registry, tag: &str, there: String, ours: &str) -> ImageError {
    ImageError::Conflict {
        repository: registry.name.clone(),
        tag: tag.to_owned(),
        there,
        ours: ours.to_owned(),
    }
}
