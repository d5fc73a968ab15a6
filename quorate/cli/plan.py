"""`quorate plan`: asks for plans, prints and draws them. Nothing is run."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from quorate.cli import ask_json, plan_files, plan_tables, terminal
from quorate.cli.exits import Exit, code_of, tell
from quorate.client import AsyncClient
from quorate.errors import DeadlineExceeded, QuorateError

if TYPE_CHECKING:
    from quorate.client import Options, Plan

DRY_RUN = "dry run: a plan is never run, so --dry-run changes nothing"
NO_FRONTIER = "this coordinator gave no plans to compare with; it may be older than --pareto"


@dataclass(frozen=True)
class Wanted:
    """What is wanted besides the plans themselves; `picture` is the file that a plan is drawn into.

    Several questions have their pictures in files that are numbered from 1.
    """

    timeout_seconds: float
    pareto: bool = False
    picture: Path | None = None
    dry_run: bool = False


def plan(
    home: Path, questions: Sequence[str], options: Options, wanted: Wanted, *, as_json: bool = False
) -> Exit:
    """Plan the questions one after another and print each plan.

    A question that fails does not keep the next from being planned; the worst outcome is the exit
    code. Raises InvalidRequest, before anything is sent, for a picture that cannot be written, and
    NoMesh.
    """
    pictures = plan_files.pictures(wanted.picture, len(questions), frontier=wanted.pareto)
    if wanted.dry_run:
        sys.stderr.write(f"quorate: {DRY_RUN}\n")

    async def run() -> Exit:
        worst = Exit.OK
        async with AsyncClient.from_mesh(home, wanted.timeout_seconds) as client:
            for question, picture in zip(questions, pictures, strict=True):
                try:
                    made = await client.plan(question, pareto=wanted.pareto, **options)
                    _show(question, made, picture, as_json=as_json)
                except QuorateError as error:
                    tell(_explained(error, wanted.timeout_seconds), as_json=as_json)
                    worst = max(worst, code_of(error))
                else:
                    if wanted.pareto and not made.frontier:
                        sys.stderr.write(f"quorate: {NO_FRONTIER}\n")
        return worst

    return asyncio.run(run())


def _explained(error: QuorateError, timeout_seconds: float) -> QuorateError:
    """Say what the caller can do about a deadline, which gRPC does not know."""
    if not isinstance(error, DeadlineExceeded):
        return error
    return DeadlineExceeded(
        f"there was no plan within {timeout_seconds:g} s. Allow more with --timeout"
    )


def _show(question: str, made: Plan, picture: plan_files.Picture, *, as_json: bool) -> None:
    if as_json:
        terminal.print_json(ask_json.plan(made))
    else:
        console = terminal.console()
        console.print(f"\n» {question}", markup=False, style="bold", soft_wrap=True)
        console.print(plan_tables.draw(made, console.width))
    for file, lost in plan_files.write(picture, question, made):
        if lost:
            sys.stderr.write(
                f"quorate: {file} shows boxes in the place of {lost}: no font here has them\n"
            )
        if not as_json:
            sys.stdout.write(f"drawn into {file}\n")
