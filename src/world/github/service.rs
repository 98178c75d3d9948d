//! octocrab's requests over our own client.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use http::{Request, Response};
use octocrab::{AuthState, OctoBody, Octocrab, OctocrabBuilder};
use reqwest::Url;
use reqwest::header::{ACCEPT, CONTENT_TYPE};
use tower_service::Service;

use crate::world::github::error::GitHubError;
use crate::world::github::{Ask, GitHub};

/// octocrab whose every request goes through `GitHub::exchange`. What GitHub refuses is a `GitHubError` inside its
/// error: `GitHubError::from` takes it out again.
pub(in crate::world::github) fn octocrab(github: &GitHub) -> Octocrab {
    let service = Door { github: github.clone() };
    let Ok(octocrab) = OctocrabBuilder::new_empty().with_service(service).with_auth(AuthState::None).build();
    octocrab
}

/// A client of ours where octocrab expects one of its own.
#[derive(Clone)]
struct Door {
    github: GitHub,
}

impl Service<Request<OctoBody>> for Door {
    type Response = Response<OctoBody>;
    type Error = GitHubError;
    type Future = Pin<Box<dyn Future<Output = Result<Response<OctoBody>, GitHubError>> + Send>>;

    fn poll_ready(&mut self, _context: &mut Context<'_>) -> Poll<Result<(), GitHubError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<OctoBody>) -> Self::Future {
        let github = self.github.clone();
        Box::pin(async move { exchange(&github, request).await })
    }
}

async fn exchange(github: &GitHub, request: Request<OctoBody>) -> Result<Response<OctoBody>, GitHubError> {
    let (head, body) = request.into_parts();
    let url = address(github, &head.uri.to_string())?;
    let body = bytes(body, &url).await?;
    let mut ask = Ask { method: head.method, body: (!body.is_empty()).then_some(&body), ..Ask::get(url) };
    if let Some(accept) = head.headers.get(ACCEPT) {
        ask.accept = accept.clone();
    }
    if let Some(kind) = head.headers.get(CONTENT_TYPE) {
        ask.content_type = kind.clone();
    }
    let answer = github.exchange(&ask).await?;
    let mut response = Response::new(OctoBody::from(answer.body));
    *response.headers_mut() = answer.headers;
    *response.status_mut() = http::StatusCode::from_u16(answer.status)
        .map_err(|_| GitHubError::unreadable(&answer.url, "its status"))?;
    Ok(response)
}

/// octocrab's paths begin at the interface; what GitHub named is whole.
fn address(github: &GitHub, uri: &str) -> Result<Url, GitHubError> {
    if uri.starts_with('/') { github.url(uri) } else { github.named(uri) }
}

/// All of a body, to be sent as often as needed.
async fn bytes(body: OctoBody, url: &Url) -> Result<Vec<u8>, GitHubError> {
    // reqwest knows how to read a body to its end when it is an answer's.
    let whole = reqwest::Response::from(Response::new(reqwest::Body::wrap(body))).bytes().await;
    whole.map(|bytes| bytes.to_vec()).map_err(|error| GitHubError::unreadable(url, &error.to_string()))
}
