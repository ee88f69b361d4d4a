"""Every metric of the app: name, unit, meaning. docs/operations.md is written from here (a test holds it).

Services take a `Recorder` and know nothing of what is behind it. Attributes are names of ours (hub,
partition, class, kind): never a text, a key, an id of a caller or anything else of an event.
"""

from dataclasses import dataclass
from typing import Final, Literal, Protocol

__all__ = [
    "BATCH_DURATION",
    "BATCH_FAILURES",
    "BUDGETS_EXHAUSTED",
    "BUDGET_ALERTS",
    "BYTES",
    "EVENTS",
    "FINDINGS",
    "FORWARDED",
    "FORWARD_LAG",
    "LAG",
    "METRICS",
    "PARTITION_AGE",
    "PASSED_OVER",
    "PENDING",
    "PENDING_AGE",
    "QUARANTINE_DEPTH",
    "SECRETS",
    "SILENT",
    "STORE_RETRIES",
    "TOKENS",
    "UNKNOWN_WORDS",
    "Metric",
    "Recorder",
]


@dataclass(frozen=True, slots=True)
class Metric:
    """One instrument."""

    name: str
    kind: Literal["counter", "histogram", "gauge"]
    unit: str
    """In UCUM: `s`, `By`, `{event}`."""
    meaning: str
    attributes: tuple[str, ...] = ()
    objective: str = ""
    """What an operator holds it to."""
    buckets: tuple[float, ...] = ()
    """Of a histogram: upper bounds."""


EVENTS: Final = Metric(
    "promptledger.ingest.events",
    "counter",
    "{event}",
    "Events committed, by the class of the balance that each was put into. `duplicate` are repeats.",
    ("hub", "partition", "class"),
    "`quarantined` below 0.1 %",
)
BYTES: Final = Metric(
    "promptledger.ingest.bytes", "counter", "By", "Bytes of the events committed.", ("hub", "partition")
)
LAG: Final = Metric(
    "promptledger.ingest.lag",
    "histogram",
    "s",
    "From the moment the oldest event of a batch was enqueued to the moment the batch was committed.",
    ("hub", "partition"),
    "99 % below 60 s",
    (0.5, 1, 2, 5, 10, 30, 60, 300, 900, 3600, 21_600, 86_400),
)
BATCH_DURATION: Final = Metric(
    "promptledger.ingest.duration",
    "histogram",
    "s",
    "From the moment a batch was handed over until it was committed.",
    ("hub",),
    "99 % below 5 s",
    (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60),
)
BATCH_FAILURES: Final = Metric(
    "promptledger.ingest.failures",
    "counter",
    "{batch}",
    "Batches that failed and are delivered again: `refused` (too much of them cannot be read), `unavailable` (a store"
    " is down), `fault` (ours).",
    ("hub", "partition", "kind"),
    "0; any `refused` or `fault` is an alert",
)
STORE_RETRIES: Final = Metric(
    "promptledger.store.retries",
    "counter",
    "{retry}",
    "Transactions that another writer was first with, and that were tried again at once.",
    ("hub",),
)
SECRETS: Final = Metric(
    "promptledger.ingest.secrets",
    "counter",
    "{secret}",
    "Keys, tokens and passwords that were taken out of events before anything was stored. Callers who send them where"
    " they do not belong should change them.",
    ("hub",),
)
TOKENS: Final = Metric(
    "promptledger.ingest.tokens",
    "counter",
    "{token}",
    "Tokens of calls that became known. A trend: what counts is in the rollups, where repeated usage counts once.",
    ("kind",),
)
UNKNOWN_WORDS: Final = Metric(
    "promptledger.ingest.unknown_words",
    "counter",
    "{interaction}",
    "Interactions with a word of the service that no list of ours knows, by what kind of word it is. The words are in"
    " the log (`ingest.unknown_words`) and in `/completeness`. Skipped records of unknown categories count here too.",
    ("kind",),
    "0; anything else is new at the service, and worth a look",
)
PENDING: Final = Metric(
    "promptledger.pending.interactions", "gauge", "{interaction}", "Interactions that wait for a part."
)
PENDING_AGE: Final = Metric(
    "promptledger.pending.age",
    "gauge",
    "s",
    "How long the oldest of them waits.",
    (),
    "below `PROMPTLEDGER_PENDING_MINUTES` and two periods of `EXPIRE_SCHEDULE`",
)
QUARANTINE_DEPTH: Final = Metric(
    "promptledger.quarantine.depth",
    "gauge",
    "{event}",
    "Events in quarantine, discarded ones left out.",
    (),
    "0",
)
PARTITION_AGE: Final = Metric(
    "promptledger.partition.age",
    "gauge",
    "s",
    "How long ago the last stored event of a partition was enqueued. Grows while a partition stands still, or is idle.",
    ("hub", "partition"),
    "below a tenth of the hub's retention",
)
PASSED_OVER: Final = Metric(
    "promptledger.job.failures",
    "counter",
    "{item}",
    "Hours, interactions and claims that a job passed over because they fail; it tries them again at its next run. The"
    " log names each.",
    ("kind",),
    "0; any is an alert",
)
FINDINGS: Final = Metric(
    "promptledger.completeness.findings",
    "gauge",
    "{finding}",
    "Findings of check_completeness that hold.",
    ("kind",),
    "0 of `gap` and `unaccounted`",
)

BUDGETS_EXHAUSTED: Final = Metric(
    "promptledger.budget.exhausted", "gauge", "{budget}", "Budgets that are used up in their period."
)
BUDGET_ALERTS: Final = Metric(
    "promptledger.budget.alerts",
    "counter",
    "{alert}",
    "Alerts of budgets that were raised: `threshold`, `forecast` or `anomaly`.",
    ("kind",),
    "0; any is an alert",
)

FORWARD_LAG: Final = Metric(
    "promptledger.forward.lag",
    "gauge",
    "s",
    "How long the oldest call waits that `PROMPTLEDGER_FORWARD_ENDPOINT` was not told of. Grows while it is away.",
)
FORWARDED: Final = Metric(
    "promptledger.forward.calls", "counter", "{call}", "Calls that `PROMPTLEDGER_FORWARD_ENDPOINT` was told of."
)

METRICS: Final = (
    EVENTS,
    BYTES,
    LAG,
    BATCH_DURATION,
    BATCH_FAILURES,
    STORE_RETRIES,
    SECRETS,
    TOKENS,
    UNKNOWN_WORDS,
    PENDING,
    PENDING_AGE,
    QUARANTINE_DEPTH,
    PARTITION_AGE,
    PASSED_OVER,
    FINDINGS,
    BUDGETS_EXHAUSTED,
    BUDGET_ALERTS,
    FORWARD_LAG,
    FORWARDED,
)


class Recorder(Protocol):
    """Takes measurements. Never raises, never waits."""

    def record(self, metric: Metric, value: float, **attributes: str) -> None:
        """Add to a counter, put into a histogram, or set a gauge; `attributes` are those of the metric."""

    def close(self) -> None:
        """Send what was not sent yet."""


class _Silent:
    def record(self, metric: Metric, value: float, **attributes: str) -> None:
        pass

    def close(self) -> None:
        pass


SILENT: Final[Recorder] = _Silent()
"""Measures nothing: what runs when metrics go nowhere."""
