"""`quorate ask`."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from rich.live import Live

from quorate.cli import ask_json, ask_live, terminal
from quorate.cli.ask_lines import LinePrinter, summary
from quorate.cli.ask_view import QuestionView
from quorate.cli.exits import Exit, code_of, tell
from quorate.client import Answer, AsyncClient, BallotToken
from quorate.errors import DeadlineExceeded, QuorateError

if TYPE_CHECKING:
    from rich.console import Console

    from quorate.client import Options

FRAMES_PER_SECOND = 12


def ask(
    home: Path,
    questions: Sequence[str],
    options: Options,
    *,
    timeout_seconds: float,
    as_json: bool = False,
    tokens: bool = True,
) -> Exit:
    """Ask the questions one after another and print each answer.

    A question that fails does not keep the next from being asked; the worst outcome is the exit
    code. Raises NoMesh.
    """

    async def run() -> Exit:
        worst = Exit.OK
        async with AsyncClient.from_mesh(home, timeout_seconds) as client:
            for question in questions:
                try:
                    await _one(client, question, options, as_json=as_json, tokens=tokens)
                except QuorateError as error:
                    tell(_explained(error, timeout_seconds), as_json=as_json)
                    worst = max(worst, code_of(error))
        return worst

    return asyncio.run(run())


def _explained(error: QuorateError, timeout_seconds: float) -> QuorateError:
    """Say what the caller can do about a deadline, which gRPC does not know."""
    if not isinstance(error, DeadlineExceeded):
        return error
    return DeadlineExceeded(
        f"there was no answer within {timeout_seconds:g} s. Allow more with --timeout"
    )


async def _one(
    client: AsyncClient, question: str, options: Options, *, as_json: bool, tokens: bool
) -> None:
    if as_json:
        terminal.print_json(ask_json.answer(await client.ask(question, **options)))
        return
    await shown(client, question, options, terminal.console(), tokens=tokens)


async def shown(
    client: AsyncClient,
    question: str,
    options: Options,
    console: Console,
    *,
    tokens: bool = True,
    timeline: bool = False,
) -> Answer:
    """Ask one question, showing on the console how it is answered.

    `timeline` shows on a terminal, too, what happened when: pocket models answer faster than a live
    table can be read. Raises the errors of `AsyncClient.stream`; a failed part is not one of them.
    """
    view = QuestionView(question)
    console.print(f"\n» {question}", markup=False, style="bold", soft_wrap=True)
    if console.is_terminal and not timeline:
        await _live(client, view, options, console, tokens=tokens)
    else:
        began = time.monotonic()
        clock = (lambda: time.monotonic() - began) if timeline else None
        printer = LinePrinter(console, view, clock)
        async for event in client.stream(question, omit_tokens=not tokens, **options):
            view.fold(event)
            printer.say(event)
    if view.answer is None:
        raise RuntimeError("the stream ended without an answer, which the contract excludes")
    if console.is_terminal or timeline:
        console.print(ask_live.draw(view, console.width))
    console.print(summary(view.answer), soft_wrap=True)
    return view.answer


async def _live(
    client: AsyncClient,
    view: QuestionView,
    options: Options,
    console: Console,
    *,
    tokens: bool,
) -> None:
    # Drawn here and not in rich's own thread: the view is only ever touched by this loop.
    loop = asyncio.get_running_loop()
    due = 0.0
    with Live(console=console, auto_refresh=False, transient=True) as live:
        async for event in client.stream(view.question, omit_tokens=not tokens, **options):
            view.fold(event)
            # Tokens come in floods; what else happens may be the last news for a while, as a load.
            if loop.time() >= due or not isinstance(event, BallotToken):
                live.update(ask_live.draw(view, console.width), refresh=True)
                due = loop.time() + 1 / FRAMES_PER_SECOND
