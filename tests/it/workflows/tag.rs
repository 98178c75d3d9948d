//! The tag workflow, run step by step: a claim made on a laptop becomes published releases.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use crate::double::Double;
use crate::matrix::light::{PACKAGES, PREFIX, light};
use crate::workflow_tools::{parsed, programs};
use crate::workflows::origin::Origin;
use crate::workflows::runner::Runner;
use crate::workflows::wheel::wheel;
use crate::world::{Answer, World};

const LAPTOP: &str = "laptop-5f1c";
const JOB: &str = "ghs-job-91d2";
const IDENTITY: &str = "tagged-7be0";
const CLOCK: &str = "1738368000";

struct Stage {
    world: World,
    double: Double,
    origin: Origin,
    tools: PathBuf,
    wheel: PathBuf,
}

/// An origin that asks for a token, an index that trusts `release.yml`, and a repository whose workflows are generated.
fn stage() -> Option<Stage> {
    let (tools, wheel) = (programs()?, wheel()?);
    let projects: Vec<String> = PACKAGES.iter().map(|(name, _)| format!("{PREFIX}{name}")).collect();
    let owned: Vec<Value> =
        projects.iter().map(|name| json!({ "name": name, "owners": ["alice"] })).collect();
    let double = Double::start(&json!({
        "projects": owned,
        "publishers": [{
            "kind": "github", "repository": "acme/monorepo", "repository_owner_id": "1001",
            "workflow": "release.yml", "environment": "production", "projects": projects, "user": "alice",
        }],
        "identities": { IDENTITY: { "environment": "production" } },
    }))?;
    let world = light();
    let mut config = format!(
        "[workspace]\npackages = [\"packages/*\"]\nstrip = \"{PREFIX}\"\nbranch = \"main\"\n\n[index.pypi]\nupload = \"{}\"\n\
         simple = \"{}\"\nvisible-within = \"10s\"\n\n[workflows]\ninstall = \"wheel\"\nfrom = \"release=={}\"\n\
         environment = \"production\"\n",
        double.upload(),
        double.simple(),
        env!("CARGO_PKG_VERSION")
    );
    for (name, _) in PACKAGES {
        config.push_str(&format!("\n[package.{name}]\nindex = \"pypi\"\n"));
    }
    fs::write(world.repository().join("release.toml"), config).unwrap();
    world.release(["generate"]).well();
    world.commit_all("ci: workflows");
    let bare = world.folder().join("served/acme/monorepo");
    world.git(["clone", "--quiet", "--bare", ".", bare.to_str().unwrap()]);
    let mut receive = world.command("git");
    receive.arg("-C").arg(&bare).args(["config", "http.receivepack", "true"]);
    Answer::of(receive.output().unwrap()).well();
    let origin = Origin::start(&world.folder().join("served"), &[LAPTOP, JOB]);
    Some(Stage { world, double, origin, tools, wheel })
}

impl Stage {
    fn remote(&self) -> String {
        format!("{}/acme/monorepo", self.origin.address)
    }

    /// `ship --until claim` in a clone of a person's own.
    fn claim(&self) {
        let helper = format!("!f() {{ echo username=x-access-token; echo password={LAPTOP}; }}; f");
        let helper = format!("credential.helper={helper}");
        let clone = self.world.folder().join("laptop");
        let mut git = self.world.command("git");
        git.args(["clone", "--quiet", "-c", &helper, &self.remote()]).arg(&clone);
        Answer::of(git.output().unwrap()).well();
        let mut ship = self.world.command(env!("CARGO_BIN_EXE_release"));
        ship.current_dir(&clone).args(["ship", "--until", "claim", "--yes"]);
        ship.env("RELEASE_CLOCK", CLOCK).env("RELEASE_PACE", "quick");
        Answer::of(ship.output().unwrap()).well();
        assert!(self.double.requests("POST", "/legacy/").is_empty(), "a laptop publishes nothing");
    }

