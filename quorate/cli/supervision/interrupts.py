"""Ctrl-C, SIGTERM and a closed terminal: the first ends the mesh in order, the second at once."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


@contextmanager
def handled(at_second: Callable[[], None]) -> Iterator[None]:
    """Cancel the current task at the first signal of the block, and do more at each later one."""
    task = asyncio.current_task()
    loop = asyncio.get_running_loop()
    seen = 0

    def arrived() -> None:
        nonlocal seen
        seen += 1
        if seen > 1:
            at_second()
        elif task is not None:
            task.cancel()

    for number in SIGNALS:
        loop.add_signal_handler(number, arrived)
    try:
        yield
    finally:
        for number in SIGNALS:
            loop.remove_signal_handler(number)
