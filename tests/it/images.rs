//! Container images from commit to registry: built by a real engine, pushed to a real registry, whatever happens on the way.

use std::collections::BTreeMap;
use std::fs;
use std::io::Read;
use std::os::unix::process::ExitStatusExt;
use std::path::PathBuf;

use release::world::oci::{self, Descriptor, INDEX, MANIFEST};
use serde_json::{Value, json};

use crate::clones::copy;
use crate::engine::{Engine, PASSWORD, Registry, engine};
use crate::matrix::light::light;
use crate::world::{Answer, World};

const SHIP: [&str; 2] = ["ship", "--yes"];
const CLAIM: [&str; 4] = ["ship", "--yes", "--until", "claim"];

const DOCKERFILE: &str = "FROM scratch\nARG WHEEL\nARG VERSION\nARG GREETING\nCOPY ${WHEEL} /wheels/\nCOPY dist \
                          /dist/\nLABEL version=$VERSION greeting=$GREETING\n";

/// A monorepo whose package `left` (which needs `base`) has an image, and where it goes.
struct Bench {
    world: World,
    engine: &'static Engine,
    registry: Registry,
    name: String,
    docker_config: Option<PathBuf>,
}

impl Bench {
    fn new(registry: Registry, name: &str, more: &str) -> Option<Bench> {
        let bench =
            Bench { world: light(), engine: engine()?, registry, name: name.to_owned(), docker_config: None };
        bench.write("packages/left/Dockerfile", DOCKERFILE);
        bench.write("packages/left/.dockerignore", "dist\n*.py\n");
        let repository = bench.registry.repository(name);
        bench.write(
            "release.toml",
            &format!(
                "[workspace]\npackages = [\"packages/*\"]\nstrip = \"light-\"\ntag = \"{{name}}-v{{version}}\"\nbranch = \
                 \"main\"\n\n[package.left.image]\nrepository = \"{repository}\"\nargs = {{ GREETING = \"hello\" \
                 }}\n{more}\n"
            ),
        );
        bench.world.commit_all("build(left): an image");
        Some(bench)
    }

    fn write(&self, path: &str, text: &str) {
        fs::write(self.world.repository().join(path), text).unwrap();
    }

    fn run(&self, words: &[&str]) -> Answer {
        self.run_with(words, &[])
    }

    fn run_with(&self, words: &[&str], more: &[(&str, &str)]) -> Answer {
        let config =
            self.docker_config.clone().unwrap_or_else(|| self.world.folder().join("no-docker-config"));
        let mut variables = vec![
            ("DOCKER_HOST", self.engine.host.as_str()),
            ("DOCKER_CONFIG", config.to_str().unwrap()),
            ("RELEASE_PACE", "quick"),
        ];
        variables.extend(more);
        self.world.release_with(words, &variables)
    }

    /// The digest that a tag leads to.
    fn tag(&self, tag: &str) -> Option<String> {
        let client = self.registry.client(&self.name);
        block(async { client.digest(tag).await.unwrap() })
    }

    fn manifest(&self, digest: &str) -> Value {
        let client = self.registry.client(&self.name);
        let bytes = block(async { client.manifest(digest).await.unwrap().unwrap() });
        serde_json::from_slice(&bytes).unwrap()
    }

    /// The configuration of an image, by the digest of its manifest.
    fn config(&self, digest: &str) -> Value {
        let manifest = self.manifest(digest);
        serde_json::from_slice(&self.registry.blob(manifest["config"]["digest"].as_str().unwrap())).unwrap()
    }

    /// All files of an image, by their paths.
    fn files(&self, digest: &str) -> BTreeMap<String, Vec<u8>> {
        let mut files = BTreeMap::new();
        for layer in self.manifest(digest)["layers"].as_array().unwrap() {
            let packed = self.registry.blob(layer["digest"].as_str().unwrap());
            let mut archive = tar::Archive::new(flate2::read::GzDecoder::new(packed.as_slice()));
            for entry in archive.entries().unwrap() {
                let mut entry = entry.unwrap();
                let path = entry.path().unwrap().display().to_string();
                let mut bytes = Vec::new();
                entry.read_to_end(&mut bytes).unwrap();
                if entry.header().entry_type().is_file() {
                    files.insert(path, bytes);
                }
            }
        }
        files
    }

