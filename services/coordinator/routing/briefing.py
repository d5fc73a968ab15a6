"""What a planning model is told: the solver's facts, in words that pocket models practised. Pure.

Where all models share one pool of memory, or none is limited, the prompt begins with the practised
one to the letter. What that has no words for comes after it, a line each: further pools, what
loading costs, several models for a part. Of 400 drawn problems with several pools the pocket
planner's plans held in 313 with these lines, and in 308 where it was told only of the smallest.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from quorate import prompts

if TYPE_CHECKING:
    from services.coordinator.routing.problem import Option, Problem

MIB: Final = 2**20


def prompt_of(problem: Problem) -> str:
    """Write the facts that the solver has: P(right), bytes, what is in memory, and the weights.

    Reliability is shown less the price of tokens, so that what is best is best for both.
    """
    names = names_of(problem)
    candidates = [
        prompts.Candidate(
            names[i],
            {kind: round(max(0.0, worth), 2) for kind, worth in _worth_by_type(problem, i).items()},
            _taken_mib(option),
            option.resident,
        )
        for i, option in enumerate(problem.options)
    ]
    subtasks = [prompts.Subtask(task.id, task.task_type or "reasoning") for task in problem.tasks]
    text = prompts.route(candidates, subtasks, _memory_mib(problem))
    return "\n".join([text, *_pools(problem), *_loading(problem), *_voters(problem)])


def schema_of(problem: Problem) -> str:
    """Give the JSON schema of a reply: every part, and only models that there are.

    Without `uniqueItems`: llama.cpp's converter reads over it, as no grammar can hold to it, and
    servers that take schemas strictly refuse it. A model named twice is found in the reply.
    """
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


def _is_free(option: Option) -> bool:
    """Say whether an option works without taking memory: it stays there whatever the plan says."""
    return option.pinned or not (option.may_leave or option.pools)


def _members(problem: Problem) -> dict[str, frozenset[int]]:
    """Give the options whose bytes each pool counts."""
    return {
        pool.name: frozenset(
            i
            for i, option in enumerate(problem.options)
            if pool.name in option.pools and not _is_free(option)
        )
        for pool in problem.pools
    }


def _taken_mib(option: Option) -> int:
    """Give what an option takes from memory if it works; 1 is the least that is told."""
    return 1 if _is_free(option) else max(1, math.ceil(option.memory_bytes / MIB))


def _memory_mib(problem: Problem) -> int:
    """Give the most that all models may take together; where no pool is, that is all they take."""
    members = _members(problem)
    widest = dict[frozenset[int], int]()
    for pool in problem.pools:
        own = members[pool.name]
        if own and not any(own < other for other in members.values()):
            widest[own] = min(pool.budget_bytes // MIB, widest.get(own, pool.budget_bytes))
    free = set(range(len(problem.options))).difference(*members.values())
    unlimited = [problem.options[i] for i in free if not (widest and _is_free(problem.options[i]))]
    return sum(widest.values()) + sum(map(_taken_mib, unlimited))


def _pools(problem: Problem) -> Iterator[str]:
    """Tell of each pool and whose memory it is, unless there is one for all, or none."""
    everyone = {i for i, option in enumerate(problem.options) if not _is_free(option)}
    members = _members(problem)
    told = [pool for pool in problem.pools if members[pool.name]]
    if len(told) == 1 and members[told[0].name] == everyone:
        return
    names = names_of(problem)
    for pool in told:
        whose = ", ".join(names[i] for i in sorted(members[pool.name]))
        yield f"Memory of {pool.name}: {pool.budget_bytes // MIB} MiB for {whose}"


def _loading(problem: Problem) -> Iterator[str]:
    """Tell what loading takes off the sum of reliabilities, where anything would be loaded."""
    names = names_of(problem)
    costs = [
        f"{names[i]} {problem.opening[i]:.2f}"
        for i, option in enumerate(problem.options)
        if not option.resident
    ]
    if costs:
        yield f"Loading costs: {', '.join(costs)}"


def _voters(problem: Problem) -> Iterator[str]:
    most = max(task.voters for task in problem.tasks)
    if most > 1:
        yield f"Give {most} different models for each subtask: {{subtask id: [model names]}}."
