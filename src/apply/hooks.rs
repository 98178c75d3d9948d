//! Tells listeners how deployments go. A listener that fails is remarked on and changes nothing.

use std::time::Duration;

use futures_util::future::join_all;
use secrecy::SecretString;
use serde::Serialize;
use tokio::time::sleep;

use crate::check::plain::shortened;
use crate::plan::deployment::DeploymentKind;
use crate::workspace::config::hook::{HookTable, Occasion};
use crate::world::command::{Command, run};
use crate::world::http::{Http, HttpError, Limits, said, shown};
use crate::world::variable::Env;
use crate::world::webhook::send;

/// The format number of what listeners are sent.
pub const FORMAT: u32 = 1;
/// The most characters of a reason that are sent.
const REASON: usize = 2000;

/// What happened, as a listener is told.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Happening<'h> {
    pub format: u32,
    pub occasion: &'static str,
    pub environment: &'h str,
    /// The release it is about; none where deployments as such were halted or go on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub package: Option<&'h str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version: Option<&'h str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub digest: Option<&'h str>,
    /// The version that ran before.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub from: Option<&'h str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kind: Option<DeploymentKind>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// The deployment's digest.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub deployment: Option<&'h str>,
    /// In seconds since 1970.
    pub time: i64,
}

/// How long listeners are waited for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Patience {
    /// How long one exchange, or one program, may take.
    pub limit: Duration,
    /// How many times an address is tried again.
    pub retries: u32,
    /// Before the first of these; each further pause is twice as long.
    pub pause: Duration,
}

impl Default for Patience {
    fn default() -> Patience {
        Patience { limit: Duration::from_secs(10), retries: 2, pause: Duration::from_secs(1) }
    }
}

impl<'h> Happening<'h> {
    /// That this happened in an environment; the other fields are filled by who knows them.
    pub fn new(occasion: Occasion, environment: &'h str, time: i64) -> Happening<'h> {
        Happening {
            format: FORMAT,
            occasion: word(occasion),
            environment,
            package: None,
            version: None,
            digest: None,
            from: None,
            kind: None,
            reason: None,
            deployment: None,
            time,
        }
    }

    /// The event as listeners receive it.
    pub fn json(&self) -> Vec<u8> {
        let mut happening = self.clone();
        happening.reason = happening.reason.map(|reason| shortened(&reason, REASON));
        serde_json::to_vec(&happening).unwrap_or_default()
    }
}

/// Tells all listeners that hear of this occasion in this environment, side by side. `remark` is told of each that did
/// not take it.
pub async fn tell(
    hooks: &[HookTable],
    occasion: Occasion,
    happening: &Happening<'_>,
    variable: &Env,
    patience: Patience,
    remark: &(dyn Fn(&str) + Sync),
) {
    let hears = |hook: &&HookTable| {
        let environments = hook.environments.as_ref();
        hook.on.contains(&occasion)
            && environments.is_none_or(|names| names.iter().any(|name| name == happening.environment))
    };
    let body = happening.json();
    let told = hooks.iter().filter(hears).map(|hook| async {
        if let Err(reason) = tell_one(hook, &body, variable, patience).await {
            remark(&format!("a listener was not told of `{}`: {reason}", happening.occasion));
        }
    });
    join_all(told).await;
}

async fn tell_one(hook: &HookTable, body: &[u8], variable: &Env, patience: Patience) -> Result<(), String> {
    match (&hook.url, hook.command.as_deref()) {
        (Some(url), _) => post(url, hook.secret_from.as_deref(), body, variable, patience).await,
        (None, Some(argv)) => start(argv, body, patience.limit).await,
        (None, None) => Ok(()),
    }
}

/// Sends the event, and again where it may have been lost. A listener may so receive it twice: the same body.
async fn post(
    url: &str,
    secret_from: Option<&str>,
    body: &[u8],
    variable: &Env,
    patience: Patience,
) -> Result<(), String> {
    let secret = secret_from.map(|name| secret(name, variable)).transpose()?;
    let limits = Limits { connect: patience.limit, idle: patience.limit, answer: patience.limit };
    let http = Http::new(false, limits).map_err(|error| error.to_string())?;
    let url = http.address(url).map_err(|error| error.to_string())?;
    let mut pause = patience.pause;
    for left in (0..=patience.retries).rev() {
        let sent = tokio::time::timeout(patience.limit, send(&http, &url, body, secret.as_ref())).await;
        let sent = sent.unwrap_or_else(|_| Err(HttpError::Slow { url: shown(&url) }));
        let (again, reason) = match sent {
            Ok(answer) if answer.is_success() => return Ok(()),
            Ok(answer) => {
                let busy = answer.status == 429 || answer.status >= 500;
                (busy, format!("{} answers {}: {}", shown(&url), answer.status, said(&answer.words())))
            }
            Err(error) => (error.is_transient(), error.to_string()),
        };
        if !again || left == 0 {
            return Err(reason);
        }
        sleep(pause).await;
        pause *= 2;
    }
    Ok(())
}

/// The secret that signs. What should be signed is not sent without.
fn secret(name: &str, variable: &Env) -> Result<SecretString, String> {
    let text = variable(name).and_then(|value| value.into_string().ok()).filter(|text| !text.is_empty());
    text.map(SecretString::from).ok_or_else(|| format!("`{name}`, which holds its secret, is not set"))
}

async fn start(argv: &[String], body: &[u8], limit: Duration) -> Result<(), String> {
    let (program, arguments) = argv.split_first().ok_or("it names no program")?;
    let output = run(Command::new(program).args(arguments).reading(body).timeout(limit)).await;
    let output = output.map_err(|error| error.to_string())?;
    if output.success() {
        return Ok(());
    }
    Err(format!("`{program}` {}: {}", output.ending(), shortened(&output.tail(1), 200)))
}

/// The occasion's word in the configuration and in the event.
fn word(occasion: Occasion) -> &'static str {
    match occasion {
        Occasion::Verified => "verified",
        Occasion::RolledBack => "rolled-back",
        Occasion::RollbackFailed => "rollback-failed",
        Occasion::Paused => "paused",
        Occasion::Halted => "halted",
        Occasion::Resumed => "resumed",
    }
}

#[cfg(test)]
#[path = "hooks_tests.rs"]
mod tests;
