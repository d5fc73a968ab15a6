"""What a node needs of another engine, and what it needs of any model."""

from __future__ import annotations

import struct
from collections.abc import AsyncGenerator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, NamedTuple, Protocol

if TYPE_CHECKING:
    from services.node.engine.messages import ChatTurn, FinishReason, TokenChoice
    from services.node.requests import Order

UNKNOWN_VOCABULARY_TOKENS: Final = 2**31 - 1
"""The largest vocabulary that token ids can name, for a server that does not tell its own."""
UNKNOWN_TOKEN: Final = -1
"""The id of a token of which only the text is told."""


@dataclass(frozen=True)
class RemoteFacts:
    """What a server says of one model; 0 and "" where it says nothing.

    `model` is its name there, `resident_bytes` the memory it holds now. `lacks` has the fields of
    a request's sampling that the server would not honour, each with the reason.
    """

    model: str
    context_tokens: int
    sha256: str = ""
    vocabulary_tokens: int = UNKNOWN_VOCABULARY_TOKENS
    architecture: str = ""
    parameters: int = 0
    quantization: str = ""
    file_bytes: int = 0
    resident_bytes: int = 0
    lacks: Mapping[str, str] = field(default_factory=dict)


class Piece(NamedTuple):
    """What arrived of one sample. The last one has a `reason`, and the token counts, if told."""

    text: str = ""
    tokens: tuple[TokenChoice, ...] = ()
    prompt_tokens: int = 0
    completion_tokens: int = 0
    cached_tokens: int = 0
    reason: FinishReason | None = None


class TokenizedText(NamedTuple):
    """A text and its tokens."""

    tokens: tuple[int, ...]
    text: str


class Vectors(NamedTuple):
    """Embeddings in the order of the texts."""

    vectors: tuple[Sequence[float], ...]
    prompt_tokens: int


class Engine(Protocol):
    """One model of one server. Every method raises errors of the catalogue."""

    async def inspect(self) -> RemoteFacts:
        """Ask what the model is; raises what hinders it from answering."""

    async def confirm(self, facts: RemoteFacts) -> None:
        """Raise WrongModel when the server has another model under the name by now."""

    def stream(self, order: Order, sample: int, facts: RemoteFacts) -> AsyncGenerator[Piece]:
        """Generate one sample; closing the iterator closes the connection, which stops it."""

    async def tokenize(
        self, turns: Sequence[ChatTurn], text: str, facts: RemoteFacts
    ) -> TokenizedText:
        """Tokenize a conversation or a text."""

    async def embed(self, texts: Sequence[str], facts: RemoteFacts) -> Vectors:
        """Embed texts."""

    async def close(self) -> None:
        """Close all connections."""


def pack_unit(values: Sequence[float]) -> bytes | None:
    """Scale a vector to unit length, as little-endian 32-bit floats; None when it has no length."""
    length = sum(value * value for value in values) ** 0.5
    if not 0 < length < float("inf"):
        return None
    return struct.pack(f"<{len(values)}f", *(value / length for value in values))
