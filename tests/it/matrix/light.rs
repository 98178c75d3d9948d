//! A monorepo of four small packages that build in no time: their backend is a script in their own folders.

use std::fs;

use crate::world::World;

/// The packages, each with what it needs of the others.
pub const PACKAGES: [(&str, &[&str]); 4] =
    [("base", &[]), ("left", &["base"]), ("right", &["base"]), ("solo", &[])];

/// What stands before every package's short name.
pub const PREFIX: &str = "light-";

/// A repository in which each package was released as 1.0.0 and has a feature since.
pub fn light() -> World {
    of(&PACKAGES)
}

/// The same of these packages.
pub fn of(packages: &[(&str, &[&str])]) -> World {
    let world = World::new();
    for (name, needs) in packages {
        let needs: Vec<String> = needs.iter().map(|need| format!("\"{PREFIX}{need}>=1.0,<2\"")).collect();
        write(&world, name, "pyproject.toml", &manifest(name, &needs.join(", ")));
        write(&world, name, "backend.py", BACKEND);
        write(&world, name, &format!("light_{name}.py"), "WORDS = 1\n");
    }
    fs::write(world.repository().join("README.md"), "# Light\n").unwrap();
    world.commit_all("chore: begin");
    for (name, _) in packages {
        world.tag(&format!("{name}-v1.0.0"), "the first");
    }
    for (name, _) in packages {
        write(&world, name, &format!("light_{name}.py"), "WORDS = 2\n");
        world.commit_all(&format!("feat({name}): know two words"));
    }
    world
}

fn write(world: &World, package: &str, file: &str, text: &str) {
    let folder = world.repository().join("packages").join(package);
    fs::create_dir_all(&folder).unwrap();
    fs::write(folder.join(file), text).unwrap();
}

fn manifest(name: &str, needs: &str) -> String {
    format!(
        "[build-system]\nrequires = []\nbuild-backend = \"backend\"\nbackend-path = [\".\"]\n\n[project]\n\
         name = \"{PREFIX}{name}\"\nversion = \"1.0.0\"\ndescription = \"One of four.\"\n\
         requires-python = \">=3.9\"\ndependencies = [{needs}]\n"
    )
}

/// Builds the same bytes from the same files, with the standard library alone.
pub const BACKEND: &str = r#"import base64, gzip, hashlib, io, os, pathlib, tarfile, tomllib, zipfile

PROJECT = tomllib.loads(pathlib.Path("pyproject.toml").read_text())["project"]
NAME = PROJECT["name"].replace("-", "_")
STEM = f"{NAME}-{PROJECT['version']}"


def metadata():
    lines = ["Metadata-Version: 2.1", f"Name: {PROJECT['name']}", f"Version: {PROJECT['version']}"]
    lines += [f"Summary: {PROJECT['description']}", f"Requires-Python: {PROJECT['requires-python']}"]
    lines += [f"Requires-Dist: {need}" for need in PROJECT["dependencies"]]
    return "\n".join(lines) + "\n"


def build_sdist(folder, config=None):
    names = ["pyproject.toml", "backend.py", f"{NAME}.py"]
    files = {"PKG-INFO": metadata().encode()} | {name: pathlib.Path(name).read_bytes() for name in names}
    plain = io.BytesIO()
    with tarfile.open(fileobj=plain, mode="w", format=tarfile.PAX_FORMAT) as tar:
        for name, data in files.items():
            entry = tarfile.TarInfo(f"{STEM}/{name}")
            entry.size, entry.mtime = len(data), int(os.environ["SOURCE_DATE_EPOCH"])
            tar.addfile(entry, io.BytesIO(data))
    target = pathlib.Path(folder, f"{STEM}.tar.gz")
    target.write_bytes(gzip.compress(plain.getvalue(), mtime=int(os.environ["SOURCE_DATE_EPOCH"])))
    return target.name


def build_wheel(folder, config=None, _metadata=None):
    info = f"{STEM}.dist-info"
    tag = "Wheel-Version: 1.0\nGenerator: light\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
    module = f"{NAME}.py"
    files = {module: pathlib.Path(module).read_bytes(), f"{info}/METADATA": metadata().encode()}
    files[f"{info}/WHEEL"] = tag.encode()
    record = ""
    for name, data in files.items():
        digest = base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode()
        record += f"{name},sha256={digest},{len(data)}\n"
    files[f"{info}/RECORD"] = (record + f"{info}/RECORD,,\n").encode()
    target = pathlib.Path(folder, f"{STEM}-py3-none-any.whl")
    with zipfile.ZipFile(target, "w") as wheel:
        for name, data in files.items():
            wheel.writestr(zipfile.ZipInfo(name, (2025, 1, 1, 0, 0, 0)), data)
    return target.name
"#;
