"""Ends an engine that a grammar holds up.

A few bytes of grammar can ask for exponential work, at its first token or at any later one, and
llama.cpp cannot be interrupted there: without an end by force, all requests of the model would
wait for ever. So a thread watches; the request at fault is told, and the node starts a new engine.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import NamedTuple

GRAMMAR_SECONDS = 2.0
"""Processor time that a grammar may take for one token: a hundred times what a large one takes."""
LOOK_SECONDS = 0.1


class _Work(NamedTuple):
    request_id: int
    since_seconds: float


class Guard:
    """Calls `end` with the id of a request whose work takes more than `limit_seconds`.

    Processor time of the thread that made the guard counts, so that a busy machine ends nobody.
    `end` is called by another thread, and does not return.
    """

    def __init__(
        self, end: Callable[[int], object], limit_seconds: float = GRAMMAR_SECONDS
    ) -> None:
        self._end = end
        self._limit_seconds = limit_seconds
        self._clock = time.pthread_getcpuclockid(threading.get_ident())
        self._work: _Work | None = None
        self._begun = threading.Event()
        threading.Thread(target=self._watch, name="grammar-guard", daemon=True).start()

    @contextmanager
    def watching(self, request_id: int) -> Iterator[None]:
        """Watch what happens inside as work for a request."""
        self._work = _Work(request_id, time.clock_gettime(self._clock))
        self._begun.set()
        try:
            yield
        finally:
            self._work = None

    def _watch(self) -> None:
        while True:
            self._begun.wait()
            self._begun.clear()  # before the look: work that begins after it wakes this again
            while (work := self._work) is not None:
                if time.clock_gettime(self._clock) - work.since_seconds > self._limit_seconds:
                    self._end(work.request_id)
                    return
                time.sleep(LOOK_SECONDS)
