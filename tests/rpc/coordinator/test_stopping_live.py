"""Real nodes with pocket models: early stops free engines and change nothing; repeats are exact."""

from __future__ import annotations

import asyncio

import pytest

from quorate.v1 import common_pb2, coordinator_pb2

pytestmark = pytest.mark.anyio
QUESTIONS = (
    "What is 9 + 9?",
    "Is 7 a prime number?",
    "What is the capital of France?",
    "Which is larger, 12 or 21?",
    "Sort these numbers: 5, 3, 9",
    "What is 20 percent of 50?",
)
REPEATS = 4


async def held(mesh) -> int:
    """Give how many samples the engines hold, in slots or waiting."""
    return sum(
        engine.busy_slots + engine.queued
        for status in await statuses(mesh)
        for engine in status.engines
    )


async def cancelled_samples(mesh) -> int:
    return sum(
        engine.cancelled_samples for status in await statuses(mesh) for engine in status.engines
    )


async def statuses(mesh) -> list[common_pb2.NodeStatus]:
    response = await mesh.client.ListNodes(coordinator_pb2.ListNodesRequest())
    return [node.status for node in response.nodes]


def told(result: coordinator_pb2.Result) -> list[tuple[object, ...]]:
    """Give what must not differ between repeats: who, what, how sure, under which seed."""
    return [
        (
            ballot.ballot_id,
            ballot.status,
            ballot.text,
            ballot.answer.text,
            ballot.confidence,
            ballot.seed,
        )
        for part in result.parts
        for ballot in part.ballots
    ]


async def test_an_exact_stop_changes_no_answer_of_real_models(pocket_mesh) -> None:
    cancelled = 0
    for seed, question in enumerate(QUESTIONS):
        options = {"sampling": {"seed": seed, "max_tokens": 48}}
        full = await pocket_mesh.ask(question, stop_rule="STOP_RULE_NEVER", **options)
        early = await pocket_mesh.ask(question, stop_rule="STOP_RULE_EXACT", **options)
        assert early.answer == full.answer
        assert full.tokens_saved == 0
        cancelled += early.parts[0].stopped_by == "exact"
    sampling = {"max_tokens": 160, "grammar": 'root ::= "yes, " [a-z ]{140}'}
    for strategy in ("majority", "weighted"):
        long = await pocket_mesh.ask("Is 7 a prime number?", sampling=sampling, strategy=strategy)
        assert long.answer == "yes"
        cancelled += long.parts[0].stopped_by == "exact"
    assert cancelled > 0


async def test_an_early_stop_frees_the_losers_slots_long_before_they_would_have_ended(
    pocket_mesh,
) -> None:
    # Greedily three say a word; the fourth would go on for 1,400 letters.
    grammar = 'root ::= "yes" | "yes, " [a-z ]{1400} | "no, " [a-z ]{1400}'
    options = {"sampling": {"max_tokens": 1_500, "grammar": grammar}}
    result = await pocket_mesh.ask(
        "Is 9 a prime number?",
        kind="ANSWER_KIND_BOOLEAN",
        decompose="DECOMPOSE_MODE_NONE",
        **options,
    )
    losers = [
        ballot
        for ballot in result.parts[0].ballots
        if ballot.status == common_pb2.BALLOT_STATUS_CANCELLED
    ]
    assert result.parts[0].stopped_by == "exact"
    assert [ballot.model for ballot in losers] == ["atlas"]
    assert losers[0].usage.completion_tokens < 700
    async with asyncio.timeout(10):  # told by heartbeats
        while await held(pocket_mesh) or not await cancelled_samples(pocket_mesh):  # noqa: ASYNC110
            await asyncio.sleep(0.05)


async def test_the_same_seed_gives_the_same_ballots_beside_another_clients_load(
    pocket_mesh,
) -> None:
    question = "What is 9 + 9?"
    options = {"sampling": {"seed": 3, "temperature": 0.8, "max_tokens": 40}}
    first = await pocket_mesh.ask(question, deterministic=True, samples=2, **options)
    stop = asyncio.Event()

    async def load() -> None:
        number = 0
        while not stop.is_set():
            number += 1
            other = QUESTIONS[number % len(QUESTIONS)]
            await pocket_mesh.ask(other, sampling={"seed": number, "max_tokens": 24})

    async with asyncio.TaskGroup() as group:
        for _ in range(2):
            group.create_task(load())
        repeats = [
            await pocket_mesh.ask(question, deterministic=True, samples=2, **options)
            for _ in range(REPEATS)
        ]
        stop.set()
    for repeat in repeats:
        assert told(repeat) == told(first)
        assert (repeat.answer, repeat.parts[0].text) == (first.answer, first.parts[0].text)
        assert repeat.parts[0].stopped_by == first.parts[0].stopped_by
