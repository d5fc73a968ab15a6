"""What stands below the picture of a plan: its signs, how it was found, what is loaded."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from quorate.cli.plan_canvas import BLACK, GREY, VERMILION, line_height, wrapped
from quorate.cli.plan_tables import solver
from quorate.cli.terminal import duration, size

if TYPE_CHECKING:
    from collections.abc import Iterator

    from quorate.client.plans import Plan, Residency, Routing

LEAST_WIDTH: Final = 6.0
"""Inches: what is written below a single box must have room."""
SMALL: Final = 8.0
SIGNS: Final = (
    "→ its answer goes to · P: estimated probability of a right answer · • model in memory"
)
LOADED: Final = "↓ model that is loaded first (dashed box)"


class Note(NamedTuple):
    """A line of text across the sheet."""

    text: str
    points: float = SMALL
    colour: str = BLACK
    bold: bool = False

    @property
    def height(self) -> float:
        """Give its height in inches."""
        return line_height(self.points)


def notes(plan: Plan, width: float) -> list[Note]:
    """Give the lines below a plan, each at most `width` inches wide."""
    signs = SIGNS
    if any(one.load_first for one in plan.assignments):
        signs += f" · {LOADED}"
    said = [Note(signs, colour=GREY), *(_found(plan.routing) if plan.routing else ())]
    return [note._replace(text=line) for note in said for line in wrapped(note.text, SMALL, width)]


def _found(routing: Routing) -> Iterator[Note]:
    gap = "" if routing.gap is None else f", gap {routing.gap:.2g}"
    yield Note(f"{solver(routing)}: {routing.status}, objective {routing.objective:.4g}{gap}")
    for move in routing.residency:
        yield Note(_moved(move), colour=VERMILION)
    used = (
        f"{use.pool} {size(use.used_bytes)} of {size(use.budget_bytes)}" for use in routing.memory
    )
    if routing.memory:
        yield Note(f"memory after the plan: {', '.join(used)}")
    for violation in routing.violations:
        yield Note(f"breaks a limit: {violation}", colour=VERMILION, bold=True)


def _moved(move: Residency) -> str:
    facts = [
        size(move.memory_bytes) if move.memory_bytes else "",
        duration(move.seconds) if move.seconds else "",
        "ahead, for a later layer" if move.ahead else "",
    ]
    said = ", ".join(filter(None, facts))
    return f"{move.kind} {move.node}/{move.model}{f': {said}' if said else ''}"
