"""What every model would be worth for every part, as a matrix that fits a terminal.

Models are the columns, under letters that a legend explains: names would not fit beside each other.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from string import ascii_uppercase
from typing import TYPE_CHECKING, NamedTuple

from rich.table import Table
from rich.text import Text

from quorate.cli.tables import table

if TYPE_CHECKING:
    from rich.console import RenderableType

    from quorate.client.plans import Estimate, Plan

MOST_MODELS = 12
CELL_COLUMNS = 6
LABELS = ("P", "cost", "worth")


class Column(NamedTuple):
    """A model: its letter, its name with its node, and what it is for each part by its id."""

    letter: str
    member: str
    estimates: dict[str, Estimate]


def draw(plan: Plan, estimates: Sequence[Estimate], columns: int) -> Iterator[RenderableType]:
    """Draw the matrix, in bands where the terminal is narrow, and the legend of its letters."""
    chosen = {(one.subtask_id, one.member) for one in plan.assignments}
    shown, left_out = models(estimates, {member for _, member in chosen})
    parts = [subtask.id for subtask in plan.subtasks]
    label = max(map(len, parts), default=0) + 1 + max(map(len, LABELS))
    fit = max(1, (columns - label) // CELL_COLUMNS)
    for first in range(0, len(shown), fit):
        yield _band(shown[first : first + fit], parts, chosen, label)
    yield Text("")
    yield _legend(shown)
    if left_out:
        yield Text(
            f"{left_out} more models are left out, the least useful; --json has them all",
            style="dim",
        )


def models(estimates: Sequence[Estimate], chosen: set[str]) -> tuple[list[Column], int]:
    """Give the models to show in the order of the estimates, and how many are left out.

    Where there are too many, all that are chosen stay, and those that are worth most somewhere.
    """
    found: dict[str, dict[str, Estimate]] = {}
    for one in estimates:
        found.setdefault(one.member, {})[one.subtask_id] = one
    worth = {
        member: (member in chosen, max(one.utility for one in given.values()))
        for member, given in found.items()
    }
    most = max(MOST_MODELS, len(chosen & set(found)))
    kept = set(sorted(found, key=lambda member: worth[member], reverse=True)[:most])
    shown = [member for member in found if member in kept]
    columns = [Column(letters(place), member, found[member]) for place, member in enumerate(shown)]
    return columns, len(found) - len(columns)


def letters(place: int) -> str:
    """Give the letters of a column: A for 0, Z for 25, AA for 26."""
    first, last = divmod(place, len(ascii_uppercase))
    return (ascii_uppercase[first - 1] if first else "") + ascii_uppercase[last]


def _band(
    models: Sequence[Column], parts: Sequence[str], chosen: set[tuple[str, str]], label: int
) -> Table:
    rows = Table(box=None, padding=0, pad_edge=False, header_style="dim")
    rows.add_column("", width=label, no_wrap=True)
    for model in models:
        rows.add_column(model.letter, width=CELL_COLUMNS, justify="right", no_wrap=True)
    for part in parts:
        width = label - max(map(len, LABELS))
        for place, name in enumerate(LABELS):
            cells = (_cell(model, part, name, chosen) for model in models)
            rows.add_row(f"{part if place == 0 else '':<{width}}{name}", *cells)
    return rows


def _cell(model: Column, part: str, name: str, chosen: set[tuple[str, str]]) -> Text:
    estimate = model.estimates.get(part)
    if estimate is None:
        return Text("-", style="dim")
    value = {"P": estimate.reliability, "cost": estimate.token_cost, "worth": estimate.utility}
    if name != "worth":
        return Text(number(value[name]), style="dim")
    if (part, model.member) in chosen:
        return Text(f"*{number(estimate.utility)}", style="bold green")
    return Text(number(estimate.utility))


def number(value: float) -> str:
    """Write a number in at most five columns: .91, -1.25, 12.5, -104."""
    digits = 2 if abs(value) < 10 else 1 if abs(value) < 100 else 0
    text = f"{value:.{digits}f}"
    if text.startswith(("0.", "-0.")):
        text = text.replace("0.", ".", 1)
    return ".00" if text == "-.00" else text


def _legend(models: Sequence[Column]) -> Table:
    rows = table("", "model", "in memory", "loading costs", right=("loading costs",))
    for model in models:
        cost = max(one.switch_cost for one in model.estimates.values())
        rows.add_row(
            model.letter, Text(model.member), "no" if cost else "yes", f"{cost:.2f}" if cost else ""
        )
    return rows
