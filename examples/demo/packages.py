"""The seven packages as they first come into the repository: manifests and modules."""

ROOT = {
    "README.md": """\
# fairweather

Small tools for a weather station in the garden. Seven packages, one repository:
units, readings, stations, alerts, forecast, almanac, dashboard.
""",
    ".gitignore": """\
__pycache__/
*.egg-info/
.venv/
build/
dist/
""",
    "pyproject.toml": """\
# The workspace itself is no package.
[tool.uv.workspace]
members = ["packages/*"]

[tool.uv.sources]
fairweather-alerts = { workspace = true }
fairweather-almanac = { workspace = true }
fairweather-forecast = { workspace = true }
fairweather-readings = { workspace = true }
fairweather-stations = { workspace = true }
fairweather-units = { workspace = true }
""",
}

UNITS = {
    "pyproject.toml": """\
[build-system]
requires = ["flit_core>=3.9,<4"]
build-backend = "flit_core.buildapi"

[project]
name = "fairweather-units"
description = "Temperatures, pressures and winds in the units people use."
readme = "README.md"
requires-python = ">=3.10"
dynamic = ["version"]   # stands in src/fairweather_units/__init__.py

[tool.flit.module]
name = "fairweather_units"
""",
    "README.md": "# fairweather-units\n\nTemperatures, pressures and winds in the units people use.\n",
    "src/fairweather_units/__init__.py": '''\
"""Temperatures, pressures and winds in the units people use."""

__version__ = "1.0.0"


def fahrenheit(celsius: float) -> float:
    """Degrees Fahrenheit of degrees Celsius."""
    return celsius * 9 / 5 + 32


def inches_of_mercury(hectopascal: float) -> float:
    """Inches of mercury of hectopascals."""
    return hectopascal * 0.0295299830714
''',
}

READINGS = {
    "pyproject.toml": """\
[build-system]
requires = ["hatchling>=1.24"]
build-backend = "hatchling.build"

[project]
name = "fairweather-readings"
version = "1.0.0"
description = "One line of a station's log, as a value."
readme = "README.md"
requires-python = ">=3.10"
dependencies = [
    "fairweather-units>=1.0,<2",  # conversions only
]

[tool.hatch.build.targets.wheel]
packages = ["src/fairweather_readings"]
""",
    "README.md": "# fairweather-readings\n\nOne line of a station's log, as a value.\n",
    "src/fairweather_readings/__init__.py": '''\
"""One line of a station's log, as a value."""

from dataclasses import dataclass

from fairweather_units import fahrenheit


@dataclass
class Reading:
    """What a station saw at one moment."""

    time: str
    celsius: float
    wind: float

    def describe(self) -> str:
        return f"{self.time}  {self.celsius:.1f} C ({fahrenheit(self.celsius):.0f} F)  {self.wind:.1f} m/s"


def parse(line: str) -> Reading:
    """Reads `time;celsius;wind`; a ValueError names the broken line."""
    parts = line.strip().split(";")
    if len(parts) != 3:
        raise ValueError(f"not a reading: {line!r}")
    return Reading(parts[0], float(parts[1]), float(parts[2]))
''',
}

STATIONS = {
    "pyproject.toml": """\
[build-system]
requires = ["setuptools>=69"]
build-backend = "setuptools.build_meta"

[project]
name = "fairweather-stations"
description = "The stations that are known, and their logs."
readme = "README.md"
requires-python = ">=3.10"
dynamic = ["version"]
dependencies = ["fairweather-readings>=1.0,<2", "fairweather-units>=1.0"]

[tool.setuptools.dynamic]
version = { attr = "fairweather_stations.version.VERSION" }

[tool.setuptools.packages.find]
where = ["src"]
""",
    "README.md": "# fairweather-stations\n\nThe stations that are known, and their logs.\n",
    "src/fairweather_stations/version.py": '''\
"""The version, for the build and for people."""

VERSION = "0.3.0"
''',
    "src/fairweather_stations/__init__.py": '''\
"""The stations that are known, and their logs."""

from fairweather_readings import Reading, parse

LOGS = {
    "Bergen": ["2025-01-06T08:00;3.5;7.2", "2025-01-06T14:00;4.1;9.0"],
    "Oslo": ["2025-01-06T08:00;-6.0;1.4", "2025-01-06T14:00;-3.2;2.1"],
}


def find(place: str) -> list[Reading]:
    """All readings of the station at a place; a KeyError where there is none."""
    return [parse(line) for line in LOGS[place]]
''',
}

