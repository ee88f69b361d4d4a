"""Attach: an existing API Management sends every call of the APIs that are named to the ledger. docs/attach.md."""

import re
from argparse import ArgumentParser, Namespace
from collections.abc import Callable, Sequence

from .arguments import gateway_of, names, parser
from .edits import Marks, marks_of
from .errors import CaptureError, ChangedError, NotUnderstoodError, RefusedError
from .event_hubs import EventHubs, identity_of
from .gateway import Api, Gateway, Policy
from .model_log import Diagnostic
from .policy import Attachment, attach, detach
from .shared import SETTINGS_VERSION, Ledger, Resource, action, resources
from .steps import Step, agreed, difference, run, say

__all__ = ["main"]


def _count(text: str) -> int:
    """Return a whole number that is not negative, as argparse reads one."""
    if not text.isdecimal():
        raise ValueError(text)
    return int(text)


def _parser() -> ArgumentParser:
    made = parser(
        "attach", "Let an existing API Management record the calls of its APIs. Shows what changes, then asks."
    )
    made.add_argument(
        "--api", action="append", required=True, metavar="NAME", help="name of an API; again for each, or with commas"
    )
    made.add_argument(
        "--event-hubs", required=True, metavar="ID", help="resource id of the ledger's Event Hubs namespace"
    )
    made.add_argument("--gateway-hub", default="gateway", metavar="NAME", help="hub of the policy's events (gateway)")
    made.add_argument("--monitor-hub", default="monitor", metavar="NAME", help="hub of the gateway's logs (monitor)")
    made.add_argument(
        "--monitor-rule",
        default="diagnostic-settings",
        metavar="NAME",
        help="the namespace's rule for them (diagnostic-settings)",
    )
    made.add_argument(
        "--identity",
        default="",
        metavar="CLIENT_ID",
        help="which of the gateway's identities sends; `system` for its own",
    )
    made.add_argument(
        "--claim-checks",
        default="",
        metavar="URL",
        help="container for bodies over 960,000 bytes; without it they are left out",
    )
    made.add_argument(
        "--calls-per-minute", type=_count, default=600, metavar="N", help="of one caller with bodies; 0: all (600)"
    )
    made.add_argument(
        "--without-logs", action="store_true", help="no diagnostics: streams then have neither text nor tokens"
    )
    return made


def main(arguments: Sequence[str] | None = None) -> int:
    """Look, show, ask, do. Return 0, or 1 where something was refused or failed."""
    options = _parser().parse_args(arguments)
    try:
        gateway = gateway_of(options)
        steps, notes = _plan(gateway, options)
    except CaptureError as error:
        say(f"Nothing was changed. {error}")
        return 1
    for note in notes:
        say(f"note: {note}")
    if not steps:
        say("All of it is there already: nothing is to be done.")
        return 0
    say("\n".join(["", "To be done:", *(f"  {step.text}" for step in steps), ""]))
    if not agreed(yes=options.yes):
        return 0
    status = run(steps)
    if status == 0:
        say("Make a call, and look whether it arrives: docs/attach.md says how.")
    return status


