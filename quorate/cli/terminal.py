"""What the terminal can show: rich where somebody watches, plain lines in a pipe."""

from __future__ import annotations

import json
import sys
from typing import Any

from rich.console import Console

PLAIN_COLUMNS = 100


def console(*, stderr: bool = False) -> Console:
    """Give a console on stdout or stderr; in a pipe it is plain and always equally wide."""
    stream = sys.stderr if stderr else sys.stdout
    if stream.isatty():
        return Console(stderr=stderr, highlight=False)
    return Console(
        stderr=stderr, highlight=False, width=PLAIN_COLUMNS, force_terminal=False, color_system=None
    )


def print_json(data: Any) -> None:
    """Print one JSON value on one line."""
    sys.stdout.write(json.dumps(data, ensure_ascii=False) + "\n")
    sys.stdout.flush()


def size(count: int) -> str:
    """Write a number of bytes for a person: 3.4 MiB."""
    amount = float(count)
    for unit in ("B", "KiB", "MiB", "GiB"):
        if amount < 1024:
            return f"{amount:.0f} {unit}" if unit == "B" else f"{amount:.1f} {unit}"
        amount /= 1024
    return f"{amount:.1f} TiB"


def brief(seconds: float) -> str:
    """Write a duration that may be very short: 0.4 ms, and from 10 ms on as `duration` does."""
    return f"{seconds * 1000:.1f} ms" if seconds < 0.01 else duration(seconds)


def duration(seconds: float) -> str:
    """Write a duration for a person: 85 ms, 1.24 s, 3 min 05 s."""
    if seconds < 1:
        return f"{seconds * 1000:.0f} ms"
    if seconds < 60:
        return f"{seconds:.2f} s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes} min {rest:02d} s"
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes:02d} min"
