"""The engine's loop: commands in, one decode step, events out; it sleeps while nothing is to do."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Protocol

from services.node.engine.collector import set_apart
from services.node.engine.messages import Load

if TYPE_CHECKING:
    from services.node.engine.engine import Engine
    from services.node.engine.link import Link


class Threads(Protocol):
    """How many threads the next step may use."""

    def threads(self, now_seconds: float) -> int:
        """Give the threads for the next step; the engine counts as busy from here on."""

    def rest(self) -> None:
        """Say that the engine is idle."""


def serve(link: Link, engine: Engine, cores: Threads, clock: Callable[[], float]) -> None:
    """Serve until the node is gone, which raises NodeGone."""
    set_apart()
    while True:
        if engine.idle:
            cores.rest()
        for command in link.receive(wait=engine.idle):
            if isinstance(command, Load):
                continue  # it was the first message, and is refused a second time by silence
            answer = engine.handle(command)
            if answer is not None:
                link.send(answer)
        if not engine.idle:
            for event in engine.step(cores.threads(clock())):
                link.send(event)
