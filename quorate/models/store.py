"""Models on this machine's disk: where they lie, and what is known about each.

A model NAME is the file NAME.gguf in one directory. `models.json` beside the files records from
where each came and which checksum it must have; a file that was copied there by hand has no record
until `verify` accepts it.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Final, Literal, NamedTuple

import platformdirs

from quorate import config
from quorate.config import Name, Settings
from quorate.errors import ConfigurationError
from quorate.models.catalogue import Commit, ModelFile, Repository, Sha256, canonical, catalogue

DATA_VARIABLE: Final = "QUORATE_DATA"
RECORDS: Final = "models.json"
SUFFIX: Final = ".gguf"
Origin = Literal["catalogue", "hub", "file"]


class Record(Settings):
    """Where a file came from, and what it must be.

    `checksum_from` is "catalogue" when the catalogue told the SHA-256, "hub" when the hub did at
    the first pull, "file" when it was computed from a file that was copied by hand.
    """

    name: Name
    repository: Repository | None = None
    file: ModelFile | None = None
    revision: Commit | None = None
    sha256: Sha256
    file_bytes: int
    licence: str = ""
    checksum_from: Origin


class Records(Settings):
    """All records of a directory."""

    models: Mapping[str, Record] = {}


class Stored(NamedTuple):
    """A model file on disk; `record` is None when it was copied there and never verified."""

    name: str
    path: Path
    record: Record | None


def default_directory() -> Path:
    """Give $QUORATE_DATA/models, or the usual place for a program's data."""
    chosen = os.environ.get(DATA_VARIABLE)
    data = Path(chosen).expanduser() if chosen else platformdirs.user_data_path("quorate")
    return data.absolute() / "models"


class Store:
    """The model files of one directory. Every method looks at the disk anew."""

    def __init__(self, directory: Path | None = None) -> None:
        self.directory = directory or default_directory()

    def path(self, name: str) -> Path:
        """Give where the file of a model lies, or would lie."""
        return self.directory / f"{name}{SUFFIX}"

    def find(self, name: str) -> Stored | None:
        """Give a model that is on disk, or None."""
        path = self.path(name)
        return Stored(name, path, self.records().get(name)) if path.is_file() else None

    def all(self) -> list[Stored]:
        """Give every model that is on disk, by name."""
        records = self.records()
        files = sorted(self.directory.glob(f"*{SUFFIX}")) if self.directory.is_dir() else []
        # Another spelling could not be named in a topology.
        named = [file for file in files if canonical(file.stem) == file.stem]
        return [Stored(file.stem, file, records.get(file.stem)) for file in named]

    def records(self) -> Mapping[str, Record]:
        """Give what is recorded; raises ConfigurationError when the records are damaged."""
        path = self.directory / RECORDS
        try:
            text = path.read_text(encoding="utf-8")
        except FileNotFoundError:
            return {}
        try:
            data = json.loads(text)
        except ValueError as error:
            raise ConfigurationError(
                f"{path} is damaged ({error}). Remove it; `quorate models verify` records the "
                "catalogue's models again"
            ) from error
        return config.validate(Records, data, str(path)).models

    def record(self, record: Record) -> None:
        """Keep what is known about a model."""
        with self._changing() as models:
            models[record.name] = record

    def remove(self, name: str) -> int:
        """Remove a model's file, what is left of a pull, and its record; gives the bytes freed."""
        freed = 0
        for path in (self.path(name), *self.partials(name)):
            if path.exists():
                freed += path.stat().st_size
                path.unlink()
        with self._changing() as models:
            models.pop(name, None)
        return freed

    def partials(self, name: str) -> list[Path]:
        """Give what is left of interrupted pulls of a model."""
        if not self.directory.is_dir():
            return []
        return sorted(self.directory.glob(f"{name}.*.partial"))

    @contextmanager
    def _changing(self) -> Iterator[dict[str, Record]]:
        """Read the records and write them back, whole or not at all."""
        self.directory.mkdir(parents=True, exist_ok=True)
        models = dict(self.records())
        yield models
        path = self.directory / RECORDS
        partial = path.with_suffix(".json.new")
        text = Records(models=dict(sorted(models.items()))).model_dump_json(indent=2)
        partial.write_text(text + "\n", encoding="utf-8")
        partial.replace(path)


def expected(stored: Stored) -> tuple[str | None, int | None]:
    """Give the SHA-256 and size that a file must have; None where nobody told them yet."""
    if stored.record:
        return stored.record.sha256, stored.record.file_bytes
    known = catalogue().by_name.get(stored.name)
    return (known.sha256, known.file_bytes) if known else (None, None)
