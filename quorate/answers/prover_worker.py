"""The process that math-verify runs in: a line of two expressions in, a line with the verdict out.

It is a process because a proof may take for ever or all memory: its parent kills it, and a thread
can be neither killed nor limited.
"""

from __future__ import annotations

import json
import logging
import resource
import sys

MOST_BYTES = 2 * 1024**3
"""Of address space. The libraries take a quarter of it."""
MOST_PROCESSOR_SECONDS = 600


def main() -> None:
    """Answer lines until the parent closes the pipe or dies."""
    resource.setrlimit(resource.RLIMIT_AS, (MOST_BYTES, MOST_BYTES))
    resource.setrlimit(resource.RLIMIT_CPU, (MOST_PROCESSOR_SECONDS, MOST_PROCESSOR_SECONDS))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    logging.disable()
    proved("x", "x")  # loads everything before the parent's clock runs
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    for line in sys.stdin:
        one, other = json.loads(line)
        sys.stdout.write(f"{json.dumps(proved(one, other))}\n")
        sys.stdout.flush()


def proved(one: str, other: str) -> bool | None:
    """Say whether two expressions are equal both ways around; None when either is no expression.

    math-verify is given no timeout: it would set alarms. The parent measures the time.
    """
    from math_verify import LatexExtractionConfig, parse, verify

    config = [LatexExtractionConfig()]
    first, second = (
        parse(f"${text}$", extraction_config=config, fallback_mode="no_fallback",
              parsing_timeout=None)
        for text in (one, other)
    )  # fmt: skip
    if not first or not second:
        return None
    return bool(
        verify(first, second, timeout_seconds=None) and verify(second, first, timeout_seconds=None)
    )


if __name__ == "__main__":  # pragma: no cover - this is the child process
    main()
