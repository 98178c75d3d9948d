//! Publishing while the outside fails: each fault at each door, once and for ever.

use release::apply::index::Published;
use release::apply::publish_error::PublishError;
use release::ledger::event::FailureKind;
use release::workspace::config::tables::Auth;
use serde_json::{Value, json};

use crate::publishing::{ALICE, Bench, answers, ensure, publisher};

/// Faults after which nothing is stored.
fn before_storing() -> Vec<Value> {
    let mut faults: Vec<Value> = [408, 425, 429, 500, 502, 503, 504]
        .into_iter()
        .flat_map(|status| {
            [true, false].map(|early| json!({ "kind": "status", "status": status, "early": early }))
        })
        .collect();
    for how in ["rst", "fin"] {
        for after in [0, 100, 100_000] {
            faults.push(json!({ "kind": "drop", "after_bytes": after, "how": how }));
        }
        faults.push(json!({ "kind": "hang", "seconds": 0, "how": how }));
    }
    faults.push(json!({ "kind": "delay", "seconds": 0.1 }));
    faults
}

/// Faults after which the file is stored.
fn after_storing() -> Vec<Value> {
    vec![
        json!({ "kind": "lose-response", "how": "rst" }),
        json!({ "kind": "lose-response", "how": "fin" }),
        json!({ "kind": "truncate-response", "how": "rst" }),
        json!({ "kind": "truncate-response", "how": "fin" }),
        json!({ "kind": "slow-response", "seconds": 0.1 }),
    ]
}

fn at(path: &str, fault: &Value) -> Value {
    let mut fault = fault.clone();
    fault["path"] = path.into();
    fault
}

#[tokio::test]
async fn any_fault_of_an_upload_is_got_over_with_the_same_bytes() {
    let Some(bench) = Bench::new() else { return };
    let publisher = bench.by_token(ALICE);
    for (number, fault) in before_storing().iter().chain(&after_storing()).enumerate() {
        let file = bench.wheel("tiny-uv", &format!("1.{number}"));
        bench.double.clear_log();
        bench.double.fault(&at("/legacy/", fault));
        let published = ensure(&publisher, &file).await;
        assert_eq!(published.as_ref().ok(), Some(&Published::New), "{fault}: {published:?}");
        assert_eq!(bench.double.stored("tiny-uv", &file.name).as_deref(), Some(file.digest.hex()), "{fault}");
        let sent: Vec<Value> =
            bench.uploads().iter().filter_map(|upload| upload.get("file").cloned()).collect();
        assert!(sent.iter().all(|one| one["sha256"] == file.digest.hex()), "{fault}: {sent:?}");
        assert!(sent.len() <= 2, "{fault}: {sent:?}");
    }
}

#[tokio::test]
async fn what_is_stored_without_an_answer_is_not_sent_again() {
    let Some(bench) = Bench::new() else { return };
    let publisher = bench.by_token(ALICE);
    for (number, kind) in ["lose-response", "slow-response"].into_iter().enumerate() {
        bench.double.clear_log();
        bench.double.fault(&json!({ "kind": kind, "path": "/legacy/", "seconds": 0 }));
        let file = bench.wheel("tiny-uv", &format!("1.{number}"));
        assert_eq!(ensure(&publisher, &file).await.unwrap(), Published::New);
        assert_eq!(bench.uploads().len(), 1, "{kind}");
    }
}

#[tokio::test]
async fn what_is_stored_but_not_listed_yet_is_sent_again_and_taken() {
    let Some(bench) = Bench::new() else { return };
    bench.double.configure(&json!({ "limits": { "index_lag": 600 } }));
    bench.double.fault(&json!([
        { "kind": "status", "status": 404, "path": "/pypi/*", "times": 1000 },
        { "kind": "lose-response", "path": "/legacy/" },
    ]));
    let file = bench.wheel("tiny-uv", "1.0");
    assert_eq!(ensure(&bench.by_token(ALICE), &file).await.unwrap(), Published::New);
    let results: Vec<Value> = bench.uploads().iter().map(|upload| upload["result"].clone()).collect();
    assert_eq!(results, ["new", "identical"]);
}

