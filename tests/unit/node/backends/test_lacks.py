"""What a model's engine would not honour is refused before it is asked."""

from __future__ import annotations

import pytest

from quorate.errors import InvalidRequest, WrongModel
from services.node.requests import Draft, ModelFacts, SamplingDraft, check_generate

REASON = "the server has no such setting"
FACTS = ModelFacts(
    "qwen", "", 2048, 1000, 8, dict.fromkeys(("top_k", "grammar", "logit_bias"), REASON)
)


def check(sampling: SamplingDraft) -> None:
    check_generate(Draft("qwen", prompt="a", sampling=sampling), FACTS, lambda: 1)


@pytest.mark.parametrize(
    ("sampling", "field"),
    [
        (SamplingDraft(numbers={"top_k": 0}), "sampling.top_k"),
        (SamplingDraft(grammar="root ::= [a]"), "sampling.grammar"),
        (SamplingDraft(logit_bias={3: 1.0}), "sampling.logit_bias"),
    ],
)
def test_a_field_that_the_engine_lacks_is_named_with_the_reason(
    sampling: SamplingDraft, field: str
) -> None:
    with pytest.raises(InvalidRequest, match=REASON) as caught:
        check(sampling)
    assert caught.value.metadata["field"] == field


def test_other_fields_and_unset_ones_pass() -> None:
    check(SamplingDraft(numbers={"top_p": 0.5}))
    check(SamplingDraft())


def test_a_fingerprint_cannot_be_expected_of_a_server_that_tells_none() -> None:
    with pytest.raises(WrongModel, match="no SHA-256 that is known"):
        check_generate(Draft("qwen", prompt="a", model_sha256="0" * 64), FACTS, lambda: 1)
