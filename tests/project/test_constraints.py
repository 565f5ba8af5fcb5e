"""constraints.txt is what `make` installs under: an install next year is the install of today."""

import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
REQUIRED = [*PROJECT["dependencies"], *(one for extra in PROJECT["optional-dependencies"].values() for one in extra)]


def _pins() -> list[Requirement]:
    lines = (ROOT / "constraints.txt").read_text().splitlines()
    return [Requirement(line) for line in lines if line.strip() and not line.lstrip().startswith("#")]


@pytest.mark.parametrize("required", REQUIRED)
def test_every_requirement_has_a_pin_that_satisfies_it(required: str) -> None:
    requirement = Requirement(required)
    pins = [pin for pin in _pins() if canonicalize_name(pin.name) == canonicalize_name(requirement.name)]
    versions = [next(iter(pin.specifier)).version for pin in pins]
    assert versions, f"{requirement.name} has no pin: run `make lock`"
    assert all(requirement.specifier.contains(version) for version in versions), f"{required} against {versions}"


def test_every_line_is_one_exact_version_and_no_address() -> None:
    for pin in _pins():
        assert pin.url is None, pin
        assert [clause.operator for clause in pin.specifier] == ["=="], pin
