"""Routing by a planning model: the same facts as the solver's, its choice as JSON.

The reply is held to a schema that knows the parts and the models. One that breaks a limit is told
so once, and the answer to that is used; a second that breaks one gives way to the exact solver.
"""

from __future__ import annotations

import json
import math
import time
from collections.abc import Awaitable, Callable, Sequence
from typing import TYPE_CHECKING, Final

from quorate.errors import QuorateError, shorten
from services.coordinator.question import Message
from services.coordinator.routing.briefing import names_of, prompt_of, schema_of
from services.coordinator.routing.checker import check
from services.coordinator.routing.problem import Assignment, Problem, Solution
from services.coordinator.routing.refusing import capped, most_workers

if TYPE_CHECKING:
    from services.coordinator.routing.checker import Verdict

Ask = Callable[[Sequence[Message], str], Awaitable[str]]
"""Asks the planning model under a JSON schema; raises errors of the catalogue."""
MODE: Final = "model"
LONGEST_REPLY: Final = 65_536
LONGEST_SHOWN: Final = 4_000
ATTEMPTS: Final = 2


async def solve_by_model(
    problem: Problem,
    ask: Ask | None,
    exact: Callable[[], Awaitable[Solution]],
    hindered: str = "",
) -> Solution:
    """Let a model assign the parts; `ask` None means that none can be asked, `hindered` why.

    Where fewer options have room than tasks want, it is asked for the most that have. Falls back to
    the `exact` solver, and `note` says why. Raises what that raises.
    """
    started = time.perf_counter()
    told = list[str]()
    most = most_workers(problem)
    if most == 0:
        return await exact()  # which says why there is no plan
    chosen = await _chosen(capped(problem, most), ask, told) if ask else None
    if chosen is not None:
        assignment, verdict = chosen
        notes = [*_lowered(problem, most), *_twice(told)]
        return _solution(assignment, verdict, time.perf_counter() - started, notes)
    why = "; ".join(told) or hindered or "no model is in memory that could plan"
    found = await exact()
    note = f"the planning model gave no plan that holds ({why}), so it is the solver's"
    return found._replace(
        seconds=time.perf_counter() - started, note="; ".join(filter(None, (note, found.note)))
    )


async def _chosen(problem: Problem, ask: Ask, told: list[str]) -> tuple[Assignment, Verdict] | None:
    """Ask, and once more where the reply breaks a limit; notes in `told` what was wrong."""
    messages = [Message("user", prompt_of(problem))]
    schema = schema_of(problem)
    for _ in range(ATTEMPTS):
        reply = ""
        try:
            reply = await ask(messages, schema)
            assignment, verdict = _read(problem, reply)
        except ValueError as error:
            told.append(str(error))
        except QuorateError as error:
            told.append(str(error))
            return None  # it cannot be asked at all
        else:
            if verdict.feasible:
                return assignment, verdict
            told.append("; ".join(verdict.violations))
        shown = Message("assistant", reply[:LONGEST_SHOWN] or "{}")
        messages += [shown, Message("user", _again(told[-1]))]
    return None


def _read(problem: Problem, reply: str) -> tuple[Assignment, Verdict]:
    """Read a reply; raises ValueError for one that is no choice at all."""
    if len(reply) > LONGEST_REPLY:
        raise ValueError(f"it replied with more than {LONGEST_REPLY} characters")
    try:
        chosen = json.loads(reply)
    except (ValueError, RecursionError) as error:
        raise ValueError(f"its reply is not JSON ({_why(error)})") from error
    if not isinstance(chosen, dict):
        raise ValueError("its reply is JSON, but not an object")
    numbers = {name: i for i, name in enumerate(names_of(problem))}
    workers = tuple(_workers(task.id, chosen.get(task.id), numbers) for task in problem.tasks)
    loaded = frozenset(i for several in workers for i in several)
    assignment = Assignment(workers, loaded)
    return assignment, check(problem, assignment)


def _workers(task_id: str, chosen: object, numbers: dict[str, int]) -> tuple[int, ...]:
    named = chosen if isinstance(chosen, list) else [chosen]
    found = set[int]()
    for name in named:
        if not isinstance(name, str) or name not in numbers:
            raise ValueError(f"{task_id} is given to {shorten(name)}, which is none of the models")
        if numbers[name] in found:
            raise ValueError(f"{task_id} is given to {name} twice; name different models")
        found.add(numbers[name])
    return tuple(sorted(found))


def _why(error: Exception) -> str:
    """Say what is wrong with JSON and where, in words of the parser's that quote nothing."""
    if isinstance(error, json.JSONDecodeError):
        return f"{error.msg} at character {error.pos}"
    return "it is nested too deep" if isinstance(error, RecursionError) else "a number is too long"


def _again(problem_told: str) -> str:
    return f"That breaks a limit: {problem_told}. Reply again with JSON only."


def _lowered(problem: Problem, most: int) -> list[str]:
    asked = max(task.voters for task in problem.tasks)
    return [f"only {most} can work at once: {asked} were wanted"] if asked > most else []


def _twice(told: Sequence[str]) -> list[str]:
    return [f"asked twice, because of the first: {told[0]}"] if told else []


def _solution(
    assignment: Assignment, verdict: Verdict, seconds: float, notes: Sequence[str]
) -> Solution:
    return Solution(
        assignment,
        verdict.objective,
        math.inf,
        math.inf,
        "planning model",
        "feasible",
        seconds,
        "; ".join(notes),
    )
