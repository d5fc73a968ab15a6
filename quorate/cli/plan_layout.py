"""Places for the parts of a plan: layers from left to right, what is needed before what needs it.

Lines that pass a layer get a place in it, so that they go between its boxes and not through them
(Sugiyama, Tagawa and Toda, "Methods for Visual Understanding of Hierarchical System Structures",
1981): longest paths make the layers, sweeps over the barycentres their orders, and isotonic
regression (pool adjacent violators) the heights. Pure.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from quorate.errors import InternalError

SWEEPS = 24
LINE_HEIGHT = 0.18
"""Room of a line that passes a layer, in the unit of the heights."""

Graph = Mapping[str, Sequence[str]]
"""What each part needs, by its id; parents that are not parts themselves are left out."""


class Place(NamedTuple):
    """Where the middle of a box is: its column from 0, and its height, which grows upwards."""

    column: int
    middle: float


class Layout(NamedTuple):
    """Places of the parts, and for each line from a parent to a child the places that it passes."""

    places: dict[str, Place]
    lines: dict[tuple[str, str], list[Place]]
    columns: int


def lay_out(parents: Graph, heights: Mapping[str, float], gap: float) -> Layout:
    """Place boxes of the given heights at least `gap` apart; raises InternalError for a cycle.

    Parts that need nothing and that nothing needs fill a grid, where all are like that.
    """
    needs = {part: [one for one in given if one in parents] for part, given in parents.items()}
    if len(needs) > 1 and not any(needs.values()):
        return _grid(list(needs), heights, gap)
    layer = _layers(needs)
    lines, joints, links = _lines(needs, layer)
    members = layer | joints
    rooms = {one: heights.get(one, LINE_HEIGHT) for one in members}
    order = _ordered(members, links)
    middles = _middles(order, links, rooms, gap)
    place = {one: Place(members[one], middles[one]) for one in members}
    return Layout(
        {part: place[part] for part in needs},
        {ends: [place[one] for one in passed] for ends, passed in lines.items()},
        len(order),
    )


def _grid(parts: Sequence[str], heights: Mapping[str, float], gap: float) -> Layout:
    rows = max(1, math.ceil(math.sqrt(len(parts) * 2)))
    columns = [parts[first : first + rows] for first in range(0, len(parts), rows)]
    places = {}
    for number, column in enumerate(columns):
        top = 0.0
        for part in column:
            places[part] = Place(number, top - heights[part] / 2)
            top -= heights[part] + gap
    return Layout(places, {}, len(columns))


def _layers(needs: Graph) -> dict[str, int]:
    """Give each part the length of the longest path that leads to it."""
    layer: dict[str, int] = {}
    while len(layer) < len(needs):
        ready = [
            part
            for part, given in needs.items()
            if part not in layer and all(one in layer for one in given)
        ]
        if not ready:
            raise InternalError("the parts of the plan need each other in a circle")
        layer |= {part: 1 + max((layer[one] for one in needs[part]), default=-1) for part in ready}
    return layer


def _lines(
    needs: Graph, layer: Mapping[str, int]
) -> tuple[dict[tuple[str, str], list[str]], dict[str, int], list[tuple[str, str]]]:
    """Give each line's joints, the layers of the joints, and the links between neighbours."""
    lines: dict[tuple[str, str], list[str]] = {}
    joints: dict[str, int] = {}
    links: list[tuple[str, str]] = []
    for child, given in needs.items():
        for parent in given:
            passed = range(layer[parent] + 1, layer[child])
            named = [f"{parent}\0{child}\0{number}" for number in passed]
            joints |= dict(zip(named, passed, strict=True))
            lines[parent, child] = named
            links += zip([parent, *named], [*named, child], strict=True)
    return lines, joints, links


def _neighbours(links: Sequence[tuple[str, str]]) -> tuple[Graph, Graph]:
    before: dict[str, list[str]] = {}
    after: dict[str, list[str]] = {}
    for left, right in links:
        before.setdefault(right, []).append(left)
        after.setdefault(left, []).append(right)
    return before, after


def _ordered(members: Mapping[str, int], links: Sequence[tuple[str, str]]) -> list[list[str]]:
    """Order every layer by the means of its neighbours' places, there and back again."""
    order: list[list[str]] = [[] for _ in range(max(members.values(), default=-1) + 1)]
    for member, layer in members.items():
        order[layer].append(member)
    before, after = _neighbours(links)
    for sweep in range(SWEEPS):
        forward = sweep % 2 == 0
        for number in range(len(order)) if forward else reversed(range(len(order))):
            rank = {one: place for layer in order for place, one in enumerate(layer)}
            means = _means(order[number], before if forward else after, rank)
            order[number].sort(key=means.__getitem__)
    return order


def _means(layer: Sequence[str], near: Graph, at: Mapping[str, float]) -> dict[str, float]:
    """Give the mean of where the neighbours of each member are; without any, where it is itself."""
    around = {one: near.get(one) or (one,) for one in layer}
    return {one: sum(at[other] for other in others) / len(others) for one, others in around.items()}


def _middles(
    order: Sequence[Sequence[str]],
    links: Sequence[tuple[str, str]],
    rooms: Mapping[str, float],
    gap: float,
) -> dict[str, float]:
    """Draw every member to the mean height of its neighbours, as far as its layer has room."""
    before, after = _neighbours(links)
    middles: dict[str, float] = {}
    for layer in order:
        middles |= _apart(layer, dict.fromkeys(layer, 0.0), rooms, gap)
    both = {one: [*before.get(one, ()), *after.get(one, ())] for layer in order for one in layer}
    for sweep in range(SWEEPS):
        for layer in order if sweep % 2 else reversed(order):
            middles |= _apart(layer, _means(layer, both, middles), rooms, gap)
    return middles


def _apart(
    layer: Sequence[str], wished: Mapping[str, float], rooms: Mapping[str, float], gap: float
) -> dict[str, float]:
    """Give the middles nearest to the wished ones, from the top down, that keep boxes apart."""
    offsets, below = [], 0.0
    for one in layer:
        offsets.append(below + rooms[one] / 2)
        below += rooms[one] + gap
    # Without their offsets the middles must fall: pools of those that do not are levelled.
    pools: list[tuple[float, int]] = []
    for one, offset in zip(layer, offsets, strict=True):
        level, count = wished[one] + offset, 1
        while pools and pools[-1][0] < level:
            other, others = pools.pop()
            level = (level * count + other * others) / (count + others)
            count += others
        pools.append((level, count))
    levels = [level for level, count in pools for _ in range(count)]
    return {one: level - offset for one, level, offset in zip(layer, levels, offsets, strict=True)}
