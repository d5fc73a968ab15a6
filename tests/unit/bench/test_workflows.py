"""Facts about the bench of workflows: what counts as right, and how jobs are done step by step."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import cast

import pytest

from services.bench.suites.jobs import templates
from services.bench.suites.suite import Item
from services.bench.suites.workflow import Job, item_of
from services.bench.suites.workflowbench import NAME, WorkflowBench
from services.bench.vote.asking import Asker, Way
from services.bench.vote.records import Ballot, Record, Records
from services.bench.workflows import document, playing, report
from services.bench.workflows.playing import Player
from services.bench.workflows.sections import Material, headline
from services.bench.workflows.study import Study

pytestmark = pytest.mark.anyio
JOBS = WorkflowBench(
    {name: templates.WITHIN_REACH[name] for name in ("ages_extremes", "fact_and_sum")}
).jobs("test", 8, 1)
DIAMOND = next(job for job in JOBS if job.shape == "diamond")


def ids(job: Job) -> Sequence[str]:
    return [item_of(NAME, job, step.id).id for step in job.subtasks]


def record(item: str, right: Mapping[str, bool], way: str = "w") -> Record:
    ballots = tuple(Ballot(f"n/{model}", model, "x", right=ok) for model, ok in right.items())
    return Record(way, item, ballots, answer="x" if ballots else "", right=any(right.values()))


def test_a_step_that_nobody_could_answer_is_wrong_for_every_model() -> None:
    told = {one: record(one, {"a": True, "b": False}) for one in ids(DIAMOND)}
    told[ids(DIAMOND)[2]] = record(ids(DIAMOND)[2], {})
    found = report.by_model(NAME, [DIAMOND], told)
    assert [one.right for one in found["a"]] == [True, True, False, True]
    assert [one.right for one in found["b"]] == [False] * 4


def test_a_step_that_was_not_asked_is_wrong() -> None:
    told = {one: record(one, {"a": True}) for one in ids(DIAMOND)[:2]}
    attempts = report.answered(NAME, [DIAMOND], told)
    assert [one.right for one in attempts] == [True, True, False, False]


def test_a_job_is_done_when_all_its_final_steps_are_right() -> None:
    branches = next(job for job in JOBS if job.shape == "branches")
    assert branches.finals == ("t1", "t3")
    for wrong, done in (("t2", True), ("t1", False), ("t3", False)):
        told = {
            item_of(NAME, branches, step.id).id: record("", {"a": step.id != wrong})
            for step in branches.subtasks
        }
        attempts = report.answered(NAME, [branches], told)
        assert report.jobs_done(attempts) == {branches.id: done}


def test_the_specialist_of_a_type_is_right_most_often_and_the_first_by_name() -> None:
    types = {step.task_type for step in DIAMOND.subtasks}
    told = {one: record(one, {"b": True, "a": True, "c": False}) for one in ids(DIAMOND)}
    told[ids(DIAMOND)[0]] = record(ids(DIAMOND)[0], {"a": False, "b": False, "c": True})
    best = report.best_by_type(report.by_model(NAME, [DIAMOND], told))
    assert best == {"extraction": "c", "math": "a"}
    assert set(best) == types


def test_shares_have_an_n_and_what_was_not_asked_has_none() -> None:
    told = {one: record(one, {"a": True}) for one in ids(DIAMOND)}
    shares = report.steps_right(report.answered(NAME, [DIAMOND], told), ("math", "code"))
    assert shares["code"] is None
    assert shares["math"] is not None
    assert (shares["math"].value, shares["math"].n) == (1.0, 3)


class Scripted:
    """Answers every step by a script, and keeps what it was asked: no model is needed for that."""

    def __init__(self, answers: Mapping[str, str]) -> None:
        self.asked: list[tuple[str, Item]] = []
        self._answers = answers

    async def ask(self, way: Way, item: Item) -> Record:
        self.asked.append((way.name, item))
        answer = self._answers.get(item.id.rpartition("/")[2], "")
        return Record(way.name, item.id, (), answer=answer)


def player(scripted: Scripted, records: Records) -> Player:
    return Player(NAME, cast("Asker", scripted), records)


async def test_a_step_reads_the_answers_that_came_before_and_not_the_gold(tmp_path: Path) -> None:
    scripted = Scripted({"t1": "[1, 2]", "t2": "2", "t3": "1", "t4": "1"})
    with Records(tmp_path / "r.jsonl") as records:
        await player(scripted, records).whole(DIAMOND, playing.alone("abacus"))
    last = scripted.asked[-1][1].question
    assert last == DIAMOND.asked("t4", {"t2": "2", "t3": "1"})
    assert [way for way, _ in scripted.asked] == ["alone/abacus"] * 4


async def test_a_step_whose_parent_has_no_answer_is_not_asked(tmp_path: Path) -> None:
    scripted = Scripted({"t1": "[1, 2]", "t2": "2"})
    with Records(tmp_path / "r.jsonl") as records:
        await player(scripted, records).whole(DIAMOND, playing.vote)
        assert len(records.of(playing.VOTE)) == len(scripted.asked) == 3


async def test_what_is_recorded_is_not_asked_again(tmp_path: Path) -> None:
    scripted = Scripted({"t1": "[1, 2]", "t2": "2", "t3": "1", "t4": "1"})
    with Records(tmp_path / "r.jsonl") as records:
        for _ in range(2):
            await player(scripted, records).whole(DIAMOND, playing.vote)
            await player(scripted, records).steps(DIAMOND, playing.STEPS)
    assert len(scripted.asked) == 8


async def test_on_its_own_a_step_reads_its_parents_gold(tmp_path: Path) -> None:
    scripted = Scripted({})
    with Records(tmp_path / "r.jsonl") as records:
        await player(scripted, records).steps(DIAMOND, playing.STEPS)
    assert [item for _, item in scripted.asked] == [
        item_of(NAME, DIAMOND, step.id) for step in DIAMOND.subtasks
    ]


def test_other_specialists_are_another_way() -> None:
    step = DIAMOND.subtasks[0]
    one = playing.specialists({"extraction": "scribe"})(step)
    other = playing.specialists({"extraction": "atlas"})(step)
    assert one.fields == {"models": ["scribe"]}
    assert one.name != other.name


def test_the_sections_make_tables(tmp_path: Path) -> None:
    study = Study(NAME, 53, 53, 3)
    with Records(tmp_path / "r.jsonl") as records:
        material = Material(study, records)
        for split, way in (("calibration", playing.CALIBRATION), ("test", playing.STEPS)):
            for job in study.jobs("calibration" if split == "calibration" else "test"):
                for one in ids(job):
                    records.add(record(one, {"abacus": True, "atlas": False}, way.name))
        for way_of in (playing.alone("abacus"), playing.specialists(material.specialists())):
            for job in study.jobs("test"):
                for step in job.subtasks:
                    item = item_of(NAME, job, step.id).id
                    records.add(record(item, {"abacus": True}, way_of(step).name))
        made = {**material.sections(), "machine": MACHINE}
    shown = {one.name: (one.value, one.peer_value) for one in headline(made)}
    assert shown == {
        "jobs done: specialists by type": (100.0, 100.0),
        "jobs done: majority of all": (0.0, 100.0),
    }
    written = {name: write(made) for name, write in document.SECTIONS.items()}
    assert "53 test jobs of workflowbench" in written["setting"]
    assert "| abacus | **100 [" in written["steps"]
    assert "| atlas | 0 [0, " in written["steps"]
    assert "| atlas | 0 [0, " in written["jobs"]
    assert "specialists finish 53 and abacus, the best single model, 53" in written["jobs"]


MACHINE = {"setup": "a mesh", "measured_at": "2026-11-21T00:00", "cores": 4, "processor": "X"}
