"""Grammars and schemas of strangers are bounded."""

from __future__ import annotations

import json

import pytest

from quorate.errors import InvalidRequest
from services.node.engine.constraints import DEEPEST_SCHEMA, LONGEST_GRAMMAR_BYTES, as_grammar
from services.node.engine.messages import Sampling


def refused(**constraint: str) -> str:
    with pytest.raises(InvalidRequest) as caught:
        as_grammar(Sampling(**constraint))
    return caught.value.metadata["field"]


def test_free_sampling_passes_unchanged() -> None:
    assert as_grammar(Sampling()) == Sampling()
    assert as_grammar(Sampling(grammar="root ::= [a]")).grammar == "root ::= [a]"


def test_a_schema_becomes_a_grammar() -> None:
    sampling = as_grammar(Sampling(json_schema='{"type": "boolean"}'))
    assert "root ::=" in sampling.grammar
    assert not sampling.json_schema


@pytest.mark.parametrize("schema", ["{", "[1]", "7", '{"type": "nonsense"}', "[" * 100_000])
def test_what_is_no_schema_is_refused(schema: str) -> None:
    assert refused(json_schema=schema) == "sampling.json_schema"


def test_schemas_and_grammars_are_bounded_in_depth_and_size() -> None:
    schema: object = {"type": "string"}
    for _ in range(DEEPEST_SCHEMA):
        schema = {"type": "array", "items": schema}
    assert refused(json_schema=json.dumps(schema)) == "sampling.json_schema"
    assert refused(grammar="root ::= " + "(" * 100 + "[a]" + ")" * 100) == "sampling.grammar"
    assert refused(grammar="#" * (LONGEST_GRAMMAR_BYTES + 1)) == "sampling.grammar"


@pytest.mark.parametrize(
    "schema",
    [
        {"type": "array", "items": {"type": "string"}, "minItems": 10**9},
        {"type": "array", "items": {"type": "string"}, "maxItems": 4097},
        {"anyOf": [{"type": "string", "minLength": 10**9}]},
        {"properties": {"a": {"type": "string", "maxLength": 1e300}}},
        {"type": "string", "pattern": "^a{2,1000000000}$"},
        {"type": "string", "pattern": "^a{" + "9" * 5000 + "}$"},
    ],
)
def test_what_is_repeated_too_often_is_refused_before_it_is_written_out(schema) -> None:
    with pytest.raises(InvalidRequest, match="more than 4096 times"):
        as_grammar(Sampling(json_schema=json.dumps(schema)))


def test_a_grammar_is_not_cut_off_at_a_nul() -> None:
    with pytest.raises(InvalidRequest, match="NUL"):
        as_grammar(Sampling(grammar='root ::= "a"\0 | "b"'))
