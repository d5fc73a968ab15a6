"""The record of an answer, and deciding it again from that alone."""

from __future__ import annotations

import json
from dataclasses import replace
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from quorate.answers import Answer, Kind, extract
from quorate.errors import InvalidRequest, NotReady, UnknownStrategy
from quorate.records import RECORD_VERSION, read, replay, write
from quorate.records import Record as FullRecord
from quorate.records.values import answer_of, answer_record
from quorate.voting.knowledge import Joint, Kin, Knowledge, Record, Together
from services.coordinator import tally
from services.coordinator.decompose.dag import Subtask
from services.coordinator.outcome import Merged, Result
from services.coordinator.question import (
    Ballot,
    Member,
    Message,
    Question,
    Seat,
    Seconds,
    Status,
    Tokens,
)
from services.coordinator.state import lessons
from services.coordinator.state.learned import ModelKey
from services.coordinator.state.recording import record_of

MEMBERS = tuple(Member(f"n{n}", f"m{n}", "", f"{n}" * 64, 1.0 + n / 10) for n in range(5))
KNOWN = Knowledge(
    overall={ModelKey(m.model, m.sha256).id: Record(8.5, 1.25) for m in MEMBERS},
    on_topic={ModelKey(MEMBERS[0].model, MEMBERS[0].sha256).id: Record(1 / 3, 0.1)},
    together={("m0@000000000000", "m1@111111111111"): Together(3, 4)},
    joint={("m0@000000000000", "m1@111111111111"): Joint(1, 2, 3, 4)},
    kin={"m0@000000000000": Kin("0" * 64, "", "n0")},
    topic="math",
    options=2,
)


def ballot(number: int, said: str, kind: Kind | None = None, confidence: float = 0.5) -> Ballot:
    member = MEMBERS[number]
    answer = extract(said, kind)
    return Ballot(
        "t1",
        Seat(member.node, member.model, 0),
        Status.VALID if answer else Status.ABSTAINED,
        member.node,
        answer,
        said,
        confidence,
        raw_confidence=confidence,
        weight=member.weight,
        sha256=member.sha256,
        seed=number,
        tokens=Tokens(5, 6, 7),
        seconds=Seconds(0.1, 0.2, 0.3),
    )


def answered(
    *said: str, strategy: str = "majority", kind: Kind | None = None, text: str = "6 + 12?"
) -> tuple[Question, Result]:
    ballots = [ballot(number, one, kind, 0.3 + 0.1 * number) for number, one in enumerate(said)]
    part = Subtask("t1", text)
    decision = tally.decide(part, kind, strategy, ballots, knowledge=KNOWN)
    decision = replace(decision, knowledge=KNOWN, topic="math", features={"share": 0.5})
    question = Question((Message("user", text),), strategy)
    merged = Merged(decision.answer, "single")
    result = Result("q1", merged, strategy, [decision], "", 7, Seconds(0.1, 0, 1.5))
    return question, result


def recorded(*said: str, texts: bool = True, **options: object):  # type: ignore[no-untyped-def]
    question, result = answered(*said, **options)  # type: ignore[arg-type]
    return record_of(question, MEMBERS, result, 123.0, texts=texts)


SAID = ("Answer: 18", "18 kg", "Answer: 17", "the answer is 17.0", "I do not know")
STRATEGIES = ("majority", "weighted")


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_a_record_is_decided_again_byte_for_byte(strategy: str) -> None:
    record = read(write(recorded(*SAID, strategy=strategy)))
    [again] = replay(record)
    decided = record.parts[0].decision
    assert again.same
    assert (again.answer, again.text) == (decided.answer, decided.text)
    assert (again.explanation, again.tie_break) == (decided.explanation, decided.tie_break)
    assert again.agreement == decided.agreement


def test_a_record_is_decided_under_another_strategy() -> None:
    record = read(write(recorded("Answer: 1", "Answer: 1", "Answer: 2", "Answer: 2")))
    assert replay(record)[0].answer == "2"  # a tie, and the higher confidence
    [other] = replay(record, "weighted_voting")
    assert (other.strategy, other.answer, other.same) == ("weighted", "2", False)


