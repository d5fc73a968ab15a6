"""Which options are in memory together: the limits as rows of integers, and a plan being packed.

A row is a pool's bytes; with a deadline, the load seconds of a machine, which must end before it;
or the copies of a model, of which no more are of use than may work on a task. Pure.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Final, NamedTuple

from services.coordinator.routing.checker import copies_allowed, load_seconds_of

if TYPE_CHECKING:
    from services.coordinator.routing.problem import Option, Problem

NANOSECONDS: Final = 1_000_000_000


class Row(NamedTuple):
    """One limit: the sum of `weights` of what is in memory is at most `budget`.

    `weights` has one entry per option, 0 where the limit does not concern it. Bytes; nanoseconds of
    loading, rounded down, so that no plan that keeps the deadline is cut off; or copies of a model,
    which alone are no `memory`.
    """

    weights: tuple[int, ...]
    budget: int
    memory: bool = True


def rows_of(problem: Problem) -> tuple[Row, ...]:
    """Give the limits that can be broken at all: what always fits has no row."""
    return (*pool_rows(problem), *_binding(_load_rows(problem)), *(copy_rows(problem) or ()))


def pool_rows(problem: Problem) -> tuple[Row, ...]:
    """Give the limits of the pools alone that can be broken."""
    return tuple(_binding(_pool_rows(problem)))


def limits_copies(problem: Problem) -> bool:
    """Whether the limit on copies of a model keeps anything from anybody."""
    if not problem.copies:
        return False
    most = max(Counter(option.model for option in problem.options).values(), default=0)
    return any(copies_allowed(problem, task.voters) < most for task in problem.tasks)


def copy_rows(problem: Problem) -> tuple[Row, ...] | None:
    """Say for each model how many of its copies can be of use in memory, where that says it all.

    That is so where all tasks have the same limit and all copies of a model are worth the same on
    each: more of them could not work, and any will do. With a deadline more copies share the work.
    None where the limit holds for each task by itself.
    """
    if not limits_copies(problem):
        return ()
    limits = {copies_allowed(problem, task.voters) for task in problem.tasks}
    if len(limits) > 1 or problem.deadline_seconds is not None:
        return None
    made, limit = [], limits.pop()
    for places in _copies(problem).values():
        if len(places) <= limit:
            continue
        if not (problem.utility[places] == problem.utility[places[0]]).all():
            return None
        weights = tuple(int(i in places) for i in range(len(problem.options)))
        made.append(Row(weights, limit, memory=False))
    return tuple(made)


def _copies(problem: Problem) -> dict[str, list[int]]:
    places: dict[str, list[int]] = {}
    for place, option in enumerate(problem.options):
        places.setdefault(option.model, []).append(place)
    return places


def _binding(rows: Iterator[Row]) -> Iterator[Row]:
    return (row for row in rows if sum(row.weights) > row.budget)


def _pool_rows(problem: Problem) -> Iterator[Row]:
    for pool in problem.pools:
        weights = tuple(
            0 if option.pinned or pool.name not in option.pools else int(option.memory_bytes)
            for option in problem.options
        )
        yield Row(weights, int(pool.budget_bytes))


def _load_rows(problem: Problem) -> Iterator[Row]:
    if problem.deadline_seconds is None:
        return
    for machine in dict.fromkeys(option.machine for option in problem.options):
        weights = tuple(
            int(load_seconds_of(option) * NANOSECONDS) if option.machine == machine else 0
            for option in problem.options
        )
        yield Row(weights, int(problem.deadline_seconds * NANOSECONDS) + 1)


class Packing:
    """A set of options that grows within the rows. Owned by one solver's call."""

    def __init__(self, rows: Sequence[Row], members: Iterable[int] = ()) -> None:
        self._rows = rows
        self._left = [row.budget for row in rows]
        self.members: set[int] = set()
        for member in members:
            self.add(member)

    def fits(self, option: int) -> bool:
        """Whether one more option has room."""
        return all(
            row.weights[option] <= left for row, left in zip(self._rows, self._left, strict=True)
        )

    def add(self, option: int) -> None:
        """Take an option in, whether it fits or not."""
        self.members.add(option)
        self._left = [
            left - row.weights[option] for row, left in zip(self._rows, self._left, strict=True)
        ]

    def filled(self, order: Iterable[int]) -> Packing:
        """Give a copy that has taken whatever fits, in this order."""
        copy = Packing(self._rows, self.members)
        for option in order:
            if option not in copy.members and copy.fits(option):
                copy.add(option)
        return copy

    def reaches(self, count: int, order: Sequence[int]) -> bool:
        """Whether `count` options fit when the others follow in this order, smallest first."""
        return len(self.members) >= count or len(self.filled(order).members) >= count


def smallest_first(options: Sequence[Option]) -> tuple[int, ...]:
    """Order options by the memory that a plan pays for them.

    Where pools are nested (a node's within its machine's), taking them in this order fits as many
    as can fit: an option that is left out could only replace a larger one of the same pool.
    """
    paid = [0 if option.pinned else int(option.memory_bytes) for option in options]
    return tuple(sorted(range(len(options)), key=lambda i: (paid[i], load_seconds_of(options[i]))))
