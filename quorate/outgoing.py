"""Calls to peers as our code sees them: gRPC's own calls, but failing with the error catalogue.

Wrapped here rather than by gRPC's client interceptors: those start a task per call, and cannot
change what a stream raises without an asynchronous generator around every message.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Generator
from typing import Any, Generic, NoReturn, Self, TypeVar

import grpc
import grpc.aio

from quorate import rpc_status
from quorate.errors import Cancelled, PeerUnreachable, QuorateError

Request = TypeVar("Request")
Response = TypeVar("Response")
Inner = Any  # the concrete call of gRPC: which one depends on the shape of the method


class _Call(grpc.aio.Call):
    """What the four shapes of calls share."""

    def __init__(self, call: Inner, target: str) -> None:
        self._call = call
        self._target = target  # "/service/Method at host:port", for messages

    def __del__(self) -> None:
        # Who drops a stream wants no more of it. gRPC's own call says the same, but our callback in
        # it makes a cycle, which only the garbage collector would find, later.
        if not self._call.done():
            self._call.cancel()

    def cancelled(self) -> bool:
        """Whether the call ended by being cancelled."""
        return bool(self._call.cancelled())

    def done(self) -> bool:
        """Whether the call ended."""
        return bool(self._call.done())

    def time_remaining(self) -> float | None:
        """Give the seconds until the deadline; None without one."""
        return self._call.time_remaining()  # type: ignore[no-any-return]

    def cancel(self) -> bool:
        """End the call at both ends; false when it had ended already."""
        return bool(self._call.cancel())

    def add_done_callback(self, callback: Callable[..., None]) -> None:
        """Have a function called when the call has ended."""
        self._call.add_done_callback(callback)

    async def initial_metadata(self) -> grpc.aio.Metadata:
        """Wait for what the peer sends ahead of its first message."""
        return await self._call.initial_metadata()  # type: ignore[no-any-return]

    async def trailing_metadata(self) -> grpc.aio.Metadata:
        """Wait for the end, and give what the peer sent with it."""
        return await self._call.trailing_metadata()  # type: ignore[no-any-return]

    async def code(self) -> grpc.StatusCode:
        """Wait for the end, and give its status code."""
        return await self._call.code()  # type: ignore[no-any-return]

    async def details(self) -> str:
        """Wait for the end, and give its message."""
        return await self._call.details()  # type: ignore[no-any-return]

    async def wait_for_connection(self) -> None:
        """Wait until the peer is connected; raises an error of the catalogue."""
        try:
            await self._call.wait_for_connection()
        except (grpc.aio.AioRpcError, asyncio.CancelledError) as error:
            self._fail(error)

    def _fail(self, error: grpc.aio.AioRpcError | asyncio.CancelledError) -> NoReturn:
        raise self._translate(error) from error

    def _translate(
        self, error: grpc.aio.AioRpcError | asyncio.CancelledError
    ) -> QuorateError | asyncio.CancelledError:
        if isinstance(error, asyncio.CancelledError):
            # gRPC cancels the call itself, but not in a read that waits for the request to be
            # sent: the peer would go on generating for nobody.
            self._call.cancel()
            task = asyncio.current_task()
            if task is not None and task.cancelling():
                return error
            # gRPC raises the same when only the call was cancelled. Let through, it would end a
            # task that nobody cancelled, and a TaskGroup would not say a word about it.
            return Cancelled(f"the call {self._target} was cancelled")
        return self._known(error)

    def _known(self, error: grpc.aio.AioRpcError) -> QuorateError:
        known = rpc_status.decode(error)
        if type(known) is PeerUnreachable and not _has_details(error):
            # Nobody said this: say at least who was called.
            return PeerUnreachable(f"{self._target}: {known.message}", metadata=known.metadata)
        return known


class _OneResponse(_Call, Generic[Response]):
    def __await__(self) -> Generator[Any, None, Response]:
        return self._response().__await__()

    async def _response(self) -> Response:
        try:
            return await self._call  # type: ignore[no-any-return]
        except (grpc.aio.AioRpcError, asyncio.CancelledError) as error:
            self._fail(error)


class _ManyResponses(_Call, Generic[Response]):
    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Response:
        response = await self.read()
        if response is grpc.aio.EOF:
            raise StopAsyncIteration
        return response  # type: ignore[return-value]

    async def read(self) -> Response | object:
        """Wait for the next message; `grpc.aio.EOF` at the end."""
        try:
            return await self._call.read()  # type: ignore[no-any-return]
        except (grpc.aio.AioRpcError, asyncio.CancelledError) as error:
            self._fail(error)


class _ManyRequests(_Call, Generic[Request]):
    async def write(self, request: Request) -> None:
        """Send a message; waits while the peer is slower."""
        try:
            await self._call.write(request)
        except asyncio.InvalidStateError as error:  # it has ended, or said that nothing comes
            raise await self._why_ended(error) from error
        except (grpc.aio.AioRpcError, asyncio.CancelledError) as error:
            self._fail(error)

    async def _why_ended(self, error: asyncio.InvalidStateError) -> Exception:
        if not self.done() or await self.code() is grpc.StatusCode.OK:
            return error  # a mistake of the writer, not of the call
        status = grpc.aio.AioRpcError(
            await self.code(),
            await self.initial_metadata(),
            await self.trailing_metadata(),
            await self.details(),
        )
        return self._known(status)

    async def done_writing(self) -> None:
        """Say that no further message comes."""
        try:
            await self._call.done_writing()
        except (grpc.aio.AioRpcError, asyncio.CancelledError) as error:
            self._fail(error)


class UnaryUnary(_OneResponse[Response]):
    """One request, one response."""


class UnaryStream(_ManyResponses[Response]):
    """One request, many responses."""


class StreamUnary(_ManyRequests[Request], _OneResponse[Response]):
    """Many requests, one response."""


class StreamStream(_ManyRequests[Request], _ManyResponses[Response]):
    """Many requests, many responses."""


def _has_details(error: grpc.aio.AioRpcError) -> bool:
    return any(key == "grpc-status-details-bin" for key, _ in error.trailing_metadata() or ())
