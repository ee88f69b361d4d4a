"""What docs/deploy.md says of each profile; `python -m tests.unit.infra.profile_page` writes it there."""

import sys
from collections.abc import Callable, Iterable
from typing import Any

from tests.unit.infra.snapshots import (
    MODELS,
    Snapshot,
    deployed_models,
    has_compiler,
    named_doors,
    providers,
    snapshot,
)
from tests.unit.infra.templates import INFRA

__all__ = ["section", "written_section"]

PAGE = INFRA.parent / "docs" / "deploy.md"
PROFILES = sorted(path.stem for path in (INFRA / "profiles").glob("*.bicepparam"))
_BEGINS = "<!-- profiles: written by python -m tests.unit.infra.profile_page -->\n"
_ENDS = "<!-- end of profiles -->\n"


def section() -> str:
    """Return what the page is to say: tables of resources, of what is billed, of models, providers and doors."""
    shots = [snapshot(name) for name in PROFILES]
    return "\n".join([_resources(shots), _bill(shots), _models(shots), _providers(shots), _doors(shots)])


def written_section() -> str:
    """Return what the page says."""
    return PAGE.read_text(encoding="utf-8").split(_BEGINS)[1].split(_ENDS)[0]


def _table(head: list[str], rows: Iterable[list[str]]) -> str:
    return "".join(f"| {' | '.join(line)} |\n" for line in [head, ["---"] * len(head), *rows])


def _resources(shots: list[Snapshot]) -> str:
    kinds = sorted({kind.rstrip("/") for shot in shots for kind in shot.counted()})

    def told(shot: Snapshot, kind: str) -> str:
        own, inner = shot.counted()[kind], shot.counted()[f"{kind}/"]
        return " ".join([str(own)] * bool(own) + [f"(+{inner})"] * bool(inner)) or "-"

    rows = [[f"`{kind}`", *(told(shot, kind) for shot in shots)] for kind in kinds]
    total = ["**all**", *(str(len(shot.resources)) for shot in shots)]
    return "Resources, with what stands within them as (+n), after the second deployment:\n\n" + _table(
        ["type", *PROFILES], [*rows, total]
    )


# What is billed at rest

Meter = tuple[str, str]
"""What a resource is billed by, and how much of it."""


def _gateway(one: dict[str, Any], _: Snapshot) -> Meter:
    least = one["properties"]["autoscaleConfiguration"]["minCapacity"]
    return "Application Gateway WAF_v2, gateways + least capacity units (10 an instance)", f"1 + {10 * least}"


def _hubs(one: dict[str, Any], _: Snapshot) -> Meter:
    unit = "processing" if one["sku"]["name"] == "Premium" else "throughput"
    return f"Event Hubs {one['sku']['name']}, {unit} units", str(one["sku"]["capacity"])


def _database(one: dict[str, Any], shot: Snapshot) -> Meter:
    least, copies = one["properties"].get("minCapacity"), len(shot.all("Microsoft.Sql/servers"))
    return f"Azure SQL `{one['sku']['name']}`, databases" + (f" of {least} vCores at least" if least else ""), str(
        copies
    )


def _content(one: dict[str, Any], shot: Snapshot) -> Meter:
    most = one["properties"]["options"].get("autoscaleSettings", {}).get("maxThroughput")
    (account,) = shot.all("Microsoft.DocumentDB/databaseAccounts")
    if not most:
        return "Cosmos DB serverless, by request", "yes"
    return "Cosmos DB autoscale, least RU/s x regions", f"{most // 10:,} x {len(account['properties']['locations'])}"


def _app(one: dict[str, Any], _: Snapshot) -> Meter:
    scale = one["properties"]["functionAppConfig"]["scaleAndConcurrency"]
    waiting = sum(ready["instanceCount"] for ready in scale["alwaysReady"])
    return "Flex Consumption, instances that wait x memory", f"{waiting} x {scale['instanceMemoryMB']:,} MB"


def _model(one: dict[str, Any], shot: Snapshot) -> Meter:
    if "Provisioned" not in one["sku"]["name"]:
        return "Azure OpenAI models, by token", "yes"
    units = [other["sku"]["capacity"] for other in shot.all(one["type"]) if "Provisioned" in other["sku"]["name"]]
    return "Azure OpenAI, provisioned units", str(sum(units))


