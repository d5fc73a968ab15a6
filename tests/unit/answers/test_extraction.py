"""What a model answered is found, whatever it says around it, or it abstains."""

from __future__ import annotations

import pytest

from quorate.answers import Kind, equivalent, extract


def found(text: str, kind: Kind | None = None) -> str | None:
    answer = extract(text, kind)
    return None if answer is None else answer.text


@pytest.mark.parametrize(
    "text",
    [
        "B", "B.", "(B)", "[B]", "B)", "**B**", "*B*", "(B) Paris", "B) Paris", "B. Paris",
        "B: Paris", "B - Paris", "The answer is B", "The answer is B.", "The answer is (B).",
        "The answer is **B**.", "Answer: B", "Answer: (B) Paris", "**Answer:** B", "Answer:\nB",
        "Final answer: B", "The correct answer is B) Paris.", "The correct option is B", "Option B",
        "I choose B", "I would go with (B).", "B is correct because A is too small",
        "Because A is too small, B. Answer: B", "A is wrong. B is the right one.", "\\boxed{B}",
        "$\\boxed{\\text{B}}$", '{"answer": "B"}', '{"reasoning": "A is not it", "answer": "B"}',
        "#### B", "B, because it is the capital", "Paris is in France.\nThe answer is B.", '"B"',
        "The answer is B) Paris, not A) London.", "(b)", "The answer would be B.", "answer = B",
    ],
)  # fmt: skip
def test_a_marked_or_leading_letter_is_a_choice_unasked(text: str) -> None:
    answer = extract(text)
    assert answer is not None
    assert (answer.kind, answer.text, answer.value) == (Kind.CHOICE, "B", "B")
    assert extract(text, Kind.CHOICE) == answer


@pytest.mark.parametrize(
    "text",
    [
        "b", "b)", "b.", "I think it's B.", "It is B", "It must be B!", "Clearly B", "B is it",
        "Not A, so B.", "Paris (B)", "My choice: B", "It's B, not A.", "So the right one is B.",
    ],
)  # fmt: skip
def test_a_lone_letter_counts_where_a_choice_was_asked(text: str) -> None:
    assert found(text, Kind.CHOICE) == "B"


@pytest.mark.parametrize(
    "text",
    [
        "A quick fox jumps", "I think so", "It could be A or B", "A and B", "A, B", "A/B",
        "(A) or (B)", "The answer is not B.", "Paris", "Neither", "I like C++", "Plan-B", "K",
        "The answer is K", "A good question!", "The options are A, B and C.", "Answer: B or C",
        "C# is nice",
    ],
)  # fmt: skip
def test_articles_pronouns_and_several_letters_are_no_choice(text: str) -> None:
    assert found(text, Kind.CHOICE) is None


@pytest.mark.parametrize(
    "text",
    ["A quick fox", "J. K. Rowling", "C. S. Lewis", "I", "C++", "Plan B is ready", "a", "b)"],
)
def test_prose_that_looks_like_a_letter_stays_text_unasked(text: str) -> None:
    answer = extract(text)
    assert answer is not None
    assert (answer.kind, answer.text) == (Kind.TEXT, text)


def test_sodium_is_an_answer() -> None:
    assert found("Na") == "Na"
    assert found("The answer is Na.", Kind.TEXT) == "Na."


