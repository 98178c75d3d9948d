//! Asks a service over HTTP. Not reaching it, in whatever way, is its failure.

use std::time::Duration;

use crate::apply::validate::Subject;
use crate::apply::validate::ask::{Asked, Names, Watch, compare_version};
use crate::check::expression::Answered;
use crate::check::plain::short;
use crate::check::proof::Check;
use crate::workspace::config::placeholder::fill;
use crate::world::answer::Answer;
use crate::world::http::{Get, Http, HttpError, JSON_LIMIT, Limits};

/// One request, judged by the check's criterion.
pub(in crate::apply::validate) async fn ask(url: &str, check: &Check, subject: &Subject<'_>) -> Asked {
    let (names, watch) = (Names::of(subject), Watch::start());
    let release = names.filling(subject);
    match get(&fill(url, &release), check.schedule.timeout).await {
        Ok(answer) => {
            let answered = answered(&answer, watch.seconds());
            let seen = format!("status {}", answer.status);
            Asked::judged(check.criterion.of_http(&answered, &release), seen)
        }
        Err(error) => silence(&error),
    }
}

/// One request for the version: `version` of a JSON answer, else the whole text.
pub(in crate::apply::validate) async fn version(url: &str, limit: Duration, subject: &Subject<'_>) -> Asked {
    let names = Names::of(subject);
    match get(&fill(url, &names.filling(subject)), limit).await {
        Ok(answer) if !answer.is_success() => Asked::fail(format!("status {}", answer.status)),
        Ok(answer) => match version_in(&answer.body) {
            Some(said) => compare_version(&said, subject),
            None => Asked::fail("the answer names no version"),
        },
        Err(error) => silence(&error),
    }
}

/// The version that an answer names: the key `version` of JSON, a JSON text, or the text itself.
pub(in crate::apply::validate) fn version_in(body: &[u8]) -> Option<String> {
    let text = match serde_json::from_slice::<serde_json::Value>(body) {
        Ok(serde_json::Value::Object(table)) => table.get("version")?.as_str()?.to_owned(),
        Ok(serde_json::Value::String(text)) => text,
        _ => String::from_utf8_lossy(body).into_owned(),
    };
    let text = text.trim();
    (!text.is_empty() && text.len() <= 200 && !text.contains(char::is_whitespace)).then(|| text.to_owned())
}

/// The address was written by a person, and nothing secret goes there: plain http may go to another machine.
async fn get(url: &str, limit: Duration) -> Result<Answer, HttpError> {
    let limits = Limits { connect: limit, idle: limit, answer: limit };
    let http = Http::new(true, limits)?;
    let url = http.address(url)?;
    http.get(&Get { url: &url, accept: "*/*", credential: None, limit: JSON_LIMIT, away: false }).await
}

fn silence(error: &HttpError) -> Asked {
    match error {
        HttpError::Setup { .. } | HttpError::Address { .. } | HttpError::Plain { .. } => {
            Asked::error(error.to_string())
        }
        _ => Asked::fail(error.to_string()),
    }
}

fn answered(answer: &Answer, seconds: f64) -> Answered {
    let mut headers = std::collections::BTreeMap::new();
    for (name, value) in &answer.headers {
        let value = String::from_utf8_lossy(value.as_bytes());
        headers
            .entry(name.as_str().to_owned())
            .and_modify(|all: &mut String| {
                all.push_str(", ");
                all.push_str(&value);
            })
            .or_insert_with(|| value.clone().into_owned());
    }
    Answered {
        status: Some(i64::from(answer.status)),
        headers,
        body: Some(String::from_utf8_lossy(&answer.body).into_owned()),
        json: answer.json(),
        seconds,
        ..Answered::default()
    }
}

/// What a refusal of a judge says, for people.
pub(in crate::apply::validate) fn refusal(answer: &Answer) -> String {
    format!("status {}: {}", answer.status, short(&answer.words()))
}