def test_a_record_that_was_tampered_with_does_not_replay_the_same() -> None:
    data = json.loads(write(recorded(*SAID)))
    data["parts"][0]["decision"]["answer"] = "19"
    assert not replay(read(json.dumps(data).encode()))[0].same


def test_an_unknown_strategy_is_an_error_with_the_nearest_names() -> None:
    with pytest.raises(UnknownStrategy, match="majority"):
        replay(recorded(*SAID), "majorty")


def test_a_record_holds_who_said_what_with_which_file_and_how_long_it_took() -> None:
    record = recorded(*SAID)
    first = record.parts[0].ballots[0]
    assert (first.model, first.sha256, first.text) == ("m0", "0" * 64, "Answer: 18")
    assert (first.member_weight, first.seed, first.total_seconds) == (1.0, 0, 0.3)
    assert (first.prompt_tokens, first.completion_tokens, first.cached_tokens) == (5, 6, 7)
    assert record.versions["quorate"]
    assert (record.seed, record.strategy, record.messages) == (
        7,
        "majority",
        (("user", "6 + 12?"),),
    )
    assert record.parts[0].knowledge.topic == "math"


def test_a_record_without_texts_holds_none_and_numbers_are_still_decided_again() -> None:
    secret = "my secret is the swordfish and the Answer: 18"
    record = recorded(secret, *SAID[1:], texts=False, text="the swordfish plus 12?")
    body = write(record)
    assert b"swordfish" not in body
    [again] = replay(read(body))
    assert (again.answer, again.same) == ("17", True)  # a tie, and the higher confidence


def test_a_record_of_free_text_without_texts_says_that_it_cannot_be_decided_again() -> None:
    record = recorded("Paris", "Paris", "Rome", texts=False, kind=Kind.TEXT)
    assert b"Paris" not in write(record)
    with pytest.raises(NotReady, match="record_texts"):
        replay(record)


def test_a_part_without_an_answer_replays_as_such() -> None:
    record = recorded("I do not know", "I cannot help with that.")
    [again] = replay(read(write(record)))
    assert again.same
    assert again.error


@pytest.mark.parametrize(
    "data",
    [b"", b"{}", b"[]", b"nonsense", b"\xff\xfe", b'{"version": "1"}', b"[" * 100_000],
)
def test_what_is_no_record_is_refused(data: bytes) -> None:
    with pytest.raises(InvalidRequest, match="no record"):
        read(data)


def test_a_record_of_a_newer_format_is_refused() -> None:
    data = json.loads(write(recorded(*SAID)))
    data["version"] = RECORD_VERSION + 1
    with pytest.raises(InvalidRequest, match="version"):
        read(json.dumps(data).encode())


@pytest.mark.parametrize(
    ("said", "kind"),
    [
        ("18 kg", None),
        ("1/3", None),
        ("25%", None),
        ('[1, {"a": 2.5, "b": [true, null, "x"]}]', Kind.JSON),
        ("x^2 + 1", Kind.EXPRESSION),
        ("```python\ndef f(x): return x + 1\n```", Kind.CODE),
        ("Paris is nice", Kind.TEXT),
        ("The answer is B", Kind.CHOICE),
        ("yes", Kind.BOOLEAN),
        ("Answer: " + "9" * 60, None),
    ],
)
def test_answers_of_every_kind_come_back_the_same(said: str, kind: Kind | None) -> None:
    answer = extract(said, kind)
    assert answer is not None
    data = read(write(recorded(said, kind=kind))).parts[0].ballots[0].answer
    assert answer_of(data) == answer
    assert type(answer_of(data).value) is type(answer.value)  # type: ignore[union-attr]


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text() | st.fractions(),
    lambda inner: st.lists(inner, max_size=3).map(tuple),
    max_leaves=12,
)


@given(VALUES)
def test_values_survive_json(value: object) -> None:
    import msgspec

    answer = Answer(Kind.TEXT, "x", value, "r")  # type: ignore[arg-type]
    written = msgspec.json.encode(answer_record(answer))
    record = msgspec.json.decode(written, type=type(answer_record(answer)))  # type: ignore[arg-type]
    assert answer_of(record) == answer


