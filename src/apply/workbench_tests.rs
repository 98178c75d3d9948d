use std::collections::BTreeMap;

use crate::apply::build::{TIMEOUT, build, scm_version};
use crate::apply::index::publish;
use crate::check::samples::Sample;
use crate::plan::digest::Digest;
use crate::workspace::name::PackageName;
use crate::workspace::path::RepoPath;
use crate::world::command::run;
use crate::world::testing::{free_port, serving};
use crate::world::tools::tests::{or_skip, test_cache};

use super::*;

/// Files of a package by path.
type Files = Vec<(String, String)>;

/// A package of a folder, named after it.
fn package(folder: &str, build_system: &str, more: &[(&str, &str)]) -> Files {
    let module = folder.replace(['-', '/'], "_");
    let project = format!(
        "[build-system]\n{build_system}\n\n[project]\nname = \"{module}\"\nversion = \"1.2.0\"\ndescription = \
         \"Tiny.\"\nrequires-python = \">=3.9\"\ndependencies = [\"packaging>=21; python_version < '4'\"]\n\n\
         [project.scripts]\ntiny = \"{module}:main\"\n"
    );
    let mut files: BTreeMap<String, String> = BTreeMap::from([
        ("pyproject.toml".to_owned(), project),
        (
            format!("src/{module}/__init__.py"),
            "\"\"\"Tiny.\"\"\"\n\n\ndef main():\n    print('tiny')\n".to_owned(),
        ),
        (format!("src/{module}/py.typed"), String::new()),
        ("README.md".to_owned(), "# Tiny\n".to_owned()),
    ]);
    for (path, text) in more {
        match path.strip_suffix('+') {
            Some(path) => files.entry(path.to_owned()).or_default().push_str(text),
            None => _ = files.insert((*path).to_owned(), (*text).to_owned()),
        }
    }
    files.into_iter().map(|(path, text)| (format!("{folder}/{path}"), text)).collect()
}

const HATCHLING: &str = "requires = [\"hatchling\"]\nbuild-backend = \"hatchling.build\"";
const FLIT: &str = "requires = [\"flit_core\"]\nbuild-backend = \"flit_core.buildapi\"";
const SETUPTOOLS: &str = "requires = [\"setuptools>=77\"]\nbuild-backend = \"setuptools.build_meta\"";

fn write(files: &[(String, String)]) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (path, text) in files {
        let path = folder.path().join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, text).unwrap();
    }
    folder
}

async fn uv() -> Option<Frontend> {
    or_skip(test_cache().private_uv().await).map(Frontend::Uv)
}

fn request(checkout: &Path, package: &str, frontend: &Frontend) -> BuildRequest {
    BuildRequest {
        checkout: checkout.to_owned(),
        package: RepoPath::new(package).unwrap(),
        out: checkout.join(".out").join(package),
        frontend: frontend.clone(),
        epoch: 1_700_000_000,
        find_links: None,
        environment: scm_version(&package.replace('-', "_"), "1.2.0")
            .into_iter()
            .chain(everywhere())
            .collect(),
        timeout: TIMEOUT,
    }
}

/// The version for those that do not know whose it is: there is no repository to ask.
fn everywhere() -> [(String, String); 1] {
    [("SETUPTOOLS_SCM_PRETEND_VERSION".to_owned(), "1.2.0".to_owned())]
}

fn digests(built: Built) -> BTreeMap<String, Digest> {
    built.files.into_iter().map(|file| (file.name, file.digest)).collect()
}

/// Builds packages at once on a bench, and one by one with uv from a checkout of their own; all files must be the same.
async fn same_as_uv(bench: &Workbench, frontend: &Frontend, files: &[(String, String)], packages: &[&str]) {
    let (ours, theirs) = (write(files), write(files));
    let builds = packages.iter().map(|package| bench.build(request(ours.path(), package, frontend)));
    for (package, built) in packages.iter().zip(join_all(builds).await) {
        let built = digests(built.unwrap());
        assert_eq!(built.len(), 2, "{built:?}");
        assert_eq!(
            built,
            digests(build(request(theirs.path(), package, frontend)).await.unwrap()),
            "{package}"
        );
    }
    for package in packages {
        let left = |folder: &TempDir| Traces::of(&folder.path().join(package)).paths();
        assert_eq!(left(&ours), left(&theirs), "the trees hold the same afterwards");
    }
}

