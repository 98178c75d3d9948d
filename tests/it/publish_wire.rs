//! Publishing to an index with an API token: what is sent, what is answered, what is done about it.

use std::sync::Mutex;
use std::time::{Duration, Instant};

use release::apply::gate::{self, Gate, GateClosed};
use release::apply::index::Published;
use release::apply::pace::Pace;
use release::apply::publish_error::PublishError;
use release::apply::publisher::Publisher;
use release::ledger::event::FailureKind;
use release::plan::digest::Digest;
use release::version::number::Version;
use release::workspace::config::tables::Auth;
use release::workspace::name::PackageName;
use serde_json::json;

use crate::distributions::Distribution;
use crate::publishing::{ALICE, Bench, ensure, environment, publisher};

fn name(text: &str) -> PackageName {
    PackageName::new(text)
}

#[tokio::test]
async fn a_file_is_published_once_and_then_known() {
    let Some(bench) = Bench::new() else { return };
    let publisher = bench.by_token(ALICE);
    let (wheel, sdist) = (bench.wheel("tiny-uv", "1.0"), bench.sdist("tiny-uv", "1.0"));
    for file in [&wheel, &sdist] {
        assert_eq!(ensure(&publisher, file).await.unwrap(), Published::New);
        assert_eq!(bench.double.stored("tiny-uv", &file.name).as_deref(), Some(file.digest.hex()));
        assert_eq!(ensure(&publisher, file).await.unwrap(), Published::AlreadyThere);
    }
    assert_eq!(bench.uploads().len(), 2, "what is there is not sent");
    let files = [(wheel.name.clone(), wheel.digest.clone()), (sdist.name.clone(), sdist.digest.clone())];
    publisher.await_visible(&wheel.package, &files, &|_| {}).await.unwrap();
    let version = Version::parse("1.0").unwrap();
    let listed = publisher.listed(&wheel.package, Some(&version)).await.unwrap();
    let listed: Vec<_> = listed.iter().map(|file| (file.filename.as_str(), file.sha256.clone())).collect();
    assert_eq!(
        listed,
        [
            (wheel.name.as_str(), Some(wheel.digest.clone())),
            (sdist.name.as_str(), Some(sdist.digest.clone())),
        ]
    );
    let fetched = publisher.fetch(&wheel.package, &wheel.name).await.unwrap();
    assert_eq!(Digest::of(&fetched), wheel.digest);
    assert_eq!(publisher.listed(&name("no-such"), None).await.unwrap(), []);
}

#[tokio::test]
async fn the_form_holds_all_that_the_metadata_say() {
    let Some(bench) = Bench::new() else { return };
    let fields = "Classifier: Programming Language :: Python :: 3\nClassifier: Operating System :: OS Independent\n\
                  Project-URL: Source, https://source.example\nRequires-Dist: a>=1\nRequires-Dist: b\n\
                  Provides-Extra: x\nDynamic: version\nKeywords: one,two\nAuthor-email: Ada <ada@example.org>\n\
                  License-Expression: MIT\n";
    let wheel = bench.keep(Distribution::new("tiny-uv", "1.0").fields(fields).wheel());
    ensure(&bench.by_token(ALICE), &wheel).await.unwrap();
    let upload = &bench.uploads()[0];
    let form = &upload["form"];
    for (field, value) in [
        (":action", json!(["file_upload"])),
        ("protocol_version", json!(["1"])),
        ("metadata_version", json!(["2.4"])),
        ("name", json!(["tiny-uv"])),
        ("version", json!(["1.0"])),
        ("filetype", json!(["bdist_wheel"])),
        ("pyversion", json!(["py3"])),
        ("sha256_digest", json!([wheel.digest.hex()])),
        ("requires_python", json!([">=3.9"])),
        ("summary", json!(["a tiny package"])),
        ("description_content_type", json!(["text/markdown"])),
        ("classifiers", json!(["Programming Language :: Python :: 3", "Operating System :: OS Independent"])),
        ("project_urls", json!(["Source, https://source.example"])),
        ("requires_dist", json!(["a>=1", "b"])),
        ("provides_extra", json!(["x"])),
        ("dynamic", json!(["version"])),
        ("keywords", json!(["one,two"])),
        ("author_email", json!(["Ada <ada@example.org>"])),
        ("license_expression", json!(["MIT"])),
    ] {
        assert_eq!(form[field], value, "{field}");
    }
    assert_eq!(form["blake2_256_digest"][0].as_str().unwrap().len(), 64);
    assert!(upload["user_agent"].as_str().unwrap().starts_with("release/"));
    assert_eq!(upload["auth"], "basic");
}