def test_the_ninth_letter_is_a_choice_when_one_was_asked() -> None:
    assert found("I", Kind.CHOICE) == "I"
    assert found("I) none of these", Kind.CHOICE) == "I"
    assert found("I, Robot") == "I, Robot"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("18", "18"), ("18.", "18"), ("18.0", "18"), ("The answer is 18.", "18"), ("= 18", "18"),
        ("$18", "$18"), ("$18.00", "$18"), ("$2.50", "$2.50"), ("-$5", "-$5"), ("18 apples", "18"),
        ("1,000", "1000"), ("1,234,567.5", "1234567.5"), ("-5", "-5"), ("−5", "-5"), ("+5", "5"),
        ("0.5", "0.5"), (".5", "0.5"), ("1/2", "1/2"), ("4/2", "2"), ("2 1/2", "5/2"), ("½", "1/2"),
        ("2½", "5/2"), ("-3/4", "-3/4"), ("50%", "50%"), ("50 percent", "50%"), ("50 %", "50%"),
        ("five", "5"), ("twenty-one", "21"), ("Two hundred and five", "205"), ("one", "1"),
        ("three thousand", "3000"), ("2 million", "2000000"), ("1.5 million", "1500000"),
        ("5k", "5000"), ("1e3", "1000"), ("2.5e-1", "0.25"), ("3 x 10^4", "30000"),
        ("3×10⁴", "30000"), ("5 km", "5 km"), ("5km", "5 km"), ("5 kilometres", "5 km"),
        ("20 °C", "20°C"), ("3 m^2", "3 m^2"), ("25 cents", "25¢"), ("100 dollars", "$100"),
        ("€5", "€5"), ("5 €", "€5"), ("5th", "5"), ("\\boxed{42}", "42"), ("$\\boxed{42}$", "42"),
        ("$18$", "18"), ("\\frac{3}{4}", "3/4"), ("$-\\frac{3}{4}$", "-3/4"), ("1{,}000", "1000"),
        ("1\u202f000", "1000"), ("50\\%", "50%"), ("#### 72", "72"), ("#### -72", "-72"),
        ("72/12 = 6", "6"), ("2 + 2 = 4", "4"), ("**18**", "18"), ('{"answer": 18}', "18"),
        ('{"Final Answer": "18"}', "18"), ("90^\\circ", "90"),
        ("3,14", "3.14"), ("-0,5", "-0.5"), ("2,7183", "2.7183"),
    ],
)  # fmt: skip
def test_a_lone_number_is_a_number_unasked(text: str, shown: str) -> None:
    answer = extract(text)
    assert answer is not None
    assert (answer.kind, answer.text) == (Kind.NUMBER, shown)
    assert found(text, Kind.NUMBER) == shown


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("He has 18 apples left.", "18"), ("3 + 4 = 7, and 7 * 2 = 14.", "14"), ("x = -5", "-5"),
        ("151-98: 11-8-0=3; 15-9-1=5; 1-0-1=0 = 53\nAnswer: 53", "53"), ("There are seven.", "7"),
        ("Answer: 72/12 = 6", "6"), ("The answer is 7 because 3+4 = 7 and 5.", "7"), ("10-3", "3"),
        ("Answer: 18 apples (6 per box)", "18"), ("Answer: 3 + 4 is 7.", "7"), ("from 3 to 5", "5"),
        ("Answer: 18\nThat took 3 steps.", "18"), ("The total is $1,200.", "$1200"), ("(2)-3", "3"),
        ("Answer:\n\n18", "18"), ("The answer is found by adding. 3 + 4 = 7", "7"), ("1,2,3", "3"),
        ("Answer: the number is five", "5"), ("5% of 3", "3"), ("50%-3", "3"), ("v1.2 has 7", "7"),
        ("Answer: 3\nWait, no.\nAnswer: 4", "4"), ("\\boxed{3} no, \\boxed{4}", "4"), ("a: 5", "5"),
        ("\\boxed{\\frac{1}{2}}", "1/2"), ("Answer: 1. It is 2.", "1"), ("$5$ and $6$", "6"),
        ("47 - 38", "38"), ("the change is - 5", "-5"), ("at (3,14)", "14"), ("[53,6]", "6"),
        ("about 3,14 metres", "3.14 m"),
    ],
)  # fmt: skip
def test_a_number_that_was_asked_for_is_the_marked_one_or_the_last(text: str, shown: str) -> None:
    assert found(text, Kind.NUMBER) == shown


