"""What a coordinator remembers over restarts, beside others, and when its database fails."""

from __future__ import annotations

import asyncio
import json
import logging
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from quorate import errors
from quorate.records import read, replay
from quorate.v1 import coordinator_pb2 as wire
from services.coordinator.state import archive
from services.coordinator.state.judgement import FEWEST_ANSWERS
from services.coordinator.state.learned import (
    AnswerItem,
    BallotItem,
    Changes,
    Evidence,
    ModelKey,
    RecordChange,
)
from services.coordinator.state.store import Store

pytestmark = pytest.mark.anyio

SUM = "What is 6 + 12?"
ALL = wire.STOP_RULE_NEVER


async def learned(mesh, **options: object) -> wire.GetLearnedResponse:
    return await mesh.client.GetLearned(wire.GetLearnedRequest(**options))


async def started(mesh, script) -> None:
    await mesh.node(
        "n1",
        atlas=script.says("Answer: 18", logprob=-0.1),
        boreas=script.says("Answer: 18", logprob=-0.2),
        corvus=script.says("Answer: 17", logprob=-0.3),
    )


def filled(path: Path, changes: Changes) -> str:
    """Make a database that has learned something already."""
    url = f"sqlite:///{path / 'c1.sqlite'}"
    store = Store(url)
    store.open()
    store.learn(changes)
    store.close()
    return url


def answers(count: int, wrong: int) -> Changes:
    """Items of a strategy whose unanimous answers were right but for some."""
    features = {"share": 1.0, "agreement": 1.0, "margin": 1.0, "effective_votes": 2.0}
    unsure = {"share": 0.4, "agreement": 0.4, "margin": 0.1, "effective_votes": 2.0}
    rights = [AnswerItem("majority", "math", features, True) for _ in range(count - wrong)]
    wrongs = [AnswerItem("majority", "math", unsure, False) for _ in range(wrong)]
    mixed = [item for pair in zip(rights, wrongs, strict=False) for item in pair]
    return Changes(answers=(*mixed, *rights[wrong:]))


async def test_what_was_learned_survives_a_restart(make_mesh, script, tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'c1.sqlite'}"
    async with AsyncExitStack() as stack:
        mesh = make_mesh(stack)
        await mesh.start(database=url)
        await started(mesh, script)
        asked = await mesh.ask(SUM, stop_rule=ALL)
        before = await learned(mesh)
    async with AsyncExitStack() as stack:
        mesh = make_mesh(stack)
        await mesh.start(database=url)
        again = await learned(mesh)
        assert again == before  # durations and all
        assert len(again.pairs) == 3
        feedback = wire.FeedbackRequest(question_id=asked.question_id, ground_truth="18")
        assert len((await mesh.client.Feedback(feedback)).models) == 3
        assert len((await learned(mesh)).reliabilities) == 3


async def test_without_a_setting_the_database_lies_in_the_state_directory(
    bare_mesh, script, tmp_path: Path
) -> None:
    await bare_mesh.start(database="", state_directory=tmp_path / "state")
    await started(bare_mesh, script)
    await bare_mesh.ask(SUM)
    await learned(bare_mesh)
    assert (tmp_path / "state" / "c1.sqlite").stat().st_mode & 0o777 == 0o600


async def test_coordinators_that_share_a_database_learn_from_each_other(
    bare_mesh, make_mesh, script, tmp_path: Path
) -> None:
    url = f"sqlite:///{tmp_path / 'shared.sqlite'}"
    await bare_mesh.start(database=url)
    await started(bare_mesh, script)
    async with AsyncExitStack() as stack:
        other = make_mesh(stack)
        await other.start(database=url)
        asked = [await bare_mesh.ask(SUM, stop_rule=ALL) for _ in range(4)]
        await learned(bare_mesh)

        async def tell(mesh, question_id: str) -> None:
            await mesh.client.Feedback(
                wire.FeedbackRequest(question_id=question_id, ground_truth="18")
            )

        async with asyncio.TaskGroup() as group:
            for number, one in enumerate(asked):
                group.create_task(tell((bare_mesh, other)[number % 2], one.question_id))
        for mesh in (bare_mesh, other):
            rows = (await learned(mesh)).reliabilities
            assert [round(row.right + row.wrong, 1) for row in rows] == [4.0, 4.0, 4.0]


async def test_a_strategy_gets_what_was_learned_and_the_record_keeps_it(
    bare_mesh, script, tmp_path: Path
) -> None:
    url = filled(
        tmp_path,
        Changes(
            records=(
                RecordChange(ModelKey("atlas"), "math", Evidence.TRUTH, 1, 30),
                RecordChange(ModelKey("boreas"), "math", Evidence.TRUTH, 1, 30),
                RecordChange(ModelKey("corvus"), "math", Evidence.TRUTH, 30, 1),
            )
        ),
    )
    await bare_mesh.start(database=url)
    await started(bare_mesh, script)
    asked = await bare_mesh.ask(SUM, strategy="ow", stop_rule=ALL)
    assert asked.answer == "17"  # two that are mostly wrong against one that is mostly right
    admin = await bare_mesh.admin()
    got = await admin.GetRecord(wire.GetRecordRequest(question_id=asked.question_id))
    record = read(got.record.encode())
    assert record.parts[0].knowledge.overall["corvus"] == (30, 1)
    # The record decides it again from itself, after more was learned.
    [part] = replay(record)
    assert part.same
    assert part.answer == "17"
    assert replay(record, "majority")[0].answer == "18"


