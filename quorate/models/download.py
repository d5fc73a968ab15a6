"""Brings a model file from the hub: goes on where it stopped, checks, is there whole or not at all.

The hub's library looks files up, but since its version 2 it throws away what an interrupted
download had brought. Here the bytes go into a partial file that is named after the checksum of the
whole, so that a later pull, also after Ctrl-C or a reboot, goes on with the same file or none.
"""

from __future__ import annotations

import fcntl
import hashlib
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, Final, NamedTuple

import huggingface_hub
from huggingface_hub.errors import HTTPError  # type: ignore[attr-defined]
from huggingface_hub.utils import hf_raise_for_status  # type: ignore[attr-defined]

from quorate.errors import ModelUnusable, NotFound, NotReady, Unavailable
from quorate.models import gguf
from quorate.models.hub import Asking, Hub, Remote, Source, look_up, translated
from quorate.models.store import Origin, Record, Store

CHUNK_BYTES: Final = 2**20
READ_SECONDS: Final = 30.0
FRUITLESS_ATTEMPTS: Final = 5
"""So many attempts may bring nothing; one that brings something starts the count anew."""
WHOLE: Final = 200
"""The answer to a wish for a part of a file by who gives only whole ones."""
NO_SUCH_RANGE: Final = 416
PASSING: Final = frozenset({408, NO_SUCH_RANGE, 429, 500, 502, 503, 504})
SPARE_BYTES: Final = 64 * 2**20
"""What stays free on the disk beside the file."""

Progress = Callable[[int, int], None]
"""Is called with the bytes that are there and those of the whole file."""


class Wanted(NamedTuple):
    """A file to bring; `sha256` None accepts the one that the hub tells."""

    name: str
    source: Source
    sha256: str | None = None
    licence: str = ""


class Means(NamedTuple):
    """What a download uses of the machine; tests put others in."""

    hub: Hub = Hub()
    progress: Progress = lambda _done, _total: None
    pause: Callable[[float], None] = time.sleep
    free_bytes: Callable[[Path], int] = lambda directory: shutil.disk_usage(directory).free


def pull(wanted: Wanted, store: Store, means: Means) -> Record:
    """Bring a file into the store and give what is recorded about it.

    Raises NotReady when the disk is too small, ModelUnusable when what arrives is not the file
    that was wanted, Unavailable while another pull of it is running, and the errors of
    `hub.look_up`. KeyboardInterrupt leaves what has arrived.
    """
    asking = Asking(wanted.source, means.hub, store.path(wanted.name))
    remote, origin = _find(wanted, asking)
    sha256 = wanted.sha256 or remote.sha256
    if sha256 is None:
        raise NotReady(
            f"the hub at {means.hub.address} tells no SHA-256 for {wanted.source}, so nobody could "
            "say whether the right file arrived. Use another mirror, or none."
        )
    store.directory.mkdir(parents=True, exist_ok=True)
    partial = store.directory / f"{wanted.name}.{sha256[:16]}.partial"
    with _locked(partial, wanted.name) as file:
        _discard_others(store, wanted.name, partial)
        _check_disk(partial, remote.file_bytes, means)
        digest = _Transfer(asking, remote, means).run(file)
        _accept(partial, digest, sha256, wanted)
        partial.replace(store.path(wanted.name))
    record = Record(
        name=wanted.name,
        repository=wanted.source.repository,
        file=wanted.source.file,
        revision=remote.revision,
        sha256=sha256,
        file_bytes=remote.file_bytes,
        licence=wanted.licence,
        checksum_from=origin,
    )
    store.record(record)
    return record


def kept_bytes(store: Store, name: str) -> int:
    """How much of a file earlier, interrupted pulls have brought."""
    return sum(path.stat().st_size for path in store.partials(name))


def _find(wanted: Wanted, asking: Asking) -> tuple[Remote, Origin]:
    """Look the file up; a pinned commit that is gone does no harm where the checksum is known."""
    try:
        remote = look_up(asking)
    except NotFound:
        if wanted.sha256 is None or wanted.source.revision is None:
            raise
        remote = look_up(asking._replace(source=wanted.source._replace(revision=None)))
    if wanted.sha256 is None:
        return remote, "hub"
    if remote.sha256 not in (None, wanted.sha256):
        raise ModelUnusable(
            f"the hub now has another file as {wanted.source} than the catalogue knows: its "
            f"SHA-256 is {remote.sha256}, not {wanted.sha256}. To take it nevertheless: "
            f"quorate models pull {wanted.source._replace(revision=remote.revision)}"
        )
    return remote, "catalogue"


