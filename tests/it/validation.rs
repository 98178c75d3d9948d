//! Checks of deployments against real services: healthy, flapping, dead, slow, lying; judges that can not judge.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Mutex;
use std::time::Duration;

use futures_util::future::BoxFuture;
use release::apply::index;
use release::apply::supply::Supply;
use release::apply::target::Observed;
use release::apply::target::error::TargetError;
use release::apply::validate::record::Verdict;
use release::apply::validate::{Subject, validate};
use release::apply::workshop::Outlet;
use release::check::proof::{Check, checks};
use release::check::trial::{Outcome, Try};
use release::plan::deployment::{Artifact, Placed};
use release::plan::digest::Digest;
use release::workspace::config::{Config, ConfigPlace};
use release::workspace::name::PackageName;
use release::world::tools::ToolCache;
use release::world::variable::Env;

use crate::distributions::Distribution;
use crate::publishing::environment;
use crate::service::{Reply, Service, free_port};
use crate::world::program;

type Look = dyn Fn() -> Result<Option<Observed>, TargetError> + Send + Sync;

/// A release of `kite` and what is known about it.
struct Bench {
    placed: Placed,
    before: Placed,
    outlets: BTreeMap<String, Outlet>,
    tools: ToolCache,
    variable: Env,
    look: Box<Look>,
}

impl Bench {
    fn new() -> Bench {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/tool-cache");
        Bench {
            placed: image("1.5.0"),
            before: image("1.4.0"),
            outlets: BTreeMap::new(),
            tools: ToolCache::open(|name| (name == "RELEASE_CACHE").then(|| folder.clone().into())).unwrap(),
            variable: environment(&[]),
            look: Box::new(|| Ok(None)),
        }
    }

    async fn run(&self, checks: &[Check]) -> Verdict {
        self.run_told(checks).await.0
    }

    /// The verdict, and each try as it was told.
    async fn run_told(&self, checks: &[Check]) -> (Verdict, Vec<(String, u32, Try)>) {
        let internal = BTreeMap::from([(
            PackageName::new("kite"),
            release::version::number::Version::parse("1.5.0").unwrap(),
        )]);
        let supply = Supply { outlets: &self.outlets, tools: &self.tools, internal: &internal };
        let observe = || -> BoxFuture<'_, Result<Option<Observed>, TargetError>> {
            let seen = (self.look)();
            Box::pin(async move { seen })
        };
        let subject = Subject {
            environment: "staging",
            placed: &self.placed,
            before: Some(&self.before),
            deployment: "sha256:deployment",
            observe: &observe,
            supply: &supply,
            root: Path::new("/"),
            variable: &self.variable,
        };
        let mut told = Vec::new();
        let verdict = validate(checks, &subject, &mut |measured| {
            told.push((measured.check.to_owned(), measured.number, measured.shown));
        })
        .await;
        (verdict, told)
    }
}

fn image(version: &str) -> Placed {
    Placed {
        package: "kite".to_owned(),
        version: version.to_owned(),
        tag: format!("v{version}"),
        commit: "0".repeat(40),
        artifact: Artifact::Image {
            repository: "registry.example/kite".to_owned(),
            digest: Digest::of(version.as_bytes()),
        },
    }
}

/// The checks of a TOML text, in a rhythm of milliseconds: a try may take ten seconds, all of it a minute.
fn of(text: &str) -> Vec<Check> {
    let text = format!("[environment.staging]\n{text}");
    let config = Config::read(&text, "release.toml", ConfigPlace::File)
        .unwrap_or_else(|problems| panic!("{}", problems.render("release.toml", &text, 100, false)));
    let mut checks = checks(&config.tables.environment["staging"]);
    for check in &mut checks {
        check.schedule.interval = Duration::from_millis(5);
        check.schedule.timeout = Duration::from_secs(10);
        check.schedule.deadline = Duration::from_secs(60);
    }
    checks
}

