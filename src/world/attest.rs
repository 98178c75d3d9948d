//! Publish attestations (PEP 740): who published a file, signed through Sigstore with the CI's identity.

use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use sigstore_sign::SigningContext;
use sigstore_sign::oidc::IdentityToken;
use tokio::time::timeout;

use crate::world::http::said;
use crate::world::identity::IdToken;

/// Whom the identity for signing has to be made for.
pub const AUDIENCE: &str = "sigstore";
/// The kind of statement (docs.pypi.org, "PyPI Publish Attestation").
pub const PREDICATE: &str = "https://docs.pypi.org/attestations/publish/v1";
/// What the name of a ready-made attestation ends in: `a-1.0.tar.gz.publish.attestation`.
const READY: &str = ".publish.attestation";
/// The most bytes of a ready-made attestation.
const LIMIT: u64 = 1 << 20;

/// How long signing may take; the identity lives for minutes.
const SIGNING: Duration = Duration::from_secs(120);

/// Why there is no attestation.
#[derive(Debug, thiserror::Error)]
pub enum AttestError {
    #[error("`{}` can not be read", path.display())]
    File { path: PathBuf, source: io::Error },
    #[error("`{}` is no attestation that PEP 740 describes: {reason}", path.display())]
    Unfit { path: PathBuf, reason: &'static str },
    #[error("Sigstore did not sign for `{file}`: {reason}")]
    Sign { file: String, reason: String },
    #[error("the bundle that Sigstore made for `{file}` lacks {part}")]
    Bundle { file: String, part: &'static str },
}

/// The ready-made attestation that stands beside a file, if there is one.
///
/// # Errors
/// Where it is none, or is about another file or other bytes.
pub fn ready_made(path: &Path, name: &str, sha256: &str) -> Result<Option<Value>, AttestError> {
    let path = path.with_file_name(format!("{name}{READY}"));
    let failed = |source| AttestError::File { path: path.clone(), source };
    let unfit = |reason| AttestError::Unfit { path: path.clone(), reason };
    match std::fs::metadata(&path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(failed(error)),
        Ok(metadata) if metadata.len() > LIMIT => return Err(unfit("it is larger than 1 MiB")),
        Ok(_) => {}
    }
    let bytes = std::fs::read(&path).map_err(failed)?;
    let attestation: Value = serde_json::from_slice(&bytes).map_err(|_| unfit("it is no JSON"))?;
    check(&attestation, name, sha256).map_err(unfit)?;
    Ok(Some(attestation))
}

/// Signs the statement that a file is published by this identity, and gives it PEP 740's form.
///
/// # Errors
/// Where Sigstore can not be reached or refuses.
pub async fn sign(identity: &IdToken, name: &str, sha256: &str) -> Result<Value, AttestError> {
    let failed = |error: &dyn std::fmt::Display| AttestError::Sign {
        file: name.to_owned(),
        reason: said(&error.to_string()),
    };
    let token =
        IdentityToken::from_jwt(identity.expose()).map_err(|_| failed(&"the identity is no token"))?;
    let statement = statement(name, sha256).to_string();
    let signing = async {
        let context = SigningContext::production().await?;
        context.signer(token).sign_raw_statement(statement.as_bytes()).await
    };
    let bundle = timeout(SIGNING, signing).await.map_err(|_| failed(&"it did not answer in time"))?;
    let bundle = bundle.map_err(|error| failed(&error))?;
    let bundle = serde_json::to_value(&bundle).map_err(|error| failed(&error))?;
    from_bundle(&bundle).map_err(|part| AttestError::Bundle { file: name.to_owned(), part })
}

/// The in-toto statement about one file.
pub fn statement(name: &str, sha256: &str) -> Value {
    json!({
        "_type": "https://in-toto.io/Statement/v1",
        "subject": [{ "name": name, "digest": { "sha256": sha256 } }],
        "predicateType": PREDICATE,
        "predicate": null,
    })
}

/// A Sigstore bundle (protobuf's JSON form) as PEP 740's attestation object, version 1.
///
/// # Errors
/// The part that the bundle lacks.
pub fn from_bundle(bundle: &Value) -> Result<Value, &'static str> {
    let material = &bundle["verificationMaterial"];
    let single = material["certificate"]["rawBytes"].as_str();
    let first = material["x509CertificateChain"]["certificates"][0]["rawBytes"].as_str();
    let certificate = single.or(first).ok_or("a certificate")?;
    let entries = material["tlogEntries"].as_array().filter(|entries| !entries.is_empty());
    let envelope = &bundle["dsseEnvelope"];
    Ok(json!({
        "version": 1,
        "verification_material": {
            "certificate": certificate,
            "transparency_entries": entries.ok_or("an entry of the transparency log")?,
        },
        "envelope": {
            "statement": envelope["payload"].as_str().ok_or("a statement")?,
            "signature": envelope["signatures"][0]["sig"].as_str().ok_or("a signature")?,
        },
    }))
}

/// What an index checks of an attestation before its signature.
fn check(attestation: &Value, name: &str, sha256: &str) -> Result<(), &'static str> {
    if attestation["version"] != 1 {
        return Err("its version is not 1");
    }
    let material = &attestation["verification_material"];
    let entries = material["transparency_entries"].as_array();
    if entries.is_none_or(Vec::is_empty) || !material["certificate"].is_string() {
        return Err("its verification material is not whole");
    }
    let envelope = &attestation["envelope"];
    let statement = envelope["statement"].as_str().filter(|_| envelope["signature"].is_string());
    let statement = statement.and_then(|text| STANDARD.decode(text).ok());
    let statement: Value = statement
        .and_then(|bytes| serde_json::from_slice(&bytes).ok())
        .ok_or("its envelope holds no statement and signature")?;
    let subjects = statement["subject"].as_array().map(Vec::as_slice).unwrap_or_default();
    match subjects {
        [subject] if subject["name"] != name => Err("it is about another file"),
        [subject] if subject["digest"]["sha256"] != sha256 => Err("it is about other bytes"),
        [_] if statement["predicateType"] != PREDICATE => Err("it does not say who published"),
        [_] => Ok(()),
        _ => Err("it is not about one file"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bundle() -> Value {
        json!({
            "mediaType": "application/vnd.dev.sigstore.bundle.v0.3+json",
            "verificationMaterial": {
                "certificate": { "rawBytes": "Y2VydA==" },
                "tlogEntries": [{ "logIndex": "7", "canonicalizedBody": "e30=" }],
            },
            "dsseEnvelope": {
                "payloadType": "application/vnd.in-toto+json",
                "payload": STANDARD.encode(statement("a-1.whl", "aa").to_string()),
                "signatures": [{ "sig": "c2ln", "keyid": "" }],
            },
        })
    }

    #[test]
    fn a_bundle_becomes_an_attestation() {
        let attestation = from_bundle(&bundle()).unwrap();
        assert_eq!(attestation["verification_material"]["certificate"], "Y2VydA==");
        assert_eq!(attestation["verification_material"]["transparency_entries"][0]["logIndex"], "7");
        assert_eq!(attestation["envelope"]["signature"], "c2ln");
        assert_eq!(check(&attestation, "a-1.whl", "aa"), Ok(()));
        assert_eq!(check(&attestation, "b-1.whl", "aa"), Err("it is about another file"));
        assert_eq!(check(&attestation, "a-1.whl", "bb"), Err("it is about other bytes"));
    }

    #[test]
    fn a_bundle_of_the_older_form_has_its_first_certificate_taken() {
        let mut bundle = bundle();
        let chain = json!({ "certificates": [{ "rawBytes": "Zmlyc3Q=" }, { "rawBytes": "cm9vdA==" }] });
        bundle["verificationMaterial"]["x509CertificateChain"] = chain;
        bundle["verificationMaterial"]["certificate"] = Value::Null;
        let attestation = from_bundle(&bundle).unwrap();
        assert_eq!(attestation["verification_material"]["certificate"], "Zmlyc3Q=");
    }

    #[test]
    fn a_bundle_that_lacks_a_part_is_none() {
        let without = |pointer: &str| {
            let mut bundle = bundle();
            *bundle.pointer_mut(pointer).unwrap() = Value::Null;
            from_bundle(&bundle).unwrap_err()
        };
        assert_eq!(without("/verificationMaterial/certificate"), "a certificate");
        assert_eq!(without("/verificationMaterial/tlogEntries"), "an entry of the transparency log");
        assert_eq!(without("/dsseEnvelope/payload"), "a statement");
        assert_eq!(without("/dsseEnvelope/signatures"), "a signature");
    }

    #[test]
    fn a_ready_made_attestation_is_taken_from_beside_the_file() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("a-1.whl");
        assert!(matches!(ready_made(&file, "a-1.whl", "aa"), Ok(None)));
        let attestation = from_bundle(&bundle()).unwrap();
        std::fs::write(folder.path().join("a-1.whl.publish.attestation"), attestation.to_string()).unwrap();
        assert_eq!(ready_made(&file, "a-1.whl", "aa").unwrap(), Some(attestation));
        assert!(matches!(ready_made(&file, "a-1.whl", "bb"), Err(AttestError::Unfit { .. })));
        std::fs::write(folder.path().join("a-1.whl.publish.attestation"), "{").unwrap();
        assert!(matches!(ready_made(&file, "a-1.whl", "aa"), Err(AttestError::Unfit { .. })));
    }

    #[test]
    fn the_crates_own_reader_takes_the_statement() {
        let statement: sigstore_sign::types::Statement =
            serde_json::from_value(statement("a-1.whl", &"0".repeat(64))).unwrap();
        assert!(serde_json::to_string(&statement).unwrap().contains("a-1.whl"));
    }
}
