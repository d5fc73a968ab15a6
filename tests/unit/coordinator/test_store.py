"""What was learned, in a real SQLite file and a real PostgreSQL."""

from __future__ import annotations

import json
import os
import signal
import stat
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from sqlalchemy import event, text, update

from quorate.errors import ConfigurationError, InvalidRequest, Unavailable
from services.coordinator.state import archive, learning, schema
from services.coordinator.state.learned import (
    NOTHING_LEARNED,
    AnswerItem,
    BallotItem,
    Changes,
    Evidence,
    JointChange,
    ModelKey,
    RecordChange,
    State,
    TogetherChange,
)
from services.coordinator.state.store import Kept, Lesson, Store

ATLAS = ModelKey("atlas", "a" * 64)
BOREAS = ModelKey("boreas", "b" * 64)
CHANGES = Changes(
    records=(
        RecordChange(ATLAS, "math", Evidence.TRUTH, 1, 0),
        RecordChange(BOREAS, "math", Evidence.TRUTH, 0.25, 0.75),
        RecordChange(BOREAS, "", Evidence.CONSENSUS, 0, 1),
    ),
    together=(TogetherChange((ATLAS, BOREAS), 0, 1),),
    joint=(JointChange((ATLAS, BOREAS), 0, 1, 0, 0),),
    ballots=(BallotItem(ATLAS, "math", 0.75, right=True),),
    answers=(AnswerItem("majority", "math", {"agreement": 0.5}, right=True),),
)


OPENED: list[Store] = []


@pytest.fixture(autouse=True)
def closing() -> Iterator[None]:
    yield
    while OPENED:
        OPENED.pop().close()


def opened(url: str, half_life: float = 1_000.0) -> Store:
    store = Store(url, half_life)
    OPENED.append(store)
    store.open()
    return store


def alike(one: State, other: State) -> bool:
    return all(
        getattr(one, table).keys() == getattr(other, table).keys()
        and all(
            tuple(counts) == pytest.approx(tuple(getattr(other, table)[key]))
            for key, counts in getattr(one, table).items()
        )
        for table in ("records", "together", "joint")
    )


def test_a_store_learns_what_the_pure_core_learns(database: str) -> None:
    store, state = opened(database, 10), NOTHING_LEARNED
    for _ in range(7):
        store.learn(CHANGES)
        state = learning.learn(state, CHANGES, 10)
    store.learn(CHANGES.plus(CHANGES).plus(CHANGES))  # many at once are as many one by one
    for _ in range(3):
        state = learning.learn(state, CHANGES, 10)
    assert alike(store.load(), state)
    store.close()
    assert alike(opened(database, 10).load(), state)


def test_coordinators_that_write_at_the_same_time_lose_nothing(database: str) -> None:
    opened(database).close()

    def write(_: int) -> None:
        store = opened(database, 1e9)
        for _ in range(25):
            store.learn(CHANGES)
        store.close()

    with ThreadPoolExecutor(6) as pool:
        list(pool.map(write, range(6)))
    store = opened(database)
    assert store.load().records[ATLAS, "math", Evidence.TRUTH].right == pytest.approx(150, rel=1e-6)
    assert store.load().together[ATLAS, BOREAS].different == pytest.approx(150, rel=1e-6)
    assert store.revision() == 150


def test_coordinators_that_start_at_the_same_time_make_the_tables_once(database: str) -> None:
    with ThreadPoolExecutor(6) as pool:
        stores = list(pool.map(lambda _: opened(database), range(6)))
    with stores[0].transaction(reading=True) as connection:
        assert schema.version_of(connection) == len(schema.MIGRATIONS)


def test_the_same_feedback_teaches_once_even_from_two_coordinators(database: str) -> None:
    store = opened(database, 1e9)
    lesson = Lesson("q1", 1.0, "truth 18", CHANGES)
    with ThreadPoolExecutor(4) as pool:
        taught = list(pool.map(lambda _: opened(database, 1e9).teach(lesson), range(4)))
    assert sorted(one.new for one in taught) == [False, False, False, True]
    assert {one.models for one in taught} == {("atlas", "boreas")}
    assert store.load().records[ATLAS, "math", Evidence.TRUTH].right == 1
    other = store.teach(Lesson("q1", 2.0, "truth 19", CHANGES))
    assert (other.new, other.said) == (False, "truth 18")