def _plan(gateway: Gateway, options: Namespace) -> tuple[list[Step], list[str]]:
    if not re.fullmatch(
        r"/subscriptions/[^/]+/resourceGroups/[^/]+/providers/Microsoft.EventHub/namespaces/[^/]+",
        options.event_hubs,
        re.IGNORECASE,
    ):
        raise RefusedError(
            "--event-hubs takes the resource id of a namespace: `az eventhubs namespace show --query id` tells it"
        )
    if options.claim_checks and not re.fullmatch(r"https://[^/]+/[a-z0-9-]+", options.claim_checks):
        raise RefusedError(
            "--claim-checks takes a container's address: https://ACCOUNT.blob.core.windows.net/CONTAINER"
        )
    apis = gateway.chosen(names(options.api))
    identity = identity_of(gateway.service, options.identity)
    if options.claim_checks and identity.client_id == "SystemAssigned":
        raise RefusedError("claim checks are written by a user-assigned identity alone: name one by --identity")
    hubs = EventHubs(
        gateway.management,
        options.event_hubs,
        hub=options.gateway_hub,
        monitor_hub=options.monitor_hub,
        rule=options.monitor_rule,
    )
    notes = hubs.check_sender(identity) + hubs.notes()
    if not options.without_logs:
        hubs.check_region(gateway)
    ledger = Ledger(
        host=hubs.host,
        hub=options.gateway_hub,
        monitor_hub=options.monitor_hub,
        rule="" if options.without_logs else hubs.rule,
        identity=identity.client_id,
        calls_per_minute=options.calls_per_minute,
        container=options.claim_checks,
    )
    if options.claim_checks:
        notes.append(f"the gateway's identity needs Storage Blob Data Contributor on {options.claim_checks}")
    steps = _shared_steps(gateway, ledger)
    refused = []
    for api in apis:
        try:
            steps += _api_steps(gateway, api, logs=not options.without_logs, notes=notes)
        except (NotUnderstoodError, RefusedError) as error:
            refused.append(f"{api.name}: {error}")
    if refused:
        raise RefusedError(
            "Refused, for a reason each; leave these APIs out, or change what stands there:\n  " + "\n  ".join(refused)
        )
    return steps, notes


def _shared_steps(gateway: Gateway, ledger: Ledger) -> list[Step]:
    steps = []
    for resource in resources(gateway, ledger):
        found = resource.read(gateway)
        if resource.version == SETTINGS_VERSION and found is None and _streams_already(gateway, resource):
            continue
        what = action(resource, found)
        if what:
            etag = found.etag if found is not None else ""
            shown = f" = {resource.properties['value']}" if resource.kind == "named value" else ""
            steps.append(Step(f"{what} the {resource.title}{shown}", _put(gateway, resource, etag)))
    return steps


def _streams_already(gateway: Gateway, setting: Resource) -> bool:
    """Say whether a diagnostic setting of another name sends the same logs to the same hub."""
    others = gateway.management.pages(setting.path.rpartition("/")[0], setting.version)
    return any(setting.same(one.get("properties", {})) for one in others)


def _put(gateway: Gateway, resource: Resource, etag: str) -> Callable[[], None]:
    def do() -> None:
        try:
            gateway.management.put(resource.path, resource.version, {"properties": resource.properties}, etag=etag)
        except ChangedError:
            # An answer that was lost on its way looks the same: what counts is what is there.
            now = resource.read(gateway)
            if now is None or not resource.same(now.properties):
                raise

    return do


def _api_steps(gateway: Gateway, api: Api, *, logs: bool, notes: list[str]) -> list[Step]:
    say(f"Reading {api.name}, its operations and products")
    diagnostic = Diagnostic(gateway, api)
    before = gateway.policy(api.path)
    if logs:
        notes += [f"{api.name}: {note}" for note in diagnostic.notes()]
    marks = None if before is None else marks_of(before.text)
    steps = []
    if marks is None:
        marks = Marks(diagnostic=diagnostic.change if logs else "none")
        attached = attach(None if before is None else before.text, gateway.around(api), marks)
        notes += [f"{api.name}: {note}" for note in attached.notes]
        if not attached.captures:
            return []
        say("\n".join(["", difference(attached.before, attached.after, f"policy of {api.name}")]))
        steps.append(Step(f"put capture into the policy of {api.name}", _write(gateway, api, before, attached)))
    # What stands in the policy is what is done to the diagnostic, also where a run ended in between.
    if marks.diagnostic != "none" and diagnostic.change != "none":
        steps.append(Step(f"turn the log of models of {api.name} on", diagnostic.write))
    if logs and marks.diagnostic == "none" and diagnostic.change != "none":
        notes.append(f"{api.name}: it was attached without logs; to have them, detach it and attach it again")
    return steps


def _write(gateway: Gateway, api: Api, before: Policy | None, attached: Attachment) -> Callable[[], None]:
    def do() -> None:
        now = gateway.write_policy(api.path, before, attached.after)
        if now is None or detach(now) != (before.text if before else None):
            raise RefusedError(
                "API Management keeps the policy in other letters than it was given: capture is in, and detach will "
                "take it out, but the rest is not what it was to the byte. Compare it with the difference above"
            )

    return do
