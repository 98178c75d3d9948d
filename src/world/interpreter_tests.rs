use super::*;

/// An interpreter that no front end stands before: Python runs the module as one would.
struct Bench {
    folder: tempfile::TempDir,
    interpreter: Interpreter,
}

const BACKEND: &str = "
import os, sys, time

def get_requires_for_build_sdist(config=None):
    global asked
    asked = os.getpid()
    return os.environ['NEEDS'].split()

def build_sdist(folder, config=None):
    return [folder, os.getcwd(), os.environ.get('GIVEN'), config, sys.argv]

def build_wheel(folder, config=None, metadata=None):
    print('said before')
    exec(os.environ['SCRIPT'], globals())
    return 'a.whl'
";

async fn bench() -> Bench {
    started(tempfile::tempdir().unwrap(), &["json.tool", "no.such.module"], Path::new("/no/such/folder"))
        .await
}

/// One that counts in `builtins.compiled` what is compiled in it.
async fn started(folder: tempfile::TempDir, modules: &[&str], compiled: &Path) -> Bench {
    std::fs::write(folder.path().join("stand_in.py"), MODULE).unwrap();
    std::fs::write(folder.path().join("tried.py"), BACKEND).unwrap();
    let text = format!(
        "import builtins, sys; builtins.compiled = []\nsys.addaudithook(lambda event, about: event == 'compile' and \
         compiled.append(str(about[1])))\nsys.path = ['.', {:?}] + sys.path[1:]; import stand_in\n\
         stand_in.get_requires_for_build_sdist({{'a': 1}})",
        folder.path()
    );
    let command = Command::new("python3").args(["-c", &text]).cwd(folder.path()).set("LC_ALL", "C.UTF-8");
    let interpreter = Interpreter::start(command, folder.path()).await.unwrap();
    interpreter.import(modules, compiled).await.unwrap();
    Bench { interpreter, folder }
}

impl Bench {
    /// Runs a script in a hook; the hook's answer is beside its output.
    async fn script(&self, script: &str, limit: Duration) -> Result<(Output, String), InterpreterError> {
        let environment = [("SCRIPT".to_owned(), script.to_owned())];
        self.hooks(&["build_wheel"], &environment, limit).await
    }

