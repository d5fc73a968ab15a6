"""A request in flight, between an engine and a reader that may be slow."""

from __future__ import annotations

import asyncio

import pytest

from quorate.errors import ModelCrashed, Overloaded
from services.node.engine.messages import Delta, Finished, FinishReason, Progress, TokenChoice
from services.node.generation import MOST_UNREAD_TOKENS, Generation, merge

END = Finished(0, FinishReason.STOP, 1, 2, 0, 0.0, 0.0, 0.0, -0.5, 0.0)


def spoke(text: str, sample: int = 0) -> Progress:
    return Progress(1, deltas=(Delta(sample, text, (TokenChoice(7, text, -0.1),)),))


def test_steps_are_joined_by_sample() -> None:
    parts = [Progress(1, prompt_tokens=4), spoke("a"), spoke("x", 1), spoke("b")]
    joined = merge([*parts, Progress(1, finished=(END,))])
    assert joined.prompt_tokens == 4
    assert [(d.sample, d.text, len(d.tokens)) for d in joined.deltas] == [(0, "ab", 2), (1, "x", 1)]
    assert joined.finished == (END,)
    assert merge([parts[1]]) is parts[1]


@pytest.mark.anyio
async def test_a_reader_gets_all_that_came_and_then_the_end() -> None:
    cancelled: list[bool] = []
    generation = Generation(1, lambda: cancelled.append(True))
    async with asyncio.TaskGroup() as group:
        first = group.create_task(generation.read())
        await asyncio.sleep(0)
        generation.push(spoke("a"))
    assert first.result() == spoke("a")
    generation.push(spoke("b"))
    generation.push(Progress(1, finished=(END,)))
    last = await generation.read()
    assert last is not None
    assert last.finished == (END,)
    assert generation.ended
    assert await generation.read() is None
    generation.close()
    assert not cancelled


@pytest.mark.anyio
async def test_giving_up_tells_the_engine_once() -> None:
    cancelled: list[bool] = []
    generation = Generation(1, lambda: cancelled.append(True))
    generation.close()
    generation.close()
    assert cancelled == [True]


@pytest.mark.anyio
async def test_a_failure_comes_after_what_had_arrived() -> None:
    generation = Generation(1, lambda: None)
    generation.push(spoke("a"))
    generation.fail(ModelCrashed("died"))
    assert await generation.read() == spoke("a")
    with pytest.raises(ModelCrashed):
        await generation.read()


@pytest.mark.anyio
async def test_a_reader_far_behind_loses_the_request_and_the_engine_is_told() -> None:
    cancelled: list[bool] = []
    generation = Generation(1, lambda: cancelled.append(True))
    for _ in range(MOST_UNREAD_TOKENS + 1):
        generation.push(spoke("a"))
    assert cancelled == [True]
    with pytest.raises(Overloaded, match="behind"):  # and nothing is kept for it
        await generation.read()
