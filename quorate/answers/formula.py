r"""Formulas as they are written, LaTeX or plain, parsed: 2x is a product, sin^2 x a square."""

from __future__ import annotations

import re
from fractions import Fraction
from typing import NamedTuple, TypeAlias

from quorate.answers import marks

LONGEST = 400
MOST_NESTED = 24

_FUNCTIONS = (
    "sqrt cbrt sin cos tan cot sec csc arcsin arccos arctan asin acos atan sinh cosh tanh"
    " log ln exp abs"
)
FUNCTIONS = frozenset(_FUNCTIONS.split())
FACTORIAL = "factorial"
CONSTANTS = frozenset({"pi", "e"})
_GREEK = "alpha|beta|gamma|delta|epsilon|theta|lambda|mu|sigma|phi|omega|rho|tau"

_COMMANDS = (
    (re.compile(r"\\(?:left|right|displaystyle|[,;:! ])|\$|\\[()\[\]]"), ""),
    (re.compile(r"\\(?:cdot|times)(?![a-z])|[×·⋅∗]"), "*"),
    (re.compile(r"\\div(?![a-z])|÷|⁄"), "/"),
    (re.compile(r"[−–]"), "-"),
    (re.compile(r"\\sqrt\s?(\d)"), r"sqrt(\1)"),
    (re.compile(r"\\pi(?![a-z])|π"), " pi "),
    (re.compile(rf"\\({_GREEK})(?![a-z])"), r" \1 "),
    (re.compile(r"\\operatorname\{([a-z]{1,8})\}"), r"\1"),
    (re.compile(r"\\[dt]?frac\s?(\d)\s?(\d)"), r"(\1/\2)"),
)
_INNER = (
    (re.compile(r"\\[dt]?frac\s?\{([^{}]*)\}\s?\{([^{}]*)\}"), r"((\1)/(\2))"),
    (re.compile(r"\\?sqrt\s?\[\s?3\s?\]\s?\{([^{}]*)\}"), r"cbrt(\1)"),
    (re.compile(r"\\?sqrt\s?\{([^{}]*)\}"), r"sqrt(\1)"),
    (re.compile(r"\\(?:text|mathrm)\s?\{[^{}]*\}"), ""),
    (re.compile(r"\^\s?\{([^{}]*)\}"), r"^(\1)"),
)
_GROUP = re.compile(r"(?<!\\)\{([^{}]*)\}")
_SUPERSCRIPT = re.compile("[⁰¹²³⁴⁵⁶⁷⁸⁹⁻]+")
_SUPERSCRIPTS = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹⁻", "0123456789-")
_ROOT = re.compile(r"√\s?(\(|\d+(?:\.\d+)?|[A-Za-z])")
_NAMED = re.compile(r"^\s*[A-Za-z](?:'|_\w)?(?:\([a-z]\))?\s*=\s*(?!=)")
_OPEN = frozenset({"("})
_TOKEN = re.compile(r"\d+(?:\.\d+)?|\.\d+|\\?[A-Za-z]+|\*\*|\S")
_NAMES = CONSTANTS | frozenset(_GREEK.split("|"))


class Number(NamedTuple):
    """A number, as exact as it was written."""

    value: Fraction


class Name(NamedTuple):
    """A variable or a constant."""

    name: str


class Call(NamedTuple):
    """A function of one argument."""

    function: str
    argument: Tree


class Pair(NamedTuple):
    """Two sides joined by one of + - * / ^."""

    sign: str
    left: Tree
    right: Tree


Tree: TypeAlias = Number | Name | Call | Pair


def plain(text: str) -> str:
    """Take a formula out of its signs, and drop the "y =" before it."""
    stripped = marks.unwrapped(text).strip("$").strip()
    return _NAMED.sub("", stripped.rstrip(".,")).strip()


def parse(text: str) -> Tree | None:
    """Give the tree of an arithmetical formula; None for whatever is none, or is nested deep."""
    if len(text) > LONGEST:
        return None
    tokens = _tokens(_written_plainly(text))
    try:
        reader = _Reader(tokens)
        found = reader.sum()
    except ValueError:
        return None
    return found if reader.ended else None


def _written_plainly(text: str) -> str:
    """Write LaTeX as plain arithmetic: fractions and roots with brackets."""
    for pattern, replacement in _COMMANDS:
        text = pattern.sub(replacement, text)
    text = _SUPERSCRIPT.sub(lambda match: f"^({match[0].translate(_SUPERSCRIPTS)})", text)
    text = _ROOT.sub(lambda match: "sqrt(" if match[1] == "(" else f"sqrt({match[1]})", text)
    for _ in range(MOST_NESTED):
        before = text
        for pattern, replacement in _INNER:
            text = pattern.sub(replacement, text)
        if text == before:
            break
    return _GROUP.sub(r"(\1)", text)


def _tokens(text: str) -> list[str]:
    """Split a formula; two letters in a row are factors, more must be a known name."""
    tokens: list[str] = []
    for found in _TOKEN.findall(text):
        token = "^" if found == "**" else found.removeprefix("\\")
        known = token in FUNCTIONS or token in _NAMES
        tokens.extend(token if token.isalpha() and not known and len(token) == 2 else [token])
    return tokens