    async fn hooks(
        &self,
        hooks: &[&'static str],
        environment: &[(String, String)],
        limit: Duration,
    ) -> Result<(Output, String), InterpreterError> {
        let answers = tempfile::tempdir().unwrap();
        let answer = answers.path().join("answer");
        let out = Path::new("/out");
        let folder = self.folder.path();
        let call = Call { folder, backend: "tried", hooks, out: Some(out), answer: &answer, environment };
        let output = self.interpreter.call(&call, limit).await?;
        Ok((output, std::fs::read_to_string(&answer).unwrap_or_default()))
    }

    async fn works(&self) {
        let (output, answer) = self.script("pass", LONG).await.unwrap();
        assert!(output.success(), "{}", output.tail(20));
        assert_eq!(answer, WHEEL);
    }
}

const WHEEL: &str = "{\"made\": \"a.whl\"}";

const LONG: Duration = Duration::from_secs(120);

#[tokio::test]
async fn a_hook_runs_in_its_tree_with_what_it_is_given() {
    let bench = bench().await;
    let given = [("GIVEN".to_owned(), "a;b".to_owned())];
    let (output, answer) = bench.hooks(&["build_sdist"], &given, LONG).await.unwrap();
    assert!(output.success(), "{}", output.tail(20));
    let folder = bench.folder.path().canonicalize().unwrap();
    let expected = serde_json::json!({ "made": ["/out", folder, "a;b", { "a": 1 }, ["-c"]] });
    assert_eq!(serde_json::from_str::<serde_json::Value>(&answer).unwrap(), expected);
    let (output, answer) = bench.hooks(&["get_requires_for_build_wheel"], &[], LONG).await.unwrap();
    assert!(output.success() && answer == "{\"requires\": []}", "a hook that is not there asks for nothing");
    bench.interpreter.close().await;
}

#[tokio::test]
async fn hooks_run_in_one_process_up_to_a_question_that_asks_for_something() {
    let bench = bench().await;
    let hooks = ["get_requires_for_build_sdist", "build_wheel"];
    let given = |needs: &str, script: &str| {
        [("NEEDS", needs), ("SCRIPT", script)].map(|(name, value)| (name.to_owned(), value.to_owned()))
    };
    let (output, answer) =
        bench.hooks(&hooks, &given("", "assert asked == os.getpid()"), LONG).await.unwrap();
    assert!(output.success(), "{}", output.tail(20));
    assert_eq!(answer, WHEEL);
    let (output, answer) =
        bench.hooks(&hooks, &given("more else", "raise ValueError()"), LONG).await.unwrap();
    assert!(output.success(), "{}", output.tail(20));
    assert_eq!(answer, "{\"requires\": [\"more\", \"else\"]}");
    let (output, answer) = bench.hooks(&hooks, &given("", "raise ValueError('why')"), LONG).await.unwrap();
    assert!(output.tail(20).ends_with("ValueError: why"), "{}", output.tail(20));
    assert!(!output.success() && answer.is_empty(), "{answer}");
    let (output, _) = bench.script("assert 'asked' not in globals()", LONG).await.unwrap();
    assert!(output.success(), "{}", output.tail(20));
    bench.interpreter.close().await;
}

#[tokio::test]
async fn a_hook_ends_with_what_stands_at_the_exit_of_a_program() {
    let bench = bench().await;
    let file = bench.folder.path().join("held");
    let script = format!(
        "import atexit, builtins\nbuiltins.held = open({file:?}, 'w')\nheld.write('whole')\nclass Knot:\n    def \
         __del__(self): print('untied')\nknot = Knot()\nknot.knot = knot\ndel knot\natexit.register(print, 'at the \
         exit')\natexit.register(lambda: 1 / 0)"
    );
    let (output, answer) = bench.script(&script, LONG).await.unwrap();
    assert!(output.success(), "{}", output.tail(20));
    assert_eq!(answer, WHEEL);
    assert_eq!(std::fs::read_to_string(&file).unwrap(), "whole");
    for words in ["ZeroDivisionError", "at the exit", "untied"] {
        assert!(output.tail(20).contains(words), "{words}: {}", output.tail(20));
    }
    let script = "import threading\nalive = threading.Event()\ndef late():\n    alive.wait()\n    time.sleep(0.1)\n    \
                  print('late')\nthreading.Thread(target=late).start()\nalive.set()";
    let (output, _) = bench.script(script, LONG).await.unwrap();
    assert!(output.success() && output.tail(20).contains("late"), "threads are waited for");
    bench.interpreter.close().await;
}

#[tokio::test]
async fn what_was_compiled_once_is_used_at_other_places() {
    let kept = tempfile::tempdir().unwrap();
    let compiled = kept.path().join("deep/kept");
    let the_file = || std::fs::read_dir(kept.path().join("deep")).unwrap().next().unwrap().unwrap().path();
    // Which module there is, whether the file is damaged before, whether it is compiled for that.
    let cases =
        [("1", false, true), ("1", false, false), ("2", false, true), ("2", false, false), ("2", true, true)];
    for (value, is_damaged, is_compiled) in cases {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("ahead.py"), format!("def value():\n    return {value:?}\n"))
            .unwrap();
        if is_damaged {
            let mut bytes = std::fs::read(the_file()).unwrap();
            bytes.truncate(bytes.len() - 1);
            std::fs::write(the_file(), bytes).unwrap();
        }
        let bench = started(folder, &["ahead"], &compiled).await;
        let script = format!(
            "import ahead\nassert ahead.value() == {value:?}, ahead.value()\nassert \
             ahead.value.__code__.co_filename == ahead.__file__\nassert (ahead.__file__ in compiled) == {}, compiled",
            if is_compiled { "True" } else { "False" }
        );
        let (output, _) = bench.script(&script, LONG).await.unwrap();
        assert!(output.success(), "{value} {is_compiled}: {}", output.tail(20));
        bench.interpreter.close().await;
        assert_eq!(std::fs::read_dir(kept.path().join("deep")).unwrap().count(), 1, "nothing half is left");
    }
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
    assert_eq!((output.success(), answer.as_str()), (true, WHEEL));
    assert_dies(output.tail(1).as_str()).await;
    let (output, answer) = bench.script(script, LONG).await.unwrap();
    assert_eq!((output.success(), answer.as_str()), (true, WHEEL));
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
    // Not by an interrupt: a shell's background job is started with that ignored, and so are its interpreters.
    for script in ["os.kill(os.getppid(), 9); time.sleep(600)", "os.kill(os.getppid(), 15); time.sleep(600)"]
    {
        let bench = bench().await;
        let error = bench.script(script, LONG).await.unwrap_err();
        assert!(matches!(error, InterpreterError::Gone), "{error}");
        let error = bench.script("pass", LONG).await.unwrap_err();
        assert!(matches!(error, InterpreterError::Gone), "{error}");
    }
    let folder = tempfile::tempdir().unwrap();
    let lies = "{\"installed\": null}\n";
    let interpreter = liar(folder.path(), &[lies, "{\"id\": \"first\"}\n"]).await.unwrap();
    let answer = folder.path().join("answer");
    let call = Call {
        folder: folder.path(),
        backend: "none",
        hooks: &["build_sdist"],
        out: None,
        answer: &answer,
        environment: &[],
    };
    assert!(matches!(interpreter.call(&call, LONG).await, Err(InterpreterError::Gone)));
}

