"""Ctrl-C, SIGTERM and a closed terminal: the first ends the mesh in order, the second at once."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Interrupts:
    """Signals that have arrived, and what they do."""

    def __init__(self) -> None:
        self.arrived: list[signal.Signals] = []

    @property
    def by_user(self) -> bool:
        """Say whether the first was Ctrl-C."""
        return self.arrived[:1] == [signal.SIGINT]

    @contextmanager
    def handled(self, at_second: Callable[[], None]) -> Iterator[None]:
        """Cancel the current task at the first signal of the block, and do more at later ones."""
        task = asyncio.current_task()
        loop = asyncio.get_running_loop()

        def arrived(number: signal.Signals) -> None:
            self.arrived.append(number)
            if len(self.arrived) > 1:
                at_second()
            elif task is not None:
                task.cancel()

        for number in SIGNALS:
            loop.add_signal_handler(number, arrived, number)
        try:
            yield
        finally:
            for number in SIGNALS:
                loop.remove_signal_handler(number)
