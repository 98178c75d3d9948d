//! The release of a tag at GitHub, found by its mark or its files, drafted where there is none.

use std::collections::BTreeMap;

use crate::apply::crash;
use crate::apply::effect::{Job, StepError, evidence_of, package_of};
use crate::apply::github::error::{MISSING, ReleaseError};
use crate::apply::github::files::{holds_all, holds_only};
use crate::apply::pace::{Pace, Patience};
use crate::apply::workshop::Workshop;
use crate::plan::step::Action;
use crate::render::release_body::{Mark, body};
use crate::world::github::GitHub;
use crate::world::github::releases::Release;

/// One package's release at GitHub, as a job is to bring it about.
pub struct Ours<'j> {
    pub job: &'j Job,
    pub github: &'j GitHub,
    pub pace: &'j Pace,
    pub package: &'j str,
    pub tag: &'j str,
    title: String,
    pub mark: Mark,
    body: String,
    /// The sealed files and their digests.
    pub sealed: BTreeMap<&'j str, &'j str>,
}

/// The release of a tag, as it stands.
#[derive(Debug)]
pub enum Standing {
    Draft(Box<Release>),
    Published(Box<Release>),
}

/// How often a tag is looked for.
const TAG_TRIES: u32 = 4;

/// What a list of releases holds for a tag.
#[derive(Debug, Default)]
struct Found {
    /// Published under the tag.
    published: Option<Release>,
    /// Our drafts, the oldest first.
    drafts: Vec<Release>,
    /// Drafts of others, by their pages.
    strangers: Vec<String>,
}

impl<'j> Ours<'j> {
    /// The release that a job's own step is about.
    ///
    /// # Errors
    /// `NotConfigured` where the configuration does not know GitHub any more.
    pub fn of(job: &'j Job, workshop: &'j Workshop, tag: &'j str) -> Result<Ours<'j>, StepError> {
        Ours::of_package(job, workshop, package_of(job), tag)
    }

    /// The release of another package of the same ship.
    ///
    /// # Errors
    /// As `of`.
    pub fn of_package(
        job: &'j Job,
        workshop: &'j Workshop,
        package: &'j str,
        tag: &'j str,
    ) -> Result<Ours<'j>, StepError> {
        let github = workshop.github.as_ref().ok_or(ReleaseError::NotConfigured)?;
        let release = job.plan.releases.iter().find(|release| release.package == package);
        let release =
            release.ok_or_else(|| StepError::Plan { reason: format!("it has no release of {package}") })?;
        let mark = Mark {
            plan: job.plan.digest.to_string(),
            package: package.to_owned(),
            version: release.to.clone(),
        };
        let title = job.plan.steps.iter().find_map(|step| match &step.action {
            Action::Stash { tag: other, title } if other == tag => Some(title.clone()),
            _ => None,
        });
        let changelog = release.files.iter().find(|file| file.to_lowercase().contains("changelog"));
        let whole = match changelog {
            Some(file) => format!(
                "the rest stands in [{file}](https://{}/{}/blob/{tag}/{file})",
                github.host(),
                github.slug()
            ),
            None => format!("the rest stands in the tag's message: `git show {tag}`"),
        };
        Ok(Ours {
            job,
            github,
            pace: &workshop.images.pace,
            package,
            tag,
            title: title.unwrap_or_else(|| tag.to_owned()),
            body: body(&release.notes, &mark, &whole),
            mark,
            sealed: job.ship.sealed(package),
        })
    }

    /// The tag must be there as this ship made it: a release of a missing tag would make another one.
    ///
    /// # Errors
    /// `Tag` where it is another, or missing.
    pub async fn refuse_other_tag(&self) -> Result<(), StepError> {
        let ours = evidence_of(self.job, &format!("tag:{}", self.package), "object")?;
        let mut found = None;
        for tried in 0..TAG_TRIES {
            found = self.github.tag_object(self.tag).await.map_err(ReleaseError::from)?;
            match &found {
                Some(found) if found == ours => return Ok(()),
                Some(_) => break,
                // It may have been pushed a moment ago.
                None => tokio::time::sleep(self.pace.base * 2_u32.pow(tried)).await,
            }
        }
        Err(ReleaseError::Tag {
            tag: self.tag.to_owned(),
            found: found.unwrap_or_else(|| MISSING.to_owned()),
            repository: self.github.slug().to_string(),
            ours: ours.to_owned(),
        }
        .into())
    }

    /// The release of the tag; nothing is made. Of several drafts the oldest counts.
    ///
    /// # Errors
    /// `Foreign` where another's is published under the tag.
    pub async fn look(&self) -> Result<Option<Standing>, StepError> {
        if let Some(known) = self.known().await? {
            return Ok(Some(known));
        }
        let found = self.list(None).await?;
        if let Some(release) = found.published {
            return Ok(Some(Standing::Published(Box::new(release))));
        }
        Ok(found.drafts.into_iter().next().map(|draft| Standing::Draft(Box::new(draft))))
    }

