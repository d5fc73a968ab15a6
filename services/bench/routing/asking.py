"""Puts jobs to the mesh of one arm, with their steps as its parts, and keeps what came of them."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Final

from quorate.errors import QuorateError
from quorate.v1 import common_pb2, coordinator_pb2, node_pb2
from services.bench.routing.outcome import Outcome, StepTold
from services.bench.routing.timeline import OWN_PLAN, Timeline, loads, switch_cost
from services.bench.suites import scoring
from services.bench.suites.pocket.item import stable_share

if TYPE_CHECKING:
    from collections.abc import Iterable

    from quorate.v1 import coordinator_pb2_grpc, node_pb2_grpc
    from services.bench.routing.arms import Arm
    from services.bench.suites.suite import Item
    from services.bench.suites.workflow import Step

QUESTION_SECONDS: Final = 120.0
IN_MEMORY: Final = frozenset(
    {common_pb2.MODEL_STATE_READY, common_pb2.MODEL_STATE_LOADING, common_pb2.MODEL_STATE_UNLOADING}
)
WARM_UP: Final = "What is 12 + 30?"


class Scorer:
    """Says whether texts are right; the same text on the same item is looked at once."""

    def __init__(self) -> None:
        self._known: dict[tuple[str, str], bool] = {}

    async def right(self, item: Item, text: str) -> bool:
        """Score a text; code runs in a process of its own, away from the event loop."""
        key = item.id, text
        if key not in self._known:
            self._known[key] = await asyncio.to_thread(scoring.right, item, text)
        return self._known[key]


def question(
    arm: Arm, text: str, parts: Iterable[Step], seed: int, name: str
) -> coordinator_pb2.Question:
    """Write a question whose parts are given; nothing is learned, every job has its own seed."""
    own = int(stable_share(f"{seed}/{name}") * 2**31)
    message = common_pb2.ChatMessage(role=common_pb2.CHAT_ROLE_USER, content=text)
    return coordinator_pb2.Question(
        messages=[message],
        sampling=common_pb2.Sampling(seed=own, temperature=0.0),
        frozen=True,
        subtasks=[_subtask(step) for step in parts],
        **arm.fields,
    )


def _subtask(step: Step) -> coordinator_pb2.Subtask:
    return coordinator_pb2.Subtask(
        id=step.id,
        text=step.text,
        depends_on=step.depends_on,
        task_type=step.task_type,
        estimated_tokens=step.estimated_tokens,
        difficulty=step.difficulty,
    )


class ArmAsker:
    """Asks the mesh of one arm, one job at a time."""

    def __init__(
        self,
        arm: Arm,
        coordinator: coordinator_pb2_grpc.CoordinatorServiceAsyncStub,
        node: node_pb2_grpc.NodeServiceAsyncStub,
        scorer: Scorer,
        seed: int,
    ) -> None:
        self.arm = arm
        self.turn = asyncio.Lock()
        self._coordinator = coordinator
        self._node = node
        self._scorer = scorer
        self._seed = seed

    async def warm(self, models: Sequence[str]) -> None:
        """Have every model loaded once, so that all arms know what a load takes; none stays."""
        message = common_pb2.ChatMessage(role=common_pb2.CHAT_ROLE_USER, content=WARM_UP)
        for model in models:
            asked = coordinator_pb2.Question(messages=[message], models=[model], frozen=True)
            request = coordinator_pb2.AskRequest(question=asked)
            await self._coordinator.Ask(request, timeout=QUESTION_SECONDS)
        for model in resident(await self.status()):
            unload = node_pb2.UnloadModelRequest(model=model)
            async for _ in self._node.UnloadModel(unload):
                pass

    async def ask(
        self, text: str, parts: Sequence[Step], name: str, items: Mapping[str, Item]
    ) -> Outcome:
        """Do a job; `items` says by step what is right."""
        before = await self.status()
        timeline = Timeline(frozenset(resident(before)))
        asked = question(self.arm, text, parts, self._seed, name)
        request = coordinator_pb2.AskStreamRequest(question=asked, omit_tokens=True)
        result = coordinator_pb2.Result()
        began = time.perf_counter()
        try:
            async for event in self._coordinator.AskStream(request, timeout=QUESTION_SECONDS):
                timeline.hear(event, time.perf_counter() - began)
                if event.WhichOneof("event") == "final":
                    result = event.final
        except QuorateError as error:
            if error.kind != "NO_QUORUM":  # that no step has an answer is an outcome, too
                raise
        steps = [await self._told(part, items[part.subtask.id]) for part in result.parts]
        return outcome(self.arm.name, name, timeline, steps, await self.status())

    async def status(self) -> common_pb2.NodeStatus:
        """Ask the node itself for its ledger and its measurements."""
        return (await self._node.GetStatus(node_pb2.GetStatusRequest())).status

    async def estimates(self, parts: Sequence[Step]) -> Sequence[coordinator_pb2.Estimate]:
        """Give what the coordinator thinks that every model is worth for these parts."""
        asked = question(self.arm, WARM_UP, parts, self._seed, "estimates")
        request = coordinator_pb2.PlanRequest(question=asked)
        return (await self._coordinator.Plan(request)).plan.routing.estimates

    async def _told(self, part: coordinator_pb2.Part, item: Item) -> StepTold:
        ballot = part.ballots[0] if part.ballots else common_pb2.Ballot()
        said = part.text or part.answer
        right = bool(said) and await self._scorer.right(item, said)
        tokens = ballot.usage.completion_tokens
        return StepTold(part.subtask.id, ballot.model, said, right, tokens)


def resident(status: common_pb2.NodeStatus) -> list[str]:
    """Name the models that are ready."""
    ready = common_pb2.MODEL_STATE_READY
    return [model.name for model in status.models if model.state == ready]


def held_bytes(status: common_pb2.NodeStatus) -> int:
    """Sum up what is promised to models or held by them, whichever is more, in bytes."""
    return sum(
        max(model.memory_bytes, model.resident_bytes)
        for model in status.models
        if model.state in IN_MEMORY
    )


def outcome(
    arm: str,
    job: str,
    timeline: Timeline,
    steps: Sequence[StepTold],
    status: common_pb2.NodeStatus,
) -> Outcome:
    """Put together what is kept of a job."""
    loaded, routed = loads(timeline.moves), [step.routing for step in timeline.steps]
    held = held_bytes(status)
    return Outcome(
        arm=arm,
        job=job,
        steps=tuple(steps),
        seconds=round(timeline.decided_at, 4),
        planning=round(timeline.planning, 4),
        waiting=round(timeline.waiting, 4),
        loading=round(sum(move.seconds for move in loaded), 4),
        swaps=len(loaded) + timeline.hidden,
        hidden_swaps=timeline.hidden,
        ahead_swaps=sum(move.ahead for move in loaded),
        plans=len(routed),
        own_plans=sum(one.solver_name == OWN_PLAN for one in routed),
        notes=tuple(one.note for one in routed if one.note),
        objective=sum(one.objective for one in routed),
        switch_cost=sum(map(switch_cost, timeline.steps)),
        violations=sum(len(one.violations) for one in routed),
        over_budget_bytes=max(0, held - status.memory_budget_bytes),
        held_bytes=held,
        failures=tuple(move.problem for move in timeline.moves if move.problem),
    )
