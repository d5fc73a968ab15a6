"""Takes all that was learned out of a store as JSON, puts it back, and forgets. Blocking."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import Table, and_, delete, insert, or_, select, update

from quorate.errors import InvalidRequest
from services.coordinator.state import schema
from services.coordinator.state.archive_check import checked_rows

if TYPE_CHECKING:
    from services.coordinator.state.store import Store

FORMAT: Final = "quorate-learned"
VERSION: Final = 1
TABLES: Final[Mapping[str, Table]] = {
    "records": schema.records,
    "together": schema.together,
    "joint": schema.joint,
    "items": schema.items,
}
"""What an archive holds. Calibrators are fitted again from items; durations are a machine's own."""


def exported(store: Store) -> str:
    """Give all that was learned as one JSON text, the same for the same state."""
    data: dict[str, Any] = {"format": FORMAT, "version": VERSION}
    with store.transaction(reading=True) as connection:
        for name, table in TABLES.items():
            columns = [column for column in table.c if column.name != "number"]
            order = [table.c.number] if "number" in table.c else list(table.primary_key)
            rows = connection.execute(select(*columns).order_by(*order)).mappings()
            data[name] = [dict(row) for row in rows]
    return json.dumps(data, ensure_ascii=False, indent=1) + "\n"


def restored(store: Store, text: str) -> int:
    """Put an archive in the place of all that was learned; gives the number of its rows.

    Raises InvalidRequest for a text that is no such archive, and then changes nothing.
    """
    data = _parsed(text)
    rows = {name: checked_rows(name, table, data.get(name)) for name, table in TABLES.items()}
    with store.transaction() as connection:
        for table in (*TABLES.values(), schema.calibrators):
            connection.execute(delete(table))
        for name, table in TABLES.items():
            if rows[name]:
                connection.execute(insert(table), rows[name])
        _changed(connection)
    return sum(len(found) for found in rows.values())


def _parsed(text: str) -> Mapping[str, Any]:
    try:
        data = json.loads(text)
    except ValueError as error:
        raise InvalidRequest.field("state", text[:40], f"it must be JSON: {error}", _FIX) from error
    if not isinstance(data, dict) or data.get("format") != FORMAT:
        raise InvalidRequest.field("state", text[:40], f"its format is not {FORMAT!r}", _FIX)
    if data.get("version") != VERSION:
        raise InvalidRequest.field(
            "state.version", data.get("version"), f"this version reads {VERSION}", _FIX
        )
    return data


_FIX: Final = "Give a file that `quorate weights export` wrote."


def forgotten(store: Store, name: str) -> int:
    """Forget a model, whichever file it had, or everything for ""; gives the number of rows.

    What a question taught cannot be taught again by it: feedback stays noted.
    """
    gone = 0
    with store.transaction() as connection:
        for table in (*TABLES.values(), schema.calibrators, schema.latencies):
            dropping = delete(table)
            if name:
                named = [table.c[key] for key in _NAMES if key in table.c]
                of_it = or_(*(column == name for column in named))
                if "scope" in table.c:  # a strategy may be called like a model
                    of_it = and_(of_it, table.c.scope == "model")
                    # A cascade is learned of several models together.
                    of_it = or_(of_it, table.c.scope == "cascade")
                dropping = dropping.where(of_it)
            gone += connection.execute(dropping).rowcount
        _changed(connection)
    return gone


_NAMES: Final = ("name", "first_name", "second_name")


def _changed(connection: Any) -> None:
    revision = update(schema.meta).where(schema.meta.c.key == "revision")
    connection.execute(revision.values(value=schema.meta.c.value + 1))