#[tokio::test]
async fn other_bytes_under_our_name_are_a_conflict() {
    let Some(bench) = Bench::new() else { return };
    let publisher = bench.by_token(ALICE);
    let (file, other) = (bench.wheel("tiny-uv", "1.0"), bench.other_wheel("tiny-uv", "1.0"));
    ensure(&publisher, &file).await.unwrap();
    let error = ensure(&publisher, &other).await.unwrap_err();
    let PublishError::Conflict { there, ours, .. } = &error else { panic!("{error}") };
    assert_eq!((there, ours), (&file.digest, &other.digest));
    assert_eq!(error.kind(), FailureKind::Permanent);
    assert!(!error.hints().is_empty());
    assert_eq!(bench.uploads().len(), 1, "nothing is sent over it");
    let files = [(other.name.clone(), other.digest.clone())];
    let error = publisher.await_visible(&other.package, &files, &|_| {}).await.unwrap_err();
    assert!(matches!(error, PublishError::Conflict { .. }), "{error}");
}

#[tokio::test]
async fn a_refusal_of_what_is_there_is_decided_by_digests() {
    let Some(bench) = Bench::new() else { return };
    let publisher = bench.by_token(ALICE);
    let (file, other) = (bench.wheel("tiny-uv", "1.0"), bench.other_wheel("tiny-uv", "1.0"));
    ensure(&publisher, &file).await.unwrap();
    // The first look sees nothing, as with two publishers at once; the refusal makes it look again.
    for (status, file, same) in
        [(400, &file, true), (403, &file, true), (409, &file, true), (409, &other, false)]
    {
        bench.double.fault(&json!([
            { "kind": "status", "status": 404, "path": "/pypi/*" },
            { "kind": "status", "status": 404, "path": "/simple/*" },
            { "kind": "status", "status": status, "path": "/legacy/", "body": "whatever it says" },
        ]));
        match ensure(&publisher, file).await {
            Ok(published) => assert!(same && published == Published::AlreadyThere, "{status}"),
            Err(PublishError::Conflict { .. }) => assert!(!same, "{status}"),
            Err(error) => panic!("{status}: {error}"),
        }
    }
}

#[tokio::test]
async fn without_a_list_nothing_is_guessed() {
    let Some(bench) = Bench::new() else { return };
    let mut index = bench.index(Auth::Token);
    index.simple = None;
    let blind = publisher(index, &[("RELEASE_TOKEN_TEST", ALICE)]);
    let (file, other) = (bench.wheel("tiny-uv", "1.0"), bench.other_wheel("tiny-uv", "1.0"));
    assert_eq!(ensure(&blind, &file).await.unwrap(), Published::New);
    let error = ensure(&blind, &other).await.unwrap_err();
    assert!(matches!(error, PublishError::Unreadable { status: 400, .. }), "{error}");
    assert_eq!(error.kind(), FailureKind::Unknown);
    assert!(error.hints()[0].contains("`simple`"));
    assert!(matches!(blind.listed(&file.package, None).await, Err(PublishError::Setup { .. })));
}

/// What the double is told, the file that is sent, and what must come of it.
async fn refused(bench: &Bench, token: &str, file: &release::apply::publisher::OneFile) -> PublishError {
    let error = ensure(&bench.by_token(token), file).await.unwrap_err();
    let text = format!("{error} {error:?} {:?}", error.hints());
    assert!(!text.contains(token), "no token in what is told: {text}");
    error
}

