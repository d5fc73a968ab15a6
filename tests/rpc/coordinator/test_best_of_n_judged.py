"""Best of n with a real synthesizer: a model judges what cannot be computed."""

from __future__ import annotations

import json

import pytest

from quorate import errors
from quorate.config import SynthesizerSettings
from quorate.identity import Role
from services.synthesizer.service import synthesizer

pytestmark = pytest.mark.anyio
SUM = "Ann has 9 apples and gets 9 more. How many has she?"
JUDGED = "Judge whether the answer is right."
ANSWERS = {"n1": "21", "n2": "21", "n3": "18"}


async def started(mesh, tls, **settings: object) -> None:
    made = SynthesizerSettings(name="s1", tls=tls(Role.SYNTHESIZER, "s1"), drain_seconds=0.0)
    running = await mesh.enter(synthesizer(made))
    await mesh.start(synthesizer=running.address, **settings)


def judge(prompt: str) -> str:
    right = prompt.endswith("Answer: 18")
    return json.dumps({"score": 0.9 if right else 0.1, "rationale": "I added them."})


async def nodes(mesh, script, judgement=judge):
    def of(text: str):
        async def behave(request, context) -> None:
            request.n = max(1, request.n)  # unset means one
            prompt = request.messages[-1].content
            if prompt.startswith(JUDGED):
                if isinstance(judgement, errors.QuorateError):
                    raise judgement
                await script.says(judgement(prompt))(request, context)
            else:
                await script.says(f"Answer: {text}")(request, context)

        return behave

    return {name: await mesh.node(name, atlas=of(text)) for name, text in ANSWERS.items()}


def judged_by(made) -> dict[str, list[str]]:
    """Give which answers each node was asked to judge."""
    return {
        name: sorted(
            request.messages[-1].content.rpartition("Answer: ")[2]
            for request in node.script.requests
            if request.messages[-1].content.startswith(JUDGED)
        )
        for name, node in made.items()
    }


def beliefs(made) -> int:
    return sum(len(node.script.scored) for node in made.values())


async def test_a_judge_is_believed_more_than_the_number(bare_mesh, tls, script) -> None:
    await started(bare_mesh, tls)
    made = await nodes(bare_mesh, script)
    part = (await bare_mesh.ask(SUM, strategy="best_of_n")).parts[0]
    assert part.answer == "18"
    assert {one.node: one.verified for one in part.ballots} == {"n1": 0.1, "n2": 0.1, "n3": 0.9}
    assert "'18': n1/atlas judged it 0.90" in part.explanation
    assert "'21': n3/atlas judged it 0.10" in part.explanation
    # Nobody judges an answer of its own, and nobody is asked what it believes as well.
    assert judged_by(made) == {"n1": ["18"], "n2": [], "n3": ["21"]}
    assert beliefs(made) == 0


async def test_what_can_be_computed_needs_no_judge(bare_mesh, tls, script) -> None:
    await started(bare_mesh, tls)
    made = await nodes(bare_mesh, script)
    part = (await bare_mesh.ask("What is 9 + 9?", strategy="best_of_n")).parts[0]
    assert part.answer == "18"
    assert judged_by(made) == {"n1": [], "n2": [], "n3": []}


@pytest.mark.parametrize(
    "judgement",
    [lambda prompt: "I like it.", errors.ModelUnusable("the file is damaged")],
    ids=["nonsense", "failure"],
)
async def test_a_judge_that_fails_leaves_it_to_what_the_models_believe_and_that_is_said(
    bare_mesh, tls, script, judgement
) -> None:
    await started(bare_mesh, tls)
    made = await nodes(bare_mesh, script, judgement)

    def believes(request, candidate: str) -> float:
        right = "Answer: 18" in request.messages[-1].content
        return -0.05 if (candidate == "yes") is right else -3.0

    for node in made.values():
        node.script.prefers = believes
    part = (await bare_mesh.ask(SUM, strategy="best_of_n")).parts[0]
    assert part.answer == "18"
    assert "'18': no judgement: No model gave a judgement: atlas on n1: " in part.explanation
    assert "models say 0.9" in part.explanation
    assert beliefs(made) == 3  # two judge n3's answer, one the others'


async def test_an_unreachable_synthesizer_costs_the_judgement_alone(
    bare_mesh, script, free_port
) -> None:
    await bare_mesh.start(synthesizer=f"127.0.0.1:{free_port}")
    await nodes(bare_mesh, script)
    part = (await bare_mesh.ask(SUM, strategy="best_of_n", budget={"seconds": 5.0})).parts[0]
    assert part.answer == "21"
    assert "no judgement: " in part.explanation
    assert "nothing was verified, so numbers decide" in part.explanation


async def test_the_settings_may_want_no_judge(bare_mesh, tls, script) -> None:
    await started(bare_mesh, tls, synthesizer_judges=False)
    made = await nodes(bare_mesh, script)
    part = (await bare_mesh.ask(SUM, strategy="best_of_n")).parts[0]
    assert judged_by(made) == {"n1": [], "n2": [], "n3": []}
    assert "judge" not in part.explanation.replace("no model could judge it", "")
