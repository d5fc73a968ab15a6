"""What a question looks like: as JSON, as lines, and as a live table."""

from __future__ import annotations

import dataclasses
import io
import json

import pytest
from rich.console import Console

from quorate.cli import ask_json, ask_live
from quorate.cli.ask_lines import LinePrinter, decision, summary
from quorate.cli.ask_view import QuestionView, one_line, verdict
from quorate.client.plans import Move, Plan, PlanStep, Residency, Routing
from quorate.client.results import (
    Answer,
    Ballot,
    BallotStarted,
    BallotStatus,
    BallotToken,
    Certificate,
    Event,
    Failure,
    Provisional,
    Retraction,
    Standing,
    SynthesisText,
)

TOP = ["answer", "strategy", "confidence", "agreement", "quorum", "ballots", "parts"]
BALLOT = ["node", "model", "answer", "text", "confidence", "latency_ms", "tokens", "status"]
PART = ["id", "text", "depends_on", "answer", "confidence", "agreement", "quorum", "ballots"]


def lines(events: tuple[Event, ...]) -> list[str]:
    written = io.StringIO()
    view = QuestionView("?")
    printer = LinePrinter(Console(file=written, width=100, color_system=None), view)
    for event in events:
        view.fold(event)
        printer.say(event)
    return written.getvalue().splitlines()


def drawn(events: tuple[Event, ...], columns: int = 100) -> str:
    view = QuestionView("?")
    for event in events:
        view.fold(event)
    written = io.StringIO()
    Console(file=written, width=columns, color_system=None).print(ask_live.draw(view, columns))
    return written.getvalue()


def test_json_has_exactly_the_promised_keys_first(answer: Answer) -> None:
    data = json.loads(json.dumps(ask_json.answer(answer)))
    assert list(data)[: len(TOP)] == TOP
    assert list(data["ballots"][0])[: len(BALLOT)] == BALLOT
    assert list(data["parts"][0])[: len(PART)] == PART
    assert list(data["parts"][0]["ballots"][0])[: len(BALLOT)] == BALLOT
    assert data["quorum"] == {"asked": 4, "answered": 2}


def test_json_tells_every_ballot_with_its_status_in_lower_case(answer: Answer) -> None:
    data = ask_json.answer(answer)
    assert [(one["model"], one["status"], one["answer"]) for one in data["ballots"]] == [
        ("abacus", "valid", "100"),
        ("forge", "abstained", None),
        ("compass", "failed", None),
        ("atlas", "valid", "Paris"),
    ]
    first = data["ballots"][0]
    assert (first["latency_ms"], first["tokens"], first["confidence"]) == (123.4, 9, 0.91)
    assert data["ballots"][2]["failure"]["kind"] == "MODEL_CRASHED"


def test_json_of_parts_says_what_they_depend_on(answer: Answer) -> None:
    parts = ask_json.answer(answer)["parts"]
    assert [(part["id"], part["depends_on"], part["answer"]) for part in parts] == [
        ("t1", [], "100"),
        ("t2", ["t1"], "Paris"),
    ]


def test_json_of_a_plan_has_subtasks_and_the_reason(plan: Plan) -> None:
    data = json.loads(json.dumps(ask_json.plan(plan)))
    assert data["reason"] == "two questions"
    assert data["subtasks"][1]["id"] == "t2"
    assert data["subtasks"][1]["depends_on"] == ["t1"]
    assert data["subtasks"][0]["text"] == "What is 10% of 1000?"


def test_lines_show_plan_speech_ballots_and_decisions_in_order(events: tuple[Event, ...]) -> None:
    assert lines(events) == [
        "t1 What is 10% of 1000?",
        "t2 Which city is it? (needs t1)",
        "plan: two questions",
        "t1 n1/abacus │ 10% of 1000 is 1000 / 10.",
        "t1 n1/abacus │ Answer: 100",
        "t1 n1/abacus votes: 100  (confidence 0.91, 9 tokens, 123 ms)",
        "t1 n2/forge │ hm",
        "t1 n2/forge votes: abstained: no answer found in what it said",
        "t1 n3/compass votes: failed: the engine of compass died",
        "t1 decided: 100 [×1; 1 of 3 answered, 1 abstained, 1 failed; lowest member wins the tie]",
        "t2 n1/atlas votes: Paris  (confidence 0.50, 0 tokens, 0 ms)",
        "t2 decided: Paris [×1; 1 of 1 answered]",
        "the merged answer is written anew",
    ]


