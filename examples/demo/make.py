#!/usr/bin/env python3
"""Makes `history.fi`, the demo's repository as a `git fast-import` stream.

usage: make.py [--check]    --check: write nothing, fail where the file is not what would be written

The same bytes on every machine: people and times are fixed. Needs Python 3.11 and git.
"""

import sys
from pathlib import Path

sys.dont_write_bytecode = True

import packages
from lock import lock
from stream import Stream, write

TARGET = Path(__file__).resolve().parent / "history.fi"
UNITS = "packages/units/src/fairweather_units/__init__.py"
READINGS = "packages/readings/src/fairweather_readings/__init__.py"
STATIONS = "packages/stations/src/fairweather_stations/__init__.py"
ALERTS = "packages/alerts/src/fairweather_alerts/__init__.py"
ALMANAC = "packages/almanac/src/fairweather_almanac/__init__.py"
DASHBOARD = "packages/dashboard/src/fairweather_dashboard/__init__.py"


class Story(Stream):
    """A stream that keeps uv.lock right and knows how this repository's people edit and release."""

    revision = 2

    def work(self, author, message, changes, merge=None):
        """A commit whose lock follows its manifests."""
        after = {path: text for path, text in {**self.files, **changes}.items() if text is not None}
        self.commit(author, message, {**changes, "uv.lock": lock(after, self.revision)}, merge)

    def add(self, author, message, short, files):
        """A package comes in."""
        self.work(author, message, packages.folder(short, files))

    def edit(self, path, *pairs):
        """The changes for one file: each (old, new) pair replaced where it stands, once."""
        text = self.files[path]
        for old, new in pairs:
            assert text.count(old) == 1, f"{path}: {text.count(old)} times {old!r}"
            text = text.replace(old, new)
        return {path: text}

    def append(self, path, more):
        return {path: self.files[path] + more}

    def release(self, author, versions, edits, notes):
        """A release as people made it by hand before they had a tool for it."""
        changes = {}
        for path, pairs in edits.items():
            changes.update(self.edit(path, *pairs))
        for path, section in notes.items():
            head, rule, rest = self.files.get(path, "# Changelog\n\n").partition("# Changelog\n\n")
            changes[path] = head + rule + section + ("\n" + rest if rest else "")
        told = ", ".join(f"{name} {version}" for name, version in versions.items())
        self.work(author, f"chore(release): {told}", changes)
        for name, version in versions.items():
            self.tag(author, f"{name}-v{version}", f"{name} {version}" if name != "alerts" else None)


def first_releases(story):
    story.work("ada", "chore: begin the repository", packages.ROOT)
    story.add("ada", "feat(units): convert temperatures and pressures", "units", packages.UNITS)
    story.work("ben", "docs(units): say where the constant comes from", story.append(
        "packages/units/README.md", "\nThe inch of mercury is that of NIST SP 811, at 0 degrees Celsius.\n"))
    story.add("ben", "feat(readings): read one line of a station's log", "readings", packages.READINGS)
    story.work("ben", "test(readings): a line with a hole is refused", {
        "packages/readings/tests/test_parse.py":
            "import pytest\nfrom fairweather_readings import parse\n\n\n"
            "def test_a_line_with_a_hole_is_refused():\n"
            "    with pytest.raises(ValueError):\n        parse('2025-01-06T08:00;3.5')\n"})
    story.release("ada", {"units": "1.0.0", "readings": "1.0.0"}, {}, {
        "packages/units/CHANGELOG.md": "## 1.0.0 (2025-01-11)\n\n- Temperatures and pressures.\n",
        "packages/readings/CHANGELOG.md": "## [1.0.0] - 2025-01-11\n\n### Added\n\n- Read one line of a log.\n"})


def stations_and_alerts(story):
    story.add("chi", "feat(stations): a list of the stations we know", "stations", packages.STATIONS)
    story.add("ada", "feat(alerts): warn of frost and storm", "alerts", packages.ALERTS)
    story.work("ben", "feat(units): wind in knots", story.append(UNITS, '''

def knots(metres_per_second: float) -> float:
    """Knots of metres per second."""
    return metres_per_second * 3600 / 1852
'''))
    story.work("ben", "fix(units): keep inches of mercury to two digits\n\nBarometers show no more.", story.edit(
        UNITS, ("return hectopascal * 0.0295299830714", "return round(hectopascal * 0.0295299830714, 2)")))
    story.release("ada", {"units": "1.1.0", "stations": "0.3.0", "alerts": "0.2.0"}, {
        UNITS: [('"1.0.0"', '"1.1.0"')]}, {
        "packages/units/CHANGELOG.md": "## 1.1.0 (2025-01-15)\n\n- Knots.\n- Inches of mercury have two digits.\n",
        "packages/stations/CHANGELOG.md": "## 0.3.0\n\n* A list of the stations we know\n"})