#[tokio::test]
async fn an_upload_that_always_fails_ends_as_transient() {
    let Some(bench) = Bench::new() else { return };
    let publisher = bench.by_token(ALICE);
    for fault in [
        json!({ "kind": "status", "status": 503, "times": 1000 }),
        json!({ "kind": "status", "status": 429, "times": 1000 }),
        json!({ "kind": "drop", "after_bytes": 10, "times": 1000 }),
    ] {
        bench.double.clear_log();
        bench.double.fault(&at("/legacy/", &fault));
        let error = ensure(&publisher, &bench.wheel("tiny-uv", "1.0")).await.unwrap_err();
        assert!(matches!(error, PublishError::Transient { retries: 4, .. }), "{fault}: {error}");
        assert_eq!(error.kind(), FailureKind::Transient);
        assert_eq!(bench.uploads().len(), 5, "{fault}");
        bench.double.clear_faults();
    }
    // Afterwards the same call goes on from there.
    assert_eq!(ensure(&publisher, &bench.wheel("tiny-uv", "1.0")).await.unwrap(), Published::New);
}

#[tokio::test]
async fn the_last_attempt_counts_where_its_answer_is_lost() {
    let Some(bench) = Bench::new() else { return };
    bench.double.fault(&json!([
        { "kind": "status", "status": 503, "path": "/legacy/", "times": 4 },
        { "kind": "lose-response", "path": "/legacy/" },
    ]));
    let file = bench.wheel("tiny-uv", "1.0");
    assert_eq!(ensure(&bench.by_token(ALICE), &file).await.unwrap(), Published::New);
    assert_eq!(bench.uploads().len(), 5);
}

#[tokio::test]
async fn a_gateways_limit_is_final() {
    let Some(bench) = Bench::new() else { return };
    for early in [true, false] {
        bench.double.fault(&json!({ "kind": "status", "status": 413, "path": "/legacy/", "early": early }));
        let error = ensure(&bench.by_token(ALICE), &bench.wheel("tiny-uv", "1.0")).await.unwrap_err();
        assert!(matches!(error, PublishError::Refused { status: 413, .. }), "{error}");
        assert!(error.hints()[0].contains("gateway"), "{:?}", error.hints());
    }
}

#[tokio::test]
async fn a_file_damaged_on_the_way_is_sent_once_more() {
    let Some(bench) = Bench::new() else { return };
    let said = "The digest supplied does not match a digest calculated from the uploaded file.";
    let fault =
        |times| json!({ "kind": "status", "status": 400, "path": "/legacy/", "body": said, "times": times });
    bench.double.fault(&fault(1));
    let publisher = bench.by_token(ALICE);
    assert_eq!(ensure(&publisher, &bench.wheel("tiny-uv", "1.0")).await.unwrap(), Published::New);
    bench.double.fault(&fault(2));
    let error = ensure(&publisher, &bench.wheel("tiny-uv", "2.0")).await.unwrap_err();
    assert!(matches!(error, PublishError::Refused { status: 400, .. }), "{error}");
}

#[tokio::test]
async fn any_fault_of_reading_is_got_over() {
    let Some(bench) = Bench::new() else { return };
    let publisher = bench.by_token(ALICE);
    let file = bench.wheel("tiny-uv", "1.0");
    ensure(&publisher, &file).await.unwrap();
    for path in ["/simple/*", "/pypi/*"] {
        for fault in before_storing().iter().chain(&after_storing()) {
            bench.double.fault(&at(path, fault));
            let listed = publisher.listed(&file.package, Some(&file.version)).await;
            let listed = listed.unwrap_or_else(|error| panic!("{path} {fault}: {error}"));
            assert_eq!(listed[0].sha256.as_ref(), Some(&file.digest), "{path} {fault}");
            bench.double.clear_faults();
            bench.double.fault(&at(path, fault));
            let published = ensure(&publisher, &file).await;
            assert_eq!(
                published.as_ref().ok(),
                Some(&Published::AlreadyThere),
                "{path} {fault}: {published:?}"
            );
            bench.double.clear_faults();
        }
    }
    assert_eq!(bench.uploads().len(), 1);
}

