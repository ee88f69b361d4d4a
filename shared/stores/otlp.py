"""Calls -> spans and metrics in OpenTelemetry's conventions for generative AI, sent by OTLP over HTTP.

Names come from the package of conventions, whose version the resource tells; others begin with `promptledger.`.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from importlib.metadata import version
from typing import Any, Final

import orjson
from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.metrics import Histogram, MeterProvider
from opentelemetry.sdk.metrics.export import AggregationTemporality, InMemoryMetricReader, MetricExportResult
from opentelemetry.sdk.metrics.view import ExplicitBucketHistogramAggregation, View
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SpanExportResult
from opentelemetry.sdk.util.instrumentation import InstrumentationScope
from opentelemetry.semconv._incubating.attributes import gen_ai_attributes as gen_ai
from opentelemetry.semconv._incubating.metrics import gen_ai_metrics
from opentelemetry.semconv.attributes import error_attributes, server_attributes
from opentelemetry.semconv.schemas import Schemas
from opentelemetry.trace import SpanContext, SpanKind, Status, StatusCode, TraceFlags

from shared.domain.forwarding import ForwardedCall, span_id_of, trace_id_of
from shared.domain.interaction import State
from shared.errors import ForwardingError

__all__ = ["OtlpReceiver"]

_SECONDS: Final = 5
"""That the receiver has for an answer, tries included."""
_NAME: Final = "promptledger"
_SCHEMA: Final = list(Schemas)[-1].value
_TOKENS: Final = (1, 4, 16, 64, 256, 1024, 4096, 16384, 65536, 262144, 1048576, 4194304, 16777216, 67108864)
_DURATIONS: Final = (0.01, 0.02, 0.04, 0.08, 0.16, 0.32, 0.64, 1.28, 2.56, 5.12, 10.24, 20.48, 40.96, 81.92)
"""Both as the conventions advise."""

_OPERATIONS: Final = {
    "chat.completions": gen_ai.GenAiOperationNameValues.CHAT.value,
    "responses": gen_ai.GenAiOperationNameValues.CHAT.value,
    "messages": gen_ai.GenAiOperationNameValues.CHAT.value,
    "converse": gen_ai.GenAiOperationNameValues.CHAT.value,
    "completions": gen_ai.GenAiOperationNameValues.TEXT_COMPLETION.value,
    "embeddings": gen_ai.GenAiOperationNameValues.EMBEDDINGS.value,
    "generateContent": gen_ai.GenAiOperationNameValues.GENERATE_CONTENT.value,
}
"""Ours -> theirs; others keep our name."""
_PROVIDERS: Final = {
    "messages": gen_ai.GenAiProviderNameValues.ANTHROPIC.value,
    "generateContent": gen_ai.GenAiProviderNameValues.GCP_GEN_AI.value,
    "converse": gen_ai.GenAiProviderNameValues.AWS_BEDROCK.value,
    "invoke": gen_ai.GenAiProviderNameValues.AWS_BEDROCK.value,
}
_COLUMNS: Final = {
    gen_ai.GEN_AI_RESPONSE_MODEL: "model",
    gen_ai.GEN_AI_RESPONSE_ID: "response_id",
    gen_ai.GEN_AI_CONVERSATION_ID: "session_id",
    gen_ai.GEN_AI_REQUEST_STREAM: "streamed",
    gen_ai.GEN_AI_OPENAI_RESPONSE_SERVICE_TIER: "service_tier",
    server_attributes.SERVER_ADDRESS: "backend_host",
    "http.response.status_code": "http_status",
    "promptledger.interaction.id": "id",
    "promptledger.state": "state",
    "promptledger.operation": "operation",
    "promptledger.deployment": "deployment",
    "promptledger.subscription.id": "subscription_id",
    "promptledger.product.id": "product_id",
    "promptledger.usage.provenance": "usage_provenance",
}
_USAGE: Final = {
    gen_ai.GEN_AI_USAGE_INPUT_TOKENS: "input_tokens",
    gen_ai.GEN_AI_USAGE_OUTPUT_TOKENS: "output_tokens",
    gen_ai.GEN_AI_USAGE_CACHE_READ_INPUT_TOKENS: "cached_input_tokens",
    gen_ai.GEN_AI_USAGE_CACHE_CREATION_INPUT_TOKENS: "cache_write_tokens",
    gen_ai.GEN_AI_USAGE_REASONING_OUTPUT_TOKENS: "reasoning_tokens",
}
_PARAMETERS: Final = {
    gen_ai.GEN_AI_REQUEST_TEMPERATURE: ("temperature",),
    gen_ai.GEN_AI_REQUEST_TOP_P: ("top_p",),
    gen_ai.GEN_AI_REQUEST_MAX_TOKENS: ("max_completion_tokens", "max_output_tokens", "max_tokens"),
    gen_ai.GEN_AI_REQUEST_FREQUENCY_PENALTY: ("frequency_penalty",),
    gen_ai.GEN_AI_REQUEST_PRESENCE_PENALTY: ("presence_penalty",),
    gen_ai.GEN_AI_REQUEST_SEED: ("seed",),
    gen_ai.GEN_AI_REQUEST_CHOICE_COUNT: ("n",),
}
"""Numbers alone: what else a request holds may be somebody's text."""


