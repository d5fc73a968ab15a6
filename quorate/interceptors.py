"""What happens around every call that a server serves, in this order.

1. The request id and the deadline are taken over, for logs and for the handler's own calls.
2. The call is measured: a span, its seconds by status code, the calls in flight.
3. Errors of the catalogue become rich statuses; any other exception becomes INTERNAL, says nothing
   of what went wrong inside, and is logged with its traceback.
4. The caller's role is checked.
5. While the server drains, new work is refused.
6. A request that cannot be read, such as one with bad UTF-8, is INVALID_ARGUMENT; gRPC would answer
   INTERNAL, as if the server were at fault.

A handler is wrapped once, when its method is first called. Nothing is done per message: streams run
through the wrapper as they would run without it.
"""

from __future__ import annotations

import asyncio
import inspect
import logging
import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable, Iterator
from contextlib import aclosing, contextmanager
from typing import TYPE_CHECKING, Any, Final, NamedTuple, TypeAlias

import grpc
import grpc.aio
from google.protobuf.message import DecodeError
from opentelemetry import trace

from quorate import rpc_status
from quorate.authorization import authorize, peer_of
from quorate.calls import DEADLINE, REQUEST_ID, REQUEST_ID_KEY, accept_request_id
from quorate.errors import InternalError, InvalidRequest, QuorateError

if TYPE_CHECKING:
    from prometheus_client import Histogram

    from quorate.admission import Admission
    from quorate.calls import Context
    from quorate.metrics import Metrics
    from quorate.telemetry import Telemetry

logger = logging.getLogger(__name__)

Behaviour: TypeAlias = Callable[[Any, "Context"], Any]  # messages of any method pass here
Handler: TypeAlias = "grpc.RpcMethodHandler[Any, Any]"


class CallInterceptor(grpc.aio.ServerInterceptor):
    """Surrounds the handlers of one server. `trust_domain` None serves anybody: loopback only."""

    def __init__(
        self, telemetry: Telemetry, admission: Admission, trust_domain: str | None
    ) -> None:
        self._telemetry = telemetry
        self._admission = admission
        self._trust_domain = trust_domain
        self._wrapped: dict[str, Handler] = {}

    async def intercept_service(
        self,
        continuation: Callable[[grpc.HandlerCallDetails], Awaitable[Handler | None]],
        handler_call_details: grpc.HandlerCallDetails,
    ) -> Handler | None:
        """Give the wrapped handler of a method, or nothing for a method that is not served."""
        method = handler_call_details.method
        known = self._wrapped.get(method)
        if known is not None:
            return known
        handler = await continuation(handler_call_details)
        if handler is not None:  # only served methods are kept: a stranger cannot fill the table
            handler = self._wrapped[method] = self._wrap(method, handler)
        return handler

    def _wrap(self, method: str, handler: Handler) -> Handler:
        shape = next(shape for shape in SHAPES if getattr(handler, shape) is not None)
        return SHAPES[shape](
            self._surround(method, _as_coroutine(getattr(handler, shape))),
            request_deserializer=_reader(handler),
            response_serializer=handler.response_serializer,
        )

    def _surround(self, method: str, behaviour: Behaviour) -> Behaviour:
        meter = _Meter(self._telemetry.metrics, method)

        async def surrounded(request: object, context: Context) -> object:
            metadata = context.invocation_metadata() or ()
            _take_over(metadata, context)
            with (
                self._telemetry.serve_span(method, metadata) as span,
                meter.measuring(context),
            ):
                try:
                    self._admit(method, context)
                    if isinstance(request, _Unreadable):
                        raise request.error()
                    with self._admission.working(method):
                        return await behaviour(request, context)
                except grpc.aio.AbortError:  # a handler of another package set its own status
                    raise
                except Exception as error:  # noqa: BLE001 - what is no error of ours is logged
                    known = _in_catalogue(method, error)
                    span.set_status(trace.StatusCode.ERROR, known.kind)
                    await context.abort_with_status(rpc_status.encode(known))

        return surrounded

    def _admit(self, method: str, context: Context) -> None:
        if self._trust_domain is not None:
            authorize(method, peer_of(context, self._trust_domain))
        self._admission.check(method)


