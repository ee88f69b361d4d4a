"""Calls are told on to an OTLP endpoint: at least once, a repeat as the same span, no text unless settings say so."""

import gzip
import logging
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from sqlalchemy.engine import Engine

from shared.domain.forwarding import span_id_of
from shared.services.forwarding import forward_calls
from shared.services.ingest import ingest
from shared.stores.otlp import OtlpReceiver
from shared.stores.sql import tables
from shared.stores.sql.audit import SqlAuditStore
from shared.stores.sql.content import SqlContentStore
from shared.stores.sql.forwarding import SqlForwarding
from shared.stores.sql.ledger import SqlLedger
from shared.telemetry import FORWARD_LAG, FORWARDED, Metric
from tests.builders.databases import new_sqlite
from tests.builders.events import a_request, a_response, deliveries

_PROMPT = "the prompt nobody may see"


class Receiver:
    """An OTLP endpoint on this machine that decodes what it gets."""

    def __init__(self) -> None:
        self.traces: list[ExportTraceServiceRequest] = []
        self.metrics: list[ExportMetricsServiceRequest] = []
        self.headers: list[Any] = []
        self.statuses = {"/v1/traces": 200, "/v1/metrics": 200}
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                if self.headers.get("Content-Encoding") == "gzip":
                    body = gzip.decompress(body)
                receiver.headers.append(self.headers)
                if receiver.statuses[self.path] == 200:
                    if self.path == "/v1/traces":
                        receiver.traces.append(ExportTraceServiceRequest.FromString(body))
                    else:
                        receiver.metrics.append(ExportMetricsServiceRequest.FromString(body))
                self.send_response(receiver.statuses[self.path])
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)
        self._thread.start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def spans(self) -> list[Any]:
        return [
            span for request in self.traces for one in request.resource_spans for scope in one.scope_spans
            for span in scope.spans
        ]  # fmt: skip


class Noted:
    def __init__(self) -> None:
        self.values: list[tuple[Metric, float]] = []

    def record(self, metric: Metric, value: float, **_: str) -> None:
        self.values.append((metric, value))

    def close(self) -> None:
        pass


class Forwarding:
    """A ledger whose calls are told on."""

    def __init__(self, engine: Engine, receiver: Receiver) -> None:
        self.engine = engine
        self.noted = Noted()
        self.receiver = OtlpReceiver(receiver.url, {"x-key": "k"})

    def ingest(self, *bodies: bytes, marks_calls: bool = True) -> None:
        ledger = SqlLedger(self.engine, marks_calls=marks_calls)
        ingest(deliveries(*bodies), ledger=ledger, content=SqlContentStore(self.engine))

    def run(self, **changes: Any) -> int:
        told: dict[str, Any] = {
            "store": SqlForwarding(self.engine),
            "receiver": self.receiver,
            "content": None,
            "log": SqlAuditStore(self.engine),
            "recorder": self.noted,
        }
        return forward_calls(**(told | changes))

    def waiting(self) -> int:
        with self.engine.connect() as connection:
            return connection.scalar(sa.select(sa.func.count()).select_from(tables.forward_mark)) or 0


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    receiver = Receiver()
    yield receiver
    receiver.close()


@pytest.fixture
def forwarding(tmp_path: Path, receiver: Receiver) -> Iterator[Forwarding]:
    engine = new_sqlite(tmp_path)
    forwarding = Forwarding(engine, receiver)
    yield forwarding
    forwarding.receiver.close()
    engine.dispose()


def a_call(name: str, **changes: Any) -> tuple[bytes, bytes]:
    body = {"model": "gpt-4o", "temperature": 0.5, "messages": [{"role": "user", "content": _PROMPT}]}
    return a_request(name, **({"body": body} | changes)), a_response(name)


def attributes_of(span: Any) -> dict[str, Any]:
    return {one.key: getattr(one.value, one.value.WhichOneof("value")) for one in span.attributes}


def test_a_call_is_told_once_it_is_complete_in_the_names_of_the_conventions(
    forwarding: Forwarding, receiver: Receiver
) -> None:
    request, response = a_call("call-1")
    forwarding.ingest(request)
    early = forwarding.run()
    forwarding.ingest(response)

    number = forwarding.run()

    (span,) = receiver.spans()
    attributes = attributes_of(span)
    assert (early, number, forwarding.waiting()) == (0, 1, 0)
    assert int.from_bytes(span.span_id) == span_id_of("call-1")
    assert attributes["gen_ai.operation.name"] == "chat"
    assert attributes["gen_ai.provider.name"] == "azure.ai.openai"
    assert attributes["gen_ai.request.temperature"] == 0.5
    assert attributes["gen_ai.usage.input_tokens"] > 0
    assert attributes["promptledger.interaction.id"] == "call-1"
    (resource,) = receiver.traces[0].resource_spans
    told = {one.key: one.value.string_value for one in resource.resource.attributes}
    assert told["promptledger.conventions.version"] == version("opentelemetry-semantic-conventions")
    assert resource.schema_url.startswith("https://opentelemetry.io/schemas/")
    assert receiver.headers[0]["x-key"] == "k"