#[tokio::test]
async fn what_can_never_be_published_is_told_with_the_way_out() {
    let Some(bench) = Bench::new() else { return };
    let publisher = bench.by_token(ALICE);
    for version in ["1.0", "2.0"] {
        ensure(&publisher, &bench.wheel("tiny-uv", version)).await.unwrap();
    }
    bench.double.delete("tiny-uv", "1.0");
    bench.double.age("tiny-uv", "2.0", 15);
    let local = bench.wheel("tiny-uv", "3.0+local");
    let deleted = refused(&bench, ALICE, &bench.wheel("tiny-uv", "1.0")).await;
    let closed = refused(&bench, ALICE, &bench.sdist("tiny-uv", "2.0")).await;
    let refused_local = refused(&bench, ALICE, &local).await;
    for (error, says) in [
        (&deleted, "since been deleted"),
        (&closed, "older than 14 days"),
        (&refused_local, "local versions"),
    ] {
        assert!(
            matches!(error, PublishError::Refused { status: 400, said, .. } if said.contains(says)),
            "{error}"
        );
        assert_eq!(error.kind(), FailureKind::Permanent);
    }
    assert!(deleted.hints()[0].contains("next"), "{:?}", deleted.hints());
    assert!(closed.hints()[0].contains("next"), "{:?}", closed.hints());
    bench.double.configure(&json!({ "limits": { "file_size": 10 } }));
    let large = refused(&bench, ALICE, &bench.wheel("tiny-uv", "4.0")).await;
    assert!(large.to_string().contains("File too large"), "{large}");
}

#[tokio::test]
async fn the_same_bytes_under_another_name_are_refused_and_not_taken_for_ours() {
    let Some(bench) = Bench::new() else { return };
    let publisher = bench.by_token(ALICE);
    let (file, bytes) = Distribution::new("tiny-uv", "1.0").wheel();
    ensure(&publisher, &bench.keep((file, bytes.clone()))).await.unwrap();
    let renamed = bench.keep(("tiny_uv-1.0-1-py3-none-any.whl".to_owned(), bytes));
    let error = ensure(&publisher, &renamed).await.unwrap_err();
    assert!(matches!(error, PublishError::Refused { status: 400, .. }), "{error}");
    assert!(error.hints()[0].contains("another name"), "{:?}", error.hints());
}

#[tokio::test]
async fn a_token_that_is_not_enough_needs_a_person() {
    let Some(bench) = Bench::new() else { return };
    bench.double.configure(&json!({ "projects": [{ "name": "of-bob", "owners": ["bob"] }] }));
    let tiny = bench.wheel("tiny-uv", "1.0");
    for (token, file, hint) in [
        ("pypi-wrong", &tiny, "check the token in `RELEASE_TOKEN_TEST`"),
        ("pypi-only-tiny-uv", &bench.wheel("tiny-hatch", "1.0"), "the token's owner"),
        (ALICE, &bench.wheel("of-bob", "1.0"), "the token's owner"),
    ] {
        let error = refused(&bench, token, file).await;
        assert!(matches!(error, PublishError::NotAllowed { .. }), "{error}");
        assert_eq!(error.kind(), FailureKind::Permanent);
        assert!(error.hints()[0].contains(hint), "{:?}", error.hints());
    }
    let user = publisher(
        bench.index(Auth::Token),
        &[("RELEASE_TOKEN_TEST", "hunter2"), ("RELEASE_USER_TEST", "alice")],
    );
    let error = ensure(&user, &tiny).await.unwrap_err();
    assert!(error.hints()[0].contains("API token"), "{:?}", error.hints());
    assert_eq!(bench.uploads().len(), 4, "each was tried once");
}

#[tokio::test]
async fn no_credential_is_told_before_anything_is_sent() {
    let Some(bench) = Bench::new() else { return };
    let publisher = publisher(bench.index(Auth::Token), &[]);
    for error in [
        publisher.probe().await.unwrap_err(),
        ensure(&publisher, &bench.wheel("tiny-uv", "1.0")).await.unwrap_err(),
    ] {
        assert!(matches!(error, PublishError::NotAllowed { .. }), "{error}");
        assert!(error.hints()[0].contains("RELEASE_TOKEN_TEST"), "{:?}", error.hints());
    }
    assert_eq!(bench.uploads(), Vec::<serde_json::Value>::new());
    bench.by_token(ALICE).probe().await.unwrap();
}