@contextmanager
def _locked(partial: Path, name: str) -> Iterator[IO[bytes]]:
    """Open a partial file for this process alone; an empty one does not stay."""
    with partial.open("a+b") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise _busy(name) from error
        if not partial.exists():  # it was moved into place between opening and locking
            raise _busy(name)
        try:
            yield file
        finally:
            file.flush()
            if partial.exists() and partial.stat().st_size == 0:
                partial.unlink()


def _busy(name: str) -> Unavailable:
    return Unavailable(f"another `quorate models pull` is bringing {name}; wait for it")


def _discard_others(store: Store, name: str, keep: Path) -> None:
    for path in store.partials(name):
        if path != keep:
            path.unlink()


def _check_disk(partial: Path, file_bytes: int, means: Means) -> None:
    needed = max(0, file_bytes - partial.stat().st_size) + SPARE_BYTES
    free = means.free_bytes(partial.parent)
    if free < needed:
        raise NotReady(
            f"{partial.parent} has {free // 2**20} MiB free, but {needed // 2**20} MiB are needed. "
            "Free some (`quorate models rm`), or set QUORATE_DATA to a directory on another disk."
        )


def _accept(partial: Path, digest: str, sha256: str, wanted: Wanted) -> None:
    """Refuse, and remove, what is not the file that was wanted."""
    try:
        if digest != sha256:
            raise ModelUnusable(
                f"what arrived as {wanted.source} is damaged: its SHA-256 is {digest}, but it must "
                f"be {sha256}. It was removed; pull again."
            )
        gguf.read_header(partial)
    except ModelUnusable:
        partial.unlink()
        raise


class _Transfer:
    """Appends to a partial file until it has all bytes."""

    def __init__(self, asking: Asking, remote: Remote, means: Means) -> None:
        self._asking = asking
        self._remote = remote
        self._means = means
        self._digest = hashlib.sha256()
        self._done = 0

    def run(self, file: IO[bytes]) -> str:
        """Bring what is missing and give the SHA-256 of the whole."""
        self._take_up(file)
        fruitless, most = 0, self._done
        while self._done < self._remote.file_bytes:
            problem = self._attempt(file)
            if self._done >= self._remote.file_bytes:
                break
            fruitless = 0 if self._done > most else fruitless + 1
            most = max(most, self._done)
            if fruitless >= FRUITLESS_ATTEMPTS:
                raise Unavailable(
                    f"the hub at {self._means.hub.address} breaks off: {problem}. "
                    f"{self._done} of {self._remote.file_bytes} bytes are kept; the same command "
                    "goes on from there."
                )
            self._means.pause(float(2**fruitless - 1))
        file.flush()
        return self._digest.hexdigest()

    def _take_up(self, file: IO[bytes]) -> None:
        """Read what an earlier pull left, for the checksum; too much of it is of no use."""
        file.seek(0)
        while chunk := file.read(CHUNK_BYTES):
            self._count(chunk)
        if self._done > self._remote.file_bytes:
            self._start_over(file)

    def _attempt(self, file: IO[bytes]) -> str:
        """Read from the hub until it ends or breaks; gives what broke it, or that it ended."""
        try:
            with self._open() as response:
                if response.status_code in PASSING:
                    return f"it answers {response.status_code}"
                with translated(self._asking):
                    hf_raise_for_status(response)
                if response.status_code == WHOLE:
                    self._start_over(file)
                # As they arrive: what is gathered into larger ones is lost when it breaks off.
                for chunk in response.iter_bytes():
                    self._write(file, chunk)
        except HTTPError as error:
            return str(error) or type(error).__name__
        return "it ended the file too early"

    def _open(self) -> Any:
        headers = self._means.hub.headers() | {"Accept-Encoding": "identity"}
        if self._done:
            headers["Range"] = f"bytes={self._done}-"
        session = huggingface_hub.get_session()
        return session.stream(
            "GET", self._remote.url, headers=headers, follow_redirects=True, timeout=READ_SECONDS
        )

    def _write(self, file: IO[bytes], chunk: bytes) -> None:
        if self._done + len(chunk) > self._remote.file_bytes:
            file.truncate(0)
            raise ModelUnusable(
                f"the hub sends more than the {self._remote.file_bytes} bytes that it announced "
                f"for {self._asking.source}. Nothing was kept; pull again."
            )
        file.write(chunk)
        self._count(chunk)

    def _count(self, chunk: bytes) -> None:
        self._digest.update(chunk)
        self._done += len(chunk)
        self._means.progress(self._done, self._remote.file_bytes)

    def _start_over(self, file: IO[bytes]) -> None:
        file.seek(0)
        file.truncate(0)
        self._digest = hashlib.sha256()
        self._done = 0
