"""The functions that the Python tasks ask for: what to call them, what they do, how to check them."""
# ruff: noqa: E501 - a table is read across, one function to a row

from __future__ import annotations

from typing import NamedTuple


class Function(NamedTuple):
    """One function to ask for.

    `names`: the name the model should choose, then other names that a question may demand.
    `arity`: number of arguments. `body`: lines, with {0}, {1} for the arguments.
    `says`: what it does, completing "a function that …". `checks`: "arguments -> result" rows.
    """

    names: tuple[str, ...]
    arity: int
    body: str
    says: tuple[str, ...]
    checks: tuple[str, ...]


def _row(names: str, arity: int, body: str, says: str, checks: str) -> Function:
    return Function(
        tuple(names.split()), arity, body, tuple(says.split("|")), tuple(checks.split("|"))
    )


FUNCTIONS: tuple[Function, ...] = (
    _row("add sum_two plus", 2, "return {0} + {1}", "adds two numbers|returns the sum of two numbers|adds {0} and {1}", "2, 3 -> 5|-1, 1 -> 0"),
    _row("subtract minus sub", 2, "return {0} - {1}", "subtracts two numbers|returns {0} minus {1}|subtracts {1} from {0}", "5, 3 -> 2|1, 4 -> -3"),
    _row("multiply times mul product", 2, "return {0} * {1}", "multiplies two numbers|returns the product of two numbers", "4, 3 -> 12|0, 7 -> 0"),
    _row("divide div", 2, "return {0} / {1}", "divides two numbers|returns {0} divided by {1}", "6, 3 -> 2|1, 2 -> 0.5"),
    _row("remainder modulo mod", 2, "return {0} % {1}", "returns the remainder of a division|returns {0} modulo {1}", "7, 3 -> 1|8, 4 -> 0"),
    _row("power raise_to", 2, "return {0} ** {1}", "raises a number to a power|returns {0} to the power of {1}", "2, 5 -> 32|3, 0 -> 1"),
    _row("average mean_of_two", 2, "return ({0} + {1}) / 2", "returns the average of two numbers|returns the mean of two numbers", "2, 4 -> 3|1, 2 -> 1.5"),
    _row("maximum larger max_of_two", 2, "return {0} if {0} > {1} else {1}", "returns the larger of two numbers|returns the maximum of two numbers", "2, 9 -> 9|5, -1 -> 5"),
    _row("minimum smaller min_of_two", 2, "return {0} if {0} < {1} else {1}", "returns the smaller of two numbers|returns the minimum of two numbers", "2, 9 -> 2|5, -1 -> -1"),
    _row("is_equal equal same", 2, "return {0} == {1}", "checks whether two values are equal|returns True if two values are equal", "1, 1 -> True|1, 2 -> False"),
    _row("is_greater greater", 2, "return {0} > {1}", "checks whether {0} is greater than {1}|returns True if {0} is greater than {1}", "2, 1 -> True|1, 2 -> False"),
    _row("is_less less", 2, "return {0} < {1}", "checks whether {0} is less than {1}|returns True if {0} is less than {1}", "2, 1 -> False|1, 2 -> True"),
    _row("is_even even", 1, "return {0} % 2 == 0", "checks whether a number is even|returns True if {0} is even", "4 -> True|7 -> False"),
    _row("is_odd odd", 1, "return {0} % 2 == 1", "checks whether a number is odd|returns True if {0} is odd", "4 -> False|7 -> True"),
    _row("is_positive positive", 1, "return {0} > 0", "checks whether a number is positive|returns True if {0} is positive", "4 -> True|-2 -> False"),
    _row("is_negative negative", 1, "return {0} < 0", "checks whether a number is negative|returns True if {0} is negative", "4 -> False|-2 -> True"),
    _row("square squared", 1, "return {0} * {0}", "squares a number|returns the square of a number", "4 -> 16|-3 -> 9"),
    _row("cube cubed", 1, "return {0} * {0} * {0}", "cubes a number|returns the cube of a number", "2 -> 8|-1 -> -1"),
    _row("double twice", 1, "return {0} * 2", "doubles a number|returns twice a number", "4 -> 8|0 -> 0"),
    _row("half halve", 1, "return {0} / 2", "halves a number|returns half of a number", "4 -> 2|1 -> 0.5"),
    _row("increment add_one", 1, "return {0} + 1", "adds one to a number|increments a number", "4 -> 5|-1 -> 0"),
    _row("absolute abs_value", 1, "return abs({0})", "returns the absolute value of a number", "-4 -> 4|3 -> 3"),
    _row("factorial fact", 1, "result = 1\nfor i in range(2, {0} + 1):\n    result *= i\nreturn result", "returns the factorial of a number|computes a factorial", "0 -> 1|5 -> 120"),
    _row("fibonacci fib", 1, "a, b = 0, 1\nfor _ in range({0}):\n    a, b = b, a + b\nreturn a", "returns the n-th Fibonacci number|computes Fibonacci numbers", "0 -> 0|7 -> 13"),
    _row("is_prime prime", 1, "if {0} < 2:\n    return False\nreturn all({0} % i for i in range(2, {0}))", "checks whether a number is prime|returns True if {0} is prime", "7 -> True|9 -> False|1 -> False"),
    _row("sum_to total_to", 1, "return sum(range({0} + 1))", "sums the numbers from 1 to {0}|adds all numbers up to {0}", "4 -> 10|1 -> 1"),
    _row("reverse reverse_string", 1, "return {0}[::-1]", "reverses a string|returns a string backwards", "'abc' -> 'cba'|'' -> ''"),
    _row("is_palindrome palindrome", 1, "return {0} == {0}[::-1]", "checks whether a string is a palindrome|returns True if {0} is a palindrome", "'abba' -> True|'ab' -> False"),
    _row("count_vowels vowels", 1, "return sum(c in 'aeiouAEIOU' for c in {0})", "counts the vowels in a string|returns the number of vowels in a string", "'banana' -> 3|'xyz' -> 0"),
    _row("count_words words", 1, "return len({0}.split())", "counts the words in a string|returns the number of words in a text", "'a b c' -> 3|'' -> 0"),
    _row("to_upper upper", 1, "return {0}.upper()", "converts a string to upper case|returns a string in capitals", "'ab' -> 'AB'"),
    _row("to_lower lower", 1, "return {0}.lower()", "converts a string to lower case|returns a string in small letters", "'AB' -> 'ab'"),
    _row("concat join_strings", 2, "return {0} + {1}", "joins two strings|concatenates two strings", "'a', 'b' -> 'ab'"),
    _row("repeat repeat_string", 2, "return {0} * {1}", "repeats a string|repeats {0} as often as {1} says", "'ab', 2 -> 'abab'"),
    _row("length size", 1, "return len({0})", "returns the length of a list|counts the items of a list", "[1, 2] -> 2|[] -> 0"),
    _row("sum_list total", 1, "return sum({0})", "sums a list|returns the sum of a list of numbers|adds up a list", "[1, 2, 3] -> 6|[] -> 0"),
    _row("mean average_list", 1, "return sum({0}) / len({0})", "returns the average of a list|returns the mean of a list of numbers", "[1, 2, 3] -> 2|[1, 2] -> 1.5"),
    _row("largest max_list", 1, "return max({0})", "returns the largest number in a list|finds the maximum of a list", "[1, 5, 3] -> 5"),
    _row("smallest min_list", 1, "return min({0})", "returns the smallest number in a list|finds the minimum of a list", "[4, 1, 3] -> 1"),
    _row("sort_list sort", 1, "return sorted({0})", "sorts a list|returns a sorted list", "[3, 1, 2] -> [1, 2, 3]"),
    _row("first first_item", 1, "return {0}[0]", "returns the first item of a list|gets the first element of a list", "[3, 1] -> 3"),
    _row("last last_item", 1, "return {0}[-1]", "returns the last item of a list|gets the last element of a list", "[3, 1] -> 1"),
    _row("unique distinct", 1, "return sorted(set({0}))", "returns the distinct items of a list in order|removes duplicates from a list", "[2, 1, 2] -> [1, 2]"),
    _row("evens only_even", 1, "return [x for x in {0} if x % 2 == 0]", "returns the even numbers of a list|keeps only the even numbers of a list", "[1, 2, 4] -> [2, 4]"),
    _row("contains has", 2, "return {1} in {0}", "checks whether a list contains a value|returns True if {1} is in {0}", "[1, 2], 2 -> True|[1], 3 -> False"),
    _row("count_item count", 2, "return {0}.count({1})", "counts how often a value occurs in a list|returns how many times {1} is in {0}", "[1, 2, 1], 1 -> 2"),
    _row("area rectangle_area", 2, "return {0} * {1}", "returns the area of a rectangle|computes the area of a rectangle", "2, 3 -> 6"),
    _row("perimeter rectangle_perimeter", 2, "return 2 * ({0} + {1})", "returns the perimeter of a rectangle|computes the perimeter of a rectangle", "2, 3 -> 10"),
    _row("to_fahrenheit fahrenheit", 1, "return {0} * 9 / 5 + 32", "converts Celsius to Fahrenheit|returns degrees Celsius as Fahrenheit", "100 -> 212|0 -> 32"),
)  # fmt: skip
