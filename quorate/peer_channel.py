"""One peer's channel, which moves to a new connection when certificates change.

gRPC cannot reload a client's certificate: a second connection is opened, new calls go there, and
the first one is closed when its last call has ended.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any, Final, Self, TypeAlias

import grpc
import grpc.aio

from quorate import outgoing
from quorate.admission import ENDLESS
from quorate.calls import REQUEST_ID, REQUEST_ID_KEY, new_request_id, time_left
from quorate.errors import DeadlineExceeded, PeerUnreachable
from quorate.telemetry import inject_trace

if TYPE_CHECKING:
    from types import TracebackType

    from quorate.identity import TlsMaterial

DEFAULT_TIMEOUT_SECONDS: Final = 300.0
SHAPES: Final[Mapping[str, Callable[[Any, str], Any]]] = {
    "unary_unary": outgoing.UnaryUnary,
    "unary_stream": outgoing.UnaryStream,
    "stream_unary": outgoing.StreamUnary,
    "stream_stream": outgoing.StreamStream,
}
Codec: TypeAlias = Callable[..., Any] | None  # of a message type that the generated stub knows
Metadata: TypeAlias = Iterable[tuple[str, str | bytes]]


class Connection:
    """A gRPC channel, the certificates it was made with, and the calls that run on it."""

    def __init__(self, channel: grpc.aio.Channel, material: TlsMaterial | None) -> None:
        self.channel = channel
        self.material = material
        self._callables: dict[str, Callable[..., Any]] = {}
        self._running: set[Any] = set()
        self._idle = asyncio.Event()
        self._idle.set()

    def start(
        self, shape: str, method: str, codecs: tuple[Codec, Codec], *arguments: Any, **options: Any
    ) -> Any:
        """Start a call of any shape and keep track of it until it ends."""
        callable_ = self._callables.get(method)
        if callable_ is None:
            make = getattr(self.channel, shape)
            callable_ = self._callables[method] = make(method, *codecs, _registered_method=True)
        call = callable_(*arguments, **options)
        self._running.add(call)
        self._idle.clear()
        call.add_done_callback(self._ended)
        return call

    def _ended(self, call: object) -> None:
        self._running.discard(call)
        if not self._running:
            self._idle.set()

    async def close(self) -> None:
        """End the running calls and close."""
        for call in list(self._running):
            call.cancel()
        await self.channel.close()

    async def close_when_idle(self) -> None:
        """Let the running calls end, then close."""
        await self._idle.wait()
        await self.channel.close()


class PeerChannel(grpc.aio.Channel):
    """What generated stubs are made with; see the module's text.

    `connect` opens a gRPC channel with given certificates, `material` says which ones are to be
    used now, `retire` takes over connections that get no further calls.
    """

    def __init__(
        self,
        address: str,
        connect: Callable[[TlsMaterial | None], grpc.aio.Channel],
        material: Callable[[], TlsMaterial | None],
        retire: Callable[[Connection], None],
    ) -> None:
        self.address = address
        self._connect = connect
        self._material = material
        self._retire = retire
        self._closed = False
        self._let_go = False
        self._connection = self._open()

    def _open(self) -> Connection:
        material = self._material()
        return Connection(self._connect(material), material)

    def let_go(self) -> None:
        """Start no further calls; those that run may end, then the connection is closed."""
        self._let_go = True
        self._retire(self._connection)

    def _current(self) -> Connection:
        if self._let_go:
            raise PeerUnreachable(f"{self.address} is gone: the connection to it was let go")
        if not self._closed and self._connection.material is not self._material():
            self._retire(self._connection)
            self._connection = self._open()
        return self._connection

    def unary_unary(
        self,
        method: str,
        request_serializer: Codec = None,
        response_deserializer: Codec = None,
        _registered_method: bool = False,
    ) -> Any:
        """Give what calls a method with one request and one response."""
        return self._callable("unary_unary", method, request_serializer, response_deserializer)

    def unary_stream(
        self,
        method: str,
        request_serializer: Codec = None,
        response_deserializer: Codec = None,
        _registered_method: bool = False,
    ) -> Any:
        """Give what calls a method with one request and many responses."""
        return self._callable("unary_stream", method, request_serializer, response_deserializer)

    def stream_unary(
        self,
        method: str,
        request_serializer: Codec = None,
        response_deserializer: Codec = None,
        _registered_method: bool = False,
    ) -> Any:
        """Give what calls a method with many requests and one response."""
        return self._callable("stream_unary", method, request_serializer, response_deserializer)

    def stream_stream(
        self,
        method: str,
        request_serializer: Codec = None,
        response_deserializer: Codec = None,
        _registered_method: bool = False,
    ) -> Any:
        """Give what calls a method with many requests and many responses."""
        return self._callable("stream_stream", method, request_serializer, response_deserializer)

    def _callable(
        self, shape: str, method: str, serialize: Codec, deserialize: Codec
    ) -> Callable[..., Any]:
        wrap, target = SHAPES[shape], f"{method} at {self.address}"

        def start(
            *requests: object,
            timeout: float | None = None,
            metadata: Metadata | None = None,
            **options: object,
        ) -> Any:
            limit = _timeout(method, target, timeout)
            call = self._current().start(
                shape,
                method,
                (serialize, deserialize),
                *requests,
                timeout=limit,
                metadata=_metadata(metadata),
                **options,
            )
            return wrap(call, target)

        return start

    def get_state(self, try_to_connect: bool = False) -> grpc.ChannelConnectivity:
        """Say whether the peer is connected."""
        return self._current().channel.get_state(try_to_connect)

    async def wait_for_state_change(self, last_observed_state: grpc.ChannelConnectivity) -> None:
        """Wait until the state is another one."""
        await self._current().channel.wait_for_state_change(last_observed_state)

    async def channel_ready(self) -> None:
        """Wait until the peer is connected, however long it takes."""
        await self._current().channel.channel_ready()

    async def close(self, grace: float | None = None) -> None:
        """End all calls, after some seconds of grace if given."""
        self._closed = True
        if grace:
            await self._connection.channel.close(grace)
        await self._connection.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc_val: BaseException | None,
        exc_tb: TracebackType | None,
    ) -> None:
        await self.close()


def _timeout(method: str, target: str, wanted_seconds: float | None) -> float | None:
    """Give the seconds that a call may take: as asked for, but within the call being served."""
    if wanted_seconds is None and method not in ENDLESS:
        wanted_seconds = DEFAULT_TIMEOUT_SECONDS
    left_seconds = time_left(time.monotonic())
    if left_seconds is None:
        return wanted_seconds
    if left_seconds <= 0:
        raise DeadlineExceeded(f"no time is left to call {target}")
    return left_seconds if wanted_seconds is None else min(left_seconds, wanted_seconds)


def _metadata(given: Metadata | None) -> tuple[tuple[str, str | bytes], ...]:
    """Add the request id and the trace, where the caller has not given its own."""
    request_id = REQUEST_ID.get() or new_request_id()
    trace = inject_trace()
    if not given and not trace:  # as a rule
        return ((REQUEST_ID_KEY, request_id),)
    chosen = tuple(given or ())
    keys = {key for key, _ in chosen}
    carried = {REQUEST_ID_KEY: request_id, **trace}
    return (*chosen, *(entry for entry in carried.items() if entry[0] not in keys))
