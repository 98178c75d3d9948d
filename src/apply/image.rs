//! Builds a package's container image with the sealed wheels of its ship, and keeps it in the stash as an OCI layout.

use std::collections::BTreeMap;
use std::io::Seek;
use std::path::{Path, PathBuf};

use crate::apply::crash;
use crate::apply::effect::{Evidence, Job, StepError, package_of, release_commit, tags_of};
use crate::apply::image_error::ImageError;
use crate::apply::workshop::{Workshop, WorkshopError};
use crate::plan::image::ReleaseImage;
use crate::workspace::path::RepoPath;
use crate::world::engine::Engine;
use crate::world::engine::build::{BuildOrder, credentials, name_of, uses_buildkit};
use crate::world::engine::context::{Context, pack};
use crate::world::oci::{Descriptor, Layout, finish};
use crate::world::sha256;

/// Where the wheels stand in the build's context.
const HANDED: &str = "dist";

/// What is built, as the step says.
#[derive(Debug, Clone, Copy)]
pub struct ImageMade<'s> {
    /// The package's folder.
    pub path: &'s str,
    pub distribution: &'s str,
    pub version: &'s str,
    pub image: &'s ReleaseImage,
    /// The packages whose wheels it gets beside its own.
    pub with: &'s [String],
}

/// The image is in the stash. The evidence is its digest and those of its platforms.
///
/// # Errors
/// `Build` where the Dockerfile does not come to its end; where no engine answers; whatever stops a checkout.
pub async fn build_image(
    job: &Job,
    workshop: &Workshop,
    made: &ImageMade<'_>,
) -> Result<Evidence, StepError> {
    let package = package_of(job);
    if kept_image(job, workshop, package).is_err() {
        image_into_stash(job, workshop, package, made).await?;
    }
    let layout = kept_image(job, workshop, package)?;
    let mut evidence = Evidence::from([("digest".to_owned(), layout.root.digest.clone())]);
    for part in &layout.parts {
        if let Some(platform) = &part.platform {
            evidence.insert(format!("platform {}", name_of(platform)), part.digest.clone());
        }
    }
    Ok(evidence)
}

/// A package's image in the stash.
///
/// # Errors
/// Where it is not there, or not whole.
pub fn kept_image(job: &Job, workshop: &Workshop, package: &str) -> Result<Layout, ImageError> {
    Ok(Layout::open(&folder_of(job, workshop, package))?)
}

/// No package is called so: its image can not stand where a package's files do.
fn folder_of(job: &Job, workshop: &Workshop, package: &str) -> PathBuf {
    workshop.stash(&job.plan.digest, job.ship.began, &format!("{package}@image"))
}

/// Builds beside the stash and moves the layout there at once, so that it is whole or absent.
///
/// # Errors
/// As `build_image`.
pub async fn image_into_stash(
    job: &Job,
    workshop: &Workshop,
    package: &str,
    made: &ImageMade<'_>,
) -> Result<(), StepError> {
    let place = folder_of(job, workshop, package);
    let parent = place.parent().expect("a stash stands below its plan's folder").to_owned();
    let unusable = |path: &Path| {
        let path = path.to_owned();
        move |source| ImageError::Folder { path, source }
    };
    std::fs::create_dir_all(&parent).map_err(unusable(&parent))?;
    let fresh = tempfile::Builder::new().prefix("building-image-").tempdir_in(&parent);
    let fresh = fresh.map_err(unusable(&parent))?;
    let checkout = clean_checkout(job, workshop)?;
    let folder =
        checkout.path().join("source").join(RepoPath::new(made.path).unwrap_or_default().to_string());
    let folder = folder.join(&made.image.context);
    let handed = handed(job, workshop, package, made)?;
    let building = Building { job, workshop, package, made, folder: &folder, handed: &handed };
    let mut manifests = Vec::new();
    for platform in &made.image.platforms {
        manifests.push(building.for_platform(platform, fresh.path()).await?);
    }
    finish(fresh.path(), manifests).map_err(ImageError::from)?;
    crash::point();
    if place.exists() {
        // A layout that was damaged from outside.
        std::fs::remove_dir_all(&place).map_err(unusable(&place))?;
    }
    let kept = fresh.keep();
    std::fs::rename(&kept, &place).map_err(unusable(&place))?;
    Ok(())
}

/// The release commit as it is committed: the checkout that wheels are built in holds what their build left there.
fn clean_checkout(job: &Job, workshop: &Workshop) -> Result<tempfile::TempDir, StepError> {
    let folder = tempfile::Builder::new().prefix("release-image-").tempdir();
    let folder = folder.map_err(|source| WorkshopError::Folder { source })?;
    workshop.repository.export(release_commit(job)?, &folder.path().join("source"), &tags_of(job))?;
    Ok(folder)
}

