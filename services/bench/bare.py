"""The bare engine: llama.cpp's own calls in a plain loop, the floor that the mesh is compared with.

`python -m services.bench.bare MODEL --threads N` reads one JSON request per line,
`{"prompt", "max_tokens", "banned"}`, and answers each with one line of times in seconds,
`{"time_to_first_token", "total", "tokens"}`. Greedy, one sequence, no template.
"""

from __future__ import annotations

import argparse
import ctypes
import json
import sys
import time
from collections.abc import Sequence
from typing import TypedDict

import llama_cpp


def _drop(level: int, text: bytes, user_data: object) -> None:
    """Drop llama.cpp's log: standard output carries the answers."""


_SILENCE = llama_cpp.llama_log_callback(_drop)


class Request(TypedDict):
    """What to generate: a prompt, how many tokens, and token ids that must not be drawn."""

    prompt: str
    max_tokens: int
    banned: Sequence[int]


class Times(TypedDict):
    """Seconds from the request to its first and to its last token, and how many there were."""

    time_to_first_token: float
    total: float
    tokens: int


class BareEngine:
    """One llama.cpp context with one sequence."""

    def __init__(self, path: str, threads: int, context_tokens: int = 1024) -> None:
        llama_cpp.llama_log_set(_SILENCE, None)
        llama_cpp.llama_backend_init()
        self._model = llama_cpp.llama_model_load_from_file(
            path.encode(), llama_cpp.llama_model_default_params()
        )
        parameters = llama_cpp.llama_context_default_params()
        parameters.n_ctx = context_tokens
        parameters.n_threads = parameters.n_threads_batch = threads
        self._context = llama_cpp.llama_init_from_model(self._model, parameters)
        if not self._context:
            raise OSError(f"{path} could not be loaded by llama.cpp")
        self._vocabulary = llama_cpp.llama_model_get_vocab(self._model)

    def tokenize(self, text: str) -> Sequence[int]:
        """Give the token ids of a text, special tokens parsed."""
        raw = text.encode()
        room = (llama_cpp.llama_token * (len(raw) + 8))()
        count = llama_cpp.llama_tokenize(
            self._vocabulary, raw, len(raw), room, len(room), True, True
        )
        return list(room[:count])

    def generate(self, request: Request) -> Times:
        """Generate greedily and give the times; nothing is kept between requests."""
        started = time.perf_counter()
        llama_cpp.llama_memory_clear(llama_cpp.llama_get_memory(self._context), False)
        sampler = self._sampler(request["banned"])
        tokens, first = 0, 0.0
        pending = self.tokenize(request["prompt"])
        while tokens < request["max_tokens"]:
            room = (llama_cpp.llama_token * len(pending))(*pending)
            batch = llama_cpp.llama_batch_get_one(room, len(pending))
            if llama_cpp.llama_decode(self._context, batch) != 0:
                raise RuntimeError("llama_decode failed")
            token = llama_cpp.llama_sampler_sample(sampler, self._context, -1)
            tokens += 1
            self._text_of(token)
            first = first or time.perf_counter() - started
            if llama_cpp.llama_vocab_is_eog(self._vocabulary, token):
                break
            pending = [token]
        llama_cpp.llama_sampler_free(sampler)
        return Times(time_to_first_token=first, total=time.perf_counter() - started, tokens=tokens)

    def _sampler(self, banned: Sequence[int]) -> llama_cpp.llama_sampler_p_ctypes:
        chain = llama_cpp.llama_sampler_chain_init(llama_cpp.llama_sampler_chain_default_params())
        if banned:
            biases = (llama_cpp.llama_logit_bias * len(banned))()
            for bias, token in zip(biases, banned, strict=True):
                bias.token, bias.bias = token, -100.0
            size = llama_cpp.llama_vocab_n_tokens(self._vocabulary)
            bias_sampler = llama_cpp.llama_sampler_init_logit_bias(size, len(banned), biases)
            llama_cpp.llama_sampler_chain_add(chain, bias_sampler)
        llama_cpp.llama_sampler_chain_add(chain, llama_cpp.llama_sampler_init_greedy())
        return chain

    def _text_of(self, token: int) -> bytes:
        piece = ctypes.create_string_buffer(64)
        size = llama_cpp.llama_token_to_piece(self._vocabulary, token, piece, 64, 0, True)
        return piece.raw[:size]


def main() -> None:
    """Answer requests from standard input until it ends."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("model")
    parser.add_argument("--threads", type=int, default=1)
    arguments = parser.parse_args()
    engine = BareEngine(arguments.model, arguments.threads)
    for line in sys.stdin:
        sys.stdout.write(json.dumps(engine.generate(json.loads(line))) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
