use std::ffi::OsString;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpListener;
use std::sync::{Arc, Mutex};

use super::*;
use crate::world::webhook::signature;

/// The heads and bodies that a listener received.
type Kept = Arc<Mutex<Vec<(String, Vec<u8>)>>>;

/// A listener that gives these statuses, one for each connection (0: it hangs up), and keeps heads and bodies.
fn listener(statuses: &'static [u16]) -> (String, Kept) {
    let socket = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/hook", socket.local_addr().unwrap());
    let kept: Kept = Arc::default();
    let into = Arc::clone(&kept);
    std::thread::spawn(move || {
        for status in statuses {
            let (mut stream, _) = socket.accept().unwrap();
            let mut reader = BufReader::new(stream.try_clone().unwrap());
            let (mut head, mut length) = (String::new(), 0);
            loop {
                let mut line = String::new();
                reader.read_line(&mut line).unwrap();
                if let Some(value) = line.to_lowercase().strip_prefix("content-length:") {
                    length = value.trim().parse().unwrap();
                }
                if line.trim().is_empty() {
                    break;
                }
                head.push_str(&line);
            }
            let mut body = vec![0; length];
            reader.read_exact(&mut body).unwrap();
            into.lock().unwrap().push((head, body));
            if *status > 0 {
                let answer =
                    format!("HTTP/1.1 {status} X\r\nContent-Length: 2\r\nConnection: close\r\n\r\nno");
                stream.write_all(answer.as_bytes()).unwrap();
            }
        }
    });
    (url, kept)
}

fn happening() -> Happening<'static> {
    Happening {
        package: Some("kite"),
        version: Some("1.5.0"),
        from: Some("1.4.0"),
        kind: Some(DeploymentKind::Deploy),
        reason: Some("http-1: \u{1b}[31mstatus 500".to_owned()),
        ..Happening::new(Occasion::RolledBack, "staging", 1_700_000_000)
    }
}

async fn told(hooks: &[HookTable]) -> Vec<String> {
    let variable: Env = Arc::new(|name: &str| (name == "HOOK_SECRET").then(|| OsString::from("hunter2")));
    let remarks = Mutex::new(Vec::new());
    let patience = Patience { limit: Duration::from_secs(10), retries: 2, pause: Duration::from_millis(5) };
    let remark = |text: &str| remarks.lock().unwrap().push(text.to_owned());
    tell(hooks, Occasion::RolledBack, &happening(), &variable, patience, &remark).await;
    remarks.into_inner().unwrap()
}

fn to(url: &str) -> HookTable {
    HookTable { on: vec![Occasion::RolledBack], url: Some(url.to_owned()), ..HookTable::default() }
}

fn by(argv: &[&str]) -> HookTable {
    let command = Some(argv.iter().map(|word| (*word).to_owned()).collect());
    HookTable { on: vec![Occasion::RolledBack], command, ..HookTable::default() }
}

const EVENT: &str = r#"{"format":1,"occasion":"rolled-back","environment":"staging","package":"kite","version":"1.5.0","from":"1.4.0","kind":"deploy","reason":"http-1: status 500","time":1700000000}"#;

#[tokio::test]
async fn an_address_is_sent_the_event_signed_over_the_very_bytes() {
    let (url, kept) = listener(&[200]);
    let hook = HookTable { secret_from: Some("HOOK_SECRET".to_owned()), ..to(&url) };
    assert_eq!(told(&[hook]).await, [""; 0]);
    let (head, body) = kept.lock().unwrap()[0].clone();
    assert_eq!(String::from_utf8(body.clone()).unwrap(), EVENT);
    let signed = signature(&body, &"hunter2".to_owned().into());
    let header = format!("x-release-signature-256: {signed}").to_lowercase();
    assert!(head.to_lowercase().contains(&header), "{head}");
    assert!(!head.contains("hunter2"));
}

#[tokio::test]
async fn what_may_have_been_lost_is_sent_again_and_what_was_refused_is_not() {
    let (url, kept) = listener(&[0, 503, 204]);
    assert_eq!(told(&[to(&url)]).await, [""; 0]);
    assert_eq!(kept.lock().unwrap().len(), 3);

    let (url, kept) = listener(&[500, 502, 503]);
    let remarks = told(&[to(&url)]).await;
    assert_eq!(remarks, [format!("a listener was not told of `rolled-back`: {url} answers 503: no")]);
    assert_eq!(kept.lock().unwrap().len(), 3);

    let (url, kept) = listener(&[404, 200]);
    assert_eq!(told(&[to(&url)]).await.len(), 1);
    assert_eq!(kept.lock().unwrap().len(), 1);
}

#[tokio::test]
async fn what_should_be_signed_is_not_sent_without_its_secret() {
    let (url, kept) = listener(&[200]);
    let hook = HookTable { secret_from: Some("NO_SUCH_SECRET".to_owned()), ..to(&url) };
    let remarks = told(&[hook]).await;
    assert!(remarks[0].contains("`NO_SUCH_SECRET`"), "{remarks:?}");
    assert_eq!(kept.lock().unwrap().len(), 0);
    let plain = told(&[to("http://listener.example/")]).await;
    assert!(plain[0].contains("plain http"), "{plain:?}");
}

#[tokio::test]
async fn a_program_reads_the_event_and_a_broken_one_is_remarked_on() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("event");
    let write = format!("cat > {}", file.display());
    let remarks = told(&[
        by(&["sh", "-c", &write]),
        by(&["sh", "-c", "echo tired >&2; exit 1"]),
        by(&["no-such-program"]),
    ])
    .await;
    assert_eq!(std::fs::read_to_string(file).unwrap(), EVENT);
    assert_eq!(remarks.len(), 2, "{remarks:?}");
    assert!(
        remarks.iter().any(|text| text.contains("tired"))
            && remarks.iter().any(|text| text.contains("no-such-program"))
    );
}

#[tokio::test]
async fn listeners_hear_only_what_they_asked_for() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("event");
    let write = format!("cat > {}", file.display());
    let hook = by(&["sh", "-c", &write]);
    let other = HookTable { on: vec![Occasion::Verified], ..hook.clone() };
    let elsewhere = HookTable { environments: Some(vec!["production".to_owned()]), ..hook.clone() };
    assert_eq!(told(&[other, elsewhere]).await, [""; 0]);
    assert!(!file.exists());
    let here = HookTable { environments: Some(vec!["staging".to_owned()]), ..hook };
    assert_eq!(told(&[here]).await, [""; 0]);
    assert!(file.exists());
}