    /// The release of the tag, drafted where there is none. Drafts of ours beside it that hold nothing else go.
    ///
    /// # Errors
    /// As `look`; where GitHub does not make it.
    pub async fn ensure(&self) -> Result<Standing, StepError> {
        if let Some(known) = self.known().await? {
            return Ok(known);
        }
        let mut patience = Patience::new(self.pace);
        let mut made: Option<Release> = None;
        loop {
            let found = self.list(made.take()).await?;
            if let Some(release) = found.published {
                return Ok(Standing::Published(Box::new(release)));
            }
            for page in &found.strangers {
                self.job.notes.remark(format!(
                    "a draft for `{}` that is none of ours stands at {page}; it stays",
                    self.tag
                ));
            }
            let mut drafts = found.drafts.into_iter();
            if let Some(draft) = drafts.next() {
                self.delete_superfluous(drafts.as_slice()).await?;
                return Ok(Standing::Draft(Box::new(draft)));
            }
            self.job.may_go_on().await?;
            crash::point();
            let created = self.github.create_draft(self.tag, &self.title, &self.body).await;
            crash::point();
            match created {
                Ok(release) => made = Some(release),
                Err(error) if error.is_transient() || error.may_have_acted() => {
                    if !patience.wait(None).await {
                        return Err(ReleaseError::from(error).into());
                    }
                }
                Err(error) => return Err(ReleaseError::from(error).into()),
            }
        }
    }

    /// The release that the ledger names, where it is still there: no list is read then.
    async fn known(&self) -> Result<Option<Standing>, StepError> {
        let stashed = self.job.ship.evidence(&format!("stash:{}", self.package));
        let id = stashed.and_then(|evidence| evidence.get(RELEASE)?.parse().ok());
        let Some(id) = id else { return Ok(None) };
        let found = self.github.release(id).await.map_err(ReleaseError::from)?;
        let ours = found.filter(|release| release.tag_name == self.tag);
        Ok(ours.map(|release| match release.draft {
            true => Standing::Draft(Box::new(release)),
            false => Standing::Published(Box::new(release)),
        }))
    }

    /// What stands under the tag. A list may lag behind what was just made.
    async fn list(&self, made: Option<Release>) -> Result<Found, StepError> {
        let mut releases = self.github.releases().await.map_err(ReleaseError::from)?;
        releases.extend(made.filter(|made| releases.iter().all(|release| release.id != made.id)));
        let mut found = Found::default();
        for release in releases.into_iter().filter(|release| release.tag_name == self.tag) {
            match (self.is_ours(&release), release.draft) {
                (true, true) => found.drafts.push(release),
                (true, false) => found.published = Some(release),
                (false, true) => found.strangers.push(release.page.clone()),
                (false, false) => {
                    let page = release.page.clone();
                    return Err(ReleaseError::Foreign { tag: self.tag.to_owned(), page }.into());
                }
            }
        }
        found.drafts.sort_by_key(|draft| draft.id);
        Ok(found)
    }

    /// Whether a release is the one of this plan: it bears our mark, or exactly our files.
    fn is_ours(&self, release: &Release) -> bool {
        let marked = Mark::read(&release.body);
        match marked {
            Some(mark) => mark == self.mark,
            None => holds_all(release, &self.sealed),
        }
    }

    /// Two racers, or a lost answer, leave more drafts than one. What holds nothing of its own is deleted: no other
    /// bytes than sealed ones, no text of a person.
    async fn delete_superfluous(&self, drafts: &[Release]) -> Result<(), StepError> {
        for draft in drafts {
            let text = draft.body.replace("\r\n", "\n");
            if text.trim() != self.body.trim() || !holds_only(draft, &self.sealed) {
                self.job.notes.remark(format!(
                    "a second draft for `{}` stands at {} and holds other things; it stays",
                    self.tag, draft.page
                ));
                continue;
            }
            self.job.may_go_on().await?;
            crash::point();
            let deleted = self.github.delete_release(draft.id).await;
            crash::point();
            // It may stay: it is never published.
            if let Err(error) = deleted {
                self.job.notes.remark(format!("a second draft at {} stays: {error}", draft.page));
            }
        }
        Ok(())
    }

    /// What the ledger keeps of a release.
    pub fn evidence(&self, release: &Release) -> BTreeMap<String, String> {
        let mut evidence: BTreeMap<String, String> =
            self.sealed.iter().map(|(name, digest)| ((*name).to_owned(), (*digest).to_owned())).collect();
        evidence.insert(RELEASE.to_owned(), release.id.to_string());
        evidence.insert(PAGE.to_owned(), release.page.clone());
        evidence
    }
}

/// The key of a release's number among the evidence.
pub const RELEASE: &str = "release";
/// The key of its page.
pub const PAGE: &str = "page";