class OtlpReceiver:
    """`shared.stores.forward_ports.CallReceiver` behind an OTLP endpoint."""

    def __init__(self, endpoint: str, headers: Mapping[str, str]) -> None:
        """Send to `endpoint`, whose paths are `/v1/traces` and `/v1/metrics`, with `headers`."""
        base = endpoint.rstrip("/")
        self._spans = OTLPSpanExporter(endpoint=f"{base}/v1/traces", headers=headers, timeout=_SECONDS)
        self._metrics = OTLPMetricExporter(
            endpoint=f"{base}/v1/metrics",
            headers=headers,
            timeout=_SECONDS,
            preferred_temporality={Histogram: AggregationTemporality.DELTA},
        )
        conventions = version("opentelemetry-semantic-conventions")
        self._resource = Resource(
            {"service.name": _NAME, "promptledger.conventions.version": conventions}, schema_url=_SCHEMA
        )
        self._scope = InstrumentationScope(_NAME, conventions, _SCHEMA)

    def send(self, calls: Sequence[ForwardedCall]) -> None:
        """Tell of calls; see the port."""
        if self._spans.export([self._span(call) for call in calls]) is not SpanExportResult.SUCCESS:
            raise ForwardingError("the endpoint took no spans")
        if self._measure(calls) is not MetricExportResult.SUCCESS:
            raise ForwardingError("the endpoint took no metrics")

    def close(self) -> None:
        """Give back the connections."""
        self._spans.shutdown()  # type: ignore[no-untyped-call]  # the package says nothing of it
        self._metrics.shutdown()

    def _span(self, call: ForwardedCall) -> ReadableSpan:
        row = call.row
        start = _nanoseconds(row["occurred_at"])
        context = SpanContext(trace_id_of(row), span_id_of(row["id"]), is_remote=False, trace_flags=TraceFlags(1))
        model = row["requested_model"] or row["deployment"] or row["model"]
        failed = _is_error(row)
        return ReadableSpan(
            name=" ".join(filter(None, (_operation(row), model))),
            context=context,
            kind=SpanKind.CLIENT,
            resource=self._resource,
            instrumentation_scope=self._scope,
            attributes=_attributes(call),
            status=Status(StatusCode.ERROR) if failed else Status(StatusCode.UNSET),
            start_time=start,
            end_time=start + int((row["latency_ms"] or 0) * 1_000_000),
        )

    def _measure(self, calls: Sequence[ForwardedCall]) -> MetricExportResult:
        reader = InMemoryMetricReader(preferred_temporality={Histogram: AggregationTemporality.DELTA})
        buckets = {
            gen_ai_metrics.GEN_AI_CLIENT_OPERATION_DURATION: _DURATIONS,
            gen_ai_metrics.GEN_AI_CLIENT_TOKEN_USAGE: _TOKENS,
        }
        views = [
            View(instrument_name=name, aggregation=ExplicitBucketHistogramAggregation(bounds))
            for name, bounds in buckets.items()
        ]
        provider = MeterProvider([reader], resource=self._resource, views=views, shutdown_on_exit=False)
        meter = provider.get_meter(_NAME, schema_url=_SCHEMA)
        durations = meter.create_histogram(gen_ai_metrics.GEN_AI_CLIENT_OPERATION_DURATION, "s")
        tokens = meter.create_histogram(gen_ai_metrics.GEN_AI_CLIENT_TOKEN_USAGE, "{token}")
        for row in (call.row for call in calls):
            common = _dimensions(row)
            if row["latency_ms"] is not None:
                failure = {error_attributes.ERROR_TYPE: _error_type(row)} if _is_error(row) else {}
                durations.record(row["latency_ms"] / 1000, common | failure)
            for kind, column in (("input", "input_tokens"), ("output", "output_tokens")):
                if row[column] is not None and not row["cached"]:
                    tokens.record(row[column], common | {gen_ai.GEN_AI_TOKEN_TYPE: kind})
        data = reader.get_metrics_data()
        provider.shutdown()
        return MetricExportResult.SUCCESS if data is None else self._metrics.export(data)