def frozen_readings(story):
    story.work("ben", "feat(readings)!: readings are frozen\n\n"
               "BREAKING CHANGE: fields of a `Reading` can no longer be set; make a new one.",
               story.edit(READINGS, ("@dataclass\n", "@dataclass(frozen=True)\n")))
    story.work("chi", "fix(stations): an unknown place says which ones are known", story.edit(
        STATIONS, ("    return [parse(line)", '    if place not in LOGS:\n'
                   '        raise KeyError(f"{place} is none of {sorted(LOGS)}")\n    return [parse(line)')))
    story.release("ada", {"readings": "2.0.0", "stations": "0.4.0", "alerts": "0.2.1"}, {
        "packages/readings/pyproject.toml": [('"1.0.0"', '"2.0.0"')],
        "packages/stations/pyproject.toml": [("readings>=1.0,<2", "readings~=2.0")],
        "packages/stations/src/fairweather_stations/version.py": [("0.3.0", "0.4.0")],
        "packages/alerts/pyproject.toml": [('"0.2.0"', '"0.2.1"'), (">= 1.0, < 2", ">= 2.0, < 3")]}, {
        "packages/readings/CHANGELOG.md": "## [2.0.0] - 2025-01-17\n\n### Changed\n\n- Readings are frozen.\n",
        "packages/stations/CHANGELOG.md": "## 0.4.0\n\n* An unknown place says which ones are known\n"})


def almanac_and_forecast(story):
    story.switch("almanac")
    story.add("chi", "feat(almanac): what the weather used to be", "almanac", packages.ALMANAC)
    story.work("chi", "test(almanac): January in Oslo", {
        "packages/almanac/tests/test_mean.py":
            "from fairweather_almanac import mean\n\n\ndef test_january_in_oslo():\n    assert mean('Oslo', 1) == -4.3\n"})
    story.switch("main")
    story.work("ben", "feat(readings): the mean of several readings", story.append(READINGS, '''

def mean(readings: list[Reading]) -> float:
    """The mean temperature; a ValueError where there are none."""
    if not readings:
        raise ValueError("no readings")
    return sum(reading.celsius for reading in readings) / len(readings)
'''))
    both = {**story.files, **story.trees["almanac"], READINGS: story.files[READINGS]}
    story.merge("ada", "almanac", {"uv.lock": lock(both, story.revision)})
    story.add("ada", "feat(forecast): tomorrow is like today", "forecast", packages.FORECAST)
    story.release("ada", {"readings": "2.1.0", "forecast": "1.0.0", "almanac": "0.1.0"}, {
        "packages/readings/pyproject.toml": [('"2.0.0"', '"2.1.0"')]}, {
        "packages/readings/CHANGELOG.md": "## [2.1.0] - 2025-01-23\n\n### Added\n\n- The mean of several readings.\n"})