@pytest.mark.parametrize(
    "text",
    ["No one knows", "12:30", "2x", "3D", "one of them", "x_1", "5/0", "nothing", "A1", "five one"],
)
def test_what_only_looks_like_a_number_is_none(text: str) -> None:
    assert found(text, Kind.NUMBER) is None


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("Yes", "yes"), ("yes.", "yes"), ("No.", "no"), ("Yes, it is.", "yes"),
        ("Yes it is", "yes"), ("No, because 3 < 5.", "no"), ("true", "yes"), ("False", "no"),
        ("TRUE.", "yes"), ("Nope", "no"), ("It is false.", "no"), ("That's true", "yes"),
        ("**No**", "no"), ("Answer: no", "no"), ("28 > 27.\nAnswer: no", "no"),
        ("5 is greater, so the answer is yes.", "yes"), ('"Yes"', "yes"),
        ('{"answer": true}', "yes"), ('{"answer": "no"}', "no"), ("\\boxed{yes}", "yes"),
        ("The statement is false.", "no"), ("No — it is smaller.", "no"), ("It is not true.", "no"),
    ],
)  # fmt: skip
def test_yes_and_no_are_booleans_unasked(text: str, shown: str) -> None:
    answer = extract(text)
    assert answer is not None
    assert (answer.kind, answer.text, answer.value) == (Kind.BOOLEAN, shown, shown == "yes")
    assert extract(text, Kind.BOOLEAN) == answer


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("Correct.", "yes"), ("That is not correct.", "no"), ("This isn't true.", "no"),
        ("Wrong!", "no"), ("Therefore, yes.", "yes"), ("28 > 27, so no.", "no"),
        ("3 is less than 5: true", "yes"), ("3 < 5\nyes", "yes"),
        ("I would say yes to that", "yes"), ("Right, it is.", "yes"),
        ("The claim would be false here, I think", "no"), ("The reply is (no)", "no"),
    ],
)  # fmt: skip
def test_a_truth_value_inside_a_text_counts_where_one_was_asked(text: str, shown: str) -> None:
    assert found(text, Kind.BOOLEAN) == shown


@pytest.mark.parametrize(
    "text",
    ["Maybe", "yes and no", "18", "There is no doubt", "Paris", "One says yes, one false"],
)  # fmt: skip
def test_what_is_neither_yes_nor_no_abstains(text: str) -> None:
    assert found(text, Kind.BOOLEAN) is None


@pytest.mark.parametrize(
    "text", ["No one knows", "True love", "Right angles", "Wrong turn", "right"]
)
def test_sentences_that_begin_like_a_truth_value_stay_text(text: str) -> None:
    answer = extract(text)
    assert answer is not None
    assert answer.kind is Kind.TEXT


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ('{"a": 1}', '{"a": 1}'), ('Here: {"a": [1, 2]} ok?', '{"a": [1, 2]}'),
        ("[22, 69]", "[22, 69]"), ('```json\n{"a": 1}\n```', '{"a": 1}'), ("```\n[1]\n```", "[1]"),
        ('{"answer": [1, 2]}', "[1, 2]"),
        ('First {"a": 1}, then {"a": 1, "b": 2}', '{"a": 1, "b": 2}'),
        ('{"answer": {"x": 1}}', '{"x": 1}'), ('{ broken {"a": 1}', '{"a": 1}'),
        ('Answer: {"a": 1}', '{"a": 1}'), ('{"note": "Answer: 3"}', '{"note": "Answer: 3"}'),
    ],
)  # fmt: skip
def test_json_is_found_in_fences_and_prose_unasked(text: str, written: str) -> None:
    answer = extract(text)
    assert answer is not None
    assert (answer.kind, answer.text) == (Kind.JSON, written)


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("The list is [22, 69].", "[22, 69]"), ("42", "42"), ('"x"', '"x"'), ("null", None),
        ("true", "true"), ('{"answer": [1]}', '{"answer": [1]}'), ("{'a': 1}", None),
        ('{"a": ', None), ("NaN", None), ('Answer:\n{\n "a": 1\n}', '{\n "a": 1\n}'),
        ("no braces", None), ("empty {} here", None), ("[" * 100 + "]" * 100, None),
        ("1" * 5000, None),
    ],
)  # fmt: skip
def test_json_that_was_asked_for_is_the_whole_value(text: str, written: str | None) -> None:
    assert found(text, Kind.JSON) == written


