"""The tables of what a coordinator remembers, and how an older database becomes a newer one.

SQLite and PostgreSQL take the same tables. A database of a newer version is refused, never read by
guess. Two coordinators that start at once on an empty database make its tables once.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Float,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    inspect,
    select,
    text,
)

from quorate.errors import ConfigurationError

if TYPE_CHECKING:
    from sqlalchemy import Connection

ADVISORY_LOCK = 5_187_641
"""PostgreSQL's advisory lock that is held while the tables are made; any number of our own."""
# SQLite numbers rows by itself only in a column of exactly this type.
ROW_NUMBER = BigInteger().with_variant(Integer, "sqlite")

tables = MetaData()


def _model(prefix: str = "") -> tuple[Column[str], Column[str]]:
    return (
        Column(f"{prefix}name", String(128), primary_key=True),
        Column(f"{prefix}sha256", String(64), primary_key=True),
    )


def _count(name: str) -> Column[float]:
    return Column(name, Float(53), nullable=False)


meta = Table(
    "quorate_meta",
    tables,
    Column("key", String(32), primary_key=True),
    Column("value", BigInteger, nullable=False),
)
"""`schema_version`, and `revision`, which rises with everything that is learned."""
records = Table(
    "learned_records",
    tables,
    *_model(),
    Column("topic", String(64), primary_key=True),
    Column("evidence", String(16), primary_key=True),
    _count("right_count"),
    _count("wrong_count"),
)
together = Table(
    "learned_together",
    tables,
    *_model("first_"),
    *_model("second_"),
    _count("same_count"),
    _count("different_count"),
)
joint = Table(
    "learned_joint",
    tables,
    *_model("first_"),
    *_model("second_"),
    _count("both_count"),
    _count("first_count"),
    _count("second_count"),
    _count("neither_count"),
)
items = Table(
    "calibration_items",
    tables,
    Column("number", ROW_NUMBER, primary_key=True, autoincrement=True),
    Column("scope", String(16), nullable=False),
    Column("name", String(128), nullable=False),
    Column("sha256", String(64), nullable=False),
    Column("topic", String(64), nullable=False),
    Column("features", Text, nullable=False),
    Column("is_right", Boolean, nullable=False),
)
Index("calibration_items_of", items.c.scope, items.c.name, items.c.sha256, items.c.number)
calibrators = Table(
    "calibrators",
    tables,
    Column("scope", String(16), primary_key=True),
    *_model(),
    Column("item_count", Integer, nullable=False),
    Column("fitted", Text, nullable=False),
)
latencies = Table(
    "latencies",
    tables,
    Column("coordinator", String(64), primary_key=True),
    Column("node", String(64), primary_key=True),
    *_model(),
    Column("markers", Text, nullable=False),
)
"""Each coordinator writes its own rows alone: a running quantile cannot be added up."""
feedback = Table(
    "feedback",
    tables,
    Column("question_id", String(128), primary_key=True),
    Column("said", Text, nullable=False),
    Column("models", Text, nullable=False),
    Column("at_seconds", Float(53), nullable=False),
)
"""What was learned from which question: a second time it teaches nothing."""
answers = Table(
    "answer_records",
    tables,
    Column("number", ROW_NUMBER, primary_key=True, autoincrement=True),
    Column("question_id", String(128), nullable=False, unique=True),
    Column("at_seconds", Float(53), nullable=False),
    Column("body", LargeBinary, nullable=False),
)
Index("answer_records_at", answers.c.at_seconds)


def _first(connection: Connection) -> None:
    tables.create_all(connection)


MIGRATIONS: Sequence[Callable[[Connection], None]] = (_first,)
"""The step from version N to N + 1 at place N; a released step is never changed."""


def version_of(connection: Connection) -> int:
    """Give the version of a database's tables; 0 has none."""
    if not inspect(connection).has_table(meta.name):
        return 0
    found = connection.execute(select(meta.c.value).where(meta.c.key == "schema_version"))
    return int(found.scalar() or 0)


def migrate(
    connection: Connection, steps: Sequence[Callable[[Connection], None]] = MIGRATIONS
) -> int:
    """Bring a database to this version, inside the caller's transaction; gives that version.

    Raises ConfigurationError for a database that a newer version wrote.
    """
    if connection.dialect.name == "postgresql":
        connection.execute(text(f"SELECT pg_advisory_xact_lock({ADVISORY_LOCK})"))
    found = version_of(connection)
    check_version(found, len(steps))
    for step in steps[found:]:
        step(connection)
    if found == 0:
        connection.execute(meta.insert().values(key="schema_version", value=len(steps)))
        connection.execute(meta.insert().values(key="revision", value=0))
    elif found < len(steps):
        known = meta.c.key == "schema_version"
        connection.execute(meta.update().where(known).values(value=len(steps)))
    return len(steps)


def check_version(found: int, known: int = len(MIGRATIONS)) -> None:
    """Raise ConfigurationError when a database is newer than this program."""
    if found > known:
        raise ConfigurationError(
            f"the database has version {found} of its tables, but this version of quorate knows "
            f"{known} at most. Install the newer version, or name another `database`."
        )
