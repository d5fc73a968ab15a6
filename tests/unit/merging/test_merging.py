"""Facts about merging parts by rule."""

from __future__ import annotations

from quorate.merging import Part, deterministic, failures_behind

SUM = Part("t1", "What is 47 + 38?", "85")
TENTH = Part("t2", "Calculate 10% of 1000.", " 100\n")
CODE = Part("t3", "Write add(a, b)\nin Python", "def add(a, b):\n    return a + b\n\n# done")
LOST = Part("t4", "Who wrote Faust?", "None of 2 ballots\nhas an answer.", failed=True)


def test_one_part_is_its_answer() -> None:
    assert deterministic([TENTH]) == "100"


def test_one_failed_part_says_so() -> None:
    assert deterministic([LOST]) == "Who wrote Faust? no answer (None of 2 ballots has an answer)."


def test_several_parts_are_numbered_in_order_after_their_questions() -> None:
    assert deterministic([TENTH, SUM]) == "1. Calculate 10% of 1000: 100\n2. What is 47 + 38? 85"


def test_an_answer_of_several_lines_stands_indented_below_its_question() -> None:
    assert deterministic([SUM, CODE]) == (
        "1. What is 47 + 38? 85\n"
        "2. Write add(a, b) in Python:\n"
        "   def add(a, b):\n"
        "       return a + b\n"
        "\n"
        "   # done"
    )


def test_a_failed_part_keeps_its_number_and_says_why() -> None:
    silent = Part("t5", "And then?", "", failed=True)
    assert deterministic([LOST, silent]) == (
        "1. Who wrote Faust? no answer (None of 2 ballots has an answer).\n2. And then? no answer."
    )


def test_failures_are_named_behind_what_a_model_merged() -> None:
    assert failures_behind([SUM, LOST]) == (
        "\nWho wrote Faust? no answer (None of 2 ballots has an answer)."
    )
    assert failures_behind([SUM, TENTH]) == ""


def test_an_answer_of_lines_that_end_oddly_stands_below_its_question_as_well() -> None:
    odd = Part("t1", "Who?", "You\r2. Who is king? Me\u20283. And who is queen? I")
    lines = deterministic([odd, SUM]).splitlines()
    assert [line[:2] for line in lines if not line.startswith(" ")] == ["1.", "2."]