    /// Somebody else's image under a tag; answers its digest.
    fn push_foreign(&self, tag: &str) -> String {
        let (client, folder) = (self.registry.client(&self.name), tempfile::tempdir().unwrap());
        let text = json!({"architecture": "amd64", "os": "linux", "foreign": tag}).to_string();
        let config = oci::put(folder.path(), oci::CONFIG, text.as_bytes()).unwrap();
        let manifest = oci::put_manifest(folder.path(), config.clone(), Vec::new()).unwrap();
        let file = |blob: &Descriptor| oci::path_of(folder.path(), &blob.digest).unwrap();
        block(async {
            client.push_blob(&config, &file(&config), &|_, _| {}).await.unwrap();
            let bytes = fs::read(file(&manifest)).unwrap();
            client.put_manifest(tag, MANIFEST, &bytes).await.unwrap()
        })
    }

    fn state(&self) -> Value {
        serde_json::from_str(&self.world.git(["show", "refs/release/ledger:state.json"])).unwrap()
    }

    /// What the ledger says was released: repository and digest.
    fn released(&self) -> (String, String) {
        let image = &self.state()["released"]["left"]["image"];
        let text = |key: &str| image[key].as_str().unwrap_or_else(|| panic!("{image}")).to_owned();
        (text("repository"), text("digest"))
    }

    /// What a step left in the ledger.
    fn evidence(&self, step: &str) -> Value {
        let log = self.run(&["log", "--output", "json"]).well().json();
        let events = log.as_array().unwrap().iter().map(|event| &event["what"]);
        let mut ours = events.filter(|what| what["event"] == "succeeded" && what["step"] == step);
        ours.next_back().unwrap_or_else(|| panic!("{step}: {log:#}"))["evidence"].clone()
    }
}

fn block<T>(work: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(work)
}

fn bench(name: &str, more: &str) -> Option<Bench> {
    Bench::new(Registry::open()?, name, more)
}

#[test]
fn a_ship_ends_with_the_sealed_image_in_the_registry() {
    let Some(bench) = bench("acme/left", "tags = [\"{version}\", \"{major}.{minor}\", \"latest\"]") else {
        return;
    };
    bench.world.git(["remote", "add", "elsewhere", "https://ada:secret@git.example/acme/mono.git"]);
    let plan = bench.run(&["plan"]).well().out;
    let plan = plan.split_whitespace().collect::<Vec<&str>>().join(" ");
    assert!(plan.contains("1 image") && plan.contains("push to 127.0.0.1:"), "{plan}");
    let shipped = bench.run(&SHIP).well();
    let sealed = bench.evidence("seal")["left/image"].as_str().unwrap().to_owned();
    assert!(shipped.err.contains("built the image of left 1.1.0"), "{}", shipped.err);
    assert!(shipped.err.contains("image of left: "), "the steps of the Dockerfile are told: {}", shipped.err);

    for tag in ["1.1.0", "1.1", "latest", &sealed] {
        assert_eq!(bench.tag(tag), Some(sealed.clone()), "{tag}");
    }
    assert_eq!(bench.released(), (bench.registry.repository("acme/left"), sealed.clone()));
    let pushed = bench.evidence("push:left");
    assert_eq!((&pushed["digest"], &pushed["tag latest"]), (&json!(sealed), &json!(sealed)));
    assert_eq!(bench.evidence("retag:left/latest")["before"], "nothing");

    let labels = &bench.config(&sealed)["config"]["Labels"];
    let label = |key: &str| labels[format!("org.opencontainers.image.{key}")].as_str().unwrap().to_owned();
    assert_eq!((label("version"), label("title")), ("1.1.0".to_owned(), "light-left".to_owned()));
    assert_eq!(label("revision"), bench.world.git(["rev-parse", "HEAD"]));
    assert!(label("created").ends_with('Z'));
    assert_eq!((&labels["version"], &labels["greeting"]), (&json!("1.1.0"), &json!("hello")));

    let files = bench.files(&sealed);
    for (package, file) in [("light-left", "light_left"), ("light-base", "light_base")] {
        let wheel = format!("{file}-1.1.0-py3-none-any.whl");
        let published = bench.world.repository().join("dist/index/files").join(package).join(&wheel);
        assert!(
            files[&format!("dist/{wheel}")] == fs::read(published).unwrap(),
            "{wheel} is the published one"
        );
    }
    assert!(files.contains_key("wheels/light_left-1.1.0-py3-none-any.whl"));

    let again = bench.run(&["ship", "--yes", "--detailed-exitcode"]);
    assert_eq!((again.code, again.out.as_str()), (Some(3), "nothing to release\n"));
    let engine = block(bench.engine.connect());
    let left = block(async {
        engine.docker.list_images(None::<bollard::query_parameters::ListImagesOptions>).await
    });
    let ours = left.unwrap().into_iter().flat_map(|image| image.repo_tags);
    assert!(!ours.clone().any(|tag| tag.contains(&sealed)), "{:?}", ours.collect::<Vec<_>>());
}

