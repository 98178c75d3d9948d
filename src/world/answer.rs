//! An answer over HTTP, whole: status, headers, body.

use std::fmt;
use std::time::{Duration, SystemTime};

use reqwest::Url;
use reqwest::header::HeaderMap;
use serde_json::Value;

use crate::world::http::{said, shown};

/// What a server answered. Prints without its body and headers, which may hold a token.
#[derive(Clone)]
pub struct Answer {
    pub status: u16,
    /// Where it came from, after redirects.
    pub url: Url,
    pub headers: HeaderMap,
    pub body: Vec<u8>,
}

impl fmt::Debug for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} from {}, {} bytes", self.status, shown(&self.url), self.body.len())
    }
}

impl Answer {
    pub fn is_success(&self) -> bool {
        (200..300).contains(&self.status)
    }

    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// The media type, without its parameters and in lower case.
    pub fn media_type(&self) -> String {
        let whole = self.header("content-type").unwrap_or_default();
        whole.split(';').next().unwrap_or_default().trim().to_ascii_lowercase()
    }

    pub fn json(&self) -> Option<Value> {
        serde_json::from_slice(&self.body).ok()
    }

    /// When the server says it answered (`Date`).
    pub fn date(&self) -> Option<SystemTime> {
        httpdate::parse_http_date(self.header("date")?).ok()
    }

    /// How long the server asks to wait: `Retry-After` in seconds, or a date measured from the answer's own `Date`.
    pub fn retry_after(&self) -> Option<Duration> {
        let text = self.header("retry-after")?.trim();
        if let Ok(seconds) = text.parse() {
            return Some(Duration::from_secs(seconds));
        }
        let until = httpdate::parse_http_date(text).ok()?;
        let from = self.date().unwrap_or_else(SystemTime::now);
        Some(until.duration_since(from).unwrap_or_default())
    }

    /// What the server says for people: `code` or `message` of a JSON body, else the body's text without its markup.
    pub fn words(&self) -> String {
        let json = self.json();
        let field = |name: &str| json.as_ref()?.get(name)?.as_str().filter(|text| !text.trim().is_empty());
        match field("code").or_else(|| field("message")).or_else(|| field("detail")) {
            Some(text) => said(text),
            None => said(&text_of(&self.body)),
        }
    }
}

/// The text between tags, without styles, scripts and titles.
fn text_of(body: &[u8]) -> String {
    let start = &body[..body.len().min(64 * 1024)];
    let mut text = String::new();
    let mut hidden = false;
    for Ok(token) in html5gum::Tokenizer::new(start) {
        match token {
            html5gum::Token::StartTag(tag) => {
                hidden = matches!(tag.name.as_slice(), b"style" | b"script" | b"title");
                text.push(' ');
            }
            html5gum::Token::EndTag(_) => {
                hidden = false;
                text.push(' ');
            }
            html5gum::Token::String(words) if !hidden => text.push_str(&String::from_utf8_lossy(&words)),
            _ => {}
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(headers: &[(&'static str, &str)], body: &str) -> Answer {
        let headers = headers
            .iter()
            .map(|(name, value)| (reqwest::header::HeaderName::from_static(name), value.parse().unwrap()));
        let url = Url::parse("https://index.example/legacy/").unwrap();
        Answer { status: 400, url, headers: headers.collect(), body: body.as_bytes().to_vec() }
    }

    #[test]
    fn the_wait_is_measured_by_the_servers_own_clock() {
        let wait = |headers: &[(&'static str, &str)]| answer(headers, "").retry_after();
        assert_eq!(wait(&[("retry-after", "7")]), Some(Duration::from_secs(7)));
        let date = ("date", "Thu, 01 Jan 1970 00:00:10 GMT");
        assert_eq!(
            wait(&[date, ("retry-after", "Thu, 01 Jan 1970 00:01:00 GMT")]),
            Some(Duration::from_secs(50))
        );
        assert_eq!(wait(&[date, ("retry-after", "Thu, 01 Jan 1970 00:00:00 GMT")]), Some(Duration::ZERO));
        assert_eq!(wait(&[("retry-after", "soon")]), None);
        assert_eq!(wait(&[]), None);
    }

    #[test]
    fn an_answer_prints_without_what_it_holds() {
        let answer = answer(&[("set-cookie", "hunter2")], "{\"token\": \"hunter2\"}");
        assert_eq!(format!("{answer:?}"), "400 from https://index.example/legacy/, 20 bytes");
    }

    #[test]
    fn a_refusal_is_told_in_the_servers_words() {
        let words = |body| answer(&[], body).words();
        assert_eq!(
            words(r#"{"message": "long", "code": "400 File already exists", "title": "t"}"#),
            "400 File already exists"
        );
        assert_eq!(words(r#"{"message": "no\u001b[2Jpe"}"#), "nope");
        assert_eq!(
            words("<html><title>t</title><h1>409</h1><p>Package &quot;a&quot; exists</p></html>"),
            "409 Package \"a\" exists"
        );
        assert_eq!(words("plain\nwords"), "plain words");
        assert_eq!(words(""), "");
    }
}