def test_a_call_has_metrics_too(forwarding: Forwarding, receiver: Receiver) -> None:
    forwarding.ingest(*a_call("call-1"), *a_call("call-2"))

    forwarding.run()

    (request,) = receiver.metrics
    found = {
        metric.name: metric
        for one in request.resource_metrics
        for scope in one.scope_metrics
        for metric in scope.metrics
    }
    assert "gen_ai.client.token.usage" in found
    points = found["gen_ai.client.token.usage"].histogram.data_points
    assert sorted(attributes_of(point)["gen_ai.token.type"] for point in points) == ["input", "output"]
    assert [point.count for point in points] == [2, 2]
    assert found["gen_ai.client.token.usage"].histogram.aggregation_temporality == 1


def test_a_repeat_is_the_same_span(forwarding: Forwarding, receiver: Receiver) -> None:
    forwarding.ingest(*a_call("call-1", sessionId="s-1"), *a_call("call-2", sessionId="s-1"))
    receiver.statuses["/v1/metrics"] = 400
    refused = forwarding.run()
    receiver.statuses["/v1/metrics"] = 200

    number = forwarding.run()

    spans = receiver.spans()
    assert (refused, number, len(spans)) == (0, 2, 4)
    assert len({(span.trace_id, span.span_id) for span in spans}) == 2
    assert len({span.trace_id for span in spans}) == 1


def test_an_endpoint_that_is_away_ends_the_run_and_the_lag_tells(
    forwarding: Forwarding, receiver: Receiver, caplog: pytest.LogCaptureFixture
) -> None:
    forwarding.ingest(*a_call("call-1"))
    receiver.statuses["/v1/traces"] = 400

    with caplog.at_level(logging.WARNING, logger="shared"):
        number = forwarding.run(now=lambda: datetime(2999, 1, 1, tzinfo=UTC))

    assert (number, forwarding.waiting()) == (0, 1)
    assert [metric for metric, _ in forwarding.noted.values] == [FORWARD_LAG]
    assert forwarding.noted.values[0][1] > 1e9
    assert receiver.url not in caplog.text


def test_nobody_who_listens_takes_no_more_than_its_time(tmp_path: Path) -> None:
    engine = new_sqlite(tmp_path)
    listener = Receiver()
    forwarding = Forwarding(engine, listener)
    listener.close()
    forwarding.ingest(*a_call("call-1"))

    assert forwarding.run() == 0
    assert forwarding.waiting() == 1
    forwarding.receiver.close()
    engine.dispose()


def test_what_is_not_marked_is_not_told(forwarding: Forwarding, receiver: Receiver) -> None:
    forwarding.ingest(*a_call("call-1"), marks_calls=False)

    assert (forwarding.run(), forwarding.run(receiver=None), receiver.traces) == (0, 0, [])


def test_a_complete_call_that_learns_something_is_not_told_again(forwarding: Forwarding, receiver: Receiver) -> None:
    forwarding.ingest(*a_call("call-1"))
    forwarding.run()

    forwarding.ingest(*a_call("call-1", sessionId="s-9"))

    assert (forwarding.run(), len(receiver.spans())) == (0, 1)


def test_no_text_is_told_and_with_the_setting_it_is_recorded(forwarding: Forwarding, receiver: Receiver) -> None:
    forwarding.ingest(*a_call("call-1"))
    forwarding.run()
    sent: list[Any] = [*receiver.traces, *receiver.metrics]
    silent = b"".join(one.SerializeToString() for one in sent)
    forwarding.ingest(*a_call("call-2"))

    forwarding.run(content=SqlContentStore(forwarding.engine))

    assert _PROMPT.encode() not in silent
    told = attributes_of(receiver.spans()[-1])
    assert _PROMPT in told["gen_ai.input.messages"]
    assert '"role":"assistant"' in told["gen_ai.output.messages"]
    with forwarding.engine.connect() as connection:
        (entry,) = connection.execute(sa.select(tables.content_read)).mappings()
    assert (entry["reader"], entry["interactions"]) == ("forward_calls", '{"ids":["call-2"]}')


def test_a_run_ends_when_its_time_is_over(forwarding: Forwarding) -> None:
    for number in range(3):
        forwarding.ingest(*(one for call in range(40) for one in a_call(f"call-{number}-{call}")))

    ticks = iter(range(100))
    number = forwarding.run(seconds=1.5, clock=lambda: float(next(ticks)))

    assert 0 < number < 120
    assert forwarding.waiting() == 120 - number
    assert (FORWARDED, number) in forwarding.noted.values