fn opened(is_warm: bool) -> Workbench {
    Workbench::new(is_warm, 2, &test_cache())
}

/// One on which a hook runs at a time.
fn narrow() -> Workbench {
    Workbench::new(true, 0, &test_cache())
}

impl Workbench {
    fn environments(&self) -> usize {
        self.stations.lock().unwrap().len()
    }
}

/// One package with one back end: the same bytes, without the front end.
async fn check_backend(build_system: &str, more: &[(&str, &str)]) {
    let Some(frontend) = uv().await else { return };
    let bench = opened(true);
    same_as_uv(&bench, &frontend, &package("acme-tiny", build_system, more), &["acme-tiny"]).await;
    assert_eq!((bench.shared_builds(), bench.environments()), (1, 1));
    bench.close().await;
}

#[tokio::test]
async fn flit_gives_the_same_bytes_as_uv_build() {
    check_backend(FLIT, &[]).await;
}

#[tokio::test]
async fn setuptools_gives_the_same_bytes_as_uv_build() {
    check_backend(SETUPTOOLS, &[("MANIFEST.in", "graft src\n")]).await;
}

#[tokio::test]
async fn poetry_core_gives_the_same_bytes_as_uv_build() {
    let system = "requires = [\"poetry-core>=2\"]\nbuild-backend = \"poetry.core.masonry.api\"";
    let more = "[tool.poetry]\npackages = [{ include = \"acme_tiny\", from = \"src\" }]\n";
    check_backend(system, &[("pyproject.toml+", more)]).await;
}

#[tokio::test]
async fn pdm_backend_gives_the_same_bytes_as_uv_build() {
    check_backend("requires = [\"pdm-backend\"]\nbuild-backend = \"pdm.backend\"", &[]).await;
}

/// The same project with a version that tags would give.
fn dynamic(backend: &str, more: &str) -> String {
    format!(
        "[build-system]\n{backend}\n\n[project]\nname = \"acme_tiny\"\ndynamic = [\"version\"]\n\
         requires-python = \">=3.9\"\n{more}"
    )
}

#[tokio::test]
async fn versions_from_tags_give_the_same_bytes_as_uv_build() {
    let hatch = "requires = [\"hatchling\", \"hatch-vcs\"]\nbuild-backend = \"hatchling.build\"";
    let hatch = dynamic(hatch, "[tool.hatch.version]\nsource = \"vcs\"\n");
    check_backend(HATCHLING, &[("pyproject.toml", &hatch)]).await;
    let scm =
        "requires = [\"setuptools>=77\", \"setuptools-scm>=8\"]\nbuild-backend = \"setuptools.build_meta\"";
    let scm = dynamic(scm, "[tool.setuptools_scm]\nversion_file = \"src/acme_tiny/_version.py\"\n");
    check_backend(SETUPTOOLS, &[("pyproject.toml", &scm)]).await;
}

#[tokio::test]
async fn a_back_end_that_looks_around_when_imported_gives_the_same_bytes() {
    let system = "requires = [\"poetry-core>=2\", \"poetry-dynamic-versioning>=1\"]\n\
                  build-backend = \"poetry_dynamic_versioning.backend\"";
    let project = dynamic(
        system,
        "[tool.poetry]\nversion = \"0.0.0\"\npackages = [{ include = \"acme_tiny\", from = \
                  \"src\" }]\n[tool.poetry-dynamic-versioning]\nenable = true\n",
    );
    check_backend(FLIT, &[("pyproject.toml", &project)]).await;
}

#[tokio::test]
async fn packages_with_the_same_requirements_share_one_environment() {
    let Some(frontend) = uv().await else { return };
    let bench = opened(true);
    let names = ["a-one", "a-two", "a-three", "b-one", "b-two"];
    let root = "[tool.uv.workspace]\nmembers = [\"a-*\", \"b-*\"]\n";
    let mut files: Files = vec![("pyproject.toml".to_owned(), root.to_owned())];
    for name in names {
        files.extend(package(name, if name.starts_with('a') { HATCHLING } else { FLIT }, &[]));
    }
    same_as_uv(&bench, &frontend, &files, &names).await;
    assert_eq!((bench.shared_builds(), bench.environments()), (5, 2));
    bench.close().await;
}