    fn runner(&self, name: &str, tag: &str, dispatched: bool) -> Runner<'_> {
        let mut runner = Runner::new(&self.world, name);
        let reference = format!("refs/tags/{tag}");
        for (expression, value) in [
            ("github.token", JOB),
            ("github.ref", if dispatched { "refs/heads/main" } else { &reference }),
            ("inputs.tag || github.ref_name", tag),
            ("inputs.tag && format('refs/tags/{0}', inputs.tag) || github.ref", &reference),
        ] {
            runner.context.insert(expression.to_owned(), value.to_owned());
        }
        for (name, value) in self.double.runner(IDENTITY) {
            let is_secret = name.starts_with("ACTIONS_ID_TOKEN_");
            let seen = if is_secret { &mut runner.identity } else { &mut runner.variables };
            seen.insert(name, value);
        }
        for (name, value) in [
            ("GITHUB_SERVER_URL", self.origin.address.as_str()),
            ("GITHUB_REPOSITORY", "acme/monorepo"),
            ("GITHUB_ACTOR", "ada"),
            ("GITHUB_ACTOR_ID", "1815"),
            ("RELEASE_CLOCK", CLOCK),
            ("RELEASE_PACE", "quick"),
        ] {
            runner.variables.insert(name.to_owned(), value.to_owned());
        }
        // Our wheel stands on no index yet.
        let links = self.wheel.to_str().unwrap().to_owned();
        let pip = [("PIP_NO_INDEX", "1".to_owned()), ("PIP_FIND_LINKS", links)];
        let pip = pip.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
        runner.of_step.insert("Install release".to_owned(), pip);
        runner
    }

    fn workflow(&self) -> Value {
        parsed(&self.tools, &self.world.repository().join(".github/workflows/release.yml"))
    }

    fn run(&self, name: &str, tag: &str, dispatched: bool) -> (i32, Runner<'_>) {
        let mut runner = self.runner(name, tag, dispatched);
        let remote = self.remote();
        let code = runner.job(&self.workflow(), "publish", &mut |runner, uses, step| {
            let known = uses.split_once('@').unwrap().0;
            match known {
                "actions/checkout" => runner.check_out(&remote, JOB, step),
                "actions/setup-python" => assert_eq!(step["with"]["python-version"], "3.12"),
                _ => panic!("an action that is not known: {uses}"),
            }
        });
        (code, runner)
    }

    fn holds(&self, folder: &Path, words: &str) -> bool {
        let mut grep = self.world.command("grep");
        grep.args(["-r", "-l", "-a", "-F", words]).arg(folder);
        !Answer::of(grep.output().unwrap()).out.is_empty()
    }
}

#[test]
fn a_claim_of_a_laptop_is_published_by_the_workflow() {
    let Some(stage) = stage() else { return };
    stage.claim();
    let (code, runner) = stage.run("tagged", "base-v1.1.0", false);
    assert_eq!(code, 0, "{}", runner.said);
    let state = stage.double.state();
    for (name, _) in PACKAGES {
        let release = &state[format!("{PREFIX}{name}")]["releases"]["1.1.0"];
        assert_eq!(release["files"].as_array().map(Vec::len), Some(2), "{name}: {state}");
        assert_eq!(release["files"][0]["publisher"]["kind"], "GitHub", "{name}");
    }
    assert!(runner.summary().contains("base"), "{}", runner.summary());
    for secret in [JOB, "runner-tagged", "eyJ0eXAiOiJKV1Qi", "pypi-AgEIcHlwaS5vcmc"] {
        assert!(!runner.said.contains(secret), "{secret} was said");
        assert!(!stage.holds(&runner.work(), secret), "{secret} stands in the work tree");
    }
    // The run that another tag of the same push started, and one by hand, find nothing left to do.
    let uploads = stage.double.requests("POST", "/legacy/").len();
    for (name, tag, dispatched) in [("other-tag", "left-v1.1.0", false), ("by-hand", "base-v1.1.0", true)] {
        let (code, runner) = stage.run(name, tag, dispatched);
        assert_eq!(code, 0, "{}", runner.said);
        assert!(runner.said.contains("nothing to do"), "{}", runner.said);
    }
    assert_eq!(stage.double.requests("POST", "/legacy/").len(), uploads);
}

#[test]
fn a_run_that_finds_another_at_work_waits_for_it() {
    let Some(stage) = stage() else { return };
    let mut runner = stage.runner("waiting", "base-v1.1.0", false);
    let workflow = stage.workflow();
    let steps = workflow["jobs"]["publish"]["steps"].as_array().unwrap();
    let step = steps.iter().find(|step| step["name"] == "Finish the release").unwrap();
    let shell = workflow["defaults"]["run"]["shell"].as_str().unwrap();
    let bin = stage.world.folder().join("waiting/bin");
    let program = |name: &str, text: &str| {
        let path = bin.join(name);
        fs::write(&path, text).unwrap();
        let made = stage.world.command("chmod").arg("755").arg(&path).output().unwrap();
        Answer::of(made).well();
    };
    program("sleep", "#!/bin/sh\necho slept\n");
    for (script, expected) in
        [("test -e tried || { touch tried; exit 7; }; echo \"$@\"", 0), ("exit 11", 11), ("exit 7", 7)]
    {
        runner.said.clear();
        program("release", &format!("#!/bin/sh\n{script}\n"));
        let code = runner.script(shell, step["run"].as_str().unwrap(), &step["env"], true);
        assert_eq!(code, expected, "{}", runner.said);
        let slept = match expected {
            0 => 1,
            7 => 60,
            _ => 0,
        };
        assert_eq!(runner.said.matches("slept").count(), slept, "{}", runner.said);
        assert!(expected != 0 || runner.said.contains("ship --tag=base-v1.1.0 --yes"), "{}", runner.said);
    }
}