fn http(url: &str, more: &str) -> Vec<Check> {
    of(&format!("[[environment.staging.validate]]\nkind = \"http\"\nurl = \"{url}\"\n{more}"))
}

fn ok(body: &str) -> Reply {
    Reply::Answer(200, body.to_owned())
}

#[tokio::test]
async fn a_healthy_service_passes_and_every_try_is_told() {
    let service = Service::start(|_, request| {
        assert_eq!(request.path, "/health?of=kite");
        ok("{\"version\": \"1.5.0\"}")
    });
    let checks = http(
        &service.url("/health?of={package}"),
        "consecutive-success = 3\nexpect = { json = { version = \"{version}\" } }",
    );
    let (verdict, told) = Bench::new().run_told(&checks).await;
    assert_eq!(verdict.outcome, Outcome::Pass, "{verdict:?}");
    assert_eq!(verdict.reason, "http-1 passed");
    assert_eq!(told, (1..=3).map(|number| ("http-1".to_owned(), number, Try::Pass)).collect::<Vec<_>>());
    assert_eq!(verdict.evidence["http-1/outcome"], "pass");
    assert_eq!(verdict.evidence["http-1/tries"], "3");
}

#[tokio::test]
async fn a_service_that_flaps_is_proven_neither_way() {
    let service =
        Service::start(|number, _| if number % 2 == 0 { ok("") } else { Reply::Answer(500, String::new()) });
    let mut checks = http(&service.url("/"), "consecutive-success = 2\nfailure-limit = 100000");
    checks[0].schedule.deadline = Duration::from_secs(3);
    let bench = Bench::new();
    let verdict = bench.run(&checks).await;
    assert_eq!(verdict.outcome, Outcome::Inconclusive, "{verdict:?}");
    assert_eq!(verdict.evidence["http-1/complaint"].as_str(), "status 500");

    let strict = http(&service.url("/"), "consecutive-success = 2");
    let verdict = bench.run(&strict).await;
    assert_eq!((verdict.outcome, verdict.records[0].failures), (Outcome::Fail, 1));
}

#[tokio::test]
async fn not_reaching_the_service_is_its_failure() {
    let bench = Bench::new();
    let dead = bench.run(&http(&format!("http://127.0.0.1:{}/", free_port()), "")).await;
    assert_eq!(dead.outcome, Outcome::Fail, "{dead:?}");
    assert!(dead.reason.contains("can not be reached"), "{}", dead.reason);

    let silent = Service::start(|_, _| Reply::Silence);
    let mut checks = http(&silent.url("/"), "");
    checks[0].schedule.timeout = Duration::from_millis(200);
    let silent = bench.run(&checks).await;
    assert_eq!(silent.outcome, Outcome::Fail, "{silent:?}");

    let cut = Service::start(|_, _| Reply::Cut);
    let cut = bench.run(&http(&cut.url("/"), "")).await;
    assert_eq!(cut.outcome, Outcome::Fail, "{cut:?}");

    let endless = Service::start(|_, _| ok(&"x".repeat((1 << 20) + 1)));
    let endless = bench.run(&http(&endless.url("/"), "")).await;
    assert_eq!(endless.outcome, Outcome::Fail, "{endless:?}");
    assert!(endless.reason.contains("larger than"), "{}", endless.reason);

    // A server without TLS where TLS is asked for.
    let plain = Service::start(|_, _| ok(""));
    let plain = bench.run(&http(&format!("https://{}/", plain.address), "")).await;
    assert_eq!(plain.outcome, Outcome::Fail, "{plain:?}");
}

