//! `release notes`: of the next release, or of one that was made.

use serde::Serialize;

use crate::cli::args::{self, Global, Output, Wish};
use crate::cli::deploying::environment;
use crate::cli::failure::Failure;
use crate::cli::ledger;
use crate::cli::open;
use crate::history::commit::VersionTag;
use crate::report::streams::Streams;
use crate::report::{json, plain};
use crate::survey::facts::Survey;
use crate::version::number::Version;

#[derive(Serialize)]
struct Answer<'a> {
    package: &'a str,
    version: &'a str,
    tag: &'a str,
    released: bool,
    notes: &'a str,
}

pub fn run(global: &Global, verb: &args::Notes, streams: &mut Streams) -> Result<u8, Failure> {
    let wish = Wish::to_look();
    let survey = open::survey(global, &wish)?;
    let word = match (&verb.package, &verb.to) {
        (Some(word), _) => word,
        (None, Some(to)) => return of_promotion(global, &survey, verb, to, streams),
        (None, None) => return Err(Failure::user("say which package, or `--to ENVIRONMENT`")),
    };
    let package = open::package(&survey, word)?;
    let short = survey.facts.packages[package].short.clone();
    if let Some(text) = &verb.version {
        let version = Version::parse(text).map_err(Failure::user)?;
        let tag = tag_of(&survey, package, &version)?;
        let notes = of_tag(&survey, package, tag)?;
        let shown = version.to_string();
        let answer =
            Answer { package: &short, version: &shown, tag: &tag.tag, released: true, notes: &notes };
        return print(&answer, verb, streams);
    }
    let plan = open::plan(&survey, global, &wish)?;
    let Some(release) = plan.releases.iter().find(|release| release.package == short) else {
        let last = survey.facts.history.tags[package].first();
        let failure = Failure::user(format!("{short} has nothing to release, so there are no notes yet"));
        return Err(match last {
            Some(tag) => {
                failure.hint(format!("`release notes {short} --version {}` shows the last ones", tag.version))
            }
            None => failure,
        });
    };
    let answer = Answer {
        package: &short,
        version: &release.to,
        tag: &release.tag,
        released: false,
        notes: &release.notes,
    };
    print(&answer, verb, streams)
}

/// The notes of every release that one environment runs beyond the other, newest first.
fn of_promotion(
    global: &Global,
    survey: &Survey,
    verb: &args::Notes,
    to: &str,
    streams: &mut Streams,
) -> Result<u8, Failure> {
    let settings = environment(survey, to)?;
    let from = verb.from.clone().or(settings.table.after).ok_or_else(|| {
        Failure::user(format!("{to} comes after no environment")).hint("say `--from`, or set its `after`")
    })?;
    environment(survey, &from)?;
    let home = ledger::home(global)?;
    let (book, remark) = ledger::runtime()?.block_on(ledger::read_book(&home))?;
    if let Some(remark) = remark {
        streams.tell(&format!("{remark}\n"));
    }
    let running = |name: &str, package: &str| {
        let slot = book.state().environments.get(name).and_then(|known| known.slot(package));
        slot.and_then(|slot| slot.current.as_ref()).map(|current| current.release.version.clone())
    };
    let mut answers = Vec::new();
    for (index, package) in survey.facts.packages.iter().enumerate() {
        let short = &package.short;
        let Some(newest) = running(&from, short).and_then(|version| Version::parse(&version).ok()) else {
            continue;
        };
        let oldest = running(to, short).and_then(|version| Version::parse(&version).ok());
        let is_brought =
            |tag: &VersionTag| tag.version <= newest && oldest.as_ref().is_none_or(|old| tag.version > *old);
        for tag in survey.released(index, is_brought) {
            // A release without notes of its own brings itself all the same.
            let notes = of_tag(survey, index, tag).unwrap_or_default();
            answers.push((short.clone(), tag.version.to_string(), tag.tag.clone(), notes));
        }
    }
    let answers: Vec<Answer<'_>> = answers
        .iter()
        .map(|(package, version, tag, notes)| Answer { package, version, tag, released: true, notes })
        .collect();
    match verb.output {
        Output::Json => streams.print(&json::pretty(&answers)),
        _ if answers.is_empty() => streams.print(&format!("{from} runs nothing that {to} lacks\n")),
        _ => {
            for answer in &answers {
                let title = format!("# {} {}\n\n", answer.package, answer.version);
                streams.print(&plain::terminal(&format!("{title}{}\n\n", answer.notes.trim_end())));
            }
        }
    }
    Ok(0)
}

fn print(answer: &Answer<'_>, verb: &args::Notes, streams: &mut Streams) -> Result<u8, Failure> {
    match verb.output {
        Output::Json => streams.print(&json::pretty(answer)),
        Output::Text | Output::Markdown => {
            streams.print(&format!("{}\n", plain::terminal(answer.notes.trim_end())))
        }
    }
    Ok(0)
}

/// The tag of a release on this line.
fn tag_of<'s>(survey: &'s Survey, package: usize, version: &Version) -> Result<&'s VersionTag, Failure> {
    survey.released(package, |tag| tag.version == *version).next().ok_or_else(|| {
        let short = &survey.facts.packages[package].short;
        let last = survey.released(package, |_| true).take(5);
        let known: Vec<String> = last.map(|tag| tag.version.to_string()).collect();
        Failure::user(format!("{short} {version} was not released on this line"))
            .hint(format!("the last releases are {}", known.join(", ")))
    })
}

/// The notes in the message of a release's annotated tag.
fn of_tag(survey: &Survey, package: usize, tag: &VersionTag) -> Result<String, Failure> {
    let message = survey.repository.objects().tag_message(&tag.tag).map_err(Failure::user)?;
    let Some(message) = message else {
        return Err(Failure::user(format!("tag `{}` is a lightweight tag and holds no notes", tag.tag))
            .hint(format!("its changelog in {} may", survey.facts.packages[package].path)));
    };
    let notes = message.split_once("\n\n").map_or("", |(_, notes)| notes);
    Ok(notes.to_owned())
}
