//! How a registry lets us in: its challenge, a token for it, and what each request shows.

use reqwest::{Method, RequestBuilder, Url};
use secrecy::{ExposeSecret, SecretString};

use crate::world::answer::Answer;
use crate::world::http::{Credential, said};
use crate::world::registry::login::Known;
use crate::world::registry::{LIMIT, Registry, RegistryError};

/// What a request needs to be allowed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Need {
    Pull,
    Push,
}

/// What a request shows. Prints without its secret.
pub type Pass = Credential;

/// What a registry asks for (RFC 7235): the scheme in lower case, and its parameters.
#[derive(Debug, PartialEq, Eq)]
struct Challenge {
    scheme: String,
    realm: String,
    service: Option<String>,
}

impl Registry {
    /// Sends a request, and once more after asking for a pass where the registry wants one.
    pub(in crate::world) async fn ask(
        &self,
        method: Method,
        url: &Url,
        need: Need,
        what: &str,
        finish: impl Fn(RequestBuilder) -> RequestBuilder,
    ) -> Result<Answer, RegistryError> {
        self.forget_lesser(need).await;
        for again in [false, true] {
            let request = finish(self.http.request(method.clone(), url)?);
            let request = self.showing_pass(request, url).await;
            let response = self.http.send(request, url).await?;
            let answer = self.http.read(response, LIMIT).await?;
            match answer.status {
                401 if !again => self.enter(&answer, need, what).await?,
                401 | 403 => return Err(self.unauthorized(what, &super::words(&answer)).await),
                _ => return Ok(answer),
            }
        }
        Err(self.unauthorized(what, "it asks again and again who we are").await)
    }

    /// The request with the pass, where it goes to the registry itself.
    pub(in crate::world) async fn showing_pass(&self, request: RequestBuilder, url: &Url) -> RequestBuilder {
        let pass = self.pass.lock().await;
        match &*pass {
            Some((pass, _)) if url.origin() == self.root.origin() => pass.on(request),
            _ => request,
        }
    }

    /// A token that was given for reading does not write.
    async fn forget_lesser(&self, need: Need) {
        let mut pass = self.pass.lock().await;
        if matches!(&*pass, Some((Credential::Bearer(_), had)) if *had < need) {
            *pass = None;
        }
    }

    /// Gets what the registry asks to see.
    async fn enter(&self, answer: &Answer, need: Need, what: &str) -> Result<(), RegistryError> {
        let challenge = answer.header("www-authenticate").and_then(challenge);
        let known = self.login.known().await;
        let pass = match (challenge, known) {
            (Some(asked), known) if asked.scheme == "bearer" => self.token(&asked, known, need, what).await?,
            (Some(asked), Some(Known::Basic { user, password })) if asked.scheme == "basic" => {
                Credential::Basic { user: user.clone(), password: password.clone() }
            }
            (Some(asked), None) if asked.scheme == "basic" => {
                return Err(self.unauthorized(what, "it asks for user and password").await);
            }
            _ => return Err(self.unauthorized(what, "it asks for something that we do not know").await),
        };
        *self.pass.lock().await = Some((pass, need));
        Ok(())
    }

    /// A token of the registry's own (distribution specification, token authentication); without a login anybody's.
    async fn token(
        &self,
        asked: &Challenge,
        known: Option<&Known>,
        need: Need,
        what: &str,
    ) -> Result<Pass, RegistryError> {
        let realm = Url::parse(&asked.realm).map_err(|_| RegistryError::Name {
            name: said(&asked.realm),
            reason: "it is where the registry gives tokens".to_owned(),
        })?;
        let actions = if need == Need::Push { "pull,push" } else { "pull" };
        let scope = format!("repository:{}:{actions}", self.path);
        let service = asked.service.clone().unwrap_or_default();
        let (request, url) = match known {
            Some(Known::Identity(token)) => {
                let form = [
                    ("grant_type", "refresh_token"),
                    ("service", &service),
                    ("scope", &scope),
                    ("client_id", "release"),
                    ("refresh_token", token.expose_secret()),
                ];
                let form = url_encoded(&form);
                let post = self.http.request(Method::POST, &realm)?;
                let kind = "application/x-www-form-urlencoded";
                (post.header(reqwest::header::CONTENT_TYPE, kind).body(form), realm)
            }
            known => {
                let mut url = realm;
                url.query_pairs_mut().append_pair("service", &service).append_pair("scope", &scope);
                let get = self.http.request(Method::GET, &url)?;
                let basic = known.and_then(Known::credential);
                (basic.iter().fold(get, |get, basic| basic.on(get)), url)
            }
        };
        let response = self.http.send(request, &url).await?;
        let answer = self.http.read(response, LIMIT).await?;
        if matches!(answer.status, 400 | 401 | 403) {
            return Err(self.unauthorized(what, &super::words(&answer)).await);
        }
        self.expect(&answer, &[200], "give a token")?;
        let json = answer.json().unwrap_or_default();
        let token = ["token", "access_token"].iter().find_map(|key| json.get(key)?.as_str());
        match token {
            Some(token) => Ok(Credential::Bearer(SecretString::from(token))),
            None => Err(self.refused(&answer, "give a token")),
        }
    }

    async fn unauthorized(&self, what: &str, reason: &str) -> RegistryError {
        RegistryError::Unauthorized {
            registry: self.host.clone(),
            what: what.to_owned(),
            reason: reason.to_owned(),
            looked: self.login.looked().await,
        }
    }
}

fn url_encoded(form: &[(&str, &str)]) -> String {
    let mut url = Url::parse("http://localhost/").expect("it is an address");
    url.query_pairs_mut().extend_pairs(form);
    url.query().unwrap_or_default().to_owned()
}

/// `Bearer realm="https://…",service="…"`
fn challenge(header: &str) -> Option<Challenge> {
    let (scheme, rest) = header.trim().split_once(' ').unwrap_or((header.trim(), ""));
    let parameter = |wanted: &str| {
        let mut rest = rest;
        while let Some((name, after)) = rest.split_once('=') {
            let (value, left) = match after.strip_prefix('"') {
                Some(quoted) => quoted.split_once('"')?,
                None => after.split_once(',').unwrap_or((after, "")),
            };
            if name.trim().trim_start_matches(',').trim().eq_ignore_ascii_case(wanted) {
                return Some(value.to_owned());
            }
            rest = left;
        }
        None
    };
    let realm = parameter("realm").unwrap_or_default();
    Some(Challenge { scheme: scheme.to_ascii_lowercase(), realm, service: parameter("service") })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_challenge_is_read() {
        let read =
            challenge(r#"Bearer realm="https://auth.example/token",service="r.example",scope="a:b,c""#);
        let expected = Challenge {
            scheme: "bearer".to_owned(),
            realm: "https://auth.example/token".to_owned(),
            service: Some("r.example".to_owned()),
        };
        assert_eq!(read, Some(expected));
        let basic = challenge("Basic realm=\"basic-realm\"").unwrap();
        assert_eq!((basic.scheme.as_str(), basic.realm.as_str()), ("basic", "basic-realm"));
        assert_eq!(challenge("Negotiate").unwrap().scheme, "negotiate");
    }
}
