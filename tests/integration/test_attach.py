"""Attach and detach against the management API's stand-in: what is made, refused, and told where a run ends."""

import io
import json
import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest

from infra.scripts.gateway_capture import attach, detach
from infra.scripts.gateway_capture.edits import MARK
from infra.scripts.gateway_capture.errors import ChangedError, ManagementError
from infra.scripts.gateway_capture.management import Management
from tests.builders.foreign_policies import ACCEPTED, CORS, ENTRA, REFUSED, a_policy
from tests.parts.management_api import HUB, NAMESPACE, PRINCIPAL, SENDER, SERVICE, TOKEN, Fault, ManagementApi, serving

CLIENT = "00000000-0000-4000-8000-0000000000cc"
LOG = {
    "logs": "enabled",
    "requests": {"messages": "all", "maxSizeInBytes": 262144},
    "responses": {"messages": "all", "maxSizeInBytes": 262144},
}
SETTING = f"{SERVICE}/providers/Microsoft.Insights/diagnosticSettings/promptledger"
POLICY = a_policy(f"<base />\n        {ENTRA}")
AZ = """#!/bin/sh
case "$1 $2" in
    "cloud show") printf '{"endpoints": {"resourceManager": "%s/"}}' "$ENDPOINT" ;;
    "account get-access-token") [ -z "$SIGNED_OUT" ] || { echo "Please run 'az login'" >&2; exit 1; }
        printf '{"accessToken": "%s"}' "$GIVEN" ;;
    "account show") printf '{"id": "00000000-0000-4000-8000-00000000000a"}' ;;
esac
"""
GATEWAY = ["--gateway", "apim-there", "--resource-group", "rg-apim"]


def an_api(api: ManagementApi, name: str, text: str | None = POLICY, **properties: Any) -> str:
    path = f"{SERVICE}/apis/{name}"
    api.put(path, {"path": name, "isCurrent": True, "type": "http", "subscriptionRequired": True} | properties)
    if text is not None:
        api.put_policy(path, text)
    return path


def a_gateway() -> ManagementApi:
    """Return a gateway that others have set up, with a namespace that it may send to."""
    api = ManagementApi()
    identity = {
        "type": "UserAssigned",
        "userAssignedIdentities": {"/id": {"clientId": CLIENT, "principalId": PRINCIPAL}},
    }
    api.put(SERVICE, location="West Europe", identity=identity, sku={"name": "StandardV2"})
    api.put(
        NAMESPACE, {"serviceBusEndpoint": "https://evhns-ledger.servicebus.windows.net:443/"}, location="westeurope"
    )
    for path in (HUB, f"{NAMESPACE}/eventhubs/monitor", f"{NAMESPACE}/authorizationRules/diagnostic-settings"):
        api.put(path)
    api.put(f"{HUB}/providers/Microsoft.Authorization/roleAssignments/a", {"roleDefinitionId": f"/x/{SENDER}"})
    api.put(f"{SERVICE}/namedValues/theirs", {"displayName": "aad-tenant", "value": "t"})
    api.put_policy(
        SERVICE, "<policies><inbound /><backend><forward-request /></backend><outbound /><on-error /></policies>"
    )
    for name in ("chat", "claude", "other"):
        an_api(api, name)
    return api


Run = Callable[..., tuple[int, str]]


