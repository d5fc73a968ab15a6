"""A client that does not read its stream is cut off, told so, and disturbs nobody."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import grpc
import pytest

from quorate.identity import Role, server_name
from quorate.v1 import common_pb2, node_pb2, node_pb2_grpc
from services.node.generation import MOST_UNREAD_TOKENS

pytestmark = pytest.mark.anyio
SMALL_WINDOW = (("grpc.http2.bdp_probe", 0), ("grpc.http2.lookahead_bytes", 1024))
"""gRPC takes no more than this beyond what is read, and lets the window not grow."""
TOKENS = 1900
ALTERNATIVES = 20
READERS = 4
RIGHT = {"prompt": "Once", "logit_bias": {2: -100.0}, "max_tokens": 200, "temperature": 0.0}


@pytest.fixture
async def slow_stub(shared_node, tls) -> AsyncIterator[node_pb2_grpc.NodeServiceStub]:
    """Call the shared node through a channel that holds as little as it can."""
    material = tls(Role.BENCH, "slow")
    credentials = grpc.ssl_channel_credentials(
        material.authorities.read_bytes(),
        material.key.read_bytes(),
        material.certificate.read_bytes(),
    )
    name = ("grpc.ssl_target_name_override", server_name(Role.NODE, shared_node.name))
    options = [*SMALL_WINDOW, name]
    async with grpc.aio.secure_channel(shared_node.address, credentials, options) as channel:
        yield node_pb2_grpc.NodeServiceStub(channel)


def heavy() -> node_pb2.GenerateRequest:
    sampling = common_pb2.Sampling(
        max_tokens=TOKENS, top_logprobs=ALTERNATIVES, logit_bias={2: -100.0}
    )
    return node_pb2.GenerateRequest(model="abacus", prompt="Once", sampling=sampling)


async def read(stream, heard: list[int]) -> None:
    """Read what had been sent, and note how many tokens each message has."""
    async for message in stream:
        heard.append(sum(len(delta.tokens) for delta in message.step.deltas))  # noqa: PERF401


async def test_clients_that_do_not_read_are_cut_off_and_others_are_answered(
    caller, slow_stub
) -> None:
    alone = (await caller.generate(**RIGHT)).texts[0]
    before = (await caller.engine()).cancelled_samples
    async with asyncio.timeout(60):
        streams = [slow_stub.Generate(heavy()) for _ in range(READERS)]
        await caller.until(lambda s: s.engines[0].busy_slots == READERS)
        beside = [(await caller.generate(**RIGHT)).texts[0] for _ in range(4)]
        assert beside == [alone] * 4
        # They have read nothing, and yet their slots are free.
        await caller.until(lambda s: s.engines[0].busy_slots == 0)
        assert (await caller.engine()).cancelled_samples == before + READERS
        for stream in streams:
            heard: list[int] = []
            with pytest.raises(grpc.aio.AioRpcError, match="tokens behind") as caught:
                await read(stream, heard)
            assert caught.value.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
            assert 0 < sum(heard) < TOKENS - MOST_UNREAD_TOKENS / (ALTERNATIVES + 1)
        await caller.until(lambda s: s.in_flight == s.queued == 0)
    await caller.serves_on()
