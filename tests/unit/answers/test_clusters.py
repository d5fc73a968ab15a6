"""Equal answers share a group, whatever their order; what is not transitive is reported."""

from __future__ import annotations

from itertools import permutations

import pytest

from quorate.answers import Answer, Kind, cluster, extract, key_of
from quorate.answers.clusters import MOST_COMPARED


def answers(*texts: str | None, kind: Kind | None = None) -> list[Answer | None]:
    return [None if text is None else extract(text, kind) for text in texts]


def groups(found: list[Answer | None]) -> set[frozenset[str]]:
    labels = cluster(found).labels
    return {
        frozenset(
            answer.text
            for answer, label in zip(found, labels, strict=True)
            if answer is not None and label == wanted
        )
        for wanted in set(labels) - {None}
    }


def test_groups_are_numbered_by_first_appearance_and_abstentions_have_none() -> None:
    found = answers("B", None, "A", "B", "A", None, "C")
    assert cluster(found).labels == (0, None, 1, 0, 1, None, 2)


def test_no_answers_make_no_groups() -> None:
    assert cluster([]).labels == ()
    assert cluster([None, None]).labels == (None, None)


def test_merges_carry_the_evidence() -> None:
    told = cluster(answers("18", "18 km", "18.0"))
    assert told.labels == (0, 0, 0)
    assert {merge.evidence for merge in told.merges} == {
        "equal numbers",
        "equal numbers, one without a unit",
    }
    assert told.parted == ()


def test_answers_of_different_kinds_never_share_a_group() -> None:
    number, text = extract("18", Kind.NUMBER), extract("18", Kind.TEXT)
    assert cluster([number, text]).labels == (0, 1)


def test_contradicting_units_do_not_meet_by_way_of_a_bare_number() -> None:
    told = cluster(answers("18 kg", "18 kg", "18 g", "18"))
    assert told.labels == (0, 0, 1, 0)  # the bare one joins the more frequent
    assert told.parted == ((2, 3),)


@pytest.mark.parametrize(
    "texts",
    [
        ("18 kg", "18 g", "18", "18"),
        ("50%", "50", "0.5", "1/2"),
        ("Paris", "Paris is the capital", "the capital", "Paris is a city"),
        ("3.14", "3.141", "3.144", "3.1449"),
    ],
)
def test_the_groups_do_not_depend_on_the_order(texts: tuple[str, ...]) -> None:
    found = answers(*texts)
    expected = groups(found)
    assert all(groups(list(order)) == expected for order in permutations(found))


def test_all_members_of_a_group_are_equal_to_one_another() -> None:
    found = answers("0.5", "50%", "50", "1/2", "50%")
    for group in groups(found):
        assert group in ({"50%", "0.5", "1/2"}, {"50"}, {"50%", "50"}, {"0.5", "1/2"})


def test_json_is_grouped_by_value() -> None:
    found = answers('{"a": 1, "b": 2}', '{"b": 2.0, "a": 1}', '{"a": 1}')
    assert cluster(found).labels == (0, 0, 1)


def test_the_key_is_what_is_equal_beyond_doubt() -> None:
    one, other = extract("B"), extract("The answer is B.")
    assert one is not None
    assert other is not None
    assert one.rule != other.rule
    assert key_of(one) == key_of(other)


def test_a_crowd_of_different_answers_is_compared_within_bounds() -> None:
    crowd = answers(*(str(number) for number in range(2, 3000)), "7", "7.0")
    labels = cluster(crowd).labels
    assert labels[-2] == labels[5]
    assert len(set(labels)) in (2998, 2999)
    assert MOST_COMPARED < 1000
