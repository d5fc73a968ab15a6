"""Plans the layers of one question one after the other, and has their models brought.

Each layer is planned from what the nodes hold at that moment. Its models are in use until it is
decided; those of later layers may be loaded meanwhile, beside them.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from typing import TYPE_CHECKING

from quorate.errors import NoNodes, NoPlan, Overloaded
from services.coordinator import electorate, journaling, planning
from services.coordinator.decompose.dag import Subtask, layers
from services.coordinator.events import Listener, Moved, Routing
from services.coordinator.routing.foreseen import after
from services.coordinator.routing.horizon import window
from services.coordinator.routing.moves import Place
from services.coordinator.routing.routed import PlanStep

if TYPE_CHECKING:
    from services.coordinator.loading import Job
    from services.coordinator.means import Means
    from services.coordinator.question import Member, Node, Question, Tokens
    from services.coordinator.routing.frontier import Point
    from services.coordinator.routing.router import Router

PLANNER_SHARE = 0.25
"""A planning model may take this part of the time to be loaded, and as much again to reply."""
LOOK_SECONDS = 0.5
"""So often whoever waits for memory looks again."""
Voters = Mapping[str, tuple["Member", ...]]
"""Who works on each part, by its id."""


class Stages:
    """The layers of one question's parts, in which voters are chosen.

    `steps` are the plans made so far.
    """

    def __init__(
        self,
        means: Means,
        question: Question,
        parts: Sequence[Subtask],
        router: Router,
        listener: Listener,
        question_id: str,
    ) -> None:
        self.steps: list[PlanStep] = []
        self._means = means
        self._question = question
        self._layers = layers(parts)
        self._router = router
        self._listener = listener
        self._question_id = question_id
        self._lost: set[Place] = set()
        self._untold: list[Job] = []

    @property
    def tokens(self) -> Tokens:
        """The tokens that planning took so far."""
        return self._router.tokens

    def lose(self, members: Sequence[Member]) -> None:
        """Plan without these from now on: they failed."""
        self._lost |= {Place(member.node, member.model) for member in members}

    @asynccontextmanager
    async def stage(
        self, number: int, parts: Sequence[Subtask], seconds_left: float, again: str = ""
    ) -> AsyncIterator[Voters]:
        """Plan a layer, bring its models, and keep them for the block; gives each part's voters.

        `again` says why it is planned once more. Raises NoPlan and NoNodes.
        """
        loading = self._means.loading
        deadline = self._means.chances.clock() + seconds_left
        step = await self._settled(number, parts, deadline, again)
        voters = {part.id: step.routed.assigned[part.id] for part in parts}
        # Nothing is awaited up to `start`: what holds would have to be looked at again.
        with loading.using(_places(voters)):
            jobs = loading.start(step.routed.moves)
            self.steps.append(step)
            journaling.stepped(self._means.journal, self._question_id, step)
            await self._listener.tell(Routing(step))
            for job in jobs:
                await self._listener.tell(Moved(job.move, job.move.seconds))
            self._untold += jobs
            async with asyncio.TaskGroup() as group:
                telling = group.create_task(self._tell())
                yield voters
                telling.cancel()

    async def _settled(
        self, number: int, parts: Sequence[Subtask], deadline: float, again: str
    ) -> PlanStep:
        """Plan until a plan holds: others may have moved models since the nodes were looked at.

        Where only models that others work with are in the way, they are waited for.
        """
        loading, clock = self._means.loading, self._means.chances.clock
        taken: Overloaded | None = None
        while True:
            begun, release = loading.begun, loading.release
            left = deadline - clock()
            if taken is not None and left <= 0.0:
                raise taken
            try:
                step = await self._plan(number, parts, left, again)
            except NoPlan as error:
                taken = await self._taken(parts, error)
                left = max(0.0, deadline - clock())
                with suppress(TimeoutError):  # another coordinator's questions tell nobody here
                    async with asyncio.timeout(min(left, LOOK_SECONDS)):
                        await release.wait()
                continue
            voters = {part.id: step.routed.assigned[part.id] for part in parts}
            if loading.holds(step.routed.moves, _places(voters), begun):
                return step

    async def _taken(self, parts: Sequence[Subtask], error: NoPlan) -> Overloaded:
        """Say that other questions have the memory; raises the error where that is not why."""
        loading = self._means.loading
        nodes = await loading.look(self._means.nodes())
        if not await self._router.would_fit(parts, self._members(nodes), nodes):
            raise error
        return Overloaded(
            "Other questions work with the models that are in memory, and gave none back in time:"
            f" {error.message}",
            retry_after_seconds=1.0,
        )

    async def _plan(
        self, number: int, parts: Sequence[Subtask], seconds_left: float, again: str
    ) -> PlanStep:
        deadline = self._means.chances.clock() + seconds_left
        await self._router.prepare(seconds_left * PLANNER_SHARE)
        nodes = await self._means.loading.look(self._means.nodes())
        _, ahead = window(self._layers, number, self._question.horizon)
        members = self._members(nodes)
        left = deadline - self._means.chances.clock()
        routed = await self._router.route(parts, ahead, members, nodes, left)
        metrics = self._means.telemetry.metrics
        metrics.plan_seconds.labels(routed.mode).observe(routed.solution.seconds)
        metrics.plans.labels(routed.mode, routed.solution.status).inc()
        return PlanStep(number, _ids(parts), _ids(ahead), routed, again)

    def _members(self, nodes: Sequence[Node]) -> list[Member]:
        choosing = electorate.candidates if self._question.routing else electorate.members
        members = choosing(nodes, self._question)
        left = [one for one in members if Place(one.node, one.model) not in self._lost]
        if not left:
            lost = ", ".join(sorted(f"{place.node}/{place.model}" for place in self._lost))
            raise NoNodes(f"nobody is left to plan with: {lost} failed", retry_after_seconds=1.0)
        return left

    async def foresee(self, seconds_left: float) -> None:
        """Plan all layers as if each went as planned; nothing is loaded, and nobody is told.

        Each layer has its share of the time, as when it is carried out.
        """
        await self._router.prepare(seconds_left * PLANNER_SHARE)
        nodes = await self._means.loading.look(self._means.nodes())
        merge = planning.MERGE_SHARE if sum(map(len, self._layers)) > 1 else 0.0
        share = seconds_left / (len(self._layers) + merge)
        for number, layer in enumerate(self._layers):
            _, ahead = window(self._layers, number, self._question.horizon)
            members = self._members(nodes)
            try:
                routed = await self._router.route(layer, ahead, members, nodes, share)
            except NoPlan as error:
                raise await self._taken(layer, error) from error
            self.steps.append(PlanStep(number, _ids(layer), _ids(ahead), routed))
            nodes = after(nodes, routed.moves)

    async def frontier(self, seconds_left: float) -> tuple[Point, ...]:
        """Give the plans of all parts at once that no other beats; nothing is loaded."""
        nodes = await self._means.loading.look(self._means.nodes())
        parts = [part for layer in self._layers for part in layer]
        members = self._members(nodes)
        return await self._router.frontier(parts, members, nodes, seconds_left)

    async def _tell(self) -> None:
        """Tell of moves as they end; of those that last longer, while later layers are asked."""
        for job in list(self._untold):
            await job.done.wait()
            problem = str(job.error) if job.error else ""
            await self._listener.tell(Moved(job.move, job.seconds, done=True, problem=problem))
            self._untold.remove(job)


def _places(voters: Voters) -> list[Place]:
    return [Place(one.node, one.model) for members in voters.values() for one in members]


def _ids(parts: Sequence[Subtask]) -> tuple[str, ...]:
    return tuple(part.id for part in parts)
