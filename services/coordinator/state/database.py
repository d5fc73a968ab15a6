"""Connects to a coordinator's database: SQLite by default, PostgreSQL where several share it."""

from __future__ import annotations

import os
import sqlite3
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlalchemy import create_engine, event
from sqlalchemy.exc import ArgumentError, NoSuchModuleError, SQLAlchemyError
from sqlalchemy.pool import StaticPool

from quorate.errors import ConfigurationError, Unavailable

if TYPE_CHECKING:
    from sqlalchemy import URL, Connection, Engine

BUSY_SECONDS = 10.0
"""How long a writer waits for another coordinator's short transaction."""
BUSY_PAUSE_SECONDS = 0.02
CONNECT_SECONDS = 5
KNOWN = ("sqlite", "postgresql")


def engine_of(url: str) -> Engine:
    """Make an engine; connects to nothing yet.

    Raises ConfigurationError for a URL that is none, another database, or a missing driver.
    """
    try:
        engine = create_engine(url, **_options(url))
    except (ArgumentError, NoSuchModuleError, ImportError, ValueError) as error:
        raise ConfigurationError(
            f"`database` cannot be used: {_without_secret(error, url)}. Write sqlite:///FILE or "
            "postgresql+psycopg://USER@HOST/NAME; PostgreSQL needs `pip install quorate[postgres]`."
        ) from error
    if engine.dialect.name not in KNOWN:
        raise ConfigurationError(
            f"`database` is of the kind {engine.dialect.name}; only {' and '.join(KNOWN)} are known"
        )
    if engine.dialect.name == "sqlite":
        _prepare_sqlite(engine)
    return engine


def _options(url: str) -> dict[str, Any]:
    if not url.startswith("sqlite"):
        wait = {"connect_timeout": CONNECT_SECONDS, "options": "-c lock_timeout=10000"}
        return {"pool_pre_ping": True, "pool_size": 1, "max_overflow": 1, "connect_args": wait}
    options = {"timeout": BUSY_SECONDS, "check_same_thread": False}
    if url in {"sqlite://", "sqlite:///:memory:"}:  # lives as long as its one connection
        return {"connect_args": options, "poolclass": StaticPool}
    return {"connect_args": options}


def _without_secret(error: Exception, url: str) -> str:
    return str(error).replace(url, "the URL")


def _prepare_sqlite(engine: Engine) -> None:
    """Let transactions begin where SQLAlchemy says, and take the write lock at once.

    A transaction that read first and then wrote would fail when another coordinator wrote between.
    """

    @event.listens_for(engine, "connect")
    def connected(connection: Any, _: object) -> None:
        connection.isolation_level = None
        cursor = connection.cursor()
        cursor.execute("PRAGMA busy_timeout = 10000")
        _write_ahead(cursor)
        # A killed process loses nothing; a power cut may lose the last moments, never the file.
        cursor.execute("PRAGMA synchronous = NORMAL")
        cursor.close()

    @event.listens_for(engine, "begin")
    def begun(connection: Connection) -> None:
        reading = connection.get_execution_options().get("reading", False)
        connection.exec_driver_sql("BEGIN" if reading else "BEGIN IMMEDIATE")


def _write_ahead(cursor: Any) -> None:
    """Change a file's journal to the write-ahead log, once the others that do so let it."""
    until = time.monotonic() + BUSY_SECONDS
    while True:
        try:
            cursor.execute("PRAGMA journal_mode = WAL")
        except sqlite3.OperationalError as error:
            # A read-only file keeps its journal; the first attempt to write tells that.
            if "readonly" in str(error):
                return
            # Here SQLite does not wait by itself, whatever its busy_timeout is.
            if "locked" not in str(error) or time.monotonic() > until:
                raise
            time.sleep(BUSY_PAUSE_SECONDS)
        else:
            return


def create_private(url: URL) -> None:
    """Create the file of an SQLite database so that only its owner can read it.

    SQLite gives its write-ahead log the same permissions. Raises Unavailable with the reason.
    """
    name = url.database
    if url.get_backend_name() != "sqlite" or not name or name == ":memory:" or url.query:
        return
    path = Path(name)
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        os.close(os.open(path, os.O_CREAT | os.O_RDONLY, 0o600))
    except OSError as error:
        raise Unavailable(f"{path} cannot be made: {error.strerror}") from error


def explained(error: SQLAlchemyError) -> Unavailable:
    """Tell what is wrong with the database, without statements and their values."""
    origin = getattr(error, "orig", None)
    said = str(origin or error).strip().splitlines()
    reason = said[0] if said else type(error).__name__
    return Unavailable(
        f"what is learned cannot be read or written: {reason}. Answers are given all the same. "
        "Make room, or mend the `database` that the coordinator's settings name.",
        metadata={"reason": reason},
    )