#[tokio::test]
async fn an_index_whose_pages_always_fail_is_not_written_to() {
    let Some(bench) = Bench::new() else { return };
    bench.double.fault(&json!({ "kind": "status", "path": "/simple/*", "times": 1000 }));
    let error = ensure(&bench.by_token(ALICE), &bench.wheel("tiny-uv", "1.0")).await.unwrap_err();
    assert!(matches!(error, PublishError::Transient { .. }), "{error}");
    assert_eq!(bench.uploads().len(), 0);
}

#[tokio::test]
async fn a_list_that_is_locked_says_what_it_needs() {
    let Some(bench) = Bench::new() else { return };
    bench.double.fault(&json!({ "kind": "status", "status": 403, "path": "/simple/*", "times": 1000 }));
    let publisher = publisher(bench.index(Auth::None), &[]);
    let error = ensure(&publisher, &bench.wheel("tiny-uv", "1.0")).await.unwrap_err();
    assert!(matches!(error, PublishError::Page { .. }), "{error}");
    assert_eq!(error.kind(), FailureKind::Permanent);
    assert!(error.hints()[0].contains("credential"));
}

#[tokio::test]
async fn a_damaged_download_is_fetched_again_and_never_handed_out() {
    let Some(bench) = Bench::new() else { return };
    let publisher = bench.by_token(ALICE);
    let file = bench.wheel("tiny-uv", "1.0");
    ensure(&publisher, &file).await.unwrap();
    for fault in [
        json!({ "kind": "corrupt-download", "path": "/files/*" }),
        json!({ "kind": "truncate-response", "path": "/files/*" }),
        json!({ "kind": "status", "path": "/files/*" }),
    ] {
        bench.double.fault(&fault);
        let bytes = publisher.fetch(&file.package, &file.name).await.unwrap();
        assert_eq!(bytes, std::fs::read(&file.path).unwrap(), "{fault}");
    }
    bench.double.fault(&json!({ "kind": "corrupt-download", "path": "/files/*", "times": 1000 }));
    let error = publisher.fetch(&file.package, &file.name).await.unwrap_err();
    assert!(matches!(error, PublishError::Transient { .. }), "{error}");
}

#[tokio::test]
async fn waiting_for_the_list_outlasts_its_faults() {
    let Some(bench) = Bench::new() else { return };
    let publisher = bench.by_token(ALICE);
    let file = bench.wheel("tiny-uv", "1.0");
    ensure(&publisher, &file).await.unwrap();
    bench.double.fault(&json!([
        { "kind": "status", "status": 503, "path": "/simple/*", "times": 8 },
        { "kind": "truncate-response", "path": "/simple/*", "times": 3 },
    ]));
    let files = [(file.name.clone(), file.digest.clone())];
    publisher.await_visible(&file.package, &files, &|_| {}).await.unwrap();
}

#[tokio::test]
async fn a_text_of_the_index_is_told_in_one_harmless_line() {
    let Some(bench) = Bench::new() else { return };
    let said = format!("no\u{1b}[2J\u{7}\n {}", "x".repeat(5000));
    let (address, answering) = answers(vec![("405 No".to_owned(), json!({ "message": said }).to_string())]);
    let mut index = bench.index(Auth::None);
    (index.upload, index.simple) = (format!("http://{address}/legacy/"), None);
    let error = ensure(&publisher(index, &[]), &bench.wheel("tiny-uv", "1.0")).await.unwrap_err();
    answering.join().unwrap();
    let told = error.to_string();
    assert!(!told.chars().any(char::is_control) && told.len() < 700, "{told:?}");
}

#[tokio::test]
async fn a_credential_follows_no_redirect_to_another_origin() {
    let (Some(bench), Some(other)) = (Bench::new(), Bench::new()) else { return };
    let away = format!("307 Elsewhere\r\nLocation: {}", other.double.upload());
    let (address, answering) = answers(vec![(away, String::new())]);
    let mut index = bench.index(Auth::Token);
    index.upload = format!("http://{address}/legacy/");
    let publisher = publisher(index, &[("RELEASE_TOKEN_TEST", ALICE)]);
    let error = ensure(&publisher, &bench.wheel("tiny-uv", "1.0")).await.unwrap_err();
    answering.join().unwrap();
    assert!(matches!(error, PublishError::Setup { .. }), "{error}");
    assert_eq!(other.double.log(), Vec::<Value>::new());
}
