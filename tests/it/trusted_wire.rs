//! Trusted publishing: who may publish, how long a token is good, and what a lost answer costs.

use release::apply::index::Published;
use release::apply::publish_error::PublishError;
use release::apply::publisher::Publisher;
use release::ledger::event::FailureKind;
use release::workspace::config::tables::Auth;
use serde_json::{Value, json};

use crate::publishing::{Bench, answers, ensure, publisher};

impl Bench {
    /// A publisher with the one identity of a GitLab job.
    fn by_gitlab(&self) -> Publisher {
        let token = self.double.issue(&json!("gitlab"), "pypi");
        publisher(self.index(Auth::Trusted), &[("GITLAB_CI", "true"), ("PYPI_ID_TOKEN", &token)])
    }

    fn burns(&self) -> Vec<Value> {
        self.double.requests("POST", "/_/oidc/burn-token")
    }
}

#[tokio::test]
async fn one_token_serves_all_packages_and_is_burnt() {
    let Some(bench) = Bench::new() else { return };
    bench.double.configure(&json!({ "publishers": [{
        "kind": "github", "repository": "acme/monorepo", "workflow": "release.yml", "environment": "production",
        "projects": ["tiny-uv", "tiny-hatch"],
    }] }));
    let publisher = bench.by_identity("default");
    publisher.probe().await.unwrap();
    assert_eq!(bench.mints(), 0, "probing mints nothing");
    let files =
        [bench.wheel("tiny-uv", "1.0"), bench.wheel("tiny-hatch", "1.0"), bench.sdist("tiny-uv", "1.0")];
    let [one, two, three] = &files;
    let (one, two) = tokio::join!(ensure(&publisher, one), ensure(&publisher, two));
    assert_eq!((one.unwrap(), two.unwrap()), (Published::New, Published::New));
    assert_eq!(ensure(&publisher, three).await.unwrap(), Published::New);
    assert_eq!(bench.mints(), 1);
    publisher.close().await;
    assert_eq!(bench.burns()[0]["burned"], true);
    publisher.close().await;
    assert_eq!(bench.burns().len(), 1, "what is burnt is forgotten");
    let kind = bench.double.state()["tiny-uv"]["releases"]["1.0"]["files"][0]["publisher"]["kind"].clone();
    assert_eq!(kind, "GitHub");
}

#[tokio::test]
async fn nothing_is_minted_for_what_is_there() {
    let Some(bench) = Bench::new() else { return };
    let file = bench.wheel("tiny-uv", "1.0");
    ensure(&bench.by_token(crate::publishing::ALICE), &file).await.unwrap();
    let publisher = bench.by_identity("default");
    assert_eq!(ensure(&publisher, &file).await.unwrap(), Published::AlreadyThere);
    publisher.close().await;
    assert_eq!((bench.mints(), bench.burns().len()), (0, 0));
}

#[tokio::test]
async fn a_token_that_ran_out_is_minted_again() {
    let Some(bench) = Bench::new() else { return };
    let publisher = bench.by_identity("default");
    ensure(&publisher, &bench.wheel("tiny-uv", "1.0")).await.unwrap();
    bench.double.clock(901);
    assert_eq!(ensure(&publisher, &bench.wheel("tiny-uv", "2.0")).await.unwrap(), Published::New);
    assert_eq!(bench.mints(), 2);
    publisher.close().await;
    assert_eq!(bench.burns().len(), 2);
}

#[tokio::test]
async fn a_token_near_its_end_is_replaced_before_the_upload() {
    let Some(bench) = Bench::new() else { return };
    // The index' clock and its `Date` differ, so that to us its tokens have no life left.
    bench.double.clock(-900);
    let publisher = bench.by_identity("default");
    for version in ["1.0", "2.0"] {
        ensure(&publisher, &bench.wheel("tiny-uv", version)).await.unwrap();
    }
    assert_eq!(bench.mints(), 2);
    assert!(bench.uploads().iter().all(|upload| upload["status"] == 200));
}

