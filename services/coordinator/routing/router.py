"""Finds the plan of a layer: looks at the nodes, solves, checks, and says what has to be loaded."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Final, Protocol

from quorate.errors import DeadlineExceeded, NoPlan, QuorateError
from services.coordinator.question import Tokens
from services.coordinator.routing import residency
from services.coordinator.routing.by_model import MODE, solve_by_model
from services.coordinator.routing.checker import check
from services.coordinator.routing.estimates import (
    Estimates,
    Known,
    Wanted,
    estimates,
    tokens_of,
)
from services.coordinator.routing.frontier import Budget, Point, Settings, frontier
from services.coordinator.routing.moves import Move, Place
from services.coordinator.routing.routed import Routed
from services.coordinator.routing.solve import solve

if TYPE_CHECKING:
    from services.coordinator.decompose.dag import Subtask
    from services.coordinator.question import Member, Message, Node, Question
    from services.coordinator.routing.problem import Assignment, Option, Problem, Solution

LIMIT_SECONDS: Final = 2.0
"""How long a solver may look for something better; `gap` then says how near it came."""
FRONTIER_SECONDS: Final = 10.0
MOST_VOTERS: Final = 8
"""Voters for each part up to which the frontier is looked for."""
SHARE: Final = 0.1
"""A plan takes at most this part of what is left of the question's time."""


class Planner(Protocol):
    """The planning model; `services.coordinator.consult` reaches it. `tokens` is what it took."""

    tokens: Tokens

    async def prepare(self) -> None:
        """Have it loaded; raises why it cannot be."""
        ...

    async def ask(self, messages: Sequence[Message], schema: str) -> str:
        """Give its reply under a JSON schema; raises errors of the catalogue."""
        ...


