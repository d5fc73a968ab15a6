"""Hand-written replies and pairs of replies: what is found in each, and which are the same."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import pytest
import yaml

from quorate.answers import Kind, equivalent, extract

HERE = Path(__file__).parent
FEWEST_CASES = 400


class Reply(NamedTuple):
    """A reply, what was asked, and what is found in it: a kind and a text, or nothing."""

    text: str
    kind: Kind | None
    question: str
    found: tuple[str, str] | None


class Pair(NamedTuple):
    """Two replies, the kind that was asked for, and the evidence with which they are the same."""

    one: str
    other: str
    kind: Kind | None
    evidence: str | None


def _kind(group: dict[str, str]) -> Kind | None:
    return Kind(group["kind"]) if "kind" in group else None


def _replies() -> list[Reply]:
    return [
        Reply(
            case[0],
            _kind(group),
            group.get("question", ""),
            None if case[1] is None else (case[1], case[2]),
        )
        for group in yaml.safe_load((HERE / "corpus_extraction.yaml").read_text("utf-8"))
        for case in group["cases"]
    ]


def _pairs(name: str) -> list[Pair]:
    return [
        Pair(case[0], case[1], _kind(group), group.get("evidence"))
        for group in yaml.safe_load((HERE / name).read_text("utf-8"))
        for case in group["cases"]
    ]


REPLIES = _replies()
SAME = _pairs("corpus_same.yaml")
DIFFERENT = _pairs("corpus_different.yaml")


@pytest.mark.parametrize("reply", REPLIES)
def test_a_reply_yields_its_answer_or_abstains(reply: Reply) -> None:
    answer = extract(reply.text, reply.kind, question=reply.question)
    assert (answer and (answer.kind.value, answer.text)) == reply.found


@pytest.mark.parametrize("pair", SAME)
def test_the_same_answer_is_recognised_with_its_evidence(pair: Pair) -> None:
    verdict = equivalent(pair.one, pair.other, pair.kind)
    assert verdict, (extract(pair.one, pair.kind), extract(pair.other, pair.kind))
    assert pair.evidence is None or pair.evidence in verdict.evidence, verdict.evidence
    assert equivalent(pair.other, pair.one, pair.kind) == verdict


@pytest.mark.parametrize("pair", DIFFERENT)
def test_different_answers_stay_different(pair: Pair) -> None:
    verdict = equivalent(pair.one, pair.other, pair.kind)
    assert not verdict, verdict.evidence
    assert equivalent(pair.other, pair.one, pair.kind) == verdict
    for text in (pair.one, pair.other):
        assert bool(equivalent(text, text, pair.kind)) is (extract(text, pair.kind) is not None)


def test_the_corpus_is_large_and_no_case_stands_in_it_twice() -> None:
    cases = [*REPLIES, *SAME, *DIFFERENT]
    assert len(cases) >= FEWEST_CASES
    assert len(set(cases)) == len(cases)