@pytest.mark.parametrize("strategy", ["majority", "weighted", "isp", "decorrelated", "debate"])
async def test_every_record_replays_the_same(mesh, script, strategy: str) -> None:
    await started(mesh, script)
    asked = await mesh.ask(SUM, strategy=strategy, ground_truth="18")
    admin = await mesh.admin()
    got = await admin.GetRecord(wire.GetRecordRequest(question_id=asked.question_id))
    [part] = replay(read(got.record.encode()))
    assert part.same
    assert (part.answer, part.text) == (asked.parts[0].answer, asked.parts[0].text)
    assert part.explanation == asked.parts[0].explanation


async def test_uncalibrated_answers_are_withheld_where_a_risk_is_named(mesh, script) -> None:
    await started(mesh, script)
    asked = await mesh.ask(SUM, error_risk=0.05)
    assert asked.abstained
    assert (asked.answer, asked.parts[0].answer, asked.parts[0].text) == ("", "", "")
    assert "uncalibrated" in asked.reason
    assert f"{FEWEST_ANSWERS} items are missing" in asked.reason
    assert not asked.calibrated
    assert not asked.parts[0].HasField("error")
    assert (await mesh.ask(SUM)).answer == "18"


async def test_a_calibrated_answer_tells_its_error_and_is_given_where_that_is_small_enough(
    bare_mesh, script, tmp_path: Path
) -> None:
    await bare_mesh.start(database=filled(tmp_path, answers(800, 200)))
    await bare_mesh.node("n1", atlas=script.says("Answer: 18"), boreas=script.says("Answer: 18"))
    asked = await bare_mesh.ask(SUM, error_risk=0.05, stop_rule=ALL)
    assert (asked.answer, asked.abstained, asked.calibrated) == ("18", False, True)
    part = asked.parts[0]
    assert part.error == pytest.approx(1 - part.confidence)
    assert part.error < 0.05


async def test_an_answer_that_is_too_risky_is_withheld_and_says_why(
    bare_mesh, script, tmp_path: Path
) -> None:
    await bare_mesh.start(database=filled(tmp_path, answers(800, 200)))
    await started(bare_mesh, script)
    await bare_mesh.node("n2", dorado=script.says("Answer: 16"), eos=script.says("Answer: 15"))
    asked = await bare_mesh.ask(SUM, error_risk=0.05, stop_rule=ALL)
    assert asked.abstained
    assert asked.calibrated
    assert asked.parts[0].error > 0.3
    assert "not sure" in asked.reason


async def test_a_ballots_confidence_is_calibrated_by_its_own_models_items(
    bare_mesh, script, tmp_path: Path
) -> None:
    items = [BallotItem(ModelKey("atlas"), "", 0.9, number % 4 == 0) for number in range(200)]
    await bare_mesh.start(database=filled(tmp_path, Changes(ballots=tuple(items))))
    await started(bare_mesh, script)
    asked = await bare_mesh.ask(SUM, stop_rule=ALL)
    atlas, boreas, _ = asked.parts[0].ballots
    assert atlas.calibrated
    assert atlas.confidence == pytest.approx(0.25, abs=0.01)  # it said 0.9
    assert not boreas.calibrated
    assert boreas.confidence == pytest.approx(0.82, abs=0.01)
    admin = await bare_mesh.admin()
    got = await admin.GetRecord(wire.GetRecordRequest(question_id=asked.question_id))
    kept = read(got.record.encode()).parts[0].ballots[0]
    assert kept.raw_confidence == pytest.approx(0.905, abs=0.001)


async def test_effective_votes_count_copies_of_one_file_once(mesh, script) -> None:
    for name in ("n1", "n2", "n3"):
        await mesh.node(name, atlas=script.says("Answer: 18"))
    part = (await mesh.ask(SUM, stop_rule=ALL)).parts[0]
    assert part.effective_votes == pytest.approx(1.0)
    await mesh.node("n4", boreas=script.says("Answer: 18"))
    assert 1.0 < (await mesh.ask(SUM, stop_rule=ALL)).parts[0].effective_votes < 2.0


