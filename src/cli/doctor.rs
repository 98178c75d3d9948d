//! `release doctor`: what is wrong, and the exact next command.

use crate::apply::book::Book;
use crate::apply::examine::{Seen, examine, stale_locks};
use crate::apply::lease::liveness;
use crate::apply::publish_error::PublishError;
use crate::apply::workshop::Outlet;
use crate::cli::args::{self, Global, Output, Wish};
use crate::cli::doctor_publishers::publishers;
use crate::cli::failure::Failure;
use crate::cli::mirroring::Fitness;
use crate::cli::relay::by_hand;
use crate::cli::workshop::shipping_workshop;
use crate::cli::{doctor_github, ledger, mirroring, open};
use crate::ledger::event::Holder;
use crate::ledger::state::Ship;
use crate::report::deployment_words::{deployment_named, scope_named};
use crate::report::doctor::{Diagnosis, Finding, Level, ShipDiagnosis, doctor_json, doctor_text};
use crate::report::streams::Streams;
use crate::report::words::{each_named, held_by, named};
use crate::survey::facts::Survey;
use crate::survey::home::Home;
use crate::world::holder::Liveness;

pub fn run(global: &Global, verb: &args::Doctor, streams: &mut Streams) -> Result<u8, Failure> {
    let home = ledger::home(global)?;
    let runtime = ledger::runtime()?;
    let diagnosis = runtime.block_on(diagnose(global, &home))?;
    let text = match verb.output {
        Output::Json => doctor_json(&diagnosis),
        Output::Text | Output::Markdown => doctor_text(&diagnosis, streams.width(), streams.color()),
    };
    streams.print(&text);
    Ok(match diagnosis.level() {
        Level::Good => 0,
        Level::Waits => 10,
        Level::Wrong => 11,
    })
}

async fn diagnose(global: &Global, home: &Home) -> Result<Diagnosis, Failure> {
    let store = ledger::store(home)?;
    let mut diagnosis = Diagnosis { ledger: store.name(), ..Diagnosis::default() };
    for lock in stale_locks(&home.repository.common_dir()) {
        let path = home.repository.common_dir().join(&lock);
        diagnosis.findings.push(Finding {
            level: Level::Wrong,
            fact: format!("`{lock}` is there: git is at work here, or was killed"),
            next: Some(format!("where no git runs in this repository: rm {}", path.display())),
        });
    }
    let book = match ledger::read_book(home).await {
        Ok((book, remark)) => {
            let wrong =
                |fact: String| Finding { level: Level::Wrong, fact, next: Some("release doctor".to_owned()) };
            diagnosis.findings.extend(remark.map(wrong));
            book
        }
        Err(failure) => {
            diagnosis.findings.push(failed(&failure));
            return Ok(diagnosis);
        }
    };
    if book.has_untold_end() {
        diagnosis.findings.push(Finding {
            level: Level::Waits,
            fact: "a ship has ended here, and the others were not told yet".to_owned(),
            next: Some("release ship".to_owned()),
        });
    }
    let links = book.version().map_or_else(|| "empty".to_owned(), |version| version.0.clone());
    let events = book.state().events;
    diagnosis.findings.push(good(format!("the ledger reads: {events} events, newest link {links}")));
    let wish = Wish::to_look();
    match open::survey_knowing(global, &wish, Some(book.state())) {
        Ok(survey) => {
            look(&book, &survey, home, &mut diagnosis).await?;
            look_at_environments(&book, &mut diagnosis).await;
            look_at_mirrors(&book, &survey, home, &mut diagnosis).await?;
        }
        Err(failure) => diagnosis.findings.push(failed(&failure)),
    }
    Ok(diagnosis)
}

async fn look(book: &Book, survey: &Survey, home: &Home, diagnosis: &mut Diagnosis) -> Result<(), Failure> {
    let workshop = shipping_workshop(survey, home).await?;
    if let Some(github) = &workshop.github {
        diagnosis.findings.extend(doctor_github::look(github, home, book).await);
    }
    for (name, outlet) in &workshop.outlets {
        if let Outlet::Remote(publisher) = outlet {
            diagnosis.findings.push(match publisher.probe().await {
                Ok(()) => good(format!("`{name}` would take uploads from here")),
                Err(error @ PublishError::NotAllowed { .. }) if !is_in_ci() => {
                    good(format!("from here nothing is uploaded, that is the CI's: {error}"))
                }
                Err(error) => Finding {
                    level: Level::Waits,
                    fact: error.to_string(),
                    next: error.hints().into_iter().next(),
                },
            });
        }
    }
    diagnosis.findings.extend(publishers(survey, home));
    for (digest, ship) in &book.state().in_flight {
        let Some(plan) = book.plan(digest).map_err(ledger::book_failure)? else { continue };
        let (liveness, shown) = holder(ship).await;
        let done = plan.steps.iter().filter(|step| ship.has_done(&step.id.0)).count();
        diagnosis.ships.push(ShipDiagnosis {
            plan: digest.clone(),
            releases: each_named(&ship.releases),
            claimed: ship.has_done("claim"),
            epoch: ship.epoch,
            holder: ship.holder.as_ref().map(held_by),
            liveness: shown,
            done,
            remaining: plan.steps.len() - done,
        });
        let seen = examine(book, &plan, &workshop).await;
        let disagrees = seen.iter().any(|seen| matches!(seen, Seen::Disagrees(..)));
        let (agree, others): (Vec<Seen>, Vec<Seen>) =
            seen.into_iter().partition(|seen| matches!(seen, Seen::Agrees(_)));
        let looked_at = agree.len() + others.len();
        if looked_at > 0 {
            let fact = format!("{} of {looked_at} tags and files are as this ship made them", agree.len());
            diagnosis.findings.push(good(fact));
        }
        diagnosis.findings.extend(others.into_iter().map(finding));
        if !disagrees {
            diagnosis.findings.push(next_for(ship, liveness, home));
        }
    }
    Ok(())
}