#[tokio::test]
async fn a_token_that_somebody_burnt_is_minted_again_once() {
    let Some(bench) = Bench::new() else { return };
    bench.double.fault(&json!({
        "kind": "status", "status": 403, "path": "/legacy/", "body": "Invalid or non-existent authentication", "times": 1
    }));
    let publisher = bench.by_identity("default");
    assert_eq!(ensure(&publisher, &bench.wheel("tiny-uv", "1.0")).await.unwrap(), Published::New);
    assert_eq!(bench.mints(), 2);
    bench.double.fault(&json!({ "kind": "status", "status": 403, "path": "/legacy/", "times": 2 }));
    let error = ensure(&publisher, &bench.wheel("tiny-uv", "2.0")).await.unwrap_err();
    assert!(matches!(error, PublishError::NotAllowed { .. }), "{error}");
    assert_eq!(bench.mints(), 3, "once for each file");
}

#[tokio::test]
async fn a_lost_answer_costs_a_fresh_identity() {
    let Some(bench) = Bench::new() else { return };
    for (number, fault) in [
        json!({ "kind": "lose-response" }),
        json!({ "kind": "truncate-response" }),
        json!({ "kind": "status", "status": 503 }),
        json!({ "kind": "status", "status": 429, "retry_after": 0 }),
        json!({ "kind": "drop" }),
    ]
    .into_iter()
    .enumerate()
    {
        bench.double.clear_log();
        let mut fault = fault;
        fault["path"] = "/_/oidc/mint-token".into();
        bench.double.fault(&fault);
        let publisher = bench.by_identity("default");
        let published = ensure(&publisher, &bench.wheel("tiny-uv", &format!("1.{number}"))).await;
        assert_eq!(published.as_ref().ok(), Some(&Published::New), "{fault}: {published:?}");
        let identities = bench.double.requests("GET", "/oidc/token");
        assert_eq!((bench.mints(), identities.len()), (2, 2), "{fault}");
    }
}

#[tokio::test]
async fn faults_of_audience_and_ci_are_got_over() {
    let Some(bench) = Bench::new() else { return };
    for path in ["/_/oidc/audience", "/oidc/token"] {
        for fault in [
            json!({ "kind": "status", "status": 502 }),
            json!({ "kind": "lose-response" }),
            json!({ "kind": "truncate-response" }),
        ] {
            let mut fault = fault;
            fault["path"] = path.into();
            bench.double.fault(&fault);
            let publisher = bench.by_identity("default");
            publisher.probe().await.unwrap_or_else(|error| panic!("{fault}: {error}"));
        }
        bench.double.fault(&json!({ "kind": "status", "path": path, "times": 1000 }));
        let error = bench.by_identity("default").probe().await.unwrap_err();
        assert!(matches!(error, PublishError::Transient { .. }), "{path}: {error}");
        bench.double.clear_faults();
    }
}

#[tokio::test]
async fn gitlabs_one_identity_is_enough_where_nothing_is_lost() {
    let Some(bench) = Bench::new() else { return };
    let publisher = bench.by_gitlab();
    publisher.probe().await.unwrap();
    for version in ["1.0", "2.0"] {
        ensure(&publisher, &bench.wheel("tiny-hatch", version)).await.unwrap();
    }
    assert_eq!(bench.mints(), 1);
}

#[tokio::test]
async fn gitlabs_one_identity_is_spent_with_a_lost_answer() {
    let Some(bench) = Bench::new() else { return };
    bench.double.fault(&json!({ "kind": "lose-response", "path": "/_/oidc/mint-token" }));
    let publisher = bench.by_gitlab();
    for _ in 0..2 {
        let error = ensure(&publisher, &bench.wheel("tiny-hatch", "1.0")).await.unwrap_err();
        assert!(matches!(error, PublishError::NotAllowed { .. }), "{error}");
        assert!(error.hints()[0].contains("run the job again"), "{:?}", error.hints());
    }
    assert_eq!(bench.mints(), 2, "what is spent is not shown a third time");
    assert_eq!(bench.uploads().len(), 0);
}

#[tokio::test]
async fn an_identity_may_be_handed_over_by_any_ci() {
    let Some(bench) = Bench::new() else { return };
    let hand = |audience: &str| {
        let token = bench.double.issue(&json!("default"), audience);
        publisher(bench.index(Auth::Trusted), &[("RELEASE_ID_TOKEN", &token)])
    };
    assert_eq!(ensure(&hand("pypi"), &bench.wheel("tiny-uv", "1.0")).await.unwrap(), Published::New);
    let error = ensure(&hand("sigstore"), &bench.wheel("tiny-uv", "2.0")).await.unwrap_err();
    assert!(error.to_string().contains("not made for the audience `pypi`"), "{error}");
}

