//! `release ship --watch`: follows what the CI makes of a claimed release, and ends as it ends.

use std::collections::BTreeMap;
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::{Instant, sleep_until};

use crate::apply::book::BookError;
use crate::apply::watch::{Fate, Rhythm, Watched};
use crate::apply::workflow::Workflow;
use crate::cli::args::{self, Global, Output, Stage, Wish};
use crate::cli::failure::{Failure, Kind};
use crate::cli::known::{claimed, over};
use crate::cli::ledger::{self, book_failure, present_book};
use crate::cli::open;
use crate::cli::relay::workflow;
use crate::cli::run_watch::{Over, RunWatch};
use crate::cli::ship_answer::{Answer, releases};
use crate::cli::stopping::stoppable;
use crate::cli::workshop::pace;
use crate::ledger::event::{Event, What};
use crate::plan::Plan;
use crate::report::json::pretty;
use crate::report::plain::line;
use crate::report::progress::Progress;
use crate::report::ship_text::ship_text;
use crate::report::streams::Streams;
use crate::report::words::{held_by, planned};
use crate::survey::home::Home;
use crate::workspace::config::text::Span;
use crate::world::interrupt::heard;
use crate::world::store::error::StoreError;

/// Where nothing but watching was asked for: that; none where there is something to do first.
pub fn instead(
    global: &Global,
    verb: &args::Ship,
    home: &Home,
    streams: &mut Streams,
) -> Option<Result<u8, Failure>> {
    let limit = verb.relay.watch?;
    match &verb.tag {
        Some(tag) => Some(stoppable(async |interrupt| {
            of_tag(global, verb, home, tag, limit, interrupt, streams).await
        })),
        None if verb.until == Some(Stage::Claim) && home.remote.is_some() => None,
        None if home.remote.is_none() => Some(Err(Failure::user(
            "there is no remote, so nobody else can go on with a release that could be watched",
        ))),
        None => Some(Err(Failure::user("`--watch` follows what others do with a claimed release")
            .hint("`release ship --until claim --watch` claims first; `release ship --tag TAG --watch` only follows"))),
    }
}

async fn of_tag(
    global: &Global,
    verb: &args::Ship,
    home: &Home,
    tag: &str,
    limit: Span,
    interrupt: watch::Receiver<Option<&'static str>>,
    streams: &mut Streams,
) -> Result<u8, Failure> {
    let book = present_book(home).await?;
    let survey = open::survey_knowing(global, &Wish::to_look(), Some(book.state()))?;
    let Some((plan, ship)) = claimed(&book, &survey, tag)? else {
        streams.print(&format!("{}\n", over(book.state(), &survey, tag)?));
        return Ok(if verb.detailed_exitcode { 3 } else { 0 });
    };
    let (workflow, output) = (workflow(home, &plan, ship).await?, verb.output);
    Watch { global, streams, home, plan: &plan, workflow, limit, output, interrupt }.follow().await
}

/// One claimed release, watched.
pub struct Watch<'w> {
    pub global: &'w Global,
    pub streams: &'w mut Streams,
    pub home: &'w Home,
    pub plan: &'w Plan,
    /// The workflow that finishes it, where the repository is at GitHub.
    pub workflow: Option<Workflow>,
    /// How long at most.
    pub limit: Span,
    pub output: Output,
    pub interrupt: watch::Receiver<Option<&'static str>>,
}

/// Why watching came to its end.
enum End {
    Fate(Fate),
    /// The run at GitHub is over, and the release is not.
    Run(Over),
    /// It took longer than was asked for.
    Late,
    /// Somebody does not want to watch any more.
    Left(&'static str),
}

impl Watch<'_> {
    /// Follows the release until it has come to an end, and answers with it.
    ///
    /// # Errors
    /// Where it is not finished in the end, and why; where the ledger can not be read.
    pub async fn follow(&mut self) -> Result<u8, Failure> {
        let told = format!("watching {}; it goes on without this too\n", planned(self.plan));
        self.streams.tell(&told);
        let mut progress = Progress::new(self.plan, self.global.quiet, self.streams);
        let end = self.until_the_end(&mut progress).await;
        progress.end();
        drop(progress);
        let (end, url) = end?;
        self.answer(&end).await?;
        let hint = url.map(|url| format!("its run: {}", line(&url)));
        self.outcome(end).map_err(|failure| hint.into_iter().fold(failure, Failure::hint))
    }