class _Meter:
    """Measures the calls of one method; keeps its metrics, because finding them takes longer."""

    def __init__(self, metrics: Metrics, method: str) -> None:
        self._metrics = metrics
        self._method = method
        self._in_flight = metrics.rpc_in_flight.labels(method)
        self._seconds: dict[str, Histogram] = {}

    @contextmanager
    def measuring(self, context: Context) -> Iterator[None]:
        """Measure one call."""
        code: str | None = None
        started = time.perf_counter()
        self._in_flight.inc()
        try:
            yield
        except asyncio.CancelledError:
            code = _cancel_code(context)
            raise
        finally:
            self._in_flight.dec()
            seconds = time.perf_counter() - started
            self._of(code or _code(context)).observe(seconds)

    def _of(self, code: str) -> Histogram:
        known = self._seconds.get(code)
        if known is None:
            service, _, name = self._method.removeprefix("/").partition("/")
            known = self._metrics.rpc_seconds.labels(service, name, code)
            self._seconds[code] = known
        return known


# How each shape of RPC is put together again; all four have the same wrapper.
SHAPES: Final[dict[str, Callable[..., Handler]]] = {
    "unary_unary": grpc.unary_unary_rpc_method_handler,
    "unary_stream": grpc.unary_stream_rpc_method_handler,
    "stream_unary": grpc.stream_unary_rpc_method_handler,
    "stream_stream": grpc.stream_stream_rpc_method_handler,
}


class _Unreadable(NamedTuple):
    """Stands in the place of a request whose bytes are no message of its type."""

    reason: str

    def error(self) -> InvalidRequest:
        return InvalidRequest(
            f"the request cannot be read ({self.reason}). It is cut off or of another type, "
            "or a text in it is not UTF-8."
        )


def _reader(handler: Handler) -> Callable[[bytes], object] | None:
    """Give what reads a request, and lets the wrapper answer for one that cannot be read.

    Requests that come as a stream are left to gRPC: handlers read those themselves.
    """
    read = handler.request_deserializer
    if read is None or handler.request_streaming:
        return read

    def read_or_explain(raw: bytes) -> object:
        try:
            return read(raw)
        except DecodeError as error:
            return _Unreadable(str(error))

    return read_or_explain


def _as_coroutine(behaviour: Behaviour) -> Behaviour:
    """Turn an async generator into a coroutine that writes; leave coroutines as they are.

    gRPC itself drives a generator by the same loop, but leaves it unfinished when the call is
    cancelled; here its `finally` blocks run at once.
    """
    if inspect.iscoroutinefunction(behaviour):
        return behaviour
    if not inspect.isasyncgenfunction(behaviour):

        async def refuse(_request: object, _context: Context) -> None:
            raise TypeError(f"{behaviour!r} is not asynchronous and would block the event loop")

        return refuse

    async def write_all(request: object, context: Context) -> None:
        responses: AsyncGenerator[object, None] = behaviour(request, context)
        async with aclosing(responses):
            async for response in responses:
                await context.write(response)

    return write_all


def _take_over(metadata: Iterable[tuple[str, str | bytes]], context: Context) -> None:
    # Each call has a task of its own, and with it its own context variables.
    REQUEST_ID.set(accept_request_id(dict(metadata).get(REQUEST_ID_KEY)))
    remaining = _remaining_seconds(context)
    DEADLINE.set(None if remaining is None else time.monotonic() + remaining)


def _remaining_seconds(context: Context) -> float | None:
    return context.time_remaining()  # None without a deadline, whatever the stubs say


def _in_catalogue(method: str, error: Exception) -> QuorateError:
    known = _known(error)
    if known is not None:
        return known
    logger.error("%s failed", method, exc_info=error)
    request_id = REQUEST_ID.get()
    return InternalError(
        f"an internal error; the server's log names it under request {request_id}",
        metadata={"request_id": request_id},
    )


def _known(error: BaseException) -> QuorateError | None:
    """Find the error of the catalogue in what a handler raised, also through a TaskGroup."""
    if isinstance(error, BaseExceptionGroup):
        found = [_known(inner) for inner in error.exceptions]
        return found[0] if all(found) else None
    return error if isinstance(error, QuorateError) else None


def _code(context: Context) -> str:
    code: grpc.StatusCode | None = context.code()  # None until a handler sets one
    return grpc.StatusCode.OK.name if code is None else code.name


def _cancel_code(context: Context) -> str:
    remaining = _remaining_seconds(context)
    expired = remaining is not None and remaining <= 0
    code = grpc.StatusCode.DEADLINE_EXCEEDED if expired else grpc.StatusCode.CANCELLED
    return code.name
