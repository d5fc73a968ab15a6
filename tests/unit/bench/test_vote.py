"""Facts about the bench of votes: records survive, replays are honest, nothing leaks."""

from __future__ import annotations

import asyncio
from itertools import permutations
from pathlib import Path
from random import Random

import pytest

from quorate.answers import Kind
from services.bench import load
from services.bench.suites.pocket.suite import PocketSuite
from services.bench.suites.suite import Item
from services.bench.vote import baselines, confidence, document, live, replay, stops, tables
from services.bench.vote.asking import Way, question
from services.bench.vote.cases import Case
from services.bench.vote.learned import learn
from services.bench.vote.records import Ballot, Record, Records

MEMBERS = ("n1/abacus", "n1/atlas", "n2/forge", "n2/scribe", "n3/compass")
MORE = (*MEMBERS, "n3/marshal", "n4/a", "n4/b", "n5/c")


def item(number: int, task: str = "arithmetic") -> Item:
    return Item(f"i{number}", task, "What is 9 + 9?", "18", Kind.NUMBER, f"c{number}")


def case(number: int, *said: str, task: str = "arithmetic", tokens: int = 10) -> Case:
    ballots = tuple(
        Ballot(
            member,
            member.partition("/")[2],
            f"Answer: {text}" if text else "",
            valid=bool(text),
            confidence=0.9,
            tokens=tokens,
            seconds=0.1,
            right=text == "18",
        )
        for member, text in zip(MORE, said, strict=False)
    )
    return Case(item(number, task), ballots, 0.5)


def mixed(count: int, seed: int = 1, voters: tuple[str, ...] = MEMBERS) -> list[Case]:
    random = Random(seed)
    return [
        case(number, *("18" if random.random() < 0.7 else random.choice("12") for _ in voters))
        for number in range(count)
    ]


def a_replay(*calibration: Case) -> replay.Replay:
    return replay.Replay(PocketSuite(), learn(calibration or mixed(30), {}))


def test_a_record_is_there_again_after_a_crash(tmp_path: Path) -> None:
    record = Record("w", "i1", case(1, "18", "17").ballots, answer="18", right=True)
    with Records(tmp_path / "r.jsonl") as records:
        records.add(record)
    with Records(tmp_path / "r.jsonl") as records:
        assert records.has("w", "i1")
        assert records.of("w") == {"i1": record}
        assert not records.has("w", "i2")


def test_a_line_that_was_cut_off_is_recorded_again_and_does_no_harm(tmp_path: Path) -> None:
    path = tmp_path / "r.jsonl"
    with Records(path) as records:
        records.add(Record("w", "i1", ()))
        records.add(Record("w", "i2", ()))
    path.write_bytes(path.read_bytes()[:-7])
    with Records(path) as records:
        assert set(records.of("w")) == {"i1"}
        records.add(Record("w", "i2", (), answer="x"))
    with Records(path) as records:
        assert set(records.of("w")) == {"i1", "i2"}


def test_two_runs_never_write_the_same_records(tmp_path: Path) -> None:
    with Records(tmp_path / "r.jsonl"), pytest.raises(BlockingIOError):
        Records(tmp_path / "r.jsonl")


def test_an_item_is_asked_frozen_and_with_the_same_seed_each_time() -> None:
    asked = question(item(1), Way("w"), 42)
    assert asked.frozen
    assert asked.deterministic
    assert asked.sampling.temperature == 0.0
    assert asked.sampling.HasField("temperature")
    assert asked == question(item(1), Way("other"), 42)
    assert asked.sampling.seed != question(item(2), Way("w"), 42).sampling.seed
    assert not asked.ground_truth


def test_what_is_learned_counts_calibration_ballots_and_nothing_else() -> None:
    learned = learn([case(1, "18", "17"), case(2, "18", "18"), case(3, "1", "18")], {})
    assert learned.overall.overall["abacus"] == (2, 1)
    assert learned.overall.joint["abacus", "atlas"] == (1, 1, 1, 0)
    assert learned.overall.together["abacus", "atlas"] == (1, 2)
    assert learned.about(case(9, "18")).on_topic["atlas"] == (2, 1)
    assert learned.about(case(9, "18", task="facts")).on_topic == {}


