"""docs/attach.md: its commands run as they stand, and its tables say what the code does."""

import os
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from infra.scripts.gateway_capture import attach
from infra.scripts.gateway_capture.edits import MARK, TOKEN_VARIABLE
from infra.scripts.gateway_capture.shared import Ledger
from infra.scripts.gateway_capture.surroundings import FRAGMENTS
from tests.integration.test_attach import a_gateway, an_api, what
from tests.parts.management_api import NAMESPACE, SERVICE, TOKEN, ManagementApi, serving

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "attach.md").read_text(encoding="utf-8")
AZ = f"""#!/bin/sh
echo "$*" >>"$CALLS"
case "$1 $2 $3" in
    "cloud show "*) printf '{{"endpoints": {{"resourceManager": "%s/"}}}}' "$ENDPOINT" ;;
    "account get-access-token "*) printf '{{"accessToken": "{TOKEN}"}}' ;;
    "account show "*) printf '{{"id": "{NAMESPACE.split("/")[2]}"}}' ;;
    "eventhubs namespace list") echo "{NAMESPACE}" ;;
    "apim api list" | "monitor metrics list") echo ;;
    *) echo "no such command: $*" >&2; exit 2 ;;
esac
"""


@pytest.fixture
def api() -> Iterator[ManagementApi]:
    made = a_gateway()
    an_api(made, "azure-openai")
    with serving(made):
        yield made


def run(script: str, api: ManagementApi, folder: Path) -> subprocess.CompletedProcess[str]:
    az = folder / "az"
    az.write_text(AZ, encoding="utf-8")
    az.chmod(0o755)
    environment = os.environ | {"PATH": f"{folder}:{os.environ['PATH']}", "ENDPOINT": api.endpoint}
    return subprocess.run(
        ["bash", "-euo", "pipefail", "-c", script],  # noqa: S607  # whichever bash the machine has
        cwd=ROOT,
        env=environment | {"CALLS": str(folder / "calls")},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )


def blocks() -> list[str]:
    names = {"apim-contoso": "apim-there", "rg-gateway": "rg-apim"}
    found = re.findall(r"^```sh\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
    return [
        re.sub("|".join(names), lambda name: names[name[0]], block).replace(
            "--api azure-openai,claude", "--api chat,claude"
        )
        for block in found
    ]


def test_every_command_of_the_page_runs_in_its_order_and_leaves_the_gateway_as_it_was(
    api: ManagementApi, tmp_path: Path
) -> None:
    before = what(api)

    ended = run("\n".join(blocks()), api, tmp_path)

    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert "Nothing was changed: this was a look." in ended.stdout
    assert "done: put capture into the policy of claude" in ended.stdout
    assert "chat still capture" in ended.stdout
    assert what(api) == before


def test_a_look_changes_nothing_and_a_yes_does(api: ManagementApi, tmp_path: Path) -> None:
    names, look, yes, *_ = blocks()
    before = what(api)

    run(names + look, api, tmp_path)
    looked = what(api)
    run(names + yes, api, tmp_path)

    assert looked == before
    assert MARK in (api.policy(f"{SERVICE}/apis/chat") or "")


def test_the_page_names_every_option_value_and_fragment() -> None:
    ledger = Ledger(host="h", hub="g", monitor_hub="m", rule="r", identity="i")
    own = {f"--{name}" for name in "identity claim-checks calls-per-minute without-logs event-hubs api yes".split()}
    options = set(re.findall(r"--[a-z-]+", attach._parser().format_help()))

    for name in (*ledger.named_values(), *FRAGMENTS, MARK, TOKEN_VARIABLE, *own):
        assert name in PAGE
    assert own <= options


@pytest.mark.parametrize("link", sorted(set(re.findall(r"\]\(([^)#]+)[^)]*\)", PAGE))))
def test_every_page_that_it_names_is_there(link: str) -> None:
    assert (ROOT / "docs" / link).exists()
