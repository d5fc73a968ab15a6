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

from quorate import prompts
from quorate.errors import QuorateError
from services.coordinator.question import Message
from services.coordinator.routing.checker import check
from services.coordinator.routing.problem import Assignment, Problem, Solution

if TYPE_CHECKING:
    from services.coordinator.routing.checker import Verdict

Ask = Callable[[Sequence[Message], str], Awaitable[str]]
"""Asks the planning model under a JSON schema; raises errors of the catalogue."""
MODE: Final = "model"
MIB: Final = 2**20
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

    Falls back to the `exact` solver, and `note` says why. Raises what that raises.
    """
    started = time.perf_counter()
    told = list[str]()
    chosen = await _chosen(problem, ask, told) if ask else None
    if chosen is not None:
        assignment, verdict = chosen
        return _solution(assignment, verdict, time.perf_counter() - started, told)
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


def prompt_of(problem: Problem) -> str:
    """Write the facts that the solver has: P(right), bytes, what is in memory, and the weights.

    Reliability is shown less the price of tokens, so that what is best is best for both.
    """
    names = names_of(problem)
    candidates = [
        prompts.Candidate(
            names[i],
            {kind: round(max(0.0, worth), 2) for kind, worth in _worth_by_type(problem, i).items()},
            max(1, math.ceil(option.memory_bytes / MIB)),
            option.resident,
        )
        for i, option in enumerate(problem.options)
    ]
    subtasks = [prompts.Subtask(task.id, task.task_type or "reasoning") for task in problem.tasks]
    memory = min((pool.budget_bytes // MIB for pool in problem.pools), default=0)
    if not problem.pools:
        memory = sum(candidate.memory_mib for candidate in candidates)
    text = prompts.route(candidates, subtasks, memory)
    most = max(task.voters for task in problem.tasks)
    if most > 1:
        text += f"\nGive {most} models for each subtask: {{subtask id: [model names]}}."
    return text


def schema_of(problem: Problem) -> str:
    """Give the JSON schema of a reply: every part, and only models that there are."""
    names = list(names_of(problem))
    one = {"type": "string", "enum": names}
    properties = {
        task.id: one
        if task.voters == 1
        else {"type": "array", "items": one, "minItems": task.voters, "maxItems": task.voters}
        for task in problem.tasks
    }
    return json.dumps(
        {
            "type": "object",
            "properties": properties,
            "required": list(properties),
            "additionalProperties": False,
        }
    )


def names_of(problem: Problem) -> tuple[str, ...]:
    """Name the options as the planning model sees them: with the node only where that is needed."""
    models = [option.model for option in problem.options]
    return tuple(
        option.model if models.count(option.model) == 1 else f"{option.node}/{option.model}"
        for option in problem.options
    )


def _worth_by_type(problem: Problem, i: int) -> dict[str, float]:
    kinds: dict[str, float] = {}
    for m, task in enumerate(problem.tasks):
        kinds.setdefault(task.task_type or "reasoning", float(problem.utility[i, m]))
    return kinds


def _read(problem: Problem, reply: str) -> tuple[Assignment, Verdict]:
    """Read a reply; raises ValueError for one that is no choice at all."""
    if len(reply) > LONGEST_REPLY:
        raise ValueError(f"it replied with more than {LONGEST_REPLY} characters")
    try:
        chosen = json.loads(reply)
    except (ValueError, RecursionError) as error:
        raise ValueError(f"its reply is not JSON: {reply[:80]!r}") from error
    if not isinstance(chosen, dict):
        raise ValueError(f"its reply is not an object: {reply[:80]!r}")
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
            raise ValueError(f"{task_id} is given to {name!r}, which is none of the models")
        found.add(numbers[name])
    return tuple(sorted(found))


def _again(problem_told: str) -> str:
    return f"That breaks a limit: {problem_told}. Reply again with JSON only."


def _solution(
    assignment: Assignment, verdict: Verdict, seconds: float, told: Sequence[str]
) -> Solution:
    note = f"asked twice, because of the first: {told[0]}" if told else ""
    return Solution(
        assignment,
        verdict.objective,
        math.inf,
        math.inf,
        "planning model",
        "feasible",
        seconds,
        note,
    )
