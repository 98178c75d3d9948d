//! What GitHub says of the run that finishes a watched release.

use tokio::time::Instant;

use crate::apply::workflow::{Workflow, missing_after};
use crate::cli::relay::by_hand;
use crate::cli::workshop::pace;
use crate::report::plain::line;
use crate::report::progress::Progress;
use crate::world::github::error::GitHubError;
use crate::world::github::runs::Run;

/// The run of a workflow, as it was last seen.
pub struct RunWatch<'w> {
    workflow: &'w Workflow,
    began: Instant,
    run: Option<Run>,
    /// Whether people know that no run is there.
    told_missing: bool,
    /// GitHub does not let us look; people were told.
    is_blind: bool,
}

/// A run that is over.
pub struct Over {
    /// `run 71 of release.yml failed at job publish, step ship`
    pub words: String,
    pub url: String,
}

impl RunWatch<'_> {
    pub fn new(workflow: &Workflow) -> RunWatch<'_> {
        RunWatch { workflow, began: Instant::now(), run: None, told_missing: false, is_blind: false }
    }

    /// The page of the run, where one was seen.
    pub fn url(&self) -> Option<&str> {
        self.run.as_ref().map(|run| run.html_url.as_str())
    }

    /// Looks once and tells what is new. Where the run is over, how it ended.
    pub async fn look(&mut self, progress: &mut Progress) -> Option<Over> {
        if self.is_blind {
            return None;
        }
        match self.try_look(progress).await {
            Ok(over) => over,
            // The next look may see it.
            Err(error) if error.is_transient() => None,
            Err(error) => {
                self.is_blind = true;
                let way_out = error.way_out().map(|text| format!("; {text}")).unwrap_or_default();
                progress.remark(&format!("what GitHub does is not seen from here: {error}{way_out}"));
                None
            }
        }
    }

    async fn try_look(&mut self, progress: &mut Progress) -> Result<Option<Over>, GitHubError> {
        let now = match &self.run {
            Some(run) => Some(self.workflow.look(run).await?),
            None => self.workflow.find().await?,
        };
        let Some(now) = now else {
            self.tell_missing(progress);
            return Ok(None);
        };
        if self.run.as_ref() != Some(&now) {
            progress.remark(&format!("{} {}: {}", self.named(&now), state(&now), line(&now.html_url)));
        }
        self.run = Some(now.clone());
        if !now.is_over() || now.waits_for_people() {
            return Ok(None);
        }
        // Another one may have begun after it.
        if let Some(other) = self.workflow.find().await?.filter(|other| other.id > now.id) {
            self.run = Some(other);
            return Ok(None);
        }
        let trouble = if now.succeeded() { None } else { self.workflow.trouble(&now).await? };
        let mut words = format!("{} {}", self.named(&now), state(&now));
        let mut url = now.html_url.clone();
        if let Some(trouble) = trouble {
            words.push_str(&format!(" at job {}", line(&trouble.job)));
            words.extend(trouble.step.map(|step| format!(", step {}", line(&step))));
            url = trouble.url.unwrap_or(url);
        }
        Ok(Some(Over { words, url: line(&url) }))
    }

    fn named(&self, run: &Run) -> String {
        format!("run {} of {}", run.id, line(&self.workflow.file))
    }

    fn tell_missing(&mut self, progress: &mut Progress) {
        if self.told_missing || self.began.elapsed() < missing_after(&pace()) {
            return;
        }
        self.told_missing = true;
        let (file, tag) = (&self.workflow.file, self.workflow.tag());
        progress.remark(&format!(
            "no run of {} has begun for {}; to start one: {}",
            line(file),
            line(tag),
            by_hand(file, tag)
        ));
    }
}

/// How far a run is, in words.
fn state(run: &Run) -> String {
    let said = |text: &Option<String>| line(text.as_deref().unwrap_or_default()).replace('_', " ");
    match &run.conclusion {
        _ if run.waits_for_people() => "waits for an approval".to_owned(),
        Some(conclusion) if run.is_over() => match conclusion.as_str() {
            "success" => "ended well".to_owned(),
            "failure" => "failed".to_owned(),
            "cancelled" => "was cancelled".to_owned(),
            _ => format!("ended with {}", said(&run.conclusion)),
        },
        _ => format!("is {}", said(&run.status)),
    }
}
