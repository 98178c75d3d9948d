//! What the double answers: a status, headers, and JSON or bytes.

use serde_json::{Value, json};

#[derive(Debug, Clone)]
pub struct Answer {
    pub status: u16,
    pub headers: Vec<(String, String)>,
    pub json: Option<Value>,
    /// A body that is no JSON, with its type.
    pub raw: Option<(String, Vec<u8>)>,
}

impl Answer {
    pub fn json(status: u16, body: Value) -> Answer {
        Answer { status, headers: Vec::new(), json: Some(body), raw: None }
    }

    pub fn ok(body: Value) -> Answer {
        Answer::json(200, body)
    }

    pub fn empty(status: u16) -> Answer {
        Answer { status, headers: Vec::new(), json: None, raw: None }
    }

    pub fn bytes(kind: &str, body: Vec<u8>) -> Answer {
        Answer { status: 200, headers: Vec::new(), json: None, raw: Some((kind.to_owned(), body)) }
    }

    /// A refusal in GitHub's form.
    pub fn refusal(status: u16, message: &str) -> Answer {
        let address = "https://docs.github.com/rest";
        Answer::json(
            status,
            json!({ "message": message, "documentation_url": address, "status": status.to_string() }),
        )
    }

    pub fn not_found() -> Answer {
        Answer::refusal(404, "Not Found")
    }

    /// A refused value: `code` is `already_exists`, `invalid`, `missing`, `missing_field`, or `custom` with a message.
    pub fn invalid(resource: &str, field: &str, code: &str, message: &str) -> Answer {
        let mut error = json!({ "resource": resource, "code": code, "field": field });
        if !message.is_empty() {
            error["message"] = json!(message);
        }
        let mut answer = Answer::refusal(422, "Validation Failed");
        if let Some(body) = &mut answer.json {
            body["errors"] = json!([error]);
        }
        answer
    }

    pub fn with(mut self, name: &str, value: &str) -> Answer {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    /// As it goes over the wire: the head, the body.
    pub fn wire(&self) -> (String, Vec<u8>) {
        let (kind, body) = match (&self.json, &self.raw) {
            (Some(json), _) => ("application/json; charset=utf-8".to_owned(), json.to_string().into_bytes()),
            (None, Some((kind, bytes))) => (kind.clone(), bytes.clone()),
            (None, None) => (String::new(), Vec::new()),
        };
        let mut head = format!("HTTP/1.1 {} X\r\nConnection: close\r\n", self.status);
        if self.status != 204 {
            head.push_str(&format!("Content-Length: {}\r\n", body.len()));
        }
        if !kind.is_empty() {
            head.push_str(&format!("Content-Type: {kind}\r\n"));
        }
        for (name, value) in &self.headers {
            head.push_str(&format!("{name}: {value}\r\n"));
        }
        head.push_str("\r\n");
        (head, body)
    }
}