#[tokio::test]
async fn what_is_over_for_today_is_parked_and_not_tried_again() {
    let Some(bench) = Bench::new() else { return };
    bench.double.configure(&json!({ "limits": { "new_projects": 0 } }));
    let error = refused(&bench, ALICE, &bench.wheel("brand-new", "1.0")).await;
    assert!(matches!(error, PublishError::Parked { .. }), "{error}");
    assert_eq!(error.kind(), FailureKind::Transient);
    assert!(error.hints()[0].contains("tomorrow"));
    // Projects that exist go on.
    let publisher = bench.by_token(ALICE);
    assert_eq!(ensure(&publisher, &bench.wheel("tiny-uv", "1.0")).await.unwrap(), Published::New);
    for flag in ["read_only", "disallow_new_upload"] {
        bench.double.configure(&json!({ "flags": { flag: true } }));
        let error = refused(&bench, ALICE, &bench.wheel("tiny-uv", "2.0")).await;
        assert!(matches!(error, PublishError::Parked { .. }), "{flag}: {error}");
        bench.double.configure(&json!({ "flags": { flag: false } }));
    }
    assert_eq!(bench.uploads().len(), 4);
}

#[tokio::test]
async fn an_address_without_its_slash_is_followed_within_its_origin() {
    let Some(bench) = Bench::new() else { return };
    let mut index = bench.index(Auth::Token);
    index.upload = index.upload.trim_end_matches('/').to_owned();
    let publisher = publisher(index, &[("RELEASE_TOKEN_TEST", ALICE)]);
    assert_eq!(ensure(&publisher, &bench.wheel("tiny-uv", "1.0")).await.unwrap(), Published::New);
    let statuses: Vec<_> =
        bench.double.requests("POST", "/legacy").iter().map(|upload| upload["status"].clone()).collect();
    assert_eq!(statuses, [308, 200]);
}

#[tokio::test]
async fn a_closed_gate_stops_before_anything_is_sent() {
    let Some(bench) = Bench::new() else { return };
    let closed: Gate =
        std::sync::Arc::new(|| Box::pin(async { Err(GateClosed { reason: "halted by ada".to_owned() }) }));
    let file = bench.wheel("tiny-uv", "1.0");
    for publisher in [bench.by_token(ALICE), bench.by_identity("default")] {
        let error = publisher.ensure(&file, &closed, &|_, _| {}).await.unwrap_err();
        assert!(matches!(&error, PublishError::Gate(closed) if closed.reason == "halted by ada"), "{error}");
    }
    assert_eq!((bench.uploads().len(), bench.mints()), (0, 0));
}

#[tokio::test]
async fn a_file_that_changed_is_not_sent() {
    let Some(bench) = Bench::new() else { return };
    let file = bench.wheel("tiny-uv", "1.0");
    std::fs::write(&file.path, "other bytes").unwrap();
    let error = ensure(&bench.by_token(ALICE), &file).await.unwrap_err();
    assert!(matches!(error, PublishError::Changed { .. }), "{error}");
    assert_eq!(bench.uploads().len(), 0);
}

#[tokio::test]
async fn progress_ends_with_the_whole_file() {
    let Some(bench) = Bench::new() else { return };
    let module = format!("x = '{}'\n", "0123456789abcdef".repeat(40_000));
    let file = bench.keep(Distribution::new("tiny-uv", "1.0").module(&module).wheel());
    let size = std::fs::metadata(&file.path).unwrap().len();
    let told = Mutex::new(Vec::new());
    let progress = |sent, all| told.lock().unwrap().push((sent, all));
    bench.by_token(ALICE).ensure(&file, &gate::open(), &progress).await.unwrap();
    let told = told.into_inner().unwrap();
    assert_eq!(told.last(), Some(&(size, size)));
    assert!(told.is_sorted());
}

#[tokio::test]
async fn the_lag_of_the_list_is_waited_for_and_named() {
    let Some(bench) = Bench::new() else { return };
    bench.double.configure(&json!({ "limits": { "index_lag": 600 } }));
    let publisher = bench.by_token(ALICE);
    let file = bench.wheel("tiny-uv", "1.0");
    ensure(&publisher, &file).await.unwrap();
    // The JSON API has it at once, so a second run sends nothing.
    assert_eq!(ensure(&publisher, &file).await.unwrap(), Published::AlreadyThere);
    let lags = Mutex::new(0);
    let on_lag = |_: Duration| {
        *lags.lock().unwrap() += 1;
        bench.double.clock(601);
    };
    let files = [(file.name.clone(), file.digest.clone())];
    publisher.await_visible(&file.package, &files, &on_lag).await.unwrap();
    assert_eq!(*lags.lock().unwrap(), 1);
}

