"""`quorate weights specialists`: which model is best at what."""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from rich.table import Table
from rich.text import Text

from quorate.cli import terminal
from quorate.client import Client
from quorate.client.specialists import OPTIONS, QUESTION, specialists_of
from quorate.prompts import TASK_TYPES

if TYPE_CHECKING:
    from quorate.client.specialists import Estimated, Specialist

CALL_SECONDS = 30.0
BEST = "*"
NARROW = 24
"""Columns of a terminal that a name may take; the types of tasks need the rest of 80."""
LEGEND = (
    f"P(right) of each model, {BEST} where no other has more; beneath it the judged answers that it"
    " stands on: 0 is the model's card, or a guess."
)


def show(home: Path, *, as_json: bool) -> None:
    """Print what each model is good at; raises NoMesh, NoNodes and NoPlan."""
    with Client.from_mesh(home, CALL_SECONDS) as client:
        listed = specialists_of(client.plan(QUESTION, **OPTIONS))
    if as_json:
        terminal.print_json({"models": [dataclasses.asdict(one) for one in listed]})
        return
    console = terminal.console()
    console.print(draw(listed))
    console.print(Text(f"\n{LEGEND}", style="dim"))


def draw(listed: Sequence[Specialist]) -> Table:
    """Draw the table: models below each other, as there may be many, types of tasks beside."""
    rows = Table(box=None, padding=(0, 1, 0, 0), header_style="dim")
    rows.add_column("model", overflow="fold", max_width=NARROW)
    for kind in TASK_TYPES:
        rows.add_column(kind, justify="right", no_wrap=True)
    named = Counter(one.model for one in listed)
    for one in listed:
        # Models of one name with different estimates are different files, on different nodes.
        name = one.model if named[one.model] == 1 else f"{', '.join(one.nodes)}/{one.model}"
        rows.add_row(Text(name), *(_cell(one.estimates[kind]) for kind in TASK_TYPES))
    return rows


def _cell(estimated: Estimated) -> Text:
    mark = BEST if estimated.best else ""
    number = f"{mark}{estimated.reliability:.3f}"
    return Text.assemble(
        (number, "bold green" if mark else ""), "\n", (_count(estimated.items), "dim")
    )


def _count(items: float) -> str:
    """Write a number of answers, of which old ones are forgotten slowly: 12, 12.5."""
    return f"{items:.1f}".removesuffix(".0")
