"""What the price book is made of: prices, and what deployments are."""

from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from typing import Final, NamedTuple

__all__ = ["SKUS", "TOOL_MODELS", "Deployment", "PriceEntry", "Restatement", "Scope", "Tier", "Unit"]


class Scope(StrEnum):
    """Where a deployment may process a call."""

    GLOBAL = "global"
    DATA_ZONE = "data-zone"
    REGIONAL = "regional"
    PROVISIONED = "provisioned"
    """Capacity by the hour, wherever: its calls have no price of their own."""


class Tier(StrEnum):
    """How a call was processed."""

    STANDARD = "standard"
    BATCH = "batch"
    PRIORITY = "priority"
    FLEX = "flex"


class Unit(StrEnum):
    """What is priced, by the million."""

    INPUT = "input"
    CACHED_INPUT = "cached-input"
    CACHE_WRITE = "cache-write"
    """Kept for minutes."""
    CACHE_WRITE_1H = "cache-write-1h"
    OUTPUT = "output"
    AUDIO_INPUT = "audio-input"
    AUDIO_OUTPUT = "audio-output"
    IMAGE_INPUT = "image-input"
    IMAGE_OUTPUT = "image-output"
    IMAGE = "image"
    AUDIO_SECOND = "audio-second"
    VIDEO_SECOND = "video-second"
    CHARACTER = "character"
    SEARCH = "search"
    FILE_SEARCH = "file-search"
    CODE_SESSION = "code-session"


TOOL_MODELS: Final = {Unit.FILE_SEARCH: "file-search", Unit.CODE_SESSION: "code-interpreter"}
"""What tools are billed by, whichever model calls them -> the name that their prices stand under, as if of a model."""
SKUS: Final = {
    "GlobalStandard": (Scope.GLOBAL, Tier.STANDARD),
    "DataZoneStandard": (Scope.DATA_ZONE, Tier.STANDARD),
    "Standard": (Scope.REGIONAL, Tier.STANDARD),
    "DeveloperTier": (Scope.GLOBAL, Tier.STANDARD),
    "GlobalBatch": (Scope.GLOBAL, Tier.BATCH),
    "DataZoneBatch": (Scope.DATA_ZONE, Tier.BATCH),
    "GlobalProvisionedManaged": (Scope.PROVISIONED, Tier.STANDARD),
    "DataZoneProvisionedManaged": (Scope.PROVISIONED, Tier.STANDARD),
    "ProvisionedManaged": (Scope.PROVISIONED, Tier.STANDARD),
}
"""Deployment type, as Azure's `sku.name` has it -> where and how its calls are processed.

Source: https://learn.microsoft.com/azure/foundry/foundry-models/concepts/deployment-types
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class PriceEntry:
    """One price, from a day on. It never changes: it may be ended, and another one follows."""

    model: str
    version: str
    """Empty: of every version that has no entry of its own."""
    scope: Scope
    tier: Tier
    region: str
    """As Azure names it; empty: every region that has no entry of its own."""
    unit: Unit
    variant: str
    """Of images quality and size, of videos the size; else empty."""
    above_tokens: int
    """The price holds for calls with more input tokens than this."""
    amount: Decimal
    """Of 1,000,000 units."""
    currency: str
    valid_from: str
    """Canonical UTC, inclusive."""
    valid_to: str | None
    """Canonical UTC, exclusive; None: until another entry follows."""
    source: str
    dated: str
    """When the source was read."""
    is_own: bool = False
    """The organisation's: it goes before the shipped list's."""
    book_version: int = 0
    """Of the price book that it came with; 0 until it is loaded."""
    ended_version: int | None = None
    """Of the price book that its end came with; None while it has none, or came with it."""

    @property
    def key(self) -> tuple[object, ...]:
        """Return what tells one entry from another."""
        return (
            self.is_own, self.model, self.version, self.scope, self.tier, self.region, self.unit, self.variant,
            self.above_tokens, self.valid_from,
        )  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Deployment:
    """What a deployment is, from a day on."""

    name: str
    host: str
    """Of the resource, as `backend_host` of interactions; empty: of any."""
    model: str
    """Empty: the one that answers name."""
    version: str
    sku: str
    region: str
    valid_from: str
    valid_to: str | None
    book_version: int = 0
    ended_version: int | None = None

    @property
    def key(self) -> tuple[object, ...]:
        """Return what tells one entry from another."""
        return (self.host, self.name, self.valid_from)


class Restatement(NamedTuple):
    """A period whose calls are charged by another version of the price book than the newest."""

    starts_from: str
    """An hour, canonical UTC, inclusive."""
    starts_before: str
    """An hour, exclusive."""
    price_version: int | None
    """None: by the newest again, whatever comes."""
