"""Finds out whether a model file on disk is the one that it should be."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from quorate.errors import ModelUnusable, UnknownModel, nearest
from quorate.models import gguf
from quorate.models.catalogue import catalogue
from quorate.models.store import Record, Stored, expected

if TYPE_CHECKING:
    from quorate.models.store import Store


class Verified(NamedTuple):
    """What was found out about a file; `problem` is empty when it is right.

    `note` says what a user should know of a right one.
    """

    name: str
    path: str
    sha256: str = ""
    problem: str = ""
    note: str = ""


def verify(name: str, store: Store) -> Verified:
    """Check a file's size, checksum and header; a right one that has no record gets one.

    Raises UnknownModel when the file is not on disk, and says where it belongs.
    """
    stored = store.find(name)
    if stored is None:
        names = [one.name for one in store.all()]
        raise UnknownModel(
            f"model {name!r} is not on disk: {store.path(name)} does not exist. Bring it with "
            f"`quorate models pull {name}`, or copy the file there by hand."
            + (nearest(name, names) if names else "")
        )
    try:
        return _checked(stored, store)
    except ModelUnusable as error:
        return Verified(name, str(stored.path), problem=error.message)


def _checked(stored: Stored, store: Store) -> Verified:
    sha256, file_bytes = expected(stored)
    size = gguf.identity(stored.path).file_bytes
    again = f"Remove it (`quorate models rm {stored.name}`) and bring it again."
    if file_bytes is not None and size != file_bytes:
        raise ModelUnusable(f"{stored.path} has {size} bytes instead of {file_bytes}. {again}")
    gguf.read_header(stored.path)
    found = gguf.sha256(stored.path)
    if sha256 is not None and found != sha256:
        raise ModelUnusable(f"{stored.path} has the SHA-256 {found} instead of {sha256}. {again}")
    note = ""
    if stored.record is None:
        known = sha256 is not None
        store.record(_record(stored, found, size, known=known))
        if not known:
            note = "nobody told its checksum: the one that it has now is kept"
    return Verified(stored.name, str(stored.path), found, note=note)


def _record(stored: Stored, sha256: str, size: int, *, known: bool) -> Record:
    model = catalogue().by_name.get(stored.name)
    return Record(
        name=stored.name,
        repository=model.repository if model else None,
        file=model.file if model else None,
        sha256=sha256,
        file_bytes=size,
        licence=model.licence if model else "",
        checksum_from="catalogue" if known else "file",
    )