def test_lines_mention_retractions_and_certificates() -> None:
    assert lines((Retraction("t1", "B", "C"), Certificate("t1", "C", 0.05, 21.0))) == [
        "t1 'C' overtakes 'B'",
        "t1 mode certified: C (δ = 0.05)",
    ]


def test_markup_in_what_a_model_says_is_shown_as_it_is() -> None:
    events = (BallotStarted("b", "t1", "n", "m"), BallotToken("b", "[bold]x[/bold] [/]\n"))
    assert lines(events) == ["t1 n/m │ [bold]x[/bold] [/]"]
    assert "[bold]x[/bold] [/]" in drawn(events)


def test_token_of_an_unknown_ballot_is_not_shown() -> None:
    assert lines((BallotToken("nobody", "hello\n"),)) == []


def test_table_shows_votes_standings_and_the_decision(events: tuple[Event, ...]) -> None:
    text = drawn(events)
    for expected in ("✓ n1/abacus", "100  0.91", "– n2/forge", "✗ n3/compass", "decided  100 [×1"):
        assert expected in text
    assert "merging" not in text  # the summary gives the answer


def test_table_shows_the_merged_answer_while_it_is_written(events: tuple[Event, ...]) -> None:
    assert "merging  100, and Paris" in drawn(events[:-1])


def test_lines_begin_with_their_time_when_there_is_a_clock(events: tuple[Event, ...]) -> None:
    written = io.StringIO()
    view = QuestionView("?")
    times = iter([0.001, 0.0125, 1.5])
    printer = LinePrinter(
        Console(file=written, width=100, color_system=None), view, lambda: next(times)
    )
    printer.say(events[0])
    assert written.getvalue().splitlines() == [
        "     1 ms  t1 What is 10% of 1000?",
        "    12 ms  t2 Which city is it? (needs t1)",
        "  1500 ms  plan: two questions",
    ]


def test_table_shows_the_end_of_what_a_model_is_saying() -> None:
    started = BallotStarted("b", "t1", "n1", "abacus")
    text = drawn((started, BallotToken("b", "word " * 50 + "END")), columns=60)
    assert "END" in text
    assert all(len(line) <= 60 for line in text.splitlines())


def test_table_counts_who_has_still_to_vote() -> None:
    text = drawn((Provisional("t1", "7", (Standing("7", 2, 2.0), Standing("8", 1, 1.0)), 3),))
    assert "3 more to vote" in text
    longest, shorter = (line.count("█") for line in text.splitlines() if "█" in line)
    assert longest > shorter


def test_table_says_that_planning_goes_on_before_anything_has_happened() -> None:
    assert "planning" in drawn(())


def test_table_shows_a_certificate() -> None:
    assert "mode certified" in drawn((Certificate("t1", "C", 0.05, 21.0),))


def test_summary_gives_answer_vote_quorum_and_times(answer: Answer) -> None:
    assert summary(answer).plain.splitlines() == [
        "answer  100, and Paris",
        "vote    majority · agreement 0.33 · uncalibrated confidence 0.50",
        "quorum  2 of 4 answered, 1 abstained, 1 failed · merged: deterministic",
        "time    1.24 s · first token after 50 ms · 31 tokens · seed 7",
    ]


def test_summary_says_why_an_answer_is_withheld_or_incomplete(answer: Answer) -> None:
    withheld = dataclasses.replace(answer, abstained=True, reason="too risky")
    assert summary(withheld).plain.startswith("answer  (withheld: too risky)")
    incomplete = dataclasses.replace(answer, reason="t2 failed")
    assert "missing t2 failed" in summary(incomplete).plain


def test_summary_indents_an_answer_of_several_lines(answer: Answer) -> None:
    code = dataclasses.replace(answer, answer="def f():\n    return 1", timings=answer.timings)
    assert summary(code).plain.splitlines()[1] == " " * 8 + "    return 1"


def test_a_contested_part_counts_every_answer(answer: Answer) -> None:
    both = (Standing("100", 2, 2.0), Standing("90", 1, 1.0))
    contested = dataclasses.replace(answer.parts[0], standings=both, tie_break="")
    assert decision(contested) == "100 [100 ×2, 90 ×1; 1 of 3 answered, 1 abstained, 1 failed]"