def since_then(story):
    """What no release holds yet."""
    story.work("chi", "docs: how to add a station", story.append(
        "README.md", "\nA new station is one line in `packages/stations`.\n"))
    story.work("ben", "feat(units): the Beaufort scale", story.append(UNITS, '''

def beaufort(metres_per_second: float) -> int:
    """The Beaufort number of a wind."""
    return min(12, round((max(metres_per_second, 0) / 0.836) ** (2 / 3)))
'''))
    story.work("ben", "fix(readings): a missing wind is not a calm\n\n"
               "The anemometer freezes in winter and leaves the column empty.", story.edit(
                   READINGS, ("    wind: float\n", "    wind: float | None\n"),
                   ("  {self.wind:.1f} m/s\"", "  {wind}\""),
                   ("        return f", '        wind = "no wind" if self.wind is None else f"{self.wind:.1f} m/s"\n        return f'),
                   ("float(parts[2]))", "float(parts[2]) if parts[2] else None)")))
    story.revision = 3
    story.work("ada", "chore: write the lock with a newer uv", {})
    story.work("chi", "wip stations", {
        "packages/stations/tests/test_find.py":
            "from fairweather_stations import find\n\n\ndef test_bergen():\n    assert len(find('Bergen')) == 2\n"})
    story.work("chi", "feat(stations)!: stations are found by their code\n\n"
               "Two places can share a name; no two stations share a code.\n\n"
               "BREAKING CHANGE: `find(\"Oslo\")` is now `find(\"OSL\")`.", {
                   **story.edit(STATIONS, ('"Bergen"', '"BGO"'), ('"Oslo"', '"OSL"'),
                                ("def find(place: str)", "def find(code: str)"),
                                ("of the station at a place", "of the station with a code"),
                                ("if place not in LOGS", "if code not in LOGS"),
                                ('f"{place} is none', 'f"{code} is none'), ("LOGS[place]]", "LOGS[code]]")),
                   "packages/stations/tests/test_find.py":
                       "from fairweather_stations import find\n\n\ndef test_bergen():\n    assert len(find('BGO')) == 2\n"})
    story.work("ada", "Seasons and records (#31)\n\n"
               "* feat(almanac): the mean of a season\n\n"
               "* fix(almanac): months that we have no means of\n\n"
               "* test(almanac): winter in Bergen\n\n"
               "Co-authored-by: Chiara Rossi <chiara@fairweather.example>", {
                   **story.edit(ALMANAC, ("    return MEANS[place][month - 1]\n",
                                          "    if not 1 <= month <= len(MEANS[place]):\n"
                                          "        raise ValueError(f\"no mean of month {month}\")\n"
                                          "    return MEANS[place][month - 1]\n\n\n"
                                          "def season(place: str, months: list[int]) -> float:\n"
                                          "    \"\"\"The mean temperature of several months.\"\"\"\n"
                                          "    return sum(mean(place, month) for month in months) / len(months)\n")),
                   **story.append("packages/almanac/tests/test_mean.py",
                                  "\n\ndef test_winter_in_bergen():\n    assert round(season('Bergen', [1, 2]), 1) == 1.8\n")})
    before = dict(story.files)
    story.work("ben", "feat(alerts): warn by text message", story.append(ALERTS, '''

def message(reading: Reading) -> str:
    """The warnings as one short text."""
    return " and ".join(warnings(reading)) or "all is well"
'''))
    story.work("ben", f'Revert "feat(alerts): warn by text message"\n\nThis reverts commit {story.head()}.\n\n'
               "Nobody answers the phone.", {ALERTS: before[ALERTS]})
    story.work("ada", "ci: run the tests with Python 3.13 too", {
        ".github/workflows/tests.yml":
            "name: tests\non: [push]\njobs:\n  tests:\n    strategy:\n      matrix: { python: ['3.11', '3.13'] }\n"
            "    runs-on: ubuntu-latest\n    steps: [{ run: 'true' }]\n"})
    the_dashboard(story)
    story.work("ben", "fix(packages/readings): accept a decimal comma", story.edit(
        READINGS, ('parts = line.strip().split(";")', 'parts = line.strip().replace(",", ".").split(";")')))
    story.work("ada", "refactor: say `station` and `reading` everywhere", {
        **story.edit(UNITS, ('"""Knots of metres per second."""', '"""Knots of a wind in metres per second."""')),
        **story.edit(ALERTS, ('"""The warnings that one reading deserves."""', '"""The warnings that a reading deserves."""'))})
    story.work("ada", "build(units): allow flit 3.8", story.edit(
        "packages/units/pyproject.toml", ("flit_core>=3.9,<4", "flit_core>=3.8,<4")))


def the_dashboard(story):
    story.switch("dashboard")
    story.add("chi", "feat(dashboard): a page of text for one station", "dashboard", packages.DASHBOARD)
    story.work("chi", "fix(dashboard): align the columns", story.edit(
        DASHBOARD, ("{beaufort(reading.wind or 0)} Bft", "{beaufort(reading.wind or 0):2} Bft")))
    story.switch("main")
    story.work("ben", "style(units): whole sentences", story.edit(
        UNITS, ('"""The Beaufort number of a wind."""', '"""The Beaufort number of a wind in metres per second."""')))
    both = {**story.files, **story.trees["dashboard"], UNITS: story.files[UNITS]}
    story.merge("ada", "dashboard", {"uv.lock": lock(both, story.revision)})


def history():
    story = Story()
    first_releases(story)
    stations_and_alerts(story)
    frozen_readings(story)
    almanac_and_forecast(story)
    since_then(story)
    return story


def main():
    story = history()
    if "--check" in sys.argv[1:]:
        if not TARGET.exists() or TARGET.read_text(encoding="utf-8") != story.text() + "done\n":
            sys.exit(f"{TARGET.name} is not what make.py writes: run examples/demo/make.py")
        return
    write(story, TARGET)


if __name__ == "__main__":
    main()
