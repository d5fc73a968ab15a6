"""Metrics, spans and logs of one process: what is measured, and where it goes.

Metrics are scraped from `/metrics`; spans go to an OTLP receiver when one is set, else nowhere.
Trace context crosses between peers in either case.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, nullcontext
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from opentelemetry import context as trace_context
from opentelemetry import trace
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator
from prometheus_client import CollectorRegistry, start_http_server

from quorate.errors import Cancelled, ConfigurationError, InternalError, QuorateError
from quorate.logs import configure_logging
from quorate.metrics import Metrics

if TYPE_CHECKING:
    from contextlib import AbstractContextManager
    from threading import Thread
    from wsgiref.simple_server import WSGIServer

    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.util.types import AttributeValue

    from quorate.config import TelemetrySettings

__all__ = ["Metrics", "Operation", "SpanName", "Telemetry", "configure_logging", "inject_trace"]

EXPORT_SECONDS: Final = 5
_PROPAGATOR: Final = TraceContextTextMapPropagator()
_TRACE_KEYS: Final = ("traceparent", "tracestate")
_NO_TRACE: Final[Mapping[str, str]] = {}


class SpanName(StrEnum):
    """Every span of Quorate, but those of RPCs and of models' work.

    A span of an RPC bears the method's name, one of a model's work its `Operation` and the model.
    """

    ASK = "ask"
    DECOMPOSE = "decompose"
    PLAN = "plan"
    DISPATCH = "dispatch"
    BALLOT = "ballot"
    VOTE = "vote"
    SYNTHESIZE = "synthesize"
    JUDGE = "judge"
    DELIBERATE = "deliberate"
    LOAD_MODEL = "load_model"


class Operation(StrEnum):
    """What a model does, as OpenTelemetry's GenAI conventions name it; SCORE is our own."""

    CHAT = "chat"
    TEXT_COMPLETION = "text_completion"
    EMBEDDINGS = "embeddings"
    SCORE = "score"


class Telemetry:
    """What one process measures: `metrics` by attribute, `span(...)` around work.

    `service` is the kind of program ("node"), `name` which one.
    """

    def __init__(self, settings: TelemetrySettings, service: str, name: str) -> None:
        self._settings = settings
        self._service = service
        self._metrics_server: tuple[WSGIServer, Thread] | None = None
        self._provider = _tracer_provider(settings, service, name)
        self._tracer: trace.Tracer = (
            self._provider.get_tracer("quorate") if self._provider else trace.NoOpTracer()
        )
        self.registry = CollectorRegistry()
        self.metrics = Metrics(self.registry)

    @property
    def metrics_port(self) -> int | None:
        """The port that /metrics is served on; None when it is not."""
        return self._metrics_server[0].server_port if self._metrics_server else None

    def start(self) -> None:
        """Serve /metrics from a thread of its own, if settings say so; a second time does nothing.

        Raises ConfigurationError when the port is taken.
        """
        if self._settings.metrics_port is None or self._metrics_server:
            return
        host, port = self._settings.metrics_host, self._settings.metrics_port
        try:
            self._metrics_server = start_http_server(port, host, self.registry)
        except OSError as error:
            raise ConfigurationError(
                f"metrics cannot be served on {host}:{port}: {error.strerror or error}. "
                "Set telemetry.metrics_port to a free port, or to 0 for any"
            ) from error

    def shutdown(self) -> None:
        """Send what spans are left and stop serving metrics; a second time does nothing.

        Blocks, for some seconds at most: call it from a thread where an event loop runs.
        """
        if self._provider is not None:
            self._provider.shutdown()
            self._provider = None
        if self._metrics_server is not None:
            server, thread = self._metrics_server
            self._metrics_server = None
            server.shutdown()
            server.server_close()
            thread.join()

    def span(
        self, name: SpanName, **attributes: str | int | float | bool
    ) -> AbstractContextManager[trace.Span]:
        """Measure a block of work as a span below the current one."""
        if self._provider is None:  # nobody would get it; there are ten to a question
            return nullcontext(trace.INVALID_SPAN)
        return self._marked(name, attributes, trace.SpanKind.INTERNAL)

    def model_span(
        self, operation: Operation, model: str, attributes: Mapping[str, AttributeValue]
    ) -> AbstractContextManager[trace.Span]:
        """Measure what a model does, by the GenAI conventions: "chat atlas".

        `model` is a name from settings, so that span names are few. Nothing that a caller wrote may
        be among the attributes.
        """
        known = {"gen_ai.operation.name": operation.value, "gen_ai.request.model": model}
        return self._marked(f"{operation} {model}", {**known, **attributes}, trace.SpanKind.CLIENT)

    @contextmanager
    def _marked(
        self, name: str, attributes: Mapping[str, AttributeValue], kind: trace.SpanKind
    ) -> Iterator[trace.Span]:
        """Mark a span that ends in an error by its kind: messages may quote what a caller wrote."""
        with self._tracer.start_as_current_span(
            name,
            kind=kind,
            attributes=attributes,
            record_exception=False,
            set_status_on_exception=False,
        ) as span:
            try:
                yield span
            except BaseException as error:
                _mark(span, error)
                raise

    def serve_span(
        self, method: str, metadata: Iterable[tuple[str, object]]
    ) -> AbstractContextManager[trace.Span]:
        """Measure the serving of a call, below the caller's span when its metadata name one."""
        carrier = {key: value for key, value in metadata if key in _TRACE_KEYS}
        if self._provider is None and not carrier:  # nobody would get it, or go on with it
            return nullcontext(trace.INVALID_SPAN)
        return self._tracer.start_as_current_span(
            method.removeprefix("/"),
            context=_PROPAGATOR.extract(carrier) if carrier else None,
            kind=trace.SpanKind.SERVER,
            attributes={"rpc.system": "grpc", "rpc.method": method},
            record_exception=False,  # who serves the call says what its end means
            set_status_on_exception=False,
        )


def _mark(span: trace.Span, error: BaseException) -> None:
    """Say on a span how its work failed; work that was given up did not."""
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    if isinstance(error, asyncio.CancelledError | GeneratorExit):
        span.set_attribute("error.type", Cancelled.kind)
        return
    kind = error.kind if isinstance(error, QuorateError) else InternalError.kind
    span.set_attribute("error.type", kind)
    span.set_status(trace.StatusCode.ERROR, kind)


def inject_trace() -> Mapping[str, str]:
    """Give the metadata by which a callee continues the current trace; empty without one."""
    current = trace_context.get_current()
    if not current:  # as a rule where nobody traces
        return _NO_TRACE
    carrier: dict[str, str] = {}
    _PROPAGATOR.inject(carrier, current)
    return carrier


def _tracer_provider(settings: TelemetrySettings, service: str, name: str) -> TracerProvider | None:
    if settings.otlp_endpoint is None:
        return None
    # Not before it is needed: the SDK and its exporter take 6 MB of a process that sends no spans.
    from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor

    resource = Resource.create({"service.name": f"quorate-{service}", "service.instance.id": name})
    provider = TracerProvider(resource=resource, shutdown_on_exit=False)
    exporter = OTLPSpanExporter(
        endpoint=settings.otlp_endpoint,
        insecure=not settings.otlp_endpoint.startswith("https://"),
        timeout=EXPORT_SECONDS,
    )
    provider.add_span_processor(BatchSpanProcessor(exporter))
    return provider
