//! Asks Prometheus for numbers (`/api/v1/query`). It is the judge: not reaching it is an error, no number no pass.

use std::time::Duration;

use reqwest::Url;
use serde::Deserialize;

use crate::apply::validate::Subject;
use crate::apply::validate::ask::{Asked, Names, Watch, text_of};
use crate::apply::validate::http::refusal;
use crate::check::expression::{Answered, Judgement};
use crate::check::proof::{Check, Samples};
use crate::workspace::config::placeholder::{Filling, fill};
use crate::world::http::{Credential, Get, Http, JSON_LIMIT, Limits, is_loopback};

/// The variable with the token for the judge; without it none is sent.
pub const TOKEN: &str = "RELEASE_TOKEN_PROMETHEUS";

/// The most series that a query may give: each is judged.
const SERIES: usize = 1000;

/// One query, and before it the one that counts samples. Every series must meet the criterion.
pub(in crate::apply::validate) async fn ask(
    url: &str,
    query: &str,
    samples: Option<&Samples>,
    check: &Check,
    subject: &Subject<'_>,
) -> Asked {
    let (names, watch) = (Names::of(subject), Watch::start());
    let release = names.filling(subject);
    let judge = match Judge::new(&fill(url, &release), check.schedule.timeout, subject) {
        Ok(judge) => judge,
        Err(reason) => return Asked::error(reason),
    };
    let counted = match enough(&judge, samples, &release).await {
        Ok(counted) => counted,
        Err(asked) => return asked,
    };
    let values = match judge.query(&fill(query, &release)).await {
        Ok(values) => values,
        Err(reason) => return Asked::error(reason),
    };
    let answered = |value: f64| Answered {
        value: Some(value),
        samples: counted,
        seconds: watch.seconds(),
        ..Answered::default()
    };
    judged(&values, |value| check.criterion.judge(&answered(value), &release))
}

/// The number of samples, where it is asked for and is enough.
async fn enough(
    judge: &Judge,
    samples: Option<&Samples>,
    release: &Filling<'_>,
) -> Result<Option<f64>, Asked> {
    let Some(samples) = samples else { return Ok(None) };
    let values = judge.query(&fill(&samples.query, release)).await.map_err(Asked::error)?;
    let count: f64 = values.iter().sum();
    if values.is_empty() || count.is_nan() || count < samples.min {
        return Err(Asked::no_data(format!("{count} samples, and at least {} are needed", samples.min)));
    }
    Ok(Some(count))
}

/// The worst of all series: a failure, what can not be judged, no number, a pass.
fn judged(values: &[f64], judge: impl Fn(f64) -> Judgement) -> Asked {
    let Some(first) = values.first() else { return Asked::no_data("the query gives nothing") };
    if values.iter().any(|value| value.is_nan()) {
        return Asked::no_data("the query gives no number (NaN)");
    }
    let mut worst = None;
    for value in values {
        match judge(*value) {
            Judgement::Pass => {}
            Judgement::Fail(reason) => {
                let which = if values.len() > 1 {
                    format!(" (one of {} series)", values.len())
                } else {
                    String::new()
                };
                return Asked::fail(format!("{value}: {reason}{which}")).with_number(*value);
            }
            Judgement::Unjudged(reason) => worst = Some(Asked::error(reason)),
        }
    }
    worst.unwrap_or_else(|| Asked::pass(format!("{first}")).with_number(*first))
}

/// Prometheus at its address.
struct Judge {
    http: Http,
    url: Url,
    token: Option<Credential>,
}

/// What its API answers.
#[derive(Deserialize)]
struct Reply {
    status: String,
    #[serde(default)]
    error: String,
    #[serde(default)]
    data: Option<Data>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Data {
    result_type: String,
    result: serde_json::Value,
}

/// A series of an instant vector: its time and its number, as text.
#[derive(Deserialize)]
struct Series {
    value: (f64, String),
}

impl Judge {
    fn new(url: &str, limit: Duration, subject: &Subject<'_>) -> Result<Judge, String> {
        let limits = Limits { connect: limit, idle: limit, answer: limit };
        let http = Http::new(true, limits).map_err(|error| error.to_string())?;
        let mut url = http.address(url).map_err(|error| error.to_string())?;
        let token = text_of((subject.variable)(TOKEN)).map(|token| Credential::Bearer(token.into()));
        if token.is_some() && url.scheme() != "https" && !is_loopback(&url) {
            return Err(format!(
                "`{TOKEN}` is set, and a token does not go to another machine over plain http"
            ));
        }
        let path = format!("{}/api/v1/query", url.path().trim_end_matches('/'));
        url.set_path(&path);
        Ok(Judge { http, url, token })
    }

    /// The numbers of an instant query, one for each series.
    ///
    /// # Errors
    /// Words on why there are none.
    async fn query(&self, query: &str) -> Result<Vec<f64>, String> {
        let mut url = self.url.clone();
        url.query_pairs_mut().append_pair("query", query);
        let get = Get {
            url: &url,
            accept: "application/json",
            credential: self.token.as_ref(),
            limit: JSON_LIMIT,
            away: false,
        };
        let answer = self.http.get(&get).await.map_err(|error| error.to_string())?;
        let reply: Option<Reply> = serde_json::from_slice(&answer.body).ok();
        match reply {
            Some(reply) if reply.status == "success" && answer.is_success() => numbers(reply.data),
            Some(reply) if !reply.error.is_empty() => Err(format!("Prometheus: {}", reply.error)),
            Some(_) | None if !answer.is_success() => Err(refusal(&answer)),
            _ => Err("the answer is not one of Prometheus's API".to_owned()),
        }
    }
}

fn numbers(data: Option<Data>) -> Result<Vec<f64>, String> {
    let data = data.ok_or("Prometheus says success and sends no data")?;
    let strange = |_| "Prometheus's answer does not read".to_owned();
    let texts: Vec<String> = match data.result_type.as_str() {
        "vector" => {
            let series: Vec<Series> = serde_json::from_value(data.result).map_err(strange)?;
            series.into_iter().map(|series| series.value.1).collect()
        }
        "scalar" => {
            let (_, text): (f64, String) = serde_json::from_value(data.result).map_err(strange)?;
            vec![text]
        }
        other => return Err(format!("the query gives a {other}: an instant vector or a scalar is needed")),
    };
    if texts.len() > SERIES {
        return Err(format!("the query gives {} series, and at most {SERIES} are judged", texts.len()));
    }
    texts
        .iter()
        .map(|text| number(text).ok_or_else(|| "Prometheus's answer holds no number".to_owned()))
        .collect()
}

/// `1.5`, `NaN`, `+Inf`, `-Inf`.
fn number(text: &str) -> Option<f64> {
    match text {
        "+Inf" => Some(f64::INFINITY),
        "-Inf" => Some(f64::NEG_INFINITY),
        _ => text.parse().ok(),
    }
}
