"""Proves that two expressions are equal, in a process of its own that is killed when it hangs."""

from __future__ import annotations

import atexit
import contextlib
import json
import math
import os
import selectors
import subprocess
import sys
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Iterator, Sequence
from contextvars import ContextVar
from pathlib import Path

START_SECONDS = 10.0
PROOF_SECONDS = 2.0
"""A call of `prove` waits no longer than for both."""
MOST_REMEMBERED = 4096
LONGEST = 400
MOST_REPLY_BYTES = 256

COMMAND = (sys.executable, "-P", str(Path(__file__).with_name("prover_worker.py")))


class Prover:
    """One worker process, started by the first question and used again; safe from any thread.

    A proof that takes longer than `proof_seconds` has its worker killed; the next question starts
    another. `clock` gives seconds.
    """

    def __init__(
        self,
        command: Sequence[str] = COMMAND,
        start_seconds: float = START_SECONDS,
        proof_seconds: float = PROOF_SECONDS,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._command = tuple(command)
        self._start_seconds = start_seconds
        self._proof_seconds = proof_seconds
        self._clock = clock
        self._worker: subprocess.Popen[bytes] | None = None
        self._turn = threading.Lock()

    @property
    def process_id(self) -> int | None:
        """The worker's process id; None when none runs."""
        return self._worker.pid if self._worker else None

    def same(self, one: str, other: str, seconds: float = math.inf) -> bool | None:
        """Say whether two expressions are equal; None when that was not decided in time.

        It waits for another thread's proof, for a start and for its own, `seconds` in all at most.
        """
        until = self._clock() + seconds
        if not self._turn.acquire(timeout=min(seconds, self._start_seconds + self._proof_seconds)):
            return None
        try:
            try:
                worker = self._worker or self._start(until)
                question = json.dumps([one, other]).encode() + b"\n"
                left = min(self._proof_seconds, until - self._clock())
                reply = self._exchange(worker, question, left)
                decided = json.loads(reply)
            except (OSError, ValueError):  # also TimeoutError and a reply cut short
                self._kill()
                return None
            return decided if isinstance(decided, bool) else None
        finally:
            self._turn.release()

    def close(self) -> None:
        """End the worker, if one runs."""
        with self._turn:
            self._kill()

    def _start(self, until: float) -> subprocess.Popen[bytes]:
        self._worker = subprocess.Popen(
            self._command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            bufsize=0,
        )
        left = min(self._start_seconds, until - self._clock())
        self._exchange(self._worker, b"", left)
        return self._worker

    def _exchange(self, worker: subprocess.Popen[bytes], question: bytes, seconds: float) -> bytes:
        """Write a line and wait for one; raises TimeoutError, or OSError when the worker is gone.

        A question is far smaller than a pipe, so that writing never waits.
        """
        if worker.stdin is None or worker.stdout is None:
            raise OSError("the worker has no pipes")
        worker.stdin.write(question)
        until = self._clock() + seconds
        reply = b""
        with selectors.DefaultSelector() as selector:
            selector.register(worker.stdout, selectors.EVENT_READ)
            while not reply.endswith(b"\n"):
                if not selector.select(max(0.0, until - self._clock())):
                    raise TimeoutError("the worker did not answer in time")
                piece = os.read(worker.stdout.fileno(), MOST_REPLY_BYTES)
                if not piece or len(reply) > MOST_REPLY_BYTES:
                    raise OSError("the worker ended")
                reply += piece
        return reply

    def _kill(self) -> None:
        worker, self._worker = self._worker, None
        if worker is None:
            return
        worker.kill()
        for pipe in (worker.stdin, worker.stdout):
            if pipe is not None:
                with contextlib.suppress(OSError):
                    pipe.close()
        worker.wait()


_PROVER = Prover()
atexit.register(_PROVER.close)
_remembered: OrderedDict[tuple[str, str], bool | None] = OrderedDict()
_remembering = threading.Lock()
_may_wait: ContextVar[bool] = ContextVar("may_wait", default=True)


@contextlib.contextmanager
def waiting(*, allowed: bool) -> Iterator[None]:
    """Allow proofs to be waited for in this block, or have only remembered ones count.

    Whoever must not block, such as an event loop, forbids it and has proofs found in a thread.
    """
    before = _may_wait.set(allowed)
    try:
        yield
    finally:
        _may_wait.reset(before)


class Patience:
    """What is left of the time that several proofs may take together. `clock` gives seconds."""

    def __init__(self, seconds: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._until = clock() + seconds

    @property
    def seconds(self) -> float:
        """What is left."""
        return max(0.0, self._until - self._clock())


def prove(one: str, other: str, patience: Patience | None = None) -> bool | None:
    """Say whether two expressions are equal; None when that could not be decided in time.

    It blocks for what is left of the patience, by default START_SECONDS + PROOF_SECONDS. A verdict
    is remembered; so is a proof that took too long, so that nobody waits for the same hang twice.
    """
    if max(len(one), len(other)) > LONGEST:
        return None
    pair = (min(one, other), max(one, other))
    with _remembering:
        if pair in _remembered:
            _remembered.move_to_end(pair)
            return _remembered[pair]
    if not _may_wait.get():
        return None
    seconds = (patience or Patience(START_SECONDS + PROOF_SECONDS)).seconds
    if seconds <= 0.0:
        return None
    decided = _PROVER.same(*pair, seconds)
    if decided is not None or seconds >= PROOF_SECONDS:
        with _remembering:
            _remembered[pair] = decided
            while len(_remembered) > MOST_REMEMBERED:
                _remembered.popitem(last=False)
    return decided
