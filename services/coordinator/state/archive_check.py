"""Checks the rows of an archive before any of them is stored. Pure but for the tables' types."""

from __future__ import annotations

import json
import math
from typing import TYPE_CHECKING, Any

from sqlalchemy import Boolean, Float

from quorate.errors import InvalidRequest
from services.coordinator.state.learned import Evidence
from services.coordinator.state.rungs import heard_of
from services.coordinator.state.store import ANSWER_SCOPE, CASCADE_SCOPE, MODEL_SCOPE

if TYPE_CHECKING:
    from sqlalchemy import Column, Table

MOST_COUNT = 1e12
SCOPES = MODEL_SCOPE, ANSWER_SCOPE, CASCADE_SCOPE


def checked_rows(name: str, table: Table, rows: Any) -> list[dict[str, Any]]:
    """Let rows through that fit a table; raises InvalidRequest that names the first other."""
    if not isinstance(rows, list):
        raise _refused(f"state.{name}", rows, "it must be a list of rows")
    columns = [column for column in table.c if column.name != "number"]
    seen: set[tuple[Any, ...]] = set()
    for place, row in enumerate(rows):
        where = f"state.{name}[{place}]"
        if not isinstance(row, dict) or set(row) != {column.name for column in columns}:
            raise _refused(where, row, f"it needs {', '.join(c.name for c in columns)}")
        for column in columns:
            _check(f"{where}.{column.name}", column, row[column.name])
        _check_row(where, row)
        if "number" not in table.c:
            key = tuple(row[column.name] for column in table.primary_key)
            if key in seen:
                raise _refused(where, key, "it stands there twice")
            seen.add(key)
    return rows


def _check_row(where: str, row: dict[str, Any]) -> None:
    """Refuse a row whose columns fit one by one but not together."""
    if "scope" in row:
        if row["scope"] not in SCOPES:
            raise _refused(f"{where}.scope", row["scope"], f"it must be {' or '.join(SCOPES)}")
        if row["scope"] == CASCADE_SCOPE:
            heard_of(json.loads(row["features"]))
        sure = json.loads(row["features"]).get("confidence", -1.0)
        if row["scope"] == MODEL_SCOPE and not 0.0 <= sure <= 1.0:
            raise _refused(f"{where}.features", row["features"], "it needs a confidence in [0, 1]")
    if "first_name" in row:
        first, second = (
            (row[f"{which}_name"], row[f"{which}_sha256"]) for which in ("first", "second")
        )
        if first >= second:
            raise _refused(where, row, "a pair is of two models, the lesser one first")


def _check(where: str, column: Column[Any], value: Any) -> None:
    if isinstance(column.type, Float):
        number = isinstance(value, int | float) and not isinstance(value, bool)
        if not number or not 0.0 <= value <= MOST_COUNT:
            raise _refused(where, value, f"it must lie in [0, {MOST_COUNT:g}]")
    elif isinstance(column.type, Boolean):
        if not isinstance(value, bool):
            raise _refused(where, value, "it must be true or false")
    elif not isinstance(value, str) or len(value) > (getattr(column.type, "length", None) or 4096):
        raise _refused(where, value, "it must be a short text")
    elif column.name == "evidence" and value not in set(Evidence):
        raise _refused(where, value, f"it must be one of {', '.join(Evidence)}")
    elif column.name == "features":
        _check_features(where, value)


def _check_features(where: str, text: str) -> None:
    try:
        features = json.loads(text)
    except ValueError:
        features = None
    fits = isinstance(features, dict) and all(
        isinstance(value, int | float) and math.isfinite(value) for value in features.values()
    )
    if not fits:
        raise _refused(where, text, "it must be a JSON object of finite numbers")


def _refused(where: str, value: object, limit: str) -> InvalidRequest:
    return InvalidRequest.field(where, value, limit, "Nothing was changed.")
