"""Equality of answers is reflexive and symmetric, groups ignore order, nothing equals the empty."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from quorate.answers import Kind, cluster, equivalent, extract

KINDS = st.sampled_from([None, *Kind])
SAID = st.sampled_from(
    [
        "18", "18.0", "$18", "18 km", "18000 m", "50%", "50", "0.5", "1/2", "-5", "B", "(B) Paris",
        "Paris", "yes", "No.", "The capital of France is Paris.", "Paris is the capital of France",
        "is", "not Paris", "x + 1", "1 + x", "{}", "[1]", '{"a": 1}', '{"a": 1.0}',
        "def f(a):\n    return a", "lambda x: x", "I don't know", "", "Answer: 18", "\\boxed{B}",
        "x^2", "x*x", "\\sqrt{2}", "1.414", "(1, 2]", "March 5, 2020", "2020-03-05", "3 pm",
        "15:00",
        "Mississippi", "Mississipi", "cats and dogs", "dogs and cats", "not 5 but 7", "1 h 30 min",
        "90 min", "5 pounds", "5 lb", "£5", "66.67%", "2/3", "32°F", "0°C", "\u0661\u0662", "12",
        "3.14", "3.14159", "the the", "a", "1e3", "it is in Asia", "Asia",
    ]
)  # fmt: skip
TEXTS = st.one_of(SAID, st.text(max_size=60), st.lists(SAID, max_size=3).map(" ".join))


@given(TEXTS, KINDS)
def test_whatever_has_an_answer_equals_itself(text: str, kind: Kind | None) -> None:
    answer = extract(text, kind)
    assert bool(equivalent(text, text, kind)) is (answer is not None)
    assert bool(equivalent(answer, answer)) is (answer is not None)


@given(TEXTS, TEXTS, KINDS)
def test_equality_does_not_depend_on_who_is_named_first(
    one: str, other: str, kind: Kind | None
) -> None:
    assert equivalent(one, other, kind) == equivalent(other, one, kind)


@given(TEXTS, KINDS)
def test_an_abstention_equals_no_text(text: str, kind: Kind | None) -> None:
    assert not equivalent(None, text, kind)
    assert not equivalent("", text, kind)


@given(st.text(max_size=200), KINDS)
def test_what_is_found_is_of_the_kind_that_was_asked_for(text: str, kind: Kind | None) -> None:
    answer = extract(text, kind)
    assert answer is None or (kind in (None, answer.kind) and answer.text)


@given(TEXTS, KINDS)
def test_what_was_found_is_found_again(text: str, kind: Kind | None) -> None:
    answer = extract(text, kind)
    assert answer == extract(text, kind)
    assert answer is None or hash(answer) == hash(extract(text, kind))


@settings(max_examples=300)
@given(st.lists(st.tuples(TEXTS, KINDS), max_size=8), st.randoms(use_true_random=False))
def test_groups_are_the_same_in_any_order(said: list[tuple[str, Kind | None]], random) -> None:  # type: ignore[no-untyped-def]
    answers = [extract(text, kind) for text, kind in said]
    order = list(range(len(answers)))
    random.shuffle(order)
    labels = cluster(answers).labels
    shuffled = cluster([answers[place] for place in order]).labels
    back = {place: shuffled[number] for number, place in enumerate(order)}
    for one in range(len(answers)):
        assert (labels[one] is None) is (answers[one] is None) is (back[one] is None)
        for other in range(one):
            together = labels[one] is not None and labels[one] == labels[other]
            assert together is (back[one] is not None and back[one] == back[other])


@given(st.lists(TEXTS, max_size=8), KINDS)
def test_members_of_a_group_are_equal_and_parted_pairs_are_too(
    said: list[str], kind: Kind | None
) -> None:
    answers = [extract(text, kind) for text in said]
    told = cluster(answers)
    for one in range(len(answers)):
        for other in range(one):
            if told.labels[one] is not None and told.labels[one] == told.labels[other]:
                assert equivalent(answers[one], answers[other])
    for one, other in told.parted:
        assert equivalent(answers[one], answers[other])
    for merge in told.merges:
        assert equivalent(answers[merge.one], answers[merge.other]).evidence == merge.evidence
