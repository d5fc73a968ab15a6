"""What an OpenAI-compatible server is asked: fields by dialect. Pure."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

import msgspec

from quorate.errors import InvalidRequest
from quorate.remote import EXTRA_SAMPLING, Dialect

if TYPE_CHECKING:
    from quorate.config import ModelSettings
    from services.node.engine.messages import Sampling
    from services.node.requests import Order

PENALTY_TOKENS: Final = 64
"""How many recent tokens the penalties look at, as in the node's own engine."""
RANDOM_SEED: Final = 2**32 - 1
"""llama.cpp takes this seed to mean: draw one."""

STANDARD: Final = {
    name: name for name in ("temperature", "top_p", "frequency_penalty", "presence_penalty")
}
DIALECTS: Final[Mapping[Dialect, Mapping[str, str]]] = {
    "openai": STANDARD,
    "llama.cpp": STANDARD | {name: name for name in EXTRA_SAMPLING},
    "vllm": STANDARD | {"top_k": "top_k", "min_p": "min_p", "repeat_penalty": "repetition_penalty"},
}
"""Fields of a request's sampling that a dialect has, by what it calls them."""


def supported(dialect: Dialect, extra: Sequence[str]) -> Mapping[str, str]:
    """Give the fields that are sent; `extra` ones the server is said to honour by their names."""
    return {**{name: name for name in extra}, **DIALECTS[dialect]}


def lacks(dialect: Dialect, extra: Sequence[str], logprobs: bool) -> Mapping[str, str]:
    """Give the fields that the server would not honour, each with the reason."""
    known: Collection[str] = supported(dialect, extra)
    reason = (
        f"the server is spoken to in the dialect {dialect}, which has no such field; where it "
        "honours it all the same, name it in the model's `sampling`"
    )
    missing = {name: reason for name in EXTRA_SAMPLING if name not in known}
    if not logprobs:
        missing["top_logprobs"] = "`logprobs` is false for this model"
    return missing


def completion(settings: ModelSettings, model: str, order: Order, sample: int) -> dict[str, Any]:
    """Write the request for one sample. n is never sent: servers disagree on what it means."""
    sampling = order.sampling
    body: dict[str, Any] = {
        "model": model,
        "stream": True,
        "stream_options": {"include_usage": True},
        "max_tokens": sampling.max_tokens,
        "seed": (sampling.seed + sample) % RANDOM_SEED,
        **_what(order),
        **_numbers(sampling, supported(settings.dialect, settings.sampling)),
        **_constraint(sampling),
    }
    if sampling.stop:
        body["stop"] = list(sampling.stop)
    if sampling.logit_bias:
        body["logit_bias"] = {str(token): bias for token, bias in sampling.logit_bias.items()}
    if settings.logprobs:
        body |= _logprobs(order)
    if settings.dialect == "llama.cpp":
        body |= {"reasoning_format": "none", "return_progress": True}
    return body


def _what(order: Order) -> dict[str, Any]:
    if order.turns:
        return {"messages": [{"role": t.role, "content": t.content} for t in order.turns]}
    return {"prompt": order.prompt}


def _numbers(sampling: Sampling, fields: Mapping[str, str]) -> dict[str, Any]:
    """Write every number that the server has a field for, so that its own defaults do not count."""
    numbers = {
        theirs: getattr(sampling, ours)
        for ours, theirs in fields.items()
        if ours not in {"grammar", "mirostat_tau", "mirostat_eta"}
    }
    if "repeat_penalty" in numbers:
        numbers["repeat_last_n"] = PENALTY_TOKENS
    if "mirostat_tau" in fields and sampling.mirostat_tau > 0:
        numbers["mirostat"] = 2
        numbers["mirostat_tau"] = sampling.mirostat_tau
        numbers["mirostat_eta"] = sampling.mirostat_eta
    return numbers


def _constraint(sampling: Sampling) -> dict[str, Any]:
    if sampling.grammar:
        return {"grammar": sampling.grammar}
    if not sampling.json_schema:
        return {}
    named = {"name": "answer", "strict": True, "schema": read_schema(sampling.json_schema)}
    return {"response_format": {"type": "json_schema", "json_schema": named}}


def read_schema(text: str) -> dict[str, Any]:
    """Read a JSON schema; raises InvalidRequest for what is none."""
    try:
        return msgspec.json.decode(text.encode(), type=dict[str, Any])
    except msgspec.MsgspecError as error:
        raise InvalidRequest.field(
            "sampling.json_schema", text, f"it is no JSON object: {error}", "Send a JSON schema."
        ) from error


def _logprobs(order: Order) -> dict[str, Any]:
    """Ask for log-probabilities. llama-server gives none at all when no alternative is wanted."""
    top = max(1, order.sampling.top_logprobs)
    return {"logprobs": True, "top_logprobs": top} if order.turns else {"logprobs": top}