def _operation(row: Mapping[str, Any]) -> str:
    name = row["operation"] or "other"
    return _OPERATIONS.get(name, name)


def _dimensions(row: Mapping[str, Any]) -> dict[str, Any]:
    given = {
        gen_ai.GEN_AI_OPERATION_NAME: _operation(row),
        gen_ai.GEN_AI_PROVIDER_NAME: _PROVIDERS.get(
            row["operation"], gen_ai.GenAiProviderNameValues.AZURE_AI_OPENAI.value
        ),
        gen_ai.GEN_AI_REQUEST_MODEL: row["requested_model"] or row["deployment"],
        gen_ai.GEN_AI_RESPONSE_MODEL: row["model"],
    }
    return {name: value for name, value in given.items() if value is not None}


def _attributes(call: ForwardedCall) -> dict[str, Any]:
    """Return what is known of a call: what is not has no attribute."""
    row = call.row
    found = _dimensions(row) | {name: row[column] for name, column in _COLUMNS.items()}
    if not row["cached"]:
        # The answer repeats the usage of the call that filled the cache.
        found |= {name: row[column] for name, column in _USAGE.items()}
    parameters = orjson.loads(row["parameters"] or "{}")
    for name, members in _PARAMETERS.items():
        found[name] = next((parameters[one] for one in members if _is_number(parameters.get(one))), None)
    reasons = orjson.loads(row["finish_reasons"] or "[]")
    found[gen_ai.GEN_AI_RESPONSE_FINISH_REASONS] = [one for one in reasons if isinstance(one, str)] or None
    first = row["time_to_first_byte_ms"]
    if row["streamed"] and first is not None:
        found[gen_ai.GEN_AI_RESPONSE_TIME_TO_FIRST_CHUNK] = first / 1000
    if _is_error(row):
        found[error_attributes.ERROR_TYPE] = _error_type(row)
    if call.prompt is not None:
        found[gen_ai.GEN_AI_INPUT_MESSAGES] = _messages("user", call.prompt)
    if call.completion is not None:
        found[gen_ai.GEN_AI_OUTPUT_MESSAGES] = _messages("assistant", call.completion)
    return {name: value for name, value in found.items() if value is not None}


def _messages(role: str, text: str) -> str:
    return orjson.dumps([{"role": role, "parts": [{"type": "text", "content": text}]}]).decode()


def _is_error(row: Mapping[str, Any]) -> bool:
    return row["state"] in {State.FAILED.value, State.REFUSED.value} or (row["http_status"] or 0) >= 400


def _error_type(row: Mapping[str, Any]) -> str:
    """Return the status, or the state: codes and messages of errors may be somebody's text."""
    status = row["http_status"]
    return str(status) if status is not None and status >= 400 else str(row["state"])


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _nanoseconds(moment: str) -> int:
    at = datetime.fromisoformat(moment)
    return int(at.timestamp()) * 1_000_000_000 + at.microsecond * 1_000
