"""Two texts that give the same answer are found to, with the evidence; others never are."""

from __future__ import annotations

import pytest

from quorate.answers import Answer, Kind, equivalent, extract
from quorate.answers.answer import Answer as PlainAnswer
from quorate.answers.equivalence import compare


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("The answer is 18.", "18"), ("18.0", "18"), ("1,000", "1000"), ("$18", "18"),
        ("18 apples", "18"), ("50%", "0.5"), ("50%", "50"), ("50%", "1/2"), ("5 km", "5000 m"),
        ("5 km", "5 kilometers"), ("5 km", "5"), ("$5", "5 dollars"), ("25 cents", "$0.25"),
        ("1 hour", "60 minutes"), ("2 weeks", "14 days"), ("½", "0.5"), ("1/2", "0.50"),
        ("2/3", "0.67"), ("0.6667", "2/3"), ("3.14", "3.14159"), ("−5", "-5"), ("1e3", "1000"),
        ("five", "5"), ("2 million", "2,000,000"), ("#### 72", "\\boxed{72}"),
        ("18", "He has 18 apples."), ("B", "The answer is B"), ("(B) Paris", "B."),
        ("B", "I would go with B"), ("Yes", "true"), ("No, never.", "False"),
        ('{"a":1,"b":2.0}', '{"b": 2, "a": 1.0}'), ('{"a": " x "}', '{"a": "x"}'),
        ("[1, 2]", "[1.0, 2]"), ('{"a": {"c": null, "b": true}}', '{"a": {"b": true, "c": null}}'),
        ("Paris", "paris."), ("the Beatles", "Beatles!"),
        ("The capital of France is Paris.", "Paris"), ("Paris is the capital of France.", "Paris"),
        ("It is Paris.", "Paris"), ("ice-cream", "ice cream"),
        ("The capital of France is Paris", "Paris is the capital of France"),
        ("Qatar is in Asia.", "Asia"),
        ("France's capital is Paris", "The capital of France is Paris."),
        ("1,000 years", "1000 years"), ("Dracula was written by Bram Stoker.", "Bram Stoker"),
        ("Straße", "strasse"), ("don’t stop", "don't stop"),
        ("A young dog is called a puppy.", "puppy"),
        ("The population is 1,000.0", "the population is 1000"),
    ],
)  # fmt: skip
def test_the_same_answer_is_recognised_both_ways(one: str, other: str) -> None:
    verdict = equivalent(one, other)
    assert verdict, verdict.evidence
    assert equivalent(other, one)
    assert verdict.evidence


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("18", "19"), ("18", "-18"), ("1000", "1001"), ("5 km", "5 m"), ("$5", "€5"),
        ("5 kg", "5 km"), ("50%", "5"), ("0.01", "0.012"), ("0.1", "0.12"), ("3.14", "3.15"),
        ("5 min", "5 h"), ("$5", "5 cents"), ("50% of 3", "50"), ("B", "C"), ("A quick fox", "A"),
        ("C++", "C"), ("Yes", "No"), ("Yes", "1"), ('{"a":1}', '{"a":2}'), ('{"a":1}', '{"A":1}'),
        ("[1, 2]", "[2, 1]"), ('{"a": true}', '{"a": 1}'), ('{"a": "1"}', '{"a": 1}'),
        ("Paris", "London"), ("The capital of France is not Paris.", "Paris"),
        ("Paris isn't the capital.", "Paris"), ("Maybe Paris", "Paris"), ("Vitamin A", "Vitamin"),
        ("C#", "C++"), ("Paris or London is the capital", "Paris"),
        ("-5 degrees below", "5 degrees below"), ("version 3.5", "version 35"),
        ("It is Paris.", "It"),
        ("Everest is the highest mountain", "Everest is the second highest mountain"),
        ("John is tall and Mary is small", "tall"), ("Water is wet", "Sand is wet"), ("", ""),
        ("", "18"), ("?", "?"), ("I don't know", "I don't know"), ("is", "is Paris"),
        ("Paris is", "Paris is lovely is it"),
    ],
)  # fmt: skip
def test_different_answers_are_never_merged(one: str, other: str) -> None:
    assert not equivalent(one, other)
    assert not equivalent(other, one)


ADD = "def add(a, b):\n    return a + b"


