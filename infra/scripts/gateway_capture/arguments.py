"""What attach and detach are options, and who is signed in."""

import argparse
from collections.abc import Sequence

from .gateway import Gateway
from .management import AzureCli, Management

__all__ = ["gateway_of", "parser"]


def parser(name: str, description: str) -> argparse.ArgumentParser:
    """Return a parser with what both commands take."""
    made = argparse.ArgumentParser(prog=name, description=description, epilog="docs/attach.md")
    made.add_argument("--gateway", required=True, help="name of the API Management")
    made.add_argument("--resource-group", required=True, help="its resource group")
    made.add_argument("--subscription", default="", help="its subscription's id; without it, the Azure CLI's")
    made.add_argument(
        "--yes", action="store_true", help="do it without asking; without a terminal nothing is done else"
    )
    return made


def gateway_of(options: argparse.Namespace) -> Gateway:
    """Return the gateway, spoken to as who is signed in."""
    cli = AzureCli()
    subscription = options.subscription or cli.subscription()
    group = f"/subscriptions/{subscription}/resourceGroups/{options.resource_group}"
    path = f"{group}/providers/Microsoft.ApiManagement/service/{options.gateway}"
    return Gateway(Management(cli.endpoint, cli.token), path)


def names(values: Sequence[str]) -> list[str]:
    """Return names that were given one by one, or with commas between."""
    return [name for value in values for name in value.split(",") if name]