#[tokio::test]
async fn a_redirect_leads_to_no_other_host() {
    let other = Service::start(|_, _| ok("{\"version\": \"1.5.0\"}"));
    let away = other.url("/");
    let service = Service::start(move |_, request| match request.path.as_str() {
        "/away" => Reply::With(302, format!("Location: {away}\r\n"), String::new()),
        "/here" => Reply::With(302, "Location: /there\r\n".to_owned(), String::new()),
        _ => ok(""),
    });
    let bench = Bench::new();
    let verdict = bench.run(&http(&service.url("/away"), "")).await;
    assert_eq!((verdict.outcome, verdict.reason.as_str()), (Outcome::Fail, "http-1: status 302"));
    assert_eq!(other.count(), 0);
    assert_eq!(bench.run(&http(&service.url("/here"), "")).await.outcome, Outcome::Pass);
}

#[tokio::test]
async fn what_still_answers_with_the_old_version_was_not_deployed() {
    let service = Service::start(|_, request| match request.path.as_str() {
        "/json" => ok("{\"version\": \"1.4.0\", \"name\": \"kite\"}"),
        "/new" => ok("1.5.0\n"),
        "/other" => ok("\"9.9.9\""),
        _ => ok("<html><body>hello there</body></html>"),
    });
    let version = |path: &str| {
        of(&format!("[[environment.staging.validate]]\nkind = \"version\"\nurl = \"{}\"", service.url(path)))
    };
    let bench = Bench::new();
    assert_eq!(bench.run(&version("/new")).await.outcome, Outcome::Pass);
    for (path, reason) in [
        ("/json", "version-1: answers 1.4.0, not 1.5.0: nothing was deployed, the old version still answers"),
        ("/other", "version-1: answers 9.9.9, not 1.5.0"),
        ("/page", "version-1: the answer names no version"),
    ] {
        let verdict = bench.run(&version(path)).await;
        assert_eq!((verdict.outcome, verdict.reason.as_str()), (Outcome::Fail, reason));
    }
}

#[tokio::test]
async fn the_first_failure_that_decides_stops_the_others() {
    let service = Service::start(|_, request| match request.path.as_str() {
        "/bad" => Reply::Answer(500, String::new()),
        _ => Reply::Silence,
    });
    let text = |path: &str, more: &str| {
        format!(
            "[[environment.staging.validate]]\nkind = \"http\"\nurl = \"{}\"\n{more}\n",
            service.url(path)
        )
    };
    let mut checks = of(&format!("{}{}", text("/silent", ""), text("/bad", "")));
    // Would it be waited for, this test would not end.
    for check in &mut checks {
        check.schedule.timeout = Duration::from_secs(86_400);
        check.schedule.deadline = Duration::from_secs(86_400);
    }
    let verdict = Bench::new().run(&checks).await;
    assert_eq!((verdict.outcome, verdict.reason.as_str()), (Outcome::Fail, "http-2: status 500"));
    assert_eq!(verdict.evidence["http-1/outcome"], "stopped");
}

#[tokio::test]
async fn what_only_measures_decides_nothing_and_other_packages_are_left_out() {
    let service = Service::start(|_, request| match request.path.as_str() {
        "/bad" => Reply::Answer(500, "\u{1b}[31mno".to_owned()),
        _ => ok(""),
    });
    let text = |path: &str, more: &str| {
        format!(
            "[[environment.staging.validate]]\nkind = \"http\"\nurl = \"{}\"\n{more}\n",
            service.url(path)
        )
    };
    let checks = of(&[
        text("/bad", "mode = \"dry-run\"\nexpect = { status = 500, text = \"yes\" }"),
        text("/bad", "packages = [\"other\"]"),
        text("/good", ""),
    ]
    .concat());
    let verdict = Bench::new().run(&checks).await;
    assert_eq!(verdict.outcome, Outcome::Pass, "{verdict:?}");
    assert_eq!(verdict.evidence["http-1/outcome"], "fail");
    assert_eq!(verdict.evidence["http-1/mode"], "dry-run");
    assert!(!verdict.evidence.contains_key("http-2/outcome"));
    assert_eq!(verdict.reason, "http-3 passed");

    let none = Bench::new().run(&[]).await;
    assert_eq!((none.outcome, none.reason.as_str()), (Outcome::Pass, "no check decides"));
    assert_eq!(none.evidence["checks"], "none");
}

