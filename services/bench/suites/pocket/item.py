"""One question with its gold answer, and the rule that keeps training and test apart."""

from __future__ import annotations

import hashlib
from typing import Literal, NamedTuple

Split = Literal["train", "test"]
Kind = Literal["number", "choice", "boolean", "json", "code", "text"]

TEST_SHARE = 0.1


class Item(NamedTuple):
    """One question, what a model should write, and what counts as right.

    `answer` is the gold in its kind's plainest form: "85", "B", "yes", JSON text, Python source, or
    the words that must appear. `key` is the canonical content (operands, entity and template, …)
    that decides between train and test; wording that does not change the content is not in it.
    `fact` names the closed-world fact that the answer needs, if any. `checks` are Python assertions
    for code.
    """

    task: str
    prompt: str
    completion: str
    answer: str
    kind: Kind
    key: str
    fact: str = ""
    checks: tuple[str, ...] = ()


def stable_share(text: str) -> float:
    """Map a text to [0, 1), the same on every machine and in every process."""
    digest = hashlib.blake2b(text.encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big") / 2**64


def split_of(item: Item) -> Split:
    """Say on which side an item lies: a hash of its content decides, never chance."""
    return "test" if stable_share(f"{item.task}|{item.key}") < TEST_SHARE else "train"
