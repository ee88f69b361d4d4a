"""`azd up` after provisioning: the ledger, the app, a sample event; and every door that it opens is closed again."""

import os
import re
import shutil
import signal
from pathlib import Path

import pytest

from shared.services.ingest import IngestOutcome
from shared.stores.sql import tables
from tests.builders import events
from tests.builders.databases import new_sqlite
from tests.builders.ledgers import Store
from tests.builders.programs import Answer, Desk, pinned, write_program
from tests.unit.infra.templates import INFRA

pytestmark = pytest.mark.slow

ROOT = INFRA.parent
ME = "00000000-0000-4000-8000-00000000000b"
CLIENT = "00000000-0000-4000-8000-00000000000c"
HUBS = "/subscriptions/s/resourceGroups/rg-promptledger-prod/providers/Microsoft.EventHub/namespaces/evhns"
VALUES = {
    "ISOLATION": "open",
    "AZURE_RESOURCE_GROUP": "rg-promptledger-prod",
    "AZURE_FUNCTION_APP_NAME": "func-app",
    "APP_HOST_NAME": "func-app.azurewebsites.net",
    "APP_IDENTITY_NAME": "id-app",
    "APP_IDENTITY_CLIENT_ID": CLIENT,
    "AUDIT_CLIENT_ID": CLIENT,
    "EVENT_HUBS_GATEWAY_HUB": "gateway",
    "EVENT_HUBS_HOST_NAME": "evhns.servicebus.windows.net",
    "EVENT_HUBS_ID": HUBS,
    "EVENT_HUBS_MADE": "True",
    "SQL_HOST_NAME": "sql-ledger.database.windows.net",
}
DOORS = {
    "sql": ("^az sql server firewall-rule create", "^az sql server firewall-rule delete"),
    "app": ("access-restriction add", "access-restriction remove"),
    "hubs": ("ip-rule add", "ip-rule remove"),
    "sending": ("^az role assignment create", "^az role assignment delete"),
}
TURNED_AWAY = (
    "mssql: login error: Cannot open server 'sql-ledger' requested by the login. Client with IP address '203.0.113.7' "
    "is not allowed to access the server."
)
RECORD = '{"id":"the record","operation":"chat.completions","state":"complete"}'
AS_IT_GOES = [
    Answer(call="^sqlcmd", while_open=DOORS["sql"]),
    Answer(call="^sqlcmd", code=1, err=TURNED_AWAY),
    Answer(call="(?s)^python -c .*function_app", out="ingest_gateway\nhealth\n"),
    Answer(call="^python -c", out="3.13.0\n"),
    Answer(call="^python"),
    Answer(call="^az functionapp function list", out="func-app/health\nfunc-app/ingest_gateway\n"),
    Answer(call="^az functionapp deployment source config-zip", while_open=DOORS["app"]),
    Answer(call="^az functionapp deployment", code=1, err="Ip Forbidden"),
    Answer(call="^az ad signed-in-user show", out=f"{ME}\n"),
    Answer(call="^az role assignment list"),
    Answer(call="^az account get-access-token --resource https://eventhubs.azure.net ", out="sends\n"),
    Answer(call=f"^az account get-access-token --resource api://{CLIENT} ", out="reads\n"),
    Answer(call="^curl .*/gateway/messages$", told="Bearer sends", out="201", while_open=DOORS["sending"]),
    Answer(call="^curl .*/messages$", out="401", body="Unauthorized"),
    Answer(call=r"^curl .*/api/v1/interactions/[\w-]+$", told="Bearer reads", out="200", body=RECORD),
    *(Answer(call=pattern) for door in DOORS.values() for pattern in door),
]


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """Return a copy of what the hook needs of the checkout: it writes a package there."""
    copy = tmp_path / "checkout"
    for name in (".ci", "infra/scripts"):
        shutil.copytree(ROOT / name, copy / name)
    (copy / "sql").mkdir()
    shutil.copy2(ROOT / "sql" / "roles.sql", copy / "sql")
    shutil.copy2(ROOT / "requirements-local.txt", copy)
    return copy


def desk(checkout: Path, *instead: Answer) -> Desk:
    folder = checkout.parent / "desk"
    folder.mkdir()
    made = Desk(folder, [*instead, *AS_IT_GOES])
    venv = checkout / ".venv" / "bin"
    venv.mkdir(parents=True)
    # It notes its calls where the others do.
    program = (made.bin / "az").read_text(encoding="utf-8")
    write_program(venv / "python", program.replace("os.path.abspath(__file__)", repr(str(made.bin / "python"))))
    pinned(venv.parent, checkout / "requirements-local.txt")
    return made


def complete(at: Desk, checkout: Path, **changes: str) -> tuple[int, str]:
    return at.run(str(checkout / "infra/scripts/hooks/complete.sh"), **(VALUES | changes))


