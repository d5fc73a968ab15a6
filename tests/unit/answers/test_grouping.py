"""Answers that come in one by one are grouped as all of them at once."""

from __future__ import annotations

from random import Random

from hypothesis import given, settings
from hypothesis import strategies as st

from quorate.answers import Answer, Kind, cluster, extract
from quorate.answers.grouping import Grouping

SAID = [
    "18", "18.0", "18 kg", "18 g", "18000 g", "50%", "0.5", "1/2", "50", "0.67", "0.6667", "2/3",
    "3.14", "3.141", "3.1449", r"\pi", r"\sqrt{8}", r"2\sqrt{2}", "2.83", "Paris", "the capital",
    "Paris is the capital", "Paris is a city", "a city", "Mississippi", "Mississipi", "B", "yes",
    "cats and dogs", "dogs and cats", "{}", '{"a": 1}', "",
]  # fmt: skip
PLAIN = ["18", "18.0", "19", "20.5", "Paris", "It is Paris", "Rome", "Mississippi", "Mississipi"]
KINDS = st.sampled_from([None, None, Kind.NUMBER, Kind.TEXT, Kind.EXPRESSION])


def read(said: list[str], kind: Kind | None) -> list[Answer | None]:
    return [extract(text, kind) for text in said]


@settings(max_examples=300)
@given(st.lists(st.sampled_from(SAID), max_size=14), KINDS, st.randoms(use_true_random=False))
def test_groups_are_those_of_all_at_once_after_every_answer(
    said: list[str], kind: Kind | None, random: Random
) -> None:
    answers = read(said, kind)
    places = list(range(len(answers)))
    random.shuffle(places)
    grouping = Grouping()
    for seen, place in enumerate(places, start=1):
        if (answer := answers[place]) is not None:
            grouping.add(answer)
        in_order = [answers[one] for one in sorted(places[:seen])]
        assert grouping.cluster(in_order) == cluster(in_order)


@given(st.lists(st.sampled_from(PLAIN), max_size=20))
def test_what_equals_the_same_is_never_tangled(said: list[str]) -> None:
    grouping = Grouping()
    answers = read(said, None)
    numbers = [None if answer is None else grouping.add(answer) for answer in answers]
    labels = cluster(answers).labels
    assert not grouping.tangled
    assert len(set(zip(numbers, labels, strict=True))) == len(set(labels))


def test_a_bare_number_between_two_units_leaves_the_groups_to_the_frequencies() -> None:
    grouping = Grouping()
    answers = read(["18 kg", "18 kg", "18 g", "18"], None)
    for answer in filter(None, answers):
        grouping.add(answer)
    assert grouping.tangled
    assert grouping.cluster(answers).labels == (0, 0, 1, 0)
    assert grouping.cluster(answers).parted == ((2, 3),)


def test_answers_that_were_never_added_are_grouped_all_the_same() -> None:
    grouping = Grouping()
    one, other = read(["18", "18.0 kg"], None)
    assert one is not None
    grouping.add(one)
    assert grouping.cluster([one, other, None]).labels == (0, 0, None)


def test_only_answers_that_may_be_equal_are_named_for_a_proof() -> None:
    grouping = Grouping()
    for answer in filter(None, read([r"\sqrt{2}", r"\sqrt{3}", r"\{1, 2\}"], Kind.EXPRESSION)):
        grouping.add(answer)
    new, known, set_of_two = read([r"\sqrt{5}", r"\sqrt{3}", r"\{2, 1\}"], Kind.EXPRESSION)
    assert new is not None
    assert known is not None
    assert set_of_two is not None
    assert [answer.text for answer in grouping.alike(new)] == [r"\{1, 2\}"]
    assert grouping.alike(known) == []
    assert len(grouping.alike(set_of_two)) == 3
    assert grouping.cluster(read([r"\sqrt{5}"], Kind.EXPRESSION)).labels == (0,)


def test_sentences_that_are_all_alike_are_given_up_and_still_grouped() -> None:
    grouping = Grouping()
    answers = read([f"thing{number} is glass" for number in range(300)], Kind.TEXT)
    for answer in filter(None, answers):
        grouping.add(answer)
    assert grouping.tangled
    assert grouping.cluster(answers[:50]) == cluster(answers[:50])
