"""A build back end without dependencies, lent to test packages: pure Python, static metadata, the same bytes always.

Reads `[project]` or `[tool.poetry]`; takes the modules from `src/`, or else every `.py` and package beside the manifest.
"""

import base64
import gzip
import hashlib
import io
import re
import tarfile
import tomllib
import zipfile
from pathlib import Path


def build_wheel(wheel_directory, config_settings=None, metadata_directory=None):
    project = read()
    info = f"{project['file']}-{project['version']}.dist-info"
    files = {name: Path(path).read_bytes() for name, path in modules().items()}
    files[f"{info}/METADATA"] = metadata(project).encode()
    files[f"{info}/WHEEL"] = b"Wheel-Version: 1.0\nGenerator: small\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
    if project["scripts"]:
        rows = "".join(f"{name} = {target}\n" for name, target in sorted(project["scripts"].items()))
        files[f"{info}/entry_points.txt"] = f"[console_scripts]\n{rows}".encode()
    record = "".join(f"{name},sha256={digest(data)},{len(data)}\n" for name, data in sorted(files.items()))
    files[f"{info}/RECORD"] = f"{record}{info}/RECORD,,\n".encode()
    target = f"{project['file']}-{project['version']}-py3-none-any.whl"
    with zipfile.ZipFile(Path(wheel_directory, target), "w") as wheel:
        for name, data in files.items():
            wheel.writestr(zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0)), data)
    return target


def build_sdist(sdist_directory, config_settings=None):
    project = read()
    root = f"{project['file']}-{project['version']}"
    files = {path: Path(path).read_bytes() for path in [*modules().values(), "pyproject.toml", "small_backend.py"]}
    files["PKG-INFO"] = metadata(project).encode()
    with open(Path(sdist_directory, f"{root}.tar.gz"), "wb") as target:
        with gzip.GzipFile("", "wb", fileobj=target, mtime=0) as packed, tarfile.open(fileobj=packed, mode="w") as sdist:
            for path, data in sorted(files.items()):
                member = tarfile.TarInfo(f"{root}/{path}")
                member.size = len(data)
                sdist.addfile(member, io.BytesIO(data))
    return f"{root}.tar.gz"


def read():
    manifest = tomllib.loads(Path("pyproject.toml").read_text(encoding="utf-8"))
    poetry = manifest.get("tool", {}).get("poetry", {})
    project = manifest.get("project") or poetry
    if "project" in manifest:
        needs = project.get("dependencies", [])
    else:
        needs = [caret(name, bound) for name, bound in poetry.get("dependencies", {}).items() if name != "python"]
    name = project["name"]
    return {
        "name": name,
        "file": re.sub(r"[-_.]+", "_", name).lower(),
        "version": project["version"],
        "needs": needs,
        "extras": project.get("optional-dependencies", {}),
        "scripts": project.get("scripts", {}),
    }


def caret(name, bound):
    """Poetry's `^1.2` as PEP 440 says it."""
    if not bound.startswith("^"):
        return name + bound
    parts = [int(part) for part in bound[1:].split(".")]
    first = next((index for index, part in enumerate(parts) if part), len(parts) - 1)
    return f"{name}>={bound[1:]},<{'.'.join(map(str, [*parts[:first], parts[first] + 1]))}"


def metadata(project):
    lines = ["Metadata-Version: 2.1", f"Name: {project['name']}", f"Version: {project['version']}"]
    lines += [f"Requires-Dist: {need}" for need in project["needs"]]
    for extra, needs in project["extras"].items():
        lines.append(f"Provides-Extra: {extra}")
        lines += [f"Requires-Dist: {need} ; extra == '{extra}'" for need in needs]
    return "\n".join(lines) + "\n"


def modules():
    """The files of the wheel: name inside, path here."""
    root = Path("src") if Path("src").is_dir() else Path(".")
    found = [path for path in sorted(root.rglob("*.py")) if "small_backend" not in path.name]
    if root == Path("."):
        found = [path for path in found if len(path.parts) == 1 or Path(path.parts[0], "__init__.py").exists()]
    return {path.relative_to(root).as_posix(): path.as_posix() for path in found}


def digest(data):
    return base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode()
