"""A model of an OpenAI-compatible server: llama-server, vLLM, xllamacpp, LM Studio and others."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import aclosing
from typing import TYPE_CHECKING, Any, Final

import msgspec

from quorate.errors import (
    ConfigurationError,
    ModelCrashed,
    ModelLoading,
    NotImplementedYet,
    UnusableReply,
    WrongModel,
    nearest,
    shorten,
)
from services.node.backends import failures, openai_wire
from services.node.backends.contract import (
    UNKNOWN_VOCABULARY_TOKENS,
    Piece,
    RemoteFacts,
    TokenizedText,
    Vectors,
)
from services.node.backends.lines import NOTHING, event_data
from services.node.backends.openai_request import completion, lacks
from services.node.backends.openai_wire import Chunk, ListedModel, ModelList, Transcript

if TYPE_CHECKING:
    from quorate.config import ModelSettings
    from services.node.backends.http import Endpoint
    from services.node.engine.messages import ChatTurn
    from services.node.requests import Order

MODELS: Final = "/v1/models"
CHAT: Final = "/v1/chat/completions"
COMPLETIONS: Final = "/v1/completions"
EMBEDDINGS: Final = "/v1/embeddings"
HEALTH: Final = "/health"
_END: Final = b"[DONE]"
_decode = msgspec.json.Decoder(Chunk).decode


class OpenAiEngine:
    """One model of one server. Implements `contract.Engine`."""

    def __init__(self, settings: ModelSettings, endpoint: Endpoint) -> None:
        self._settings = settings
        self._endpoint = endpoint
        self._lacks = lacks(settings.dialect, settings.sampling, settings.logprobs)

    async def inspect(self) -> RemoteFacts:
        """Ask what the model is; raises what hinders it from answering."""
        if self._settings.dialect != "openai":  # the API itself has no such thing
            await self._endpoint.check(HEALTH)
        listed = self._pick(await self._endpoint.get(MODELS, ModelList))
        meta = listed.meta or openai_wire.Meta()
        return RemoteFacts(
            model=listed.id,
            context_tokens=self._context(listed.max_model_len or await self._slot_context(meta)),
            vocabulary_tokens=meta.n_vocab or UNKNOWN_VOCABULARY_TOKENS,
            parameters=meta.n_params,
            quantization=meta.ftype,
            file_bytes=meta.size,
            resident_bytes=meta.size,
            lacks=self._lacks,
        )

    async def confirm(self, facts: RemoteFacts) -> None:
        """Do nothing: each piece of an answer names the model, and `stream` looks at it."""

    async def stream(self, order: Order, sample: int, facts: RemoteFacts) -> AsyncGenerator[Piece]:
        """Generate one sample; closing the iterator closes the connection, which stops it."""
        top = order.sampling.top_logprobs
        transcript = Transcript(top)
        body = completion(self._settings, facts.model, order, sample)
        path = CHAT if order.turns else COMPLETIONS
        heard_tokens = False
        async with aclosing(self._endpoint.lines(path, body)) as lines:
            async for line in lines:
                data = event_data(line)
                if data is None:
                    continue
                if data == _END:
                    break
                for piece in transcript.read(self._chunk(data, facts)):
                    heard_tokens = heard_tokens or bool(piece.tokens)
                    if top and piece.text and not heard_tokens:
                        raise self._no_logprobs()
                    yield piece
        last = transcript.end()
        if last is None:
            raise ModelCrashed(
                f"{self._endpoint.url} broke its answer off", retry_after_seconds=1.0
            )
        yield last

    def _chunk(self, data: bytes, facts: RemoteFacts) -> Chunk:
        try:
            chunk = _decode(data)
        except (msgspec.MsgspecError, UnicodeDecodeError) as error:
            shown = shorten(data.decode("utf-8", "replace"))
            raise UnusableReply(
                f"{self._endpoint.url} sent {shown}, which is no completion: {error}"
            ) from error
        if bytes(chunk.error) not in NOTHING:
            refusal = failures.read(500, b'{"error":' + bytes(chunk.error) + b"}")
            raise failures.error_of(refusal, self._endpoint.url, {})
        if chunk.model and not self._is(chunk.model, facts.model):
            raise WrongModel(
                f"{self._endpoint.url} answers with the model {shorten(chunk.model)}, "
                f"not {shorten(facts.model)}: another server may have taken the port"
            )
        return chunk

    def _is(self, told: str, expected: str) -> bool:
        """Whether a model that answers is the expected one; services tell a dated name of it."""
        exact = self._settings.dialect != "openai"
        return told == expected if exact else told.startswith(expected)

    def _no_logprobs(self) -> UnusableReply:
        return UnusableReply(
            f"{self._endpoint.url} gives no log-probabilities, though top_logprobs asked for them. "
            f"Set `logprobs: false` for the model {self._settings.name!r}, which refuses such "
            "requests at once."
        )

    def _pick(self, models: ModelList) -> ListedModel:
        """Find the model among those that the server lists."""
        names = {name: model for model in models.data for name in (model.id, *model.aliases)}
        wanted = self._settings.remote_model or self._settings.name
        if wanted in names:
            return names[wanted]
        if self._settings.remote_model is None and len(models.data) == 1:
            return models.data[0]
        if not names:
            raise ModelLoading(f"{self._endpoint.url} has no model yet", retry_after_seconds=1.0)
        raise ConfigurationError(
            f"{self._endpoint.url} has no model {wanted!r}.{nearest(wanted, names)} "
            "Set the model's `remote_model`."
        )

    async def _slot_context(self, meta: openai_wire.Meta) -> int:
        """Ask how many tokens one sequence may hold; 0 when the server does not tell."""
        if meta.n_ctx or self._settings.dialect != "llama.cpp":
            return meta.n_ctx
        properties = await self._endpoint.get("/props", openai_wire.Properties)
        return properties.default_generation_settings.n_ctx

    def _context(self, told: int) -> int:
        own = self._settings.context_tokens
        if not told and own is None:
            raise ConfigurationError(
                f"{self._endpoint.url} does not tell how many tokens {self._settings.name!r} can "
                "hold. Set the model's `context_tokens`."
            )
        return min(own or told, told or own or 0)

    async def tokenize(
        self, turns: Sequence[ChatTurn], text: str, facts: RemoteFacts
    ) -> TokenizedText:
        """Tokenize a conversation or a text; only the dialects llama.cpp and vllm have it."""
        if self._settings.dialect == "llama.cpp":
            if turns:
                body: Mapping[str, Any] = {"messages": messages(turns)}
                templated = await self._endpoint.post(
                    "/apply-template", body, openai_wire.Templated
                )
                text = templated.prompt
            body = {"content": text, "add_special": True, "parse_special": bool(turns)}
        elif self._settings.dialect == "vllm":
            what = {"messages": messages(turns)} if turns else {"prompt": text}
            body = {"model": facts.model, **what}
        else:
            raise NotImplementedYet(
                f"Tokenize: the OpenAI API has no such method, which {self._settings.name!r} is "
                "reached by. Set `dialect` when the server is llama.cpp's or vLLM's."
            )
        said = await self._endpoint.post("/tokenize", body, openai_wire.TokenIds)
        return TokenizedText(said.tokens, text)

    async def embed(self, texts: Sequence[str], facts: RemoteFacts) -> Vectors:
        """Embed texts."""
        body = {"model": facts.model, "input": list(texts), "encoding_format": "float"}
        said = await self._endpoint.post(EMBEDDINGS, body, openai_wire.Embeddings)
        ordered = sorted(said.data, key=lambda item: item.index)
        return Vectors(tuple(item.embedding for item in ordered), said.usage.prompt_tokens)

    async def close(self) -> None:
        """Close all connections."""
        await self._endpoint.close()


def messages(turns: Sequence[ChatTurn]) -> list[dict[str, str]]:
    """Write a conversation as the API has it."""
    return [{"role": turn.role, "content": turn.content} for turn in turns]
