"""`quorate replay`."""

from __future__ import annotations

import os
import platform
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from quorate.cli import terminal
from quorate.cli.exits import Exit
from quorate.client import Client
from quorate.errors import InvalidRequest
from quorate.records import Record, ReplayedPart, read, replay

CALL_SECONDS = 30.0
PRIVATE = 0o600


def run(home: Path, answer: str, strategy: str, save: Path | None, *, as_json: bool) -> Exit:
    """Decide an answer again; FAILED when its own strategy does not give it again.

    Raises NotFound, NoMesh for a question_id without a mesh, UnknownStrategy, InvalidRequest.
    """
    data = _data(home, answer)
    record = read(data)
    if save is not None:
        _save(save, data)
    parts = replay(record, strategy)
    differing = differences(record)
    own = parts[0].strategy == record.strategy if parts else True
    if as_json:
        terminal.print_json(_plain(record, parts, differing))
    else:
        _print(record, parts, differing, own=own)
    return Exit.OK if not own or all(part.same for part in parts) else Exit.FAILED


def _data(home: Path, answer: str) -> bytes:
    path = Path(answer)
    if path.suffix or os.sep in answer or path.exists():
        if not path.is_file():
            raise InvalidRequest.field(
                "answer", answer, "there is no such file", "Give a question_id, or a record's file."
            )
        return path.read_bytes()
    with Client.from_mesh(home, CALL_SECONDS, admin=True) as client:
        return client.record(answer).encode()


def _save(path: Path, data: bytes) -> None:
    # It holds what was asked: nobody else may read it.
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, PRIVATE), "wb") as file:
        file.write(data)


def differences(record: Record) -> list[str]:
    """Say which versions here differ from those that made the record."""
    found = []
    for name, then in sorted(record.versions.items()):
        now = _version(name)
        if now != then:
            found.append(f"{name} {then} then, {now} now")
    return found


def _version(name: str) -> str:
    if name == "python":
        return platform.python_version()
    try:
        return version(name)
    except PackageNotFoundError:
        return "not installed"


def _plain(record: Record, parts: tuple[ReplayedPart, ...], differing: list[str]) -> object:
    return {
        "question_id": record.question_id,
        "strategy_then": record.strategy,
        "parts": [part._asdict() for part in parts],
        "versions_differ": differing,
    }


def _print(
    record: Record, parts: tuple[ReplayedPart, ...], differing: list[str], *, own: bool
) -> None:
    console = terminal.console()
    for part, recorded in zip(parts, record.parts, strict=True):
        before = recorded.decision
        console.print(
            f"{part.id}  {part.strategy}: {part.answer or part.error}", markup=False, soft_wrap=True
        )
        if part.explanation:
            console.print(f"    {part.explanation}", markup=False, style="dim", soft_wrap=True)
        if own and part.same:
            told = "the same winner, text and explanation"
            last = "; the last word is the record's, no model was asked" if part.spoken else ""
            console.print(f"    {told}{last}", style="green")
        elif own:
            console.print("    differs from the record:", style="bold red")
            console.print(f"    {before.answer or before.error}", markup=False, soft_wrap=True)
        else:
            same = "the same answer" if part.answer == before.answer else "another answer"
            console.print(
                f"    {same} as {record.strategy} gave: {before.answer or before.error}",
                markup=False,
                soft_wrap=True,
            )
    for difference in differing:
        console.print(f"versions differ: {difference}", style="yellow", soft_wrap=True)
