use std::sync::Mutex;

use super::*;
use crate::plan::deployment::Artifact;

/// A target whose programs are shell scripts in a folder; `runs` is the file that says what runs.
struct Bench {
    folder: tempfile::TempDir,
    target: CommandTarget,
    remarks: Mutex<Vec<String>>,
}

impl Bench {
    fn new(apply: &str) -> Bench {
        let folder = tempfile::tempdir().unwrap();
        let table =
            CommandTable { apply: by_sh("apply"), status: by_sh("status"), ..CommandTable::default() };
        let mut target = CommandTarget::new("production", folder.path().to_owned(), &table);
        target.poll = Duration::from_millis(5);
        let bench = Bench { folder, target, remarks: Mutex::default() };
        bench.script("apply", apply);
        bench.script("status", "cat runs 2>/dev/null || echo {}");
        bench
    }

    fn script(&self, name: &str, text: &str) {
        std::fs::write(self.folder.path().join(name), format!("{text}\n")).unwrap();
    }

    fn read(&self, name: &str) -> String {
        std::fs::read_to_string(self.folder.path().join(name)).unwrap_or_default()
    }

    async fn apply(&self, version: &str) -> Answer<Observed> {
        self.target
            .apply(&placed(version), &mark(), &|text| self.remarks.lock().unwrap().push(text.to_owned()))
            .await
    }
}

/// A script is read by the shell, never executed itself: another test may start a program while it is written.
fn by_sh(name: &str) -> Vec<String> {
    vec!["sh".to_owned(), format!("./{name}")]
}

/// Says what was applied, as `status` prints it.
const WELL: &str = "echo \"{\\\"digest\\\": \\\"$RELEASE_DIGEST\\\", \\\"version\\\": \\\"$RELEASE_VERSION\\\"}\" > runs
echo \"$0 $RELEASE_ENVIRONMENT $RELEASE_PACKAGE $RELEASE_VERSION $RELEASE_IMAGE $RELEASE_EPOCH $RELEASE_DEPLOYMENT\" >> log";

fn placed(version: &str) -> Placed {
    Placed {
        package: "kite".to_owned(),
        version: version.to_owned(),
        tag: format!("v{version}"),
        commit: "0".repeat(40),
        artifact: Artifact::Image {
            repository: "r.example/kite".to_owned(),
            digest: Digest::of(version.as_bytes()),
        },
    }
}

fn mark() -> Mark {
    Mark { environment: "production".to_owned(), deployment: Digest::of(b"d"), epoch: 3 }
}

#[tokio::test]
async fn what_status_shows_is_applied_once() {
    let bench = Bench::new(WELL);
    assert_eq!(bench.target.observe("kite").await.unwrap(), None);
    let observed = bench.apply("1.0").await.unwrap();
    assert!(is_running(Some(&observed), &placed("1.0")));
    bench.apply("1.0").await.unwrap();
    let expected =
        format!("./apply production kite 1.0 r.example/kite@{} 3 {}\n", Digest::of(b"1.0"), Digest::of(b"d"));
    assert_eq!(bench.read("log"), expected);
    assert_eq!(*bench.remarks.lock().unwrap(), [""; 0]);
}

#[tokio::test]
async fn an_exit_code_alone_proves_nothing() {
    let mut bench = Bench::new("exit 0");
    bench.target.programs.timeout = Duration::from_secs(1);
    let lied = bench.apply("1.0").await.unwrap_err();
    let expected = "kite 1.0 does not run: `apply` ended well, and `status` says that nothing runs";
    assert_eq!(lied.to_string(), expected);
    bench.script("apply", "echo no quota >&2; exit 3");
    let failed = bench.apply("1.0").await.unwrap_err();
    assert!(matches!(&failed, TargetError::Broken { reason, .. } if reason.contains("no quota")), "{failed}");
}