@pytest.fixture(autouse=True)
def api(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[ManagementApi]:
    az = tmp_path / "az"
    az.write_text(AZ, encoding="utf-8")
    az.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    monkeypatch.setenv("GIVEN", TOKEN)
    made = a_gateway()
    with serving(made) as endpoint:
        monkeypatch.setenv("ENDPOINT", endpoint)
        yield made


@pytest.fixture
def attached(capsys: pytest.CaptureFixture[str]) -> Run:
    def run(*names: str, yes: bool = True, **options: Any) -> tuple[int, str]:
        told = [f"--api={name}" for name in names or ("chat",)] + ["--event-hubs", NAMESPACE]
        for name, value in options.items():
            told += [f"--{name.replace('_', '-')}"] + ([] if value is True else [str(value)])
        status = attach.main([*GATEWAY, *told, *(["--yes"] if yes else [])])
        return status, capsys.readouterr().out

    return run


@pytest.fixture
def detached(capsys: pytest.CaptureFixture[str]) -> Run:
    def run(*names: str, yes: bool = True) -> tuple[int, str]:
        status = detach.main([*GATEWAY, *(f"--api={name}" for name in names), *(["--yes"] if yes else [])])
        return status, capsys.readouterr().out

    return run


def what(api: ManagementApi) -> dict[str, Any]:
    """Return all that is there, without entity tags."""
    bodies = deepcopy(api.there)
    return {path: {name: value for name, value in body.items() if name != "etag"} for path, body in bodies.items()}


def writes(api: ManagementApi) -> list[str]:
    return [f"{method} {path.removeprefix(SERVICE)}" for method, path in api.calls if method != "GET"]


# What is made


def test_logger_values_fragments_diagnostics_and_policy_are_made_in_an_order_that_holds(
    api: ManagementApi, attached: Run
) -> None:
    status, _ = attached()

    assert status == 0
    assert writes(api) == [
        "PUT /namedValues/promptledger-logger",
        "PUT /namedValues/capture-calls-per-minute",
        "PUT /namedValues/capture-claim-check",
        "PUT /namedValues/content-account",
        "PUT /namedValues/content-container",
        "PUT /namedValues/gateway-client-id",
        "PUT /loggers/promptledger",
        "PUT /policyFragments/capture-request",
        "PUT /policyFragments/capture-response",
        "PUT /policyFragments/capture-error",
        "PUT /loggers/azuremonitor",
        "PUT /providers/Microsoft.Insights/diagnosticSettings/promptledger",
        "PUT /apis/chat/policies/policy",
        "PUT /apis/chat/diagnostics/azuremonitor",
    ]


def test_the_logger_sends_to_the_ledger_s_hub_as_the_gateway_s_identity(api: ManagementApi, attached: Run) -> None:
    attached()

    logger = api.there[f"{SERVICE}/loggers/promptledger".lower()]["properties"]
    assert logger["credentials"] == {
        "name": "gateway",
        "endpointAddress": "evhns-ledger.servicebus.windows.net",
        "identityClientId": CLIENT,
    }


def test_the_fragments_are_the_estate_s_own(api: ManagementApi, attached: Run) -> None:
    attached()

    for name in ("capture-request", "capture-response", "capture-error"):
        own = (Path(__file__).parents[2] / f"infra/policies/fragments/{name}.xml").read_text(encoding="utf-8")
        assert api.there[f"{SERVICE}/policyfragments/{name}".lower()]["properties"]["value"] == own


def test_logs_of_the_gateway_and_of_models_go_to_the_monitor_hub(api: ManagementApi, attached: Run) -> None:
    attached()

    setting = api.there[SETTING.lower()]["properties"]
    assert setting["eventHubName"] == "monitor"
    assert setting["eventHubAuthorizationRuleId"] == f"{NAMESPACE}/authorizationRules/diagnostic-settings"
    assert {one["category"] for one in setting["logs"]} == {"GatewayLogs", "GatewayLlmLogs"}
    diagnostic = api.there[f"{SERVICE}/apis/chat/diagnostics/azuremonitor".lower()]["properties"]
    assert diagnostic["largeLanguageModel"] == LOG
    assert diagnostic["frontend"]["request"]["body"] == {"bytes": 0}


def test_of_a_diagnostic_that_is_there_all_else_is_kept(api: ManagementApi, attached: Run) -> None:
    theirs = {"loggerId": "/theirs", "sampling": {"percentage": 50}, "frontend": {"request": {"headers": ["x"]}}}
    api.put(f"{SERVICE}/apis/chat/diagnostics/azuremonitor", theirs)

    _, told = attached()

    assert api.there[f"{SERVICE}/apis/chat/diagnostics/azuremonitor".lower()]["properties"] == theirs | {
        "largeLanguageModel": LOG
    }
    assert "keeps 50% of calls" in told


def test_the_diagnostic_of_all_apis_goes_on_to_hold_for_this_one(api: ManagementApi, attached: Run) -> None:
    theirs = {"loggerId": "/theirs", "verbosity": "error", "frontend": {"response": {"body": {"bytes": 100}}}}
    api.put(f"{SERVICE}/diagnostics/azuremonitor", theirs)

    _, told = attached()

    assert api.there[f"{SERVICE}/apis/chat/diagnostics/azuremonitor".lower()]["properties"] == theirs | {
        "largeLanguageModel": LOG
    }
    assert "logs bodies of answers" in told


def test_a_setting_of_another_name_that_sends_the_same_is_enough(api: ManagementApi, attached: Run) -> None:
    rule = f"{NAMESPACE}/authorizationRules/other"
    logs = [{"categoryGroup": "allLogs", "enabled": True}]
    api.put(
        SETTING.replace("promptledger", "theirs"),
        {"eventHubAuthorizationRuleId": rule, "eventHubName": "monitor", "logs": logs},
    )

    attached()

    assert SETTING.lower() not in api.there


def test_a_claim_check_names_its_container(api: ManagementApi, attached: Run) -> None:
    status, told = attached(claim_checks="https://acc.blob.core.windows.net/claims", calls_per_minute=0)

    values = {
        one: api.there[f"{SERVICE}/namedvalues/{one}".lower()]["properties"]["value"]
        for one in ("content-account", "content-container", "capture-claim-check", "capture-calls-per-minute")
    }
    assert status == 0
    assert list(values.values()) == ["https://acc.blob.core.windows.net", "claims", "true", "0"]
    assert "needs Storage Blob Data Contributor" in told


def test_without_logs_no_diagnostic_is_touched(api: ManagementApi, attached: Run) -> None:
    status, _ = attached(without_logs=True)

    assert status == 0
    assert not [one for one in writes(api) if "iagnostic" in one or "azuremonitor" in one]


# Looking, asking, doing


def test_without_a_yes_the_difference_is_shown_and_nothing_is_changed(api: ManagementApi, attached: Run) -> None:
    before = what(api)

    status, told = attached("chat", "claude", yes=False)

    assert status == 0
    assert what(api) == before
    assert '+        <include-fragment fragment-id="capture-request" />' in told
    assert "policy of chat as it is" in told
    assert "policy of claude as it is" in told
    assert "make the named value capture-calls-per-minute = 600" in told
    assert told.endswith("Nothing was changed: this was a look. --yes does it.\n")


@pytest.mark.parametrize(("said", "done"), [("yes\n", 1), ("y\n", 0), ("\n", 0)])
def test_whoever_sits_at_a_terminal_is_asked(
    api: ManagementApi, attached: Run, monkeypatch: pytest.MonkeyPatch, said: str, done: int
) -> None:
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    monkeypatch.setattr(sys, "stdin", Terminal(said))

    attached(yes=False)

    assert (api.policy(f"{SERVICE}/apis/chat") or "").count(f'"{MARK}"') == done * 3


def test_the_commands_run_as_they_stand(api: ManagementApi) -> None:
    scripts = Path(__file__).parents[2] / "infra" / "scripts"
    command: list[str | Path] = [
        sys.executable,
        scripts / "attach",
        *GATEWAY,
        "--api",
        "chat,claude",
        "--event-hubs",
        NAMESPACE,
        "--yes",
    ]

    made = subprocess.run(command, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL)
    taken = subprocess.run(
        [sys.executable, scripts / "detach", *GATEWAY, "--yes"], capture_output=True, text=True, check=False
    )

    assert (made.returncode, taken.returncode) == (0, 0), made.stdout + made.stderr + taken.stdout + taken.stderr
    assert what(api) == what(a_gateway())


# Again, and back


def test_attached_again_nothing_is_written(api: ManagementApi, attached: Run) -> None:
    attached("chat", "claude")
    api.calls.clear()

    status, told = attached("chat", "claude")

    assert (status, writes(api)) == (0, [])
    assert "nothing is to be done" in told


def test_detach_leaves_everything_as_it_was(api: ManagementApi, attached: Run, detached: Run) -> None:
    an_api(api, "bare", None)
    api.put(f"{SERVICE}/apis/claude/diagnostics/azuremonitor", {"loggerId": "/theirs", "verbosity": "error"})
    before = what(api)
    attached("chat", "claude", "bare")
    assert what(api) != before

    status, _ = detached()

    assert status == 0
    assert what(api) == before


@pytest.mark.parametrize("how", ["as they are", "written anew"])
def test_every_kind_of_policy_comes_back_to_the_byte(
    api: ManagementApi, attached: Run, detached: Run, how: str
) -> None:
    api.writes_anew = how == "written anew"
    validation = '<validate-jwt header-name="a" output-token-variable-name="claims" />'
    api.put(f"{SERVICE}/policyFragments/authenticate", {"value": f"<fragment>{validation}</fragment>"})
    for value in ("key", "named", "vendor-key"):
        api.put(f"{SERVICE}/namedValues/{value}", {"displayName": value, "value": "v"})
    kinds = {f"kind-{number}": text for number, (text, *_) in enumerate(ACCEPTED.values()) if text}
    for name, text in kinds.items():
        api.put_policy(an_api(api, name, None), api.kept(text))
    before = what(api)

    statuses = (attached(*kinds)[0], detached()[0])

    assert statuses == (0, 0)
    assert what(api) == before


def test_one_api_is_detached_and_what_others_need_stays(api: ManagementApi, attached: Run, detached: Run) -> None:
    attached("chat", "claude")

    status, told = detached("chat")

    assert status == 0
    assert "claude still capture" in told
    assert api.policy(f"{SERVICE}/apis/chat") == POLICY
    assert f"{SERVICE}/policyfragments/capture-request".lower() in api.there


def test_detach_without_a_yes_shows_and_changes_nothing(api: ManagementApi, attached: Run, detached: Run) -> None:
    attached()
    before = what(api)

    status, told = detached(yes=False)

    assert status == 0
    assert what(api) == before
    assert '-        <include-fragment fragment-id="capture-request" />' in told


def test_detached_again_nothing_is_to_be_done(attached: Run, detached: Run) -> None:
    attached()
    detached()

    status, told = detached()

    assert (status, told) == (0, "Nothing is attached: nothing is to be done.\n")


def test_what_was_there_before_attach_is_left_by_detach(api: ManagementApi, attached: Run, detached: Run) -> None:
    api.put(f"{SERVICE}/namedValues/an-id", {"displayName": "gateway-client-id", "value": CLIENT, "secret": False})
    api.put(f"{SERVICE}/loggers/azuremonitor", {"loggerType": "azureMonitor"})
    before = what(api)

    attached()
    detached()

    assert what(api) == before


def test_a_fragment_that_others_include_by_now_is_told_and_the_rest_is_done(
    api: ManagementApi, attached: Run, detached: Run
) -> None:
    attached()
    api.put_policy(f"{SERVICE}/apis/other", a_policy('<include-fragment fragment-id="capture-error" />'))

    status, told = detached()

    assert status == 1
    assert "FAILED: delete the fragment capture-error" in told
    assert "Entity is in use by" in told
    assert api.policy(f"{SERVICE}/apis/chat") == POLICY


def test_a_newer_version_of_the_fragments_is_written_over_ours(api: ManagementApi, attached: Run) -> None:
    attached()
    older = api.there[f"{SERVICE}/policyfragments/capture-error".lower()]
    older["properties"]["value"] = "<fragment><base /></fragment>"
    api.calls.clear()

    status, told = attached()

    assert (status, writes(api)) == (0, ["PUT /policyFragments/capture-error"])
    assert "done: update the fragment capture-error" in told


def test_fragments_that_api_management_wrote_anew_are_the_same(api: ManagementApi, attached: Run) -> None:
    attached()
    for name in ("capture-request", "capture-response", "capture-error"):
        properties = api.there[f"{SERVICE}/policyfragments/{name}".lower()]["properties"]
        inner = re.sub(r"^.*?<fragment>|</fragment>\s*$", "", properties["value"], flags=re.DOTALL)
        properties["value"] = inner.replace("\n", "\r\n")

    _, told = attached()

    assert "nothing is to be done" in told


# What is refused


@pytest.mark.parametrize(
    "name", ["a question that is read as a stream", "a variable of our name", "two inbounds", "nothing"]
)
def test_an_api_that_is_refused_stops_all_and_is_told_with_its_reason(
    api: ManagementApi, attached: Run, name: str
) -> None:
    an_api(api, "foreign", REFUSED[name].text)
    before = what(api)

    status, told = attached("chat", "foreign")

    assert status == 1
    assert what(api) == before
    assert re.search(f"foreign: .*{REFUSED[name].reason}", told)


def test_operations_products_and_fragments_are_looked_into_page_by_page(api: ManagementApi, attached: Run) -> None:
    path = f"{SERVICE}/apis/chat"
    for number in range(5):
        api.put(f"{path}/operations/op-{number}")
    api.put_policy(f"{path}/operations/op-4", a_policy(""))

    status, told = attached()

    assert status == 1
    assert "the operation op-4 leaves <base /> out of inbound" in told


def test_a_product_without_subscription_lets_anybody_in(api: ManagementApi, attached: Run) -> None:
    an_api(api, "open", a_policy(CORS))
    api.put(f"{SERVICE}/apis/open/products/free", {"subscriptionRequired": False})

    status, told = attached("open")

    assert status == 1
    assert "anybody may call this API" in told


@pytest.mark.parametrize(
    ("path", "properties", "reason"),
    [
        (
            "namedValues/content-account",
            {"displayName": "content-account", "value": "theirs"},
            "named value content-account",
        ),
        ("namedValues/x9", {"displayName": "content-account", "value": "theirs"}, "named value content-account"),
        (
            "namedValues/content-account",
            {"displayName": "content-account", "secret": True},
            "named value content-account",
        ),
        ("loggers/promptledger", {"loggerType": "azureEventHub", "description": "ours"}, "logger promptledger"),
        ("loggers/azuremonitor", {"loggerType": "applicationInsights"}, "logger azuremonitor"),
        ("policyFragments/capture-error", {"value": "<fragment />"}, "fragment capture-error"),
        ("policyFragments/capture-error", {"value": "no xml <"}, "fragment capture-error"),
        (
            "providers/Microsoft.Insights/diagnosticSettings/promptledger",
            {"workspaceId": "/w"},
            "diagnostic setting promptledger",
        ),
    ],
)
def test_a_name_that_is_taken_is_refused(
    api: ManagementApi, attached: Run, path: str, properties: dict[str, Any], reason: str
) -> None:
    api.put(f"{SERVICE}/{path}", properties)
    before = what(api)

    status, told = attached()

    assert status == 1
    assert what(api) == before
    assert f"the {reason} is there already" in told


def test_an_identity_that_may_not_send_is_refused_with_the_command_that_mends_it(
    api: ManagementApi, attached: Run
) -> None:
    del api.there[f"{HUB}/providers/Microsoft.Authorization/roleAssignments/a".lower()]

    status, told = attached()

    assert status == 1
    assert f"az role assignment create --assignee-object-id {PRINCIPAL}" in told
    assert f"--scope {HUB}" in told


def test_who_may_not_see_roles_is_told_to_look(api: ManagementApi, attached: Run) -> None:
    api.faults = [Fault("GET", "roleAssignments", 403, "AuthorizationFailed", "You may not.")]

    status, told = attached()

    assert status == 0
    assert "you may not see who sends" in told


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda api: api.put(SERVICE, location="West Europe", sku={"name": "Consumption"}), "the tier Consumption"),
        (lambda api: api.put(SERVICE, location="West Europe"), "the gateway has no identity"),
        (
            lambda api: api.put(SERVICE, location="North Europe", identity=api.there[SERVICE.lower()]["identity"]),
            "within a region",
        ),
        (lambda api: api.there.pop(SERVICE.lower()), "there is no API Management"),
        (lambda api: api.there.pop(NAMESPACE.lower()), "the namespace is not there"),
        (lambda api: api.there.pop(f"{NAMESPACE}/eventhubs/monitor".lower()), "the hub of the logs is not there"),
        (lambda api: an_api(api, "chat", type="websocket"), "chat is an API of type websocket"),
        (lambda api: api.there.pop(f"{SERVICE}/apis/chat".lower()), "there is no API chat; there are: claude, other"),
    ],
)
def test_what_cannot_work_is_refused_before_anything_is_changed(
    api: ManagementApi, attached: Run, change: Callable[[ManagementApi], Any], reason: str
) -> None:
    change(api)

    status, told = attached()

    assert status == 1
    assert "Nothing was changed." in told
    assert reason in told
    assert writes(api) == []