def left_open(at: Desk) -> set[str]:
    """Return the doors that a call opened and no later one closed."""
    found = set()
    for name, (opens, closes) in DOORS.items():
        last = [bool(re.search(opens, call)) for call in at.asked(f"{opens}|{closes}")]
        if last and last[-1]:
            found.add(name)
    return found


def opened(at: Desk) -> set[str]:
    return {name for name, (opens, _) in DOORS.items() if at.asked(opens)}


def test_it_prepares_the_ledger_publishes_the_app_and_prints_the_record_of_a_sample_event(checkout: Path) -> None:
    at = desk(checkout)

    code, told = complete(at, checkout)

    assert code == 0, told
    assert RECORD in told
    steps = [
        "migrate upgrade",
        "-i sql/roles.sql",
        "-i infra/scripts/grant-database.sql",
        "config-zip",
        "messages$",
        "interactions/",
    ]
    order = [next(number for number, call in enumerate(at.calls) if re.search(step, call)) for step in steps]
    assert order == sorted(order)


def test_every_door_is_for_this_machine_s_address_and_closed_at_the_end(checkout: Path) -> None:
    at = desk(checkout)

    complete(at, checkout)

    assert opened(at) == set(DOORS)
    assert left_open(at) == set()
    assert at.asked("--start-ip-address 203.0.113.7 --end-ip-address 203.0.113.7 ")
    assert at.asked("--ip-address 203.0.113.7/32 ")
    assert at.asked("ip-address=203.0.113.7 action=Allow")


def test_the_database_is_closed_before_the_app_is_published(checkout: Path) -> None:
    at = desk(checkout)

    complete(at, checkout)

    closed = [number for number, call in enumerate(at.calls) if "firewall-rule delete" in call]
    published = next(number for number, call in enumerate(at.calls) if "config-zip" in call)
    assert any(closing < published for closing in closed[1:])


FAILURES = {
    "the server never lets it in": Answer(call="^sqlcmd", code=1, err=TURNED_AWAY),
    "the firewall's rule is refused": Answer(call="firewall-rule create", code=1, err="AuthorizationFailed"),
    "a migration fails": Answer(call="^python .*migrate upgrade", code=1, err="Invalid object name"),
    "the roles fail": Answer(call="^sqlcmd .*roles.sql", code=1, err="Incorrect syntax"),
    "the grant fails": Answer(call="^sqlcmd .*grant-database.sql", code=1, err="Cannot find the role"),
    "the package cannot be built": Answer(call="^python .*package.py", code=1),
    "the app's door stays shut": Answer(call="access-restriction add", code=1, err="Conflict"),
    "publishing fails": Answer(call="config-zip", code=1, err="Deployment Failed"),
    "a function is missing": Answer(call="^az functionapp function list", out="func-app/health\n"),
    "the hub's door stays shut": Answer(call="ip-rule add", code=1, err="Conflict"),
    "the role is refused": Answer(call="^az role assignment create", code=1, err="AuthorizationFailed"),
    "the hub takes no event": Answer(call="^curl .*messages$", out="403", body="IP not allowed"),
    "the record does not come": Answer(call="^curl .*interactions/", out="404", body='{"title":"no such interaction"}'),
    "the network is gone": Answer(call="^curl", code=6, err="Could not resolve host"),
}


@pytest.mark.parametrize("what", FAILURES)
def test_whatever_fails_every_door_is_closed_and_the_failure_is_said(checkout: Path, what: str) -> None:
    at = desk(checkout, FAILURES[what])

    code, told = complete(at, checkout)

    assert code != 0
    assert left_open(at) == set()
    assert RECORD not in told
    assert (FAILURES[what].err or FAILURES[what].body) in told


