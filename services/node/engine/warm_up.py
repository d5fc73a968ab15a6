"""Computes something once after a load, so that the first request finds everything in memory."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from services.node.engine.plan import Clear, Piece, SampleKey

if TYPE_CHECKING:
    from services.node.engine.context import Context

WARM_UP_PRODUCTS: Final = 4 * 10**9
"""Products of a token and a weight that are spent on it: about a tenth of a second."""


def warm_up(context: Context, weights: int, most_tokens: int) -> None:
    """Compute as many tokens as are cheap, at least one, and forget them again."""
    tokens = min(most_tokens, 1 + WARM_UP_PRODUCTS // max(1, weights))
    context.decode([Piece(slot=0, start=0, tokens=[0] * tokens, draws=(SampleKey(0, 0),))])
    context.edit([Clear(0)])