def test_a_bracket_in_prose_is_no_json() -> None:
    answer = extract("see [1] for more")
    assert answer is not None
    assert answer.kind is Kind.TEXT


FUNCTION = "def f(x):\n    return [x]"


@pytest.mark.parametrize(
    "text",
    [
        FUNCTION, f"```python\n{FUNCTION}\n```", f"```\n{FUNCTION}\n```",
        f"Sure!\n```py\n{FUNCTION}\n```\nIt works.",
        f"Here it is:\n\n{FUNCTION}\n\nThis returns a list.",
        "  ```python\n  def f(x):\n      return [x]\n  ```", f"```python\n{FUNCTION}",
        f"```text\nnot this\n```\n```python\n{FUNCTION}\n```", f"{FUNCTION}\nAnswer: 3",
    ],
)  # fmt: skip
def test_programs_are_found_in_fences_and_by_their_first_line(text: str) -> None:
    answer = extract(text)
    assert answer is not None
    assert (answer.kind, answer.text) == (Kind.CODE, FUNCTION)
    assert extract(text, Kind.CODE) == answer


@pytest.mark.parametrize(
    ("text", "source"),
    [
        ("lambda x: x + 1", "lambda x: x + 1"), ("x = 3", "x = 3"), ("print(3)", "print(3)"),
        ("[n for n in x]", "[n for n in x]"), ("hello world", None), ("hello", None),
        ("# only", None), ("import math\nmath.pi", "import math\nmath.pi".splitlines()[0]),
        ("I am sorry", None),
        ("from math import pi\nx = pi\n\nDone.", "from math import pi\nx = pi"),
        ("@cache\ndef f():\n    pass", "@cache\ndef f():\n    pass"),
        ("async def f():\n    pass", "async def f():\n    pass"),
    ],
)  # fmt: skip
def test_a_program_that_was_asked_for_may_be_one_statement(text: str, source: str | None) -> None:
    assert found(text, Kind.CODE) == source


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("Paris", "Paris"), ("Final answer: Paris", "Paris"), ("**Answer:** Paris", "Paris"),
        ("The answer is Paris.", "Paris."), ('"Paris"', "Paris"), ("“Paris”", "Paris"),
        ("`Paris`.", "Paris"), ("Answer: A quick fox", "A quick fox"),
        ('{"answer": "Paris"}', "Paris"), ("\\text{Paris}", "Paris"),
        ('"Paris" and "London"', '"Paris" and "London"'), ("*Paris*,", "Paris"),
        ("Question? Answer: Paris", "Paris"), ('{"question": 1}', None),
        ("The capital of France is Paris.", "The capital of France is Paris."),
    ],
)  # fmt: skip
def test_free_text_is_taken_out_of_its_marks(text: str, shown: str | None) -> None:
    answer = extract(text)
    assert answer is not None
    assert (answer.text if answer.kind is Kind.TEXT else None) == shown


def test_an_option_without_words_is_no_text() -> None:
    assert found("B) —", Kind.TEXT) is None


def test_text_that_was_asked_for_loses_its_option_letter_and_keeps_numbers() -> None:
    assert found("B) Paris", Kind.TEXT) == "Paris"
    assert found("18", Kind.TEXT) == "18"
    assert found('{"answer": 18.5}', Kind.TEXT) == "18.5"
    assert found("Yes", Kind.TEXT) == "Yes"


@pytest.mark.parametrize("kind", [None, *Kind])
@pytest.mark.parametrize(
    "text",
    [
        "", "   ", "\n\t", "...", "?", "!!!", "👍", "I don't know", "I don’t know.",
        "I do not know the answer.", "I'm sorry, I cannot answer that.",
        "Sorry, I can't help with that.", "As an AI, I cannot say.", "I am not sure, maybe 5 or A",
        "I cannot determine that: yes?", "Unknown", "N/A", "Answer: unknown",
        "Answer: cannot be determined\nThere were 3 of them.",
        "Final answer: I don't know. Maybe 5", "\\boxed{?}", "The answer cannot be determined.",
        "Unfortunately, I have no access to that.", "No answer", "I have no idea",
        "Not enough information.",
    ],
)  # fmt: skip
def test_empty_texts_and_refusals_abstain(text: str, kind: Kind | None) -> None:
    assert extract(text, kind) is None