/// Starts what connects, and says one thing after the other, each but the first after it was asked.
async fn liar(folder: &Path, says: &[&str]) -> Result<Interpreter, InterpreterError> {
    let says = serde_json::to_string(says).unwrap();
    let text = format!(
        "import socket, time\nlie = socket.socket(socket.AF_UNIX)\nlie.connect('socket')\nfor text in {says}:\n    \
         lie.sendall(text.encode())\n    lie.recv(100000)\ntime.sleep(600)"
    );
    Interpreter::start(Command::new("python3").args(["-c", &text]).cwd(folder), folder).await
}

#[tokio::test]
async fn one_that_greets_with_a_lie_is_gone() {
    for says in ["{\"id\": 1}\n", "{\"installed\": [1]}\n", "installed\n"] {
        let folder = tempfile::tempdir().unwrap();
        let error = liar(folder.path(), &[says]).await.err().unwrap();
        assert!(matches!(error, InterpreterError::Gone), "{says}: {error}");
    }
}

/// An interpreter for which files are installed, by path and text.
async fn installed(files: &[(&str, &str)]) -> Interpreter {
    installed_in(tempfile::tempdir().unwrap(), files).await
}

async fn installed_in(folder: tempfile::TempDir, files: &[(&str, &str)]) -> Interpreter {
    for (path, text) in files {
        let path = folder.path().join("site-packages").join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }
    std::fs::write(folder.path().join("stand_in.py"), MODULE).unwrap();
    let text = "import sys; sys.path = ['.', 'site-packages'] + [path for path in sys.path[1:] if 'packages' not in path]
import stand_in; stand_in.get_requires_for_build_sdist()";
    let command = Command::new("python3").args(["-c", text]).cwd(folder.path());
    Interpreter::start(command, folder.path()).await.unwrap()
}

#[tokio::test]
async fn interpreters_are_the_same_where_the_same_is_known_to_be_installed() {
    let record = "acme/__init__.py,sha256=abc,7\nacme-1.0.dist-info/RECORD,,\n";
    let acme = |record| ("acme-1.0.dist-info/RECORD", record);
    let ours = installed(&[acme(record), ("acme/__init__.py", "one = 1")]).await;
    let script = format!("{record}../../../bin/acme,sha256=def,99\n\"../../../bin/a,b\",sha256=def,99\n");
    let same = installed(&[acme(&script), ("acme/__init__.py", "one = 1")]).await;
    assert!(ours.is_same_as(&same) && same.is_same_as(&ours), "a program names its place");
    let changed = record.replace("abc", "abd");
    let data = format!("{record}../../../share/acme,sha256=abc,1\n");
    let others: [&[_]; 5] = [
        &[acme(&data), ("acme/__init__.py", "one = 1")],
        &[acme(&changed), ("acme/__init__.py", "one = 2")],
        &[("acme-1.1.dist-info/RECORD", record), ("acme/__init__.py", "one = 1")],
        &[acme(record), ("acme/__init__.py", "one = 1"), ("more.pth", "import more")],
        &[acme(record)],
    ];
    for files in others {
        assert!(!ours.is_same_as(&installed(files).await), "{files:?}");
    }
    let unknown: [&[_]; 4] = [
        &[("acme-1.0.dist-info/METADATA", "")],
        &[("acme.egg-info", "")],
        &[("acme-1.0.egg/acme.py", "")],
        &[],
    ];
    for files in unknown {
        assert!(!installed(files).await.is_same_as(&installed(files).await), "{files:?}");
    }
    let no_text = || async {
        let folder = tempfile::tempdir().unwrap();
        let info = folder.path().join("site-packages/acme-1.0.dist-info");
        std::fs::create_dir_all(&info).unwrap();
        std::fs::write(info.join("RECORD"), b"acme/\xff.py,sha256=abc,7\n").unwrap();
        installed_in(folder, &[]).await
    };
    assert!(!no_text().await.is_same_as(&no_text().await), "what can not be read is not known");
}

#[tokio::test]
async fn a_command_that_ends_early_says_why() {
    let folder = tempfile::tempdir().unwrap();
    let command = Command::new("sh").args(["-c", "echo no such environment >&2; exit 2"]);
    let error = Interpreter::start(command, folder.path()).await.err().unwrap();
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
