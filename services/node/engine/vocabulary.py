"""A model's vocabulary through llama.cpp: text to tokens, tokens to bytes."""

from __future__ import annotations

import ctypes
import re
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import llama_cpp

if TYPE_CHECKING:
    from services.node.engine.template import Segment

_ROOM_BEYOND_BYTES = 8
_CONTROL = llama_cpp.LLAMA_TOKEN_ATTR_CONTROL
_SPECIAL = _CONTROL | llama_cpp.LLAMA_TOKEN_ATTR_USER_DEFINED | llama_cpp.LLAMA_TOKEN_ATTR_UNKNOWN


class Vocabulary:
    """Tokenizes and detokenizes with one model's vocabulary. `model` is llama.cpp's pointer."""

    def __init__(self, model: ctypes.c_void_p) -> None:
        self._pointer: ctypes.c_void_p = llama_cpp.llama_model_get_vocab(model)
        self.size = int(llama_cpp.llama_vocab_n_tokens(self._pointer))
        self._pieces: list[bytes | None] = [None] * self.size
        self._buffer = ctypes.create_string_buffer(256)
        self._special = {
            text: token
            for token in range(self.size)
            if self._attributes(token) & _SPECIAL and (text := self._text_of(token))
        }
        longest_first = sorted(self._special, key=len, reverse=True)
        self._markup = re.compile("|".join(map(re.escape, longest_first)) or r"(?!)")
        self._ends = frozenset(
            token
            for token in range(self.size)
            if llama_cpp.llama_vocab_is_eog(self._pointer, token)
        )
        self.longest_piece_bytes = max(
            (len(llama_cpp.llama_vocab_get_text(self._pointer, t)) for t in range(self.size)),
            default=1,
        )

    @property
    def pointer(self) -> ctypes.c_void_p:
        """llama.cpp's own pointer."""
        return self._pointer

    @property
    def bos(self) -> str:
        """Text of the token that begins a sequence; empty when there is none."""
        return self._name_of(llama_cpp.llama_vocab_bos(self._pointer))

    @property
    def eos(self) -> str:
        """Text of the token that ends a sequence; empty when there is none."""
        return self._name_of(llama_cpp.llama_vocab_eos(self._pointer))

    def ends(self, token: int) -> bool:
        """Whether a token ends the model's turn."""
        return token in self._ends

    def piece(self, token: int) -> bytes:
        """Give a token's bytes; control tokens have none."""
        known = self._pieces[token]
        if known is None:
            known = self._pieces[token] = self._detokenize(token)
        return known

    def plain(self, text: str) -> list[int]:
        """Tokenize a text that is continued as it is; control tokens in it are only text."""
        return self._with_beginning(self._tokenize(text))

    def continuation(self, before: str, text: str) -> list[int]:
        """Tokenize a text as it is cut behind another, or by itself where the two merge."""
        first, both = self._tokenize(before), self._tokenize(before + text)
        return both[len(first) :] if both[: len(first)] == first else self._tokenize(text)

    def chat(self, segments: Sequence[Segment]) -> list[int]:
        """Tokenize a rendered conversation; only the template's segments hold control tokens."""
        tokens: list[int] = []
        for part in self._parts(segments):
            if isinstance(part, int):
                tokens.append(part)
            else:
                tokens += self._tokenize(part)
        return self._with_beginning(tokens)

    def _parts(self, segments: Sequence[Segment]) -> Iterator[int | str]:
        """Give control tokens as ids, and the text between two of them in one piece.

        Text of the template and of people is joined before it is tokenized, so that the tokens are
        those of the whole rendered text, as the model saw it in training.
        """
        text = ""
        for segment in segments:
            if not segment.from_template:
                text += segment.text
                continue
            at = 0
            for match in self._markup.finditer(segment.text):
                text += segment.text[at : match.start()]
                if text:
                    yield text
                yield self._special[match[0]]
                text, at = "", match.end()
            text += segment.text[at:]
        if text:
            yield text

    def _with_beginning(self, tokens: list[int]) -> list[int]:
        bos = int(llama_cpp.llama_vocab_bos(self._pointer))
        wanted = llama_cpp.llama_vocab_get_add_bos(self._pointer)
        return [bos, *tokens] if wanted and tokens[:1] != [bos] else tokens

    def _tokenize(self, text: str) -> list[int]:
        raw = text.encode()
        room = (llama_cpp.llama_token * (len(raw) + _ROOM_BEYOND_BYTES))()
        count = llama_cpp.llama_tokenize(
            self._pointer, raw, len(raw), room, len(room), False, False
        )
        if count < 0:
            raise RuntimeError(f"llama.cpp needs {-count} tokens for {len(raw)} bytes")
        tokens: list[int] = room[:count]
        return tokens

    def _detokenize(self, token: int) -> bytes:
        size = llama_cpp.llama_token_to_piece(
            self._pointer, token, self._buffer, len(self._buffer), 0, False
        )
        if size < 0:
            self._buffer = ctypes.create_string_buffer(-size)
            return self._detokenize(token)
        return self._buffer.raw[:size]

    def _attributes(self, token: int) -> int:
        return int(llama_cpp.llama_vocab_get_attr(self._pointer, token))

    def _text_of(self, token: int) -> str:
        raw: bytes = llama_cpp.llama_vocab_get_text(self._pointer, token)
        return raw.decode("utf-8", "replace")

    def _name_of(self, token: int) -> str:
        return self._text_of(token) if token >= 0 else ""