#[test]
fn several_platforms_are_one_index() {
    let Some(bench) = bench("acme/both", "platforms = [\"linux/amd64\", \"linux/arm64\"]") else { return };
    bench.run(&SHIP).well();
    let (_, digest) = bench.released();
    let index = bench.manifest(&digest);
    assert_eq!(index["mediaType"], INDEX);
    for (part, architecture) in index["manifests"].as_array().unwrap().iter().zip(["amd64", "arm64"]) {
        assert_eq!(part["platform"]["architecture"], architecture);
        assert_eq!(bench.config(part["digest"].as_str().unwrap())["architecture"], architecture);
    }
    assert_eq!(bench.tag("latest"), Some(digest));
}

#[test]
fn the_classic_builder_builds_for_its_own_platform_only() {
    let Some(bench) = bench("acme/classic", "platforms = [\"linux/s390x\"]") else { return };
    let classic = [("DOCKER_BUILDKIT", "0")];
    let refused = bench.run_with(&SHIP, &classic);
    assert_eq!(refused.code, Some(2), "{}", refused.err);
    assert!(refused.err.contains("not for linux/s390x"), "{}", refused.err);
    let text = fs::read_to_string(bench.world.repository().join("release.toml")).unwrap();
    bench.write("release.toml", &text.replace("platforms = [\"linux/s390x\"]", ""));
    bench.world.commit_all("build: our own platform");
    bench.run_with(&SHIP, &classic).well();
    assert_eq!(bench.tag("1.1.0"), Some(bench.released().1));
}

#[test]
fn a_registry_that_is_down_is_waited_for_by_the_next_run() {
    let Some(registry) = Registry::stopped(false) else { return };
    let Some(mut bench) = Bench::new(registry, "acme/down", "") else { return };
    let claimed = bench.run(&CLAIM).well();
    assert!(claimed.err.contains("is not known"), "a registry that is down is told: {}", claimed.err);
    let failed = bench.run(&SHIP);
    assert_eq!(failed.code, Some(10), "{}", failed.err);
    assert!(failed.err.contains("push:left failed: tried 5 times"), "{}", failed.err);
    bench.registry.up();
    bench.run(&SHIP).well();
    assert_eq!(bench.tag("1.1.0"), Some(bench.evidence("seal")["left/image"].as_str().unwrap().to_owned()));
    bench.registry.down();
}

#[test]
fn another_image_under_the_version_is_never_overwritten() {
    let Some(bench) = bench("acme/taken", "") else { return };
    bench.run(&CLAIM).well();
    let foreign = bench.push_foreign("1.1.0");
    let latest = bench.push_foreign("latest");
    let refused = bench.run(&SHIP);
    assert_eq!(refused.code, Some(11), "{}", refused.err);
    assert!(refused.err.contains("is another image") && refused.err.contains(&foreign), "{}", refused.err);
    assert_eq!((bench.tag("1.1.0"), bench.tag("latest")), (Some(foreign), Some(latest)));
}

#[test]
fn a_version_that_is_taken_is_refused_before_anything_is_begun() {
    let Some(bench) = bench("acme/early", "") else { return };
    let foreign = bench.push_foreign("1.1.0");
    let head = bench.world.git(["rev-parse", "HEAD"]);
    let refused = bench.run(&SHIP);
    assert_eq!(refused.code, Some(11), "{}", refused.err);
    assert!(refused.err.contains(&foreign), "{}", refused.err);
    // A run that is to stop at the claim does not ask the registry first, and finds it at the seal.
    let sealed = bench.run(&CLAIM);
    assert_eq!(sealed.code, Some(11), "{}", sealed.err);
    assert_eq!(bench.world.git(["rev-parse", "HEAD"]), head);
    assert_eq!(bench.world.git(["tag", "--list", "*-v1.1.0"]), "");
}

