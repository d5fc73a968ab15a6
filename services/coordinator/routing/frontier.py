"""Plans that no other beats in reliability, tokens and seconds at once; and the best in a budget.

A plan's reliability is the mean over its tasks of the probability that a majority of a task's
workers is right, a tie counting half, were they to err independently (Condorcet 1785). Pure; it
solves dozens of problems, so it belongs into a thread.
"""

from __future__ import annotations

import itertools
import math
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Final, NamedTuple, TypeAlias

from quorate.errors import InvalidRequest, NoPlan
from services.coordinator.routing.checker import check
from services.coordinator.routing.solve import LIMIT_SECONDS, solve

if TYPE_CHECKING:
    from services.coordinator.routing.problem import Problem, Solution

LAMBDAS_TOKEN: Final = (0.0, 0.25, 0.5, 1.0, 2.0)
LAMBDAS_SWITCH: Final = (0.0, 0.2, 1.0)
LEAST_SECONDS: Final = 0.05


class Settings(NamedTuple):
    """What a plan is asked for with: an electorate, and what tokens and loads cost."""

    voters: int
    lambda_token: float
    lambda_switch: float


class Point(NamedTuple):
    """A plan, what it was asked for with, and what it gives: P(right), tokens, seconds.

    `tokens` is what all workers are expected to write; `seconds` is when the last is done, loads
    and work, if all tasks begin at once. `dominated` only where it is the `chosen` one.
    """

    settings: Settings
    reliability: float
    tokens: int
    seconds: float
    problem: Problem
    solution: Solution
    dominated: bool = False
    chosen: bool = False


Build: TypeAlias = "Callable[[Settings], Problem]"


class Budget(NamedTuple):
    """The most that a plan may take; None is no limit."""

    tokens: int | None = None
    seconds: float | None = None


def frontier(
    build: Build,
    asked: Settings,
    most_voters: int,
    budget: Budget = Budget(),  # noqa: B008 - a NamedTuple does not change
    mode: str = "mip",
    limit_seconds: float = LIMIT_SECONDS,
    seed: int = 0,
) -> tuple[Point, ...]:
    """Give the plans that no other beats, most reliable first, with the chosen one marked.

    Plans are made for 1 to `most_voters` voters and a grid of λ, and for `asked`. Without a budget
    the plan for `asked` is chosen, and shown even where another beats it; with one, the most
    reliable plan within it. Raises NoPlan where none is possible, or none within the budget, and
    InvalidRequest for a budget or a number of voters that is none.
    """
    _check(most_voters, budget)
    settings = _grid(asked, most_voters)
    until = time.perf_counter() + limit_seconds
    points = _distinct(_solved(build, settings, budget, mode, until, seed))
    best = _asked(points, asked) if budget == Budget() else _within(points, budget)
    beaten = [any(_beats(other, point) for other in points) for point in points]
    shown = [
        point._replace(chosen=point is best, dominated=worse)
        for point, worse in zip(points, beaten, strict=True)
        if point is best or not worse
    ]
    return tuple(sorted(shown, key=lambda point: (-point.reliability, point.tokens, point.seconds)))


def _check(most_voters: int, budget: Budget) -> None:
    if most_voters < 1:
        raise InvalidRequest.field(
            "routing.voters", most_voters, "at least one works on a task", "Ask for one or more."
        )
    for name, most in budget._asdict().items():
        if most is not None and not 0.0 < most < math.inf:
            raise InvalidRequest.field(
                f"routing.budget_{name}", most, "it must be above 0 and finite", "Leave it out."
            )


def _grid(asked: Settings, most_voters: int) -> list[Settings]:
    """Give the settings to try, those asked for first."""
    tried = itertools.product(range(1, most_voters + 1), LAMBDAS_TOKEN, LAMBDAS_SWITCH)
    return list(dict.fromkeys([asked, *itertools.starmap(Settings, tried)]))


