"""Strategies that ask more than once, on real nodes with pocket models."""

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
HARD = "A shop sells 17 boxes with 6 pens each and 5 single pens. How many pens are that?"
SAMPLING = {"seed": 11, "max_tokens": 64}
SPOKEN = {common_pb2.BALLOT_STATUS_VALID, common_pb2.BALLOT_STATUS_ABSTAINED}


@asynccontextmanager
async def node(mesh, tls, folder: Path, name: str) -> AsyncIterator[None]:
    """Run a node with its pair of models for as long as the block lasts."""
    path = folder / f"{name}.yaml"
    settings = {
        "name": name,
        "coordinators": [mesh.address],
        "models": [{"name": model} for model in PAIRS[name]],
        "drain_seconds": 0.5,
        "runtime_directory": str(folder),
        "tls": {key: str(file) for key, file in tls(Role.NODE, name).model_dump().items()},
    }
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
async def pocket_mesh(bare_mesh, tls, tmp_path):
    """Two real nodes with two pocket models each, all ready to vote."""
    await bare_mesh.start(heartbeat_seconds=0.2)
    async with AsyncExitStack() as stack:
        for name in PAIRS:
            await stack.enter_async_context(node(bare_mesh, tls, tmp_path, name))
        async with asyncio.timeout(60):
            while await ready(bare_mesh) < 4:  # noqa: ASYNC110
                await asyncio.sleep(0.05)
        yield bare_mesh


async def ready(mesh) -> int:
    response = await mesh.client.ListNodes(coordinator_pb2.ListNodesRequest())
    return sum(
        model.state == common_pb2.MODEL_STATE_READY
        for one in response.nodes
        for model in one.status.models
    )


async def test_pocket_models_debate_rank_pick_sample_and_cascade(pocket_mesh) -> None:
    async def ask(text: str, **options: object) -> coordinator_pb2.Part:
        result = await pocket_mesh.ask(text, deterministic=True, sampling=SAMPLING, **options)
        return result.parts[0]

    debate = await ask(HARD, strategy="debate", topology="DEBATE_TOPOLOGY_FULL")
    again = await ask(HARD, strategy="debate", topology="DEBATE_TOPOLOGY_FULL")
    assert [one.text for one in debate.ballots] == [one.text for one in again.ballots]
    assert len(debate.rounds) == 1 + max(one.round for one in debate.ballots)
    assert len(debate.ballots) == 4 * len(debate.rounds)
    assert {one.status for one in debate.ballots} <= SPOKEN
    assert debate.quorum.asked == 4
    assert debate.rounds[-1].answer == debate.answer
    assert debate.stopped_by == "agreement" or len(debate.rounds) == 3

    options = {"models": ["abacus"], "stop_rule": "STOP_RULE_NEVER"}
    consistent = await ask("What is 12 + 30?", strategy="self_consistency", **options)
    assert (len(consistent.ballots), consistent.answer) == (5, "42")
    assert len({one.seed for one in consistent.ballots}) == 5

    choice = "Which of these is the capital of France? A) Rome B) Paris C) Oslo D) Bern"
    ranked = await ask(choice, strategy="borda")
    candidates = {one.answer.text for one in ranked.ballots if one.HasField("answer")}
    for one in ranked.ballots:
        if one.HasField("answer") and len(candidates) > 1:
            assert set(one.ranking) <= candidates
            assert one.ranking
    assert "not ranked by" not in ranked.explanation
    assert ranked.answer in candidates

    free = await ask("Name a river in Europe.", strategy="universal", kind="ANSWER_KIND_TEXT")
    picks = [one for one in free.ballots if one.round == 1]
    if len({one.answer for one in free.standings}) > 1:
        assert picks
        assert picks[-1].text in "ABCD"
        assert picks[-1].answer.text == free.answer
    assert free.quorum.asked == 4

    rung = await ask("What is 12 + 30?", cascade=True)
    assert rung.answer == "42"
    assert rung.stopped_by in {"cascade", "all"}
    sizes = [one.model for one in rung.ballots]
    assert 2 <= len(sizes) <= 4
