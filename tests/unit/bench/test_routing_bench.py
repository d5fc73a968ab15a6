"""The study of planning: what is read from events, replayed without a mesh, and told of both."""

from __future__ import annotations

import json

import pytest

from quorate.answers import Kind
from quorate.v1 import common_pb2, coordinator_pb2
from services.bench.routing import __main__ as command
from services.bench.routing import document, report, tallies
from services.bench.routing.arms import AHEAD, BASELINE, MIXES, WORKFLOW
from services.bench.routing.asked import NotAsked, recorded
from services.bench.routing.asking import held_bytes
from services.bench.routing.facts import Facts, Worth
from services.bench.routing.live import mix_turns, workflow_turns
from services.bench.routing.outcome import Outcome, Reply, StepTold
from services.bench.routing.replay_report import Replays, Tables
from services.bench.routing.replaying import ARGMAX, MODES, Bench, layers_of, planner
from services.bench.routing.study import Study
from services.bench.routing.timeline import Timeline, loads, switch_cost
from services.bench.suites.workflow import Job, Step
from services.bench.vote.records import Keeper

pytestmark = pytest.mark.anyio

LOAD = coordinator_pb2.Residency.KIND_LOAD
UNLOAD = coordinator_pb2.Residency.KIND_UNLOAD
GOOD, ALL_ROUND, BAD = "good", "all-round", "bad"
SIZE = 60
FACTS = Facts(
    budget_bytes=130,
    memory_bytes={"adds": SIZE, "codes": SIZE, "both": SIZE},
    switch_cost={"adds": 0.04, "codes": 0.04, "both": 0.04},
    worths=tuple(
        Worth(kind, tokens, model, reliability, 0.05)
        for kind, tokens, worth in (
            ("math", 64, {"adds": 0.9, "codes": 0.2, "both": 0.6}),
            ("code", 96, {"adds": 0.2, "codes": 0.9, "both": 0.6}),
        )
        for model, reliability in worth.items()
    ),
)
STUDY = Study(live=6, mixed=8, replayed=6, seed=3)


def step(name: str, kind: str, *parents: str) -> Step:
    tokens = 96 if kind == "code" else 64
    return Step(name, f"do {name}", parents, kind, "1", Kind.NUMBER, tokens, "easy")


def job(number: int, *steps: Step) -> Job:
    return Job(f"j{number}", f"template{number % 3}", f"c{number}", "do it", steps)


def chain(number: int) -> Job:
    return job(number, step("t1", "math"), step("t2", "code", "t1"), step("t3", "math", "t1", "t2"))


def estimate(model: str, cost: float) -> coordinator_pb2.Estimate:
    return coordinator_pb2.Estimate(subtask_id="t1", node="n1", model=model, switch_cost=cost)


def planned(layer: int, part: str, costs: dict[str, float], *moves) -> coordinator_pb2.PlanStep:
    routing = coordinator_pb2.Routing(
        estimates=[estimate(model, cost) for model, cost in costs.items()], residency=moves
    )
    return coordinator_pb2.PlanStep(layer=layer, subtask_ids=[part], routing=routing)


def move(model: str, kind: int = LOAD, **more: object) -> coordinator_pb2.Residency:
    return coordinator_pb2.Residency(kind=kind, node="n1", model=model, **more)


def ballot(part: str, first: float, total: float) -> common_pb2.Ballot:
    times = common_pb2.Timings(time_to_first_token_seconds=first, total_seconds=total)
    return common_pb2.Ballot(part_id=part, timings=times)


def told(**event: object) -> coordinator_pb2.AskStreamResponse:
    return coordinator_pb2.AskStreamResponse(**event)


def test_time_is_split_into_planning_waiting_and_the_rest() -> None:
    line = Timeline(frozenset({"a"}))
    first = planned(0, "t1", {"a": 0.0, "b": 0.3, "c": 0.3}, move("b"), move("c", ahead=True))
    for at, event in (
        (0.25, told(plan_step=first)),
        (0.75, told(residency=move("b", done=True, seconds=0.5))),
        (1.25, told(ballot=ballot("t1", 0.5, 1.0))),
        (1.25, told(part=coordinator_pb2.Part())),
        (1.375, told(residency=move("c", done=True, seconds=0.5, ahead=True))),
        (1.5, told(plan_step=planned(1, "t2", {"a": 0.3, "b": 0.0, "c": 0.0, "p": 0.0}))),
        (1.75, told(ballot=ballot("t2", 0.125, 0.25))),
        (1.75, told(part=coordinator_pb2.Part())),
    ):
        line.hear(event, at)
    assert line.planning == 0.25 + 0.25
    assert line.waiting == 0.5 + 0.125
    assert line.decided_at == 1.75
    assert [one.model for one in loads(line.moves)] == ["b", "c"]
    assert line.hidden == 1  # p came without any plan
    assert switch_cost(first) == pytest.approx(0.3)  # what is loaded ahead is not paid for yet


