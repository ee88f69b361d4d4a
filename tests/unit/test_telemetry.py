"""What is measured, and where measurements go. To write the table of docs/operations.md anew:
python -m tests.unit.test_telemetry.
"""

import ast
import json
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from opentelemetry.sdk.metrics.export import InMemoryMetricReader

from shared.domain.delivery import Delivery
from shared.errors import ConfigurationError, StoreUnavailableError, TooManyInvalidError
from shared.services.ingest import IngestOutcome
from shared.services.measures import measured
from shared.settings import TelemetrySettings
from shared.telemetry import METRICS, SILENT, TOKENS, Metric
from shared.telemetry_export import OpenTelemetryRecorder, recorder
from tests.builders import events

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "operations.md"
COMMAND = "python -m tests.unit.test_telemetry"
_BEGIN, _END = "<!-- metrics: written from shared/telemetry.py -->\n", "<!-- end of metrics -->\n"


def table() -> str:
    rows = [
        f"| `{one.name}` | {one.kind} | {one.unit} | {', '.join(f'`{name}`' for name in one.attributes)}"
        f" | {one.meaning} | {one.objective} |"
        for one in METRICS
    ]
    return "\n".join(["| metric | kind | unit | by | means | objective |", "|---|---|---|---|---|---|", *rows, ""])


def page_with(text: str) -> str:
    page = PAGE.read_text(encoding="utf-8")
    before, _, rest = page.partition(_BEGIN)
    _, _, after = rest.partition(_END)
    return f"{before}{_BEGIN}{text}{_END}{after}"


def test_the_operations_page_has_every_metric_as_it_is() -> None:
    assert PAGE.read_text(encoding="utf-8") == page_with(table()), f"docs/operations.md is stale: {COMMAND}"


def test_names_of_metrics_are_ours_and_each_is_used_once() -> None:
    names = [one.name for one in METRICS]

    assert len(set(names)) == len(names)
    assert all(name.startswith("promptledger.") for name in names)
    assert all((one.kind == "histogram") == bool(one.buckets) for one in METRICS)


def test_attributes_are_words_of_ours_alone() -> None:
    attributes = {name for one in METRICS for name in one.attributes}

    assert attributes <= {"hub", "partition", "class", "kind"}


def test_every_metric_is_recorded_somewhere() -> None:
    registry = ast.parse((ROOT / "shared/telemetry.py").read_text())
    constants = {
        node.target.id
        for node in ast.walk(registry)
        if isinstance(node, ast.AnnAssign)
        and isinstance(node.target, ast.Name)
        and ast.unparse(node).find("Metric(") > 0
    }
    services = "".join(path.read_text() for path in (ROOT / "shared/services").glob("*.py"))

    assert len(constants) == len(METRICS)
    assert [name for name in constants if f".record({name}," not in services] == []


class Notes:
    """A recorder that remembers."""

    def __init__(self) -> None:
        self.taken: dict[tuple[str, ...], float] = {}

    def record(self, metric: Metric, value: float, **attributes: str) -> None:
        assert set(attributes) == set(metric.attributes)
        self.taken[(metric.name.removeprefix("promptledger."), *attributes.values())] = value

    def close(self) -> None:
        """Nothing is left to send."""


NOW = datetime(2026, 3, 2, 9, 31, tzinfo=UTC)


def test_a_batch_is_measured() -> None:
    def ingest(deliveries: Sequence[Delivery]) -> IngestOutcome:
        return IngestOutcome(
            received=len(deliveries), stored=1, duplicate=1, retries=2, input_tokens=11, output_tokens=1
        )

    notes = Notes()

    measured(ingest, notes, now=lambda: NOW)(events.deliveries(b"12345", b"67"))

    duration = notes.taken.pop(("ingest.duration", "gateway"))
    assert 0 <= duration < 60
    assert notes.taken == {
        ("ingest.events", "gateway", "0", "stored"): 1,
        ("ingest.events", "gateway", "0", "duplicate"): 1,
        ("ingest.bytes", "gateway", "0"): 7,
        ("ingest.lag", "gateway", "0"): 60.0,
        ("store.retries", "gateway"): 2,
        ("ingest.tokens", "input"): 11,
        ("ingest.tokens", "output"): 1,
    }


def test_unknown_words_are_counted_by_kind_and_the_words_are_logged(caplog: pytest.LogCaptureFixture) -> None:
    words = Counter({f"usage:word_{number:02}": 1 for number in range(30)} | {"event:response.magic": 3})
    notes = Notes()

    measured(lambda _: IngestOutcome(received=1, stored=1, unknown_words=words), notes)(events.deliveries(b"1"))

    assert notes.taken["ingest.unknown_words", "usage"] == 30
    assert notes.taken["ingest.unknown_words", "event"] == 3
    (line,) = caplog.messages
    assert line.startswith("ingest.unknown_words hub=gateway partition=0 event:response.magic=3 usage:word_00=1 ")
    assert line.count("=1") == 15


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (TooManyInvalidError("60 of 64 events cannot be read"), "refused"),
        (StoreUnavailableError("down"), "unavailable"),
        (KeyError("ours"), "fault"),
    ],
)
def test_a_batch_that_fails_is_counted_by_its_kind_and_raises_all_the_same(error: Exception, kind: str) -> None:
    def fail(_: Sequence[Delivery]) -> IngestOutcome:
        raise error

    notes = Notes()

    with pytest.raises(type(error)):
        measured(fail, notes)(events.deliveries(b"1"))

    assert notes.taken == {("ingest.failures", "gateway", "0", kind): 1}


