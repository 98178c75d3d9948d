//! The token of trusted publishing: minted late, once for all packages, again when it wears out, burnt at the end.

use std::sync::Arc;
use std::time::Duration;

use reqwest::Url;
use secrecy::SecretString;
use tokio::sync::Mutex;

use crate::apply::gate::Gate;
use crate::apply::pace::{Pace, Patience};
use crate::apply::publish_error::PublishError;
use crate::apply::refusal::{identity_refused, is_stale_identity};
use crate::workspace::name::PackageName;
use crate::world::http::{Credential, Http};
use crate::world::identity::{Claims, IdToken, IdentityError, Source};
use crate::world::trusted::{self, Minted, TrustedError};
use crate::world::variable::Env;

/// With less of its life left a token is replaced before an upload.
const NEAR_ITS_END: Duration = Duration::from_secs(300);
/// How long burning all tokens may take.
const BURNING: Duration = Duration::from_secs(5);
/// The user beside a minted token.
const TOKEN_USER: &str = "__token__";

/// Where tokens of one index come from.
pub struct Mint {
    pub index: String,
    pub upload: Url,
    /// To the index.
    pub http: Http,
    /// To the CI.
    pub outside: Http,
    pub environment: Env,
    pub pace: Pace,
    state: Arc<Mutex<State>>,
}

/// A token and its number in the order of minting.
#[derive(Debug, Clone)]
pub struct Ticket {
    pub number: u64,
    pub credential: Credential,
}

#[derive(Default)]
struct State {
    current: Option<Minted>,
    number: u64,
    /// All that were minted, to be burnt.
    minted: Vec<SecretString>,
    /// A refusal that asking again would not change.
    refused: Option<Refused>,
}

/// Why the index does not take our identity.
#[derive(Debug, Clone)]
struct Refused {
    code: String,
    said: String,
    claims: Claims,
    renewable: bool,
}

/// Why there is no token.
enum MintError {
    Refused(Refused),
    Other(PublishError),
}

impl From<PublishError> for MintError {
    fn from(error: PublishError) -> MintError {
        MintError::Other(error)
    }
}

impl Mint {
    pub fn new(index: String, upload: Url, [http, outside]: [Http; 2], environment: Env, pace: Pace) -> Mint {
        Mint { index, upload, http, outside, environment, pace, state: Arc::default() }
    }

    /// Whether a token could be had: the index names its audience and the CI vouches for us. Nothing is minted.
    ///
    /// # Errors
    /// Where it could not.
    pub async fn probe(&self) -> Result<(), PublishError> {
        let source = self.source()?;
        let mut patience = Patience::new(&self.pace);
        let audience = self.audience(&mut patience).await?;
        self.identity(&source, &audience, &mut patience).await.map(|_| ())
    }

    /// A token that is good for an upload: the one at hand, or a new one where there is none, it is near its end, or it
    /// is the `worn` one. Callers at the same time get the same.
    ///
    /// # Errors
    /// Where none can be had.
    pub async fn ticket(
        &self,
        package: &PackageName,
        gate: &Gate,
        worn: Option<u64>,
    ) -> Result<Ticket, PublishError> {
        let mut state = self.state.lock().await;
        if worn.is_some_and(|worn| worn == state.number) {
            state.current = None;
        }
        if let Some(current) = state.current.clone() {
            if !is_near_its_end(&current) {
                return Ok(ticket(state.number, &current));
            }
            // One that still lives is better than none.
            return match self.renew(&mut state, gate).await {
                Err(MintError::Other(PublishError::Gate(closed))) => Err(closed.into()),
                Err(_) if !current.left().is_zero() => Ok(ticket(state.number, &current)),
                renewed => renewed.map_err(|error| self.told(error, package)),
            };
        }
        if let Some(refused) = state.refused.clone() {
            return Err(self.told(MintError::Refused(refused), package));
        }
        self.renew(&mut state, gate).await.map_err(|error| self.told(error, package))
    }

    /// Revokes what was minted; at most a few seconds, and it never fails.
    pub async fn burn(&self) {
        let mut state = self.state.lock().await;
        state.current = None;
        let tokens = std::mem::take(&mut state.minted);
        let all = async {
            for token in tokens {
                for _ in 0..2 {
                    match trusted::burn(&self.http, &self.upload, &token).await {
                        Err(error) if error.is_transient() => {}
                        _ => break,
                    }
                }
            }
        };
        let _ = tokio::time::timeout(BURNING, all).await;
    }

    /// Tokens for publishing with the same CI, for another audience.
    ///
    /// # Errors
    /// Where the CI gives none.
    pub async fn identity_for(&self, audience: &str) -> Result<IdToken, PublishError> {
        let source = self.source()?;
        self.identity(&source, audience, &mut Patience::new(&self.pace)).await
    }

