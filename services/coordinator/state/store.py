"""Keeps what was learned in a database, in short transactions. Blocking: call it from a thread.

Counts are changed by single statements that add to what is there, so coordinators that share a
database lose none of each other's updates, and a killed process leaves a whole transaction or none.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, NamedTuple

from sqlalchemy import Table, bindparam, delete, func, insert, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import SQLAlchemyError

from quorate.voting.knowledge import Joint, Record, Together
from services.coordinator.state import schema
from services.coordinator.state.checking import check
from services.coordinator.state.database import create_private, engine_of, explained
from services.coordinator.state.gathering import Gathered, gathered_pairs, gathered_records
from services.coordinator.state.learned import Changes, Evidence, ModelKey, State
from services.coordinator.state.learning import HALF_LIFE_ITEMS
from services.coordinator.state.rungs import flat

if TYPE_CHECKING:
    from sqlalchemy import Connection

MODEL_SCOPE, ANSWER_SCOPE, CASCADE_SCOPE = "model", "answer", "cascade"
MOST_ITEMS = 5_000
"""Calibration items that are kept of one model or strategy; the oldest go first."""


class Kept(NamedTuple):
    """An answer's record, as bytes, with the time of day in seconds since 1970."""

    question_id: str
    at_seconds: float
    body: bytes


class Lesson(NamedTuple):
    """What one question teaches, once: `said` is the feedback in a form that can be compared."""

    question_id: str
    at_seconds: float
    said: str
    changes: Changes


class Taught(NamedTuple):
    """What came of a lesson: `new`, or taken before, when `said` was what had been said."""

    new: bool
    said: str
    models: tuple[str, ...]


