"""Events that nobody reads as they come travel together, and lose nothing by it."""

from __future__ import annotations

import asyncio
import signal
import time

import pytest

from quorate.errors import InvalidRequest, ModelCrashed, QuorateError
from quorate.v1 import node_pb2

pytestmark = pytest.mark.anyio
LONG = {"prompt": "Once", "logit_bias": {2: -100.0}, "temperature": 0.0}
DELAY_SECONDS = 0.2
SOON_SECONDS = 30.0


async def gathered(stream) -> tuple[list[node_pb2.GenerateResponse], list[list[str]]]:
    """Read to the end; gives the events in order, and the kinds in each message."""
    events, messages = [], []
    async for message in stream:
        inside = list(message.batch.events) or [message]
        events += inside
        messages.append([event.WhichOneof("event") for event in inside])
    return events, messages


def text_of(events) -> str:
    return "".join(delta.text for event in events for delta in event.step.deltas)


async def test_a_short_answer_is_one_message(caller) -> None:
    question = {"question": "What is 12 + 30?", "temperature": 0.0}
    plain = await caller.generate(**question)
    events, messages = await gathered(caller.stream(**question, max_delay_seconds=10.0))
    (only,) = messages
    assert only[0] == "started"
    assert only[-1] == "finished"
    assert set(only[1:-1]) == {"step"}
    assert text_of(events) == plain.texts[0]
    assert events[-1].finished.usage.completion_tokens == len(plain.tokens[0])


async def test_a_long_answer_comes_in_few_messages_with_its_text_in_order(caller) -> None:
    plain = await caller.generate(**LONG, max_tokens=800)
    started = time.monotonic()
    events, messages = await gathered(
        caller.stream(**LONG, max_tokens=800, max_delay_seconds=DELAY_SECONDS)
    )
    windows = (time.monotonic() - started) / DELAY_SECONDS
    assert text_of(events) == plain.texts[0]
    assert len(messages) <= windows + 2 < len(plain.order)
    assert messages[0][0] == "started"
    held = [event.held_seconds for event in events]
    assert max(held) <= DELAY_SECONDS + 0.1
    assert held[0] > held[-1]


async def test_what_was_held_is_sent_while_the_model_goes_on(caller) -> None:
    """A cancel in the middle costs its caller the last moment of text at most."""
    heard: list[node_pb2.GenerateResponse] = []
    async with asyncio.timeout(SOON_SECONDS):
        stream = caller.stream(**LONG, max_tokens=2000, max_delay_seconds=0.05)
        async for message in stream:
            heard += list(message.batch.events) or [message]
            if len(text_of(heard)) > 100:
                break
        stream.cancel()
        await caller.until(lambda s: s.in_flight == s.queued == 0)
    whole = await caller.generate(**LONG, max_tokens=2000)
    assert whole.texts[0].startswith(text_of(heard))
    await caller.serves_on()


async def test_each_sample_that_ends_is_told_at_once(caller) -> None:
    _, messages = await gathered(
        caller.stream(
            prompt="What is", n=3, temperature=2.0, seed=5, max_tokens=60, max_delay_seconds=10.0
        )
    )
    assert sum(message.count("finished") for message in messages) == 3
    assert all(message[-1] == "finished" for message in messages)


async def test_what_was_held_arrives_before_the_error_that_ends_the_call(
    start_node, peers, caller_of
) -> None:
    with start_node(models=[{"name": "abacus"}]) as node:
        caller = caller_of(peers, node)
        heard: list[node_pb2.GenerateResponse] = []

        async def kill_when_it_speaks() -> None:
            await caller.until(lambda s: s.engines[0].generated_tokens > 20)
            node.engines()[0].send_signal(signal.SIGKILL)

        async with asyncio.timeout(SOON_SECONDS), asyncio.TaskGroup() as group:
            group.create_task(kill_when_it_speaks())
            with pytest.raises(ModelCrashed):
                await read_into(
                    heard, caller.stream(**LONG, max_tokens=2000, max_delay_seconds=10.0)
                )
    assert heard[0].HasField("started")
    assert text_of(heard)


async def read_into(heard: list[node_pb2.GenerateResponse], stream) -> None:
    async for message in stream:
        heard += list(message.batch.events) or [message]


@pytest.mark.parametrize("seconds", [-0.1, 10.5, float("nan")])
async def test_a_delay_outside_of_its_range_is_refused_by_name(caller, seconds) -> None:
    with pytest.raises(InvalidRequest, match="max_delay_seconds") as caught:
        await caller.generate(question="What is 12 + 30?", max_delay_seconds=seconds)
    assert isinstance(caught.value, QuorateError)
    await caller.serves_on()