async def test_a_full_disk_loses_lessons_loudly_and_answers_go_on(
    bare_mesh, script, tmp_path: Path, caplog
) -> None:
    from sqlalchemy import event

    from services.coordinator.state import database

    made = database.engine_of

    def small(url: str):  # type: ignore[no-untyped-def]
        engine = made(url)

        @event.listens_for(engine, "begin")
        def full(connection) -> None:  # type: ignore[no-untyped-def]
            connection.exec_driver_sql("PRAGMA max_page_count = 1")

        return engine

    url = filled(tmp_path, Changes())
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("services.coordinator.state.store.engine_of", small)
        await bare_mesh.start(database=url)
    long = "because " * 20_000
    await bare_mesh.node("n1", atlas=script.says(long, "Answer: 18"))
    with caplog.at_level(logging.ERROR):
        for _ in range(3):
            asked = await bare_mesh.ask(SUM, ground_truth="18")
            assert asked.answer == "18"
    assert "is lost" in caplog.text
    assert "full" in caplog.text
    row = {"name": "m", "sha256": "", "evidence": "truth", "right_count": 1, "wrong_count": 1}
    rows = [{**row, "topic": f"{number}-{'x' * 50}"} for number in range(3_000)]
    state = {"format": "quorate-learned", "version": 1, "records": rows}
    state |= {"together": [], "joint": [], "items": []}
    with pytest.raises(errors.Unavailable, match="full"):
        await (await bare_mesh.admin()).ImportLearned(
            wire.ImportLearnedRequest(state=json.dumps(state))
        )


async def test_a_database_that_is_away_at_the_start_does_not_keep_answers_back(
    bare_mesh, script, tmp_path: Path, caplog
) -> None:
    (tmp_path / "state").write_text("a file where a directory should be")
    await bare_mesh.start(database=f"sqlite:///{tmp_path / 'state' / 'c1.sqlite'}")
    await started(bare_mesh, script)
    asked = await bare_mesh.ask(SUM, ground_truth="18")
    assert asked.answer == "18"
    assert "what was learned before is not known" in caplog.text
    with pytest.raises(errors.Unavailable, match="cannot be made"):
        await bare_mesh.client.Feedback(
            wire.FeedbackRequest(question_id=asked.question_id, ground_truth="18")
        )
    (tmp_path / "state").unlink()  # it is mended, and what comes from now on is kept
    asked = await bare_mesh.ask(SUM, ground_truth="18")
    assert (await learned(bare_mesh)).reliabilities


async def test_a_database_of_a_newer_version_keeps_the_coordinator_from_starting(
    bare_mesh, tmp_path: Path
) -> None:
    url = filled(tmp_path, Changes())
    store = Store(url)
    with store.transaction() as connection:
        connection.exec_driver_sql(
            "UPDATE quorate_meta SET value = 99 WHERE key = 'schema_version'"
        )
    store.close()
    with pytest.raises(errors.ConfigurationError, match="version 99"):
        await bare_mesh.start(database=url)


async def test_learned_state_is_exported_reset_and_imported_by_an_admin(mesh, script) -> None:
    await started(mesh, script)
    await mesh.ask(SUM, ground_truth="18", stop_rule=ALL)
    admin = await mesh.admin()
    exported = (await admin.ExportLearned(wire.ExportLearnedRequest())).state
    before = await learned(mesh)
    assert (await admin.ResetLearned(wire.ResetLearnedRequest(model="atlas"))).rows > 0
    assert {row.model for row in (await learned(mesh)).reliabilities} == {"boreas", "corvus"}
    await admin.ResetLearned(wire.ResetLearnedRequest())
    assert await learned(mesh) == wire.GetLearnedResponse()
    await admin.ImportLearned(wire.ImportLearnedRequest(state=exported))
    after = await learned(mesh)
    assert (after.reliabilities, after.pairs) == (before.reliabilities, before.pairs)
    assert json.loads(exported)["format"] == archive.FORMAT
    assert len((await learned(mesh, topic="math")).reliabilities) == 3
    assert not (await learned(mesh, topic="code")).reliabilities


@pytest.mark.parametrize(
    ("method", "request_"),
    [
        ("ResetLearned", wire.ResetLearnedRequest()),
        ("ExportLearned", wire.ExportLearnedRequest()),
        ("ImportLearned", wire.ImportLearnedRequest(state="{}")),
        ("GetRecord", wire.GetRecordRequest(question_id="q")),
    ],
)
async def test_a_client_may_neither_change_what_was_learned_nor_read_what_others_asked(
    mesh, method: str, request_
) -> None:
    with pytest.raises(errors.NotPermitted):
        await getattr(mesh.client, method)(request_)


async def test_records_without_texts_hold_none_of_the_question(bare_mesh, script, tmp_path) -> None:
    url = f"sqlite:///{tmp_path / 'c1.sqlite'}"
    await bare_mesh.start(database=url, record_texts=False)
    await bare_mesh.node("n1", atlas=script.says("The swordfish says so. Answer: 18"))
    asked = await bare_mesh.ask("What is 6 + 12, my dear swordfish?", ground_truth="18")
    admin = await bare_mesh.admin()
    got = await admin.GetRecord(wire.GetRecordRequest(question_id=asked.question_id))
    assert "swordfish" not in got.record
    assert [row.right for row in (await learned(bare_mesh)).reliabilities] == [1]
    for file in tmp_path.iterdir():
        assert b"swordfish" not in file.read_bytes()