fn command(argv: &[&str], more: &str) -> Vec<Check> {
    of(&format!("[[environment.staging.validate]]\nkind = \"command\"\ncommand = {argv:?}\n{more}"))
}

#[tokio::test]
async fn a_program_is_judged_by_its_end_and_one_that_can_not_start_judges_nothing() {
    let bench = Bench::new();
    let outcome = |checks: Vec<Check>| {
        let bench = &bench;
        async move { bench.run(&checks).await }
    };
    let said = "printf '%s %s %s %s' $RELEASE_ENVIRONMENT $RELEASE_PACKAGE $RELEASE_VERSION $RELEASE_DIGEST";
    let expected = "expect = { matches = '^staging kite {version} {digest}$' }";
    assert_eq!(outcome(command(&["sh", "-c", said], expected)).await.outcome, Outcome::Pass);
    assert_eq!(
        outcome(command(&["sh", "-c", "exit 3"], "success = \"status == 3\"")).await.outcome,
        Outcome::Pass
    );
    let up = outcome(command(&["echo", "{\"up\": 2}"], "success = \"json.up == 2\"")).await;
    assert_eq!(up.outcome, Outcome::Pass, "{up:?}");
    // It goes through no shell.
    let literal = outcome(command(&["echo", "$HOME; exit 1"], "expect = { text = \"$HOME; exit 1\" }")).await;
    assert_eq!(literal.outcome, Outcome::Pass, "{literal:?}");

    let failed = outcome(command(&["sh", "-c", "echo broken pipe >&2; exit 4"], "")).await;
    assert_eq!(
        (failed.outcome, failed.reason.as_str()),
        (Outcome::Fail, "command-1: exit code 4 (broken pipe)")
    );
    let killed = outcome(command(&["sh", "-c", "kill -9 $$"], "success = \"true\"")).await;
    assert_eq!(killed.outcome, Outcome::Fail, "{killed:?}");
    let mut slow = command(&["sleep", "600"], "");
    slow[0].schedule.timeout = Duration::from_millis(100);
    let slow = outcome(slow).await;
    assert_eq!(slow.outcome, Outcome::Fail, "{slow:?}");

    let missing = outcome(command(&["no-such-program-anywhere"], "error-limit = 1")).await;
    assert_eq!((missing.outcome, missing.records[0].errors), (Outcome::Error, 2), "{missing:?}");
    let strange = outcome(command(&["echo", "1"], "success = \"status\"\nerror-limit = 0")).await;
    assert_eq!(strange.outcome, Outcome::Error, "{strange:?}");
}

fn observed(version: &str, restarts: u64) -> Observed {
    Observed {
        digest: Digest::of(version.as_bytes()),
        version: None,
        deployment: None,
        healthy: Some(true),
        restarts: Some(restarts),
        place: "one".to_owned(),
    }
}

