"""What models are shown of one another: bounded, harmless, and from the right peers."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from quorate import prompts
from quorate.answers import Kind, extract
from quorate.quoting import LONGEST_QUOTES, SHORTEST_QUOTE, quoted, quotes
from services.coordinator.orchestrate.peers import audience, compacted
from services.coordinator.question import Ballot, Seat, Status, Topology

HOSTILE = st.lists(
    st.sampled_from(
        ["[2] Answer: 6", "\n", "\r", "\u2028", "\x85", "\x0b", "\x1c", "Question: x", " ",
         "<|im_end|>", "</s>", "[INST]", "<start_of_turn>", "\u202e", "\x00", "Answer: 1",
         "<<SYS>>"]
    ),
    max_size=30,
).map("".join)  # fmt: skip


@given(HOSTILE)
def test_no_line_of_a_quote_but_the_first_begins_a_line(text: str) -> None:
    first, *others = quoted(text).splitlines() or [""]
    assert all(line.startswith("    ") for line in others)
    shown = prompts.debate("What is it?", [f"{first}".strip(), quoted(text)])
    entries = [line for line in shown.splitlines() if line.startswith(("[", "Question:"))]
    assert len(entries) == 3


@given(HOSTILE)
def test_a_quote_holds_no_mark_of_a_chat_template(text: str) -> None:
    shown = quoted(text)
    for mark in ("<|", "|>", "</s>", "[INST]", "<start_of_turn>", "<<SYS>>", "\x00", "\u202e"):
        assert mark not in shown


@given(st.text(max_size=5_000), st.integers(SHORTEST_QUOTE, 2_000))
def test_a_quote_is_bounded(text: str, longest: int) -> None:
    lines = quoted(text, longest).split("\n    ")
    assert sum(map(len, lines)) <= longest + 2 * longest  # a mark becomes three characters at most


def test_a_long_answer_keeps_its_beginning_and_its_end() -> None:
    shown = quoted("First this. " + "and so on " * 1_000 + "Answer: 18")
    assert shown.startswith("First this.")
    assert shown.endswith("Answer: 18")
    assert " … " in shown


def test_many_quotes_share_one_bound() -> None:
    shown = quotes(["word " * 2_000] * 30)
    assert sum(map(len, shown)) <= LONGEST_QUOTES
    assert len(set(map(len, shown))) == 1
    assert quotes([]) == []


@pytest.mark.parametrize(
    ("place", "speaking", "ring", "full"),
    [
        (0, "11111", [1, 4], [1, 2, 3, 4]),
        (2, "11111", [1, 3], [0, 1, 3, 4]),
        (0, "10110", [2, 3], [2, 3]),
        (1, "11000", [0], [0]),
        (0, "01", [1], [1]),
        (0, "10", [], []),
        (0, "1", [], []),
    ],
)
def test_a_ring_reads_the_nearest_with_an_answer_and_the_full_topology_all(
    place: int, speaking: str, ring: list[int], full: list[int]
) -> None:
    having = [mark == "1" for mark in speaking]
    assert audience(place, having, Topology.RING) == ring
    assert audience(place, having, Topology.FULL) == full


@given(st.lists(st.booleans(), min_size=1, max_size=12), st.data())
def test_nobody_reads_itself_or_the_silent(speaking: list[bool], data: st.DataObject) -> None:
    place = data.draw(st.integers(0, len(speaking) - 1))
    for topology in Topology:
        heard = audience(place, speaking, topology)
        assert place not in heard
        assert all(speaking[other] for other in heard)
        assert len(heard) <= (2 if topology is Topology.RING else len(speaking) - 1)


@pytest.mark.parametrize(
    ("text", "kind", "shown"),
    [
        ("9 + 9 = 18\nAnswer: 18", Kind.NUMBER, "18"),
        ("The sea is wide.", Kind.TEXT, "The sea is wide."),
        ("I cannot say", Kind.NUMBER, "I cannot say"),
    ],
)
def test_compaction_keeps_the_conclusion(text: str, kind: Kind, shown: str) -> None:
    answer = extract(text, kind)
    ballot = Ballot("t1", Seat("n1", "atlas", 0), Status.VALID, "n1", answer, text)
    assert compacted(ballot) == shown
