"""Problems as a mesh has them: machines, models of many sizes, specialists, tasks of several types.

A larger model is right more often, costs more per token, takes longer to load and leaves less room;
each is a specialist for some types. Everything is drawn from a seed.
"""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

from services.coordinator.routing.problem import Option, Pool, Problem, Task

if TYPE_CHECKING:
    from numpy.typing import NDArray

MACHINES: Final = 4
TYPES: Final = ("code", "reasoning", "math", "creative", "extraction", "summarize", "facts")
GB: Final = 1_000_000_000
LEAST_FITTING, MOST_FITTING = 0.4, 0.7
"""Which share of a machine's models has room at once."""
MOST_VOTERS: Final = 3
TOKENS: Final = (64, 768)
TOKEN_SCALE: Final = 1_024.0
LOAD_SCALE_SECONDS: Final = 10.0
LOAD_BYTES_PER_SECOND: Final = 1.5 * GB
TOKENS_PER_SECOND_OF_1GB: Final = 80.0
KINDS_PER_TASK: Final = 8
"""With repeated tasks, how many tasks there are for each kind of them."""


LEAST_TIGHT, MOST_TIGHT = 0.25, 0.5
"""Which share of its models a machine with a tight budget holds at once."""


class _Models(NamedTuple):
    bytes_: NDArray[np.int64]
    skill: NDArray[np.float64]  # (models, types), in logits


def draw(models: int, tasks: int, seed: int, repeated: bool = False) -> Problem:
    """Draw a problem with one option per model, spread over the machines.

    Tasks are all different, or, if `repeated`, of `tasks` / 8 kinds with equal columns.
    """
    random = np.random.default_rng(seed)
    drawn = _models(random, models)
    kinds = max(1, tasks // KINDS_PER_TASK) if repeated else tasks
    types = random.integers(0, len(TYPES), kinds)
    tokens = random.integers(*TOKENS, kinds)
    reliability = _reliability(random, drawn, types)
    chosen = random.integers(0, kinds, tasks) if repeated else np.arange(tasks)
    gigabytes = drawn.bytes_ / GB
    cost = np.minimum(1.0, gigabytes / gigabytes.max())[:, None] * tokens[None, :] / TOKEN_SCALE
    seconds = tokens[None, :] * gigabytes[:, None] / TOKENS_PER_SECOND_OF_1GB
    voters = random.integers(1, MOST_VOTERS + 1, kinds)
    pools, options = _placed(random, drawn)
    return Problem(
        tasks=tuple(
            Task(f"t{number}", int(voters[kind]), TYPES[types[kind]], int(tokens[kind]))
            for number, kind in enumerate(chosen)
        ),
        options=options,
        pools=pools,
        reliability=reliability[:, chosen],
        token_cost=cost[:, chosen],
        seconds=seconds[:, chosen],
    )


def tight(seed: int) -> Problem:
    """Draw a small problem on one machine with a tight budget: 4 to 8 models, 1 to 8 tasks."""
    random = np.random.default_rng(seed)
    made = draw(int(random.integers(4, 9)), int(random.integers(1, 9)), seed)
    sizes = [option.memory_bytes for option in made.options]
    share = random.uniform(LEAST_TIGHT, MOST_TIGHT)
    pool = Pool("gpu0", max(min(sizes), int(share * sum(sizes))))
    return replace(
        made,
        tasks=tuple(task._replace(voters=1) for task in made.tasks),
        options=tuple(option._replace(machine="gpu0", pools=("gpu0",)) for option in made.options),
        pools=(pool,),
    )


def _models(random: np.random.Generator, models: int) -> _Models:
    gigabytes = np.exp(random.uniform(math.log(0.4), math.log(16.0), models))
    ability = 0.5 * np.log2(gigabytes) + random.normal(0.0, 0.4, models)
    special = np.where(random.random((models, len(TYPES))) < 1 / 3, random.uniform(0.5, 1.5), 0.0)
    return _Models((gigabytes * GB).astype(np.int64), ability[:, None] + special)


def _reliability(
    random: np.random.Generator, models: _Models, types: NDArray[np.int64]
) -> NDArray[np.float64]:
    difficulty = random.normal(0.3, 1.0, len(types))
    own = random.normal(0.0, 0.3, (len(models.skill), len(types)))
    logits = models.skill[:, types] - difficulty[None, :] + own
    odds: NDArray[np.float64] = 1.0 / (1.0 + np.exp(-logits))
    return odds


def _placed(
    random: np.random.Generator, models: _Models
) -> tuple[tuple[Pool, ...], tuple[Option, ...]]:
    machines = np.arange(len(models.bytes_)) % min(MACHINES, max(1, len(models.bytes_) // 2))
    pools = []
    resident = np.zeros(len(models.bytes_), dtype=bool)
    for machine in range(int(machines.max()) + 1):
        mine = np.flatnonzero(machines == machine)
        share = random.uniform(LEAST_FITTING, MOST_FITTING)
        budget = max(int(models.bytes_[mine].min()), int(share * int(models.bytes_[mine].sum())))
        pools.append(Pool(f"machine{machine}", budget))
        free = budget // 2
        for option in random.permutation(mine):
            if models.bytes_[option] <= free:
                resident[option] = True
                free -= int(models.bytes_[option])
    options = tuple(
        Option(
            node=f"n{machines[i]}",
            model=f"m{i}",
            machine=f"machine{machines[i]}",
            pools=(f"machine{machines[i]}",),
            memory_bytes=int(size),
            resident=bool(resident[i]),
            load_seconds=0.0 if resident[i] else float(size) / LOAD_BYTES_PER_SECOND,
            switch_cost=float(size) / LOAD_BYTES_PER_SECOND / LOAD_SCALE_SECONDS,
        )
        for i, size in enumerate(models.bytes_)
    )
    return tuple(pools), options