def test_a_value_of_an_unknown_type_is_refused_when_it_is_written() -> None:
    with pytest.raises(TypeError, match="bytes"):
        answer_record(Answer(Kind.TEXT, "x", b"x", "r"))


@pytest.mark.parametrize("value", [{"set": 3}, {"what": []}, {"int": "x"}, {"fraction": "1/0"}, 3])
def test_a_spoilt_value_is_refused_when_it_is_read(value: object) -> None:
    record = answer_record(Answer(Kind.TEXT, "x", Fraction(1, 2), "r"))
    assert record is not None
    import msgspec

    spoilt = msgspec.structs.replace(record, value=value)
    with pytest.raises(InvalidRequest, match="spoilt"):
        answer_of(spoilt)


def test_samples_of_one_model_count_as_one_item() -> None:
    question, result = answered("Answer: 18", "Answer: 17")
    [decision] = result.decisions
    first, second = decision.ballots
    samples = [
        replace(first, seat=Seat("n0", "m0", number), answer=extract(f"Answer: {said}"))
        for number, said in enumerate((18, 18, 17, 18))
    ]
    result = replace(result, decisions=[replace(decision, ballots=(*samples, second))])
    record = record_of(question, MEMBERS, result, 1.0, texts=True)
    changes = lessons.taught(record, lessons.Verdict("18"))
    shares = [(change.model.name, change.right, change.wrong) for change in changes.records]
    assert shares == [("m0", 0.75, 0.25), ("m1", 0.0, 1.0)]
    [joint] = changes.joint
    assert tuple(joint[1:]) == (0.0, 0.75, 0.0, 0.25)
    assert len(changes.ballots) == 2
    [together] = lessons.agreement(record).together
    assert (together.same, together.different) == (0.25, 0.75)


def test_an_abstention_teaches_nothing() -> None:
    record = recorded("Answer: 18", "I do not know")
    changes = lessons.taught(record, lessons.Verdict("18"))
    assert [change.model.name for change in changes.records] == ["m0"]
    assert changes.joint == ()


def debated() -> FullRecord:
    """m0 said 18 and stayed, m1 said 17 and copied 18, m2 doubted its 18."""
    question, result = answered("Answer: 18", "Answer: 18", "Answer: 18")
    [decision] = result.decisions
    stayed, copied, doubted = decision.ballots
    counted = (
        replace(stayed, seat=Seat("n0", "m0", 0, 1)),
        replace(copied, seat=Seat("n1", "m1", 0, 1)),
        replace(doubted, status=Status.ABSTAINED),
    )
    others = (stayed, replace(copied, answer=extract("Answer: 17"), text="Answer: 17"))
    decision = replace(decision, ballots=counted, others=others)
    return record_of(question, MEMBERS, replace(result, decisions=[decision]), 1.0, texts=True)


def test_what_was_copied_in_a_debate_is_no_agreement_and_proves_nobody_right() -> None:
    record = debated()
    [together] = lessons.agreement(record).together
    assert [key.name for key in together.pair] == ["m0", "m1"]
    assert (together.same, together.different) == (0.0, 1.0)
    for changes in (lessons.taught(record, lessons.Verdict("18")), lessons.consensus(record)):
        rights = [(change.model.name, change.right) for change in changes.records]
        assert rights == [("m0", 1.0), ("m1", 0.0)]


def test_the_answer_of_a_debate_is_judged_by_the_ballots_that_were_counted() -> None:
    record = debated()
    [item] = lessons.taught(record, lessons.Verdict("18")).answers
    assert item.right
    [item] = lessons.taught(record, lessons.Verdict("17")).answers
    assert not item.right


def test_an_abstention_with_an_answer_on_record_teaches_nothing() -> None:
    record = debated()
    assert any(one.status == "ABSTAINED" and one.answer for one in record.parts[0].ballots)
    changes = lessons.taught(record, lessons.Verdict("18"))
    assert "m2" not in {change.model.name for change in changes.records}
    assert "m2" not in {item.model.name for item in changes.ballots}
