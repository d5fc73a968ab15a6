"""What Ollama is asked and what it says. Pure. Only what is used is read; it may send more.

Its REST API is described at https://docs.ollama.com/api; `truncate` and `shift` of generation are
in its `api/types.go` only.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

import msgspec

from quorate.errors import UnusableReply, shorten
from quorate.remote import EXTRA_SAMPLING
from services.node.backends.contract import UNKNOWN_TOKEN, Piece
from services.node.backends.openai_request import PENALTY_TOKENS, RANDOM_SEED, read_schema
from services.node.backends.openai_wire import THINKING_BEGINS, THINKING_ENDS
from services.node.engine.messages import FinishReason, TokenChoice

if TYPE_CHECKING:
    from quorate.config import ModelSettings
    from services.node.requests import Order

ALWAYS: Final = ("temperature", "top_k", "top_p", "min_p")
"""What both of Ollama's samplers honour. Its own engine takes the penalties and drops them
(ollama#15783), and mirostat is known to no version that can be used here."""
NEUTRAL: Final[Mapping[str, float]] = {
    "typical_p": 1.0, "repeat_penalty": 1.0, "frequency_penalty": 0.0, "presence_penalty": 0.0,
}  # fmt: skip
"""Sent always: Ollama's default repeat_penalty is 1.1, the contract's is off."""
REASONS: Final[Mapping[str, FinishReason]] = {
    "": FinishReason.STOP,
    "stop": FinishReason.STOP,
    "length": FinishReason.LENGTH,
}


class Version(msgspec.Struct, frozen=True):
    """Ollama's version, such as "0.13.1"."""

    version: str


class Listed(msgspec.Struct, frozen=True):
    """One model; `digest` is the SHA-256 of its manifest."""

    name: str
    digest: str = ""
    size: int = 0


class Models(msgspec.Struct, frozen=True):
    """The models that are there, or those that are in memory."""

    models: tuple[Listed, ...] | None = None


class _Details(msgspec.Struct, frozen=True):
    family: str = ""
    quantization_level: str = ""


class Shown(msgspec.Struct, frozen=True):
    """What is known of a model; `model_info` has the keys of the GGUF file."""

    details: _Details = _Details()
    model_info: dict[str, Any] = {}

    @property
    def architecture(self) -> str:
        """llama.cpp's name of the architecture."""
        return str(self.model_info.get("general.architecture", self.details.family))

    def number(self, key: str) -> int:
        """Give a number of the file; 0 when there is none."""
        value = self.model_info.get(key, 0)
        return value if isinstance(value, int) else 0


class _Alternative(msgspec.Struct, frozen=True):
    token: str
    logprob: float


class _Token(msgspec.Struct, frozen=True):
    token: str
    logprob: float
    top_logprobs: tuple[_Alternative, ...] | None = None


class _Message(msgspec.Struct, frozen=True):
    content: str = ""
    thinking: str = ""


class Event(msgspec.Struct, frozen=True):
    """One line of a stream: of a chat with `message`, of a text with `response`."""

    model: str = ""
    message: _Message | None = None
    response: str = ""
    thinking: str = ""
    done: bool = False
    done_reason: str = ""
    prompt_eval_count: int = 0
    eval_count: int = 0
    logprobs: tuple[_Token, ...] | None = None
    error: msgspec.Raw = msgspec.Raw(b"")


class Embeddings(msgspec.Struct, frozen=True):
    """Embeddings in the order of the texts."""

    embeddings: tuple[tuple[float, ...], ...]
    prompt_eval_count: int = 0


def parse_version(text: str) -> tuple[int, ...] | None:
    """Read a version; None for what is none, such as that of a development build."""
    match = re.match(r"(\d+)\.(\d+)\.(\d+)", text)
    numbers = tuple(int(part) for part in match.groups()) if match else (0, 0, 0)
    return numbers if any(numbers) else None


def lacks(extra: Sequence[str], logprobs: bool) -> Mapping[str, str]:
    """Give the fields of a request's sampling that Ollama would not honour, with the reason."""
    maybe = "only some of Ollama's engines honour it; where this one does, name it in `sampling`"
    never = "Ollama has no such option"
    missing = {
        name: maybe if name in NEUTRAL else never
        for name in EXTRA_SAMPLING
        if name not in ALWAYS and not (name in extra and name != "grammar")
    }
    missing["logit_bias"] = never
    if not logprobs:
        missing["top_logprobs"] = "`logprobs` is false for this model"
    return missing


def generation(
    settings: ModelSettings, model: str, context_tokens: int, order: Order, sample: int
) -> dict[str, Any]:
    """Write the request for one sample: a chat when there are turns, else a raw text."""
    sampling = order.sampling
    body: dict[str, Any] = {
        "model": model,
        "stream": True,
        # Without these two, Ollama drops what does not fit and says nothing.
        "truncate": False,
        "shift": False,
        "options": options(settings, context_tokens, order, sample),
    }
    if order.turns:
        body["messages"] = [{"role": t.role, "content": t.content} for t in order.turns]
    else:
        body |= {"prompt": order.prompt, "raw": True}
    if sampling.json_schema:
        body["format"] = read_schema(sampling.json_schema)
    if settings.logprobs:
        body |= {"logprobs": True, "top_logprobs": sampling.top_logprobs}
    return body | keep_alive(settings)


def keep_alive(settings: ModelSettings) -> dict[str, Any]:
    """Write how long the model stays loaded; a bare number of seconds must be one in JSON too."""
    said = settings.keep_alive
    if said is None:
        return {}
    return {"keep_alive": int(said) if said.lstrip("-").isdigit() else said}


def options(
    settings: ModelSettings, context_tokens: int, order: Order, sample: int
) -> dict[str, Any]:
    """Write the options. `num_ctx` is always the same, for another one would load it anew."""
    sampling = order.sampling
    numbers = {name: getattr(sampling, name) for name in ALWAYS}
    numbers |= {
        name: getattr(sampling, name) if name in settings.sampling else neutral
        for name, neutral in NEUTRAL.items()
    }
    if "mirostat_tau" in settings.sampling and sampling.mirostat_tau > 0:
        numbers["mirostat"] = 2
        numbers["mirostat_tau"] = sampling.mirostat_tau
        numbers["mirostat_eta"] = sampling.mirostat_eta
    return {
        **numbers,
        "repeat_last_n": PENALTY_TOKENS,
        "seed": (sampling.seed + sample) % RANDOM_SEED,
        "num_predict": sampling.max_tokens,
        "num_ctx": context_tokens,
        "stop": list(sampling.stop),
    }


class Transcript:
    """Turns the lines of one streamed sample into pieces."""

    def __init__(self) -> None:
        self._thinking = False

    def read(self, event: Event) -> Piece:
        """Give what a line says; the one that is `done` ends the sample."""
        thought = event.message.thinking if event.message else event.thinking
        said = event.message.content if event.message else event.response
        if thought and not self._thinking:
            self._thinking = True
            thought = THINKING_BEGINS + thought
        if self._thinking and (said or event.done):
            self._thinking = False
            thought += THINKING_ENDS
        tokens = tuple(_choice(token) for token in event.logprobs or ())
        if not event.done:
            return Piece(thought + said, tokens)
        if event.done_reason not in REASONS:
            raise UnusableReply(f"Ollama ended for the reason {shorten(event.done_reason)}")
        return Piece(
            thought + said,
            tokens,
            prompt_tokens=event.prompt_eval_count,
            completion_tokens=event.eval_count,
            reason=REASONS[event.done_reason],
        )


def _choice(token: _Token) -> TokenChoice:
    top = tuple(
        TokenChoice(UNKNOWN_TOKEN, other.token, min(0.0, other.logprob))
        for other in token.top_logprobs or ()
    )
    return TokenChoice(UNKNOWN_TOKEN, token.token, min(0.0, token.logprob), top)
