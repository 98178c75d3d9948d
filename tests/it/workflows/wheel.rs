//! Our own wheel: it builds, installs into a clean environment, and the demo runs with it.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use release::world::files::Lock;

use crate::workflow_tools::programs;
use crate::world::{Answer, World};

/// The folder of the wheel, built from what is compiled already; `None` where maturin is not at hand.
pub fn wheel() -> Option<PathBuf> {
    let programs = programs()?;
    let kept = Path::new(env!("CARGO_TARGET_TMPDIR"));
    let folder = kept.join("wheel");
    let _held = Lock::take(&kept.join("wheel.lock")).unwrap();
    let binary = Path::new(env!("CARGO_BIN_EXE_release"));
    let made = |path: &Path| fs::metadata(path).and_then(|known| known.modified()).ok();
    if folder.is_dir() && made(&folder) >= made(binary) {
        return Some(folder);
    }
    let _ = fs::remove_dir_all(&folder);
    let mut maturin = Command::new(programs.join("maturin"));
    maturin.args(["build", "--profile", "dev", "--locked", "--compatibility", "linux"]);
    maturin.args(["--compression-method", "stored", "--out"]).arg(&folder);
    maturin.arg("--target-dir").arg(kept.parent().unwrap());
    maturin.current_dir(env!("CARGO_MANIFEST_DIR")).stdin(Stdio::null());
    // What cargo tells a test about itself would have it compile everything anew.
    for (name, _) in std::env::vars_os() {
        let text = name.to_string_lossy();
        if text.starts_with("CARGO_") && text != "CARGO_HOME" {
            maturin.env_remove(&name);
        }
    }
    Answer::of(maturin.output().unwrap()).well();
    Some(folder)
}

#[test]
fn the_wheel_installs_into_a_clean_environment_and_runs_the_demo() {
    let Some(wheel) = wheel() else { return };
    let world = World::without_repository();
    let environment = world.folder().join("environment");
    let python = |words: &[&str]| {
        let mut python = world.command(environment.join("bin/python"));
        Answer::of(python.args(words).output().unwrap()).well()
    };
    let made = world.command("python3").args(["-m", "venv"]).arg(&environment).output().unwrap();
    Answer::of(made).well();
    let links = wheel.to_str().unwrap();
    python(&["-m", "pip", "install", "--quiet", "--no-index", "--find-links", links, "release"]);
    let binary = environment.join("bin/release");
    let version = Answer::of(world.command(&binary).arg("--version").output().unwrap()).well();
    assert_eq!(version.out, concat!("release ", env!("CARGO_PKG_VERSION"), "\n"));
    let metadata = python(&[
        "-c",
        "import importlib.metadata as m; print(m.version('release'), m.metadata('release')['Requires-Python'])",
    ]);
    assert_eq!(metadata.out, concat!(env!("CARGO_PKG_VERSION"), " >=3.9\n"));

    let place = world.folder().join("place");
    fs::create_dir(&place).unwrap();
    let demo = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/demo.sh");
    let mut demo = world.command(demo);
    demo.arg("--clean").env("RELEASE_BIN", &binary).env("TMPDIR", &place);
    let told = Answer::of(demo.output().unwrap()).well();
    assert!(told.out.contains("== OSL =="), "an installed program ran:\n{}", told.out);
}