#[tokio::test]
async fn a_build_that_comes_after_all_has_an_environment_of_its_own() {
    let Some(frontend) = uv().await else { return };
    let bench = opened(true);
    let files = [package("a-one", FLIT, &[]), package("a-two", FLIT, &[])].concat();
    for package in ["a-one", "a-two"] {
        same_as_uv(&bench, &frontend, &files, &[package]).await;
        assert_eq!(bench.environments(), 1);
        bench.retire();
        assert_eq!(bench.environments(), 0);
    }
    assert_eq!(bench.shared_builds(), 2);
    bench.close().await;
    assert!(bench.retired.lock().unwrap().is_empty(), "all of them are waited for");
}

#[tokio::test]
async fn settings_and_python_of_a_workspace_hold_in_the_shared_environment() {
    let Some(frontend) = uv().await else { return };
    let bench = opened(true);
    // Older back ends write other metadata.
    let root =
        "[tool.uv]\nexclude-newer = \"2024-01-01T00:00:00Z\"\n[tool.uv.workspace]\nmembers = [\"a-*\"]\n";
    let files: Files = [("pyproject.toml".to_owned(), root.to_owned())]
        .into_iter()
        .chain(package("a-one", HATCHLING, &[]))
        .chain(package("b-one", HATCHLING, &[]))
        .collect();
    same_as_uv(&bench, &frontend, &files, &["a-one", "b-one"]).await;
    assert_eq!((bench.shared_builds(), bench.environments()), (2, 1));
    bench.close().await;
}

/// A setuptools package that runs a script of its own in each hook.
fn scripted(folder: &str, script: &str) -> Files {
    let script = format!("import os, sys, time\nfrom setuptools import setup\n{script}\nsetup()\n");
    package(folder, SETUPTOOLS, &[("setup.py", &script)])
}

#[tokio::test]
async fn what_one_build_does_to_its_process_reaches_no_other() {
    let Some(frontend) = uv().await else { return };
    let bench = opened(true);
    let rude = "print('x' * 100000)\nos.environ.clear()\nsys.path[:] = [path for path in sys.path if path]\n\
                import setuptools.command.sdist as other\nother.sdist.user_options = other.sdist.user_options[::-1]\n\
                os.environ['SOURCE_DATE_EPOCH'] = '1700000000'";
    let none = "import importlib.util\nassert importlib.util.find_spec('hatchling') is None\nassert 'a-rude' not in \
                os.getcwd() and 'SETUPTOOLS_SCM_PRETEND_VERSION_FOR_A_RUDE' not in os.environ";
    let files: Files =
        [package("a-hatch", HATCHLING, &[]), scripted("a-rude", rude), scripted("b-next", none)].concat();
    for packages in [&["a-hatch", "a-rude"][..], &["b-next"]] {
        same_as_uv(&bench, &frontend, &files, packages).await;
    }
    assert_eq!((bench.shared_builds(), bench.environments()), (3, 2));
    bench.close().await;
}

#[tokio::test]
async fn what_a_back_end_asks_for_besides_is_installed_for_it_alone() {
    let Some(frontend) = uv().await else { return };
    let bench = opened(true);
    let asks = "try:\n    import flit_core\nexcept ImportError:\n    assert 'egg_info' in sys.argv, sys.argv";
    let script =
        format!("from setuptools import setup\nimport sys\n{asks}\nsetup(setup_requires=['flit_core'])\n");
    let without = "import importlib.util\nassert importlib.util.find_spec('flit_core') is None";
    let files =
        [package("a-asks", SETUPTOOLS, &[("setup.py", &script)]), scripted("b-none", without)].concat();
    same_as_uv(&bench, &frontend, &files, &["a-asks", "b-none"]).await;
    assert_eq!((bench.shared_builds(), bench.environments()), (2, 2));
    bench.close().await;
}

/// A hatchling package with hooks of its own in `sdist.py` and `wheel.py`: what each needs, and what it does.
fn hooked(folder: &str, hooks: &[(&str, &str, &str)]) -> Files {
    let mut files = package(folder, HATCHLING, &[]);
    for (target, needs, script) in hooks {
        let text = format!(
            "import os\nfrom hatchling.builders.hooks.plugin.interface import BuildHookInterface\n\nclass \
             Own(BuildHookInterface):\n    def initialize(self, version, build_data):\n        {script}\n"
        );
        files.push((format!("{folder}/{target}.py"), text));
        let project = files.iter_mut().find(|(path, _)| path.ends_with("pyproject.toml"));
        project.unwrap().1.push_str(&format!(
            "\n[tool.hatch.build.targets.{target}.hooks.custom]\npath = \"{target}.py\"\ndependencies = [{needs}]\n"
        ));
    }
    files
}

