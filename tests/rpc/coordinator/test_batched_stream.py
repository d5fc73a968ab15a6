"""Events of a stream may share messages; nothing is lost, and the order stays."""

from __future__ import annotations

import asyncio

import pytest

from quorate import errors
from quorate.v1 import coordinator_pb2
from services.coordinator.events import Merging
from services.coordinator.telling import BATCH_BYTES, tell

pytestmark = pytest.mark.anyio


async def messages_of(mesh, question) -> list[coordinator_pb2.AskStreamResponse]:
    request = coordinator_pb2.AskStreamRequest(question=question, omit_tokens=True, batched=True)
    return [message async for message in mesh.client.AskStream(request)]


def events_of(messages) -> list[coordinator_pb2.AskStreamResponse]:
    return [event for message in messages for event in message.batch.events or (message,)]


def kinds(events) -> list[str]:
    return [event.WhichOneof("event") for event in events]


async def test_a_batched_stream_tells_the_same_in_fewer_messages(mesh, script) -> None:
    for name in ("n1", "n2", "n3", "n4", "n5"):
        await mesh.node(name, atlas=script.says("Answer:", " 18"))
    question = script.asked("What is 9 + 9?", stop_rule="STOP_RULE_NEVER")
    single = await mesh.stream("What is 9 + 9?", omit_tokens=True, stop_rule="STOP_RULE_NEVER")
    messages = await messages_of(mesh, question)
    events = events_of(messages)
    assert sorted(kinds(events)) == sorted(kinds(single))
    assert kinds(events)[0] == "planned"
    assert kinds(events)[-2:] == ["part", "final"]
    assert "batch" not in kinds(events)
    assert len(messages) < len(single)
    assert events[-1].final.answer == "18"


async def test_who_does_not_ask_for_batches_gets_none(mesh, script) -> None:
    await mesh.node("n1", atlas=script.says("Answer:", " 18"))
    assert "batch" not in kinds(await mesh.stream("What is 9 + 9?"))


async def test_an_error_comes_behind_the_events_that_led_to_it(mesh, script) -> None:
    await mesh.node("n1", atlas=script.says("I do not know"))
    question = script.asked("What is 9 + 9?", kind="ANSWER_KIND_NUMBER")
    request = coordinator_pb2.AskStreamRequest(question=question, batched=True)
    events: list[coordinator_pb2.AskStreamResponse] = []

    async def read() -> None:
        async for message in mesh.client.AskStream(request):
            events.extend(message.batch.events or (message,))

    with pytest.raises(errors.NoQuorum):
        await read()
    assert {"planned", "started", "ballot"} <= set(kinds(events))


async def test_a_batch_that_grows_large_is_sent_in_several_messages() -> None:
    texts = [letter * (BATCH_BYTES // 2) for letter in "abcde"]
    events = asyncio.Queue()
    for text in texts:
        events.put_nowait(Merging(text))
    events.put_nowait(None)
    written: list[coordinator_pb2.AskStreamResponse] = []

    async def write(message) -> None:
        written.append(message)

    async with asyncio.timeout(5):
        await tell(events, write, batched=True)
    assert [len(message.batch.events) or 1 for message in written] == [2, 2, 1]
    assert [event.synthesis.text for event in events_of(written)] == texts