@pytest.mark.parametrize("sent", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_a_run_that_is_ended_closes_its_doors(checkout: Path, sent: signal.Signals) -> None:
    at = desk(checkout, Answer(call="^sqlcmd .*roles.sql", out="making roles\n", seconds=60))
    running = at.start(str(checkout / "infra/scripts/hooks/complete.sh"), **VALUES)
    assert running.stdout is not None
    assert "making roles\n" in iter(running.stdout.readline, "")

    os.killpg(running.pid, sent)
    running.communicate(timeout=60)

    assert running.returncode != 0
    assert opened(at) == {"sql"}
    assert left_open(at) == set()


def test_what_a_killed_run_left_open_is_closed_first(checkout: Path) -> None:
    at = desk(checkout)

    complete(at, checkout)

    assert [call.split()[1] for call in at.calls[:2]] == ["sql", "functionapp"]
    assert "firewall-rule delete" in at.calls[0]
    assert "access-restriction remove" in at.calls[1]


def test_a_door_that_does_not_close_is_said_loudly(checkout: Path) -> None:
    at = desk(
        checkout,
        Answer(call="firewall-rule delete", code=1, err="InternalServerError", while_open=(DOORS["sql"][0], "^never")),
    )

    code, told = complete(at, checkout)

    assert code != 0
    assert "STILL OPEN for 203.0.113.7: sql of rg-promptledger-prod" in told


def test_a_door_that_was_never_there_is_no_failure(checkout: Path) -> None:
    at = desk(checkout, Answer(call="access-restriction remove", code=1, err="No access restriction rule was found"))

    code, told = complete(at, checkout)

    assert code == 0, told


def test_somebody_whom_the_server_lets_in_already_is_known_by_the_connection(checkout: Path) -> None:
    at = desk(
        checkout,
        Answer(call="^sqlcmd .*client_net_address", out="198.51.100.9\n"),
        Answer(call="^sqlcmd"),
    )

    complete(at, checkout)

    assert at.asked("--start-ip-address 198.51.100.9 ")


def test_an_address_that_nobody_tells_is_asked_for(checkout: Path) -> None:
    at = desk(checkout, Answer(call="^sqlcmd", code=1, err="no route to host"))

    code, told = complete(at, checkout)

    assert code != 0
    assert "azd env set DEPLOYER_ADDRESS" in told
    assert opened(at) == set()


def test_a_role_that_somebody_had_before_is_kept(checkout: Path) -> None:
    at = desk(
        checkout,
        Answer(call="^az role assignment list", out="the assignment\n"),
        Answer(call="^curl .*messages$", out="201"),
    )

    code, told = complete(at, checkout)

    assert code == 0, told
    assert at.asked("role assignment (create|delete)") == []


def test_hubs_that_were_there_before_keep_their_firewall_and_roles(checkout: Path) -> None:
    at = desk(checkout, Answer(call="^curl .*messages$", out="201"))

    code, told = complete(at, checkout, EVENT_HUBS_MADE="False")

    assert code == 0, told
    assert opened(at) == {"sql", "app"}


def test_no_token_stands_in_a_command_line(checkout: Path) -> None:
    at = desk(checkout)

    complete(at, checkout)

    assert at.asked("sends|reads|Bearer") == []


def test_the_private_estate_is_left_to_its_own_page(checkout: Path) -> None:
    at = desk(checkout)

    code, told = complete(at, checkout, ISOLATION="private")

    assert (code, at.calls) == (0, [])
    assert "docs/deploy.md" in told


def test_the_sample_event_is_one_call_read_whole(checkout: Path) -> None:
    at = desk(checkout)
    complete(at, checkout)
    (sent,) = at.asked("^curl .*/gateway/messages$")

    (body,) = re.findall(r"--data (\[.*\]) --header", sent)
    engine = new_sqlite(checkout)
    store = Store(engine)

    outcome = store.deliver(events.deliveries(body.encode()))

    assert outcome == IngestOutcome(received=1, stored=1)
    (row,) = store.rows(tables.interaction)
    engine.dispose()
    assert at.asked(f"/api/v1/interactions/{row['id']}$")
    assert (row["state"], row["operation"], row["total_tokens"]) == ("complete", "chat.completions", 6)
    assert (row["subscription_id"], row["completion_preview"]) == ("smoke-test", "Yes.")


# azd down


def farewell(at: Desk, **values: str) -> tuple[int, str]:
    return at.run(str(INFRA / "scripts/hooks/farewell.sh"), AZURE_RESOURCE_GROUP="rg-promptledger-prod", **values)


def test_before_it_goes_it_says_what_stays(checkout: Path) -> None:
    at = desk(checkout)

    code, told = farewell(
        at, AUDIT_CLIENT_ID=CLIENT, EXISTING_VIRTUAL_NETWORK_ID="/subscriptions/s/virtualNetworks/ours"
    )

    assert code == 0
    assert f"az ad app delete --id {CLIENT}" in told
    assert "ours stays as it is" in told
    assert "azd down --purge" in told


def test_before_it_goes_the_app_s_roles_on_hubs_of_one_s_own_are_taken_away(checkout: Path) -> None:
    at = desk(checkout, Answer(call="^az identity show", out="principal\n"))

    code, told = farewell(at, EXISTING_EVENT_HUBS_ID=HUBS, APP_IDENTITY_NAME="id-app", EXISTING_GATEWAY_HUB="calls")

    assert code == 0, told
    assert [call.rpartition("/")[2] for call in at.asked("^az role assignment delete --assignee principal")] == [
        "calls --output none",
        "monitor --output none",
    ]


def test_a_group_that_is_half_gone_holds_nothing_up(checkout: Path) -> None:
    at = desk(checkout, Answer(call="^az identity show", code=3, err="ResourceNotFound"))

    code, told = farewell(at, EXISTING_EVENT_HUBS_ID=HUBS, APP_IDENTITY_NAME="id-app")

    assert code == 0
    assert "roles of nobody" in told