#[tokio::test]
async fn what_one_file_alone_needs_is_installed_for_it_alone() {
    let Some(frontend) = uv().await else { return };
    let bench = opened(true);
    let without = "import importlib.util; assert importlib.util.find_spec('flit_core') is None";
    let with =
        "import flit_core; os.mkdir('src/acme_tiny/made'); open('src/acme_tiny/made/by.txt', 'w').close()";
    let files = hooked("acme-tiny", &[("sdist", "", without), ("wheel", "\"flit_core\"", with)]);
    same_as_uv(&bench, &frontend, &files, &["acme-tiny"]).await;
    assert_eq!((bench.shared_builds(), bench.environments()), (1, 2));
    bench.close().await;
}

#[tokio::test]
async fn a_build_that_fails_behind_its_question_is_done_once_more_through_the_front_end() {
    let Some(frontend) = uv().await else { return };
    let bench = opened(true);
    let runs = tempfile::NamedTempFile::new().unwrap();
    let script =
        format!("print('run', file=open({:?}, 'a')); os.mkdir('left'); raise ValueError('why')", runs.path());
    let folder = write(&hooked("acme-tiny", &[("sdist", "", &script)]));
    let error = bench.build(request(folder.path(), "acme-tiny", &frontend)).await.unwrap_err().to_string();
    assert!(
        error.contains("ValueError: why") && error.contains("Failed to build"),
        "uv's own words: {error}"
    );
    assert_eq!(std::fs::read_to_string(runs.path()).unwrap().lines().count(), 2);
    bench.close().await;
}

#[tokio::test]
async fn what_the_front_end_alone_can_build_is_left_to_it() {
    let Some(frontend) = uv().await else { return };
    let bench = opened(true);
    let backend = "import os\nfrom flit_core import buildapi\nfrom flit_core.buildapi import *\n";
    let in_tree = "requires = [\"flit_core\"]\nbuild-backend = \"own\"\nbackend-path = [\".\"]";
    let files = [
        package(
            "a-tree",
            in_tree,
            &[("own.py", backend), ("pyproject.toml+", "\n[tool.flit.sdist]\ninclude = [\"own.py\"]\n")],
        ),
        package("b-uv", "requires = [\"uv_build\"]\nbuild-backend = \"uv_build\"", &[]),
        vec![
            (
                "c-old/setup.py".to_owned(),
                "from setuptools import setup\nsetup(name='c-old', version='1.2.0')\n".to_owned(),
            ),
            ("c-old/c.py".to_owned(), String::new()),
        ],
    ]
    .concat();
    same_as_uv(&bench, &frontend, &files, &["a-tree", "b-uv", "c-old"]).await;
    let cold = opened(false);
    same_as_uv(&cold, &frontend, &package("d-flit", FLIT, &[]), &["d-flit"]).await;
    assert_eq!((bench.shared_builds(), bench.environments()), (0, 0));
    assert_eq!((cold.shared_builds(), cold.environments()), (0, 0));
}

#[tokio::test]
async fn an_environment_that_can_not_be_made_fails_in_the_words_of_the_front_end() {
    let Some(frontend) = uv().await else { return };
    let bench = opened(true);
    let system = "requires = [\"hatchling>=99999\"]\nbuild-backend = \"hatchling.build\"";
    let folder = write(&package("a-none", system, &[]));
    let error = bench.build(request(folder.path(), "a-none", &frontend)).await.unwrap_err();
    assert!(matches!(error, BuildError::Failed { .. }), "{error}");
    assert!(error.to_string().contains("hatchling>=99999"), "{error}");
}

/// Builds a package with a script that writes a line per run; the error and the lines.
async fn failure(script: &str, timeout: Duration) -> Option<(BuildError, usize)> {
    let frontend = uv().await?;
    let bench = opened(true);
    let runs = tempfile::NamedTempFile::new().unwrap();
    let counted = format!(
        "if 'sdist' in sys.argv:\n    print('run', file=open({:?}, 'a'))\n    print('said', flush=True)\n    {script}",
        runs.path()
    );
    let folder = write(&scripted("a-fails", &counted));
    let request = BuildRequest { timeout, ..request(folder.path(), "a-fails", &frontend) };
    let out = request.out.clone();
    let error = bench.build(request).await.unwrap_err();
    assert_eq!(std::fs::read_dir(out).unwrap().count(), 0, "a failed build leaves nothing");
    bench.close().await;
    Some((error, std::fs::read_to_string(runs.path()).unwrap().lines().count()))
}

