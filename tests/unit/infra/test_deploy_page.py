"""docs/deploy.md speaks of parameters, outputs, subnets and files that are there, and its commands run as they are."""

import re
import subprocess
import textwrap
from dataclasses import dataclass
from pathlib import Path

import pytest
from sqlalchemy.engine import make_url

from tests.parts.desk.world import KEY, OUTPUTS, World, copy_of_checkout, set_up, tables_of
from tests.unit.infra.templates import INFRA, template, templates
from tests.unit.test_worker_index import FUNCTIONS

ROOT = INFRA.parent
PAGE = (ROOT / "docs" / "deploy.md").read_text(encoding="utf-8")
MAIN = template(INFRA / "main.bicep")
PARAMETER_FILES = sorted(INFRA.rglob("*.bicepparam"))
SETTINGS = dict(re.findall(r"^   ([A-Z_]+)=(.*)$", PAGE, re.MULTILINE))
"""What the page has the reader write down."""


@dataclass(frozen=True)
class Block:
    """Commands of the page: their language, their text and the line that they begin in."""

    language: str
    text: str
    line: int


def blocks() -> list[Block]:
    return [
        Block(found[2], textwrap.dedent(found[3]), PAGE[: found.start()].count("\n") + 2)
        for found in re.finditer(r"^( *)```(\w*)\n(.*?)^\1```$", PAGE, re.MULTILINE | re.DOTALL)
    ]


SHELL = [block for block in blocks() if block.language == "sh"]


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
    used = set(re.findall(r"\$\{?([A-Z][A-Z_]+)", PAGE)) - set(SETTINGS)
    set_by_the_page = {name for block in SHELL for name in re.findall(r"^\s*([A-Z][A-Z_]+)=", block.text, re.MULTILINE)}

    assert used - names("output") - read_by_profiles() - set_by_the_page == set()


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


# The commands


COMMAND = re.compile(r"^ {4,}(az|azd|curl|sqlcmd|python3?|infra/scripts/\S+) ", re.MULTILINE)


def test_every_command_stands_in_a_block_that_says_so() -> None:
    elsewhere = re.sub(r"^( *)```sh\n.*?^\1```$", "", PAGE, flags=re.MULTILINE | re.DOTALL)

    assert SHELL
    assert {block.language for block in blocks()} <= {"", "bicep", "sh"}
    assert COMMAND.findall(elsewhere) == []


def test_no_command_hides_that_another_one_failed() -> None:
    # `export a=$(false)` and `eval "$(false)"` succeed.
    hiding = re.compile(r"\b(export|local|readonly) \w+=\"?\$\(|\beval \"?\$\(")

    assert [block.line for block in SHELL if hiding.search(block.text)] == []


def test_every_provider_of_the_templates_is_registered() -> None:
    (listed,) = re.findall(r"for provider in ([\w\s\\]+?); do", PAGE)
    used = {found.type.partition("/")[0] for one in templates() for found in one.all("resource")}
    # Delegated to, and in every subscription by itself.
    of_subnets, everywhere = {"Microsoft.App"}, {"Microsoft.Authorization"}

    registered = {f"Microsoft.{name}" for name in listed.replace("\\", " ").split()}

    assert registered == used - everywhere | of_subnets


@dataclass(frozen=True)
class Run:
    """What became of the page's commands."""

    code: int
    said: str
    reached: list[str]
    world: World
    folder: Path

    def calls(self, *words: str) -> list[list[str]]:
        return [call for call in self.world.calls() if call[: len(words)] == list(words)]


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """Run every block, in order and in one shell, with nothing but the stand-ins and the system's own tools."""
    folder = tmp_path_factory.mktemp("page")
    checkout = copy_of_checkout(folder / "checkout")
    script = "".join(f"echo {block.line} >&3\n{block.text}\n" for block in SHELL)
    (folder / "page.sh").write_text(f"set -euo pipefail\nexec 3>{folder}/reached\n{script}", encoding="utf-8")
    done = subprocess.run(
        ["/bin/bash", str(folder / "page.sh")],
        cwd=checkout,
        env=set_up(folder / "azure"),
        input="key-of-a-vendor\n",
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    reached = (folder / "reached").read_text(encoding="utf-8").split()
    return Run(done.returncode, done.stdout, reached, World(folder / "azure"), checkout)


@pytest.mark.slow
def test_the_whole_page_runs_as_it_stands(page: Run) -> None:
    assert page.code == 0, f"the block of line {page.reached[-1]}:\n{page.said[-3000:]}"
    assert page.reached == [str(block.line) for block in SHELL]


@pytest.mark.slow
def test_the_page_ends_with_an_answer_and_its_record(page: Run) -> None:
    assert '"object": "chat.completion"' in page.said
    assert '"items": [{' in page.said


@pytest.mark.slow
def test_the_page_makes_the_ledger_with_its_roles_and_the_app_with_its_functions(page: Run) -> None:
    database = (page.world.folder / "machine" / "database").read_text(encoding="utf-8").strip()
    known = page.world.known

    assert make_url(database).host == OUTPUTS["SQL_HOST_NAME"]
    assert "interaction" in tables_of(page.world.folder / "machine" / "ledger.sqlite")
    assert known["scripts run"][:2] == ["sql/roles.sql", "infra/scripts/grant-database.sql"]
    assert sorted(known["functions"]) == sorted(FUNCTIONS)
    assert known["certificate"] == "clients"
    assert known["secrets"] == {"gemini": "key-of-a-vendor"}


@pytest.mark.slow
def test_the_page_closes_the_gateway_in_its_second_pass(page: Run) -> None:
    passes = page.calls("az", "deployment", "group", "create")

    assert len(passes) >= 2
    assert re.findall(r"FIRST_DEPLOYMENT=(\w+)", PAGE.split("## Upgrade")[0]) == ["true", "true", "false"]


@pytest.mark.slow
def test_the_machine_is_left_without_rights_files_of_secrets_or_commands(page: Run) -> None:
    known = page.world.known
    left = [path for path in (page.folder / ".azure").iterdir() if path.suffix == ".key"]

    assert OUTPUTS["OPERATOR_PRINCIPAL_ID"] not in known["members"]
    assert known["power"] == "VM deallocated"
    assert known["commands"] == {}
    assert left == []


@pytest.mark.slow
def test_no_secret_of_the_page_is_an_argument_of_a_command(page: Run) -> None:
    key = re.search(r"BEGIN CERTIFICATE", (page.folder / ".azure" / "clients.crt").read_text(encoding="utf-8"))
    arguments = "\n".join("\0".join(call) for call in page.world.calls())

    assert key
    assert "key-of-a-vendor" not in arguments
    assert KEY not in arguments
    assert "token for" not in arguments
    assert "key-of-a-vendor" not in page.said