def test_of_several_identities_one_must_be_named(api: ManagementApi, attached: Run) -> None:
    identity = api.there[SERVICE.lower()]["identity"] | {"principalId": "p"}
    api.put(SERVICE, location="westeurope", identity=identity, sku={"name": "Premium"})

    refused, told = attached()
    status, _ = attached(identity="system")

    assert (refused, status) == (1, 0)
    assert f"several identities (system, {CLIENT})" in told


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        ({"identity": "other"}, "the gateway has no identity other"),
        ({"claim_checks": "http://x/y"}, "--claim-checks takes a container's address"),
        ({"event_hubs": "evhns-ledger"}, "--event-hubs takes the resource id"),
    ],
)
def test_options_that_cannot_be_meant_are_refused(
    api: ManagementApi, attached: Run, options: dict[str, str], reason: str
) -> None:
    status, told = attached(**options)

    assert (status, writes(api)) == (1, [])
    assert reason in told


def test_who_is_not_signed_in_is_told_so(attached: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SIGNED_OUT", "1")

    status, told = attached()

    assert status == 1
    assert "Sign in by `az login`." in told


@pytest.mark.parametrize("endpoint", ["http://management.example", "http://169.254.169.254"])
def test_a_token_goes_out_by_https_alone(attached: Run, monkeypatch: pytest.MonkeyPatch, endpoint: str) -> None:
    monkeypatch.setenv("ENDPOINT", endpoint)

    status, told = attached()

    assert status == 1
    assert "tokens are sent by https alone" in told


# Faults in the middle


NOW = {"Retry-After": "0"}
EVERY = [
    "namedValues/[a-z-]+",
    "loggers/[a-z]+",
    "policyFragments/[a-z-]+",
    "promptledger",
    "policy",
    "diagnostics/azuremonitor",
]


@pytest.mark.parametrize("after", range(14))
def test_a_run_that_ends_anywhere_says_what_was_done_and_the_next_one_ends_it(
    api: ManagementApi, attached: Run, detached: Run, after: int
) -> None:
    before = what(api)
    api.faults = [Fault("PUT", "", 500, headers=NOW, after=after)]

    status, told = attached()
    api.faults = []

    assert status == 1
    assert told.count("\ndone: ") == after
    assert f"{after} of 14 steps are done and stay" in told
    assert "The service is not itself." in told
    assert attached()[0] == 0
    assert detached()[0] == 0
    assert what(api) == before


@pytest.mark.parametrize("after", range(14))
def test_detach_that_ends_anywhere_is_ended_by_the_next_one(
    api: ManagementApi, attached: Run, detached: Run, after: int
) -> None:
    before = what(api)
    attached()
    api.faults = [Fault("PUT|DELETE", "", 500, headers=NOW, after=after)]

    status, told = detached()
    api.faults = []

    assert status == 1
    assert f"{after} of 14 steps are done and stay" in told
    assert detached()[0] == 0
    assert what(api) == before


@pytest.mark.parametrize(("status", "lost"), [(0, ["policies/policy"]), (500, EVERY)])
def test_answers_that_are_lost_after_the_change_was_made_stop_nothing(
    api: ManagementApi, attached: Run, detached: Run, status: int, lost: list[str]
) -> None:
    before = what(api)

    statuses = []
    for run in (attached, detached):
        api.faults = [Fault("PUT|DELETE", f"{name}$", status, headers=NOW, times=1, applied=True) for name in lost]
        statuses.append(run()[0])

    assert statuses == [0, 0]
    assert what(api) == before


def test_of_several_apis_it_is_told_which_capture_and_which_do_not(api: ManagementApi, attached: Run) -> None:
    api.faults = [Fault("PUT", "apis/claude/policies", 400, "ValidationError", "Error in element 'x' on line 3.")]

    status, told = attached("chat", "claude", "other")

    assert status == 1
    assert "done: put capture into the policy of chat" in told
    assert "FAILED: put capture into the policy of claude: " in told
    assert "ValidationError: Error in element 'x' on line 3." in told
    left = told.partition("Not done, or not known to be done:")[2]
    assert "put capture into the policy of other" in left
    assert "policy of chat" not in left


def test_a_policy_that_somebody_changed_meanwhile_is_not_written_over(api: ManagementApi, attached: Run) -> None:
    theirs = a_policy('<base /><rate-limit calls="1" renewal-period="1" />')
    put = api.put

    def and_then(path: str, properties: dict[str, Any] | None = None, **members: Any) -> None:
        put(path, properties, **members)
        if path.endswith("/loggers/promptledger"):
            put(f"{SERVICE}/apis/chat/policies/policy", {"value": theirs})

    api.put = and_then  # type: ignore[method-assign]

    status, told = attached()

    assert status == 1
    assert "Resource was modified since last retrieval." in told
    assert api.policy(f"{SERVICE}/apis/chat") == theirs


def test_a_policy_that_api_management_keeps_otherwise_is_told_and_can_be_detached(
    api: ManagementApi, attached: Run, detached: Run
) -> None:
    an_api(api, "chat", a_policy("<base /><!-- why -->"))
    api.drops_comments = True

    status, told = attached()

    assert status == 1
    assert "keeps the policy in other letters" in told
    assert attached()[0] == 0
    assert detached()[0] == 0
    assert api.policy(f"{SERVICE}/apis/chat") == a_policy("<base />")


def test_a_fragment_that_does_not_compile_fails_later_and_is_told(api: ManagementApi, attached: Run) -> None:
    api.fails_later = "capture-response"

    status, told = attached()

    assert status == 1
    assert "FAILED: make the fragment capture-response" in told
    assert "It did not compile." in told


def test_a_list_that_names_another_server_gets_no_token(api: ManagementApi, attached: Run) -> None:
    api.next_link_host = "https://elsewhere.example"

    status, told = attached()

    assert status == 1
    assert "names another server, elsewhere.example: nothing is sent there" in told


def test_a_gateway_that_throttles_is_attached_all_the_same(api: ManagementApi, attached: Run) -> None:
    api.faults = [
        Fault("GET|PUT", "", 429, "TooManyRequests", headers=NOW, after=2 * number, times=1) for number in range(20)
    ]

    status, told = attached("chat", "claude")

    assert status == 0
    assert "done: put capture into the policy of claude" in told


@pytest.mark.parametrize("number", ["-1", "many", "1.5"])
def test_a_number_of_calls_is_none_below_nought(attached: Run, number: str) -> None:
    with pytest.raises(SystemExit):
        attached(calls_per_minute=number)


# The management API's habits


def a_management(api: ManagementApi, waits: list[float], *tokens: str) -> Management:
    given = iter(tokens or (TOKEN,))
    return Management(api.endpoint, lambda: next(given), sleep=waits.append)


def test_throttling_is_waited_out_as_long_as_it_says(api: ManagementApi) -> None:
    waits: list[float] = []
    api.faults = [Fault("GET", "", 429, "TooManyRequests", headers={"Retry-After": "17"}, times=3)]

    found = a_management(api, waits).get(SERVICE, "2024-05-01")

    assert found is not None
    assert waits == [17.0, 17.0, 17.0]


def test_a_server_that_does_not_answer_is_asked_again_for_a_while(api: ManagementApi) -> None:
    waits: list[float] = []
    api.faults = [Fault("GET", "", 0)]

    with pytest.raises(ManagementError, match="no answer"):
        a_management(api, waits).get(SERVICE, "2024-05-01")

    assert waits == [2, 4, 8, 16, 32, 60, 60]


def test_a_long_operation_is_asked_for_until_it_ends(api: ManagementApi) -> None:
    waits: list[float] = []
    api.slow_answers = 4

    a_management(api, waits).put(f"{SERVICE}/namedValues/x", "2024-05-01", {"properties": {"value": "v"}})

    assert len([one for one in api.calls if "/operationResults/" in one[1]]) == 5
    assert waits == [0.0] * 5


def test_a_long_operation_that_never_ends_is_left(api: ManagementApi) -> None:
    waits: list[float] = []
    api.slow_answers = 10**6
    answer = api._progress
    api._progress = lambda path: (202, {"Retry-After": "100"}, answer(path)[2])  # type: ignore[method-assign]

    with pytest.raises(ManagementError, match="has not ended within 900 seconds"):
        a_management(api, waits).put(f"{SERVICE}/namedValues/x", "2024-05-01", {"properties": {"value": "v"}})

    assert sum(waits) <= 900


def test_a_token_that_has_expired_is_renewed_once(api: ManagementApi) -> None:
    found = a_management(api, [], "expired", TOKEN).get(SERVICE, "2024-05-01")

    assert found is not None


def test_an_error_is_told_with_code_message_and_details(api: ManagementApi) -> None:
    management = a_management(api, [])
    text = '<policies><inbound><include-fragment fragment-id="gone" /></inbound></policies>'

    with pytest.raises(
        ManagementError, match="ValidationError: One or more fields contain incorrect values:: Error in element"
    ):
        management.put(f"{SERVICE}/policies/policy", "2024-05-01", {"properties": {"value": text}}, etag="*")


def test_an_old_entity_tag_is_a_change_by_somebody_else(api: ManagementApi) -> None:
    with pytest.raises(ChangedError):
        a_management(api, []).put(
            f"{SERVICE}/policies/policy", "2024-05-01", {"properties": {"value": "x"}}, etag='"0"'
        )


def test_no_redirect_is_followed(api: ManagementApi) -> None:
    api.faults = [Fault("GET", "", 302, headers={"Location": f"{api.endpoint}{SERVICE}?api-version=2024-05-01"})]

    with pytest.raises(ManagementError):
        a_management(api, []).get(SERVICE, "2024-05-01")

    assert len(api.calls) == 1


def test_all_is_json_that_is_sent(api: ManagementApi, attached: Run) -> None:
    attached()

    assert json.loads(json.dumps(what(api))) == what(api)