ALERTS = {
    "pyproject.toml": """\
[build-system]
requires = ["setuptools>=69"]
build-backend = "setuptools.build_meta"

[project]
name = "fairweather-alerts"
version = "0.2.0"
description = "Warns of frost and storm."
requires-python = ">=3.10"
dependencies = [
    'fairweather-readings >= 1.0, < 2',
    'fairweather-units ; python_version >= "3.10"',
]

[tool.setuptools.packages.find]
where = ["src"]
""",
    "src/fairweather_alerts/__init__.py": '''\
"""Warns of frost and storm."""

from fairweather_readings import Reading


def warnings(reading: Reading) -> list[str]:
    """The warnings that one reading deserves."""
    found = []
    if reading.celsius < 0:
        found.append("frost")
    if reading.wind >= 20.8:
        found.append("storm")
    return found
''',
}

ALMANAC = {
    "pyproject.toml": """\
[build-system]
requires = ["poetry-core>=2.0,<3"]
build-backend = "poetry.core.masonry.api"

[project]
name = "fairweather-almanac"
version = "0.1.0"
description = "What the weather used to be."
authors = [{ name = "Chiara Rossi", email = "chiara@fairweather.example" }]
requires-python = ">=3.10"
dependencies = ["fairweather-units (>=1.1,<2.0)"]

[tool.poetry]
packages = [{ include = "fairweather_almanac", from = "src" }]
""",
    "src/fairweather_almanac/__init__.py": '''\
"""What the weather used to be."""

from fairweather_units import fahrenheit

MEANS = {"Bergen": [1.9, 1.7, 3.3], "Oslo": [-4.3, -4.0, -0.2]}


def mean(place: str, month: int) -> float:
    """The mean temperature of a month (1 for January), in degrees Celsius."""
    return MEANS[place][month - 1]


def line(place: str, month: int) -> str:
    celsius = mean(place, month)
    return f"{place} {month:02}: {celsius:.1f} C, {fahrenheit(celsius):.0f} F"
''',
}

FORECAST = {
    "pyproject.toml": """\
[build-system]
requires = ["uv_build>=0.8,<1"]
build-backend = "uv_build"

[project]
name = "fairweather-forecast"
version = "1.0.0"
description = "Tomorrow is like today."
readme = "README.md"
requires-python = ">=3.10"
dependencies = ["fairweather-readings~=2.1", "fairweather-stations~=0.4.0"]

[project.scripts]
fairweather-forecast = "fairweather_forecast.command:main"
""",
    "README.md": "# fairweather-forecast\n\nTomorrow is like today.\n",
    "src/fairweather_forecast/__init__.py": '''\
"""Tomorrow is like today."""

from fairweather_readings import Reading, mean


def tomorrow(readings: list[Reading]) -> float:
    """The temperature to expect, in degrees Celsius."""
    return mean(readings)
''',
    "src/fairweather_forecast/command.py": '''\
"""The command `fairweather-forecast`."""

import argparse

from fairweather_forecast import tomorrow
from fairweather_stations import LOGS, find


def main() -> None:
    parser = argparse.ArgumentParser(prog="fairweather-forecast", description="Tomorrow's temperature.")
    parser.add_argument("station", nargs="?", default=min(LOGS), choices=sorted(LOGS))
    chosen = parser.parse_args().station
    print(f"{chosen}: {tomorrow(find(chosen)):.1f} C tomorrow")
''',
}

DASHBOARD = {
    "pyproject.toml": """\
[build-system]
requires = ["pdm-backend>=2.4"]
build-backend = "pdm.backend"

[project]
name = "fairweather-dashboard"
version = "0.1.0"
description = "A page of text for one station."
readme = "README.md"
requires-python = ">=3.10"
dependencies = [
    "fairweather-forecast>=1.0",
    "fairweather-stations >=0.4",
    "fairweather-units==1.*",
]

[project.scripts]
fairweather = "fairweather_dashboard:main"
""",
    "README.md": "# fairweather-dashboard\n\nA page of text for one station.\n",
    "src/fairweather_dashboard/__init__.py": '''\
"""A page of text for one station."""

import argparse

from fairweather_forecast import tomorrow
from fairweather_stations import find
from fairweather_units import beaufort


def page(station: str) -> str:
    """The readings of a station and what to expect."""
    readings = find(station)
    lines = [f"{reading.describe()}  {beaufort(reading.wind or 0)} Bft" for reading in readings]
    return "\\n".join([f"== {station} ==", *lines, f"tomorrow {tomorrow(readings):.1f} C"])


def main() -> None:
    parser = argparse.ArgumentParser(prog="fairweather", description="A page of text for one station.")
    parser.add_argument("station", nargs="?", default="BGO", help="a station's code")
    print(page(parser.parse_args().station))
''',
}


def folder(short, files):
    """The files of a package, by their paths in the repository."""
    return {f"packages/{short}/{path}": text for path, text in files.items()}
