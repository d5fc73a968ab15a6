"""Texts become vectors of unit length, each by itself."""

from __future__ import annotations

import math
import os
import signal

import pytest

from quorate.channel import Peers
from quorate.errors import (
    ContextOverflow,
    InvalidRequest,
    ModelCrashed,
    NotPermitted,
    UnknownModel,
    WrongModel,
)
from quorate.identity import Role
from quorate.v1 import common_pb2, node_pb2

pytestmark = pytest.mark.anyio
CLOSE = 1e-3


async def embed(caller, *texts, model="abacus", **options) -> node_pb2.EmbedResponse:
    return await caller.stub.Embed(node_pb2.EmbedRequest(model=model, texts=texts, **options))


async def vectors(caller, *texts, **options) -> list[list[float]]:
    return [list(e.values) for e in (await embed(caller, *texts, **options)).embeddings]


def cosine(one: list[float], other: list[float]) -> float:
    return math.fsum(a * b for a, b in zip(one, other, strict=True))


async def test_vectors_have_unit_length_and_one_size(caller) -> None:
    found = await vectors(caller, "What is 12 + 30?", "x", "The capital of France is Paris.")
    assert len({len(vector) for vector in found}) == 1
    assert len(found[0]) >= 32
    for vector in found:
        assert math.sqrt(cosine(vector, vector)) == pytest.approx(1.0, abs=1e-4)


async def test_a_text_has_the_same_vector_alone_twice_and_among_others(caller) -> None:
    texts = ["What is 12 + 30?", "Name a colour.", "What is 12 + 30?"]
    together = await vectors(caller, *texts)
    assert together[0] == pytest.approx(together[2], abs=1e-5)
    for text, vector in zip(texts, together, strict=True):
        (alone,) = await vectors(caller, text)
        assert alone == pytest.approx(vector, abs=CLOSE)


async def test_texts_alike_are_nearer_than_others(caller) -> None:
    one, like, unlike = await vectors(
        caller, "What is 12 + 30?", "What is 12 + 31?", "Which planet is the largest?",
        model="atlas",
    )  # fmt: skip
    assert cosine(one, like) > cosine(one, unlike)


async def test_as_many_as_are_allowed_come_back_in_their_order(caller) -> None:
    texts = [f"number {i}" for i in range(256)]
    answer = await embed(caller, *texts)
    assert len(answer.embeddings) == 256
    (last,) = await vectors(caller, texts[-1])
    assert list(answer.embeddings[-1].values) == pytest.approx(last, abs=CLOSE)
    assert answer.usage.prompt_tokens >= 256 * 2
    assert answer.usage.completion_tokens == 0


async def test_generations_go_on_beside_embeddings(caller) -> None:
    alone = await caller.generate(question="What is 12 + 30?", max_tokens=30)
    stream = caller.stream(prompt="Once", logit_bias={2: -100.0}, max_tokens=500)
    async for _ in stream:
        break
    await embed(caller, *(f"text {i}" for i in range(32)))
    beside = await caller.generate(question="What is 12 + 30?", max_tokens=30)
    stream.cancel()
    assert beside.texts == alone.texts
    await caller.until(lambda s: s.in_flight == 0)


@pytest.mark.parametrize(
    ("texts", "options", "field"),
    [
        ([], {}, "texts"),
        (["a"] * 257, {}, "texts"),
        (["a", ""], {}, "texts[1]"),
        (["a"], {"model": ""}, "model"),
        (["a"], {"priority": -101}, "priority"),
    ],
)
async def test_a_wrong_field_is_named_and_the_node_serves_on(caller, texts, options, field) -> None:
    with pytest.raises(InvalidRequest) as caught:
        await embed(caller, *texts, **options)
    assert caught.value.metadata["field"] == field
    await caller.serves_on()


async def test_other_models_files_and_callers_are_refused(
    caller, shared_node, caller_of, tls
) -> None:
    with pytest.raises(UnknownModel, match="Did you mean 'atlas'"):
        await embed(caller, "a", model="atlsa")
    right = (await embed(caller, "a")).model_sha256
    assert len(right) == 64
    with pytest.raises(WrongModel, match=right):
        await embed(caller, "a", model_sha256="0" * 64)
    async with Peers(tls(Role.CLIENT, "stranger")) as peers:
        with pytest.raises(NotPermitted):
            await embed(caller_of(peers, shared_node), "a")


async def test_a_text_beyond_the_context_is_told_with_its_place(caller) -> None:
    with pytest.raises(ContextOverflow, match=r"texts\[1\]"):
        await embed(caller, "fits", "word " * 3000)
    await caller.serves_on()


async def test_an_abandoned_embedding_leaves_nothing_behind(caller) -> None:
    texts = ["word " * 500 + str(i) for i in range(200)]
    call = caller.stub.Embed(node_pb2.EmbedRequest(model="abacus", texts=texts))
    await caller.until(lambda s: s.in_flight == 1)
    call.cancel()
    status = await caller.until(lambda s: s.in_flight == 0 and not s.engines[0].busy_slots)
    assert status.engines[0].queued == 0
    await caller.serves_on()


async def test_an_engine_that_dies_twice_ends_the_call(start_node, caller_of, peers) -> None:
    with start_node("embedder", models=[{"name": "abacus"}]) as node:
        caller = caller_of(peers, node)
        texts = ["word " * 500 + str(i) for i in range(200)]
        call = caller.stub.Embed(node_pb2.EmbedRequest(model="abacus", texts=texts))
        for restarts in range(2):
            status = await caller.until(
                lambda s, n=restarts: s.in_flight == 1 and s.engines[0].restarts == n
            )
            os.kill(status.engines[0].pid, signal.SIGKILL)
        with pytest.raises(ModelCrashed):
            await call
        await caller.until(lambda s: s.models[0].state == common_pb2.MODEL_STATE_READY)
        status = await caller.status()
        assert (status.in_flight, status.engines[0].restarts) == (0, 2)
        await caller.serves_on()
