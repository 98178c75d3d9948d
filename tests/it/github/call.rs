//! One call of an operation, as its handler sees it, and the forms that many answers share.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::github::answer::Answer;
use crate::github::hub::{API, Hub};
use crate::github::schema::Operation;
use crate::github::state::State;
use crate::github::text::encoded;
use crate::github::tokens::{Level, Token};
use crate::web::Request;

pub struct Call<'c> {
    pub hub: &'c Hub,
    pub state: &'c mut State,
    pub operation: &'c Operation,
    pub query: BTreeMap<String, String>,
    pub body: Value,
    pub request: &'c Request,
    /// From `/repos/` on.
    pub path: &'c str,
    pub token: Option<&'c Token>,
}

impl Call<'_> {
    /// A parameter of the path.
    pub fn parameter(&self, name: &str) -> &str {
        &self.operation.parameters[name]
    }

    pub fn number(&self, name: &str) -> u64 {
        self.parameter(name).parse().unwrap_or(0)
    }

    /// A text of the body, where it is there.
    pub fn text(&self, name: &str) -> Option<String> {
        self.body[name].as_str().map(str::to_owned)
    }

    pub fn asked(&self, name: &str) -> Option<&str> {
        self.query.get(name).map(String::as_str)
    }

    pub fn may(&self, permission: &str, level: Level) -> bool {
        self.token.is_some_and(|token| token.may(permission, level))
    }

    pub fn login(&self) -> String {
        self.token.map_or("ghost".to_owned(), Token::login)
    }

    pub fn user(&self) -> Value {
        self.hub.user(&self.login())
    }

    /// One page of a list, with GitHub's `Link` header.
    pub fn page(&self, list: Vec<Value>) -> Answer {
        let (page, links) = self.cut(list);
        let answer = Answer::ok(json!(page));
        if links.is_empty() { answer } else { answer.with("link", &links) }
    }

    /// The same for lists that stand in a table with their count.
    pub fn counted(&self, name: &str, list: Vec<Value>) -> Answer {
        let total = list.len();
        let (page, links) = self.cut(list);
        let answer = Answer::ok(json!({ "total_count": total, name: page }));
        if links.is_empty() { answer } else { answer.with("link", &links) }
    }

    fn cut(&self, list: Vec<Value>) -> (Vec<Value>, String) {
        let wanted = |name: &str, usual: usize| {
            self.asked(name).and_then(|text| text.parse().ok()).filter(|number| *number > 0).unwrap_or(usual)
        };
        let (size, page) = (wanted("per_page", 30).min(100), wanted("page", 1));
        let last = list.len().div_ceil(size).max(1);
        let mut links = Vec::new();
        let others = [("prev", page - 1), ("next", page + 1), ("last", last), ("first", 1)];
        for (name, other) in others {
            let wanted = match name {
                "prev" | "first" => page > 1,
                _ => page < last,
            };
            if wanted {
                links.push(format!("<{}>; rel=\"{name}\"", self.page_address(other)));
            }
        }
        let page = list.into_iter().skip((page - 1) * size).take(size).collect();
        (page, links.join(", "))
    }

    fn page_address(&self, page: usize) -> String {
        let others = self.query.iter().filter(|(name, _)| *name != "page");
        let mut query: String =
            others.map(|(name, value)| format!("{}={}&", encoded(name), encoded(value))).collect();
        query.push_str(&format!("page={page}"));
        let rest = self.path.splitn(5, '/').nth(4).unwrap_or_default();
        self.hub.numbered(&format!("/{rest}?{query}"))
    }
}

impl Hub {
    /// An address of the API below the repository.
    pub fn url(&self, path: &str) -> String {
        format!("http://{}{API}/repos/{}/{}{path}", self.address, self.owner, self.name)
    }

    /// An address of the repository's pages.
    pub fn page(&self, path: &str) -> String {
        format!("http://{}/{}/{}{path}", self.address, self.owner, self.name)
    }

    pub fn make(&self, schema: &str, given: Value) -> Value {
        self.api.make(schema, given)
    }

    pub fn user(&self, login: &str) -> Value {
        let kind = if login.ends_with("[bot]") { "Bot" } else { "User" };
        let id = login.bytes().fold(7_u64, |sum, byte| (sum * 31 + u64::from(byte)) % 1_000_000);
        let api = format!("http://{}{API}/users/{}", self.address, encoded(login));
        self.make(
            "simple-user",
            json!({ "login": login, "id": id, "node_id": format!("U_{id}"), "type": kind, "url": api,
                "html_url": format!("http://{}/{}", self.address, encoded(login)) }),
        )
    }

    /// The repository in any of the forms that the API gives it.
    pub fn repository(&self, schema: &str, state: &State) -> Value {
        self.make(
            schema,
            json!({
                "id": self.number, "node_id": format!("R_{}", self.number), "name": self.name, "full_name": format!("{}/{}", self.owner, self.name),
                "owner": self.user(&self.owner), "private": state.private, "fork": false, "archived": state.archived,
                "disabled": false, "default_branch": state.default_branch, "url": self.url(""),
                "html_url": self.page(""), "clone_url": self.page(".git"),
                "visibility": if state.private { "private" } else { "public" },
                "allow_merge_commit": state.merges.contains("merge"),
                "allow_squash_merge": state.merges.contains("squash"),
                "allow_rebase_merge": state.merges.contains("rebase"),
            }),
        )
    }
}
