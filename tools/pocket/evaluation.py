"""Evaluation: every model on held-out questions, through real llama.cpp, greedily."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import llama_cpp

from services.bench.suites.pocket import TASKS, Item, items
from services.bench.suites.pocket.scoring import ballot, correct

SEED = 11
MAX_TOKENS = 448
CONTEXT_TOKENS = 1_280


class Reply(NamedTuple):
    """A reply to one item: the answer it votes for (None: none found), and whether it is right."""

    ballot: str | None
    right: bool


class Speaker:
    """One pocket model in llama.cpp, answering greedily with one thread."""

    def __init__(self, path: Path) -> None:
        """Load the GGUF at `path`."""
        self._llama = llama_cpp.Llama(
            str(path), n_ctx=CONTEXT_TOKENS, n_threads=1, n_threads_batch=1, verbose=False
        )

    def __call__(self, prompt: str) -> str:
        """Answer one user message through the GGUF's own chat template."""
        reply = self._llama.create_chat_completion(
            [{"role": "user", "content": prompt}], temperature=0.0, max_tokens=MAX_TOKENS
        )
        return str(reply["choices"][0]["message"]["content"])


def answer(speak: Callable[[str], str], questions: list[Item]) -> list[Reply]:
    """Ask every question; code is run with its assertions, in a process of its own."""
    replies = []
    for item in questions:
        text = speak(item.prompt)
        replies.append(Reply(ballot(item, text), correct(item, text)))
    return replies


def write_replies(model: Path, folder: Path, count: int) -> None:
    """Ask one model `count` questions of every task; write the replies to `folder`/NAME.json."""
    speak = Speaker(model)
    results = {task: answer(speak, items(task, "test", SEED, count)) for task in TASKS}
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{model.stem}.json").write_text(json.dumps(results))


def ask_all(models: list[Path], folder: Path, count: int, jobs: int) -> None:
    """Ask every model, in that many processes at a time. Raises RuntimeError when one fails."""
    waiting = list(models)
    running: list[subprocess.Popen[bytes]] = []
    while waiting or running:
        while waiting and len(running) < jobs:
            command = [sys.executable, "-m", "tools.pocket", "replies", str(waiting.pop(0))]
            command += ["--folder", str(folder), "--count", str(count)]
            running.append(subprocess.Popen(command))
        if running.pop(0).wait() != 0:
            raise RuntimeError("a model's evaluation failed; its messages are above")


def load(folder: Path, names: list[str]) -> dict[str, dict[str, list[Reply]]]:
    """Read the replies of every model back: by model, by task."""
    return {
        name: {
            task: [Reply(*reply) for reply in replies]
            for task, replies in json.loads((folder / f"{name}.json").read_text()).items()
        }
        for name in names
    }