#[tokio::test]
async fn a_back_end_that_fails_is_asked_once_more_through_the_front_end() {
    for (script, words) in [
        ("raise SystemExit('the reason is here')", "the reason is here"),
        ("os.mkdir('left'); os._exit(0)", "said"),
        ("os.kill(os.getpid(), 9)", "said"),
    ] {
        let Some((error, runs)) = failure(script, TIMEOUT).await else { return };
        assert!(matches!(&error, BuildError::Failed { .. }), "{error}");
        assert!(error.to_string().contains(words), "{error}");
        assert!(error.to_string().contains("Failed to build"), "uv's own words: {error}");
        assert!(
            !error.to_string().contains("FileExistsError"),
            "the second try sees nothing of the first: {error}"
        );
        assert_eq!(runs, 2, "{script}");
    }
}

#[tokio::test]
async fn a_back_end_that_hangs_is_stopped_and_not_asked_again() {
    let Some((error, runs)) = failure("time.sleep(600)", Duration::from_secs(15)).await else { return };
    assert!(matches!(error, BuildError::TimedOut { .. }), "{error}");
    assert!(error.to_string().contains("took longer than 15 seconds"), "{error}");
    assert!(runs < 2, "{error}");
}

#[tokio::test]
async fn what_a_failed_try_left_is_not_in_the_files() {
    let Some(frontend) = uv().await else { return };
    let bench = opened(true);
    // It fails only where its parent is Python.
    let script = "if 'sdist' in sys.argv and 'python' in os.readlink(f'/proc/{os.getppid()}/exe'):\n    open('src/a_left/\
                  junk.py', 'w').close()\n    raise SystemExit(1)";
    same_as_uv(&bench, &frontend, &scripted("a-left", script), &["a-left"]).await;
    assert_eq!((bench.shared_builds(), bench.environments()), (0, 1));
    bench.close().await;
}

#[tokio::test]
async fn an_interpreter_that_dies_leaves_the_build_to_the_front_end() {
    let Some(frontend) = uv().await else { return };
    let bench = opened(true);
    let script = "if 'sdist' in sys.argv and 'python' in os.readlink(f'/proc/{os.getppid()}/exe'):\n    \
                  os.kill(os.getppid(), 9)\n    time.sleep(600)";
    let files = [scripted("a-kills", script), scripted("b-next", "pass")].concat();
    same_as_uv(&bench, &frontend, &files, &["a-kills", "b-next"]).await;
    bench.close().await;
}

#[tokio::test]
async fn hooks_and_front_ends_run_one_after_the_other_where_there_is_one_turn() {
    let Some(frontend) = uv().await else { return };
    let bench = narrow();
    let alone = tempfile::tempdir().unwrap();
    // One that finds another at work fails.
    let alone = alone.path().join("at-work");
    let script = format!("os.mkdir({alone:?})\ntime.sleep(0.1)\nos.rmdir({alone:?})");
    let backend = "import os, time\nfrom setuptools.build_meta import *\nexec(open('script').read())\n";
    let in_tree = "requires = [\"setuptools>=77\"]\nbuild-backend = \"own\"\nbackend-path = [\".\"]";
    let left = [("own.py", backend), ("script", &*script), ("MANIFEST.in", "include own.py script\n")];
    let files =
        [scripted("a-one", &script), scripted("b-two", &script), package("c-left", in_tree, &left)].concat();
    let folder = write(&files);
    let builds =
        ["a-one", "b-two", "c-left"].map(|name| bench.build(request(folder.path(), name, &frontend)));
    join_all(builds).await.into_iter().for_each(|built| assert_eq!(built.unwrap().files.len(), 2));
    assert_eq!(bench.shared_builds(), 2, "none of them had to be asked again");
    bench.close().await;
}

