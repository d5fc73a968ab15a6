"""What an OpenAI-compatible server sends, and what it means. Pure.

Only what is used is read; servers may send more. Log-probabilities come in two forms: that of chat,
which llama-server uses everywhere, and the older one of text completions.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

import msgspec

from quorate.errors import UnusableReply, shorten
from services.node.backends.contract import UNKNOWN_TOKEN, Piece
from services.node.engine.messages import FinishReason, TokenChoice

REASONS: Final[Mapping[str, FinishReason]] = {
    "stop": FinishReason.STOP,
    "length": FinishReason.LENGTH,
}
THINKING_BEGINS, THINKING_ENDS = "<think>", "</think>"


class _Alternative(msgspec.Struct, frozen=True):
    token: str
    logprob: float
    id: int = UNKNOWN_TOKEN


class _Token(msgspec.Struct, frozen=True):
    token: str
    logprob: float
    id: int = UNKNOWN_TOKEN
    top_logprobs: tuple[_Alternative, ...] = ()


class _Logprobs(msgspec.Struct, frozen=True):
    content: tuple[_Token, ...] | None = None
    tokens: tuple[str, ...] | None = None
    token_logprobs: tuple[float | None, ...] = ()
    top_logprobs: tuple[dict[str, float] | None, ...] | None = None


class _Delta(msgspec.Struct, frozen=True):
    content: str | None = None
    reasoning_content: str | None = None
    reasoning: str | None = None


class _Choice(msgspec.Struct, frozen=True):
    delta: _Delta | None = None
    text: str | None = None
    logprobs: _Logprobs | None = None
    finish_reason: str | None = None


class _Details(msgspec.Struct, frozen=True):
    cached_tokens: int | None = None


class _Usage(msgspec.Struct, frozen=True):
    prompt_tokens: int = 0
    completion_tokens: int | None = 0
    prompt_tokens_details: _Details | None = None


class _PromptProgress(msgspec.Struct, frozen=True):
    total: int = 0


class Chunk(msgspec.Struct, frozen=True):
    """One event of a streamed completion."""

    choices: tuple[_Choice, ...] = ()
    usage: _Usage | None = None
    model: str = ""
    error: msgspec.Raw = msgspec.Raw(b"")
    prompt_progress: _PromptProgress | None = None


class Meta(msgspec.Struct, frozen=True):
    """What llama-server tells of a model."""

    n_ctx: int = 0
    n_vocab: int = 0
    n_params: int = 0
    size: int = 0
    ftype: str = ""


class ListedModel(msgspec.Struct, frozen=True):
    """One model of a server; `max_model_len` is told by vLLM, `meta` by llama-server."""

    id: str
    aliases: tuple[str, ...] = ()
    max_model_len: int | None = None
    meta: Meta | None = None


class ModelList(msgspec.Struct, frozen=True):
    """The models of a server."""

    data: tuple[ListedModel, ...]


class _Generation(msgspec.Struct, frozen=True):
    n_ctx: int = 0


class Properties(msgspec.Struct, frozen=True):
    """What llama-server tells of itself."""

    default_generation_settings: _Generation = _Generation()


class _Embedding(msgspec.Struct, frozen=True):
    embedding: tuple[float, ...]
    index: int


class Embeddings(msgspec.Struct, frozen=True):
    """Embeddings, in any order."""

    data: tuple[_Embedding, ...]
    usage: _Usage = _Usage()


class Templated(msgspec.Struct, frozen=True):
    """A conversation after the model's template."""

    prompt: str


class TokenIds(msgspec.Struct, frozen=True):
    """The tokens of a text."""

    tokens: tuple[int, ...]


class Transcript:
    """Turns the chunks of one streamed sample into pieces; `top` alternatives were asked for."""

    def __init__(self, top: int) -> None:
        self._top = top
        self._usage = _Usage()
        self._reason: FinishReason | None = None
        self._told_prompt = False
        self._thinking = False

    def read(self, chunk: Chunk) -> Iterator[Piece]:
        """Give what a chunk says."""
        if chunk.usage is not None:
            self._usage = chunk.usage
        prompt = chunk.prompt_progress.total if chunk.prompt_progress else 0
        if prompt and not self._told_prompt:
            self._told_prompt = True
            yield Piece(prompt_tokens=prompt)
        for choice in chunk.choices:
            text, tokens = self._text(choice), self._tokens(choice.logprobs)
            if text or tokens:
                yield Piece(text, tokens)
            if choice.finish_reason:
                self._reason = _reason(choice.finish_reason)

    def end(self) -> Piece | None:
        """Give the last piece; None when the stream broke off before the sample's end."""
        if self._reason is None:
            return None
        details = self._usage.prompt_tokens_details
        return Piece(
            text=self._close_thinking(),
            prompt_tokens=self._usage.prompt_tokens,
            completion_tokens=self._usage.completion_tokens or 0,
            cached_tokens=(details.cached_tokens if details else 0) or 0,
            reason=self._reason,
        )

    def _text(self, choice: _Choice) -> str:
        """Give the new text. Thoughts that a server tells apart are put between their marks again,
        as a model says them that is run without such a server.
        """  # noqa: D205
        if choice.delta is None:
            return choice.text or ""
        thought = choice.delta.reasoning_content or choice.delta.reasoning or ""
        said = choice.delta.content or ""
        if thought and not self._thinking:
            self._thinking = True
            thought = THINKING_BEGINS + thought
        return thought + (self._close_thinking() if said else "") + said

    def _close_thinking(self) -> str:
        thinking, self._thinking = self._thinking, False
        return THINKING_ENDS if thinking else ""

    def _tokens(self, logprobs: _Logprobs | None) -> tuple[TokenChoice, ...]:
        if logprobs is None:
            return ()
        if logprobs.content is not None:
            return tuple(self._choice(token) for token in logprobs.content)
        return tuple(self._older(logprobs))

    def _choice(self, token: _Token) -> TokenChoice:
        top = tuple(
            TokenChoice(other.id, other.token, min(0.0, other.logprob))
            for other in token.top_logprobs[: self._top]
        )
        return TokenChoice(token.id, token.token, min(0.0, token.logprob), top)

    def _older(self, logprobs: _Logprobs) -> Iterator[TokenChoice]:
        tops: Sequence[dict[str, float] | None] = logprobs.top_logprobs or ()
        for index, (text, logprob) in enumerate(
            zip(logprobs.tokens or (), logprobs.token_logprobs, strict=False)
        ):
            if logprob is None:
                continue
            alternatives = (tops[index] if index < len(tops) else None) or {}
            ordered = sorted(alternatives.items(), key=lambda item: -item[1])
            top = tuple(
                TokenChoice(UNKNOWN_TOKEN, other, min(0.0, value))
                for other, value in ordered[: self._top]
            )
            yield TokenChoice(UNKNOWN_TOKEN, text, min(0.0, logprob), top)


def _reason(said: str) -> FinishReason:
    if said not in REASONS:
        raise UnusableReply(f"the server ended its answer for the reason {shorten(said)}")
    return REASONS[said]
