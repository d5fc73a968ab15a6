"""Errors arrive at the caller as the handler raised them, and nothing else does."""

from __future__ import annotations

import logging
from typing import Any

import grpc.aio
import pytest

from quorate import errors
from quorate.channel import Peers
from quorate.errors import BY_KIND, InternalError, QuorateError
from quorate.v1 import node_pb2, node_pb2_grpc

pytestmark = pytest.mark.anyio

SENT = {"retry_after_seconds": 1.5, "metadata": {"model": "atlas", "field": "n"}}


class Failing:
    """Methods of every kind of handler, which raise what they are told to, mid-way in streams."""

    def __init__(self) -> None:
        self.error: BaseException = AssertionError("no error was set")

    async def unary(self, request: object, context: object) -> object:
        raise self.error

    async def generator(self, request: object, context: object) -> Any:
        yield node_pb2.GenerateResponse()
        raise self.error

    async def writer(self, request: object, context: Any) -> None:
        await context.write(node_pb2.WatchStatusResponse())
        raise self.error

    def blocking(self, request: object, context: object) -> object:
        return node_pb2.TokenizeResponse()


@pytest.fixture
def failing() -> Failing:
    return Failing()


@pytest.fixture
async def stub(serve_node: Any, peers: Peers, failing: Failing) -> Any:
    methods = {
        "GetStatus": failing.unary,
        "Generate": failing.generator,
        "WatchStatus": failing.writer,
        "Tokenize": failing.blocking,
    }
    async with serve_node(**methods) as node:
        yield node_pb2_grpc.NodeServiceStub(peers.channel(node.address))


async def unary(stub: Any) -> int:
    await stub.GetStatus(node_pb2.GetStatusRequest())
    return 0


async def iterate(call: Any, seen: list[object]) -> None:
    async for message in call:
        seen.append(message)  # noqa: PERF401  # what came before the failure counts


async def read(call: Any, seen: list[object]) -> None:
    while (message := await call.read()) is not grpc.aio.EOF:
        seen.append(message)


def check(error: type[QuorateError], received: QuorateError) -> None:
    assert type(received) is error
    assert received.message == "what happened: ärger"
    assert received.retry_after_seconds == 1.5
    assert received.metadata == {"model": "atlas", "field": "n"}


@pytest.mark.parametrize("kind", sorted(BY_KIND))
async def test_every_error_of_the_catalogue_crosses_whole(
    stub: Any, failing: Failing, kind: str
) -> None:
    failing.error = BY_KIND[kind]("what happened: ärger", **SENT)
    with pytest.raises(QuorateError) as received:
        await unary(stub)
    check(BY_KIND[kind], received.value)
    for consume in (iterate, read):
        for call in (
            stub.Generate(node_pb2.GenerateRequest()),
            stub.WatchStatus(node_pb2.WatchStatusRequest()),
        ):
            seen: list[object] = []
            with pytest.raises(QuorateError) as received:
                await consume(call, seen)
            check(BY_KIND[kind], received.value)
            assert len(seen) == 1


async def test_a_read_after_the_failure_fails_again(stub: Any, failing: Failing) -> None:
    failing.error = errors.ModelCrashed("gone")
    call = stub.Generate(node_pb2.GenerateRequest())
    assert isinstance(await call.read(), node_pb2.GenerateResponse)
    for _ in range(2):
        with pytest.raises(errors.ModelCrashed):
            await call.read()


@pytest.mark.parametrize("delay", [None, 0.0, 0.001, 3600.0])
async def test_the_advice_when_to_retry_crosses(
    stub: Any, failing: Failing, delay: float | None
) -> None:
    failing.error = errors.Overloaded("full", retry_after_seconds=delay)
    with pytest.raises(errors.Overloaded) as received:
        await unary(stub)
    assert received.value.retry_after_seconds == delay


async def test_an_unknown_exception_tells_the_caller_nothing_but_where_to_look(
    stub: Any, failing: Failing, caplog: pytest.LogCaptureFixture
) -> None:
    failing.error = ValueError("the password is hunter2")
    with (
        caplog.at_level(logging.ERROR, "quorate.interceptors"),
        pytest.raises(InternalError) as received,
    ):
        await unary(stub)
    request_id = received.value.metadata["request_id"]
    assert request_id in received.value.message
    assert "hunter2" not in repr(received.value.__cause__) + received.value.message
    assert "hunter2" in caplog.text
    assert "/quorate.v1.NodeService/GetStatus failed" in caplog.text


async def test_an_error_raised_in_a_task_group_crosses_as_itself(
    stub: Any, failing: Failing
) -> None:
    inner = ExceptionGroup("inner", [errors.OutOfMemory("too big"), errors.ModelCrashed("dead")])
    failing.error = ExceptionGroup("outer", [inner])
    with pytest.raises(errors.OutOfMemory, match="too big"):
        await unary(stub)
    failing.error = ExceptionGroup("mixed", [errors.OutOfMemory("too big"), ValueError("bug")])
    with pytest.raises(InternalError):
        await unary(stub)


async def test_a_handler_that_would_block_is_refused(
    stub: Any, caplog: pytest.LogCaptureFixture
) -> None:
    with pytest.raises(InternalError):
        await stub.Tokenize(node_pb2.TokenizeRequest())
    assert "is not asynchronous" in caplog.text


async def test_a_method_that_is_not_served_is_not_implemented(
    peers: Peers, serve_node: Any
) -> None:
    async with serve_node() as node:
        missing = peers.channel(node.address).unary_unary("/quorate.v1.Oracle/Ask")
        with pytest.raises(errors.NotImplementedYet):
            await missing(b"")


async def test_a_peer_that_is_not_there_is_unreachable_and_named(
    peers: Peers, free_port: int
) -> None:
    stub = node_pb2_grpc.NodeServiceStub(peers.channel(f"127.0.0.1:{free_port}"))
    with pytest.raises(errors.PeerUnreachable, match=f"Generate at 127.0.0.1:{free_port}"):
        await stub.Generate(node_pb2.GenerateRequest()).read()


async def test_a_message_that_is_too_big_is_refused_not_hung(stub: Any) -> None:
    big = node_pb2.GenerateRequest(prompt="x" * (17 * 2**20))
    with pytest.raises(errors.InvalidRequest, match="limit is 16777216 bytes") as received:
        await stub.Generate(big).read()
    assert received.value.metadata["field"] == "message"
    assert not received.value.retryable