def _solved(
    build: Build,
    settings: Sequence[Settings],
    budget: Budget,
    mode: str,
    until: float,
    seed: int,
) -> list[Point]:
    """Solve for all settings; under a budget of seconds, also with it as the deadline."""
    points, refused = list[Point](), list[NoPlan]()
    for place, one in enumerate(settings):
        share = (until - time.perf_counter()) / (len(settings) - place)
        built = build(one)
        problems = [built]
        if budget.seconds is not None:
            sooner = min(budget.seconds, built.deadline_seconds or math.inf)
            problems.append(replace(built, deadline_seconds=sooner))
        for problem in problems:
            try:
                found = solve(problem, mode, max(LEAST_SECONDS, share), seed)
            except NoPlan as error:
                refused.append(error)
                continue
            points.append(_measured(one, built, found))
    if not points:
        raise refused[-1]
    return points


def _measured(settings: Settings, problem: Problem, found: Solution) -> Point:
    workers = found.assignment.workers
    right = [
        majority_right(float(problem.reliability[worker, task]) for worker in working)
        for task, working in enumerate(workers)
    ]
    tokens = sum(
        task.tokens * len(working) for task, working in zip(problem.tasks, workers, strict=True)
    )
    reliability = math.fsum(right) / len(right)
    return Point(settings, reliability, tokens, _done_after(problem, found), problem, found)


def majority_right(probabilities: Iterable[float]) -> float:
    """Give the probability that most of several are right, a tie counting half.

    They err independently, each being right with its probability in [0, 1]; 0 for nobody.
    """
    counts = [1.0]
    for right in probabilities:
        grown = [count * (1.0 - right) for count in counts] + [0.0]
        for place, count in enumerate(counts):
            grown[place + 1] += count * right
        counts = grown
    voters = len(counts) - 1
    if voters == 0:
        return 0.0
    tie = counts[voters // 2] / 2.0 if voters % 2 == 0 else 0.0
    return math.fsum([*counts[voters // 2 + 1 :], tie])


def _done_after(problem: Problem, found: Solution) -> float:
    """Give when the last worker is done: loads on its machine, then its work."""
    loads = check(problem, found.assignment).load_seconds
    work: dict[int, float] = {}
    for task, workers in enumerate(found.assignment.workers):
        for worker in workers:
            share = float(problem.seconds[worker, task]) / problem.options[worker].slots
            work[worker] = work.get(worker, 0.0) + share
    return max(loads[problem.options[worker].machine] + spent for worker, spent in work.items())


def _distinct(points: Sequence[Point]) -> list[Point]:
    """Keep one point for each plan that gives the same, the first one found."""
    first: dict[tuple[float, int, float], Point] = {}
    for point in points:
        first.setdefault((point.reliability, point.tokens, point.seconds), point)
    return list(first.values())


def _beats(one: Point, other: Point) -> bool:
    """Whether one is as good in everything, and better in something."""
    ours = (one.reliability, -one.tokens, -one.seconds)
    theirs = (other.reliability, -other.tokens, -other.seconds)
    return ours != theirs and all(a >= b for a, b in zip(ours, theirs, strict=True))


def _asked(points: Sequence[Point], asked: Settings) -> Point:
    """Give the plan that was asked for, or the most reliable where that one is impossible."""
    own = [point for point in points if point.settings == asked]
    return own[0] if own else max(points, key=lambda point: point.reliability)


def _within(points: Sequence[Point], budget: Budget) -> Point:
    most_tokens = math.inf if budget.tokens is None else budget.tokens
    most_seconds = math.inf if budget.seconds is None else budget.seconds
    fitting = [
        point for point in points if point.tokens <= most_tokens and point.seconds <= most_seconds
    ]
    if not fitting:
        least = min(points, key=lambda point: (point.tokens, point.seconds))
        soonest = min(points, key=lambda point: point.seconds)
        raise NoPlan(
            f"No plan stays within {_said(budget)}: the least tokens are {least.tokens} (in "
            f"{least.seconds:.3f} s), the soonest plan takes {soonest.seconds:.3f} s "
            f"({soonest.tokens} tokens). Give at least that, or ask less."
        )
    return max(fitting, key=lambda point: (point.reliability, -point.tokens, -point.seconds))


def _said(budget: Budget) -> str:
    tokens = "" if budget.tokens is None else f"{budget.tokens} tokens"
    seconds = "" if budget.seconds is None else f"{budget.seconds:g} s"
    return " and ".join(text for text in (tokens, seconds) if text)
