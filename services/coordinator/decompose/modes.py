"""Who splits a question: rules, a model, both, or nobody. Pure but for the model that is asked."""

from __future__ import annotations

from dataclasses import replace

from quorate.errors import NotReady
from services.coordinator.decompose.by_model import Ask, by_model
from services.coordinator.decompose.rules import decompose
from services.coordinator.decompose.splits import Split, whole
from services.coordinator.question import Mode


async def split(question: str, mode: Mode, ask: Ask | None) -> Split:
    """Split a question; `ask` reaches a model, None: there is none to ask.

    Raises NotReady when the mode is MODEL and there is none.
    """
    if mode is Mode.NONE:
        return whole(question, "as asked")
    if mode is Mode.MODEL:
        if ask is None:
            raise NotReady(
                "decompose is 'model', but no model that could split the question is in memory. "
                "Load one, or choose 'auto' or 'rules'.",
                metadata={"field": "decompose", "value": "model"},
            )
        return await by_model(question, ask)
    made = decompose(question)
    if mode is Mode.RULES or not made.doubtful:
        return made
    return await _doubted(question, made, ask)


async def _doubted(question: str, made: Split, ask: Ask | None) -> Split:
    """Ask a model about a question that rules left whole although it has several requests."""
    if ask is None:
        return replace(made, reason=f"{made.reason}; there is no model to ask about it")
    proposed = await by_model(question, ask)
    if len(proposed.parts) > 1:
        return proposed
    return replace(made, reason=f"{made.reason}; asking a model: {proposed.reason}")
