//! The client against a small server that answers from a list.

use std::sync::{Arc, Mutex as StdMutex};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

use super::*;

type Asked = Arc<StdMutex<Vec<String>>>;

/// A server that gives one answer after the other, each to a connection of its own, and what it was asked.
async fn server(answers: &[&str]) -> (GitHub, Asked) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    let answers: Vec<String> = answers.iter().map(|answer| answer.replace("HERE", &address)).collect();
    let asked = Asked::default();
    let heard = Arc::clone(&asked);
    tokio::spawn(async move {
        for answer in answers {
            let (mut stream, _) = listener.accept().await.unwrap();
            let request = read_request(&mut stream).await;
            heard.lock().unwrap().push(request);
            if answer.is_empty() {
                continue;
            }
            let (head, body) = answer.split_once("\n\n").unwrap_or((&answer, ""));
            let head = head.replace('\n', "\r\n");
            let length = body.len();
            let whole =
                format!("HTTP/1.1 {head}\r\nconnection: close\r\ncontent-length: {length}\r\n\r\n{body}");
            stream.write_all(whole.as_bytes()).await.unwrap();
        }
    });
    let api = Url::parse(&format!("{address}/api/v3")).unwrap();
    let place = Place { slug: Slug::read("ada/tools").unwrap(), api };
    let second = Duration::from_secs(1);
    let tempo = Tempo {
        base: Duration::from_millis(1),
        cap: Duration::from_millis(2),
        retries: 2,
        limited: second * 5,
        unnamed: Duration::from_millis(1),
        ..Tempo::default()
    };
    (GitHub::new(place, Some("hunter2".to_owned().into()), tempo).unwrap(), asked)
}

async fn read_request(stream: &mut tokio::net::TcpStream) -> String {
    let mut bytes = Vec::new();
    let mut buffer = [0; 4096];
    loop {
        let read = stream.read(&mut buffer).await.unwrap();
        bytes.extend_from_slice(&buffer[..read]);
        let text = String::from_utf8_lossy(&bytes).into_owned();
        let Some((head, body)) = text.split_once("\r\n\r\n") else { continue };
        let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")).unwrap_or("0");
        if body.len() >= length.parse().unwrap() {
            return text;
        }
    }
}

fn first_lines(asked: &Asked) -> Vec<String> {
    let asked = asked.lock().unwrap();
    asked
        .iter()
        .map(|request| request.lines().next().unwrap().trim_end_matches(" HTTP/1.1").to_owned())
        .collect()
}

#[tokio::test]
async fn a_request_shows_its_token_and_the_version_it_speaks() {
    let (github, asked) = server(&["200 OK\n\n{\"id\": 7}"]).await;
    let body: Value = github.get(&github.path("releases/7")).await.unwrap();
    assert_eq!(body["id"], 7);
    let request = asked.lock().unwrap()[0].to_lowercase();
    assert!(request.starts_with("get /api/v3/repos/ada/tools/releases/7 "), "{request}");
    for header in
        ["authorization: bearer hunter2", "x-github-api-version: 2022-11-28", "user-agent: release/"]
    {
        assert!(request.contains(header), "{header}\n{request}");
    }
    assert!(!format!("{github:?}").contains("hunter2"));
}

#[tokio::test]
async fn what_may_have_been_done_is_not_posted_twice() {
    let (github, asked) = server(&["502 Bad Gateway\n\n", "200 OK\n\n{}"]).await;
    let error = github.post::<Value>(&github.path("releases"), &Value::Null).await.unwrap_err();
    assert!(error.may_have_acted() && error.is_transient(), "{error}");
    assert_eq!(first_lines(&asked).len(), 1);
    let (github, asked) = server(&["502 Bad Gateway\n\n", "", "204 No Content\n\n"]).await;
    github.delete(&github.path("releases/1")).await.unwrap();
    assert_eq!(first_lines(&asked).len(), 3);
}

#[tokio::test]
async fn rate_limits_are_waited_for_also_by_posts() {
    let secondary = "403 Forbidden\nretry-after: 1\n\n{\"message\": \"secondary rate limit\"}";
    let (github, asked) = server(&[secondary, "201 Created\n\n{}"]).await;
    let begun = std::time::Instant::now();
    github.post::<Value>(&github.path("releases"), &Value::Null).await.unwrap();
    assert!(begun.elapsed() >= Duration::from_secs(1));
    assert_eq!(first_lines(&asked).len(), 2);
    let (github, _) = server(&["429 Slow\nretry-after: 3600\n\n"]).await;
    let error = github.get::<Value>("/meta").await.unwrap_err();
    assert_eq!(error.to_string(), "GitHub's rate limit is reached; it asks to wait 60 minutes more");
}

#[tokio::test]
async fn a_list_is_read_to_its_end_but_never_elsewhere() {
    let first =
        "200 OK\nlink: <HERE/api/v3/x?page=2>; rel=\"next\", <HERE/api/v3/x?page=2>; rel=\"last\"\n\n[1, 2]";
    let (github, asked) = server(&[first, "200 OK\n\n[3]"]).await;
    assert_eq!(github.all::<u8>("/x").await.unwrap(), [1, 2, 3]);
    assert_eq!(first_lines(&asked), ["GET /api/v3/x?per_page=100", "GET /api/v3/x?page=2"]);
    let away = "200 OK\nlink: <https://eve.example/x>; rel=\"next\"\n\n[1]";
    let (github, _) = server(&[away]).await;
    assert!(matches!(github.all::<u8>("/x").await.unwrap_err(), GitHubError::Away { .. }));
}

#[tokio::test]
async fn a_renamed_repository_is_followed_within_the_interface() {
    let moved = "307 Temporary Redirect\nlocation: HERE/api/v3/repositories/9/releases\n\n";
    let (github, asked) = server(&[moved, "201 Created\n\n{}"]).await;
    github.post::<Value>(&github.path("releases"), &serde_json::json!({"a": 1})).await.unwrap();
    assert_eq!(first_lines(&asked)[1], "POST /api/v3/repositories/9/releases");
    assert!(asked.lock().unwrap()[1].ends_with("{\"a\":1}"));
    let (github, asked) = server(&["301 Moved\nlocation: http://127.0.0.1:1/x\n\n"]).await;
    assert!(matches!(github.get::<Value>("/x").await.unwrap_err(), GitHubError::Away { .. }));
    assert_eq!(first_lines(&asked).len(), 1);
}

#[tokio::test]
async fn octocrab_speaks_through_the_same_client_and_its_refusals_keep_their_way_out() {
    let refused = "403 Forbidden\nx-accepted-github-permissions: contents=write\n\n{\"message\": \"no\"}";
    let (github, asked) = server(&[refused]).await;
    let created = github.octocrab().repos("ada", "tools").releases().create("v1").draft(true).send().await;
    let error = GitHubError::from(created.unwrap_err());
    assert_eq!(error.way_out().unwrap(), "the token lacks `contents: write`");
    let request = asked.lock().unwrap()[0].clone();
    assert!(request.starts_with("POST /api/v3/repos/ada/tools/releases "), "{request}");
    assert!(request.ends_with(r#"{"tag_name":"v1","draft":true}"#), "{request}");
    assert!(request.contains("authorization: Bearer hunter2"), "{request}");
}

#[test]
fn a_part_of_a_path_stays_one() {
    assert_eq!(encoded("mlops/v1.0+x ü"), "mlops%2Fv1.0%2Bx%20%C3%BC");
}