def _logs(one: dict[str, Any], _: Snapshot) -> Meter:
    quota = one["properties"]["workspaceCapping"]["dailyQuotaGb"]
    return "Log Analytics, GB a day at most, by what comes", "no limit" if quota == -1 else str(quota)


def _units(name: str) -> Callable[[dict[str, Any], Snapshot], Meter]:
    return lambda one, _: (f"{name} `{one['sku']['name']}`", str(one["sku"]["capacity"]))


def _count(name: str) -> Callable[[dict[str, Any], Snapshot], Meter]:
    return lambda one, shot: (name, str(len(shot.all(one["type"]))))


_METERS: dict[str, Callable[[dict[str, Any], Snapshot], Meter]] = {
    "Microsoft.ApiManagement/service": _units("API Management units,"),
    "Microsoft.Network/applicationGateways": _gateway,
    "Microsoft.EventHub/namespaces": _hubs,
    "Microsoft.Sql/servers/databases": _database,
    "Microsoft.DocumentDB/databaseAccounts/sqlDatabases/containers": _content,
    "Microsoft.Web/sites": _app,
    "Microsoft.Kusto/clusters": _units("Data Explorer nodes,"),
    "Microsoft.CognitiveServices/accounts/deployments": _model,
    "Microsoft.Network/virtualNetworkGateways": _count("Virtual network gateways"),
    "Microsoft.Compute/virtualMachines": _count("Virtual machines"),
    "Microsoft.Network/privateEndpoints": _count("Private endpoints"),
    "Microsoft.Network/privateDnsZones": _count("Private DNS zones"),
    "Microsoft.Network/publicIPAddresses": _count("Public addresses"),
    "Microsoft.Insights/scheduledQueryRules": _count("Alert rules on logs"),
    "Microsoft.Insights/metricAlerts": _count("Alert rules on metrics"),
    "Microsoft.OperationalInsights/workspaces": _logs,
}


def _bill(shots: list[Snapshot]) -> str:
    lines = [dict(meter(one, shot) for kind, meter in _METERS.items() for one in shot.all(kind)) for shot in shots]
    names = dict.fromkeys(
        meter(one, shot)[0] for kind, meter in _METERS.items() for shot in shots for one in shot.all(kind)
    )
    return (
        "What is billed at rest, before a single call, and how much of it; storage, requests, tokens and traffic come\n"
        "on top. Prices differ by region and contract: Azure's pricing calculator has them.\n\n"
    ) + _table(["meter", *PROFILES], [[name, *(line.get(name, "-") for line in lines)] for name in names])


def _models(shots: list[Snapshot]) -> str:
    retires = {(one["model"], one["version"]): one["retires"] for one in MODELS["models"]}
    places: dict[tuple[str, str, str], dict[str, list[str]]] = {}
    for shot in shots:
        for name, version, sku, region in sorted(deployed_models(shot)):
            places.setdefault((name, version, sku), {}).setdefault(region, []).append(shot.name)
    return f"Models, with the retirement dates that Microsoft gave on {MODELS['retirementsReadOn']}:\n\n" + _table(
        ["model", "version", "SKU", "region: profiles", "retires"],
        [
            [*place, "; ".join(f"{region}: {', '.join(names)}" for region, names in found.items()), retires[place[:2]]]
            for place, found in sorted(places.items())
        ],
    )


def _providers(shots: list[Snapshot]) -> str:
    return "Resource providers that must be registered at the subscription:\n\n" + _table(
        ["profile", "providers"],
        [[shot.name, ", ".join(f"`{one}`" for one in sorted(providers(shot)))] for shot in shots],
    )


def _doors(shots: list[Snapshot]) -> str:
    return "Public doors, as the files of parameters name them; there is no other:\n\n" + _table(
        ["profile", "door", "why"],
        [[shot.name, f"`{door}`", why] for shot in shots for door, why in sorted(named_doors(shot.name).items())],
    )


def main() -> int:
    """Write the section into the page."""
    if not has_compiler():
        sys.stderr.write("No Bicep compiler here: docs/deploy.md stays as it is.\n")
        return 1
    before, rest = PAGE.read_text(encoding="utf-8").split(_BEGINS)
    PAGE.write_text(f"{before}{_BEGINS}{section()}{_ENDS}{rest.split(_ENDS)[1]}", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
