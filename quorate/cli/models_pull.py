"""`quorate models pull`: brings models while somebody watches, or a program waits."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import PurePath
from typing import TYPE_CHECKING, Any

from rich.progress import (
    BarColumn,
    DownloadColumn,
    Progress,
    TextColumn,
    TimeRemainingColumn,
    TransferSpeedColumn,
)

from quorate import models as model_files
from quorate.cli import terminal
from quorate.errors import InvalidRequest, NotReady
from quorate.models import download
from quorate.models.catalogue import canonical, catalogue
from quorate.models.download import Means, Wanted
from quorate.models.hub import SCHEME, Source, parse_source, source_of
from quorate.models.store import Store

if TYPE_CHECKING:
    from rich.console import Console

    from quorate.models.store import Record

TENTHS = 10


def pull(texts: Sequence[str], name: str | None, *, as_json: bool) -> None:
    """Bring models one after another; what is on disk already is not brought again."""
    store = Store()
    if name is not None and len(texts) != 1:
        raise InvalidRequest.field(
            "--name", name, "it names one model", "Pull the models one by one."
        )
    wanted = [_wanted(text, name, store) for text in texts]
    console = terminal.console(stderr=as_json)
    done = [bring(one, store, console) for one in wanted]
    if as_json:
        terminal.print_json({"models": [_data(record, store) for record in done]})


def bring(wanted: Wanted, store: Store, console: Console) -> Record:
    """Bring one model, telling its size, terms and progress."""
    present = store.find(wanted.name)
    if present and present.record:
        _say(console, f"{wanted.name} is here already: {present.path}")
        return present.record
    if present:
        raise NotReady(
            f"{present.path} exists, but was never verified. Run `quorate models verify "
            f"{wanted.name}`, or remove it: quorate models rm {wanted.name}"
        )
    _say(console, _announcement(wanted))
    with interruptible(wanted, store), _shown(console, wanted.name) as progress:
        record = download.pull(wanted, store, Means(progress=progress))
    _say(console, f"{wanted.name} is here: {store.path(wanted.name)}")
    if record.checksum_from == "hub":
        _say(console, f"Its SHA-256, as the hub tells it, is kept: {record.sha256}")
    return record


def wanted_of(name: str) -> Wanted:
    """Give what to bring for a name of the catalogue; raises UnknownModel."""
    model = catalogue().find(name)
    return Wanted(model.name, source_of(model), model.sha256, model.licence)


def _wanted(text: str, name: str | None, store: Store) -> Wanted:
    if not text.startswith(SCHEME):
        if name is not None:
            raise InvalidRequest.field(
                "--name", name, "models of the catalogue have their names", "Leave it out."
            )
        return wanted_of(text)
    source = parse_source(text)
    called = canonical(name or PurePath(source.file).stem)
    _check_free(called, source, store)
    return Wanted(called, source)


def _check_free(name: str, source: Source, store: Store) -> None:
    """Refuse a name that would hide another model."""
    fix = "Choose another with --name."
    if not name or len(name) > 63:
        raise InvalidRequest.field("--name", name, "it must have 1 to 63 characters", fix)
    if name in model_files.pocket_models() or name in catalogue().by_name:
        raise InvalidRequest.field("--name", name, "another model is called that", fix)
    record = store.records().get(name)
    if (
        record
        and record.repository
        and (record.repository, record.file) != (source.repository, source.file)
    ):
        limit = f"that is {record.repository}/{record.file} already"
        raise InvalidRequest.field("--name", name, limit, fix)


def _announcement(wanted: Wanted) -> str:
    known = catalogue().by_name.get(wanted.name)
    if known is None:
        return f"{wanted.name} from {wanted.source}; its terms are on the page of the repository"
    licence = catalogue().licence_of(known)
    note = f" {licence.note}" if licence.note else ""
    size = terminal.size(known.size_bytes)
    return f"{known.title}, {size}, {licence.name}: {licence.url}.{note}"


@contextmanager
def interruptible(wanted: Wanted, store: Store) -> Iterator[None]:
    """Say, when Ctrl-C ends the block, what is kept and how to go on."""
    try:
        yield
    except KeyboardInterrupt:
        kept = download.kept_bytes(store, wanted.name)
        asked = wanted.name if wanted.name in catalogue().by_name else str(wanted.source)
        if kept:
            sys.stderr.write(
                f"\nquorate: {terminal.size(kept)} of {wanted.name} are kept in "
                f"{store.directory}; `quorate models pull {asked}` goes on from there.\n"
            )
        raise


@contextmanager
def _shown(console: Console, name: str) -> Iterator[Callable[[int, int], None]]:
    if not console.is_terminal:
        yield _tenths(console, name)
        return
    columns = (
        TextColumn("{task.description}"), BarColumn(), DownloadColumn(binary_units=True),
        TransferSpeedColumn(), TimeRemainingColumn(),
    )  # fmt: skip
    with Progress(*columns, console=console, transient=True) as bar:
        task = bar.add_task(name, total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)


def _tenths(console: Console, name: str) -> Callable[[int, int], None]:
    """Say each tenth once: a log is read later."""
    told = 0

    def tell(done: int, total: int) -> None:
        nonlocal told
        tenth = done * TENTHS // total if total else TENTHS
        if tenth > told:
            told = tenth
            _say(console, f"{name}: {terminal.size(done)} of {terminal.size(total)}")

    return tell


def _say(console: Console, text: str) -> None:
    console.print(text, markup=False, soft_wrap=True)


def _data(record: Record, store: Store) -> dict[str, Any]:
    return record.model_dump(mode="json") | {"path": str(store.path(record.name))}
