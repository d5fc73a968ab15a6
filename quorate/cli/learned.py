"""`quorate weights …`."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import TYPE_CHECKING

from quorate.cli import tables, terminal
from quorate.client import Client

if TYPE_CHECKING:
    from rich.table import Table

    from quorate.client.learned import Learned

CALL_SECONDS = 30.0
SHOWN_DIGITS = 12


def show(home: Path, topic: str | None, *, as_json: bool) -> None:
    """Print what was learned; raises NoMesh."""
    with Client.from_mesh(home, CALL_SECONDS) as client:
        learned = client.learned(topic)
    if as_json:
        terminal.print_json(dataclasses.asdict(learned))
        return
    console = terminal.console()
    if not learned.reliabilities:
        console.print("Nothing was learned yet: give feedback, or ask with a ground truth.")
    else:
        console.print(_reliabilities(learned))
    if learned.calibrations:
        console.print()
        console.print(_calibrations(learned))


def _reliabilities(learned: Learned) -> Table:
    columns = ("model", "file", "topic", "evidence", "right", "wrong", "estimate")
    rows = tables.table(*columns, right=("right", "wrong", "estimate"))
    for row in learned.reliabilities:
        rows.add_row(
            row.model,
            row.sha256[:SHOWN_DIGITS] or "unknown",
            row.topic or "unknown",
            f"{row.evidence} (weak)" if row.evidence == "consensus" else row.evidence,
            f"{row.right:.1f}",
            f"{row.wrong:.1f}",
            f"{row.estimate:.3f}",
        )
    return rows


def _calibrations(learned: Learned) -> Table:
    rows = tables.table("confidence of", "items", "", right=("items",))
    for row in learned.calibrations:
        what = f"answers by {row.strategy}" if row.strategy else row.model
        rows.add_row(what, str(row.items), "calibrated" if row.claims else "too few to claim")
    return rows


def reset(home: Path, model: str) -> None:
    """Forget; raises NoMesh."""
    with Client.from_mesh(home, CALL_SECONDS, admin=True) as client:
        rows = client.reset_learned(model)
    terminal.console().print(f"{rows} rows are forgotten.")


def export(home: Path, file: Path) -> None:
    """Write what was learned into a file; raises NoMesh, OSError."""
    with Client.from_mesh(home, CALL_SECONDS, admin=True) as client:
        state = client.export_learned()
    file.write_text(state, encoding="utf-8")
    terminal.console().print(f"{file} holds what was learned.", soft_wrap=True)


def import_(home: Path, file: Path) -> None:
    """Read what was learned from a file; raises NoMesh, OSError and InvalidRequest."""
    state = file.read_text(encoding="utf-8", errors="replace")
    with Client.from_mesh(home, CALL_SECONDS, admin=True) as client:
        rows = client.import_learned(state)
    terminal.console().print(f"{rows} rows were read.")