def test_what_was_unloaded_and_is_back_was_loaded_unseen() -> None:
    line = Timeline(frozenset({"p"}))
    line.hear(told(plan_step=planned(0, "t1", {"p": 0.0}, move("p", UNLOAD), move("a"))), 0.1)
    line.hear(told(plan_step=planned(1, "t2", {"p": 0.0, "a": 0.0})), 0.2)
    assert line.hidden == 1


def test_a_load_that_failed_is_none() -> None:
    assert loads([move("a", problem="no room"), move("b", UNLOAD)]) == []


def test_the_memory_held_is_what_is_promised_or_measured() -> None:
    ready, gone = common_pb2.MODEL_STATE_READY, common_pb2.MODEL_STATE_AVAILABLE
    models = [
        common_pb2.ModelInfo(name="a", state=ready, memory_bytes=10, resident_bytes=12),
        common_pb2.ModelInfo(name="b", state=ready, memory_bytes=10, resident_bytes=8),
        common_pb2.ModelInfo(name="c", state=gone, memory_bytes=99),
    ]
    assert held_bytes(common_pb2.NodeStatus(models=models)) == 22


def test_layers_hold_what_reads_earlier_layers_alone() -> None:
    made = job(0, step("t1", "math"), step("t2", "math"), step("t3", "code", "t1"))
    assert [[one.id for one in layer] for layer in layers_of(made)] == [["t1", "t2"], ["t3"]]


def right_of(jobs: list[Job]) -> dict[tuple[str, str, str], bool]:
    expert = {"math": "adds", "code": "codes"}
    return {
        (one.id, part.id, model): model == expert[part.task_type] or one.id == "j1"
        for one in jobs
        for part in one.subtasks
        for model in FACTS.memory_bytes
    }


async def test_memory_carries_over_from_layer_to_layer_and_job_to_job() -> None:
    jobs = [chain(number) for number in range(3)]
    bench = Bench(FACTS, right_of(jobs))
    first, second, _ = await bench.all_jobs(jobs, planner("mip"))
    assert first.workers == {"t1": "adds", "t2": "codes", "t3": "adds"}
    assert [layer.loads for layer in first.layers] == [("adds",), ("codes",), ()]
    assert second.before == {"adds", "codes"}
    assert [layer.switch_cost for layer in second.layers] == [0.0, 0.0, 0.0]


async def test_hindsight_is_never_beaten_and_the_argmax_breaks_the_memory() -> None:
    wide = job(0, step("t1", "math"), step("t2", "code"), step("t3", "math"))
    narrow = Facts(110, FACTS.memory_bytes, FACTS.switch_cost, FACTS.worths)
    bench = Bench(narrow, right_of([wide]))
    (best,) = await bench.all_jobs([wide], bench.hindsight())
    (broken,) = await bench.all_jobs([wide], planner(ARGMAX))
    assert broken.layers[0].violations == 1
    for mode in ("mip", "lp_relaxed", "greedy", "round_robin", "random"):
        (one,) = await bench.all_jobs([wide], planner(mode))
        assert one.layers[0].violations == 0
        assert one.layers[0].realised <= best.layers[0].realised + 1e-9


async def test_a_reply_is_asked_for_once_and_is_missed_where_nobody_can_be_asked(
    tmp_path,
) -> None:
    asked = []

    async def model(messages: object, schema: str) -> str:
        asked.append(messages)
        return json.dumps({"t1": "both"})

    made = job(0, step("t1", "math"))
    bench = Bench(FACTS, right_of([made, chain(1)]))
    with Keeper(tmp_path / "replies.jsonl", Reply) as replies:
        plan = planner("model", recorded(replies, model))
        (first,) = await bench.all_jobs([made], plan)
        (again,) = await bench.all_jobs([made], plan)
        assert first == again
        assert (first.workers, first.layers[0].own, len(asked)) == ({"t1": "both"}, True, 1)
        with pytest.raises(NotAsked):
            await bench.all_jobs([chain(1)], planner("model", recorded(replies, None)))


async def replays() -> tuple[list[Job], Tables]:
    async def model(messages: object, schema: str) -> str:
        parts = json.loads(schema)["properties"]
        return json.dumps(dict.fromkeys(parts, "both"))

    jobs = [chain(number) for number in range(6)]
    right = right_of(jobs)
    bench = Bench(FACTS, right)
    own = {mode: await bench.all_jobs(jobs, planner(mode, model)) for mode in MODES}
    found = Replays(own, own, await bench.all_jobs(jobs, bench.hindsight()), own)
    return jobs, Tables(jobs, right, found, 1)


