use super::*;

/// An interpreter that no front end stands before: Python runs the module as one would.
struct Bench {
    folder: tempfile::TempDir,
    interpreter: Interpreter,
}

const BACKEND: &str = "
import os, sys, time

def build_sdist(folder, config=None):
    return [folder, os.getcwd(), os.environ.get('GIVEN'), config, sys.argv]

def build_wheel(folder, config=None, metadata=None):
    print('said before')
    exec(os.environ['SCRIPT'], globals())
    return 'a.whl'
";

async fn bench() -> Bench {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("stand_in.py"), MODULE).unwrap();
    std::fs::write(folder.path().join("tried.py"), BACKEND).unwrap();
    let text = format!(
        "import sys; sys.path = ['.', {:?}] + sys.path[1:]; import stand_in; stand_in.build_sdist('out', {{'a': 1}})",
        folder.path()
    );
    let command = Command::new("python3").args(["-c", &text]).cwd(folder.path()).set("LC_ALL", "C.UTF-8");
    let interpreter = Interpreter::start(command, folder.path(), &["json.tool", "no.such.module"]).await;
    Bench { interpreter: interpreter.unwrap(), folder }
}

impl Bench {
    /// Runs a script in a hook; the hook's answer is beside its output.
    async fn script(&self, script: &str, limit: Duration) -> Result<(Output, String), InterpreterError> {
        let environment = [("SCRIPT".to_owned(), script.to_owned())];
        self.hook("build_wheel", &environment, limit).await
    }

    async fn hook(
        &self,
        hook: &'static str,
        environment: &[(String, String)],
        limit: Duration,
    ) -> Result<(Output, String), InterpreterError> {
        let answers = tempfile::tempdir().unwrap();
        let answer = answers.path().join("answer");
        let out = Path::new("/out");
        let folder = self.folder.path();
        let call = Call { folder, backend: "tried", hook, out: Some(out), answer: &answer, environment };
        let output = self.interpreter.call(&call, limit).await?;
        Ok((output, std::fs::read_to_string(&answer).unwrap_or_default()))
    }

    async fn works(&self) {
        let (output, answer) = self.script("pass", LONG).await.unwrap();
        assert!(output.success(), "{}", output.tail(20));
        assert_eq!(answer, "\"a.whl\"");
    }
}

const LONG: Duration = Duration::from_secs(120);

#[tokio::test]
async fn a_hook_runs_in_its_tree_with_what_it_is_given() {
    let bench = bench().await;
    let given = [("GIVEN".to_owned(), "a;b".to_owned())];
    let (output, answer) = bench.hook("build_sdist", &given, LONG).await.unwrap();
    assert!(output.success(), "{}", output.tail(20));
    let folder = bench.folder.path().canonicalize().unwrap();
    let expected = serde_json::json!(["/out", folder, "a;b", { "a": 1 }, ["-c"]]);
    assert_eq!(serde_json::from_str::<serde_json::Value>(&answer).unwrap(), expected);
    let (output, answer) = bench.hook("get_requires_for_build_wheel", &[], LONG).await.unwrap();
    assert!(output.success() && answer == "[]", "a hook that is not there asks for nothing");
    bench.interpreter.close().await;
}

#[tokio::test]
async fn what_a_hook_does_to_its_process_stays_there() {
    let bench = bench().await;
    let script = "import json; json.dumps = None; os.environ['LEFT'] = '1'; sys.path.clear(); os.chdir('/')\nos.umask(0)\n\
                  sys.modules.clear()";
    let _ = bench.script(script, LONG).await.unwrap();
    let seen = "assert 'LEFT' not in os.environ and sys.path and os.getcwd() != '/' and os.umask(0) != 0";
    let (output, _) = bench.script(seen, LONG).await.unwrap();
    assert!(output.success(), "{}", output.tail(20));
    bench.works().await;
    bench.interpreter.close().await;
}

#[tokio::test]
async fn a_hook_that_ends_its_process_answers_nothing() {
    let bench = bench().await;
    for (script, status) in [
        ("sys.exit(3)", "exit status: 3"),
        ("sys.exit(0)", "exit status: 0"),
        ("print(1, flush=True); os._exit(4)", "exit status: 4"),
        ("raise ValueError('the reason')", "exit status: 1"),
        ("os.kill(os.getpid(), 11)", "signal: 11 (SIGSEGV)"),
    ] {
        let (output, answer) = bench.script(script, LONG).await.unwrap();
        assert!(output.status.to_string().starts_with(status), "{script}: {}", output.status);
        assert_eq!(answer, "", "{script}");
    }
    let (output, _) = bench.script("raise ValueError('the reason')", LONG).await.unwrap();
    assert!(output.tail(20).ends_with("ValueError: the reason"), "{}", output.tail(20));
    assert!(output.tail(20).contains("said before"), "{}", output.tail(20));
    bench.works().await;
    bench.interpreter.close().await;
}