/// Deployments under way, environments that wait for a person, halts.
async fn look_at_environments(book: &Book, diagnosis: &mut Diagnosis) {
    let state = book.state();
    for halt in &state.halts {
        diagnosis.findings.push(Finding {
            level: Level::Waits,
            fact: format!("{} halted {}: {}", halt.who, scope_named(&halt.scope), halt.reason),
            next: Some("once it may go on: release resume, with the same scope and a --reason".to_owned()),
        });
    }
    for (name, known) in &state.environments {
        if let Some(stop) = &known.locked {
            diagnosis.findings.push(Finding {
                level: Level::Wrong,
                fact: format!("environment {name} is locked: {}", stop.reason),
                next: Some(format!("look at it, then: release resume --environment {name} --reason TEXT")),
            });
        }
    }
    for rollout in state.rollouts.values() {
        let what = deployment_named(&rollout.deployment);
        let (liveness, _) = of(rollout.holder.as_ref()).await;
        let environment = &rollout.deployment.environment;
        let (fact, next) = match liveness {
            Some(Liveness::Alive) => (format!("{what} is going on"), "release status".to_owned()),
            Some(Liveness::Unknown) => (
                format!("{what} is not over, and nothing seen from here proves that its holder has ended"),
                format!("make sure that it has, then: release deploy {environment} --take-over"),
            ),
            Some(Liveness::Dead) | None => (format!("{what} is not over"), "release tick".to_owned()),
        };
        diagnosis.findings.push(Finding { level: Level::Waits, fact, next: Some(next) });
    }
}

/// The environments at GitHub, and what is not shown there yet.
async fn look_at_mirrors(
    book: &Book,
    survey: &Survey,
    home: &Home,
    diagnosis: &mut Diagnosis,
) -> Result<(), Failure> {
    for environment in survey.environments.values().filter(|environment| environment.mirror.is_some()) {
        match mirroring::look(home, environment).await? {
            Fitness::Fit => {
                diagnosis.findings.push(good(format!("GitHub has what `{}` needs", environment.name)))
            }
            Fitness::Unknown(fact) => {
                diagnosis.findings.push(Finding {
                    level: Level::Waits,
                    fact,
                    next: Some("release doctor".to_owned()),
                });
            }
            Fitness::Unfit(unfit) => {
                let next = unfit.hints.into_iter().next();
                diagnosis.findings.push(Finding { level: Level::Wrong, fact: unfit.text, next });
            }
        }
    }
    for mirror in book.state().owed() {
        diagnosis.findings.push(Finding {
            level: Level::Waits,
            fact: format!("GitHub does not show {} as it is", deployment_named(&mirror.deployment)),
            next: Some("release tick".to_owned()),
        });
    }
    Ok(())
}

/// Whether a CI runs this, so that it should be able to publish.
fn is_in_ci() -> bool {
    ["CI", "GITHUB_ACTIONS", "GITLAB_CI"].iter().any(|name| std::env::var_os(name).is_some())
}

async fn holder(ship: &Ship) -> (Option<Liveness>, Option<&'static str>) {
    of(ship.holder.as_ref()).await
}

async fn of(holder: Option<&Holder>) -> (Option<Liveness>, Option<&'static str>) {
    let Some(holder) = holder else { return (None, None) };
    let found = liveness(holder, &|name| std::env::var_os(name)).await;
    let shown = match found {
        Liveness::Alive => "alive",
        Liveness::Dead => "dead",
        Liveness::Unknown => "unknown",
    };
    (Some(found), Some(shown))
}

/// What comes next for a ship that nothing stands against.
fn next_for(ship: &Ship, liveness: Option<Liveness>, home: &Home) -> Finding {
    let what = named(&ship.releases);
    let is_left = ship.has_done("claim") && matches!(liveness, Some(Liveness::Dead) | None);
    if let (true, Some(table), Some(begin)) = (is_left, &home.github, ship.releases.values().next()) {
        let by_hand = by_hand(table.workflow(), &begin.tag);
        let fact = format!("{what} is claimed, and nobody finishes it; `release ship` does from here");
        return Finding { level: Level::Waits, fact, next: Some(by_hand) };
    }
    let (fact, next) = match liveness {
        _ if is_left => (format!("{what} is claimed, and nobody finishes it"), "release ship"),
        Some(Liveness::Alive) => (format!("{what} is being shipped"), "release status"),
        Some(Liveness::Unknown) => (
            format!("{what} is not finished, and nothing seen from here proves that its holder has ended"),
            "make sure that it has, then: release ship --take-over",
        ),
        Some(Liveness::Dead) | None => (format!("{what} is not finished"), "release ship"),
    };
    Finding { level: Level::Waits, fact, next: Some(next.to_owned()) }
}

fn finding(seen: Seen) -> Finding {
    match seen {
        Seen::Agrees(fact) => good(fact),
        Seen::Missing(fact) => Finding { level: Level::Waits, fact, next: None },
        Seen::Disagrees(fact, next) => Finding { level: Level::Wrong, fact, next: Some(next) },
        Seen::Unknown(fact) => Finding { level: Level::Waits, fact, next: Some("release doctor".to_owned()) },
    }
}

fn failed(failure: &Failure) -> Finding {
    Finding { level: Level::Wrong, fact: failure.error.to_string(), next: failure.hints.first().cloned() }
}

fn good(fact: String) -> Finding {
    Finding { level: Level::Good, fact, next: None }
}
