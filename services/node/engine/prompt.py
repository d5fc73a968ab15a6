"""From what a request says to the tokens that the model sees."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from quorate.errors import ContextOverflow, InvalidRequest, NotReady

if TYPE_CHECKING:
    from services.node.engine.messages import ChatTurn
    from services.node.engine.template import ChatTemplate
    from services.node.engine.vocabulary import Vocabulary

TAIL_CHARACTERS: Final = 64
"""How much of a prompt's end can influence how a text behind it is cut into tokens."""


class PromptReader:
    """Tokenizes prompts for one model; `template` None means that it cannot hold conversations."""

    def __init__(
        self, vocabulary: Vocabulary, template: ChatTemplate | None, context_tokens: int
    ) -> None:
        self._vocabulary = vocabulary
        self._template = template
        self._context_tokens = context_tokens

    def read(self, turns: Sequence[ChatTurn], text: str, name: str = "the prompt") -> list[int]:
        """Give the tokens of a conversation, or of a text that is continued as it is.

        Raises ContextOverflow, which calls it `name`, when they leave no room for an answer,
        NotReady when the model has no chat template, InvalidRequest when the template refuses the
        conversation.
        """
        size = sum(len(turn.content.encode()) for turn in turns) + len(text.encode())
        at_least = size // self._vocabulary.longest_piece_bytes
        if at_least >= self._context_tokens:  # told without tokenizing a megabyte
            raise self._overflow(f"at least {at_least}", name)
        tokens = self._tokenize(turns, text)
        if len(tokens) >= self._context_tokens:
            raise self._overflow(str(len(tokens)), name)
        return tokens

    def continuations(
        self, prompt: str, candidates: Sequence[str], prompt_tokens: int
    ) -> list[list[int]]:
        """Give the tokens of texts that continue a prompt, which is empty for a conversation.

        Raises ContextOverflow when one does not fit behind the prompt's tokens, InvalidRequest when
        one has no tokens.
        """
        tail = prompt[-TAIL_CHARACTERS:]
        tokens = [self._vocabulary.continuation(tail, text) for text in candidates]
        for index, one in enumerate(tokens):
            if not one:
                raise InvalidRequest.field(
                    f"candidates[{index}]", candidates[index], "it has no tokens", "Leave it out."
                )
            if prompt_tokens + len(one) > self._context_tokens:
                raise self._overflow(f"{prompt_tokens} tokens and candidates[{index}] {len(one)}")
        return tokens

    def texts(self, texts: Sequence[str]) -> list[list[int]]:
        """Give the tokens of texts to embed; raises ContextOverflow or InvalidRequest by index."""
        found = []
        for index, text in enumerate(texts):
            tokens = self.read((), text, f"texts[{index}]")
            if not tokens:
                raise InvalidRequest.field(
                    f"texts[{index}]", text, "it has no tokens", "Leave it out."
                )
            found.append(tokens)
        return found

    def _tokenize(self, turns: Sequence[ChatTurn], text: str) -> list[int]:
        if not turns:
            return self._vocabulary.plain(text)
        if self._template is None:
            raise NotReady(
                "the model's file has no chat template. Send `prompt` instead of `messages`."
            )
        return self._vocabulary.chat(self._template.render(turns))

    def text_of(self, turns: Sequence[ChatTurn], text: str) -> str:
        """Give the text that is tokenized, for people to look at."""
        if self._template is None or not turns:
            return text
        return "".join(segment.text for segment in self._template.render(turns))

    def _overflow(self, tokens: str, name: str = "the prompt") -> ContextOverflow:
        limit = self._context_tokens - 1
        return ContextOverflow(
            f"{name} has {tokens} tokens, but the context of the model holds {limit} beside "
            f"the answer. Shorten {name}, or give the model a larger context_tokens.",
            metadata={"tokens": tokens, "limit": str(limit)},
        )
