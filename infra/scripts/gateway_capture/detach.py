"""Detach: takes out of an API Management exactly what attach put in. docs/attach.md."""

from collections.abc import Callable, Sequence

from .arguments import gateway_of, names, parser
from .edits import MARK, marks_of
from .errors import CaptureError, NotUnderstoodError, RefusedError
from .gateway import Api, Gateway, Policy
from .model_log import Diagnostic
from .policy import detach
from .shared import SETTINGS_VERSION, Ledger, Resource, resources, whose_logger
from .steps import Step, agreed, difference, run, say

__all__ = ["main"]


def main(arguments: Sequence[str] | None = None) -> int:
    """Look, show, ask, do. Return 0, or 1 where something was refused or failed."""
    made = parser("detach", "Take out of an API Management what attach put in. Shows what changes, then asks.")
    made.add_argument(
        "--api",
        action="append",
        default=[],
        metavar="NAME",
        help="name of an API; without any, all, and what they share",
    )
    options = made.parse_args(arguments)
    try:
        steps = _plan(gateway_of(options), names(options.api))
    except CaptureError as error:
        say(f"Nothing was changed. {error}")
        return 1
    if not steps:
        say("Nothing is attached: nothing is to be done.")
        return 0
    say("\n".join(["", "To be done:", *(f"  {step.text}" for step in steps), ""]))
    return run(steps) if agreed(yes=options.yes) else 0


def _plan(gateway: Gateway, chosen: list[str]) -> list[Step]:
    apis = gateway.chosen(chosen) if chosen else list(gateway.apis.values())
    steps: list[Step] = []
    refused, left = [], []
    for api in gateway.apis.values():
        policy = gateway.policy(api.path)
        if policy is None or MARK not in policy.text:
            continue
        if api not in apis:
            left.append(api.name)
            continue
        try:
            steps += _api_steps(gateway, api, policy)
        except (NotUnderstoodError, RefusedError) as error:
            refused.append(f"{api.name}: {error}")
    if refused:
        raise RefusedError("Refused, for a reason each:\n  " + "\n  ".join(refused))
    if left:
        say(f"What all APIs share stays: {', '.join(sorted(left))} still capture.")
        return steps
    return steps + _shared_steps(gateway)


def _api_steps(gateway: Gateway, api: Api, policy: Policy) -> list[Step]:
    marks, after = marks_of(policy.text), detach(policy.text)
    steps = []
    say("\n".join(["", difference(policy.text, after or "", f"policy of {api.name}")]))
    if marks is not None and marks.diagnostic != "none":
        diagnostic, change = Diagnostic(gateway, api), marks.diagnostic
        steps.append(Step(f"give the diagnostic of {api.name} back as it was", lambda: diagnostic.restore(change)))
    # Last: what stands in the policy says what is left to be done.
    steps.append(Step(f"take capture out of the policy of {api.name}", _write(gateway, api, policy, after)))
    return steps


def _write(gateway: Gateway, api: Api, before: Policy, after: str | None) -> Callable[[], None]:
    def do() -> None:
        now = gateway.write_policy(api.path, before, after)
        if now != after:
            raise RefusedError(
                "API Management keeps the policy in other letters than it was given: compare it with what was shown"
            )

    return do


def _shared_steps(gateway: Gateway) -> list[Step]:
    """Return the removal of what attach made, the last first: nothing is taken away while something names it."""
    logger = next(one for one in resources(gateway, _ledger("", "")) if one.kind == "logger").read(gateway)
    host = whose_logger(logger.properties) if logger is not None else ""
    rule = f"/{host.partition('.')[0]}/authorizationrules/".lower()
    steps = []
    for resource in reversed(list(resources(gateway, _ledger(host, "/x/authorizationRules/x")))):
        found = resource.read(gateway)
        if found is None:
            continue
        if resource.version == SETTINGS_VERSION:
            mine = bool(host) and rule in str(found.properties.get("eventHubAuthorizationRuleId", "")).lower()
        else:
            mine = resource.ours(found.properties)
        if mine:
            steps.append(Step(f"delete the {resource.title}", _delete(gateway, resource, found.etag)))
    return steps


def _ledger(host: str, rule: str) -> Ledger:
    """Return a ledger whose resources have the right names; where they lead does not matter for taking them away."""
    return Ledger(host=host, hub="", monitor_hub="", rule=rule, identity="SystemAssigned")


def _delete(gateway: Gateway, resource: Resource, etag: str) -> Callable[[], None]:
    def do() -> None:
        gateway.management.delete(resource.path, resource.version, etag=etag or "*")

    return do
