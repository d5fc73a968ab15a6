"""Facts about suites: items are held out, different, the same everywhere, and scored."""

from __future__ import annotations

from importlib import metadata

import pytest

from quorate.errors import ConfigurationError, InvalidRequest, NotFound
from services.bench.suites import pocket, registry
from services.bench.suites.pocket.scoring import plain
from services.bench.suites.pocket.suite import PocketSuite

SUITE = PocketSuite()
EVERY_TASK = pytest.mark.parametrize("task", SUITE.tasks)


@EVERY_TASK
def test_five_hundred_items_of_each_task_are_different(task: str) -> None:
    drawn = SUITE.items(task, "test", 500, 42)
    assert len({item.id for item in drawn}) == len({item.question for item in drawn}) == 500


@EVERY_TASK
def test_calibration_and_test_share_no_item_whatever_the_seeds(task: str) -> None:
    calibration = SUITE.items(task, "calibration", 200, 1)
    test = [*SUITE.items(task, "test", 200, 1), *SUITE.items(task, "test", 200, 2)]
    assert not {item.id for item in calibration} & {item.id for item in test}
    assert not {plain(item.question) for item in calibration} & {plain(i.question) for i in test}
    assert not {item.cluster for item in calibration} & {item.cluster for item in test}


@EVERY_TASK
def test_no_item_is_of_the_content_that_models_are_trained_on(task: str) -> None:
    trained = {f"{task}|{item.key}" for item in pocket.items(task, "train", 3, 1_000)}
    assert not trained & {item.cluster for item in SUITE.items(task, "test", 300, 3)}


@EVERY_TASK
def test_a_seed_draws_the_same_items_and_more_go_on_from_them(task: str) -> None:
    assert SUITE.items(task, "test", 100, 7)[:40] == SUITE.items(task, "test", 40, 7)
    assert SUITE.items(task, "test", 40, 7) != SUITE.items(task, "test", 40, 8)


def test_an_id_never_changes() -> None:
    assert SUITE.items("arithmetic", "test", 1, 42)[0].id == "pocket/arithmetic/569100b324c1"


@EVERY_TASK
def test_gold_is_right_and_silence_is_wrong(task: str) -> None:
    for item in SUITE.items(task, "test", 6, 5):
        assert SUITE.right(item, item.gold)
        assert not SUITE.right(item, "")


def test_a_task_that_is_not_there_is_refused_with_the_nearest_name() -> None:
    with pytest.raises(InvalidRequest, match="arithmetic"):
        SUITE.items("aritmetic", "test", 1, 1)


def test_more_items_than_there_are_are_refused_by_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("services.bench.suites.pocket.suite.DRAWS_PER_ITEM", 1)
    with pytest.raises(InvalidRequest, match="python has about"):
        SUITE.items("python", "test", 50, 1)


def test_suites_are_found_by_name() -> None:
    assert registry.find("pocket").name == "pocket"
    with pytest.raises(NotFound, match="pocket"):
        registry.find("poket")


def entry(monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
    point = metadata.EntryPoint(name, value, registry.GROUP)
    monkeypatch.setattr(
        metadata, "entry_points", lambda group: [point] if group == point.group else []
    )


def test_an_installed_package_adds_a_suite(monkeypatch: pytest.MonkeyPatch) -> None:
    entry(monkeypatch, "mine", "services.bench.suites.pocket.suite:PocketSuite")
    assert isinstance(registry.find("mine"), PocketSuite)


@pytest.mark.parametrize(
    ("name", "value", "told"),
    [
        ("pocket", "services.bench.suites.pocket.suite:PocketSuite", "another name"),
        ("gone", "services.bench.suites.nowhere:Suite", "gone"),
        ("none", "services.bench.suites.pocket:TASKS", "no tasks, right"),
    ],
)
def test_a_suite_that_cannot_be_used_is_named(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str, told: str
) -> None:
    entry(monkeypatch, name, value)
    with pytest.raises(ConfigurationError, match=told):
        registry.suites()