def test_a_failed_part_says_why_it_has_no_answer(answer: Answer) -> None:
    failed = dataclasses.replace(answer.parts[0], failure=Failure("NO_QUORUM", "nobody answered"))
    assert decision(failed) == "no answer: nobody answered"


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        (BallotStatus.VALID, "100"),
        (BallotStatus.CANCELLED, "stopped: the outcome was settled"),
        (BallotStatus.TIMED_OUT, "too late"),
        (BallotStatus.FAILED, "failed: failed"),
        (BallotStatus.UNSPECIFIED, "failed: unspecified"),
    ],
)
def test_every_status_of_a_ballot_has_words(
    ballot: Ballot, status: BallotStatus, expected: str
) -> None:
    assert verdict(dataclasses.replace(ballot, status=status)) == expected
    assert status in ask_live.MARKS


def test_text_is_shortened_to_one_line() -> None:
    assert one_line("a\n b  c") == "a b c"
    assert one_line("x" * 100, 10) == "x" * 9 + "…"


def test_view_keeps_the_merged_text_and_counts_retractions() -> None:
    view = QuestionView("?")
    view.fold(SynthesisText("a"))
    view.fold(SynthesisText("b"))
    view.fold(Retraction("t1", "x", "y"))
    assert view.synthesis == "ab"
    assert view.parts["t1"].retractions == 1


def test_second_sample_of_a_model_is_told_apart(ballot: Ballot) -> None:
    assert dataclasses.replace(ballot, sample=1).member == "n1/abacus#1"


def test_ballots_that_were_stopped_early_are_told_as_such(answer: Answer) -> None:
    stopped = dataclasses.replace(
        answer.parts[0].ballots[0], status=BallotStatus.CANCELLED, answer=None
    )
    part = dataclasses.replace(answer.parts[0], ballots=(*answer.parts[0].ballots, stopped))
    assert "1 of 3 answered, 1 stopped early: the outcome was settled, 1 abst" in decision(part)


LOADING = Residency(Move.LOAD, "n1", "scribe", seconds=1.2, ahead=True)
UNLOADING = Residency(Move.UNLOAD, "n2", "forge")
FOUND = Routing("mip", "HIGHS", "optimal", solve_seconds=0.004)


def test_lines_tell_what_is_planned_and_what_is_loaded_meanwhile() -> None:
    crashed = dataclasses.replace(FOUND, violations=("n1 is too full",), note="solver 1 failed")
    failed = dataclasses.replace(LOADING, problem="no file\nhere")
    assert lines(
        (
            PlanStep(0, ("t1", "t2"), ("t3",), routing=FOUND),
            LOADING,
            UNLOADING,
            dataclasses.replace(LOADING, done=True, seconds=1.31),
            dataclasses.replace(UNLOADING, done=True, seconds=0.02),
            failed,
            PlanStep(1, ("t3",), routing=crashed, again="forge crashed"),
            PlanStep(2, ("t4",)),
        )
    ) == [
        "layer 0 planned: t1, t2, looking ahead at t3 · mip optimal in 4.0 ms",
        "loading scribe on n1, 1.20 s, ahead",
        "unloading forge on n2",
        "loaded scribe on n1 in 1.31 s, ahead",
        "unloaded forge on n2 in 20 ms",
        "could not load scribe on n1: no file here",
        "layer 1 planned again (forge crashed): t3 · mip optimal in 4.0 ms",
        "layer 1 breaks a limit: n1 is too full",
        "layer 1 note: solver 1 failed",
        "layer 2 planned: t4",
    ]


def test_table_shows_what_is_loading_until_it_is_done() -> None:
    step = PlanStep(0, ("t1",), routing=FOUND)
    text = drawn((step, LOADING))
    assert "layer 0 planned: t1" in text
    assert "loading scribe on n1, 1.20 s, ahead" in text
    loaded = dataclasses.replace(LOADING, done=True)
    assert "scribe" not in drawn((step, LOADING, loaded))
    failed = dataclasses.replace(LOADING, done=True, problem="no memory")
    assert "could not load scribe on n1: no memory" in drawn((LOADING, failed))


def test_loading_is_no_news_once_the_answer_is_there(answer: Answer) -> None:
    assert "scribe" not in drawn((LOADING, answer))


def test_controls_of_the_terminal_are_not_passed_on() -> None:
    assert one_line("a\x1b[2Jb\x07") == "a\N{REPLACEMENT CHARACTER}[2Jb\N{REPLACEMENT CHARACTER}"
