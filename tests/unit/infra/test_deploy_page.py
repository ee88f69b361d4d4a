"""docs/deploy.md speaks of parameters, outputs, subnets and files that are there."""

import re
from pathlib import Path

import pytest

from tests.unit.infra.templates import INFRA, template

ROOT = INFRA.parent
PAGE = (ROOT / "docs" / "deploy.md").read_text(encoding="utf-8")
MAIN = template(INFRA / "main.bicep")
PARAMETER_FILES = sorted(INFRA.rglob("*.bicepparam"))
OF_THE_READER = {"TEAM_KEY"}
"""Variables that the reader fills in for one command."""


def names(kind: str) -> set[str]:
    return {one.name for one in MAIN.all(kind)}


def read_by_profiles() -> set[str]:
    return {
        name
        for path in PARAMETER_FILES
        for name in re.findall(r"readEnvironmentVariable\('(\w+)'", path.read_text(encoding="utf-8"))
    }


def test_every_parameter_that_the_page_names_is_there() -> None:
    named = set(re.findall(r"`([a-z]+[A-Z]\w*)(?: = [^`]+)?`", PAGE))

    assert named
    host = (ROOT / "host.json").read_text(encoding="utf-8")
    bicep = "".join(path.read_text(encoding="utf-8") for path in (ROOT / "infra").rglob("*.bicep"))
    assert {name for name in named - names("param") if f'"{name}"' not in host and f"{name}:" not in bicep} == set()


def test_every_variable_that_the_page_uses_is_an_output_or_read_by_a_profile() -> None:
    used = set(re.findall(r"\$\{?([A-Z][A-Z_]+)", PAGE)) - OF_THE_READER

    assert used - names("output") - read_by_profiles() == set()


def test_every_variable_that_only_the_reader_knows_is_explained() -> None:
    optional = {"PUBLISHER_NAME", "PUBLISHER_EMAIL", "PUBLISHER_PRINCIPAL_ID"}

    assert {name for name in read_by_profiles() - optional if name not in PAGE} == set()


def read_by(path: Path) -> set[str]:
    return set(re.findall(r"readEnvironmentVariable\('(\w+)'", path.read_text(encoding="utf-8")))


@pytest.mark.parametrize(
    "path", [path for path in PARAMETER_FILES if path.stem != "beside"], ids=lambda path: path.name
)
def test_every_profile_with_a_gateway_reads_the_same_variables(path: Path) -> None:
    others = {name for other in PARAMETER_FILES if other.stem != "beside" for name in read_by(other)}

    # A classic gateway is closed from the first minute on.
    assert others - read_by(path) - {"FIRST_DEPLOYMENT"} == set()


def test_the_page_lists_the_subnets_that_the_template_makes() -> None:
    network = (INFRA / "modules" / "network.bicep").read_text(encoding="utf-8")
    subnets = re.findall(r"^ +name: '([\w-]+)'\n +properties: \{\n +addressPrefix:", network, re.MULTILINE)
    section = PAGE.split("## Your own network")[1].split("\n## ")[0]

    assert sorted(re.findall(r"^\| `([\w-]+)` \| /\d\d \|", section, re.MULTILINE)) == sorted(subnets)


def test_the_page_s_table_of_parts_names_every_module() -> None:
    section = PAGE.split("## What there is")[1].split("\n## ")[0]
    patterns = re.findall(r"`([a-z][\w*-]+)`", "\n".join(re.findall(r"^\| [^|]+ \| ([^|]+) \|", section, re.MULTILINE)))

    def listed(stem: str) -> bool:
        return any(stem == one or (one.endswith("*") and stem.startswith(one[:-1])) for one in patterns)

    helpers = {"storage-container-role", "types"}
    modules = {path.stem for path in (INFRA / "modules").glob("*.bicep")} - helpers

    assert {stem for stem in modules if not listed(stem)} == set()
    assert {one for one in patterns if not any(listed(stem) and one.rstrip("*") in stem for stem in modules)} == set()


def test_every_file_that_the_page_names_is_there() -> None:
    named = set(re.findall(r"\b(infra/[\w./-]+\.(?:bicep|bicepparam|json|sh|sql))\b", PAGE))

    assert named
    assert {path for path in named if not (ROOT / path).exists()} == set()
