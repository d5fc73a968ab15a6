"""Work that takes too long ends the engine; other work does not."""

from __future__ import annotations

import threading
import time

from services.node.engine.guard import Guard


def compute(seconds: float) -> None:
    """Use processor time."""
    end = time.thread_time() + seconds
    while time.thread_time() < end:
        pass


def test_work_over_the_limit_ends_its_request() -> None:
    ended: list[int] = []
    told = threading.Event()

    def end(request_id: int) -> None:
        ended.append(request_id)
        told.set()

    guard = Guard(end, limit_seconds=0.05)
    with guard.watching(7):
        while not told.is_set():
            compute(0.01)
    assert ended == [7]


def test_waiting_and_many_short_works_end_nobody() -> None:
    ended: list[int] = []
    guard = Guard(ended.append, limit_seconds=0.1)
    for request_id in range(20):
        with guard.watching(request_id):
            compute(0.02)
    with guard.watching(99):  # wall time passes, processor time does not
        threading.Event().wait(0.4)
    assert ended == []
