"""Exit codes, and how a failure is told: a message on stderr, or one JSON object, never a trace."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from enum import IntEnum
from typing import Any

import typer

from quorate.errors import AlreadyExists, InvalidRequest, NoMesh, QuorateError


class Exit(IntEnum):
    """What the exit code of every command means."""

    OK = 0
    FAILED = 1
    USAGE = 2
    NO_MESH = 3
    MESH_RUNNING = 4
    INTERRUPTED = 130


MEANINGS = {
    Exit.OK: "it worked",
    Exit.FAILED: "it failed; stderr (or the JSON object) says why and what to do",
    Exit.USAGE: "the command line or a value on it is wrong",
    Exit.NO_MESH: "no mesh is running; `quorate up --detach` starts one",
    Exit.MESH_RUNNING: "a mesh is running already in that home directory",
    Exit.INTERRUPTED: "interrupted by Ctrl-C; nothing is left running",
}

# Most specific first.
CODES: tuple[tuple[type[QuorateError], Exit], ...] = (
    (NoMesh, Exit.NO_MESH),
    (AlreadyExists, Exit.MESH_RUNNING),
    (InvalidRequest, Exit.USAGE),
    (QuorateError, Exit.FAILED),
)


def code_of(error: QuorateError) -> Exit:
    """Give the exit code of an error."""
    return next(code for kind, code in CODES if isinstance(error, kind))


def as_data(error: QuorateError) -> dict[str, Any]:
    """Describe an error as plain data, the only thing that `--json` prints for it."""
    described: dict[str, Any] = {
        "kind": error.kind,
        "message": error.message,
        "retryable": error.retryable,
    }
    if error.retry_after_seconds is not None:
        described["retry_after_seconds"] = error.retry_after_seconds
    if error.metadata:
        described["metadata"] = error.metadata
    return {"error": described}


def tell(error: QuorateError, *, as_json: bool) -> None:
    """Print an error: as JSON on stdout, else as text on stderr."""
    if as_json:
        sys.stdout.write(json.dumps(as_data(error), ensure_ascii=False) + "\n")
        sys.stdout.flush()
        return
    sys.stderr.write(f"quorate: {error.message}\n")
    if error.retryable:
        wait = error.retry_after_seconds
        when = f"in {wait:.1f} s" if wait else "a little later"
        sys.stderr.write(f"quorate: the same may succeed {when}.\n")


@contextmanager
def reported(*, as_json: bool = False) -> Iterator[None]:
    """Tell the failures of the block and leave with their exit code."""
    try:
        yield
    except QuorateError as error:
        tell(error, as_json=as_json)
        raise typer.Exit(code_of(error)) from error
    except OSError as error:
        if isinstance(error, BrokenPipeError):
            raise  # the reader of our output has left; there is nobody to tell
        where = f" ({error.filename})" if error.filename else ""
        sys.stderr.write(f"quorate: {error.strerror or error}{where}\n")
        raise typer.Exit(Exit.FAILED) from error
    except KeyboardInterrupt as stop:
        sys.stderr.write("quorate: interrupted\n")
        raise typer.Exit(Exit.INTERRUPTED) from stop
