//! Sends an event to an address that waits for it, signed with a shared secret.

use hmac::{Hmac, KeyInit, Mac};
use reqwest::Url;
use reqwest::header::{ACCEPT, CONTENT_TYPE};
use secrecy::{ExposeSecret, SecretString};
use sha2::Sha256;
use tokio::time::timeout;

use crate::world::answer::Answer;
use crate::world::http::{Http, HttpError, JSON_LIMIT, classified, slow};

/// The header with the signature: `sha256=` and the hexadecimal HMAC-SHA-256 of the body.
pub const SIGNATURE: &str = "X-Release-Signature-256";

/// Posts a JSON body, once; redirects are not followed.
///
/// # Errors
/// Where there is no whole answer. A status that says no is an answer.
pub async fn send(
    http: &Http,
    url: &Url,
    body: &[u8],
    secret: Option<&SecretString>,
) -> Result<Answer, HttpError> {
    let mut request = http.post(url)?.header(CONTENT_TYPE, "application/json").header(ACCEPT, "*/*");
    if let Some(secret) = secret {
        request = request.header(SIGNATURE, signature(body, secret));
    }
    let sent = timeout(http.limits.answer, request.body(body.to_vec()).send()).await;
    let response = sent.map_err(|_| slow(url))?.map_err(|error| classified(&error, url))?;
    http.read(response, JSON_LIMIT).await
}

/// What a listener computes over the body it received, to know who sent it.
pub fn signature(body: &[u8], secret: &SecretString) -> String {
    // A key of any length is taken, so there is nothing to fail.
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(secret.expose_secret().as_bytes()) else {
        return String::new();
    };
    mac.update(body);
    let sum = mac.finalize().into_bytes();
    let hex: String = sum.iter().map(|byte| format!("{byte:02x}")).collect();
    format!("sha256={hex}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_signature_is_that_of_rfc_4231() {
        let secret = SecretString::from("Jefe".to_owned());
        assert_eq!(
            signature(b"what do ya want for nothing?", &secret),
            "sha256=5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"
        );
    }
}