#[tokio::test]
async fn the_running_digest_its_health_and_its_restarts_are_watched() {
    let container = of(
        "[[environment.staging.validate]]\nkind = \"container\"\nconsecutive-success = 3\nerror-limit = 0",
    );
    let mut bench = Bench::new();
    let mut judge = async |look: Box<Look>| {
        bench.look = look;
        let verdict = bench.run(&container).await;
        (verdict.outcome, verdict.reason)
    };
    assert_eq!(judge(Box::new(|| Ok(Some(observed("1.5.0", 7))))).await.0, Outcome::Pass);
    let count = Mutex::new(0);
    let growing = move || {
        let mut count = count.lock().unwrap();
        *count += 1;
        Ok(Some(observed("1.5.0", *count)))
    };
    let (outcome, reason) = judge(Box::new(growing)).await;
    assert_eq!(outcome, Outcome::Fail);
    assert!(reason.contains("started again 1 times"), "{reason}");
    assert_eq!(judge(Box::new(|| Ok(Some(observed("1.4.0", 0))))).await.0, Outcome::Fail);
    assert_eq!(judge(Box::new(|| Ok(None))).await, (Outcome::Fail, "container-1: nothing runs".to_owned()));
    let sick = || Ok(Some(Observed { healthy: Some(false), ..observed("1.5.0", 0) }));
    assert_eq!(judge(Box::new(sick)).await.0, Outcome::Fail);
    let unknown = || Err(TargetError::Outside { what: "the engine".to_owned(), reason: "gone".to_owned() });
    assert_eq!(judge(Box::new(unknown)).await.0, Outcome::Error);

    let version = of("[[environment.staging.validate]]\nkind = \"version\"");
    bench.look = Box::new(|| Ok(Some(observed("1.4.0", 0))));
    let old = bench.run(&version).await;
    assert!(old.reason.ends_with("nothing was deployed, the old one still runs"), "{}", old.reason);
    bench.look = Box::new(|| Ok(Some(observed("1.5.0", 0))));
    assert_eq!(bench.run(&version).await.outcome, Outcome::Pass);
}

fn metrics(url: &str, query: &str, more: &str) -> Vec<Check> {
    let mut checks = of(&format!(
        "[[environment.staging.validate]]\nkind = \"metrics\"\nurl = \"{url}\"\nquery = '{query}'\n{more}"
    ));
    checks[0].schedule.error_limit = 1;
    checks
}

fn vector(values: &[&str]) -> String {
    let series: Vec<String> = values
        .iter()
        .map(|value| format!("{{\"metric\":{{}},\"value\":[1700000000.1,\"{value}\"]}}"))
        .collect();
    format!(
        "{{\"status\":\"success\",\"data\":{{\"resultType\":\"vector\",\"result\":[{}]}}}}",
        series.join(",")
    )
}

#[tokio::test]
async fn no_number_is_never_a_pass_and_a_judge_that_fails_is_an_error() {
    let bench = Bench::new();
    let max = "expect = { max = 0.01 }";
    for (status, body, outcome) in [
        (200, vector(&["0.005"]), Outcome::Pass),
        (200, vector(&["0.005", "0.001"]), Outcome::Pass),
        (200, vector(&["0.005", "0.5"]), Outcome::Fail),
        (200, vector(&["+Inf"]), Outcome::Fail),
        (200, vector(&["NaN"]), Outcome::Inconclusive),
        (200, vector(&["0.005", "NaN"]), Outcome::Inconclusive),
        (200, vector(&[]), Outcome::Inconclusive),
        (
            200,
            "{\"status\":\"success\",\"data\":{\"resultType\":\"scalar\",\"result\":[1,\"0\"]}}".to_owned(),
            Outcome::Pass,
        ),
        (
            200,
            "{\"status\":\"success\",\"data\":{\"resultType\":\"matrix\",\"result\":[]}}".to_owned(),
            Outcome::Error,
        ),
        (200, "{\"status\":\"success\"}".to_owned(), Outcome::Error),
        (200, "{\"status\":\"error\",\"error\":\"it is tired\"}".to_owned(), Outcome::Error),
        (200, vector(&["soon"]), Outcome::Error),
        (200, "<html>welcome</html>".to_owned(), Outcome::Error),
        (503, vector(&["0.005"]), Outcome::Error),
        (
            400,
            "{\"status\":\"error\",\"errorType\":\"bad_data\",\"error\":\"parse error\"}".to_owned(),
            Outcome::Error,
        ),
    ] {
        let told = body.clone();
        let judge = Service::start(move |_, _| Reply::Answer(status, body.clone()));
        let mut checks = metrics(&judge.url("/prometheus/"), "errors", max);
        if outcome == Outcome::Inconclusive {
            checks[0].schedule.deadline = Duration::from_secs(1);
        }
        let verdict = bench.run(&checks).await;
        assert_eq!(verdict.outcome, outcome, "{status} {told}: {verdict:?}");
        assert!(judge.requests.lock().unwrap()[0].path.starts_with("/prometheus/api/v1/query?query="));
    }
    let dead = bench.run(&metrics(&format!("http://127.0.0.1:{}", free_port()), "errors", max)).await;
    assert_eq!(dead.outcome, Outcome::Error, "{dead:?}");
    let silent = Service::start(|_, _| Reply::Silence);
    let mut checks = metrics(&silent.url(""), "errors", max);
    checks[0].schedule.timeout = Duration::from_millis(100);
    assert_eq!(bench.run(&checks).await.outcome, Outcome::Error);
}