/// The wheels that go into the context, the package's own first.
fn handed(
    job: &Job,
    workshop: &Workshop,
    package: &str,
    made: &ImageMade<'_>,
) -> Result<Vec<(String, PathBuf)>, StepError> {
    let mut wheels = Vec::new();
    for package in std::iter::once(package).chain(made.with.iter().map(String::as_str)) {
        let stash = workshop.stash(&job.plan.digest, job.ship.began, package);
        let files = crate::apply::stash::stashed(&stash)?;
        let own = files.into_iter().map(|(name, _)| name).filter(|name| name.ends_with(".whl"));
        let before = wheels.len();
        wheels.extend(own.map(|name| (name.clone(), stash.join(name))));
        if wheels.len() == before {
            return Err(ImageError::NoWheel { package: package.to_owned() }.into());
        }
    }
    Ok(wheels)
}

/// One image being built, platform by platform.
struct Building<'b> {
    job: &'b Job,
    workshop: &'b Workshop,
    package: &'b str,
    made: &'b ImageMade<'b>,
    /// The context's folder in a clean checkout.
    folder: &'b Path,
    handed: &'b [(String, PathBuf)],
}

impl Building<'_> {
    async fn for_platform(&self, platform: &str, into: &Path) -> Result<Descriptor, ImageError> {
        let engine = self.workshop.images.engine().await?;
        let order = self.order(platform)?;
        let built = self.build(engine, &order).await;
        let saved = match &built {
            Ok(_) => Some(engine.save(&order.name, into).await),
            Err(_) => None,
        };
        // What can not be removed is only wasted space, and gets its name taken away by the next build.
        let _ = engine.forget_image(&order.name).await;
        let (platform, saved) = (built?, saved.transpose()?);
        let manifest = saved.expect("what is built was saved");
        Ok(Descriptor { platform: Some(platform), ..manifest })
    }

    async fn build(
        &self,
        engine: &Engine,
        order: &BuildOrder,
    ) -> Result<crate::world::oci::Platform, ImageError> {
        let unusable = |source| ImageError::Folder { path: std::env::temp_dir(), source };
        let mut archive = tempfile::tempfile().map_err(unusable)?;
        let context = Context {
            folder: self.folder,
            dockerfile: &self.made.image.dockerfile,
            handed: (HANDED, self.handed),
            epoch: self.job.ship.began,
        };
        pack(&context, &archive)?;
        archive.rewind().map_err(unusable)?;
        let variable = &self.workshop.images.variable;
        let credentials = credentials(&self.folder.join(&self.made.image.dockerfile), variable).await;
        let tell = |line: &str| self.job.notes.remark(format!("image of {}: {line}", self.package));
        let buildkit = uses_buildkit(engine, variable);
        Ok(engine.build(order, archive, credentials, buildkit, &tell).await?)
    }

    fn order(&self, platform: &str) -> Result<BuildOrder, ImageError> {
        let wheel = self.handed.first().map(|(name, _)| name.as_str());
        let wheel = wheel.ok_or_else(|| ImageError::NoWheel { package: self.package.to_owned() })?;
        let mut args = self.made.image.args.clone();
        args.insert("SOURCE_DATE_EPOCH".to_owned(), self.job.ship.began.to_string());
        args.insert("VERSION".to_owned(), self.made.version.to_owned());
        args.insert("WHEEL".to_owned(), format!("{HANDED}/{wheel}"));
        let id = format!("{} {} {platform}", self.job.plan.digest, self.package);
        Ok(BuildOrder {
            name: format!("release-build:{}", &sha256::of(id.as_bytes())[..24]),
            dockerfile: self.made.image.dockerfile.clone(),
            args,
            labels: self.labels(),
            platform: platform.to_owned(),
            timeout: self.workshop.build_limit,
        })
    }

    fn labels(&self) -> BTreeMap<String, String> {
        let created = jiff::Timestamp::from_second(self.job.ship.began).unwrap_or_default();
        let commit = release_commit(self.job).unwrap_or_default();
        let mut labels = vec![
            ("version", self.made.version.to_owned()),
            ("revision", commit.to_owned()),
            ("created", created.to_string()),
            ("title", self.made.distribution.to_owned()),
        ];
        labels.extend(self.made.image.source.clone().map(|source| ("source", source)));
        labels.into_iter().map(|(key, value)| (format!("org.opencontainers.image.{key}"), value)).collect()
    }
}
