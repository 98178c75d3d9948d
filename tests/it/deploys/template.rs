//! What stories begin from, made once by the tests that run together: a repository with two packages, unreleased and
//! after three releases of both.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use crate::clones::copy;
use crate::deploys::place::Place;
use crate::matrix::light::BACKEND;
use crate::world::{Answer, World};

/// The versions of both packages that the ledger knows after the three ships.
pub const VERSIONS: [&str; 3] = ["1.1.0", "1.2.0", "1.3.0"];

/// The bare repositories.
pub struct Template {
    /// Both packages are tagged 1.0.0 and have a feature since.
    pub unreleased: PathBuf,
    pub released: PathBuf,
}

/// The template of this process.
pub fn template() -> &'static Template {
    static TEMPLATE: OnceLock<Template> = OnceLock::new();
    TEMPLATE.get_or_init(make)
}

fn make() -> Template {
    let folder = own_folder();
    let world = repository();
    let template =
        Template { unreleased: folder.join("unreleased.git"), released: folder.join("released.git") };
    world.git(["clone", "--quiet", "--bare", ".", template.unreleased.to_str().unwrap()]);
    let place = Place::of(&template.unreleased, "");
    let clone = place.fresh();
    for (number, _) in VERSIONS.iter().enumerate() {
        if number > 0 {
            place.feature(&clone, "core", "core");
            place.feature(&clone, "app", "app");
        }
        place.run(&clone, &["ship", "--yes"]).well();
    }
    copy(&place.origin(), &template.released);
    copy(&place.folder().join("index"), &index_of(&template.released));
    template
}

/// The index that belongs to a repository.
pub fn index_of(origin: &Path) -> PathBuf {
    origin.with_extension("index")
}

/// A folder that no other process uses; those of processes that are gone go too.
fn own_folder() -> PathBuf {
    let all = Path::new(env!("CARGO_TARGET_TMPDIR")).join("deploys");
    fs::create_dir_all(&all).unwrap();
    for entry in fs::read_dir(&all).unwrap().flatten() {
        if !Path::new("/proc").join(entry.file_name()).exists() {
            let _ = fs::remove_dir_all(entry.path());
        }
    }
    let folder = all.join(std::process::id().to_string());
    fs::create_dir_all(&folder).unwrap();
    folder
}

/// `core`, and `app` that needs exactly the `core` it was released with.
fn repository() -> World {
    let world = World::new();
    for (name, needs) in [("core", ""), ("app", "\"deps-core==1.0.0\"")] {
        let folder = world.repository().join("packages").join(name);
        fs::create_dir_all(&folder).unwrap();
        let manifest = format!(
            "[build-system]\nrequires = []\nbuild-backend = \"backend\"\nbackend-path = [\".\"]\n\n[project]\n\
             name = \"deps-{name}\"\nversion = \"1.0.0\"\ndescription = \"One of two.\"\n\
             requires-python = \">=3.9\"\ndependencies = [{needs}]\n"
        );
        fs::write(folder.join("pyproject.toml"), manifest).unwrap();
        fs::write(folder.join("backend.py"), BACKEND).unwrap();
        fs::write(folder.join(format!("deps_{name}.py")), "WORDS = 1\n").unwrap();
    }
    world.commit_all("chore: begin");
    for name in ["core", "app"] {
        world.tag(&format!("{name}-v1.0.0"), "the first");
    }
    for name in ["core", "app"] {
        let module = world.repository().join(format!("packages/{name}/deps_{name}.py"));
        fs::write(module, "WORDS = 2\n").unwrap();
        world.commit_all(&format!("feat({name}): know two words"));
    }
    world
}

#[test]
fn the_template_holds_three_releases_of_both() {
    let place = Place::released("");
    let clone = place.fresh();
    let status = place.run(&clone, &["status", "--output", "json"]).well().json();
    for package in status["packages"].as_array().unwrap() {
        assert_eq!(
            (&package["released"], &package["unreleased"]),
            (&"1.3.0".into(), &serde_json::Value::Null)
        );
    }
    let answer: Answer = place.run(&clone, &["plan", "--detailed-exitcode"]);
    assert_eq!(answer.code, Some(3), "{}", answer.out);
}
