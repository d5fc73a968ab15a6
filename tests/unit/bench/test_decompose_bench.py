"""Scores of splits: what counts as right, broken, found, and how it is written down."""

import pytest

from services.bench.decompose import corpus, document
from services.bench.decompose.corpus import Expected, Labelled
from services.bench.decompose.scoring import Found, Part, score, table

CHAIN = Labelled("Add 2 and 3, then halve it", (Expected("2 and 3", ()), Expected("halve", (1,))))
WHOLE = Labelled("Who are Ada and Bo?")


def found(*parts):
    return Found(tuple(Part(text, needs) for text, needs in parts))


def test_exactly_the_labelled_parts_are_right():
    made = score(CHAIN, found(("Add 2 and 3", ()), ("Halve it", (1,))))
    assert (made.split, made.right, made.broken) == (True, True, False)
    assert (made.dependencies_found, made.dependencies_right) == (1, 1)


@pytest.mark.parametrize(
    "parts",
    [
        [("Halve it", ()), ("Add 2 and 3", ())],
        [("Add 2 and 3, then halve it", ()), ("Halve it", (1,))],
        [("Add 2", ()), ("and 3", ()), ("Halve it", (1,))],
    ],
    ids=["order", "twice", "too many"],
)
def test_other_parts_are_wrong_and_so_are_their_dependencies(parts):
    made = score(CHAIN, found(*parts))
    assert (made.split, made.right, made.dependencies_right) == (True, False, 0)


def test_a_missing_dependency_is_not_found_and_a_needless_one_is_wrong():
    missing = score(CHAIN, found(("Add 2 and 3", ()), ("Halve it", ())))
    assert (missing.right, missing.dependencies_found, missing.dependencies_right) == (True, 0, 0)
    told = table("x", [missing])
    assert told["dependency_precision"] is None
    assert told["dependency_recall"]["value"] == 0.0


def test_a_question_that_must_stay_whole_is_broken_by_any_split():
    broken = score(WHOLE, found(("Who is Ada?", ()), ("Who is Bo?", ())))
    kept = score(WHOLE, found(("Who are Ada and Bo?", ())))
    right = score(CHAIN, found(("Add 2 and 3", ()), ("Halve it", (1,))))
    told = table("x", [broken, kept, right])
    assert told["broken"] == ["Who are Ada and Bo?"]
    assert told["kept"]["value"] == 0.5
    assert told["precision"]["value"] == 0.5
    assert told["recall"]["value"] == 1.0


def test_labels_that_do_not_fit_their_question_are_refused(tmp_path):
    path = tmp_path / "q.yaml"
    for parts, problem in (("[[tea, []]]", "does not stand in"), ("[[b, []], [c, [2]]]", "needs")):
        path.write_text(f"whole: {{}}\nsplit:\n  - question: a b c\n    parts: {parts}\n")
        with pytest.raises(ValueError, match=problem):
            corpus.read(path)


def test_the_documents_sections_are_written_from_the_result():
    row = table("rules", [score(CHAIN, found(("Add 2 and 3", ()), ("Halve it", (1,))))])
    machine = {"measured_at": "2026-11-21T00:00:00", "cores": 4, "processor": "X", "setup": "s"}
    result = {"machine": machine, "modes": [row], "later": [row], "planners": [row]}
    text = document.SECTIONS["splits"](result)
    assert "| rules | – | 100.0 [20.7, 100.0] % of 1 |" in text
    assert "Measured 2026-11-21 on 4 cores of X; s." in text
    assert "| rules |" in document.SECTIONS["planners"](result)
