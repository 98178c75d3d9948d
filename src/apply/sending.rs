//! One file on its way to an index: attempt, judge the answer, look, send the same bytes again.

use std::time::Duration;

use crate::apply::crash;
use crate::apply::gate::Gate;
use crate::apply::index::Published;
use crate::apply::pace::Patience;
use crate::apply::publish_error::PublishError;
use crate::apply::publisher::{OneFile, Pass, Publisher};
use crate::apply::refusal::{Meaning, hints, is_damaged, meaning};
use crate::apply::shelf::Place;
use crate::world::answer::Answer;
use crate::world::upload::{Measure, Upload, UploadError, upload};

/// One file on its way.
pub(in crate::apply) struct Sending<'s> {
    pub publisher: &'s Publisher,
    pub file: &'s OneFile,
    pub measure: Measure,
    pub form: Vec<(String, String)>,
    pub gate: &'s Gate,
    pub progress: &'s (dyn Fn(u64, u64) + Send + Sync),
}

/// What has happened to it so far.
#[derive(Default)]
struct Past {
    /// An attempt may have reached the index.
    doubtful: bool,
    /// A worn token was replaced.
    renewed: bool,
    /// It was sent again because it came damaged.
    resent: bool,
}

impl Sending<'_> {
    /// Sends until the index has it, or says no for good.
    pub async fn until_there(&self) -> Result<Published, PublishError> {
        let mut patience = Patience::new(&self.publisher.pace);
        let mut past = Past::default();
        let mut worn = None;
        loop {
            let pass = self.publisher.pass(&self.file.package, self.gate, worn.take()).await?;
            (self.gate)().await?;
            crash::point();
            let outcome = self.attempt(&pass).await;
            crash::point();
            match outcome {
                Err(UploadError::Http(error)) if error.is_transient() || error.may_have_acted() => {
                    past.doubtful |= error.may_have_acted();
                    if let Some(found) = self.look_again(&mut patience, None, &error).await? {
                        return Ok(found);
                    }
                }
                Err(error) => return Err(self.publisher.not_sent(self.file, error)),
                Ok(answer) => match meaning(answer.status, &answer.words()) {
                    Meaning::Stored => return Ok(Published::New),
                    Meaning::Parked => return Err(self.parked(&answer)),
                    Meaning::Fatal => return Err(self.refused(&answer)),
                    Meaning::Doubtful => {
                        past.doubtful = true;
                        let said = format!("{} {}", answer.status, answer.words());
                        let asked = answer.retry_after();
                        if let Some(found) = self.look_again(&mut patience, asked, &said).await? {
                            return Ok(found);
                        }
                    }
                    Meaning::Compare => {
                        if let Some(found) = self.compare(&answer, &mut past, &mut patience).await? {
                            return Ok(found);
                        }
                        worn = match &pass {
                            Pass::Minted(ticket) if is_closed(&answer) => Some(ticket.number),
                            _ => None,
                        };
                    }
                },
            }
        }
    }

    async fn attempt(&self, pass: &Pass) -> Result<Answer, UploadError> {
        let credential = match pass {
            Pass::Minted(ticket) => Some(&ticket.credential),
            Pass::Key(credential) => Some(credential),
            Pass::None => None,
        };
        let request = Upload {
            url: &self.publisher.upload,
            credential,
            fields: &self.form,
            path: &self.file.path,
            name: &self.file.name,
            measure: &self.measure,
        };
        upload(&self.publisher.http, &request, self.progress).await
    }

    /// After a doubtful outcome: waits, then looks. `None` where the file is to be sent again.
    async fn look_again(
        &self,
        patience: &mut Patience,
        asked: Option<Duration>,
        last: &(dyn std::fmt::Display + Sync),
    ) -> Result<Option<Published>, PublishError> {
        if !patience.wait(asked).await {
            // The last attempt may have done it.
            let found = self.place(patience).await;
            if matches!(found, Ok(Place::Ours) | Err(PublishError::Conflict { .. })) {
                return found.map(|_| Some(Published::New));
            }
            let (index, what) = (self.publisher.index().name.clone(), format!("take `{}`", self.file.name));
            let (retries, last) = (patience.retries, last.to_string());
            return Err(PublishError::Transient { index, what, retries, last });
        }
        Ok((self.place(patience).await? == Place::Ours).then_some(Published::New))
    }

    /// After a refusal that may mean "it is there": what stands there decides. `None` where it is to be sent again.
    async fn compare(
        &self,
        answer: &Answer,
        past: &mut Past,
        patience: &mut Patience,
    ) -> Result<Option<Published>, PublishError> {
        let place = self.place(patience).await?;
        if place == Place::Ours {
            return Ok(Some(if past.doubtful { Published::New } else { Published::AlreadyThere }));
        }
        let trusted = self.publisher.is_trusted();
        if trusted && is_closed(answer) && !std::mem::replace(&mut past.renewed, true) {
            return Ok(None);
        }
        if is_damaged(&answer.words()) && !std::mem::replace(&mut past.resent, true) {
            return Ok(None);
        }
        // What an earlier attempt stored may not be listed yet.
        if place == Place::Absent && past.doubtful && !is_closed(answer) && patience.wait(None).await {
            return Ok(None);
        }
        Err(self.refused_after_comparing(answer, place))
    }

    async fn place(&self, patience: &Patience) -> Result<Place, PublishError> {
        let mut part = patience.part(&self.publisher.pace);
        self.publisher.shelf.place(self.file.wanted(), &mut part).await
    }

    fn refused_after_comparing(&self, answer: &Answer, place: Place) -> PublishError {
        let (index, file) = (self.publisher.index().name.clone(), self.file.name.clone());
        let (status, said) = (answer.status, answer.words());
        match place {
            _ if is_closed(answer) => PublishError::NotAllowed {
                hints: hints(&index, &self.file.package, status, &said),
                index,
                what: file,
                reason: format!("{status}: {said}"),
            },
            Place::Unknown => PublishError::Unreadable { index, file, status, said },
            _ => self.refused(answer),
        }
    }

    fn refused(&self, answer: &Answer) -> PublishError {
        let (index, file) = (self.publisher.index().name.clone(), self.file.name.clone());
        let (status, said) = (answer.status, answer.words());
        let hints = hints(&index, &self.file.package, status, &said);
        PublishError::Refused { index, file, status, said, hints }
    }

    fn parked(&self, answer: &Answer) -> PublishError {
        let (index, file, said) =
            (self.publisher.index().name.clone(), self.file.name.clone(), answer.words());
        let hints = hints(&index, &self.file.package, answer.status, &said);
        PublishError::Parked { index, file, said, hints }
    }
}

/// Whether an answer is about who we are.
fn is_closed(answer: &Answer) -> bool {
    matches!(answer.status, 401 | 403)
}