    async fn renew(&self, state: &mut State, gate: &Gate) -> Result<Ticket, MintError> {
        match self.mint(gate).await {
            Ok(minted) => {
                state.number += 1;
                state.minted.push(minted.token.clone());
                let ticket = ticket(state.number, &minted);
                state.current = Some(minted);
                Ok(ticket)
            }
            Err(error) => {
                if let MintError::Refused(refused) = &error {
                    state.refused = Some(refused.clone());
                }
                Err(error)
            }
        }
    }

    /// Each attempt takes a fresh identity: the last one is spent, also where its answer was lost. A CI that has only one
    /// gives the same again, and the index says so.
    async fn mint(&self, gate: &Gate) -> Result<Minted, MintError> {
        let source = self.source()?;
        let mut patience = Patience::new(&self.pace);
        let audience = self.audience(&mut patience).await?;
        let mut fresh = !source.is_renewable();
        loop {
            let identity = self.identity(&source, &audience, &mut patience).await?;
            gate().await.map_err(PublishError::from)?;
            match trusted::mint(&self.http, &self.upload, &identity).await {
                Ok(minted) => return Ok(minted),
                Err(TrustedError::Refused { code, .. }) if is_stale_identity(&code) && !fresh => fresh = true,
                Err(TrustedError::Refused { code, said }) => {
                    let (claims, renewable) = (identity.claims(), source.is_renewable());
                    return Err(MintError::Refused(Refused { code, said, claims, renewable }));
                }
                Err(error) => self.again(error, &mut patience, "mint a token").await?,
            }
        }
    }

    async fn audience(&self, patience: &mut Patience) -> Result<String, PublishError> {
        loop {
            match trusted::audience(&self.http, &self.upload).await {
                Ok(audience) => return Ok(audience),
                Err(error) => self.again(error, patience, "say whom identities are for").await?,
            }
        }
    }

    async fn identity(
        &self,
        source: &Source,
        audience: &str,
        patience: &mut Patience,
    ) -> Result<IdToken, PublishError> {
        loop {
            match source.token(&self.outside, audience, &*self.environment).await {
                Ok(identity) => return Ok(identity),
                Err(error) if error.is_transient() => {
                    let asked = match &error {
                        IdentityError::Refused { retry_after, .. } => *retry_after,
                        _ => None,
                    };
                    if !patience.wait(asked).await {
                        return Err(self.given_up(patience, "be told who we are by the CI", &error));
                    }
                }
                Err(error) => return Err(self.not_allowed(error.to_string(), error.hints())),
            }
        }
    }

    /// Waits before another attempt, where there is to be one.
    async fn again(
        &self,
        error: TrustedError,
        patience: &mut Patience,
        what: &str,
    ) -> Result<(), PublishError> {
        if !error.is_transient() {
            let hint = "set `auth = \"token\"` for this index, or check `upload`".to_owned();
            return Err(self.not_allowed(error.to_string(), vec![hint]));
        }
        if patience.wait(error.retry_after()).await {
            return Ok(());
        }
        Err(self.given_up(patience, what, &error))
    }

    fn source(&self) -> Result<Source, PublishError> {
        Source::find(&*self.environment).map_err(|error| self.not_allowed(error.to_string(), error.hints()))
    }

    fn told(&self, error: MintError, package: &PackageName) -> PublishError {
        match error {
            MintError::Other(error) => error,
            MintError::Refused(Refused { code, said, claims, renewable }) => {
                let (reason, hints) = identity_refused(&code, &said, &claims, package, renewable);
                let (index, what) = (self.index.clone(), package.to_string());
                PublishError::NotAllowed { index, what, reason, hints }
            }
        }
    }

    fn not_allowed(&self, reason: String, hints: Vec<String>) -> PublishError {
        PublishError::NotAllowed { index: self.index.clone(), what: "anything".to_owned(), reason, hints }
    }

    fn given_up(&self, patience: &Patience, what: &str, last: &dyn std::fmt::Display) -> PublishError {
        let (index, retries) = (self.index.clone(), patience.retries);
        PublishError::Transient { index, what: what.to_owned(), retries, last: last.to_string() }
    }
}

fn ticket(number: u64, minted: &Minted) -> Ticket {
    let credential = Credential::Basic { user: TOKEN_USER.to_owned(), password: minted.token.clone() };
    Ticket { number, credential }
}

/// Five minutes before its end, or a third of a shorter life.
fn is_near_its_end(minted: &Minted) -> bool {
    minted.left() <= NEAR_ITS_END.min(minted.lifetime() / 3)
}