#[tokio::test]
async fn a_pending_publisher_makes_its_project() {
    let Some(bench) = Bench::new() else { return };
    let publisher = bench.by_identity("new-project");
    assert_eq!(ensure(&publisher, &bench.wheel("tiny-setup", "1.0")).await.unwrap(), Published::New);
    let error = ensure(&publisher, &bench.wheel("misspelt", "1.0")).await.unwrap_err();
    assert!(matches!(error, PublishError::Refused { status: 400, .. }), "{error}");
    assert!(error.hints()[0].contains("`misspelt`"), "{:?}", error.hints());
}

#[tokio::test]
async fn every_refused_identity_is_explained() {
    let Some(bench) = Bench::new() else { return };
    for (identity, reason, hint) in [
        ("other-repository", "no trusted publisher fits", "owner `mallory` (id 1001), repository `monorepo`"),
        ("other-workflow", "no trusted publisher fits", "workflow `ci.yml`, environment `production`"),
        ("no-environment", "no trusted publisher fits", "no environment (this job runs in none)"),
        ("pull-request-target", "no trusted publisher fits", "register in the settings of `tiny-uv`"),
        ("expired", "the identity does not hold", "made for this index"),
        ("rogue-key", "the identity does not hold", "made for this index"),
        ("unknown-kid", "the identity does not hold", "made for this index"),
        ("wrong-audience", "the identity does not hold", "made for this index"),
        ("two-audiences", "the identity does not hold", "made for this index"),
        ("no-jti", "no trusted publisher fits", "register"),
    ] {
        let publisher = bench.by_identity(identity);
        let error = ensure(&publisher, &bench.wheel("tiny-uv", "1.0")).await.unwrap_err();
        assert!(matches!(error, PublishError::NotAllowed { .. }), "{identity}: {error}");
        assert_eq!(error.kind(), FailureKind::Permanent, "{identity}");
        assert!(error.to_string().contains(reason), "{identity}: {error}");
        let hints = error.hints().join("\n");
        assert!(hints.contains(hint), "{identity}: {hints}");
        let told = format!("{error}{error:?}{hints}");
        assert!(!told.contains("eyJ") && !told.contains("pypi-Ag"), "no token is told: {told}");
    }
    assert_eq!(bench.uploads().len(), 0);
}

#[tokio::test]
async fn an_identity_that_is_given_twice_is_explained() {
    let Some(bench) = Bench::new() else { return };
    let first = bench.by_identity("replayed");
    ensure(&first, &bench.wheel("tiny-uv", "1.0")).await.unwrap();
    let error = ensure(&bench.by_identity("replayed"), &bench.wheel("tiny-uv", "2.0")).await.unwrap_err();
    assert!(error.to_string().contains("the same identity again"), "{error}");
    assert_eq!(bench.mints(), 3, "one fresh identity was asked for");
}

#[tokio::test]
async fn a_publisher_without_this_project_is_told_so() {
    let Some(bench) = Bench::new() else { return };
    let error = ensure(&bench.by_identity("default"), &bench.wheel("tiny-hatch", "1.0")).await.unwrap_err();
    assert!(matches!(error, PublishError::NotAllowed { .. }), "{error}");
    assert!(error.hints()[0].contains("trusted publisher of `tiny-hatch` too"), "{:?}", error.hints());
}

