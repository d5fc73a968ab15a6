"""A model of an Ollama server, over its own REST API."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from typing import TYPE_CHECKING, Final

import msgspec

from quorate.errors import (
    ConfigurationError,
    ModelCrashed,
    NotImplementedYet,
    UnknownModel,
    UnusableReply,
    WrongModel,
    nearest,
    shorten,
)
from services.node.backends import failures, ollama_wire
from services.node.backends.contract import Piece, RemoteFacts, TokenizedText, Vectors
from services.node.backends.lines import NOTHING
from services.node.backends.ollama_wire import Event, Listed, Models, Shown, Transcript, Version
from services.node.model_file import LONGEST_CONTEXT_BY_DEFAULT

if TYPE_CHECKING:
    from quorate.config import ModelSettings
    from services.node.backends.http import Endpoint
    from services.node.engine.messages import ChatTurn
    from services.node.requests import Order

OLDEST: Final = (0, 12, 11)
"""Older ones cut prompts that are too long without a word, and give no log-probabilities."""
_decode = msgspec.json.Decoder(Event).decode


class OllamaEngine:
    """One model of one Ollama. Implements `contract.Engine`."""

    def __init__(self, settings: ModelSettings, endpoint: Endpoint) -> None:
        self._settings = settings
        self._endpoint = endpoint
        self._lacks = ollama_wire.lacks(settings.sampling, settings.logprobs)
        self._known: tuple[Listed, Shown] | None = None

    async def inspect(self) -> RemoteFacts:
        """Ask what the model is, and whether it is in memory; raises what hinders it."""
        await self._check_version()
        listed = self._pick(await self._endpoint.get("/api/tags", Models))
        shown = await self._show(listed)
        running = await self._endpoint.get("/api/ps", Models)
        resident = sum(m.size for m in running.models or () if m.digest == listed.digest)
        return RemoteFacts(
            model=listed.name,
            context_tokens=self._context(shown),
            sha256=_sha256(listed),
            architecture=shown.architecture,
            parameters=shown.number("general.parameter_count"),
            quantization=shown.details.quantization_level,
            file_bytes=listed.size,
            resident_bytes=resident,
            lacks=self._lacks,
        )

    async def confirm(self, facts: RemoteFacts) -> None:
        """Raise WrongModel when the name stands for another model by now."""
        listed = self._pick(await self._endpoint.get("/api/tags", Models))
        if _sha256(listed) != facts.sha256:
            raise WrongModel(
                f"{listed.name!r} at {self._endpoint.url} has been exchanged: its SHA-256 is "
                f"{_sha256(listed)}, and was {facts.sha256}. List the node's models again."
            )

    async def stream(self, order: Order, sample: int, facts: RemoteFacts) -> AsyncGenerator[Piece]:
        """Generate one sample; closing the iterator closes the connection, which stops it."""
        body = ollama_wire.generation(
            self._settings, facts.model, facts.context_tokens, order, sample
        )
        path = "/api/chat" if order.turns else "/api/generate"
        transcript, heard_tokens = Transcript(), False
        async with aclosing(self._endpoint.lines(path, body)) as lines:
            async for line in lines:
                piece = transcript.read(self._event(line, facts))
                heard_tokens = heard_tokens or bool(piece.tokens)
                if order.sampling.top_logprobs and piece.text and not heard_tokens:
                    raise UnusableReply(
                        f"{self._endpoint.url} gives no log-probabilities, though top_logprobs "
                        "asked for them"
                    )
                yield piece
                if piece.reason is not None:
                    return
        raise ModelCrashed(f"{self._endpoint.url} broke its answer off", retry_after_seconds=1.0)

    def _event(self, line: bytes, facts: RemoteFacts) -> Event:
        try:
            event = _decode(line)
        except (msgspec.MsgspecError, UnicodeDecodeError) as error:
            raise UnusableReply(
                f"{self._endpoint.url} sent {shorten(line.decode('utf-8', 'replace'))}, which is "
                f"no part of an answer: {error}"
            ) from error
        if bytes(event.error) not in NOTHING:
            refusal = failures.read(500, line)
            raise failures.error_of(refusal, self._endpoint.url, {})
        if event.model and event.model != facts.model:
            raise WrongModel(
                f"{self._endpoint.url} answers with the model {shorten(event.model)}, "
                f"not {shorten(facts.model)}"
            )
        return event

    async def _check_version(self) -> None:
        said = (await self._endpoint.get("/api/version", Version)).version
        version = ollama_wire.parse_version(said)
        if version is not None and version < OLDEST:
            oldest = ".".join(map(str, OLDEST))
            raise ConfigurationError(
                f"the Ollama at {self._endpoint.url} is {said}, which cuts prompts that are too "
                f"long without a word. Update it to {oldest} or later."
            )

    async def _show(self, listed: Listed) -> Shown:
        """Read what is known of a model; it is asked for again only when the model is another."""
        if self._known is None or self._known[0] != listed:
            shown = await self._endpoint.post("/api/show", {"model": listed.name}, Shown)
            self._known = (listed, shown)
        return self._known[1]

    def _pick(self, models: Models) -> Listed:
        """Find the model; a name without a tag means the tag `latest`, as Ollama reads it."""
        names = {model.name: model for model in models.models or ()}
        wanted = self._settings.remote_model or self._settings.name
        for name in (wanted, f"{wanted}:latest"):
            if name in names:
                return names[name]
        raise UnknownModel(
            f"the Ollama at {self._endpoint.url} has no model {wanted!r}.{nearest(wanted, names)} "
            f"Run `ollama pull {wanted}` there, or set the model's `remote_model`."
        )

    def _context(self, shown: Shown) -> int:
        longest = shown.number(f"{shown.architecture}.context_length")
        usual = min(longest or LONGEST_CONTEXT_BY_DEFAULT, LONGEST_CONTEXT_BY_DEFAULT)
        return self._settings.context_tokens or usual

    async def tokenize(
        self, _turns: Sequence[ChatTurn], _text: str, _facts: RemoteFacts
    ) -> TokenizedText:
        """Raise NotImplementedYet: Ollama has no such method."""
        raise NotImplementedYet(
            f"Tokenize: Ollama has no such method, and {self._settings.name!r} runs there"
        )

    async def embed(self, texts: Sequence[str], facts: RemoteFacts) -> Vectors:
        """Embed texts; one that is too long is refused rather than cut."""
        body = {
            "model": facts.model,
            "input": list(texts),
            "truncate": False,
            "options": {"num_ctx": facts.context_tokens},
            **ollama_wire.keep_alive(self._settings),
        }
        said = await self._endpoint.post("/api/embed", body, ollama_wire.Embeddings)
        return Vectors(said.embeddings, said.prompt_eval_count)

    async def close(self) -> None:
        """Close all connections."""
        await self._endpoint.close()


def _sha256(listed: Listed) -> str:
    return listed.digest.removeprefix("sha256:").lower()