class Store:
    """A coordinator's database. All methods raise Unavailable when it cannot be used.

    `half_life` is the number of further items after which one counts half.
    """

    def __init__(self, url: str, half_life: float = HALF_LIFE_ITEMS) -> None:
        self.engine = engine_of(url)
        self._half_life = half_life
        self._opened = False

    @property
    def shared(self) -> bool:
        """Whether another process may change it."""
        return self.engine.url.database not in {None, "", ":memory:"}

    def open(self) -> None:
        """Make the tables, or bring them to this version. Also raises ConfigurationError."""
        if self._opened:
            return
        create_private(self.engine.url)
        with self.transaction(reading=True) as connection:
            found = schema.version_of(connection)
            schema.check_version(found)
        if found < len(schema.MIGRATIONS):
            with self.transaction() as connection:
                schema.migrate(connection)
        self._opened = True

    def close(self) -> None:
        """Close all connections."""
        self.engine.dispose()

    @contextmanager
    def transaction(self, *, reading: bool = False) -> Iterator[Connection]:
        """Run a block as one transaction; its errors become those of the catalogue."""
        try:
            with self.engine.connect() as opened:
                connection = opened.execution_options(reading=reading) if reading else opened
                with connection.begin():
                    yield connection
        except SQLAlchemyError as error:
            raise explained(error) from error

    def learn(self, changes: Changes) -> None:
        """Add changes to the counts; raises InvalidRequest for what cannot be counted."""
        check(changes, self._half_life)
        with self.transaction() as connection:
            self._add(connection, changes)

    def keep(self, answers: Sequence[Kept], changes: Changes) -> None:
        """Keep records of answers and add what they change, all in one transaction."""
        check(changes, self._half_life)
        with self.transaction() as connection:
            if answers:
                connection.execute(insert(schema.answers), [answer._asdict() for answer in answers])
            self._add(connection, changes)

    def teach(self, lesson: Lesson) -> Taught:
        """Learn from a question, unless that was done before."""
        check(lesson.changes, self._half_life)
        models = tuple(key.name for key in lesson.changes.models)
        with self.transaction() as connection:
            row = {
                "question_id": lesson.question_id,
                "said": lesson.said,
                "models": json.dumps(models),
                "at_seconds": lesson.at_seconds,
            }
            noting = self._insert(schema.feedback).values(row).on_conflict_do_nothing()
            noted = connection.execute(noting.returning(schema.feedback.c.question_id)).scalar()
            if noted is None:
                of_it = schema.feedback.c.question_id == lesson.question_id
                before = connection.execute(select(schema.feedback).where(of_it)).one()
                return Taught(False, before.said, tuple(json.loads(before.models)))
            self._add(connection, lesson.changes)
        return Taught(True, lesson.said, models)

    def _insert(self, table: Table) -> sqlite.Insert | postgresql.Insert:
        # Both databases know ON CONFLICT, but SQLAlchemy has it in their own inserts alone.
        if self.engine.dialect.name == "postgresql":
            return postgresql.insert(table)
        return sqlite.insert(table)

    def _add(self, connection: Connection, changes: Changes) -> None:
        if not any(changes):
            return
        # In one order everywhere, so that two coordinators never wait for each other in a circle.
        for table, gathered in (
            (schema.records, gathered_records(changes, self._half_life)),
            (schema.together, gathered_pairs(changes.together, self._half_life)),
            (schema.joint, gathered_pairs(changes.joint, self._half_life)),
        ):
            if gathered:
                self._count(connection, table, gathered)
        self._add_items(connection, changes)
        revision = update(schema.meta).where(schema.meta.c.key == "revision")
        connection.execute(revision.values(value=schema.meta.c.value + 1))

    def _count(
        self, connection: Connection, table: Table, gathered: Mapping[tuple[str, ...], Gathered]
    ) -> None:
        """Add to counts: old counts shrink by what is added after them."""
        keys = [column for column in table.c if column.primary_key]
        counted = [column for column in table.c if not column.primary_key]
        inserting = self._insert(table)
        added = {
            column.name: column * bindparam("share") + inserting.excluded[column.name]
            for column in counted
        }
        names = [column.name for column in (*keys, *counted)]
        rows = [
            {"share": more.share, **dict(zip(names, (*key, *more.counts), strict=True))}
            for key, more in sorted(gathered.items())
        ]
        connection.execute(inserting.on_conflict_do_update(index_elements=keys, set_=added), rows)

    def _add_items(self, connection: Connection, changes: Changes) -> None:
        rows = [
            _item(MODEL_SCOPE, item.model, item.topic, {"confidence": item.confidence}, item.right)
            for item in changes.ballots
        ] + [
            _item(
                ANSWER_SCOPE, ModelKey(item.strategy), item.topic, dict(item.features), item.right
            )
            for item in changes.answers
        ]
        for rung in changes.rungs:
            rights = any(heard.right for heard in rung.said.values())
            rows.append(_item(CASCADE_SCOPE, ModelKey(""), rung.topic, flat(rung.said), rights))
        if rows:
            connection.execute(insert(schema.items), rows)

    def load(self) -> State:
        """Give all counts."""
        with self.transaction(reading=True) as connection:
            records = connection.execute(select(schema.records)).all()
            together = connection.execute(select(schema.together)).all()
            joint = connection.execute(select(schema.joint)).all()
        return State(
            {
                (ModelKey(row[0], row[1]), row[2], Evidence(row[3])): Record(row[4], row[5])
                for row in records
            },
            {_pair(row): Together(*row[4:]) for row in together},
            {_pair(row): Joint(*row[4:]) for row in joint},
        )

    def revision(self) -> int:
        """Give a number that rises with everything that is learned, by any coordinator."""
        with self.transaction(reading=True) as connection:
            found = select(schema.meta.c.value).where(schema.meta.c.key == "revision")
            return int(connection.execute(found).scalar_one())

    def record(self, question_id: str) -> bytes | None:
        """Give an answer's record."""
        with self.transaction(reading=True) as connection:
            of_it = schema.answers.c.question_id == question_id
            found = connection.execute(select(schema.answers.c.body).where(of_it)).scalar()
        return None if found is None else bytes(found)

    def prune(self, most: int, oldest_seconds: float) -> None:
        """Drop records that are too many or too old, and what is superfluous of other tables."""
        with self.transaction() as connection:
            newest = connection.execute(select(func.max(schema.answers.c.number))).scalar() or 0
            too_old = schema.answers.c.at_seconds < oldest_seconds
            too_many = schema.answers.c.number <= newest - most
            connection.execute(delete(schema.answers).where(too_old | too_many))
            # Feedback outlives its record by far: only then can it not be given again.
            gone = ~schema.feedback.c.question_id.in_(select(schema.answers.c.question_id))
            old = schema.feedback.c.at_seconds < oldest_seconds
            connection.execute(delete(schema.feedback).where(gone & old))
            self._prune_items(connection)

    def _prune_items(self, connection: Connection) -> None:
        table = schema.items
        place = func.row_number().over(
            partition_by=(table.c.scope, table.c.name, table.c.sha256),
            order_by=table.c.number.desc(),
        )
        ranked = select(table.c.number, place.label("place")).subquery()
        surplus = select(ranked.c.number).where(ranked.c.place > MOST_ITEMS)
        connection.execute(delete(table).where(table.c.number.in_(surplus)))


def _pair(row: Any) -> tuple[ModelKey, ModelKey]:
    return ModelKey(row[0], row[1]), ModelKey(row[2], row[3])


def _item(
    scope: str, key: ModelKey, topic: str, features: Mapping[str, float], right: bool
) -> dict[str, Any]:
    return {
        "scope": scope,
        "name": key.name,
        "sha256": key.sha256,
        "topic": topic,
        "features": json.dumps(dict(features)),
        "is_right": right,
    }