@pytest.mark.parametrize("text", ['{"answer": null}', '{"answer": ""}', '{"answer": "unknown"}'])
def test_an_empty_answer_field_abstains_unless_the_object_was_asked_for(text: str) -> None:
    assert all(extract(text, kind) is None for kind in (None, *Kind) if kind is not Kind.JSON)
    assert found(text, Kind.JSON) == text


@pytest.mark.parametrize(
    ("text", "kind"),
    [("I have 18 apples", Kind.NUMBER), ("I can see 3 of them", Kind.NUMBER), ("None", Kind.TEXT),
     ("The unknown soldier", Kind.TEXT), ("I know: B", Kind.CHOICE)],
)  # fmt: skip
def test_what_only_sounds_like_a_refusal_is_an_answer(text: str, kind: Kind) -> None:
    assert extract(text, kind) is not None


@pytest.mark.parametrize(
    ("text", "kind", "rule"),
    [
        ("B", Kind.CHOICE, "choice_letter"), ("Answer: 3", Kind.NUMBER, "answer_line"),
        ("so 3", Kind.NUMBER, "last_number"), ("3", None, "only_number"),
        ("\\boxed{3}", None, "boxed"), ("#### 3", None, "hashes"), ("Yes", None, "yes_or_no"),
        ("The answer is 3", None, "answer_phrase"), ('{"answer": 3}', None, "answer_field"),
        ("[1]", None, "json_value"), (FUNCTION, None, "program"), ("x = 1", Kind.CODE, "statement"),
        ("x + 1", Kind.EXPRESSION, "expression"), ("Paris", None, "free_text"),
    ],
)  # fmt: skip
def test_the_rule_that_found_the_answer_is_named(text: str, kind: Kind | None, rule: str) -> None:
    answer = extract(text, kind)
    assert answer is not None
    assert answer.rule == rule


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("x^2 + 1", "x^2 + 1"), ("The answer is x + 1.", "x + 1."),
        ("\\boxed{\\frac{x}{2}}", "\\frac{x}{2}"), ("first\nsecond", None),
        ("Answer: $2x$\nDone", "2x"),
    ],
)  # fmt: skip
def test_an_expression_is_marked_or_stands_alone(text: str, shown: str | None) -> None:
    assert found(text, Kind.EXPRESSION) == shown


def test_an_unclosed_or_deeply_nested_box_marks_nothing() -> None:
    assert found("\\boxed{3", Kind.NUMBER) == "3"
    assert found("\\boxed{" + "{" * 20 + "3", Kind.NUMBER) == "3"


def test_a_long_text_is_read_from_both_ends() -> None:
    filler = "word " * 20_000
    assert found(f"{filler}\nAnswer: 18", Kind.NUMBER) == "18"
    assert found(f"B) Paris {filler}", Kind.CHOICE) == "B"


@pytest.mark.parametrize(
    ("text", "number"),
    [
        (r"\boxed{2^{10}}", "1024"),
        ("10³", "1000"),
        ("negative 5", "-5"),
        ("The answer is minus 5.", "-5"),
        ("10 minus 3 is 7", "7"),
        (r"\boxed{\sqrt{2}}", None),
        (r"\boxed{3\pi}", None),
    ],
)
def test_a_digit_of_a_formula_never_stands_for_it(text: str, number: str | None) -> None:
    found = extract(text, Kind.NUMBER)
    assert (found and found.text.replace("minus ", "-").replace("negative ", "-")) == number or (
        found is not None and number is not None and equivalent(text, number, Kind.NUMBER)
    )