def test_no_test_label_reaches_a_replay() -> None:
    tested = mixed(40, seed=2)
    flipped = [
        Case(
            one.item._replace(gold="?"),
            tuple(Ballot(b.member, b.model, b.text, confidence=b.confidence) for b in one.ballots),
            one.seconds,
        )
        for one in tested
    ]
    replayed = a_replay()
    for name in replay.replayable(replayed, tested)[0]:
        for known, unknown in zip(tested, flipped, strict=True):
            assert replayed.decide(name, known) == replayed.decide(name, unknown)


def test_a_vote_is_as_right_as_the_ballots_behind_it() -> None:
    replayed = a_replay()
    assert replayed.answer("majority", case(1, "18", "18", "17")).right == 1.0
    assert replayed.answer("majority", case(1, "18", "17", "17")).right == 0.0
    silent = replayed.answer("majority", case(1, "", "", ""))
    assert (silent.right, silent.agreement, silent.tokens) == (0.0, 0.0, 30)


def test_strategies_that_ask_again_are_named_and_not_replayed() -> None:
    able, unable = replay.replayable(a_replay(), mixed(5))
    assert {"majority", "weighted", "ow", "isp", "topic", "borda", "kemeny"} <= set(able)
    assert {"debate", "moa", "pacore", "universal", "best_of_n"} <= set(unable)


def test_the_oracle_is_right_when_any_member_is_and_chance_is_right_by_their_share() -> None:
    cases = [case(1, "18", "17", "1", "2"), case(2, "1", "2", "3", "4")]
    assert [one.right for one in baselines.oracle(cases).values()] == [1.0, 0.0]
    assert [one.right for one in baselines.random_member(cases).values()] == [0.25, 0.0]


def test_self_consistency_has_no_more_tokens_than_the_members() -> None:
    members = {"i1": case(1, "18", "17", tokens=10)}
    samples = [case(1, "18", "17", "17", "17", "17", tokens=6)]
    made = baselines.self_consistency(a_replay(), samples, members)["i1"]
    assert made.tokens == 18
    assert made.right == 0.0


def test_the_router_asks_who_was_right_on_questions_like_this() -> None:
    sums = [case(n, "18", "1", "1", "1", "1") for n in range(30)]
    others = [
        Case(one.item._replace(id=f"o{n}", question="Is gold heavy?"), one.ballots[::-1], 0.1)
        for n, one in enumerate(case(n, "1", "1", "1", "1", "18") for n in range(30))
    ]
    reordered = [Case(one.item, one.ballots[::-1], 0.1) for one in others]
    asked = [sums[0], reordered[0]]
    answers = baselines.nearest_neighbours([*sums, *reordered], asked)
    assert [one.right for one in answers.values()] == [1.0, 1.0]


def test_exact_stopping_saves_tokens_and_changes_nothing() -> None:
    made = stops.replayed("exact", "five", "majority", mixed(200), learn(mixed(50), {}))
    assert made.changed == 0
    assert 0.1 < made.saved_share < 0.4
    assert made.tokens < made.tokens_of_all


def test_a_bolder_rule_saves_more() -> None:
    learned = learn(mixed(50, 2, MORE), {})
    exact, bold = (
        stops.replayed(rule, "nine", "majority", mixed(200, 1, MORE), learned)
        for rule in ("exact", "risk 5 %")
    )
    assert bold.saved_share > exact.saved_share
    assert bold.changed <= 10


def test_the_verdict_says_yes_only_when_it_is_not_chance() -> None:
    random, clusters = Random(3), {f"i{n}": f"c{n}" for n in range(500)}

    def answers(share: float) -> replay.Answers:
        return {
            item: replay.Answered("t", float(random.random() < share), 1, 0.1) for item in clusters
        }

    best = answers(0.7)
    for share, told in ((0.9, "Yes."), (0.7, "No.")):
        ours = answers(share)
        against = tables.compared({"ours": ours}, best, clusters, 1)
        row = tables.with_comparison(tables.row("ours", ours, clusters, 1), against["ours"])
        assert tables.verdict([row], tables.row("best", best, clusters, 1)).startswith(told)


