"""A judge is asked about free texts that differ, and about nothing that is plain."""

from __future__ import annotations

from itertools import permutations

import pytest

from quorate.answers import Answer, Kind, cluster, equivalent, extract, judgeable, key_of
from quorate.answers.clusters import MOST_JUDGED

HOT = "It evaporates when heated"
WARM = "Heat turns it into vapour"
COLD = "It freezes"


def texts(*said: str) -> list[Answer | None]:
    return [extract(one, Kind.TEXT) for one in said]


class Judge:
    """Finds that texts about heat are the same, and cannot tell of others."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, str]] = []

    def __call__(self, one: Answer, other: Answer) -> bool | None:
        self.asked.append((one.text, other.text))
        if COLD in (one.text, other.text):
            return False
        return True if {one.text, other.text} == {HOT, WARM} else None


@pytest.mark.parametrize(
    ("one", "other", "same", "evidence"),
    [
        (HOT, WARM, True, "judged the same"), (HOT, COLD, False, "judged different"),
        (HOT, "It melts", False, "different as text; the judge did not decide"),
    ],
)  # fmt: skip
def test_the_verdict_of_the_judge_is_the_evidence(
    one: str, other: str, same: bool, evidence: str
) -> None:
    judge = Judge()
    verdict = equivalent(one, other, judge=judge)
    assert (bool(verdict), verdict.evidence) == (same, evidence)
    assert equivalent(other, one, judge=judge) == verdict
    assert judge.asked[0] == judge.asked[1]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Paris", "paris"), ("It is Paris", "Paris"), ("guilty", "not guilty"), ("18", "19"),
        ("in 1990 he left", "he left in 1991"), ("yes", "no"), ("", "Paris"), ("B", "Paris"),
    ],
)  # fmt: skip
def test_a_judge_is_not_asked_about_what_is_plain(one: str, other: str) -> None:
    judge = Judge()
    plain = equivalent(one, other)
    assert equivalent(one, other, judge=judge) == plain
    assert judge.asked == []


def test_groups_take_the_verdicts_of_the_judge_whatever_the_order() -> None:
    said = texts(HOT, WARM, COLD, HOT)
    for order in permutations(said):
        told = cluster(list(order), judge=Judge())
        groups = {
            answer.text: label
            for answer, label in zip(order, told.labels, strict=True)
            if answer is not None
        }
        assert groups[HOT] == groups[WARM] != groups[COLD]
        assert {merge.evidence for merge in told.merges} == {"judged the same"}


def test_a_judge_that_contradicts_itself_is_reported() -> None:
    pairs = {frozenset({"a b", "c d"}), frozenset({"c d", "e f"})}
    told = cluster(
        texts("a b", "a b", "c d", "c d", "e f"),
        judge=lambda one, other: {one.text, other.text} in pairs,
    )
    assert told.labels == (0, 0, 0, 0, 1)
    assert told.parted == ((2, 4),)


def test_the_pairs_to_ask_about_are_known_beforehand() -> None:
    said = texts(HOT, "18 kg of it", WARM, HOT, COLD)
    pairs = judgeable(said)
    assert pairs == [(0, 2), (0, 4), (2, 4)]
    verdicts = {frozenset({key_of(said[0]), key_of(said[2])}): True}  # type: ignore[arg-type]
    told = cluster(
        said, judge=lambda one, other: verdicts.get(frozenset({key_of(one), key_of(other)}))
    )
    assert told.labels == (0, 1, 0, 0, 2)


def test_no_more_pairs_are_asked_about_than_nine_answers_have() -> None:
    said = texts(*(f"thing {letter}{other}" for letter in "bcdfg" for other in "klmn"))
    judge = Judge()
    assert len(judgeable(said)) == MOST_JUDGED
    cluster(said, judge=judge)
    assert len(judge.asked) == MOST_JUDGED


def test_pairs_that_no_judge_may_decide_cost_none_of_its_questions() -> None:
    numbered = [f"gate {number} north" for number in range(2, 14)]
    said = texts(*(text for text in numbered for _ in range(3)), HOT, WARM)
    judge = Judge()
    told = cluster(said, judge=judge)
    assert judgeable(said) == [(36, 37)]
    assert len(judge.asked) == 1
    assert told.labels[36] == told.labels[37]


def test_what_is_the_same_without_a_judge_costs_none_of_its_questions() -> None:
    said = texts("It is made of glass", "glass", "This is glass", "wood", "steel", "stone")
    judge = Judge()
    cluster(said, judge=judge)
    pairs = {frozenset(pair) for pair in judge.asked}
    assert len(judge.asked) == len(pairs) == len(judgeable(said))
