use serde_json::json;

use super::*;

const RELEASE: Filling<'_> = Filling { version: "1.5.0", digest: "sha256:ab", package: "kite" };

fn answer(status: i64, body: &str) -> Answered {
    Answered {
        status: Some(status),
        headers: [("x-build".to_owned(), "1.5.0".to_owned())].into(),
        body: Some(body.to_owned()),
        json: serde_json::from_str(body).ok(),
        seconds: 0.25,
        ..Answered::default()
    }
}

fn expect(table: serde_json::Value) -> Criterion {
    Criterion { expect: Some(serde_json::from_value(table).unwrap()), success: None }
}

fn success(text: &str) -> Criterion {
    Criterion { expect: None, success: Some(text.to_owned()) }
}

#[track_caller]
fn passes(criterion: &Criterion, answer: &Answered) {
    assert_eq!(criterion.of_http(answer, &RELEASE), Judgement::Pass);
}

#[track_caller]
fn fails(criterion: &Criterion, answer: &Answered, reason: &str) {
    assert_eq!(criterion.of_http(answer, &RELEASE), Judgement::Fail(reason.to_owned()));
}

const BODY: &str =
    r#"{"version": "1.5.0", "app": {"name": "kite", "workers": 2}, "items": [{"ok": true}], "a.b": 1}"#;

#[test]
fn without_a_word_a_good_status_is_wanted() {
    passes(&Criterion::default(), &answer(204, ""));
    fails(&Criterion::default(), &answer(302, ""), "status 302");
    fails(&Criterion::default(), &answer(500, ""), "status 500");
    fails(&expect(json!({"text": "ok"})), &answer(500, "ok"), "status 500");
    passes(&expect(json!({"status": 503})), &answer(503, ""));
    fails(&expect(json!({"status": 503})), &answer(200, ""), "status 200, not 503");
}

#[test]
fn json_is_looked_into_by_keys_and_paths() {
    for good in [
        json!({"version": "{version}"}),
        json!({"app.name": "{package}", "app.workers": 2.0}),
        json!({"items.0.ok": true, "a.b": 1}),
        json!({"app": {"name": "kite"}}),
    ] {
        passes(&expect(json!({ "json": good })), &answer(200, BODY));
    }
    let fails = |wanted: serde_json::Value, body: &str, reason: &str| {
        fails(&expect(json!({ "json": wanted })), &answer(200, body), reason);
    };
    fails(json!({"version": "{version}"}), r#"{"version": "1.4.0"}"#, "`version` is `1.4.0`, not `1.5.0`");
    fails(json!({"version": "{version}"}), "<html>", "the answer is no JSON");
    fails(json!({"items.7.ok": true}), BODY, "the answer has no `items.7.ok`");
    fails(json!({"app.workers": "2"}), BODY, "`app.workers` is `2`, not `2`");
    fails(json!({"version": "1"}), "{\"version\": \"\\u001b[31mred\"}", "`version` is `red`, not `1`");
}

#[test]
fn text_patterns_and_headers_are_compared() {
    let page = answer(200, "kite 1.5.0 is up");
    passes(
        &expect(
            json!({"text": "{package} {version}", "matches": "^kite {version}\\b", "headers": {"X-Build": "{version}"}}),
        ),
        &page,
    );
    fails(&expect(json!({"text": "down"})), &page, "the answer does not hold `down`");
    fails(&expect(json!({"matches": "{version}$"})), &page, "the answer does not match `1\\.5\\.0$`");
    fails(&expect(json!({"headers": {"X-Build": "1"}})), &page, "header X-Build is `1.5.0`, not `1`");
    fails(&expect(json!({"headers": {"X-None": "1"}})), &page, "there is no header X-None");
}

#[test]
fn numbers_lie_between_min_and_max() {
    let of = |value: f64| Answered { value: Some(value), ..Answered::default() };
    let judge = |table: serde_json::Value, answer: &Answered| expect(table).judge(answer, &RELEASE);
    assert_eq!(judge(json!({"min": 0.5, "max": 1.0}), &of(0.5)), Judgement::Pass);
    assert_eq!(judge(json!({"max": 0.01}), &of(0.5)), Judgement::Fail("0.5 is more than 0.01".to_owned()));
    assert_eq!(judge(json!({"min": 1}), &of(0.5)), Judgement::Fail("0.5 is less than 1".to_owned()));
    assert_eq!(
        judge(json!({"max": 1}), &of(f64::INFINITY)),
        Judgement::Fail("inf is more than 1".to_owned())
    );
    for none in [of(f64::NAN), Answered::default()] {
        assert_eq!(judge(json!({"max": 1}), &none), Judgement::Fail("no number".to_owned()));
    }
}

#[test]
fn an_expression_sees_the_whole_answer() {
    let page = answer(200, BODY);
    for good in [
        "status == 200 and json.version == version",
        "headers['x-build'] == version and seconds < 1",
        "json.app.workers > 1 and package == 'kite' and digest == 'sha256:ab'",
        "'1.5' in body and json['items'][0].ok",
        "status in [200, 204]",
    ] {
        passes(&success(good), &page);
    }
    fails(&success("status == 204"), &page, "`status == 204` does not hold");
    // An expression decides alone.
    passes(&success("status == 500"), &answer(500, ""));
}

#[test]
fn what_the_answer_does_not_have_is_a_failure_and_not_a_mistake() {
    for text in ["json.version == version", "json.a.b == 1", "json.version != 'bad'", "json.ok"] {
        let judged = success(text).of_http(&answer(200, "<html>"), &RELEASE);
        assert!(matches!(judged, Judgement::Fail(_)), "{text}: {judged:?}");
    }
    for text in ["json.nothing", "json.a.b == 1", "json.state == 'ready'"] {
        let judged = success(text).of_http(&answer(200, "{}"), &RELEASE);
        assert!(matches!(judged, Judgement::Fail(_)), "{text}: {judged:?}");
    }
}

#[test]
fn what_is_neither_true_nor_false_judges_nothing() {
    for text in ["json.version", "status", "1 / 0 > 1", "json.app.workers / 0 == 1", "status == "] {
        let judged = success(text).of_http(&answer(200, BODY), &RELEASE);
        assert!(matches!(judged, Judgement::Unjudged(_)), "{text}: {judged:?}");
    }
}

#[test]
fn an_expression_can_not_run_without_end() {
    let long = format!("[{}]|length > 0", vec!["body|upper|lower|length"; 60_000].join(","));
    let judged = success(&long).of_http(&answer(200, ""), &RELEASE);
    assert!(matches!(judged, Judgement::Unjudged(_)), "{judged:?}");
}

#[test]
fn a_program_passes_with_exit_code_zero_or_as_its_expression_says() {
    let ended = |code: i64, out: &str| Answered { status: Some(code), ..answer(0, out) };
    let judge = |criterion: Criterion, answer: &Answered| criterion.of_program(answer, &RELEASE);
    assert_eq!(judge(Criterion::default(), &ended(0, "")), Judgement::Pass);
    assert_eq!(judge(Criterion::default(), &ended(3, "")), Judgement::Fail("exit code 3".to_owned()));
    assert_eq!(judge(success("status in [0, 3]"), &ended(3, "")), Judgement::Pass);
    assert_eq!(
        judge(expect(json!({"text": "ready"})), &ended(1, "ready")),
        Judgement::Fail("exit code 1".to_owned())
    );
    assert_eq!(judge(success("json.up == 2"), &ended(0, "{\"up\": 2}")), Judgement::Pass);
}
