//! A runner: the steps of a job in their order, each with the environment that GitHub gives it.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use serde_json::Value;

use crate::world::{Answer, World};

pub struct Runner<'w> {
    world: &'w World,
    folder: PathBuf,
    /// What expressions stand for.
    pub context: BTreeMap<String, String>,
    /// What every step sees beside its own variables.
    pub variables: BTreeMap<String, String>,
    /// What only the steps of a job with `id-token: write` see.
    pub identity: BTreeMap<String, String>,
    /// What the machine gives to a step of this name alone.
    pub of_step: BTreeMap<String, BTreeMap<String, String>>,
    paths: Vec<PathBuf>,
    /// All that steps printed.
    pub said: String,
}

impl<'w> Runner<'w> {
    /// A fresh machine; `python` is what an action or the image would have put there.
    pub fn new(world: &'w World, name: &str) -> Runner<'w> {
        let folder = world.folder().join(name);
        for part in ["work", "temp", "home", "files", "bin"] {
            fs::create_dir_all(folder.join(part)).unwrap();
        }
        let python = crate::world::program("python3").unwrap();
        std::os::unix::fs::symlink(python, folder.join("bin/python")).unwrap();
        let mut variables = BTreeMap::new();
        for (name, part) in [("GITHUB_WORKSPACE", "work"), ("RUNNER_TEMP", "temp"), ("HOME", "home")] {
            variables.insert(name.to_owned(), folder.join(part).to_str().unwrap().to_owned());
        }
        for name in ["GITHUB_ENV", "GITHUB_PATH", "GITHUB_OUTPUT", "GITHUB_STEP_SUMMARY"] {
            let file = folder.join("files").join(name);
            fs::write(&file, "").unwrap();
            variables.insert(name.to_owned(), file.to_str().unwrap().to_owned());
        }
        variables.insert("CI".to_owned(), "true".to_owned());
        let paths = vec![folder.join("bin")];
        Runner {
            world,
            folder,
            context: BTreeMap::new(),
            variables,
            identity: BTreeMap::new(),
            of_step: BTreeMap::new(),
            paths,
            said: String::new(),
        }
    }

    pub fn work(&self) -> PathBuf {
        self.folder.join("work")
    }

    /// Runs a job to its first step that fails; its exit code, 0 where none does. Steps that use an action are done by
    /// `action`, which is given the step.
    pub fn job(
        &mut self,
        workflow: &Value,
        job: &str,
        action: &mut dyn FnMut(&mut Runner<'w>, &str, &Value),
    ) -> i32 {
        let job = &workflow["jobs"][job];
        let shell = workflow["defaults"]["run"]["shell"].as_str().unwrap().to_owned();
        let identity = job["permissions"]["id-token"] == "write";
        let mut code = 0;
        for step in job["steps"].as_array().unwrap() {
            let always = step["if"] == "${{ !cancelled() }}";
            assert!(always || step["if"].is_null(), "a condition that is not known: {step}");
            if code != 0 && !always {
                continue;
            }
            let ended = match step["uses"].as_str() {
                Some(uses) => {
                    action(self, uses, step);
                    0
                }
                None => {
                    let own = step["name"].as_str().and_then(|name| self.of_step.get(name)).cloned();
                    let own = own.unwrap_or_default();
                    self.variables.extend(own.clone());
                    let ended = self.script(&shell, step["run"].as_str().unwrap(), &step["env"], identity);
                    self.variables.retain(|name, _| !own.contains_key(name));
                    ended
                }
            };
            code = if code == 0 { ended } else { code };
        }
        code
    }

    /// Runs a script as a step does.
    pub fn script(&mut self, shell: &str, script: &str, env: &Value, identity: bool) -> i32 {
        let file = self.folder.join("temp/step.sh");
        fs::write(&file, script).unwrap();
        let words: Vec<String> =
            shell.split(' ').map(|word| word.replace("{0}", file.to_str().unwrap())).collect();
        let mut command = self.world.command(&words[0]);
        for name in ["AUTHOR_NAME", "AUTHOR_EMAIL", "COMMITTER_NAME", "COMMITTER_EMAIL"] {
            command.env_remove(format!("GIT_{name}"));
        }
        let inherited = std::env::var_os("PATH").unwrap();
        let paths = self.paths.iter().rev().cloned().chain(std::env::split_paths(&inherited));
        command.args(&words[1..]).current_dir(self.work()).stdin(Stdio::null());
        command.envs(&self.variables).env("PATH", std::env::join_paths(paths).unwrap());
        if identity {
            command.envs(&self.identity);
        }
        for (name, value) in env.as_object().into_iter().flatten() {
            command.env(name, self.filled(&value.as_str().map_or_else(|| value.to_string(), str::to_owned)));
        }
        let answer = Answer::of(command.output().unwrap());
        self.said.push_str(&format!("{}{}", answer.out, answer.err));
        self.take_over();
        answer.code.unwrap_or(-1)
    }

    /// A text with its expressions filled in; one that is not known stops the test.
    pub fn filled(&self, text: &str) -> String {
        let mut filled = String::new();
        let mut rest = text;
        while let Some((before, after)) = rest.split_once("${{") {
            let (expression, behind) = after.split_once("}}").unwrap();
            let value = self.context.get(expression.trim());
            filled.push_str(before);
            filled.push_str(value.unwrap_or_else(|| panic!("nobody knows `{expression}`")));
            rest = behind;
        }
        filled + rest
    }

    pub fn output(&self, name: &str) -> Option<String> {
        let text = fs::read_to_string(&self.variables["GITHUB_OUTPUT"]).unwrap();
        text.lines().find_map(|line| line.strip_prefix(&format!("{name}=")).map(str::to_owned))
    }

    pub fn summary(&self) -> String {
        fs::read_to_string(&self.variables["GITHUB_STEP_SUMMARY"]).unwrap()
    }

    /// What `actions/checkout` leaves with `fetch-depth: 0` and `persist-credentials: false`: all branches and tags, the
    /// wanted one checked out without a branch, no credential.
    pub fn check_out(&mut self, origin: &str, token: &str, step: &Value) {
        let with = &step["with"];
        assert_eq!(
            (&with["fetch-depth"], &with["persist-credentials"]),
            (&0.into(), &false.into()),
            "{step}"
        );
        let reference = self.filled(with["ref"].as_str().unwrap_or("${{ github.ref }}"));
        let header = format!("AUTHORIZATION: basic {}", base64(&format!("x-access-token:{token}")));
        let git = |words: &[&str]| {
            let mut git = self.world.command("git");
            git.current_dir(self.work()).args(words);
            Answer::of(git.output().unwrap()).well()
        };
        git(&["init", "--quiet"]);
        git(&["remote", "add", "origin", origin]);
        let header = format!("http.extraheader={header}");
        let all = ["+refs/heads/*:refs/remotes/origin/*", "+refs/tags/*:refs/tags/*"];
        git(&["-c", &header, "fetch", "--quiet", "--no-tags", "origin", all[0], all[1]]);
        git(&["checkout", "--quiet", "--force", &reference]);
    }

    /// What the step wrote for those after it.
    fn take_over(&mut self) {
        for line in self.written("GITHUB_PATH") {
            self.paths.push(PathBuf::from(line));
        }
        for line in self.written("GITHUB_ENV") {
            let (name, value) = line.split_once('=').expect("no value has several lines");
            self.variables.insert(name.to_owned(), value.to_owned());
        }
    }

    fn written(&self, name: &str) -> Vec<String> {
        let file = Path::new(&self.variables[name]);
        let text = fs::read_to_string(file).unwrap();
        fs::write(file, "").unwrap();
        text.lines().map(str::to_owned).collect()
    }
}

fn base64(text: &str) -> String {
    use base64::Engine as _;
    base64::engine::general_purpose::STANDARD.encode(text)
}
