"""Who has been promised how much memory of a machine, across all its node processes.

Every engine's promise is one locked byte of a file that all nodes of the machine know, with the
amounts beside it. The kernel drops the lock of a process that dies, and the promise with it.
"""

from __future__ import annotations

import os
import struct
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from quorate.errors import OutOfMemory
from services.node.engine.cores import private_directory
from services.node.locks import briefly_locked, locked_by_others, open_shared, try_lock, unlock

MARKERS: Final = 1024
HOST: Final = "memory"
DEVICE: Final = "accelerator memory"
_GATE: Final = MARKERS
"""The byte that is held while promises are counted and made."""
_ENTRY: Final = struct.Struct("<qqq")
_MIB: Final = 2**20


@dataclass(frozen=True)
class Amounts:
    """Bytes of the machine's own memory, and of its accelerators'."""

    host_bytes: int = 0
    device_bytes: int = 0

    def __add__(self, other: Amounts) -> Amounts:
        return Amounts(self.host_bytes + other.host_bytes, self.device_bytes + other.device_bytes)

    def times(self, count: int) -> Amounts:
        """Give so many times as much."""
        return Amounts(self.host_bytes * count, self.device_bytes * count)

    def beyond(self, limit: Amounts) -> Amounts:
        """Give by how much this is more than a limit; nothing where it is less."""
        return Amounts(
            max(0, self.host_bytes - limit.host_bytes),
            max(0, self.device_bytes - limit.device_bytes),
        )

    def __bool__(self) -> bool:
        return self.host_bytes > 0 or self.device_bytes > 0


@dataclass(frozen=True)
class Limits:
    """What may be promised: by all nodes of the machine together, and by this one (None: as much).

    `free` is what the machine has left at this moment, whoever uses the rest.
    """

    machine: Amounts
    free: Amounts
    budget_bytes: int | None = None


@dataclass(frozen=True)
class Promise:
    """What a model may hold. While it is `pending` it does not hold it yet."""

    amounts: Amounts
    pending: bool


@dataclass(frozen=True)
class Promises:
    """Sums: all that was promised, and how much of it is not held yet."""

    all: Amounts = Amounts()
    pending: Amounts = Amounts()

    def __add__(self, other: Promises) -> Promises:
        return Promises(self.all + other.all, self.pending + other.pending)


class Shortage(Exception):
    """Raised when a promise would break a limit; `missing` is what would have to be given back."""

    def __init__(self, missing: Amounts, error: OutOfMemory) -> None:
        super().__init__(error.message)
        self.missing = missing
        self.error = error


class Ledger:
    """One node's part of the machine's ledger. Owned by the node's event loop."""

    def __init__(self, directory: Path) -> None:
        self._file = open_shared(private_directory(directory) / "memory-ledger")
        self._mine: dict[str, tuple[int, Promise]] = {}

    @property
    def mine(self) -> Mapping[str, Amounts]:
        """What this node's models have been promised."""
        return {name: promise.amounts for name, (_, promise) in self._mine.items()}

    @property
    def promised(self) -> Promises:
        """What this node has promised in all."""
        return _sum(promise for _, promise in self._mine.values())

    def of_others(self) -> Promises:
        """Count what the other nodes of the machine have promised."""
        markers = locked_by_others(self._file, 0, MARKERS)
        return _sum(self._read(marker) for marker in markers)

    def reserve(self, model: str, need: Amounts, limits: Limits) -> None:
        """Promise memory to a model; raises Shortage when a limit would be broken."""
        promise = Promise(need, pending=True)
        with briefly_locked(self._file, _GATE):
            check(model, need, self.promised, self.of_others(), limits)
            marker = next(self._free_markers())
            self._write(marker, promise)
        self._mine[model] = marker, promise

    def keep(self, model: str, measured: Amounts) -> None:
        """Have a promise held from now on, raised to what was measured where that is more."""
        if model not in self._mine:
            return  # it was taken back meanwhile
        marker, promise = self._mine[model]
        kept = Promise(promise.amounts + measured.beyond(promise.amounts), pending=False)
        self._mine[model] = marker, kept
        self._write(marker, kept)

    def release(self, model: str) -> None:
        """Take a promise back, if there is one."""
        entry = self._mine.pop(model, None)
        if entry is not None:
            unlock(self._file, entry[0])

    def close(self) -> None:
        """Take all promises back."""
        os.close(self._file)

    def _free_markers(self) -> Iterator[int]:
        taken = {marker for marker, _ in self._mine.values()}
        for marker in range(MARKERS):
            if marker not in taken and try_lock(self._file, marker):
                yield marker
        raise OutOfMemory(f"{MARKERS} models are loaded on this machine; unload some")

    def _read(self, marker: int) -> Promise:
        entry = os.pread(self._file, _ENTRY.size, self._place(marker))
        if len(entry) < _ENTRY.size:
            return Promise(Amounts(), pending=False)
        host, device, pending = _ENTRY.unpack(entry)
        return Promise(Amounts(host, device), bool(pending))

    def _write(self, marker: int, promise: Promise) -> None:
        amounts = promise.amounts
        entry = _ENTRY.pack(amounts.host_bytes, amounts.device_bytes, promise.pending)
        os.pwrite(self._file, entry, self._place(marker))

    def _place(self, marker: int) -> int:
        return _ENTRY.size * marker


def _sum(promises: Iterable[Promise]) -> Promises:
    single = (Promises(one.amounts, one.amounts if one.pending else Amounts()) for one in promises)
    return sum(single, Promises())


def check(model: str, need: Amounts, mine: Promises, of_others: Promises, limits: Limits) -> None:
    """Raise Shortage for the first limit that a promise would break. Pure.

    `mine` and `of_others` are what this node and the machine's other nodes have promised.
    """
    if limits.budget_bytes is not None:
        budget = Amounts(limits.budget_bytes, 2**62)
        fix = "Raise `memory`, unload a model, or give the models fewer slots or context_tokens."
        _compare(model, need, mine.all, budget, ("this node's `memory`", fix))
    both = mine + of_others
    fix = "Unload a model on this machine, or give the models fewer slots or context_tokens."
    where = "what models may use on this machine"
    _compare(model, need, both.all, limits.machine, (where, fix))
    fix = "End other programs, unload a model, or give the models fewer slots or context_tokens."
    _compare(model, need, both.pending, limits.free, ("what is free on this machine now", fix))


def _compare(
    model: str, need: Amounts, used: Amounts, limit: Amounts, words: tuple[str, str]
) -> None:
    missing = (used + need).beyond(limit)
    if not missing:
        return
    what, needed, most, taken = HOST, need.host_bytes, limit.host_bytes, used.host_bytes
    if not missing.host_bytes:
        what, needed, most, taken = (
            DEVICE, need.device_bytes, limit.device_bytes, used.device_bytes
        )  # fmt: skip
    where, fix = words
    left = max(0, most - taken)
    raise Shortage(
        missing,
        OutOfMemory(
            f"{model} needs {needed // _MIB} MiB of {what}, but {left // _MIB} of "
            f"{most // _MIB} MiB are left of {where}. {fix}",
            metadata={
                "subject": what,
                "needed_bytes": str(needed),
                "left_bytes": str(left),
                "limit_bytes": str(most),
            },
        ),
    )
