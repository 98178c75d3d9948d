"""Writes the `uv.lock` that uv itself would write for a workspace whose members need only each other."""

import re
import tomllib


def lock(files, revision):
    """The lock for a tree (path to text). Versions that are dynamic stay out of it, as uv leaves them out."""
    members = {}
    for path in sorted(files):
        found = re.fullmatch(r"(packages/[^/]+)/pyproject\.toml", path)
        if found:
            member = read(found[1], tomllib.loads(files[path]))
            members[member["name"]] = member
    names = sorted(members)
    parts = [f'version = 1\nrevision = {revision}\nrequires-python = ">=3.10"\n']
    listed = "".join(f'    "{name}",\n' for name in names)
    parts.append(f"[manifest]\nmembers = [\n{listed}]\n")
    parts += [entry(members[name], members) for name in names]
    return "\n".join(parts)


def read(path, manifest):
    """What the lock says of one member."""
    project = manifest["project"]
    needs = {}
    for requirement in sorted(project.get("dependencies", [])):
        name = re.match(r"[a-z-]+", requirement)[0]
        marker = requirement.partition(";")[2].strip().replace("python_version", "python_full_version")
        needs[name] = marker.replace('"', "'")
    return {"name": project["name"], "version": project.get("version"), "path": path, "needs": needs}


def entry(member, members):
    """One `[[package]]` table."""
    lines = ["[[package]]", f'name = "{member["name"]}"']
    if member["version"]:
        lines.append(f'version = "{member["version"]}"')
    lines.append(f'source = {{ editable = "{member["path"]}" }}')
    needs = member["needs"]
    if needs:
        lines += ["dependencies = [", *(f'    {{ name = "{need}" }},' for need in needs), "]", ""]
        rows = [wanted(need, marker, members[need]["path"]) for need, marker in needs.items()]
        lines.append("[package.metadata]")
        if len(rows) == 1:
            lines.append(f"requires-dist = [{rows[0]}]")
        else:
            lines += ["requires-dist = [", *(f"    {row}," for row in rows), "]"]
    return "\n".join(lines) + "\n"


def wanted(name, marker, path):
    """One row of `requires-dist`; uv leaves the specifiers of members out of it."""
    shown = f'marker = "{marker}", ' if marker else ""
    return f'{{ name = "{name}", {shown}editable = "{path}" }}'