#[tokio::test]
async fn a_target_that_converges_slowly_is_waited_for() {
    let bench = Bench::new("echo $RELEASE_DIGEST > wanted; echo 3 > left");
    // It shows the old state three times more.
    bench.script(
        "status",
        "[ -f left ] || { echo {}; exit; }
left=$(cat left); [ $left -gt 0 ] && { echo $((left - 1)) > left; echo {}; exit; }
echo \"{\\\"digest\\\": \\\"$(cat wanted)\\\"}\"",
    );
    bench.apply("1.0").await.unwrap();
    assert_eq!(bench.remarks.lock().unwrap().len(), 1);
}

#[tokio::test]
async fn one_that_takes_too_long_is_judged_by_what_runs() {
    let mut bench = Bench::new(&format!("{WELL}\nexec sleep 600"));
    bench.target.programs.timeout = Duration::from_secs(2);
    let observed = bench.apply("1.0").await.unwrap();
    assert!(is_running(Some(&observed), &placed("1.0")));
    assert!(bench.remarks.lock().unwrap()[0].contains("took too long"));
    bench.script("apply", "exec sleep 600");
    let hung = bench.apply("2.0").await.unwrap_err();
    assert!(matches!(hung, TargetError::Broken { .. }), "{hung}");
}

#[tokio::test]
async fn a_status_that_does_not_read_is_told_as_it_was_printed() {
    let mut bench = Bench::new(WELL);
    for (printed, part) in [
        ("printf 'all \\033[31mgood'", "printed `all good`"),
        ("echo '{\"digest\": \"v1.0\"}'", "`v1.0` is no digest"),
        ("echo '[]'", "printed `[]`"),
        ("true", "printed ``"),
    ] {
        bench.script("status", printed);
        let error = bench.target.observe("kite").await.unwrap_err();
        assert!(matches!(error, TargetError::Settings { .. }), "{printed}: {error}");
        assert!(error.to_string().contains(part), "{printed}: {error}");
    }
    bench.script("status", "echo no cluster >&2; exit 1");
    let error = bench.target.observe("kite").await.unwrap_err();
    assert!(
        matches!(&error, TargetError::Outside { reason, .. } if reason.contains("no cluster")),
        "{error}"
    );
    bench.target.programs.status = vec!["./no-such-program".to_owned()];
    let error = bench.target.observe("kite").await.unwrap_err();
    assert!(matches!(error, TargetError::Settings { .. }), "{error}");
}

#[tokio::test]
async fn going_back_has_a_program_of_its_own_or_applies() {
    let mut bench = Bench::new(WELL);
    bench.apply("2.0").await.unwrap();
    bench.target.back(&placed("1.0"), &mark(), &|_| {}).await.unwrap();
    bench.target.programs.rollback = Some(by_sh("back"));
    bench.script("back", WELL);
    bench.target.back(&placed("0.9"), &mark(), &|_| {}).await.unwrap();
    let words: Vec<String> = bench
        .read("log")
        .lines()
        .map(|line| {
            line.split(' ')
                .filter(|word| word.starts_with("./") || word.contains(".9") || word.ends_with(".0"))
                .collect::<Vec<_>>()
                .join(" ")
        })
        .collect();
    assert_eq!(words, ["./apply 2.0", "./apply 1.0", "./back 0.9"]);
}

#[tokio::test]
async fn what_is_possible_is_asked_where_there_is_somebody_to_ask() {
    let mut bench = Bench::new(WELL);
    bench.target.possible(&placed("1.0")).await.unwrap();
    bench.target.programs.possible = Some(by_sh("possible"));
    bench.script("possible", "[ $RELEASE_VERSION = 1.0 ] || { echo the schema is newer; exit 1; }");
    bench.target.possible(&placed("1.0")).await.unwrap();
    let error = bench.target.possible(&placed("0.9")).await.unwrap_err();
    assert!(
        matches!(&error, TargetError::Impossible { reason, .. } if reason.contains("the schema is newer")),
        "{error}"
    );
}
