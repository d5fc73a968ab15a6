"""The shared vocabulary: SentencePiece BPE over the generated corpus, and the chat layout.

Every byte has a token, so any text can be written; digits stand alone, so that columns of a sum
line up; nothing is normalised, so that llama.cpp and SentencePiece agree token for token.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path

import sentencepiece

from services.bench.suites.pocket import TASKS, Item, items
from tools.pocket.roster import VOCABULARY_SIZE

SYSTEM, USER, ASSISTANT, END = "<|system|>", "<|user|>", "<|assistant|>", "<|end|>"
CHAT_TEMPLATE = (
    "{{ bos_token }}{% for message in messages %}"
    "{{ '<|' + message['role'] + '|>' + message['content'] + '<|end|>' }}"
    "{% endfor %}{% if add_generation_prompt %}{{ '<|assistant|>' }}{% endif %}"
)
_CORPUS_ITEMS = 6_000
_CORPUS_SEED = 7


def corpus() -> Iterator[str]:
    """Yield every line that the vocabulary is fitted to; line breaks become byte tokens."""
    for task in TASKS:
        for item in items(task, "train", _CORPUS_SEED, _CORPUS_ITEMS):
            yield from item.prompt.split("\n")
            yield from item.completion.split("\n")


def fit(path: Path) -> None:
    """Fit the vocabulary and write it to `path`. The same generators give the same file."""
    model = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=corpus(),
        model_writer=model,
        model_type="bpe",
        vocab_size=VOCABULARY_SIZE,
        character_coverage=1.0,
        byte_fallback=True,
        split_digits=True,
        normalization_rule_name="identity",
        add_dummy_prefix=False,
        remove_extra_whitespaces=False,
        allow_whitespace_only_pieces=True,
        control_symbols=[SYSTEM, USER, ASSISTANT],
        unk_id=0,
        bos_id=1,
        eos_id=2,
        pad_id=-1,
        eos_piece=END,
        num_threads=1,
        minloglevel=2,
    )
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(model.getvalue())


class Vocabulary:
    """The fitted vocabulary: text to ids, and conversations to training sequences."""

    def __init__(self, path: Path) -> None:
        """Load the vocabulary that `fit` wrote."""
        self.pieces = sentencepiece.SentencePieceProcessor(model_file=str(path))
        self.bos, self.end = self.pieces.bos_id(), self.pieces.eos_id()
        self._system, self._user, self._assistant = (
            self.pieces.piece_to_id(piece) for piece in (SYSTEM, USER, ASSISTANT)
        )

        count = self.pieces.vocab_size()
        self.plain = [i for i in range(count) if not self._is_special(i)]

    def _is_special(self, index: int) -> bool:
        pieces = self.pieces
        return bool(pieces.is_control(index) or pieces.is_byte(index) or pieces.is_unknown(index))

    def encode(self, text: str) -> list[int]:
        """Tokenise plain text, without any control token."""
        ids: list[int] = self.pieces.encode(text)
        return ids

    def prompt(self, text: str, system: str = "") -> list[int]:
        """Lay out a user's message as the chat template does, up to the assistant's turn."""
        head = [self._system, *self.encode(system), self.end] if system else []
        return [self.bos, *head, self._user, *self.encode(text), self.end, self._assistant]

    def conversation(self, item: Item, system: str = "") -> tuple[list[int], int]:
        """Return an item's whole sequence and the number of ids before its answer."""
        before = self.prompt(item.prompt, system)
        return [*before, *self.encode(item.completion), self.end], len(before)
