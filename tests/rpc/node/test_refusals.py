"""Whatever is wrong with a request is told clearly, and the node serves on."""

from __future__ import annotations

import math

import pytest

from quorate.channel import Peers
from quorate.errors import (
    ContextOverflow,
    DeadlineExceeded,
    InvalidRequest,
    NotPermitted,
    Overloaded,
    UnknownModel,
    WrongModel,
)
from quorate.identity import Role
from quorate.v1 import common_pb2, node_pb2

pytestmark = pytest.mark.anyio
LONG = {"prompt": "Once", "logit_bias": {2: -100.0}}


@pytest.mark.parametrize(
    ("options", "field"),
    [
        ({"prompt": ""}, "prompt"),
        ({"prompt": "a", "question": "b"}, "prompt"),
        ({"prompt": "x" * (2**20 + 1)}, "prompt"),
        ({"messages": [common_pb2.ChatMessage(role=9, content="a")]}, "messages[0].role"),
        ({"messages": [common_pb2.ChatMessage(content="")]}, "messages[0].content"),
        ({"model": "", "prompt": "a"}, "model"),
        ({"prompt": "a", "n": 0}, "n"),
        ({"prompt": "a", "n": 1000}, "n"),
        ({"prompt": "a", "max_tokens": 0}, "sampling.max_tokens"),
        ({"prompt": "a", "max_tokens": -5}, "sampling.max_tokens"),
        ({"prompt": "a", "max_tokens": 10**9}, "sampling.max_tokens"),
        ({"prompt": "a", "temperature": math.nan}, "sampling.temperature"),
        ({"prompt": "a", "temperature": -1.0}, "sampling.temperature"),
        ({"prompt": "a", "top_p": 0.0}, "sampling.top_p"),
        ({"prompt": "a", "top_k": -1}, "sampling.top_k"),
        ({"prompt": "a", "min_p": 1.5}, "sampling.min_p"),
        ({"prompt": "a", "repeat_penalty": math.inf}, "sampling.repeat_penalty"),
        ({"prompt": "a", "top_logprobs": 21}, "sampling.top_logprobs"),
        ({"prompt": "a", "stop": ["x"] * 17}, "sampling.stop"),
        ({"prompt": "a", "stop": [""]}, "sampling.stop[0]"),
        ({"prompt": "a", "logit_bias": {99999: 1.0}}, "sampling.logit_bias"),
        ({"prompt": "a", "logit_bias": {3: math.nan}}, "sampling.logit_bias[3]"),
        ({"prompt": "a", "grammar": "root ::= ("}, "sampling.grammar"),
        ({"prompt": "a", "grammar": "root ::= root 'x'"}, "sampling.grammar"),
        ({"prompt": "a", "grammar": "leaf ::= [a]"}, "sampling.grammar"),
        ({"prompt": "a", "json_schema": "{"}, "sampling.json_schema"),
        ({"prompt": "a", "priority": 101}, "priority"),
    ],
)
async def test_a_wrong_field_is_named_and_the_node_serves_on(caller, options, field) -> None:
    with pytest.raises(InvalidRequest) as caught:
        await caller.generate(**options)
    assert caught.value.metadata["field"] == field
    await caller.serves_on()


async def test_an_unknown_model_names_the_nearest(caller) -> None:
    with pytest.raises(UnknownModel, match="Did you mean 'abacus'"):
        await caller.generate(model="abakus", prompt="a")
    await caller.serves_on()


async def test_another_fingerprint_than_expected_is_refused(caller) -> None:
    right = (await caller.generate(prompt="a", max_tokens=1)).started.model_sha256
    await caller.generate(prompt="a", max_tokens=1, model_sha256=right)
    with pytest.raises(WrongModel, match=right):
        await caller.generate(prompt="a", model_sha256="0" * 64)


@pytest.mark.parametrize("text", ["word " * 3000, "x" * 2**20, "🙂" * 2**18])
async def test_a_prompt_beyond_the_context_is_told_with_its_limit(caller, text) -> None:
    for where in ({"prompt": text}, {"question": text}):
        with pytest.raises(ContextOverflow, match="Shorten the prompt") as caught:
            await caller.generate(**where)
        assert caught.value.metadata["limit"] == "2047"
    await caller.serves_on()


async def test_bad_utf8_is_refused_and_the_node_serves_on(caller, tls) -> None:
    request = node_pb2.GenerateRequest(model="abacus", prompt="abcd")
    raw = request.SerializeToString().replace(b"abcd", b"\xff\xfe\xfa\xc0")
    async with Peers(tls(Role.BENCH, "vandal")) as peers:
        channel = peers.channel(caller.node.address, (Role.NODE, caller.node.name))
        call = channel.unary_stream(
            "/quorate.v1.NodeService/Generate",
            request_serializer=lambda raw: raw,
            response_deserializer=node_pb2.GenerateResponse.FromString,
        )
        with pytest.raises(InvalidRequest, match="is not UTF-8"):
            async for _ in call(raw):
                pass
    await caller.serves_on()


@pytest.mark.parametrize("role", [Role.CLIENT, Role.NODE])
async def test_other_roles_may_not_generate(shared_node, caller_of, tls, role) -> None:
    async with Peers(tls(role, "stranger")) as peers:
        with pytest.raises(NotPermitted):
            await caller_of(peers, shared_node).generate(prompt="a")


async def test_a_cancel_frees_the_slot_within_one_decode_step(caller) -> None:
    before = await caller.engine()
    stream = caller.stream(**LONG, max_tokens=2000)
    seen = 0
    async for message in stream:
        seen += message.HasField("step")
        if seen == 5:
            stream.cancel()
            break
    status = await caller.until(lambda s: s.engines[0].cancelled_samples > before.cancelled_samples)
    after = status.engines[0]
    assert after.busy_slots == 0
    assert after.cancelled_samples == before.cancelled_samples + 1
    # Steps ran on while the cancel travelled, but none after: nothing else was to do.
    assert (await caller.engine()).decode_steps == after.decode_steps
    assert after.decode_steps - before.decode_steps < 1000


async def test_a_deadline_frees_the_slot(caller) -> None:
    before = await caller.engine()
    request = node_pb2.GenerateRequest(
        model="abacus",
        prompt="Once",
        sampling=common_pb2.Sampling(max_tokens=2048, logit_bias={2: -100.0}),
        n=8,
    )
    with pytest.raises(DeadlineExceeded):
        async for _ in caller.stub.Generate(request, timeout=0.3):
            pass
    status = await caller.until(lambda s: s.engines[0].busy_slots == 0)
    assert status.engines[0].cancelled_samples == before.cancelled_samples + 8


async def test_a_full_queue_is_told_with_when_to_come_back(start_node, caller_of, peers) -> None:
    with start_node("small", models=[{"name": "abacus", "slots": 1, "queue": 2}]) as node:
        caller = caller_of(peers, node)
        streams = [caller.stream(**LONG, max_tokens=1500) for _ in range(3)]
        async for _ in streams[0]:
            break
        await caller.until(lambda s: s.queued == 2)
        with pytest.raises(Overloaded, match="queue is full") as caught:
            await caller.generate(**LONG)
        assert caught.value.retry_after_seconds
        for stream in streams:
            stream.cancel()
        await caller.until(lambda s: s.engines[0].busy_slots == s.queued == 0)
        await caller.serves_on()
