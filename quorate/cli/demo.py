"""`quorate demo`: a mesh, three questions, and the end of it. `make demo` runs it after set-up."""

from __future__ import annotations

import asyncio
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

from quorate.cli import ask, tables, terminal, up
from quorate.cli.exits import Exit
from quorate.cli.supervision.interrupts import Interrupts
from quorate.errors import QuorateError

if TYPE_CHECKING:
    from rich.console import Console

    from quorate.cli.supervision.supervisor import Supervisor
    from quorate.client import Options

QUESTIONS = (
    ("a compound question", "What is 10% of 1000? And what is the capital of France?"),
    ("a facts question", "What is the capital of Japan?\nA) Rome\nB) Tokyo\nC) Madrid\nD) Berlin"),
    ("a code question", "Write a Python function add(a, b) that returns the sum of a and b."),
)
SEED = 7


def run(home: Path | None) -> Exit:
    """Run the demo; fails when a question was not answered."""
    try:
        if home:
            return asyncio.run(_demo(home))
        with tempfile.TemporaryDirectory(prefix="quorate-demo-") as folder:
            return asyncio.run(_demo(Path(folder)))
    except asyncio.CancelledError:
        return Exit.INTERRUPTED


async def _demo(home: Path) -> Exit:
    console = terminal.console()
    began = time.monotonic()
    console.print("Starting a mesh: a coordinator, a synthesizer, three nodes of two models each.")
    async with up.mesh(up.Wanted(home), console, Interrupts()) as supervisor:
        took = terminal.duration(time.monotonic() - began)
        console.print(f"Ready in {took}, everything behind mutual TLS.\n")
        async with supervisor.client() as client:
            console.print(tables.nodes(await client.nodes()))
        failed = await _ask_all(supervisor, console)
        console.print("\nEnding the mesh.")
    console.print("Every process has ended.")
    return Exit.FAILED if failed else Exit.OK


async def _ask_all(supervisor: Supervisor, console: Console) -> int:
    """Ask the questions; gives how many were not answered."""
    failed = 0
    async with supervisor.client() as client:
        for name, question in QUESTIONS:
            console.print(f"\n── {name} ──", style="cyan")
            try:
                options: Options = {"seed": SEED}
                answer = await ask.shown(client, question, options, console, timeline=True)
            except QuorateError as error:
                console.print(f"failed: {error.message}", style="red", markup=False)
                failed += 1
            else:
                failed += any(part.failure for part in answer.parts) or answer.abstained
    return failed