@pytest.mark.parametrize(
    "other",
    [
        "def add(x, y):\n    return x + y", "def add(a,b):\n\n    # the sum\n    return a+b",
        f"```python\n{ADD}\n```",
        'def add(a: int, b: int) -> int:\n    """Add."""\n    return a + b',
        "def add(a, b): return (a + b)",
    ],
)  # fmt: skip
def test_programs_that_differ_in_names_and_layout_are_the_same(other: str) -> None:
    assert equivalent(ADD, other, Kind.CODE)


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [

        (
            "def f(n):\n    s = 0\n    for i in n:\n        s += i\n    return s",
            "def f(k):\n    t: int = 0\n    for j in k:\n        t += j\n    return t",
            True,
        ),
        ("def f(a, b):\n    return a - b", "def f(a, b):\n    return b - a", False),
        ("def f(a):\n    return a", "def g(a):\n    return a", False),
        ("f = lambda x: x + 1", "f = lambda y: y + 1", True),
        ("def f(*a, **k):\n    return a", "def f(*b, **c):\n    return b", True),
        ("def f(a, *, k):\n    return k", "def f(a, *, k):\n    return a", False),
        ("async def f(a):\n    return a", "async def f(b):\n    return b", True),
        ("def f():\n    x: int\n    return 1", "def f():\n    return 1", True),
        ("def f():\n    'only'", "def f():\n    'other'", False),
        (
            "def f(x):\n    def g(y):\n        return x + y\n    return g",
            "def f(a):\n    def g(b):\n        return a + b\n    return g",
            True,
        ),
        (
            "def f(x):\n    def g(y):\n        return x + y\n    return g",
            "def f(a):\n    def g(b):\n        return b + a\n    return g",
            False,
        ),
        ("```js\nlet x = 1;\n```", "```js\nlet  x =  1;\n```", True),
        ("x = '\\d'", "x = '\\d'", True), ("x = " + "1+" * 900 + "1", "x = 2", False),
    ],
)  # fmt: skip
def test_programs_are_compared_by_what_they_do_with_names(one: str, other: str, same: bool) -> None:
    assert bool(equivalent(one, other, Kind.CODE)) is same


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("2x + 1", "1 + 2*x", True), ("(x+1)^2", "x^2 + 2x + 1", True),
        ("\\frac{x}{2}", "x/2", True), ("y = 3x", "3x", True), ("x \\cdot y", "y*x", True),
        ("-x", "0-x", True), ("f(x) = x", "x", True), ("x^{2}", "x*x", True),
        ("2^10", "1024", True), ("9^400*9^400*9^400*9^400", "9^400 * 9^400*9^400*9^400", True),
        ("x + 1", "x + 2", False), ("x", "y", False),
        ("sqrt(2)", "sqrt( 2 )", True), ("sqrt(2)", "sqrt(3)", False), ("1/0", "2/0", False),
        ("x^2 = 4", "x^2=4", True), ("9^9^9^9", "9^9^9^9", True), ("2 % 3", "2", False),
        ("True", "1", False), ("x^0.5", "x^0.5", True), ("+x", "+ x", True), ("0.5x", "x/2", True),
    ],
)  # fmt: skip
def test_expressions_are_equal_when_their_values_are(one: str, other: str, same: bool) -> None:
    assert bool(equivalent(one, other, Kind.EXPRESSION)) is same


def test_an_abstention_equals_nothing() -> None:
    answer = extract("18")
    for one, other in ((None, None), (None, answer), (answer, None), ("18", None)):
        verdict = equivalent(one, other)
        assert not verdict
        assert verdict.evidence == "an abstention equals nothing"


def test_answers_of_different_kinds_are_never_the_same() -> None:
    number, text = extract("18", Kind.NUMBER), extract("18", Kind.TEXT)
    verdict = equivalent(number, text)
    assert not verdict
    assert verdict.evidence == "number is not text"


def test_a_kind_that_is_given_holds_for_both_texts() -> None:
    assert equivalent("He has 18.", "So 18 of them", Kind.NUMBER)
    assert not equivalent("He has 18.", "So 18 of them", Kind.TEXT)
    assert not equivalent("Paris", "Paris", Kind.NUMBER)


@pytest.mark.parametrize(
    ("one", "other", "evidence"),
    [
        ("18", "18.0", "equal numbers"), ("18", "18 km", "equal numbers, one without a unit"),
        ("50%", "0.5", "a percentage and its fraction"),
        ("5 km", "5000 m", "equal when km and m are turned into each other"),
        ("Paris", "It is Paris", "one is a sentence that states the other"),
        ("B", "B.", "equal as choice"),
        ("Rome is Roma", "Roma is Rome", "the same statement, turned around"),
        ("18", "19", "different as number"), ("B", "C", "different as choice"),
        ("Paris", "London", "different as text"),
    ],
)  # fmt: skip
def test_every_verdict_says_why(one: str, other: str, evidence: str) -> None:
    assert equivalent(one, other).evidence == evidence


@pytest.mark.parametrize("kind", [Kind.NUMBER, Kind.TEXT])
def test_a_value_that_is_not_of_its_kind_is_an_error_not_a_difference(kind: Kind) -> None:
    wrong = PlainAnswer(kind, "18", "eighteen", "made up")
    with pytest.raises(TypeError, match="eighteen"):
        compare(wrong, Answer(kind, "19", "nineteen", "made up"))