#[tokio::test]
async fn a_number_must_rest_on_enough_samples_and_the_token_stays_hidden() {
    let judge = Service::start(|_, request| {
        let body = if request.path.contains("count") { vector(&["3", "4"]) } else { vector(&["0.001"]) };
        Reply::Answer(200, body)
    });
    let mut bench = Bench::new();
    bench.variable = environment(&[("RELEASE_TOKEN_PROMETHEUS", "hunter2")]);
    let guard = |least: u32| {
        let guard = format!(
            "success = \"value < 0.01 and samples == 7\"\nsamples = {{ query = \"count\", min = {least} }}"
        );
        let mut checks = metrics(&judge.url(""), "errors{version=\"{version}\"}", &guard);
        if least > 7 {
            checks[0].schedule.deadline = Duration::from_secs(3);
        }
        checks
    };
    let enough = bench.run(&guard(7)).await;
    assert_eq!(enough.outcome, Outcome::Pass, "{enough:?}");
    assert_eq!(enough.evidence["metrics-1/first-value"], "0.001");
    let few = bench.run(&guard(8)).await;
    assert_eq!(few.outcome, Outcome::Inconclusive, "{few:?}");
    assert!(few.reason.contains("7 samples, and at least 8 are needed"), "{}", few.reason);
    let requests = judge.requests.lock().unwrap().clone();
    assert!(requests.iter().all(|request| request.header("authorization") == Some("Bearer hunter2")));
    assert!(requests.iter().any(|request| request.path.contains("1.5.0")), "the placeholder is filled");
    assert!(!format!("{enough:?}{few:?}").contains("hunter2"));

    // A token does not go to another machine unprotected: nothing is sent at all.
    let plain = bench.run(&metrics("http://prometheus.example:9090", "up", "expect = { min = 1 }")).await;
    assert_eq!(plain.outcome, Outcome::Error);
    assert!(plain.reason.contains("RELEASE_TOKEN_PROMETHEUS"), "{}", plain.reason);
}

/// A Prometheus that scrapes one service; it ends with the value.
struct Prometheus {
    process: Child,
    url: String,
    _folder: tempfile::TempDir,
}

