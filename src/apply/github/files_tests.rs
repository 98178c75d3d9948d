//! What the files of a release are, by what GitHub says of them.

use serde_json::{Value, json};

use super::*;

const OURS: &str = "sha256:aa";

fn asset(name: &str, state: &str, digest: Value) -> Value {
    json!({ "id": 1, "name": name, "state": state, "size": 1, "digest": digest, "uploader": null })
}

fn release(assets: Vec<Value>) -> Release {
    serde_json::from_value(json!({
        "html_url": "https://ghe.example/r", "upload_url": "https://ghe.example/r{?name,label}", "id": 7,
        "tag_name": "core-v1", "body": null, "draft": true, "author": { "url": "" }, "assets": assets,
    }))
    .unwrap()
}

fn held(name: &str, assets: Vec<Value>) -> String {
    match Holds::of(&release(assets), name, OURS) {
        Holds::Same => "same".to_owned(),
        Holds::Other(_, there) => format!("other {there}"),
        Holds::Unknown(_) => "unknown".to_owned(),
        Holds::Broken(_) => "broken".to_owned(),
        Holds::Nothing => "nothing".to_owned(),
    }
}

#[test]
fn a_file_is_known_by_its_digest_whatever_it_is_called() {
    let whole = |name, digest: &str| asset(name, "uploaded", digest.into());
    assert_eq!(held("a.whl", vec![]), "nothing");
    assert_eq!(held("a.whl", vec![whole("b.whl", "sha256:bb")]), "nothing");
    assert_eq!(held("a-1!2.whl", vec![whole("a-1.2.whl", OURS)]), "same");
    assert_eq!(held("a-1!2.whl", vec![whole("a-1.2.whl", "sha256:bb")]), "other sha256:bb");
    assert_eq!(held("a.whl", vec![asset("a.whl", "uploaded", Value::Null)]), "unknown");
    assert_eq!(held("a.whl", vec![asset("a.whl", "starter", Value::Null)]), "broken");
    assert_eq!(held("a.whl", vec![asset("a.whl", "starter", OURS.into())]), "broken");
}

#[test]
fn a_draft_with_other_bytes_is_not_superfluous() {
    let sealed = BTreeMap::from([("a.whl", OURS)]);
    let only = |assets| holds_only(&release(assets), &sealed);
    assert!(only(vec![]));
    assert!(only(vec![asset("a.whl", "uploaded", OURS.into()), asset("a.tar.gz", "starter", Value::Null)]));
    assert!(!only(vec![asset("a.whl", "uploaded", "sha256:bb".into())]));
    assert!(!only(vec![asset("a.whl", "uploaded", Value::Null)]));
}