#[tokio::test]
async fn codes_that_the_double_never_gives_are_explained_too() {
    let Some(bench) = Bench::new() else { return };
    for (code, reason) in [
        ("invalid-pending-publisher", "does not fit a project that exists"),
        ("invalid-payload", "does not know this CI"),
        ("not-enabled", "switched off"),
        ("brand-new-code", "brand-new-code: why"),
    ] {
        let errors = json!({ "code": code, "description": "why" });
        let answer = json!({ "message": "Token request failed", "errors": [errors] }).to_string();
        let (address, answering) = answers(vec![
            ("200 OK".to_owned(), json!({ "audience": "pypi" }).to_string()),
            ("422 Unprocessable".to_owned(), answer),
        ]);
        let mut index = bench.index(Auth::Trusted);
        index.upload = format!("http://{address}/legacy/");
        let token = bench.double.issue(&json!("default"), "pypi");
        let publisher = publisher(index, &[("RELEASE_ID_TOKEN", &token)]);
        let error = ensure(&publisher, &bench.wheel("tiny-uv", "1.0")).await.unwrap_err();
        answering.join().unwrap();
        assert!(error.to_string().contains(reason), "{code}: {error}");
    }
}

#[tokio::test]
async fn trusted_publishing_that_is_switched_off_or_unknown_needs_a_person() {
    let Some(bench) = Bench::new() else { return };
    bench.double.configure(&json!({ "flags": { "disallow_oidc": true } }));
    let error = bench.by_identity("default").probe().await.unwrap_err();
    assert!(error.to_string().contains("switched off"), "{error}");
    bench.double.fault(&json!({ "kind": "status", "status": 404, "path": "/_/oidc/audience" }));
    let error = bench.by_identity("default").probe().await.unwrap_err();
    assert!(error.to_string().contains("knows no trusted publishing"), "{error}");
    assert!(error.hints()[0].contains("auth = \"token\""));
}

#[tokio::test]
async fn outside_of_ci_nothing_falls_back() {
    let Some(bench) = Bench::new() else { return };
    let trusted = |variables: &[(&str, &str)]| publisher(bench.index(Auth::Trusted), variables);
    let token = ("RELEASE_TOKEN_TEST", crate::publishing::ALICE);
    for (variables, hint) in [
        (vec![token], "publish from CI"),
        (vec![token, ("GITHUB_ACTIONS", "true")], "id-token: write"),
        (vec![token, ("GITLAB_CI", "true")], "PYPI_ID_TOKEN"),
    ] {
        let publisher = trusted(&variables);
        for error in [
            publisher.probe().await.unwrap_err(),
            ensure(&publisher, &bench.wheel("tiny-uv", "1.0")).await.unwrap_err(),
        ] {
            assert!(error.hints()[0].contains(hint), "{variables:?}: {:?}", error.hints());
        }
    }
    assert_eq!(bench.uploads().len(), 0);
}

#[tokio::test]
async fn a_ready_made_attestation_goes_with_the_file() {
    let Some(bench) = Bench::new() else { return };
    let publisher = bench.by_identity("default");
    let (file, other) = (bench.wheel("tiny-uv", "1.0"), bench.wheel("tiny-uv", "2.0"));
    let attestation = |of: &str, sha256: &str| {
        use base64::Engine as _;
        let encode = |bytes: &[u8]| base64::engine::general_purpose::STANDARD.encode(bytes);
        let statement = release::world::attest::statement(of, sha256).to_string();
        let bundle = json!({
            "verificationMaterial": {
                "certificate": { "rawBytes": encode(b"none") },
                "tlogEntries": [{ "logIndex": "1" }],
            },
            "dsseEnvelope": { "payload": encode(statement.as_bytes()), "signatures": [{ "sig": encode(b"none") }] },
        });
        release::world::attest::from_bundle(&bundle).unwrap().to_string()
    };
    let beside = |name: &str| bench.files.path().join(format!("{name}.publish.attestation"));
    std::fs::write(beside(&file.name), attestation(&file.name, file.digest.hex())).unwrap();
    assert_eq!(ensure(&publisher, &file).await.unwrap(), Published::New);
    let stored = &bench.double.state()["tiny-uv"]["releases"]["1.0"]["files"][0];
    assert_eq!(stored["attested"], true);
    // One that is about other bytes is found before the index does.
    std::fs::write(beside(&other.name), attestation(&other.name, file.digest.hex())).unwrap();
    let error = ensure(&publisher, &other).await.unwrap_err();
    assert!(error.to_string().contains("other bytes"), "{error}");
    assert_eq!(bench.uploads().len(), 1);
    // With a token the index would refuse it: it is not sent.
    let by_token = bench.by_token(crate::publishing::ALICE);
    assert_eq!(ensure(&by_token, &other).await.unwrap(), Published::New);
}
