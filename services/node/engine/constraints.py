"""Grammars that constrain an output: bounded, because they come from strangers."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

import msgspec
from llama_cpp.llama_grammar import json_schema_to_gbnf

from quorate.errors import InvalidRequest

if TYPE_CHECKING:
    from services.node.engine.messages import Sampling

LONGEST_GRAMMAR_BYTES = 32 * 1024
DEEPEST_SCHEMA = 32
DEEPEST_GRAMMAR = 64
MOST_REPEATS = 4096
"""The converter writes a repeated part as often as it may come, before its length can be seen."""
REPEATING_KEYS = ("minItems", "maxItems", "minLength", "maxLength")
REPEATED_IN_PATTERN = re.compile(r"\{(\d*),?(\d*)\}")


def as_grammar(sampling: Sampling) -> Sampling:
    """Turn a JSON schema into a grammar, and check either's bounds; others pass unchanged.

    Raises InvalidRequest that names the field.
    """
    if sampling.json_schema:
        grammar = _grammar_of_schema(sampling.json_schema)
        return msgspec.structs.replace(sampling, grammar=grammar, json_schema="")
    if sampling.grammar:
        _bound("sampling.grammar", sampling.grammar)
        _check_depth(sampling.grammar)
    return sampling


def _grammar_of_schema(text: str) -> str:
    _bound("sampling.json_schema", text)
    fix = "Send a JSON schema as JSON text."
    try:
        schema = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise _refuse_schema(text, f"it is not JSON ({error})", fix) from error
    if not isinstance(schema, dict):
        raise _refuse_schema(text, "it is not a JSON object", fix)
    if _depth(schema, DEEPEST_SCHEMA + 1) > DEEPEST_SCHEMA:
        raise _refuse_schema(text, f"it is nested more than {DEEPEST_SCHEMA} deep", "Flatten it.")
    if _most_repeats(schema) > MOST_REPEATS:
        raise _refuse_schema(
            text, f"it repeats a part more than {MOST_REPEATS} times", "Leave the bound out."
        )
    try:
        grammar = json_schema_to_gbnf(text)
    except Exception as error:
        raise _refuse_schema(text, f"it cannot be converted ({error})", "Simplify it.") from error
    _bound("sampling.json_schema", grammar)
    return str(grammar)


def _refuse_schema(text: str, limit: str, fix: str) -> InvalidRequest:
    return InvalidRequest.field("sampling.json_schema", text, limit, fix)


def _bound(name: str, text: str) -> None:
    if len(text.encode()) > LONGEST_GRAMMAR_BYTES:
        raise InvalidRequest.field(
            name, text, f"it is longer than {LONGEST_GRAMMAR_BYTES} bytes", "Shorten it."
        )
    if "\0" in text:  # llama.cpp would take what comes before it for the whole
        raise InvalidRequest.field(name, text, "it holds a NUL character", "Remove it.")


def _check_depth(grammar: str) -> None:
    """Bound the nesting that llama.cpp's parser would follow on its stack."""
    depth = deepest = 0
    for character in grammar:
        depth += (character in "([") - (character in ")]")
        deepest = max(deepest, depth)
    if deepest > DEEPEST_GRAMMAR:
        raise InvalidRequest.field(
            "sampling.grammar",
            grammar,
            f"it is nested more than {DEEPEST_GRAMMAR} deep",
            "Name the inner parts as rules.",
        )


def _most_repeats(value: object) -> float:
    """Give the largest count in a schema, or in the patterns in it."""
    if isinstance(value, list):
        return max(map(_most_repeats, value), default=0)
    if not isinstance(value, dict):
        return 0
    counts = [value[key] for key in REPEATING_KEYS if isinstance(value.get(key), int | float)]
    for found in REPEATED_IN_PATTERN.finditer(str(value.get("pattern", ""))):
        counts += [_count(digits) for digits in found.groups()]
    return max((*counts, *map(_most_repeats, value.values())), default=0)


def _count(digits: str) -> int:
    # Python refuses to read a number of thousands of digits.
    return int(digits[:10] or "0")


def _depth(value: object, limit: int) -> int:
    """Nesting of lists and mappings, followed no deeper than `limit`."""
    inner = list(value.values()) if isinstance(value, dict) else value
    if not isinstance(inner, list) or limit == 0:
        return 0
    return 1 + max((_depth(item, limit - 1) for item in inner), default=0)
