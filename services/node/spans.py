"""What the spans of models' work carry, by OpenTelemetry's GenAI conventions; never a text.

https://opentelemetry.io/docs/specs/semconv/gen-ai/gen-ai-spans/
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Final

from quorate.telemetry import Operation

if TYPE_CHECKING:
    from opentelemetry.util.types import AttributeValue

    from services.node.engine.messages import Embedded, Finished, Scored
    from services.node.requests import Order

PROVIDER: Final = "gen_ai.provider.name"
"""Its value is the backend of the model: "llama.cpp", "ollama" or "openai"."""


def operation(order: Order) -> Operation:
    """Name what a request to generate asks for."""
    return Operation.CHAT if order.turns else Operation.TEXT_COMPLETION


def asked(order: Order, backend: str) -> Mapping[str, AttributeValue]:
    """Describe a request to generate. The seed is the one that is used, drawn or given."""
    sampling = order.sampling
    attributes: dict[str, AttributeValue] = {
        PROVIDER: backend,
        "gen_ai.request.temperature": sampling.temperature,
        "gen_ai.request.top_p": sampling.top_p,
        "gen_ai.request.top_k": sampling.top_k,
        "gen_ai.request.frequency_penalty": sampling.frequency_penalty,
        "gen_ai.request.presence_penalty": sampling.presence_penalty,
        "gen_ai.request.max_tokens": sampling.max_tokens,
        "gen_ai.request.seed": sampling.seed,
    }
    if order.samples != 1:
        attributes["gen_ai.request.choice.count"] = order.samples
    if sampling.json_schema:
        attributes["gen_ai.output.type"] = "json"
    return attributes


def answered(model: str, finished: Sequence[Finished]) -> Mapping[str, AttributeValue]:
    """Describe what came of a request to generate."""
    return {
        "gen_ai.response.model": model,
        "gen_ai.response.finish_reasons": [
            sample.reason.name.lower() for sample in sorted(finished, key=lambda one: one.sample)
        ],
        "gen_ai.usage.input_tokens": sum(sample.prompt_tokens for sample in finished),
        "gen_ai.usage.output_tokens": sum(sample.completion_tokens for sample in finished),
        "gen_ai.usage.cache_read.input_tokens": sum(
            sample.cached_prompt_tokens for sample in finished if sample.sample == 0
        ),
    }


def scored(model: str, scores: Scored) -> Mapping[str, AttributeValue]:
    """Describe what came of a request to score."""
    return {
        "gen_ai.response.model": model,
        "gen_ai.usage.input_tokens": scores.prompt_tokens
        + sum(score.tokens for score in scores.scores),
        "gen_ai.usage.cache_read.input_tokens": scores.cached_tokens,
        "gen_ai.usage.output_tokens": 0,
    }


def embedded(model: str, vectors: Embedded) -> Mapping[str, AttributeValue]:
    """Describe what came of a request to embed; a value of a vector has four bytes."""
    return {
        "gen_ai.response.model": model,
        "gen_ai.usage.input_tokens": vectors.prompt_tokens,
        "gen_ai.embeddings.dimension.count": len(vectors.vectors[0]) // 4,
    }
