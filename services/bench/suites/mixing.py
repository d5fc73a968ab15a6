"""The order in which items of several kinds are asked: models may have to be swapped between."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain
from typing import Literal, TypeVar, get_args

from quorate.errors import InvalidRequest, nearest

Mix = Literal["grouped", "interleave"]
"""One kind after the other, or one item of each in turn."""

MIXES: tuple[str, ...] = get_args(Mix)
_Asked = TypeVar("_Asked")


def arranged(groups: Sequence[Sequence[_Asked]], mix: str) -> Sequence[_Asked]:
    """Put groups into one order; with "interleave", what a longer group has left comes last.

    Raises InvalidRequest for another mix.
    """
    if mix not in MIXES:
        raise InvalidRequest.field("mix", mix, f"one of {', '.join(MIXES)}", nearest(mix, MIXES))
    if mix == "grouped":
        return list(chain.from_iterable(groups))
    longest = max(map(len, groups), default=0)
    return [group[turn] for turn in range(longest) for group in groups if turn < len(group)]
