"""Streams in both directions fail, end and are measured like all other calls."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import grpc
import pytest

from quorate.authorization import known_peer
from quorate.calls import DEADLINE
from quorate.channel import Peers
from quorate.config import ServiceSettings
from quorate.errors import AlreadyExists, Cancelled, DeadlineExceeded, NotPermitted
from quorate.identity import Role, SpiffeId
from quorate.v1 import registry_pb2, registry_pb2_grpc

pytestmark = pytest.mark.anyio

REQUEST = registry_pb2.LeaseRequest()


class Registry:
    """Answers each request until the fourth, which it refuses; notes who called and till when."""

    def __init__(self) -> None:
        self.peers: list[SpiffeId | None] = []
        self.deadlines: list[float | None] = []
        self.left = asyncio.Event()

    async def lease(self, requests: AsyncIterator[Any], context: Any) -> None:
        self.peers.append(known_peer(context))
        self.deadlines.append(context.time_remaining())
        seen = 0
        try:
            async for _ in requests:
                seen += 1
                if seen == 4:
                    raise AlreadyExists("the name is taken", metadata={"node": "atlas"})
                await context.write(registry_pb2.LeaseResponse())
        finally:
            self.left.set()


@pytest.fixture
async def registry(serve: Any) -> Any:
    handler = Registry()
    async with serve(Role.COORDINATOR, "chief", {"Lease": handler.lease}) as running:
        handler.server = running
        yield handler


@pytest.fixture
async def node(tls: Any) -> AsyncIterator[Peers]:
    async with Peers(ServiceSettings(name="atlas", tls=tls(Role.NODE, "atlas"))) as peers:
        yield peers


def stub_of(peers: Peers, registry: Any) -> Any:
    channel = peers.channel(registry.server.address, Role.COORDINATOR)
    return registry_pb2_grpc.RegistryServiceStub(channel)


async def test_written_requests_are_answered_and_ended(node: Peers, registry: Any) -> None:
    call = stub_of(node, registry).Lease()
    for _ in range(3):
        await call.write(REQUEST)
        assert isinstance(await call.read(), registry_pb2.LeaseResponse)
    assert registry.server.in_flight == 0  # a lease is not work that a drain waits for
    await call.done_writing()
    assert await call.read() is grpc.aio.EOF
    assert registry.peers == [SpiffeId("quorate.local", Role.NODE, "atlas")]
    assert registry.deadlines == [None]


async def test_iterated_requests_fail_with_the_error_raised(node: Peers, registry: Any) -> None:
    async def requests() -> AsyncIterator[Any]:
        for _ in range(5):
            yield REQUEST

    call = stub_of(node, registry).Lease(requests())
    for _ in range(3):
        await anext(call)
    with pytest.raises(AlreadyExists, match="the name is taken") as failed:
        await anext(call)
    assert failed.value.metadata == {"node": "atlas"}


async def test_writing_to_a_call_that_failed_tells_why(node: Peers, registry: Any) -> None:
    call = stub_of(node, registry).Lease()
    for _ in range(4):
        await call.write(REQUEST)
    for _ in range(3):
        await call.read()
    assert await call.code() is grpc.StatusCode.ALREADY_EXISTS
    with pytest.raises(AlreadyExists) as failed:
        await call.write(REQUEST)
    assert failed.value.metadata == {"node": "atlas"}


async def test_writing_to_a_cancelled_call_is_an_error_of_the_catalogue(
    node: Peers, registry: Any
) -> None:
    call = stub_of(node, registry).Lease()
    await call.write(REQUEST)
    call.cancel()
    with pytest.raises(Cancelled):
        await call.write(REQUEST)
    await registry.left.wait()


async def test_writing_after_the_last_message_is_the_writers_mistake(
    node: Peers, registry: Any
) -> None:
    call = stub_of(node, registry).Lease()
    await call.done_writing()
    with pytest.raises(asyncio.InvalidStateError):
        await call.write(REQUEST)
    assert await call.read() is grpc.aio.EOF
    with pytest.raises(asyncio.InvalidStateError):
        await call.write(REQUEST)


async def test_a_refused_lease_says_who_may(peers: Peers, registry: Any) -> None:
    channel = peers.channel(registry.server.address)
    call = registry_pb2_grpc.RegistryServiceStub(channel).Lease()
    with pytest.raises(NotPermitted, match="may be called by: node"):
        await call.read()


async def test_a_lease_ends_with_its_channel(node: Peers, registry: Any) -> None:
    channel = node.channel(registry.server.address, Role.COORDINATOR)
    call = registry_pb2_grpc.RegistryServiceStub(channel).Lease()
    await call.write(REQUEST)
    await call.read()
    async with channel:
        pass
    await registry.left.wait()
    assert call.done()


async def test_a_channel_lets_calls_end_within_its_grace(node: Peers, registry: Any) -> None:
    channel = node.channel(registry.server.address, Role.COORDINATOR)
    call = registry_pb2_grpc.RegistryServiceStub(channel).Lease()
    await call.write(REQUEST)
    await call.read()

    async with asyncio.TaskGroup() as group:
        closing = group.create_task(channel.close(20))
        await asyncio.sleep(0)
        await call.done_writing()
        assert await call.read() is grpc.aio.EOF
    assert closing.done()
    assert await call.code() is grpc.StatusCode.OK


async def test_a_channel_tells_of_its_connection(node: Peers, registry: Any) -> None:
    channel = node.channel(registry.server.address, Role.COORDINATOR)
    async with asyncio.timeout(10):
        state = channel.get_state(try_to_connect=True)
        while state is not grpc.ChannelConnectivity.READY:
            await channel.wait_for_state_change(state)
            state = channel.get_state()


async def test_no_call_is_begun_when_no_time_is_left(node: Peers, registry: Any) -> None:
    token = DEADLINE.set(0.0)
    try:
        with pytest.raises(DeadlineExceeded, match=r"no time is left to call .*/Lease at 127"):
            stub_of(node, registry).Lease()
    finally:
        DEADLINE.reset(token)
    assert registry.peers == []


async def test_without_tls_the_caller_is_unknown(serve: Any) -> None:
    handler = Registry()
    async with (
        serve(Role.COORDINATOR, "chief", {"Lease": handler.lease}, insecure=True) as running,
        Peers(ServiceSettings(name="atlas", insecure=True)) as anybody,
    ):
        handler.server = running
        call = stub_of(anybody, handler).Lease()
        await call.write(REQUEST)
        await call.read()
        call.cancel()
    assert handler.peers == [None]


async def test_peers_that_were_not_entered_close_all_the_same(tls: Any, registry: Any) -> None:
    peers = Peers(tls(Role.NODE, "atlas"))
    call = stub_of(peers, registry).Lease()
    await call.write(REQUEST)
    await call.read()
    await peers.close()
    assert call.done()