class Router:
    """Routes the parts of one question."""

    def __init__(
        self, question: Question, known: Known, planner: Planner | None, seed: int
    ) -> None:
        self._question = question
        self._known = known
        self._planner = planner
        self._seed = seed
        self._hindered = ""

    @property
    def tokens(self) -> Tokens:
        """The tokens that the planning model took so far."""
        return self._planner.tokens if self._planner else Tokens()

    async def prepare(self, seconds: float) -> None:
        """Have the planning model loaded before anybody looks at the memory; else plan without."""
        self._hindered = ""
        if self._planner is None:
            return
        try:
            async with asyncio.timeout(seconds):
                await self._planner.prepare()
        except QuorateError as error:
            self._hindered = str(error)
        except TimeoutError:
            self._hindered = f"it was not loaded within {seconds:.1f} s"

    async def route(
        self,
        ready: Sequence[Subtask],
        ahead: Sequence[Subtask],
        members: Sequence[Member],
        nodes: Sequence[Node],
        seconds_left: float,
    ) -> Routed:
        """Plan parts that are ready, with an eye on later ones.

        `members` come in the order of preference. Raises NoPlan, and UnknownNode for a limit of
        memory on a node that is not there.
        """
        if seconds_left <= 0.0:
            raise DeadlineExceeded("no time is left to plan with")
        wanted = self._wanted((*ready, *ahead), len(members), seconds_left)
        made = estimates((*ready, *ahead), members, nodes, self._known, wanted)
        solution = await self._in_time(made.problem, seconds_left)
        if wanted.voters < self._asked(len(members)):
            solution = solution._replace(note=_joined(self._spared(wanted.voters), solution.note))
        return self._routed(made, solution, len(ready), nodes)

    async def would_fit(
        self, parts: Sequence[Subtask], members: Sequence[Member], nodes: Sequence[Node]
    ) -> bool:
        """Say whether parts could be planned if no other question worked with any model."""
        alone = self._known._replace(in_use=_nobody)
        wanted = self._wanted(parts, len(members), 0.0)
        problem = estimates(
            parts, members, nodes, alone, replace(wanted, deadline_seconds=None)
        ).problem
        try:
            await asyncio.to_thread(solve, problem, "greedy", LIMIT_SECONDS, self._seed)
        except NoPlan:
            return False
        return True

    async def frontier(
        self,
        parts: Sequence[Subtask],
        members: Sequence[Member],
        nodes: Sequence[Node],
        seconds_left: float,
    ) -> tuple[Point, ...]:
        """Give the plans that no other beats, as if all parts were asked at once."""
        question, most = self._question, min(len(members), MOST_VOTERS)
        wanted = self._wanted(parts, len(members), seconds_left)
        asked = Settings(wanted.voters, wanted.lambda_token, wanted.lambda_switch)
        first = estimates(parts, members, nodes, self._known, wanted).problem
        first = replace(first, deadline_seconds=None)  # seconds are what it trades

        def build(settings: Settings) -> Problem:
            tasks = tuple(task._replace(voters=settings.voters) for task in first.tasks)
            return replace(
                first,
                tasks=tasks,
                lambda_token=settings.lambda_token,
                lambda_switch=settings.lambda_switch,
            )

        mode = "mip" if question.routing in {"", MODE} else question.routing
        limit = min(FRONTIER_SECONDS, seconds_left / 2)
        return await asyncio.to_thread(
            frontier, build, asked, most, Budget(), mode, limit, self._seed
        )

    def _asked(self, most: int) -> int:
        return min(self._question.max_models or most, most)

    def _wanted(self, parts: Sequence[Subtask], most: int, seconds_left: float) -> Wanted:
        """Say what the question wants; a budget of tokens may pay for fewer voters than asked."""
        question, voters = self._question, self._asked(most)
        if question.tokens is not None:
            each = sum(map(tokens_of, parts))
            voters = max(1, min(voters, question.tokens // max(1, each)))
        return Wanted(
            voters,
            question.lambda_token,
            question.lambda_switch,
            question.memory_bytes,
            question.topic,
            seconds_left if question.seconds_are_budget else None,
        )

    def _spared(self, voters: int) -> str:
        return f"the budget of {self._question.tokens} tokens pays for {voters} on each part"

    async def _in_time(self, problem: Problem, seconds_left: float) -> Solution:
        """Plan within the seconds; where none is expected to be, as well as can be, and say so.

        What the durations say is a guess until a model was timed.
        """
        limit = min(LIMIT_SECONDS, SHARE * seconds_left)
        try:
            return await self._solved(problem, limit)
        except NoPlan as error:
            if problem.deadline_seconds is None:
                raise
            found = await self._solved(replace(problem, deadline_seconds=None), limit)
            return found._replace(note=_joined(f"as well as can be: {error.message}", found.note))

    async def _solved(self, problem: Problem, limit_seconds: float) -> Solution:
        mode = self._question.routing or "mip"

        async def exact() -> Solution:
            by = "mip" if mode == MODE else mode
            return await asyncio.to_thread(solve, problem, by, limit_seconds, self._seed)

        if mode != MODE:
            return await exact()
        ask = self._planner.ask if self._planner and not self._hindered else None
        return await solve_by_model(problem, ask, exact, self._hindered)

    def _routed(
        self, made: Estimates, solution: Solution, ready: int, nodes: Sequence[Node]
    ) -> Routed:
        problem, assignment = made.problem, solution.assignment
        verdict = check(_as_planned(problem, assignment), assignment)
        planned = residency.moves(problem, assignment, made.others)
        early = residency.ahead(assignment, planned.loads, ready)
        first = [i for i in planned.loads if i not in early]
        addresses = {node.name: node.address for node in nodes}
        moves = [
            *(_move(option, addresses, load=False) for option in planned.unloads),
            *(_move(problem.options[i], addresses, load=True) for i in first),
            *(_move(problem.options[i], addresses, load=True, ahead=True) for i in early),
        ]
        return Routed(
            self._question.routing or "mip",
            solution,
            made,
            _assigned(made, assignment),
            tuple(moves),
            residency.uses(problem, assignment, made.homes),
            verdict.violations,
        )


def _nobody(_node: str, _model: str) -> bool:
    return False


def _joined(*notes: str) -> str:
    return "; ".join(filter(None, notes))


def _as_planned(problem: Problem, assignment: Assignment) -> Problem:
    """Want as many voters as the plan has: the solution's note tells where fewer fit."""
    tasks = tuple(
        task._replace(voters=min(task.voters, max(1, len(workers))))
        for task, workers in zip(problem.tasks, assignment.workers, strict=True)
    )
    return replace(problem, tasks=tasks)


def _assigned(made: Estimates, assignment: Assignment) -> dict[str, tuple[Member, ...]]:
    return {
        task.id: tuple(sorted(made.members[i] for i in workers))
        for task, workers in zip(made.problem.tasks, assignment.workers, strict=True)
    }


def _move(option: Option, addresses: Mapping[str, str], *, load: bool, ahead: bool = False) -> Move:
    return Move(
        Place(option.node, option.model),
        addresses[option.node],
        option.machine,
        load,
        option.memory_bytes,
        option.load_seconds if load else 0.0,
        ahead,
    )