async def test_who_was_better_is_counted_where_they_differ() -> None:
    _, tables = await replays()
    made = tables.sections()
    pair = made["predecessor"]
    assert (pair["mode"], pair["other"]) == ("lp_relaxed", "model")
    assert pair["routing_divergence"]["value"] == 1.0
    assert pair["differ"]["n"] == 18
    assert (pair["differ"]["only_ours"], pair["differ"]["only_theirs"]) == (15, 0)
    assert (pair["jobs_won"], pair["jobs_lost"]) == (5, 0)
    rows = {one["mode"]: one for one in made["rows"]}
    assert rows["model"]["avg_score"]["value"] == pytest.approx(3 / 18)
    assert rows["model"]["oracle_gap"]["value"] == pytest.approx(15 / 18)
    assert rows["mip"]["hindsight_gap"]["value"] == pytest.approx(0.0, abs=1e-2)
    assert next(one for one in made["use"] if one["mode"] == "model")["both"] == 1.0


def outcome(arm: str, name: str, *right: bool, seconds: float = 1.0) -> Outcome:
    steps = tuple(StepTold(f"t{i}", "abacus", "x", one, 5) for i, one in enumerate(right, 1))
    return Outcome(arm, name, steps, seconds=seconds, swaps=1, plans=2, waiting=seconds / 2)


def test_a_step_that_nobody_answered_is_wrong_and_the_job_is_not_done() -> None:
    done = tallies.Done(chain(0), outcome("mip", "j0", True, True))
    assert done.right == {"t1": True, "t2": True, "t3": False}
    assert (done.finished, done.share) == (False, pytest.approx(2 / 3))


@pytest.fixture
def kept(tmp_path):
    with Keeper(tmp_path / "outcomes.jsonl", Outcome) as keeper:
        for turn in workflow_turns(STUDY):
            right = [turn.arm != "random"] * len(turn.parts)
            seconds = 0.5 if turn.arm == AHEAD else 1.0
            keeper.add(outcome(turn.arm, turn.job, *right, seconds=seconds))
        for turn in mix_turns(STUDY):
            keeper.add(outcome(turn.arm, turn.job, "grouped" in turn.arm))
        yield keeper


def test_every_arm_does_every_job_in_an_order_of_its_own() -> None:
    turns = list(workflow_turns(STUDY))
    arms = [arm.name for arm in WORKFLOW]
    orders = {tuple(turn.arm for turn in turns[at : at + 7]) for at in range(0, len(turns), 7)}
    assert all(sorted(order) == sorted(arms) for order in orders)
    assert len(orders) > 1
    asked = {
        one.arm.name: [t.job for t in mix_turns(STUDY) if t.arm == one.arm.name] for one in MIXES
    }
    assert len({tuple(sorted(jobs)) for jobs in asked.values()}) == 1  # the same questions
    assert len({tuple(jobs) for jobs in asked.values()}) == 2  # in two orders


def test_arms_are_compared_with_the_exact_plan_on_the_same_jobs(kept) -> None:
    made = report.live(STUDY, kept)
    pairs = {one["mode"]: one for one in made["pairs"]}
    assert BASELINE not in pairs
    assert pairs["random"]["avg_score"]["value"] == -1.0
    assert (pairs["random"]["jobs_won"], pairs["random"]["jobs_lost"]) == (0, 6)
    assert pairs[AHEAD]["seconds"]["value"] == -0.5
    assert pairs["greedy"]["p"]["seconds"] == 1.0
    assert {one["jobs"] for one in made["rows"]} == {6}


async def test_every_section_is_written_and_the_csv_has_the_known_fields(kept) -> None:
    _, tables = await replays()
    sections = {
        "study": STUDY.described(),
        "live": report.live(STUDY, kept),
        "mixed": report.mixed(STUDY, kept),
        "replayed": tables.sections(),
    }
    machine = {"setup": "s", "measured_at": "2026-01-01T", "cores": 4, "processor": "p"}
    result = json.loads(json.dumps({"machine": machine, **sections}))
    for name, write in document.SECTIONS.items():
        text = write(result)
        assert "nan" not in text, name
        rows = [line for line in text.splitlines() if line.startswith("|")]
        assert all(line.count(" | ") == rows[0].count(" | ") for line in rows[:1] + rows[2:3])
    lines = report.table(result).splitlines()
    assert lines[0].split(",") == list(report.COLUMNS)
    assert len(lines) == 1 + len(WORKFLOW) + len(MODES)
    ours = next(one for one in report.headline(sections) if "ahead" in one.name and one.goal)
    assert (ours.ratio, ours.holds) == (0.5, True)


def test_too_few_jobs_are_refused(monkeypatch, capsys) -> None:
    monkeypatch.setattr("sys.argv", ["routing", "--jobs", "1"])
    with pytest.raises(SystemExit):
        command.main()
    assert "--jobs is 1; it must be at least 2" in capsys.readouterr().err