#[tokio::test]
async fn a_package_that_waits_for_its_turn_uses_nothing_of_its_time() {
    let Some(frontend) = uv().await else { return };
    let bench = narrow();
    let signs = tempfile::tempdir().unwrap();
    let (works, go) = (signs.path().join("works"), signs.path().join("go"));
    let script = format!("open({works:?}, 'w').close()\nwhile not os.path.exists({go:?}): time.sleep(0.01)");
    let folder = write(&[scripted("a-long", &script), scripted("b-waits", "pass")].concat());
    let long = bench.build(request(folder.path(), "a-long", &frontend));
    let limit = Duration::from_secs(15);
    let at_work = async {
        while !works.exists() {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    let waits = async {
        timeout(TIMEOUT, at_work).await.unwrap();
        let request = BuildRequest { timeout: limit, ..request(folder.path(), "b-waits", &frontend) };
        let go = async {
            tokio::time::sleep(limit).await;
            std::fs::write(&go, "").unwrap();
        };
        tokio::join!(bench.build(request), go).0
    };
    let (long, waited) = tokio::join!(long, waits);
    assert_eq!((long.unwrap().files.len(), waited.unwrap().files.len()), (2, 2));
    bench.close().await;
}

/// A back end that writes down what is asked of it, and puts its own version into what it builds.
const TOLD: &str = "
import os, tarfile
from importlib.metadata import version

def tell(what):
    with open(os.path.join(os.environ['TMPDIR'], 'told'), 'a') as file:
        print(what, version('flit_core'), file=file)

tell('imported')

def build_sdist(folder, config=None):
    tell('builds sdist')
    with open('pyproject.toml', 'rb') as file, tarfile.open(folder + '/a_tiny-1.2.0.tar.gz', 'w:gz') as archive:
        entry = tarfile.TarInfo('a_tiny-1.2.0/pyproject.toml')
        entry.size = os.path.getsize('pyproject.toml')
        archive.addfile(entry, file)
    return 'a_tiny-1.2.0.tar.gz'

def build_wheel(folder, config=None, metadata=None):
    tell('builds wheel')
    with open(folder + '/a_tiny-1.2.0-py3-none-any.whl', 'w') as file:
        file.write(version('flit_core'))
    return 'a_tiny-1.2.0-py3-none-any.whl'
";

/// Serves a folder as an index that is asked again each time. While there is a file `wait`, it answers for a project once
/// somebody has told something.
const INDEX: &str = "
import http.server, os, sys, time

class Handler(http.server.SimpleHTTPRequestHandler):
    def do_GET(self):
        del self.headers['If-Modified-Since']
        for _ in range(1200):
            if not self.path.startswith('/simple/') or not os.path.exists('wait') or os.path.exists(sys.argv[2]):
                break
            time.sleep(0.05)
        super().do_GET()

    def end_headers(self):
        self.send_header('Cache-Control', 'no-cache')
        super().end_headers()

http.server.ThreadingHTTPServer(('127.0.0.1', int(sys.argv[1])), Handler).serve_forever()
";

/// A folder with an index, the cache that goes with it, and a package to build from it.
struct Shelf {
    folder: TempDir,
    frontend: Frontend,
    port: u16,
}

impl Shelf {
    fn new(tool: &Tool) -> Shelf {
        let folder = tempfile::tempdir().unwrap();
        for name in ["index", "cache", "told"] {
            std::fs::create_dir(folder.path().join(name)).unwrap();
        }
        let port = free_port();
        let frontend = Frontend::Uv(Tool { cache: Some(folder.path().join("cache")), ..tool.clone() });
        Shelf { folder, frontend, port }
    }

    async fn serve(&self) -> JoinHandle<()> {
        let server = Command::new("python3").args(["-c", INDEX, &self.port.to_string()]).arg(self.told());
        serving(server.cwd(self.folder.path().join("index")), self.port).await
    }

    fn publish(&self, version: &'static str) {
        let sample = Sample::new("flit_core", version).file("flit_core/__init__.py", "");
        let wheel = sample.file("flit_core/buildapi.py", TOLD);
        let (name, bytes) = (wheel.wheel_name(), wheel.wheel());
        let index = self.folder.path().join("index");
        publish(&index, &PackageName::new("flit-core"), &name, &bytes, &Digest::of(&bytes)).unwrap();
    }

    /// Lets the index answer only once a back end was imported.
    fn wait(&self) {
        std::fs::write(self.folder.path().join("index/wait"), "").unwrap();
    }

    fn told(&self) -> PathBuf {
        self.folder.path().join("told/told")
    }

    /// Builds the package: the version of the back end in its wheel, and what the back ends told.
    async fn build(&self, bench: &Workbench) -> (String, Vec<String>) {
        let index =
            format!("[[tool.uv.index]]\nurl = \"http://127.0.0.1:{}/simple/\"\ndefault = true\n", self.port);
        let checkout = write(&package("a-tiny", FLIT, &[("pyproject.toml+", &index)]));
        let _ = std::fs::remove_file(self.told());
        let mut request = request(checkout.path(), "a-tiny", &self.frontend);
        request
            .environment
            .push(("TMPDIR".to_owned(), self.folder.path().join("told").display().to_string()));
        let built = bench.build(request).await.unwrap();
        let told = std::fs::read_to_string(self.told()).unwrap();
        let wheel = built.files.last().unwrap();
        (std::fs::read_to_string(&wheel.path).unwrap(), told.lines().map(str::to_owned).collect())
    }
}

fn spare(bench: &Workbench) -> usize {
    bench.spare.lock().unwrap().len()
}

#[tokio::test]
async fn a_back_end_from_the_cache_builds_only_where_the_index_still_has_no_other() {
    let Some(Frontend::Uv(tool)) = uv().await else { return };
    let shelf = Shelf::new(&tool);
    shelf.publish("1.0");
    let serving = shelf.serve().await;
    let builds =
        |version: &str| ["imported", "builds sdist", "builds wheel"].map(|what| format!("{what} {version}"));

    let cold = opened(false);
    assert_eq!(shelf.build(&cold).await.0, "1.0", "now it is in the cache");

    shelf.wait();
    let bench = opened(true);
    let again = shelf.build(&bench).await;
    assert_eq!(again, ("1.0".to_owned(), builds("1.0").to_vec()), "imported once, before the index answered");
    assert_eq!((bench.shared_builds(), spare(&bench)), (1, 1));
    bench.close().await;
    assert_eq!(spare(&bench), 0);

    shelf.publish("1.1");
    let bench = opened(true);
    let newer = shelf.build(&bench).await;
    let told = [&["imported 1.0".to_owned()][..], &builds("1.1")].concat();
    assert_eq!(newer, ("1.1".to_owned(), told), "the older one was imported and saw no package");
    assert_eq!((bench.shared_builds(), spare(&bench)), (1, 1));
    bench.close().await;
    serving.abort();
}

/// Prints how much faster seven packages are built than by `uv build --all-packages`, and that the files are the same.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "measures"]
async fn seven_packages_side_by_side_with_uv() {
    let Some(frontend) = uv().await else { return };
    let Frontend::Uv(tool) = &frontend else { return };
    let names = ["acme-a", "acme-b", "acme-c", "acme-d", "acme-e", "acme-f", "acme-g"];
    let root = "[tool.uv.workspace]\nmembers = [\"acme-*\"]\n";
    let mut files: Files = vec![("pyproject.toml".to_owned(), root.to_owned())];
    names.iter().for_each(|name| files.extend(package(name, HATCHLING, &[])));
    for round in 0..5 {
        let (ours, theirs) = (write(&files), write(&files));
        let began = Instant::now();
        let bench = opened(true);
        let builds = names.iter().map(|name| bench.build(request(ours.path(), name, &frontend)));
        let built: Vec<_> = join_all(builds).await.into_iter().map(Result::unwrap).collect();
        let fast = began.elapsed();
        bench.close().await;
        let closed = began.elapsed();
        let out = theirs.path().join("out");
        let began = Instant::now();
        let command =
            tool.command().args(["build", "--all-packages", "--out-dir"]).arg(&out).cwd(theirs.path());
        let command = command
            .set("SOURCE_DATE_EPOCH", "1700000000")
            .set("PYTHONHASHSEED", "0")
            .set("LC_ALL", "C.UTF-8");
        assert!(run(command).await.unwrap().success());
        let slow = began.elapsed();
        let files: Vec<_> = built.into_iter().flat_map(|built| built.files).collect();
        for file in &files {
            assert_eq!(
                file.digest,
                Digest::of(&std::fs::read(out.join(&file.name)).unwrap()),
                "{}",
                file.name
            );
        }
        println!(
            "round {round}: {} files the same; ours {fast:.2?} (closed {closed:.2?}), uv build --all-packages {slow:.2?}: \
             {:.1} times, {} shared",
            files.len(),
            slow.as_secs_f64() / fast.as_secs_f64(),
            bench.shared_builds()
        );
    }
}