#[test]
fn a_registry_that_asks_who_we_are_is_told_or_refused_in_clear_words() {
    let Some(registry) = Registry::locked() else { return };
    let Some(mut bench) = Bench::new(registry, "acme/locked", "") else { return };
    let missing = bench.run(&SHIP);
    assert_eq!(missing.code, Some(9), "{}", missing.err);
    assert!(
        missing.err.contains("docker login 127.0.0.1:") && missing.err.contains("config.json"),
        "{}",
        missing.err
    );
    let wrong = bench.registry.login("not-the-password");
    bench.docker_config = Some(wrong.path().to_owned());
    let refused = bench.run(&SHIP);
    assert_eq!(refused.code, Some(9), "{}", refused.err);
    assert!(
        refused.err.contains("user `ada`") && !refused.err.contains("not-the-password"),
        "{}",
        refused.err
    );
    assert_eq!(bench.world.git(["tag", "--list", "*-v1.1.0"]), "", "nothing was begun");
    let right = bench.registry.login(PASSWORD);
    bench.docker_config = Some(right.path().to_owned());
    let shipped = bench.run(&SHIP).well();
    let log = bench.run(&["log", "--output", "json"]).well().out;
    for text in [&shipped.out, &shipped.err, &log] {
        assert!(!text.contains(PASSWORD), "{text}");
    }
    assert_eq!(bench.tag("latest"), Some(bench.released().1));
}

#[test]
fn a_hotfix_of_an_older_line_leaves_latest_alone() {
    let forms = "tags = [\"{version}\", \"{major}.{minor}\", \"latest\"]";
    let Some(bench) = bench("acme/hotfix", forms) else { return };
    bench.push_foreign("2.0.0");
    let (latest, line) = (bench.push_foreign("latest"), bench.push_foreign("1.1"));
    let shipped = bench.run(&SHIP).well();
    assert!(
        shipped.err.contains("`latest` of") && shipped.err.contains("stays where it is"),
        "{}",
        shipped.err
    );
    assert_eq!(bench.tag("latest"), Some(latest));
    let (_, digest) = bench.released();
    assert_eq!((bench.tag("1.1"), bench.tag("1.1.0")), (Some(digest.clone()), Some(digest.clone())));
    assert_eq!(bench.evidence("retag:left/1.1"), json!({"before": line, "digest": digest}));
    assert_eq!(bench.evidence("push:left").get("tag latest"), None);
}

#[test]
fn a_dockerfile_that_does_not_build_is_found_before_the_claim() {
    let Some(bench) = bench("acme/broken", "") else { return };
    bench.write("packages/left/Dockerfile", "FROM scratch\nCOPY nowhere /\n");
    bench.world.commit_all("build(left): break the image");
    let head = bench.world.git(["rev-parse", "HEAD"]);
    for more in [&[][..], &[("DOCKER_BUILDKIT", "0")]] {
        let refused = bench.run_with(&SHIP, more);
        assert_eq!(refused.code, Some(4), "{}", refused.err);
        assert!(refused.err.contains("image:left failed: the image does not build"), "{}", refused.err);
        assert!(refused.err.contains("nowhere"), "{}", refused.err);
    }
    assert_eq!(bench.world.git(["rev-parse", "HEAD"]), head);
    assert_eq!((bench.world.git(["tag", "--list", "*-v1.1.0"]), bench.tag("1.1.0")), (String::new(), None));
    assert!(bench.state()["in_flight"].as_object().unwrap().is_empty());
}

#[test]
fn an_engine_that_does_not_answer_is_told_with_a_way_out() {
    let Some(bench) = bench("acme/engine", "") else { return };
    let refused = bench.run_with(&SHIP, &[("DOCKER_HOST", "unix:///nowhere/docker.sock")]);
    assert_eq!(refused.code, Some(10), "{}", refused.err);
    assert!(refused.err.contains("unix:///nowhere/docker.sock (DOCKER_HOST)"), "{}", refused.err);
    assert!(refused.err.contains("docker info"), "{}", refused.err);
}