def test_a_promise_about_errors_is_kept_on_other_items() -> None:
    random = Random(4)

    def drawn(count: int) -> list[confidence.Scored]:
        sure = [1.0 - 0.6 * random.random() ** 3 for _ in range(count)]
        return [confidence.Scored("t", f"{n}", p, random.random() < p) for n, p in enumerate(sure)]

    kept = confidence.abstention(drawn(4000), drawn(4000), 4000)
    assert kept.error is not None
    assert kept.error.value <= confidence.ALPHA
    assert 0.2 < kept.coverage.value < 0.9


def test_nothing_is_answered_where_nothing_can_be_promised() -> None:
    hopeless = [confidence.Scored("t", f"{n}", 0.9, n % 2 == 0) for n in range(200)]
    kept = confidence.abstention(hopeless, hopeless, 200)
    assert (kept.threshold, kept.coverage.value, kept.error) == (None, 0.0, None)


def test_debates_are_counted_by_what_they_turned() -> None:
    first = case(1, "18", "18", "1").ballots
    later = tuple(
        Ballot(b.member, b.model, "Answer: 1", right=False, round=1, valid=True) for b in first
    )
    record = Record("live/debate", "i1", (*first, *later), answer="1", right=False)
    assert live.flips([item(1)], {"i1": record}, a_replay()) == live.Flips(1, 0, 1)


def test_a_live_stop_is_compared_with_everybodys_answer() -> None:
    full = {"i1": Record("f", "i1", (), answer="18", tokens=60)}
    stopped = {"i1": Record("s", "i1", (), answer="18.0", tokens=40, saved=18)}
    made = live.stopped("exact", [item(1)], stopped, full)
    assert (made.tokens, made.tokens_of_all, made.changed) == (40, 60, 0)


def test_every_section_of_the_document_has_its_mark() -> None:
    text = Path("docs/quality.md").read_text(encoding="utf-8")
    for name in document.SECTIONS:
        assert f"<!-- quality:{name} -->" in text


async def _loads() -> tuple[list[int], load.Load]:
    kept: list[int] = []

    async def square(number: int) -> int:
        await asyncio.sleep(0)
        return number * number

    await load.each(range(10), square, kept.append, 3)
    return kept, await load.closed_loop(lambda: asyncio.sleep(0.001), 4, 0.05)


def test_every_job_is_done_once_and_clients_ask_again_as_soon_as_they_are_answered() -> None:
    kept, seen = asyncio.run(_loads())
    assert sorted(kept) == [number * number for number in range(10)]
    assert len(seen.latencies) >= 8
    assert seen.percentile(0.5) >= 0.001
    assert seen.per_second == len(seen.latencies) / seen.seconds


def test_no_order_of_asking_saves_more_than_the_bound() -> None:
    cases = mixed(40)
    bound = stops.most_saved(cases)
    learned = learn(mixed(50), {})
    places = range(len(cases[0].ballots))
    saved = [
        stops.replayed(
            "exact", "five", "majority", [case.in_order(order) for case in cases], learned
        ).saved_share
        for order in list(permutations(places))[::7]
    ]
    each = [
        max(
            stops.replayed("exact", "one", "majority", [case.in_order(order)], learned).saved_share
            for order in permutations(places)
        )
        for case in cases[:6]
    ]
    assert max(saved) <= bound + 1e-9
    assert each == pytest.approx([stops.most_saved([case]) for case in cases[:6]])


def test_the_order_that_is_best_on_other_items_changes_no_winner() -> None:
    cases = mixed(200)
    ordered = stops.in_best_order(cases, mixed(100))
    made = stops.replayed("exact", "five", "majority", ordered, learn(mixed(50), {}), 0.5)
    assert made.changed == 0
    assert made.most_saved_share == 0.5
    assert {case.item.id for case in ordered} == {case.item.id for case in cases}
