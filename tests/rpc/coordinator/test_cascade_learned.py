"""A cascade over the wire: what was learned of its models decides, also after a restart."""

from __future__ import annotations

from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from quorate.v1 import coordinator_pb2 as wire

pytestmark = pytest.mark.anyio
SUM = "What is 6 + 12?"
SURE, UNSURE = -0.1, -0.8
"""Mean log-probabilities: raw confidences of 0.905 and 0.449."""
EACH = 26


async def started(mesh, script, says: str, logprob: float):
    return (
        await mesh.node("n1", atlas=script.says(says, logprob=logprob)),
        await mesh.node("n2", boreas=script.says("Answer: 18", logprob=UNSURE)),
        await mesh.node("n3", corvus=script.says("Answer: 18", logprob=UNSURE)),
    )


async def teach(mesh) -> None:
    """Ask questions with their truth, so that all models answer each."""
    for number in range(EACH):
        await mesh.ask(f"{SUM} ({number})", ground_truth="18", stop_rule=wire.STOP_RULE_NEVER)


async def test_thresholds_are_learned_from_truths_and_used_after_a_restart(
    make_mesh, script, tmp_path: Path
) -> None:
    url = f"sqlite:///{tmp_path / 'c1.sqlite'}"
    for says, logprob in (("Answer: 18", SURE), ("Answer: 3", UNSURE)):
        async with AsyncExitStack() as stack:  # atlas is right when it is sure, and only then
            mesh = make_mesh(stack)
            await mesh.start(database=url)
            await started(mesh, script, says, logprob)
            before = await mesh.ask(SUM, cascade=True)
            assert "learned" not in before.parts[0].explanation
            await teach(mesh)
    async with AsyncExitStack() as stack:
        mesh = make_mesh(stack)
        await mesh.start(database=url)
        nodes = await started(mesh, script, "Answer: 21", SURE)
        part = (await mesh.ask(SUM, cascade=True)).parts[0]
        assert (part.answer, part.stopped_by) == ("21", "cascade")
        assert "n1/atlas is sure with 0.905, at least the learned 0.905" in part.explanation
        assert [len(node.script.requests) for node in nodes] == [1, 0, 0]
        # A question that names its own risk is held to that, not to what was learned.
        part = (await mesh.ask(SUM, cascade=True, error_risk=0.01)).parts[0]
        assert "learned" not in part.explanation
    async with AsyncExitStack() as stack:
        mesh = make_mesh(stack)
        await mesh.start(database=url)
        nodes = await started(mesh, script, "Answer: 21", UNSURE)
        part = (await mesh.ask(SUM, cascade=True)).parts[0]
        assert part.answer == "18"
        assert len(nodes[1].script.requests) == 1


async def test_without_enough_truths_the_default_decides(mesh, script) -> None:
    await started(mesh, script, "Answer: 21", SURE)
    part = (await mesh.ask(SUM, cascade=True)).parts[0]
    assert part.answer == "18"
    assert "uncalibrated, but 2 models agree" in part.explanation
