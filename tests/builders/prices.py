"""Prices and deployments with one thing changed."""

from decimal import Decimal
from typing import Any

from shared.domain.values import NO_TIME
from shared.pricing.capacity import CapacityKind, Per, Reservation
from shared.pricing.entries import Deployment, PriceEntry, Scope, Tier, Unit

__all__ = ["a_deployment", "a_price", "a_reservation"]


def a_price(unit: Unit = Unit.INPUT, amount: str = "2.5", **changes: Any) -> PriceEntry:
    """Return the price of gpt-4o, global and standard, since ever."""
    usual: dict[str, Any] = {
        "model": "gpt-4o",
        "version": "",
        "scope": Scope.GLOBAL,
        "tier": Tier.STANDARD,
        "region": "",
        "variant": "",
        "above_tokens": 0,
        "currency": "USD",
        "valid_from": NO_TIME,
        "valid_to": None,
        "source": "a list",
        "dated": "2026-01-01T00:00:00.000Z",
    }
    return PriceEntry(unit=unit, amount=Decimal(amount), **usual | changes)


def a_deployment(name: str = "chat", **changes: Any) -> Deployment:
    """Return what a deployment is: gpt-4o, global and standard, since ever."""
    usual: dict[str, Any] = {
        "host": "",
        "model": "gpt-4o",
        "version": "",
        "sku": "GlobalStandard",
        "region": "",
        "valid_from": NO_TIME,
        "valid_to": None,
    }
    return Deployment(name=name, **usual | changes)


def a_reservation(deployment: str = "reserved", **changes: Any) -> Reservation:
    """Return provisioned throughput: 15 units of gpt-4o at 1 USD an hour each, since 2 March 2026, nine o'clock."""
    usual: dict[str, Any] = {
        "host": "",
        "kind": CapacityKind.PROVISIONED,
        "model": "gpt-4o",
        "version": "",
        "units": 15,
        "amount": Decimal(1),
        "per": Per.HOUR,
        "currency": "USD",
        "valid_from": "2026-03-02T09:00:00.000Z",
        "valid_to": None,
        "source": "a contract",
    }
    return Reservation(deployment=deployment, **usual | changes)