def test_records_are_found_again_and_dropped_by_count_and_by_age(database: str) -> None:
    store = opened(database)
    kept = [Kept(f"q{number}", float(number), b"body %d" % number) for number in range(10)]
    store.keep(kept[:9], CHANGES)
    store.keep(kept[9:], Changes())
    assert store.record("q3") == b"body 3"
    assert store.record("nobody") is None
    store.prune(most=4, oldest_seconds=8.0)
    found = [answer.question_id for answer in kept if store.record(answer.question_id)]
    assert found == ["q8", "q9"]
    store.prune(most=1, oldest_seconds=0.0)
    assert store.record("q8") is None
    assert store.record("q9") == b"body 9"


def test_only_the_newest_calibration_items_of_a_model_are_kept(
    database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("services.coordinator.state.store.MOST_ITEMS", 3)
    store = opened(database)
    for number in range(6):
        item = BallotItem(ATLAS, "", number / 10, right=True)
        store.learn(Changes(ballots=(item,), answers=CHANGES.answers))
    store.prune(10, 0.0)
    items = json.loads(archive.exported(store))["items"]
    features = [json.loads(item["features"]) for item in items if item["scope"] == "model"]
    assert features == [{"confidence": 0.3}, {"confidence": 0.4}, {"confidence": 0.5}]
    assert sum(item["scope"] == "answer" for item in items) == 3


def test_an_exported_state_is_imported_whole_and_exports_the_same_text(database: str) -> None:
    store = opened(database)
    store.learn(CHANGES)
    exported = archive.exported(store)
    state = store.load()
    archive.forgotten(store, "")
    assert store.load() == NOTHING_LEARNED
    revision = store.revision()
    assert archive.restored(store, exported) == 7
    assert store.load() == state
    assert archive.exported(store) == exported
    assert store.revision() > revision


def test_a_model_is_forgotten_with_all_its_pairs_and_the_others_stay(database: str) -> None:
    store = opened(database)
    store.learn(CHANGES)
    assert archive.forgotten(store, "atlas") == 4  # record, item and both pairs
    assert store.load().joint == {}
    assert {model.name for model, _, _ in store.load().records} == {"boreas"}
    assert archive.forgotten(store, "nobody") == 0


@pytest.mark.parametrize(
    ("spoil", "named"),
    [
        (lambda data: data.update(format="x"), "format"),
        (lambda data: data.update(version=9), "version"),
        (lambda data: data.pop("joint"), "state.joint"),
        (lambda data: data["records"][0].update(right_count=-1), "right_count"),
        (lambda data: data["records"][0].update(right_count=float("nan")), "right_count"),
        (lambda data: data["records"][0].update(evidence="hearsay"), "evidence"),
        (lambda data: data["records"][0].update(name="x" * 999), "name"),
        (lambda data: data["records"].append(data["records"][0]), "twice"),
        (lambda data: data["items"][0].update(features="[]"), "features"),
        (lambda data: data["items"][0].pop("topic"), r"items\[0\]"),
        (lambda data: data["items"][0].update(scope="nobody"), "scope"),
        (lambda data: data["items"][0].update(scope="model", features="{}"), "confidence"),
        (lambda data: data["joint"][0].update(first_name="zz"), "lesser"),
    ],
)
def test_an_archive_that_is_spoilt_is_refused_by_name_and_changes_nothing(
    sqlite: str, spoil, named: str
) -> None:  # type: ignore[no-untyped-def]
    store = opened(sqlite)
    store.learn(CHANGES)
    before = archive.exported(store)
    data = json.loads(before)
    spoil(data)
    with pytest.raises(InvalidRequest, match=named):
        archive.restored(store, json.dumps(data))
    assert archive.exported(store) == before


def test_what_is_not_json_is_no_archive(sqlite: str) -> None:
    with pytest.raises(InvalidRequest, match="JSON"):
        archive.restored(opened(sqlite), "weights: 3")


def test_a_database_of_a_newer_version_is_refused(database: str) -> None:
    store = opened(database)
    with store.transaction() as connection:
        version = update(schema.meta).where(schema.meta.c.key == "schema_version")
        connection.execute(version.values(value=99))
    store.close()
    with pytest.raises(ConfigurationError, match="version 99"):
        opened(database)


def test_an_older_database_is_brought_up_to_date_with_what_it_holds(database: str) -> None:
    store = opened(database)
    store.learn(CHANGES)
    steps = [*schema.MIGRATIONS, lambda c: c.execute(text("CREATE TABLE more (x INTEGER)"))]
    with store.transaction() as connection:
        assert schema.migrate(connection, steps) == 2
        assert schema.migrate(connection, steps) == 2
    with store.transaction() as connection:
        connection.execute(text("INSERT INTO more VALUES (1)"))
        assert schema.version_of(connection) == 2
    assert store.load().records


def test_a_migration_that_fails_leaves_the_database_as_it_was(database: str) -> None:
    store = opened(database)

    def broken(connection) -> None:  # type: ignore[no-untyped-def]
        connection.execute(text("CREATE TABLE half (x INTEGER)"))
        connection.execute(text("SELECT nonsense FROM nowhere"))

    with pytest.raises(Unavailable), store.transaction() as connection:
        schema.migrate(connection, [*schema.MIGRATIONS, broken])
    with store.transaction() as connection:
        assert schema.version_of(connection) == 1
        connection.execute(text("CREATE TABLE half (x INTEGER)"))  # it was rolled back


def test_the_file_and_its_log_belong_to_their_owner_alone(sqlite: str, tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        store = opened(sqlite)
        store.learn(CHANGES)
        files = list((tmp_path / "state").iterdir())
    finally:
        os.umask(before)
    assert {file.name for file in files} >= {"c1.sqlite", "c1.sqlite-wal"}
    for file in files:
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE((tmp_path / "state").stat().st_mode) == 0o700


def test_a_full_disk_is_a_clear_error_and_what_was_learned_before_stays(sqlite: str) -> None:
    store = opened(sqlite)
    store.learn(CHANGES)

    @event.listens_for(store.engine, "begin")
    def full(connection) -> None:  # type: ignore[no-untyped-def]
        connection.exec_driver_sql("PRAGMA max_page_count = 1")

    with pytest.raises(Unavailable, match="full"):
        store.keep([Kept("q1", 1.0, b"x" * 1_000_000)], Changes())
    event.remove(store.engine, "begin", full)
    store.close()
    assert opened(sqlite).load().records[ATLAS, "math", Evidence.TRUTH].right == 1
    opened(sqlite).learn(CHANGES)


def test_a_read_only_file_is_read_and_refuses_to_learn(sqlite: str, tmp_path: Path) -> None:
    store = opened(sqlite)
    store.learn(CHANGES)
    store.close()
    path = tmp_path / "state" / "c1.sqlite"
    readable = opened(f"sqlite:///file:{path}?mode=ro&uri=true")
    assert readable.load().records
    with pytest.raises(Unavailable, match="readonly"):
        readable.learn(CHANGES)


def test_a_file_that_is_no_database_is_a_clear_error(tmp_path: Path) -> None:
    path = tmp_path / "c1.sqlite"
    path.write_text("this is a letter, not a database; " * 100)
    with pytest.raises(Unavailable, match="not a database"):
        opened(f"sqlite:///{path}")


def test_a_directory_that_cannot_be_made_is_a_clear_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(Unavailable, match="cannot be made"):
        opened(f"sqlite:///{tmp_path}/file/below/c1.sqlite")


def test_a_database_that_does_not_answer_is_a_clear_error() -> None:
    with pytest.raises(Unavailable, match="cannot be read"):
        opened("postgresql+psycopg://nobody:secret@127.0.0.1:1/nothing")


@pytest.mark.parametrize("url", ["nonsense", "mysql://x/y", "oracle+what://x", "sqlite+x:///y"])
def test_a_url_of_no_known_database_is_refused(url: str) -> None:
    with pytest.raises(ConfigurationError, match="database"):
        Store(url)


def test_an_error_shows_no_password() -> None:
    with pytest.raises(Unavailable) as failure:
        opened("postgresql+psycopg://me:hunter2@127.0.0.1:1/nothing")
    assert "hunter2" not in str(failure.value)


WRITER = """
import sys
from tests.unit.coordinator.test_store import CHANGES, opened  # noqa
from services.coordinator.state.store import Kept
store = opened(sys.argv[1], 1e9)
number = 0
while True:
    store.keep([Kept(f"q{number}", 1.0, b"x" * 5000)], CHANGES)
    print(number, flush=True)
    number += 1
"""


def test_a_killed_writer_leaves_whole_transactions_and_a_usable_database(database: str) -> None:
    opened(database).close()
    arguments = [sys.executable, "-c", textwrap.dedent(WRITER), database]
    root = Path(__file__).parents[3]
    with subprocess.Popen(arguments, stdout=subprocess.PIPE, cwd=root) as writer:
        assert writer.stdout is not None
        told = [int(writer.stdout.readline()) for _ in range(30)]
        writer.send_signal(signal.SIGKILL)
        told += [int(line) for line in writer.stdout.read().split()]
    store = opened(database, 1e9)
    right = store.load().records[ATLAS, "math", Evidence.TRUTH].right
    assert round(right) >= told[-1] + 1  # all that was told of is there, and perhaps one more
    assert right == pytest.approx(store.revision(), rel=1e-6)
    assert store.record(f"q{told[-1]}")
    assert store.record(f"q{store.revision()}") is None
    store.learn(CHANGES)