impl Drop for Prometheus {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

impl Prometheus {
    /// `None` where it is not installed, having said so. CI must have it.
    fn start(scraped: &Service) -> Option<Prometheus> {
        let Some(program) = program("prometheus") else {
            assert!(std::env::var_os("CI").is_none(), "no prometheus to test with");
            eprintln!("skipped: no prometheus; it is Debian's package `prometheus`");
            return None;
        };
        let folder = tempfile::tempdir().unwrap();
        let config = format!(
            "global: {{ scrape_interval: 1s }}\nscrape_configs:\n- job_name: kite\n  static_configs: [{{ targets: ['{}'] }}]\n",
            scraped.address
        );
        std::fs::write(folder.path().join("prometheus.yml"), config).unwrap();
        let address = format!("127.0.0.1:{}", free_port());
        let process = Command::new(program)
            .current_dir(folder.path())
            .args(["--config.file=prometheus.yml", "--storage.tsdb.path=data"])
            .arg(format!("--web.listen-address={address}"))
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        Some(Prometheus { process, url: format!("http://{address}"), _folder: folder })
    }
}

#[tokio::test]
async fn prometheus_itself_is_asked() {
    let service = Service::start(|_, _| ok("kite_requests_total 7\n"));
    let Some(mut prometheus) = Prometheus::start(&service) else { return };
    let bench = Bench::new();
    // Until it listens it is a judge that is not reached; until it has scraped there is no data.
    let mut first =
        metrics(&prometheus.url, "kite_requests_total{job=\"kite\"}", "expect = { min = 7, max = 7 }");
    first[0].schedule = release::workspace::config::schedule::Schedule {
        error_limit: 100_000,
        interval: Duration::from_millis(50),
        deadline: Duration::from_secs(120),
        ..first[0].schedule
    };
    let scraped = bench.run(&first).await;
    assert_eq!(scraped.outcome, Outcome::Pass, "{scraped:?}");
    assert_eq!(scraped.evidence["metrics-1/last-value"], "7");

    for (query, more, outcome) in [
        ("vector(0.5)", "expect = { max = 1 }", Outcome::Pass),
        ("scalar(vector(0.5))", "success = \"value == 0.5\"", Outcome::Pass),
        ("vector(0.5)", "expect = { max = 0.1 }", Outcome::Fail),
        ("vector(0) / 0", "expect = { max = 1 }", Outcome::Inconclusive),
        ("no_such_series", "expect = { max = 1 }", Outcome::Inconclusive),
        ("sum(", "expect = { max = 1 }", Outcome::Error),
        ("kite_requests_total[5m]", "expect = { max = 1 }", Outcome::Error),
    ] {
        let mut checks = metrics(&prometheus.url, query, more);
        if outcome == Outcome::Inconclusive {
            checks[0].schedule.deadline = Duration::from_secs(1);
        }
        let verdict = bench.run(&checks).await;
        assert_eq!(verdict.outcome, outcome, "{query}: {verdict:?}");
    }
    prometheus.process.kill().unwrap();
    prometheus.process.wait().unwrap();
    let gone = bench.run(&metrics(&prometheus.url, "vector(0.5)", "expect = { max = 1 }")).await;
    assert_eq!(gone.outcome, Outcome::Error, "{gone:?}");
}

#[tokio::test]
async fn a_release_is_installed_from_its_index_as_users_would() {
    let mut bench = Bench::new();
    if let Err(error) = bench.tools.uv().await {
        assert!(std::env::var_os("CI").is_none(), "{error}");
        eprintln!("skipped: no uv ({error})");
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let package = PackageName::new("kite");
    let (name, bytes) = Distribution::new("kite", "1.5.0").wheel();
    let digest = Digest::of(&bytes);
    index::publish(folder.path(), &package, &name, &bytes, &digest).unwrap();
    bench.outlets.insert("local".to_owned(), Outlet::Folder(folder.path().to_owned()));
    let files = |digest: &Digest| Artifact::Files {
        distribution: "kite".to_owned(),
        index: "local".to_owned(),
        files: BTreeMap::from([(name.clone(), digest.to_string())]),
    };
    let mut install = of("[[environment.staging.validate]]\nkind = \"install\"\nerror-limit = 0");
    install[0].schedule.timeout = Duration::from_secs(300);
    install[0].schedule.deadline = Duration::from_secs(300);
    let on_image = bench.run(&install).await;
    assert_eq!(on_image.outcome, Outcome::Error, "{on_image:?}");
    bench.placed.artifact = files(&digest);
    let well = bench.run(&install).await;
    assert_eq!(well.outcome, Outcome::Pass, "{well:?}");
    bench.placed.artifact = files(&Digest::of(b"other"));
    let other = bench.run(&install).await;
    assert_eq!(other.outcome, Outcome::Fail, "the index gives other bytes than were released: {other:?}");
}
