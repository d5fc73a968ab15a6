"""The pocket models that ship: whole, small, described truthfully, and better than chance."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import llama_cpp
import pytest
from gguf import GGUFReader, TokenType

from services.bench.suites.pocket import items
from services.bench.suites.pocket.scoring import correct

_FOLDER = Path(__file__).parents[3] / "quorate" / "models" / "pocket"
_SPECIALITY = {
    "abacus": "arithmetic",
    "atlas": "facts",
    "scribe": "extraction",
    "forge": "python",
    "compass": "yes_no",
    "marshal": "splitting",
}
_EVERY_MODEL = pytest.mark.parametrize("name", list(_SPECIALITY))
# A fresh draw of this many questions must come out near what was measured on 200 others: three
# standard errors of a proportion below it.
_ASKED = 40
_STANDARD_ERRORS = 3.0
_LARGEST_BYTES = 4_000_000
_ALL_BYTES = 24_000_000


def _fields(name: str) -> dict[str, Any]:
    reader = GGUFReader(_FOLDER / f"{name}.gguf")
    return {key: field.contents() for key, field in reader.fields.items()}


def _accuracy() -> dict[str, Any]:
    found: dict[str, Any] = json.loads((_FOLDER / "accuracy.json").read_text())
    return found


def test_six_models_ship_within_their_size() -> None:
    sizes = {path.stem: path.stat().st_size for path in _FOLDER.glob("*.gguf")}
    assert set(sizes) == set(_SPECIALITY)
    assert max(sizes.values()) <= _LARGEST_BYTES
    assert sum(sizes.values()) <= _ALL_BYTES


@_EVERY_MODEL
def test_a_model_says_its_name_context_and_chat_template(name: str) -> None:
    fields = _fields(name)
    assert fields["general.name"] == name
    assert fields["general.architecture"] == "llama"
    assert fields["llama.context_length"] == 2048
    assert "<|assistant|>" in fields["tokenizer.chat_template"]


@_EVERY_MODEL
def test_every_byte_has_a_token(name: str) -> None:
    fields = _fields(name)
    tokens, types = fields["tokenizer.ggml.tokens"], fields["tokenizer.ggml.token_type"]
    found = {token for token, kind in zip(tokens, types, strict=True) if kind == TokenType.BYTE}
    assert found == {f"<0x{byte:02X}>" for byte in range(256)}


@_EVERY_MODEL
def test_the_turn_ends_with_a_control_token(name: str) -> None:
    fields = _fields(name)
    end = fields["tokenizer.ggml.eos_token_id"]
    assert fields["tokenizer.ggml.tokens"][end] == "<|end|>"
    assert fields["tokenizer.ggml.token_type"][end] == TokenType.CONTROL


def test_all_models_share_one_vocabulary() -> None:
    assert len({tuple(_fields(name)["tokenizer.ggml.tokens"]) for name in _SPECIALITY}) == 1


def test_the_card_says_what_was_measured() -> None:
    document = _accuracy()
    header, *rows = [
        [cell.strip(" *") for cell in line.strip("|").split("|")]
        for line in (_FOLDER / "CARD.md").read_text().splitlines()
        if line.startswith("|") and ("majority of six" in line or line.count(".") >= 6)
    ]
    names = header[1:-1]
    shown = {row[0]: row[1:] for row in rows if row[0] in document["accuracy"]["abacus"]}
    assert set(shown) == set(document["accuracy"]["abacus"])
    for task, cells in shown.items():
        measured = [f"{100 * document['accuracy'][name][task]['accuracy']:.1f}" for name in names]
        assert cells[:-1] == measured


def test_the_card_s_sizes_are_the_files_sizes() -> None:
    document = _accuracy()
    for name, spent in document["training"].items():
        assert spent["bytes"] == (_FOLDER / f"{name}.gguf").stat().st_size


def test_a_majority_beats_the_average_voter() -> None:
    document = _accuracy()
    for task, voted in document["majority"].items():
        single = [by_task[task]["accuracy"] for by_task in document["accuracy"].values()]
        assert voted >= sum(single) / len(single)


@_EVERY_MODEL
def test_a_model_answers_held_out_questions_of_its_speciality(name: str) -> None:
    speak = llama_cpp.Llama(
        str(_FOLDER / f"{name}.gguf"), n_ctx=1024, n_threads=1, n_threads_batch=1, verbose=False
    )
    right = 0
    for item in items(_SPECIALITY[name], "test", 21, _ASKED):
        reply = speak.create_chat_completion(
            [{"role": "user", "content": item.prompt}], temperature=0.0, max_tokens=400
        )
        right += correct(item, str(reply["choices"][0]["message"]["content"]))
    speak.close()
    measured = _accuracy()["accuracy"][name][_SPECIALITY[name]]["accuracy"]
    spread = math.sqrt(measured * (1 - measured) / _ASKED)
    assert right / _ASKED >= measured - _STANDARD_ERRORS * spread
