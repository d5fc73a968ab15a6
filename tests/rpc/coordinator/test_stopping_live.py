"""Real nodes with pocket models: early stops free engines and change nothing; repeats are exact."""

from __future__ import annotations

import asyncio
import signal
import sys
from contextlib import AsyncExitStack, asynccontextmanager
from typing import TYPE_CHECKING

import pytest
import yaml

from quorate.identity import Role
from quorate.v1 import common_pb2, coordinator_pb2

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

pytestmark = pytest.mark.anyio
PAIRS = {"n1": ("abacus", "atlas"), "n2": ("scribe", "marshal")}
QUESTIONS = (
    "What is 9 + 9?",
    "Is 7 a prime number?",
    "What is the capital of France?",
    "Which is larger, 12 or 21?",
    "Sort these numbers: 5, 3, 9",
    "What is 20 percent of 50?",
)
REPEATS = 4


@asynccontextmanager
async def node(mesh, tls, folder: Path, name: str) -> AsyncIterator[None]:
    """Run a node with its pair of models for as long as the block lasts."""
    settings = {
        "name": name,
        "coordinators": [mesh.address],
        "models": [{"name": model} for model in PAIRS[name]],
        "drain_seconds": 0.5,
        "runtime_directory": str(folder),
        "tls": {key: str(file) for key, file in tls(Role.NODE, name).model_dump().items()},
    }
    path = folder / f"{name}.yaml"
    path.write_text(yaml.safe_dump(settings), "utf-8")
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "services.node", "--settings", str(path)
    )
    try:
        yield
    finally:
        process.send_signal(signal.SIGTERM)
        await process.wait()


@pytest.fixture
async def live(bare_mesh, tls, tmp_path):
    """A coordinator and two nodes with two ready models each."""
    await bare_mesh.start(heartbeat_seconds=0.2)
    async with AsyncExitStack() as stack:
        for name in PAIRS:
            await stack.enter_async_context(node(bare_mesh, tls, tmp_path, name))
        async with asyncio.timeout(90):
            while await ready(bare_mesh) < 4:  # noqa: ASYNC110
                await asyncio.sleep(0.05)
        yield bare_mesh


async def ready(mesh) -> int:
    return sum(
        model.state == common_pb2.MODEL_STATE_READY
        for status in await statuses(mesh)
        for model in status.models
    )


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


async def test_an_exact_stop_changes_no_answer_of_real_models(live) -> None:
    cancelled = 0
    for seed, question in enumerate(QUESTIONS):
        options = {"sampling": {"seed": seed, "max_tokens": 48}}
        full = await live.ask(question, stop_rule="STOP_RULE_NEVER", **options)
        early = await live.ask(question, stop_rule="STOP_RULE_EXACT", **options)
        assert early.answer == full.answer
        assert full.tokens_saved == 0
        cancelled += early.parts[0].stopped_by == "exact"
    sampling = {"max_tokens": 160, "grammar": 'root ::= "yes, " [a-z ]{140}'}
    for strategy in ("majority", "weighted"):
        long = await live.ask("Is 7 a prime number?", sampling=sampling, strategy=strategy)
        assert long.answer == "yes"
        cancelled += long.parts[0].stopped_by == "exact"
    assert cancelled > 0


async def test_an_early_stop_frees_the_losers_slots_long_before_they_would_have_ended(live) -> None:
    # Three say a word; the fourth would go on for the whole context.
    sampling = {"max_tokens": 1_500, "grammar": 'root ::= "yes" | "yes, " [a-z ]{1400}'}
    options = {"sampling": sampling, "kind": "ANSWER_KIND_BOOLEAN"}
    result = await live.ask("Is 7 a prime number?", samples=6, **options)
    losers = [
        ballot
        for ballot in result.parts[0].ballots
        if ballot.status == common_pb2.BALLOT_STATUS_CANCELLED
    ]
    assert result.parts[0].stopped_by == "exact"
    assert losers
    assert all(ballot.usage.completion_tokens < 1_400 for ballot in losers)
    async with asyncio.timeout(3):  # heartbeats tell it every 0.2 s
        while await held(live) or not await cancelled_samples(live):  # noqa: ASYNC110
            await asyncio.sleep(0.05)


async def test_the_same_seed_gives_the_same_ballots_beside_another_clients_load(live) -> None:
    question = "What is 9 + 9?"
    options = {"sampling": {"seed": 3, "temperature": 0.8, "max_tokens": 40}}
    first = await live.ask(question, deterministic=True, samples=2, **options)
    stop = asyncio.Event()

    async def load() -> None:
        number = 0
        while not stop.is_set():
            number += 1
            other = QUESTIONS[number % len(QUESTIONS)]
            await live.ask(other, sampling={"seed": number, "max_tokens": 24})

    async with asyncio.TaskGroup() as group:
        for _ in range(2):
            group.create_task(load())
        repeats = [
            await live.ask(question, deterministic=True, samples=2, **options)
            for _ in range(REPEATS)
        ]
        stop.set()
    for repeat in repeats:
        assert told(repeat) == told(first)
        assert (repeat.answer, repeat.parts[0].text) == (first.answer, first.parts[0].text)
        assert repeat.parts[0].stopped_by == first.parts[0].stopped_by
