"""Thresholds of a cascade: learned from questions whose answers are known, kept, and read back."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path

import pytest
from sqlalchemy import insert, select, update

from quorate.errors import InvalidRequest
from quorate.records import read, write
from services.coordinator.state import archive, lessons, rungs, schema
from services.coordinator.state.items import judges_of
from services.coordinator.state.learned import Changes, Heard, RungItem
from services.coordinator.state.rungs import FEWEST_ITEMS, Thresholds
from services.coordinator.state.store import Store
from tests.unit.coordinator.test_records import answered, record_of

TODAY = date(2026, 1, 1)


def item(sure: float, right: bool, others: str = "boreas") -> RungItem:
    """A cheap model that is right when it is sure, and a dear one that always is."""
    return RungItem("math", {"atlas": Heard(sure, right, 1.0), others: Heard(0.5, True, 10.0)})


ITEMS = [item(0.9, right=True), item(0.8, right=True), item(0.4, right=False)] * 20


def test_the_cheap_model_is_believed_from_where_it_was_right() -> None:
    learned = rungs.fit(ITEMS)
    assert dict(learned.accepted_from) == {"atlas": 0.8}
    assert learned.items == 60


def test_a_model_that_is_never_right_is_never_believed_alone() -> None:
    never = [item(0.9, right=False), item(1.0, right=False)] * 30
    assert rungs.fit(never).accepted_from["atlas"] > 1.0


def test_a_model_that_is_as_good_as_the_dear_one_is_always_believed() -> None:
    always = [item(0.9, right=True), item(0.3, right=True)] * 30
    assert rungs.fit(always).accepted_from["atlas"] == 0.3


def test_too_few_questions_teach_no_threshold() -> None:
    assert rungs.fit(ITEMS[: FEWEST_ITEMS - 1]) == Thresholds({}, FEWEST_ITEMS - 1)
    assert rungs.fit([]) == rungs.NONE_LEARNED
    mixed = [*ITEMS[:30], *(item(0.9, right=True, others="corvus") for _ in range(30))]
    assert rungs.fit(mixed).accepted_from == {}


def test_thresholds_are_kept_over_a_restart_and_fitted_once(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'c1.sqlite'}"
    store = Store(url)
    store.open()
    store.learn(Changes(rungs=tuple(ITEMS)))
    learned = judges_of(store, TODAY).cascade
    assert dict(learned.accepted_from) == {"atlas": 0.8}
    store.close()
    again = Store(url)
    again.open()
    with again.transaction() as connection:  # what was fitted is read, not fitted again
        row = connection.execute(select(schema.calibrators)).one()
        assert row.scope == "cascade"
        changed = json.dumps({"accepted_from": {"atlas": 0.7}, "items": 60})
        connection.execute(update(schema.calibrators).values(fitted=changed))
    assert dict(judges_of(again, TODAY).cascade.accepted_from) == {"atlas": 0.7}
    again.close()


@pytest.mark.parametrize("fitted", ["", "[]", "{}", '{"accepted_from": {"a": 7}, "items": 1}'])
def test_spoilt_thresholds_are_fitted_anew(tmp_path: Path, fitted: str) -> None:
    store = Store(f"sqlite:///{tmp_path / 'c1.sqlite'}")
    store.open()
    store.learn(Changes(rungs=tuple(ITEMS)))
    judges_of(store, TODAY)
    with store.transaction() as connection:
        connection.execute(update(schema.calibrators).values(fitted=fitted))
    assert dict(judges_of(store, TODAY).cascade.accepted_from) == {"atlas": 0.8}
    store.close()


def test_a_spoilt_item_keeps_nobody_from_starting(tmp_path: Path) -> None:
    store = Store(f"sqlite:///{tmp_path / 'c1.sqlite'}")
    store.open()
    store.learn(Changes(rungs=tuple(ITEMS)))
    spoilt = {"scope": "cascade", "name": "", "sha256": "", "topic": "", "is_right": True}
    with store.transaction() as connection:
        connection.execute(insert(schema.items), [{**spoilt, "features": '{"atlas/right": 1}'}])
    assert dict(judges_of(store, TODAY).cascade.accepted_from) == {"atlas": 0.8}
    store.close()


def test_an_archive_carries_them_and_a_forgotten_model_takes_them_along(tmp_path: Path) -> None:
    one, other = (Store(f"sqlite:///{tmp_path / name}.sqlite") for name in ("one", "other"))
    for store in (one, other):
        store.open()
    one.learn(Changes(rungs=tuple(ITEMS)))
    text = archive.exported(one)
    archive.restored(other, text)
    assert dict(judges_of(other, TODAY).cascade.accepted_from) == {"atlas": 0.8}
    with pytest.raises(InvalidRequest, match="features"):
        archive.restored(other, text.replace("atlas/right", "atlas/rigt"))
    archive.forgotten(other, "atlas")
    assert judges_of(other, TODAY).cascade == rungs.NONE_LEARNED
    for store in (one, other):
        store.close()


def test_one_answered_question_gives_one_item_of_all_who_answered() -> None:
    question, result = answered("Answer: 18", "Answer: 17", "I do not know")
    members = [_with_memory(number) for number in range(3)]
    record = read(write(record_of(question, members, result, 1.0, texts=True)))
    [learned] = lessons.taught(record, lessons.Verdict("18")).rungs
    heard = {name.partition("@")[0]: one for name, one in learned.said.items()}
    assert {name: one.right for name, one in heard.items()} == {"m0": True, "m1": False}
    assert heard["m0"].confidence == pytest.approx(0.3)
    assert heard["m1"].cost == 2 * 6  # GiB times tokens
    assert lessons.taught(record, lessons.Verdict(correct=False)).rungs == ()


def _with_memory(number: int):  # type: ignore[no-untyped-def]
    from tests.unit.coordinator.test_records import MEMBERS

    return MEMBERS[number]._replace(memory_bytes=(number + 1) * 2**30)