#[tokio::test]
async fn a_hook_that_hangs_is_killed_with_all_it_started() {
    let bench = bench().await;
    let script = "import subprocess, signal\nsignal.signal(signal.SIGTERM, signal.SIG_IGN)\nother = \
                  subprocess.Popen(['sleep', '600'])\nprint(other.pid, flush=True)\ntime.sleep(600)";
    let (output, answer) = bench.script(script, Duration::from_secs(5)).await.unwrap();
    assert!(output.timed_out && !output.success());
    assert_eq!(answer, "");
    if let Ok(other) = output.tail(1).parse::<u32>() {
        assert_dies(&other.to_string()).await;
    }
    bench.works().await;
    bench.interpreter.close().await;
}

#[tokio::test]
async fn what_a_hook_leaves_running_holds_nobody_and_is_ended() {
    let bench = bench().await;
    let script = "import subprocess\nprint(subprocess.Popen(['yes']).pid, flush=True)";
    let quiet =
        "import subprocess\nprint(subprocess.Popen(['sleep', '600'], stdout=-3, stderr=-3).pid, flush=True)";
    let (output, answer) = bench.script(quiet, LONG).await.unwrap();
    assert_eq!((output.success(), answer.as_str()), (true, "\"a.whl\""));
    assert_dies(output.tail(1).as_str()).await;
    let (output, answer) = bench.script(script, LONG).await.unwrap();
    assert_eq!((output.success(), answer.as_str()), (true, "\"a.whl\""));
    assert!(output.truncated, "only the end of a flood is kept");
    bench.works().await;
    bench.interpreter.close().await;
}

#[tokio::test]
async fn a_call_that_nobody_waits_for_is_killed() {
    let bench = Arc::new(bench().await);
    let file = bench.folder.path().join("pid");
    let script = format!("open({file:?}, 'w').write(f'{{os.getpid()}}\\n'); time.sleep(600)");
    let waiting = tokio::spawn({
        let bench = Arc::clone(&bench);
        async move { bench.script(&script, LONG).await.map(|_| ()) }
    });
    let process = loop {
        match std::fs::read_to_string(&file) {
            Ok(process) if process.ends_with('\n') => break process,
            _ => tokio::task::yield_now().await,
        }
    };
    waiting.abort();
    assert!(waiting.await.unwrap_err().is_cancelled());
    assert_dies(&process).await;
    bench.works().await;
}

#[tokio::test]
async fn calls_run_side_by_side() {
    let bench = bench().await;
    let folder = bench.folder.path();
    // Each waits for the other.
    let script = |ours: &str, theirs: &str| {
        let (ours, theirs) = (folder.join(ours), folder.join(theirs));
        format!("open({ours:?}, 'w').close()\nwhile not os.path.exists({theirs:?}): time.sleep(0.01)")
    };
    let (one, two) = (script("one", "two"), script("two", "one"));
    let (one, two) = tokio::join!(bench.script(&one, LONG), bench.script(&two, LONG));
    assert!(one.unwrap().0.success() && two.unwrap().0.success());
    bench.interpreter.close().await;
}

#[tokio::test]
async fn an_interpreter_that_dies_or_lies_is_gone() {
    for script in ["os.kill(os.getppid(), 9); time.sleep(600)", "os.kill(os.getppid(), 2); time.sleep(600)"] {
        let bench = bench().await;
        let error = bench.script(script, LONG).await.unwrap_err();
        assert!(matches!(error, InterpreterError::Gone), "{error}");
        let error = bench.script("pass", LONG).await.unwrap_err();
        assert!(matches!(error, InterpreterError::Gone), "{error}");
    }
    let folder = tempfile::tempdir().unwrap();
    let text = "import socket, time\nlie = socket.socket(socket.AF_UNIX)\nlie.connect('socket')\nlie.recv(100)\n\
                lie.sendall(b'{\"id\": \"first\"}\\n')\nlie.recv(100000)\ntime.sleep(600)";
    let command = Command::new("python3").args(["-c", text]).cwd(folder.path());
    let interpreter = Interpreter::start(command, folder.path(), &[]).await.unwrap();
    let answer = folder.path().join("answer");
    let call = Call {
        folder: folder.path(),
        backend: "none",
        hook: "build_sdist",
        out: None,
        answer: &answer,
        environment: &[],
    };
    assert!(matches!(interpreter.call(&call, LONG).await, Err(InterpreterError::Gone)));
}

#[tokio::test]
async fn a_command_that_ends_early_says_why() {
    let folder = tempfile::tempdir().unwrap();
    let command = Command::new("sh").args(["-c", "echo no such environment >&2; exit 2"]);
    let error = Interpreter::start(command, folder.path(), &[]).await.err().unwrap();
    assert!(error.to_string().ends_with("no such environment"), "{error}");
}

/// Waits until a process is gone, or a zombie that nobody reaps.
async fn assert_dies(process: &str) {
    let stat = PathBuf::from(format!("/proc/{}/stat", process.trim()));
    loop {
        match std::fs::read_to_string(&stat) {
            Ok(text) if !text.contains(") Z ") => tokio::time::sleep(Duration::from_millis(10)).await,
            _ => return,
        }
    }
}
