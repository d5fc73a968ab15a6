"""A question that has no time at all: it ends at once, with the reason, and harms nobody."""

from __future__ import annotations

import asyncio

import pytest

from quorate import errors
from quorate.records import read, replay
from quorate.v1 import coordinator_pb2 as wire
from services.coordinator import ask, service
from services.coordinator.events import NOBODY
from services.coordinator.question import Message, Question
from services.coordinator.server import CoordinatorServer

pytestmark = pytest.mark.anyio
TEXT = "What is 6 + 12?"


@pytest.fixture
def servers(monkeypatch) -> list[CoordinatorServer]:
    """The servicers that coordinators are made of, to reach what stands behind the wire."""
    made: list[CoordinatorServer] = []

    def keeping(*arguments, **options) -> CoordinatorServer:
        made.append(CoordinatorServer(*arguments, **options))
        return made[-1]

    monkeypatch.setattr(service, "CoordinatorServer", keeping)
    return made


@pytest.mark.parametrize("strategy", ["majority", "debate", "moa", "pacore", "best_of_n", "borda"])
@pytest.mark.parametrize("seconds", [0.0, -1.0])
async def test_without_time_every_ballot_timed_out_and_the_record_says_so(
    servers, bare_mesh, script, strategy: str, seconds: float
) -> None:
    await bare_mesh.start()
    await bare_mesh.node("n1", atlas=script.hangs())
    question = Question((Message("user", TEXT),), strategy, seconds=seconds)
    async with asyncio.timeout(5):
        with pytest.raises(errors.NoQuorum) as refused:
            await ask.answer(servers[0]._means, question, NOBODY)
    body = await servers[0].memory.record(refused.value.metadata["question_id"])
    [again] = replay(read(body))
    assert again.same
    assert "timed out" in again.error


async def test_a_call_with_a_deadline_of_0_is_refused_and_the_next_is_answered(
    mesh, script
) -> None:
    node = await mesh.node("n1", atlas=script.says("Answer: 18"))
    request = wire.AskRequest(question=script.asked(TEXT))
    with pytest.raises(errors.DeadlineExceeded):
        await mesh.client.Ask(request, timeout=0.0)
    assert (await mesh.ask(TEXT)).answer == "18"
    assert len(node.script.requests) == 1
