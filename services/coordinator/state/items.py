"""Reads calibration items of a store, and keeps what was fitted on them. Blocking."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import date
from typing import TYPE_CHECKING, Any, TypeAlias

import msgspec
from sqlalchemy import delete, func, insert, select

from quorate.errors import InvalidRequest
from quorate.voting.answer_calibration import AnswerCalibrator
from quorate.voting.calibration import Calibrator
from quorate.voting.conformal import RiskCurve
from services.coordinator.state import rungs, schema
from services.coordinator.state.judgement import AnswerJudge, Judges, fit_answers, fit_model
from services.coordinator.state.learned import AnswerItem, BallotItem, Heard, ModelKey, RungItem
from services.coordinator.state.store import ANSWER_SCOPE, CASCADE_SCOPE, MODEL_SCOPE, Store

if TYPE_CHECKING:
    from collections.abc import Mapping

Judge: TypeAlias = Calibrator | AnswerJudge | rungs.Thresholds
STALE_SHARE = 0.05
"""A calibrator is fitted again after so many new items: of 100 after 5, of 1,000 after 50."""


def judges_of(store: Store, today: date) -> Judges:
    """Give all calibrators; those that are out of date or spoilt are fitted anew."""
    models: dict[ModelKey, Calibrator] = {}
    answers: dict[str, AnswerJudge] = {}
    cascade = rungs.NONE_LEARNED
    kept = _kept(store)
    for (scope, key), (newest, count) in sorted(_counts(store).items()):
        stored = kept.get((scope, key))
        fresh = stored is not None and newest - stored[0] <= STALE_SHARE * count
        judge = _read(scope, stored[1]) if stored and fresh else None
        if judge is None:
            judge = _fitted(store, scope, key, today)
            _keep(store, scope, key, newest, judge)
        if isinstance(judge, Calibrator):
            models[key] = judge
        elif isinstance(judge, AnswerJudge):
            answers[key.name] = judge
        else:
            cascade = judge
    return Judges(models, answers, cascade)


def _counts(store: Store) -> Mapping[tuple[str, ModelKey], tuple[int, int]]:
    """Give the newest item's number and the count of items for each model and strategy."""
    table = schema.items
    counting = select(
        table.c.scope, table.c.name, table.c.sha256, func.max(table.c.number), func.count()
    ).group_by(table.c.scope, table.c.name, table.c.sha256)
    with store.transaction(reading=True) as connection:
        rows = connection.execute(counting).all()
    return {(row[0], ModelKey(row[1], row[2])): (row[3], row[4]) for row in rows}


def _kept(store: Store) -> Mapping[tuple[str, ModelKey], tuple[int, str]]:
    with store.transaction(reading=True) as connection:
        rows = connection.execute(select(schema.calibrators)).all()
    return {
        (row.scope, ModelKey(row.name, row.sha256)): (row.item_count, row.fitted) for row in rows
    }


def _fitted(store: Store, scope: str, key: ModelKey, today: date) -> Judge:
    rows = _items(store, scope, key)
    if scope == CASCADE_SCOPE:
        return rungs.fit([RungItem(row[0], said) for row in rows if (said := _heard(row[1]))])
    if scope == MODEL_SCOPE:
        items = [
            BallotItem(key, topic, features["confidence"], right) for topic, features, right in rows
        ]
        return fit_model(items, today)
    return fit_answers([AnswerItem(key.name, *row) for row in rows], today)


def _heard(numbers: Mapping[str, float]) -> Mapping[str, Heard] | None:
    """Read what was heard; a spoilt row teaches nothing, and keeps nobody from starting."""
    try:
        return rungs.heard_of(numbers)
    except InvalidRequest:
        return None


def _items(store: Store, scope: str, key: ModelKey) -> Sequence[tuple[str, dict[str, float], bool]]:
    table = schema.items
    chosen = (
        select(table.c.topic, table.c.features, table.c.is_right)
        .where(table.c.scope == scope, table.c.name == key.name, table.c.sha256 == key.sha256)
        .order_by(table.c.number)
    )
    with store.transaction(reading=True) as connection:
        rows = connection.execute(chosen).all()
    return [(row[0], json.loads(row[1]), bool(row[2])) for row in rows]


def _keep(store: Store, scope: str, key: ModelKey, newest: int, judge: Judge) -> None:
    table = schema.calibrators
    of_it = (table.c.scope == scope, table.c.name == key.name, table.c.sha256 == key.sha256)
    row = {
        "scope": scope,
        "name": key.name,
        "sha256": key.sha256,
        "item_count": newest,
        "fitted": json.dumps(_written(judge)),
    }
    with store.transaction() as connection:
        connection.execute(delete(table).where(*of_it))
        connection.execute(insert(table), [row])


def _written(judge: Judge) -> dict[str, Any]:
    if isinstance(judge, rungs.Thresholds):
        return rungs.written(judge)
    if isinstance(judge, Calibrator):
        return judge.to_dict()
    return {
        "calibrator": judge.calibrator.to_dict(),
        "curve": judge.curve.to_dict(),
        "items": judge.items,
    }


def _read(scope: str, text: str) -> Judge | None:
    try:
        data = json.loads(text)
        if scope == CASCADE_SCOPE:
            return rungs.read(data)
        if scope != ANSWER_SCOPE:
            return Calibrator.from_dict(data)
        return AnswerJudge(
            AnswerCalibrator.from_dict(data["calibrator"]),
            RiskCurve.from_dict(data["curve"]),
            int(data["items"]),
        )
    except _SPOILT:
        return None


_SPOILT = (
    ValueError,
    KeyError,
    TypeError,
    AttributeError,
    InvalidRequest,
    msgspec.ValidationError,
)
