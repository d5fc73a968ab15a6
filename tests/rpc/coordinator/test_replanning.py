"""Plans that fail: nodes that lie about their memory, models that break, branches that go on."""

from __future__ import annotations

import pytest

from quorate import errors
from quorate.v1 import common_pb2, registry_pb2

pytestmark = pytest.mark.anyio


def model(name: str, p: float, *, ready: bool) -> common_pb2.ModelInfo:
    return common_pb2.ModelInfo(
        name=name,
        state=common_pb2.MODEL_STATE_READY if ready else common_pb2.MODEL_STATE_AVAILABLE,
        on_demand=True,
        memory_bytes=1,
        reliability={"math": p, "facts": p},
    )


async def announce(running, name: str, *models: common_pb2.ModelInfo, free: int = 10**9) -> None:
    """Have a node say what it has; nothing else about it is known."""
    status = common_pb2.NodeStatus(
        node=name,
        state=common_pb2.NODE_STATE_SERVING,
        models=models,
        hardware=common_pb2.Hardware(available_bytes=free, machine_id=f"machine-{name}"),
    )
    await running.lease.write(registry_pb2.LeaseRequest(status=status))
    await running.lease.read()


async def test_a_node_that_lies_about_its_memory_is_planned_around(mesh, script) -> None:
    liar = await mesh.node("n1", big=script.says("Answer: 43"))
    await announce(liar, "n1", model("big", 0.99, ready=False), free=2**60)
    liar.script.load_problems["big"] = errors.OutOfMemory("big needs 9 GiB, but 1 GiB is left")
    honest = await mesh.node("n2", small=script.says("Answer: 42"))
    await announce(honest, "n2", model("small", 0.6, ready=True))
    events = await mesh.stream("What is 12 + 30?", routing="mip", lambda_switch=0.0)
    steps = [event.plan_step for event in events if event.WhichOneof("event") == "plan_step"]
    assert [[one.model for one in step.assignments] for step in steps] == [["big"], ["small"]]
    assert "9 GiB" in steps[1].again
    problems = [event.residency.problem for event in events if event.residency.problem]
    assert problems == ["big needs 9 GiB, but 1 GiB is left"]
    assert liar.script.loads == ["big"]
    assert liar.script.requests == []  # asked all the same, it would have evicted others
    assert events[-1].final.answer == "42"
    assert len(events[-1].final.parts) == 1


async def test_a_model_that_breaks_is_replaced_by_the_next_best(mesh, script) -> None:
    broken = await mesh.node("n1", best=script.fails(errors.ModelUnusable("broken")))
    await announce(broken, "n1", model("best", 0.9, ready=True))
    other = await mesh.node("n2", good=script.says("Answer: 42"))
    await announce(other, "n2", model("good", 0.8, ready=True))
    events = await mesh.stream("What is 12 + 30?", routing="mip")
    steps = [event.plan_step for event in events if event.WhichOneof("event") == "plan_step"]
    assert [step.assignments[0].model for step in steps] == ["best", "good"]
    assert "broken" in steps[1].again
    assert events[-1].final.answer == "42"
    assert [event.WhichOneof("event") for event in events].count("part") == 1


async def test_a_branch_without_an_answer_does_not_stop_the_others(mesh, script) -> None:
    def answer(asked: str) -> str:
        return "I do not know." if "12 + 30" in asked else "Paris"

    node = await mesh.node("n1", only=script.reads(answer))
    await announce(node, "n1", model("only", 0.9, ready=True))
    text = "What is 12 + 30? What is the capital of France? Then double the first result."
    result = await mesh.ask(text, routing="mip")
    answers = {part.subtask.id: part.answer for part in result.parts}
    assert answers == {"t1": "", "t2": "Paris", "t3": ""}
    assert "t3 needs the answer to t1" in result.parts[2].failure.message
    assert "has no answer" in result.reason


async def test_when_everybody_breaks_the_question_says_so(mesh, script) -> None:
    for name in ("n1", "n2"):
        node = await mesh.node(name, atlas=script.fails(errors.ModelUnusable(f"{name} broke")))
        await announce(node, name, model("atlas", 0.9, ready=True))
    with pytest.raises(errors.QuorateError, match="failed"):
        await mesh.ask("What is 12 + 30?", routing="mip")


async def test_nonsense_that_a_node_announces_is_not_planned_with(mesh, script) -> None:
    node = await mesh.node("n1", atlas=script.says("Answer: 42"))
    nonsense = common_pb2.ModelInfo(
        name="atlas",
        state=common_pb2.MODEL_STATE_READY,
        memory_bytes=-5,
        resident_bytes=-7,
        slots=-3,
        parameters=-1,
        load_seconds=float("nan"),
        reliability={"math": float("nan"), "facts": 7.0, "code": -1.0},
    )
    await announce(node, "n1", nonsense, free=-10)
    result = await mesh.ask("What is 12 + 30?", routing="mip")
    assert result.answer == "42"
