//! How long GitHub asks to wait: its primary rate limit, its secondary ones, `Retry-After`.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use crate::world::answer::Answer;
use crate::world::http::Limits;

/// How patient a client is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Tempo {
    /// The first wait after a failure; each further one is twice as long, with up to as much again at random.
    pub base: Duration,
    /// The longest such wait, before the random part.
    pub cap: Duration,
    /// How many times a request is sent again.
    pub retries: usize,
    /// The longest wait for a rate limit; one that ends later is an error.
    pub limited: Duration,
    /// The wait for a secondary limit that names no time: GitHub asks for a minute at least.
    pub unnamed: Duration,
    pub limits: Limits,
}

impl Default for Tempo {
    fn default() -> Tempo {
        Tempo {
            base: Duration::from_secs(1),
            cap: Duration::from_secs(30),
            retries: 5,
            limited: Duration::from_secs(1800),
            unnamed: Duration::from_secs(60),
            limits: Limits::default(),
        }
    }
}

/// The wait that an answer asks for because a rate limit is reached; `None` where it says no for another reason.
pub(in crate::world::github) fn asked(answer: &Answer, unnamed: Duration) -> Option<Duration> {
    if !matches!(answer.status, 403 | 429) {
        return None;
    }
    if let Some(wait) = answer.retry_after() {
        return Some(wait);
    }
    if let Some(wait) = exhausted(answer) {
        return Some(wait);
    }
    // GitHub tells some of its limits in words alone ("Rate limits for the REST API").
    let json = answer.json().unwrap_or_default();
    let text = |key: &str| json.get(key).and_then(|text| text.as_str()).unwrap_or_default().to_lowercase();
    let in_words = text("message").contains("rate limit") || text("documentation_url").contains("rate-limit");
    (answer.status == 429 || in_words).then_some(unnamed)
}

/// The wait until the primary limit begins anew, where nothing of it is left; by the server's own clock.
pub(in crate::world::github) fn exhausted(answer: &Answer) -> Option<Duration> {
    if answer.header("x-ratelimit-remaining")?.trim() != "0" {
        return None;
    }
    let reset: u64 = answer.header("x-ratelimit-reset")?.trim().parse().ok()?;
    let now = answer.date().unwrap_or_else(SystemTime::now);
    let until = UNIX_EPOCH + Duration::from_secs(reset);
    // The clock of the answer counts whole seconds.
    Some(until.duration_since(now).unwrap_or_default() + Duration::from_secs(1))
}

#[cfg(test)]
mod tests {
    use reqwest::Url;
    use reqwest::header::HeaderName;

    use super::*;

    const MINUTE: Duration = Duration::from_secs(60);

    fn answer(status: u16, headers: &[(&'static str, &str)], body: &str) -> Answer {
        let headers =
            headers.iter().map(|(name, value)| (HeaderName::from_static(name), value.parse().unwrap()));
        let url = Url::parse("https://ghe.example/api/v3/").unwrap();
        Answer { status, url, headers: headers.collect(), body: body.as_bytes().to_vec() }
    }

    #[test]
    fn every_way_to_ask_for_a_wait_is_understood() {
        let date = ("date", "Thu, 01 Jan 1970 00:01:00 GMT");
        let none_left = [date, ("x-ratelimit-remaining", "0"), ("x-ratelimit-reset", "100")];
        let asked = |status, headers: &[(&'static str, &str)], body: &str| {
            asked(&answer(status, headers, body), MINUTE).map(|wait| wait.as_secs())
        };
        assert_eq!(asked(403, &none_left, ""), Some(41));
        assert_eq!(asked(429, &none_left, ""), Some(41));
        assert_eq!(asked(403, &[("retry-after", "7")], ""), Some(7));
        let secondary = r#"{"message": "You have exceeded a secondary rate limit."}"#;
        assert_eq!(asked(403, &[("x-ratelimit-remaining", "4000")], secondary), Some(60));
        assert_eq!(asked(429, &[], ""), Some(60));
        assert_eq!(asked(403, &[("x-ratelimit-remaining", "4000")], r#"{"message": "Forbidden"}"#), None);
        assert_eq!(asked(200, &none_left, ""), None);
        assert_eq!(asked(403, &[("x-ratelimit-remaining", "0"), ("x-ratelimit-reset", "soon")], ""), None);
    }

    #[test]
    fn the_last_allowed_answer_tells_when_the_next_one_is() {
        let date = ("date", "Thu, 01 Jan 1970 00:01:00 GMT");
        let last = [date, ("x-ratelimit-remaining", "0"), ("x-ratelimit-reset", "30")];
        assert_eq!(exhausted(&answer(200, &last, "")), Some(Duration::from_secs(1)));
        let some_left = [date, ("x-ratelimit-remaining", "1"), ("x-ratelimit-reset", "90")];
        assert_eq!(exhausted(&answer(200, &some_left, "")), None);
    }
}
