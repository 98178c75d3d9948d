//! The composite action at the root: its shell installs the wheel of its own version, or of the one that is named.

use std::path::Path;
use std::process::Command;

use serde_json::{Value, json};

use crate::workflow_tools::{parsed, programs};
use crate::workflows::runner::Runner;
use crate::workflows::wheel::wheel;
use crate::world::{Answer, World};

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn action() -> Option<Value> {
    Some(parsed(&programs()?, &root().join("action.yml")))
}

/// Runs the action's steps with a wanted version, from the wheel alone.
fn installed(world: &World, action: &Value, wanted: &str, wheel: &Path) -> (i32, Option<String>, String) {
    let mut runner = Runner::new(world, &format!("runner-{}", wanted.len()));
    runner.variables.insert("PIP_NO_INDEX".to_owned(), "1".to_owned());
    runner.variables.insert("PIP_FIND_LINKS".to_owned(), wheel.to_str().unwrap().to_owned());
    runner.context.insert("github.action_path".to_owned(), root().to_str().unwrap().to_owned());
    runner.context.insert("inputs.version".to_owned(), wanted.to_owned());
    let mut code = 0;
    for step in action["runs"]["steps"].as_array().unwrap() {
        let shell = step["shell"].as_str().unwrap();
        code = code.max(runner.script(shell, step["run"].as_str().unwrap(), &step["env"], false));
    }
    let said = runner.said.clone();
    if code == 0 {
        assert_eq!(
            runner.script("bash -e {0}", "release --version\n", &Value::Null, false),
            0,
            "{}",
            runner.said
        );
    }
    (code, runner.output("version"), said)
}

#[test]
fn the_action_puts_its_own_version_on_the_path() {
    let (Some(action), Some(wheel)) = (action(), wheel()) else { return };
    let world = World::without_repository();
    let own = env!("CARGO_PKG_VERSION");
    for wanted in ["", own] {
        let (code, version, said) = installed(&world, &action, wanted, &wheel);
        assert_eq!((code, version.as_deref()), (0, Some(own)), "{wanted}: {said}");
    }
    assert_eq!(installed(&world, &action, "9.9.9-", &wheel).0, 2);
    let (code, version, _) = installed(&world, &action, "1.0.0; touch owned", &wheel);
    assert_eq!((code, version), (2, None));
    assert_eq!(action["outputs"]["version"]["value"], json!("${{ steps.install.outputs.version }}"));
}

#[test]
fn the_action_passes_its_linters() {
    let Some(programs) = programs() else { return };
    let run = |program: &str, words: &[&str]| {
        let mut command = Command::new(programs.join(program));
        Answer::of(command.args(words).arg(root().join("action.yml")).output().unwrap()).well();
    };
    run("zizmor", &["--offline", "--no-progress", "--persona=pedantic"]);
    run("check-jsonschema", &["--builtin-schema", "vendor.github-actions"]);
}