def test_a_refused_batch_says_in_the_log_what_waits(caplog: pytest.LogCaptureFixture) -> None:
    def refuse(_: Sequence[Delivery]) -> IngestOutcome:
        raise TooManyInvalidError("60 of 64 events cannot be read")

    with pytest.raises(TooManyInvalidError):
        measured(refuse, SILENT)(events.deliveries(b"1"))

    (line,) = caplog.messages
    assert line == (
        "ingest.refused hub=gateway partition=0 sequence=0 enqueued_at=2026-03-02T09:30:00.000Z:"
        " 60 of 64 events cannot be read"
    )


def test_every_metric_becomes_an_instrument_with_its_unit_and_meaning() -> None:
    reader = InMemoryMetricReader()
    taker = OpenTelemetryRecorder(reader, "ledger")
    for metric in METRICS:
        taker.record(metric, 2, **dict.fromkeys(metric.attributes, "x"))
    taker.record(TOKENS, 3, kind="x")

    data = reader.get_metrics_data()

    assert data is not None
    (resource,) = data.resource_metrics
    told = {one.name: one for scope in resource.scope_metrics for one in scope.metrics}
    assert resource.resource.attributes["service.name"] == "ledger"
    assert {name: (one.unit, one.description) for name, one in told.items()} == {
        one.name: (one.unit, one.meaning) for one in METRICS
    }
    point: Any = told[TOKENS.name].data.data_points[0]
    assert (point.value, dict(point.attributes)) == (5, {"kind": "x"})
    taker.close()


def test_measurements_go_nowhere_by_default() -> None:
    assert recorder(TelemetrySettings()) is SILENT
    assert recorder(TelemetrySettings(exporter="none")) is SILENT


MEASURING = """
from shared.settings import TelemetrySettings
from shared.telemetry import TOKENS
from shared.telemetry_export import recorder
taker = recorder(TelemetrySettings(exporter="console"))
taker.record(TOKENS, 7, kind="input")
taker.close()
"""


@pytest.mark.slow
def test_measurements_go_to_the_console_when_it_is_named() -> None:
    done = subprocess.run([sys.executable, "-c", MEASURING], cwd=ROOT, check=True, capture_output=True, text=True)

    (scope,) = json.loads(done.stdout)["resource_metrics"][0]["scope_metrics"]
    assert [one["name"] for one in scope["metrics"]] == [TOKENS.name]


def test_otlp_is_there_on_a_laptop() -> None:
    taker = recorder(TelemetrySettings(exporter="otlp"))

    assert isinstance(taker, OpenTelemetryRecorder)


@pytest.mark.parametrize("authentication", ["", "Authorization=AAD", "Authorization=AAD;ClientId=app"])
def test_in_azure_they_go_to_application_insights_and_nothing_goes_elsewhere(
    monkeypatch: pytest.MonkeyPatch, authentication: str
) -> None:
    for name in ("APPLICATIONINSIGHTS_STATSBEAT_DISABLED_ALL", "APPLICATIONINSIGHTS_CONTROLPLANE_DISABLED"):
        monkeypatch.setenv(name, "")
        monkeypatch.delenv(name)
    place = "InstrumentationKey=00000000-0000-4000-8000-000000000001;IngestionEndpoint=https://127.0.0.1:9/"

    taker = recorder(TelemetrySettings(connection_string=place, authentication=authentication, exporter="none"))

    threads = {thread.name for thread in threading.enumerate()}
    taker.close()
    assert isinstance(taker, OpenTelemetryRecorder)
    assert "ConfigurationWorker" not in threads


@pytest.mark.parametrize(
    ("settings", "names"),
    [
        (TelemetrySettings(exporter="smoke signals"), "OTEL_METRICS_EXPORTER.*console"),
        (TelemetrySettings(connection_string="rubbish"), "APPLICATIONINSIGHTS_CONNECTION_STRING"),
    ],
)
def test_a_setting_that_cannot_be_used_is_named(settings: TelemetrySettings, names: str) -> None:
    with pytest.raises(ConfigurationError, match=names):
        recorder(settings)


SERVING = """
import json, os, sys
os.environ["PROMPTLEDGER_DATABASE"] = "sqlite://"
from shared.bootstrap import services
services()
print(json.dumps(sorted(sys.modules)))
"""


@pytest.mark.slow
def test_without_a_place_to_go_to_nothing_of_opentelemetry_is_imported() -> None:
    done = subprocess.run([sys.executable, "-c", SERVING], cwd=ROOT, check=True, capture_output=True, text=True)

    assert [name for name in json.loads(done.stdout) if name.startswith(("opentelemetry", "azure.monitor"))] == []


if __name__ == "__main__":
    PAGE.write_text(page_with(table()), encoding="utf-8")
