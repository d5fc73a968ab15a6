"""Kemeny's rule: the order of all answers that contradicts the ballots least. Exact. Pure.

An order's cost is the number of ballots and pairs that it contradicts. Wherever some answers each
beat all others by majority, they stand above them in every best order (extended Condorcet
criterion, Truchon 1998), so only answers that beat one another in circles need a solver: an integer
program over pairs, with the 3-cycles that a solution runs into cut off one after the other.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

import numpy as np

from quorate.errors import InternalError, InvalidRequest
from quorate.voting.rules.rankings import contest_of, count_of, support

if TYPE_CHECKING:
    from quorate.voting.election import Count, Election

MOST_CIRCULAR = 30
"""So many answers that beat one another in circles are ordered exactly in about a second."""

Wins: TypeAlias = Sequence[Sequence[int]]
"""How many ballots put the row's candidate above the column's."""
Cycle: TypeAlias = tuple[int, int, int]


class Best(NamedTuple):
    """A best order of the candidates, the first being best, and what it contradicts."""

    order: tuple[int, ...]
    cost: int


def kemeny(election: Election) -> Count:
    """Order the answers so that the ballots are contradicted least; the first wins.

    Answers that are first in some best order tie. Other scores follow the order found.
    """
    contest = contest_of(election)
    wins = contest.preferred()
    best = best_order(wins)
    last = float(len(best.order))
    scores = {contest.candidates[place]: last - rank for rank, place in enumerate(best.order)}
    for place in winners(wins, best):
        scores[contest.candidates[place]] = last
    return count_of(election, contest, scores, support(contest))


def best_order(wins: Wins, among: Sequence[int] | None = None) -> Best:
    """Give an order of least cost, of all candidates or of some.

    Raises InvalidRequest beyond 30 answers in a circle.
    """
    members = range(len(wins)) if among is None else among
    order = [one for layer in layers(wins, members) for one in _solved(wins, layer)]
    return Best(tuple(order), cost_of(wins, order))


def winners(wins: Wins, best: Best) -> list[int]:
    """Give every candidate that is first in some best order; `best` is one of them."""
    top = next(iter(layers(wins, range(len(wins)))))
    inside = [one for one in best.order if one in top]
    floor, least = _least_possible(wins, inside), cost_of(wins, inside)
    found = inside[:1]
    for first in inside[1:]:
        rest = [one for one in inside if one != first]
        lost = sum(wins[one][first] for one in rest)
        bound = floor + lost - sum(min(wins[one][first], wins[first][one]) for one in rest)
        # Where the bound holds for all, what is left of a best order is a best order of the rest.
        if bound == least == floor or (
            bound <= least and lost + best_order(wins, rest).cost <= least
        ):
            found.append(first)
    return found


def cost_of(wins: Wins, order: Sequence[int]) -> int:
    """Count how many preferences between two candidates an order contradicts."""
    return sum(wins[below][above] for above, below in combinations(order, 2))


def layers(wins: Wins, members: Sequence[int]) -> list[list[int]]:
    """Split candidates into groups, each of which beats all later ones, candidate by candidate.

    Sorted by how many a candidate beats or draws with, a layer ends where everybody in it beats
    everybody after it.
    """
    beats = {
        one: sum(
            2 * (wins[one][o] > wins[o][one]) + (wins[one][o] == wins[o][one]) for o in members
        )
        for one in members
    }
    order = sorted(members, key=lambda one: -beats[one])
    split: list[list[int]] = []
    layer: list[int] = []
    won = 0
    for count, one in enumerate(order, start=1):
        layer.append(one)
        won += beats[one]
        # All pairs inside give 2 points each, a candidate against itself 1, every win outside 2.
        if won == count * count + 2 * count * (len(order) - count):
            split.append(layer)
            layer = []
    return split


def _solved(wins: Wins, layer: Sequence[int]) -> list[int]:
    """Order one layer."""
    guess = sorted(layer, key=lambda one: -sum(wins[one][o] - wins[o][one] for o in layer))
    if cost_of(wins, guess) == _least_possible(wins, layer):
        return guess
    if len(layer) > MOST_CIRCULAR:
        raise InvalidRequest.field(
            "kemeny", len(layer),
            f"it orders at most {MOST_CIRCULAR} answers that beat one another in circles",
            "Take copeland or borda.",
        )  # fmt: skip
    return _by_program(wins, layer)


def _least_possible(wins: Wins, layer: Sequence[int]) -> int:
    """Bound the cost from below: the lesser side of each pair."""
    return sum(min(wins[one][o], wins[o][one]) for one, o in combinations(layer, 2))


def _by_program(wins: Wins, layer: Sequence[int]) -> list[int]:
    """Solve min Σ cost over orders as an integer program; x of a pair is 1 in the pair's order."""
    pairs = list(combinations(range(len(layer)), 2))
    column = {pair: number for number, pair in enumerate(pairs)}
    costs = np.array(
        [wins[layer[b]][layer[a]] - wins[layer[a]][layer[b]] for a, b in pairs], dtype=np.float64
    )
    cycles: list[Cycle] = []
    while True:
        above = _above(costs, cycles, column, len(layer))
        broken = [cycle for cycle in combinations(range(len(layer)), 3) if _circular(above, cycle)]
        if not broken:
            order = np.argsort(-above.sum(axis=1), kind="stable")
            return [layer[place] for place in order]
        cycles += broken


def _above(
    costs: np.ndarray[tuple[int], np.dtype[np.float64]],
    cycles: Sequence[Cycle],
    column: dict[tuple[int, int], int],
    size: int,
) -> np.ndarray[tuple[int, int], np.dtype[np.bool_]]:
    """Solve with the cycles so far forbidden: for a < b < c, 0 ≤ x_ab + x_bc − x_ac ≤ 1."""
    # Loading the solver takes longer than most programs that import this module run.
    from scipy.optimize import LinearConstraint, milp
    from scipy.sparse import csr_array

    constraints = []
    if cycles:
        rows = [(column[a, b], column[b, c], column[a, c]) for a, b, c in cycles]
        matrix = csr_array(
            (
                np.tile([1.0, 1.0, -1.0], len(rows)),
                (np.repeat(np.arange(len(rows)), 3), np.array(rows).ravel()),
            ),
            shape=(len(rows), len(costs)),
        )
        constraints.append(LinearConstraint(matrix, 0.0, 1.0))
    solved = milp(
        costs, integrality=np.ones(len(costs)), bounds=(0, 1), constraints=constraints,
        options={"mip_rel_gap": 0.0},
    )  # fmt: skip
    if not solved.success:
        raise InternalError(f"the solver gave up on a Kemeny order: {solved.message}")
    above = np.zeros((size, size), dtype=np.bool_)
    for (a, b), chosen in zip(column, solved.x > 0.5, strict=True):
        above[(a, b) if chosen else (b, a)] = True
    return above


def _circular(above: np.ndarray[tuple[int, int], np.dtype[np.bool_]], cycle: Cycle) -> bool:
    a, b, c = cycle
    return bool(above[a, b] == above[b, c] == above[c, a])
