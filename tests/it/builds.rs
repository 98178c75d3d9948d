//! Builds through the binary: packages share an environment unless the configuration says otherwise; the files are the
//! same.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use crate::world::World;

/// Writes down which program called the hooks of a build.
const SETUP: &str = "import os\nfrom setuptools import setup\nwith open(os.path.expanduser('~/callers'), 'a') as file:\n    \
                     print(os.path.basename(os.readlink(f'/proc/{os.getppid()}/exe')), file=file)\nsetup()\n";

/// Two packages with the same build requirements, never released.
fn world(config: &str) -> World {
    let world = World::new();
    for name in ["kite", "reel"] {
        let project = format!(
            "[build-system]\nrequires = [\"setuptools>=77\"]\nbuild-backend = \"setuptools.build_meta\"\n\n[project]\nname = \
             \"{name}\"\nversion = \"1.0.0\"\nrequires-python = \">=3.9\"\n"
        );
        write(&world, &format!("{name}/pyproject.toml"), &project);
        write(&world, &format!("{name}/setup.py"), SETUP);
        write(&world, &format!("{name}/src/{name}/__init__.py"), "A = 1\n");
    }
    write(&world, "release.toml", config);
    world.commit_all("feat: begin");
    world
}

fn write(world: &World, path: &str, text: &str) {
    let path = world.repository().join(path);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, text).unwrap();
}

/// The released files and their bytes, and who called the back ends.
fn shipped(config: &str) -> (BTreeMap<String, Vec<u8>>, Vec<String>) {
    let world = world(config);
    world.release_with(["ship", "--yes"], &[("RELEASE_CLOCK", "1700000000")]).well();
    let callers = fs::read_to_string(world.folder().join("home/callers")).unwrap();
    let mut callers: Vec<String> = callers.lines().map(str::to_owned).collect();
    callers.dedup();
    let left = fs::read_dir(world.folder().join("tmp")).unwrap();
    assert_eq!(left.count(), 0, "nothing temporary is left");
    (files(&world.repository().join("dist/index/files")), callers)
}

/// The files below a folder by their names.
fn files(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut found = BTreeMap::new();
    for path in fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
        if path.is_dir() {
            found.extend(files(&path));
        } else {
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            found.insert(name, fs::read(&path).unwrap());
        }
    }
    found
}

#[cfg(target_os = "linux")]
#[test]
fn packages_share_an_environment_unless_told_otherwise_and_the_files_are_the_same() {
    let (shared, by_python) = shipped("");
    let (alone, by_uv) = shipped("[build]\nshared = false\n");
    assert!(by_python.iter().all(|caller| caller.starts_with("python")), "{by_python:?}");
    assert_eq!(by_uv, ["uv"]);
    // Of each package the two archives and the metadata of its wheel (PEP 658).
    assert_eq!(shared.len(), 6);
    assert!(shared == alone, "{:?} differ from {:?}", shared.keys(), alone.keys());
}