class _Reader:
    """Reads tokens by recursive descent; raises ValueError for what is no arithmetic."""

    def __init__(self, tokens: list[str]) -> None:
        self._tokens = tokens
        self._place = 0
        self._depth = 0

    @property
    def ended(self) -> bool:
        return self._place == len(self._tokens)

    def _next(self) -> str:
        return "" if self.ended else self._tokens[self._place]

    def _take(self, *wanted: str) -> str:
        """Take the next token if it is one of these; else give ""."""
        token = self._next()
        if token and token in wanted:
            self._place += 1
            return token
        return ""

    def sum(self) -> Tree:
        """Read terms with signs between them."""
        self._depth += 1
        if self._depth > MOST_NESTED:
            raise ValueError("nested too deep")
        found = self._product()
        while sign := self._take("+", "-"):
            found = Pair(sign, found, self._product())
        self._depth -= 1
        return found

    def _product(self) -> Tree:
        found = self._signed()
        while True:
            if sign := self._take("*", "/"):
                found = Pair(sign, found, self._signed())
            elif self._begins_factor():
                found = Pair("*", found, self._power())
            else:
                return found

    def _begins_factor(self) -> bool:
        token = self._next()
        return token in _OPEN or token.isalpha() or token[:1].isdecimal()

    def _signed(self) -> Tree:
        negative = False
        while sign := self._take("+", "-"):
            negative ^= sign == "-"
        found = self._power()
        return Pair("-", Number(Fraction(0)), found) if negative else found

    def _power(self) -> Tree:
        base = self._atom()
        if self._take("!"):
            base = Call(FACTORIAL, base)
        return Pair("^", base, self._exponent()) if self._take("^") else base

    def _exponent(self) -> Tree:
        self._depth += 1
        if self._depth > MOST_NESTED:
            raise ValueError("nested too deep")
        found = self._signed()
        self._depth -= 1
        return found

    def _atom(self) -> Tree:
        token = self._next()
        self._place += 1
        if token[:1].isdecimal() or token[:1] == ".":
            return Number(Fraction(token))
        if token in _OPEN:
            return self._closed(self.sum())
        if token in FUNCTIONS:
            return self._call(token)
        if token in _NAMES or (len(token) == 1 and token.isalpha()):
            return Name(token)
        raise ValueError("not arithmetic")

    def _closed(self, inner: Tree) -> Tree:
        if not self._take(")"):
            raise ValueError("a bracket is missing")
        return inner

    def _call(self, function: str) -> Tree:
        """Read what a function is of; "sin^2 x" is the square of the sine."""
        exponent = self._atom() if self._take("^") else None
        if self._take(*_OPEN):
            argument = self._closed(self.sum())
        else:
            argument = self._power()
            while self._begins_factor() and self._next() not in FUNCTIONS | _OPEN:
                argument = Pair("*", argument, self._power())
        found = Call(function, argument)
        return found if exponent is None else Pair("^", found, exponent)


_LATEX = re.compile(
    r"\\(?:[dt]?frac|sqrt|pi|cdot|times|sin|cos|tan|log|ln|infty|cup|cap|in|leq?|geq?|pm|theta|alpha"
    r"|begin\{[pbvB]?matrix\}|\{|mathbb|emptyset|sum|int|left|lfloor|binom)(?![a-z])"
)
_PROSE = re.compile(r"(?<![\\A-Za-z{])[A-Za-z]{3,}")
_SIGNED = re.compile(
    r"[*^=<>≤≥√²³]|\b[a-z]\s?[-+/]|[-+/]\s?[a-z]\b|\)\s?[-+/(]|\d[xyzabcnrtuvw]\b|\d\s?\+"
    r"|\b(?:sqrt|sin|cos|tan|log|ln|exp|abs)\s?\("
)
_RELATION = re.compile(r"<=|>=|[<>≤≥=]")
_TUPLE = re.compile(r"[(\[{]\s*[-+\w./^∞\\ ]{1,60}(?:,\s*[-+\w./^∞\\ ]{1,60}){1,20}[)\]}]")
_SHOWN = re.compile(r"\$([^$\n]{1,400})\$|\\\(([^\n]{1,400}?)\\\)")
_STATED = re.compile(r"\b(?:is|equals|becomes|gives|get|obtain)\b:?\s+(?!\w{3,} )([^\n]{1,400})$")


def is_formula(text: str) -> bool:
    """Whether a text is a formula and nothing else: LaTeX, x + 1, 2x, x > 5, (1, 2]. Not x-ray."""
    if not 1 < len(text) <= LONGEST or "\n" in text:
        return False
    words = [word for word in _PROSE.findall(text) if word not in FUNCTIONS | _NAMES]
    if words:
        return False
    if _LATEX.search(text) or _is_tuple(text):
        return True
    sides = [side.strip() for side in _RELATION.split(text)]
    return (
        len(sides) <= 3
        and bool(_SIGNED.search(text))
        and not re.search(r"[A-Z]", text)
        and all(parse(side) is not None for side in sides)
    )


def _is_tuple(text: str) -> bool:
    """Whether it is a tuple, a set or an interval of numbers."""
    inner = text[1:-1].split(",")
    return bool(_TUPLE.fullmatch(text)) and all(
        "∞" in part or "\\infty" in part or parse(part) is not None for part in inner
    )


def within(text: str) -> str | None:
    """Give the last formula that prose shows in LaTeX's signs, or states; None without any."""
    if not _PROSE.search(re.sub(r"\\[A-Za-z]+", "", text)) or is_formula(text):
        return None
    shown = [match[1] or match[2] for match in _SHOWN.finditer(text)]
    if shown:
        return plain(shown[-1])
    stated = _STATED.search(text)
    return stated[1].strip().rstrip(".") if stated and is_formula(stated[1].rstrip(". ")) else None