#[test]
fn an_image_that_was_lost_unseen_is_built_again_and_its_digest_is_the_truth() {
    let Some(bench) = bench("acme/lost", "") else { return };
    bench.run(&CLAIM).well();
    let sealed = bench.evidence("seal")["left/image"].as_str().unwrap().to_owned();
    fs::remove_dir_all(bench.world.repository().join(".git/release/stash")).unwrap();
    // Another builder writes another configuration: the digest can not be the same.
    let shipped = bench.run_with(&SHIP, &[("DOCKER_BUILDKIT", "0")]).well();
    let (_, digest) = bench.released();
    assert_ne!(digest, sealed);
    assert!(shipped.err.contains("was lost before anybody saw it"), "{}", shipped.err);
    assert_eq!(bench.evidence(&format!("again:left/{digest}"))["digest"], digest.as_str());
    assert_eq!((bench.tag("1.1.0"), bench.tag("latest")), (Some(digest.clone()), Some(digest)));
    assert_eq!(bench.tag(&sealed), None);
}

#[test]
fn an_image_that_is_there_already_needs_no_bytes() {
    let Some(bench) = bench("acme/there", "") else { return };
    bench.run(&CLAIM).well();
    let sealed = bench.evidence("seal")["left/image"].as_str().unwrap().to_owned();
    kill_in_push(&bench, &sealed);
    fs::remove_dir_all(bench.world.repository().join(".git/release/stash")).unwrap();
    bench.run_with(&SHIP, &[("DOCKER_HOST", "unix:///nowhere/docker.sock")]).well();
    assert_eq!((bench.tag("1.1.0"), bench.released().1), (Some(sealed.clone()), sealed));
}

/// Kills a ship from its claim on at one place after the other, each time as it was there, until one leaves its image in
/// the registry.
fn kill_in_push(bench: &Bench, sealed: &str) {
    let (repository, claimed) = (bench.world.repository(), bench.world.folder().join("claimed"));
    copy(&repository, &claimed);
    for place in 1.. {
        assert!(killed_at(bench, &SHIP, place), "the image stands in the registry before the last place");
        if bench.tag(sealed).is_some() {
            return;
        }
        fs::remove_dir_all(&repository).unwrap();
        copy(&claimed, &repository);
    }
}

/// Whether a run was killed at a place; otherwise it came to its end.
fn killed_at(bench: &Bench, words: &[&str], place: u64) -> bool {
    let mut command = bench.world.command(env!("CARGO_BIN_EXE_release"));
    command.current_dir(bench.world.repository()).args(words);
    command
        .env("DOCKER_HOST", &bench.engine.host)
        .env("DOCKER_CONFIG", "/nowhere")
        .env("RELEASE_PACE", "quick");
    let run = command.env("RELEASE_CRASH_AT", place.to_string()).output().unwrap();
    let killed = run.status.signal() == Some(9);
    let said = String::from_utf8_lossy(&run.stderr);
    assert!(killed || run.status.success(), "place {place}: {}\n{said}", run.status);
    killed
}

#[test]
fn a_push_killed_anywhere_is_finished_by_the_next_run() {
    let Some(first) = bench("acme/killed", "") else { return };
    first.run(&CLAIM).well();
    let sealed = first.evidence("seal")["left/image"].as_str().unwrap().to_owned();
    let mut place = 1;
    // Every run goes on where the one before was killed, and is killed a place further on.
    while killed_at(&first, &SHIP, place) {
        let version = first.tag("1.1.0");
        assert!(version.is_none() || version.as_deref() == Some(&sealed), "place {place}");
        place += 1;
        assert!(place < 200, "the ship never ends");
    }
    assert!(place > 10, "a push has many places to be killed at: {place}");
    assert_eq!((first.tag("1.1.0"), first.tag("latest")), (Some(sealed.clone()), Some(sealed.clone())));
    assert_eq!(first.released().1, sealed);
    assert_eq!(first.run(&SHIP).well().out, "nothing to release\n");
}

#[test]
fn a_build_killed_anywhere_leaves_nothing_that_the_next_run_trips_over() {
    let Some(bench) = bench("acme/killed-build", "") else { return };
    let mut place = 1;
    while killed_at(&bench, &CLAIM, place) {
        place += 3;
        assert!(place < 400, "the ship never reaches its claim");
    }
    bench.run(&SHIP).well();
    let (_, digest) = bench.released();
    assert_eq!(bench.evidence("seal")["left/image"], digest.as_str());
    assert_eq!(bench.tag("1.1.0"), Some(digest));
}
