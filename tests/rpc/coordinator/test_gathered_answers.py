"""Real nodes gather what nobody reads as it comes: texts, counts and times stay what they were."""

from __future__ import annotations

import asyncio
from contextlib import suppress

import pytest

from quorate import errors
from quorate.v1 import common_pb2, coordinator_pb2

pytestmark = pytest.mark.anyio
LONG = {"max_tokens": 1500, "grammar": 'root ::= "maybe, " [a-z ]{1400}'}
SECONDS = 0.4


async def test_a_ballot_cut_off_in_the_middle_keeps_what_was_said(pocket_mesh, script) -> None:
    question = script.asked(
        "Is 7 a prime number?",
        sampling=LONG,
        budget={"seconds": SECONDS},
        stop_rule="STOP_RULE_NEVER",
        kind="ANSWER_KIND_BOOLEAN",
    )
    request = coordinator_pb2.AskStreamRequest(question=question, omit_tokens=True)
    events: list[coordinator_pb2.AskStreamResponse] = []
    with suppress(errors.NoQuorum):  # nobody came to an end
        async with asyncio.timeout(20):
            await read_into(events, pocket_mesh.client.AskStream(request))
    ballots = [event.ballot for event in events if event.HasField("ballot")]
    late = [one for one in ballots if one.status == common_pb2.BALLOT_STATUS_TIMED_OUT]
    assert late
    for ballot in late:
        assert ballot.text.startswith("maybe, ")
        assert 0 < ballot.usage.completion_tokens < LONG["max_tokens"]


async def read_into(events: list[coordinator_pb2.AskStreamResponse], stream) -> None:
    async for event in stream:
        events.append(event)  # noqa: PERF401 - what came before an error is looked at


async def test_the_first_token_is_timed_when_it_was_said_not_when_it_came(pocket_mesh) -> None:
    endless = {"max_tokens": 64, "seed": 1, "logit_bias": {2: -100.0}}
    options = {"sampling": endless, "stop_rule": "STOP_RULE_NEVER"}
    await pocket_mesh.ask("What is 9 + 9?", **options)
    result = await pocket_mesh.ask("What is 9 + 9?", **options)
    for ballot in result.parts[0].ballots:
        timings = ballot.timings
        first = timings.time_to_first_token_seconds
        # Such an answer comes in one message: without the node's word both would be the same.
        assert 0.0 < first < timings.total_seconds - 0.002