#[tokio::test]
async fn a_deadline_for_the_list_is_no_failed_publication() {
    let Some(bench) = Bench::new() else { return };
    bench.double.configure(&json!({ "limits": { "index_lag": 600 } }));
    let mut index = bench.index(Auth::Token);
    index.visible_within = Duration::ZERO;
    let publisher = publisher(index, &[("RELEASE_TOKEN_TEST", ALICE)]);
    let file = bench.wheel("tiny-uv", "1.0");
    ensure(&publisher, &file).await.unwrap();
    let files = [(file.name.clone(), file.digest.clone())];
    let error = publisher.await_visible(&file.package, &files, &|_| {}).await.unwrap_err();
    assert!(
        matches!(&error, PublishError::NotVisible { files, .. } if *files == [file.name.clone()]),
        "{error}"
    );
    assert_eq!(error.kind(), FailureKind::Transient);
}

#[tokio::test]
async fn a_yank_is_seen_with_its_reason() {
    let Some(bench) = Bench::new() else { return };
    let publisher = bench.by_token(ALICE);
    let file = bench.wheel("tiny-uv", "1.0");
    ensure(&publisher, &file).await.unwrap();
    bench.double.yank("tiny-uv", "1.0", "it broke");
    for version in [Some(&file.version), None] {
        let listed = publisher.listed(&file.package, version).await.unwrap();
        assert_eq!(listed[0].yanked.as_deref(), Some("it broke"));
    }
}

#[tokio::test]
async fn over_https_with_an_authority_of_ones_own() {
    let Some(bench) = Bench::new() else { return };
    let mut index = bench.index(Auth::Token);
    index.upload = bench.double.ready("upload").to_owned();
    index.simple = Some(bench.double.ready("simple").to_owned());
    let roots = std::fs::read(bench.double.ready("ca")).unwrap();
    let file = bench.wheel("tiny-uv", "1.0");
    let token = [("RELEASE_TOKEN_TEST", ALICE)];
    let stranger = publisher(index.clone(), &token);
    let error = ensure(&stranger, &file).await.unwrap_err();
    assert!(matches!(error, PublishError::Transient { .. }), "{error}");
    let trusting = Publisher::trusting(index, environment(&token), Pace::quick(), &roots).unwrap();
    assert_eq!(ensure(&trusting, &file).await.unwrap(), Published::New);
    let fetched = trusting.fetch(&file.package, &file.name).await.unwrap();
    assert_eq!(Digest::of(&fetched), file.digest);
}

#[test]
fn an_index_that_can_not_be_used_is_told_at_once() {
    let token = |upload: &str| {
        let index = crate::publishing::index(upload, None, Auth::Token);
        Publisher::new(index, environment(&[]), Pace::quick()).err()
    };
    assert!(token("http://127.0.0.1:1/").is_none());
    let error = token("http://index.example/legacy/").unwrap();
    assert!(error.hints()[0].contains("insecure = true"), "{error} {:?}", error.hints());
    assert!(matches!(token("legacy"), Some(PublishError::Setup { .. })));
    let mut index = crate::publishing::index("https://index.example/legacy/", None, Auth::Token);
    index.attestations = true;
    assert!(matches!(
        Publisher::new(index, environment(&[]), Pace::quick()),
        Err(PublishError::Setup { .. })
    ));
}

#[tokio::test]
async fn a_wait_that_the_index_asks_for_is_waited() {
    let Some(bench) = Bench::new() else { return };
    bench.double.fault(&json!({ "kind": "status", "status": 429, "path": "/legacy/", "retry_after": 1 }));
    let began = Instant::now();
    let published = ensure(&bench.by_token(ALICE), &bench.wheel("tiny-uv", "1.0")).await.unwrap();
    assert_eq!(published, Published::New);
    assert!(began.elapsed() >= Duration::from_secs(1));
    assert_eq!(bench.uploads().len(), 2);
}
