"""Reads what a GGUF file says about itself, and finds out whether the file is whole.

Nothing here loads llama.cpp: a damaged file must not cost an engine. The format is specified at
https://github.com/ggml-org/ggml/blob/master/docs/gguf.md.
"""

from __future__ import annotations

import hashlib
import mmap
import struct
from collections.abc import Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Final, NamedTuple

from quorate.errors import ModelUnusable
from quorate.models.header import (
    TENSOR_TYPES,
    GgufArray,
    GgufHeader,
    Scalar,
    Tensor,
    describe,
)

__all__ = ["TENSOR_TYPES", "GgufHeader", "Identity", "identity", "read_header", "sha256"]

MAGIC: Final = b"GGUF"
VERSIONS: Final = (2, 3)
MOST_ENTRIES: Final = 1_000_000
LONGEST_TEXT_BYTES: Final = 64 * 2**20
MOST_NUMBERS_KEPT: Final = 1024
"""Arrays of more numbers are counted, not kept: no model has so many layers."""
DEFAULT_ALIGNMENT: Final = 32
_ARRAY, _STRING = 9, 8
_NUMBERS: Final[Mapping[int, struct.Struct]] = {
    kind: struct.Struct("<" + code)
    for kind, code in enumerate(("B", "b", "H", "h", "I", "i", "f", "?"))
} | {kind: struct.Struct("<" + code) for kind, code in ((10, "Q"), (11, "q"), (12, "d"))}


class Identity(NamedTuple):
    """Tells one state of a file from another without reading it."""

    device: int
    inode: int
    file_bytes: int
    modified_ns: int


def identity(path: Path) -> Identity:
    """Give a file's identity; raises ModelUnusable when it cannot be looked at."""
    try:
        facts = path.stat()
    except OSError as error:
        raise ModelUnusable(f"{path} cannot be read: {error.strerror}") from error
    return Identity(facts.st_dev, facts.st_ino, facts.st_size, facts.st_mtime_ns)


def sha256(path: Path) -> str:
    """Give the SHA-256 of a file in lower-case hex; it is computed once per state of the file."""
    return _sha256(path, identity(path))


@lru_cache(maxsize=256)
def _sha256(path: Path, _state: Identity) -> str:
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise ModelUnusable(f"{path} cannot be read: {error.strerror}") from error


def read_header(path: Path) -> GgufHeader:
    """Read a model file's header and check that all its weights lie inside the file.

    Raises ModelUnusable that names the file and what is wrong with it.
    """
    size = identity(path).file_bytes
    if not path.is_file():
        raise ModelUnusable(f"{path} is not a file")
    if size == 0:
        raise ModelUnusable(f"{path} is empty")
    try:
        with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
            return _Reader(path, data).read()
    except OSError as error:
        raise ModelUnusable(f"{path} cannot be read: {error.strerror}") from error


class _Reader:
    """Walks through a mapped file once."""

    def __init__(self, path: Path, data: mmap.mmap) -> None:
        self._path = path
        self._data = data
        self._at = 0

    def read(self) -> GgufHeader:
        if self._data[:4] != MAGIC:
            raise self._broken(f"it is not a GGUF file: it begins with {self._data[:4]!r}")
        self._at = 4
        version = int(self._number(4))
        if version not in VERSIONS:
            raise self._broken(f"its GGUF version is {version}, but only 2 and 3 can be read")
        tensor_count = self._count("tensors")
        value_count = self._count("values")
        values = dict(self._entry() for _ in range(value_count))
        tensors = [self._tensor() for _ in range(tensor_count)]
        if not tensors:
            raise self._broken("it holds no weights")
        self._check_extent(tensors, values)
        return describe(self._path, len(self._data), values, tensors)

    def _check_extent(
        self, tensors: Sequence[Tensor], values: Mapping[str, Scalar | GgufArray]
    ) -> None:
        alignment = values.get("general.alignment", DEFAULT_ALIGNMENT)
        if not isinstance(alignment, int) or alignment < 1:
            raise self._broken(f"its alignment is {alignment}")
        base = -(-self._at // alignment) * alignment
        for tensor in tensors:
            if tensor.kind not in TENSOR_TYPES:
                raise self._broken(f"weight {tensor.name!r} has the unknown type {tensor.kind}")
            end = base + tensor.start + tensor.size
            if end > len(self._data):
                raise self._broken(
                    f"it is cut off: weight {tensor.name!r} ends at byte {end}, but the file has "
                    f"{len(self._data)}. Download or copy it again"
                )

    def _entry(self) -> tuple[str, Scalar | GgufArray]:
        key = self._text()
        return key, self._value(int(self._number(4)))

    def _tensor(self) -> Tensor:
        name = self._text()
        dimensions = int(self._number(4))
        if dimensions > 4:
            raise self._broken(f"weight {name!r} has {dimensions} dimensions")
        weights = 1
        for _ in range(dimensions):
            weights *= int(self._number(10))
        return Tensor(name, weights, int(self._number(4)), int(self._number(10)))

    def _value(self, kind: int) -> Scalar | GgufArray:
        if kind == _STRING:
            return self._text()
        if kind == _ARRAY:
            return self._array()
        return self._number(kind)

    def _array(self) -> GgufArray:
        kind = int(self._number(4))
        count = self._count("array values")
        start = self._at
        numbers: tuple[int | float | bool, ...] = ()
        if kind == _STRING:
            for _ in range(count):
                self._skip(self._length())
        elif kind in _NUMBERS and count <= MOST_NUMBERS_KEPT:
            numbers = tuple(self._number(kind) for _ in range(count))
        elif kind in _NUMBERS:
            self._skip(count * _NUMBERS[kind].size)
        else:
            raise self._broken(f"an array holds values of the unknown type {kind}")
        digest = hashlib.sha256(self._data[start : self._at])
        return GgufArray(count, digest.hexdigest()[:16], numbers)

    def _number(self, kind: int) -> int | float | bool:
        form = _NUMBERS.get(kind)
        if form is None:
            raise self._broken(f"a value has the unknown type {kind}")
        start = self._at
        self._skip(form.size)
        number: int | float | bool = form.unpack_from(self._data, start)[0]
        return number

    def _count(self, what: str) -> int:
        count = int(self._number(10))
        if count > MOST_ENTRIES:
            raise self._broken(f"its header is damaged: it announces {count} {what}")
        return count

    def _length(self) -> int:
        length = int(self._number(10))
        if length > LONGEST_TEXT_BYTES:
            raise self._broken(f"its header is damaged: it announces a text of {length} bytes")
        return length

    def _text(self) -> str:
        length = self._length()
        start = self._at
        self._skip(length)
        return self._data[start : self._at].decode("utf-8", "replace")

    def _skip(self, size: int) -> None:
        if self._at + size > len(self._data):
            raise self._broken(
                f"it is cut off inside its header, at byte {len(self._data)}. "
                "Download or copy it again"
            )
        self._at += size

    def _broken(self, problem: str) -> ModelUnusable:
        return ModelUnusable(f"{self._path} cannot be used: {problem}.")