    /// Why it came to its end, and the page of the run that was seen at work.
    async fn until_the_end(&mut self, progress: &mut Progress) -> Result<(End, Option<String>), Failure> {
        let ends = Instant::now() + Duration::from_secs(self.limit.seconds);
        let packages = self.plan.releases.iter().map(|release| release.package.clone()).collect();
        let mut watched = Watched::new(ledger::store(self.home)?, &self.plan.digest, packages);
        let (events, mut fate) = watched.begin().await.map_err(book_failure)?;
        since_claim(&events).iter().for_each(|event| tell(progress, event));
        let mut rhythm = Rhythm::new(&pace());
        let mut is_deaf = false;
        let mut run = self.workflow.as_ref().map(RunWatch::new);
        let mut over = None;
        loop {
            let url = run.as_ref().and_then(|run| run.url().map(str::to_owned));
            if let Some(fate) = fate {
                return Ok((End::Fate(fate), url));
            }
            if let Some(over) = over {
                return Ok((End::Run(over), None));
            }
            let now = Instant::now();
            if now >= ends {
                return Ok((End::Late, url));
            }
            tokio::select! {
                signal = heard(&mut self.interrupt) => return Ok((End::Left(signal), url)),
                () = sleep_until(ends.min(now + rhythm.quiet())) => {}
            }
            // In this order: what a run that is over has written is read after its end.
            over = match &mut run {
                Some(run) => run.look(progress).await,
                None => None,
            };
            fate = match watched.look().await {
                Ok((events, fate)) => {
                    if !events.is_empty() {
                        rhythm.again();
                    }
                    events.iter().for_each(|event| tell(progress, event));
                    is_deaf = false;
                    fate
                }
                Err(BookError::Store(error @ StoreError::Unreachable { .. })) => {
                    if !std::mem::replace(&mut is_deaf, true) {
                        progress.remark(&format!("{error}; looking again"));
                    }
                    None
                }
                Err(error) => return Err(book_failure(error)),
            };
        }
    }

    /// What `--output json` says, by the ledger as it stands now; else what was shipped.
    async fn answer(&mut self, end: &End) -> Result<(), Failure> {
        let outcome = match end {
            End::Fate(Fate::Finished) => "finished",
            End::Fate(Fate::Closed { .. }) => "closed",
            End::Fate(Fate::PutDown { .. }) => "incomplete",
            End::Run(_) => "incomplete",
            End::Late | End::Left(_) => "under-way",
        };
        if self.output == Output::Json {
            let book = present_book(self.home).await?;
            let releases = releases(self.plan, &book, &[]);
            let answer = Answer { plan: &self.plan.digest, outcome, releases, timing: None };
            self.streams.print(&pretty(&answer));
        } else if outcome == "finished" {
            let pushed = self.home.remote.as_deref();
            let width = self.streams.width();
            self.streams.print(&ship_text(self.plan, outcome, &BTreeMap::new(), pushed, width));
        }
        Ok(())
    }

    fn outcome(&self, end: End) -> Result<u8, Failure> {
        let what = planned(self.plan);
        let again = format!("`release ship --tag {} --watch` watches again", tag(self.plan));
        match end {
            End::Fate(Fate::Finished) => Ok(0),
            End::Fate(Fate::Closed { reason }) => {
                Err(Failure::new(Kind::NotAllowed, format!("{what} was closed: {}", line(&reason))).hint(
                    "`release log` says by whom; the next plan releases its changes under higher numbers",
                ))
            }
            End::Fate(Fate::PutDown { halted: Some(reason), .. }) => {
                Err(Failure::new(Kind::NotAllowed, format!("{what} is halted: {}", line(&reason)))
                    .hint("`release status` says who halted it; `release resume` lets it go on"))
            }
            End::Fate(Fate::PutDown { failed, .. }) => Err(self.put_down(&failed)),
            End::Run(over) => {
                let text = format!("{what} is not finished, and its {}", over.words);
                Err(Failure::new(Kind::Outside, text)
                    .hint(format!("look there: {}", over.url))
                    .hint(format!("run it again there, or `release ship --tag {} --yes`", tag(self.plan)))
                    .hint(again))
            }
            End::Late => {
                Err(Failure::new(Kind::Outside, format!("{what} is not finished after {}", self.limit))
                    .hint(again)
                    .hint("`release doctor` says who has it in hand, and what to do where nobody has"))
            }
            End::Left(signal) => Err(Failure::new(
                Kind::Outside,
                format!("stopped watching by {signal}; the release of {what} goes on without this"),
            )
            .hint(again)),
        }
    }

    fn put_down(&self, failed: &BTreeMap<String, String>) -> Failure {
        let told = failed.iter().map(|(step, why)| format!("{step} failed: {why}"));
        let text =
            format!("{} is not finished: {}", planned(self.plan), told.collect::<Vec<String>>().join("; "));
        let tag = tag(self.plan);
        Failure::new(Kind::Outside, text)
            .hint(format!("run the job again, or `release ship --tag {tag} --yes`: it goes on from here"))
            .hint(format!("`release ship --tag {tag} --watch` watches again"))
    }
}

/// The tag that a command names a plan by.
pub fn tag(plan: &Plan) -> String {
    plan.releases.first().map(|release| line(&release.tag)).unwrap_or_default()
}

/// What was done after the claim.
fn since_claim(events: &[Event]) -> &[Event] {
    let is_claim = |event: &Event| matches!(&event.what, What::Succeeded { step, .. } if step == "claim");
    let after = events.iter().position(is_claim).map_or(0, |at| at + 1);
    &events[after..]
}

fn tell(progress: &mut Progress, event: &Event) {
    match &event.what {
        What::Leased { holder, .. } => progress.remark(&format!("in hand of {}", held_by(holder))),
        _ => progress.tell(event),
    }
}
