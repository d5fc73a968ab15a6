"""Sampler chains: how one sample's tokens are drawn, in llama.cpp's own samplers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import llama_cpp

from quorate.errors import InvalidRequest

if TYPE_CHECKING:
    import ctypes

    from services.node.engine.messages import Sampling
    from services.node.engine.vocabulary import Vocabulary

PENALTY_TOKENS = 64
"""How many recent tokens the penalties look at; the prompt's end counts."""
_KEEP_AT_LEAST = 1
_SEEDS = 2**32


def is_plain_greedy(sampling: Sampling) -> bool:
    """Whether the likeliest token is always taken, so that no chain is needed."""
    changed = sampling.logit_bias or sampling.grammar or _penalizes(sampling)
    return sampling.temperature <= 0 and not changed


def _penalizes(sampling: Sampling) -> bool:
    return (
        sampling.repeat_penalty != 1.0
        or sampling.frequency_penalty != 0.0
        or sampling.presence_penalty != 0.0
    )


class Sampler:
    """One sample's chain. `free` gives its memory back; the chain is not used after that.

    Raises InvalidRequest when the grammar cannot be read.
    """

    def __init__(
        self, vocabulary: Vocabulary, sampling: Sampling, sample: int, prompt: Sequence[int]
    ) -> None:
        self._chain = llama_cpp.llama_sampler_chain_init(
            llama_cpp.llama_sampler_chain_default_params()
        )
        self._vocabulary = vocabulary
        try:
            self._add_constraints(sampling)
        except InvalidRequest:
            self.free()
            raise
        self._add_draw(sampling, (sampling.seed + sample) % _SEEDS)
        if _penalizes(sampling):
            self._remember(prompt[-PENALTY_TOKENS:], sampling)

    def draw(self, context: ctypes.c_void_p, row: int) -> int:
        """Draw a token from the logits of the batch's token `row`, and remember it."""
        return int(llama_cpp.llama_sampler_sample(self._chain, context, row))

    def free(self) -> None:
        """Give the memory back."""
        llama_cpp.llama_sampler_free(self._chain)

    def _add(self, sampler: object) -> None:
        llama_cpp.llama_sampler_chain_add(self._chain, sampler)

    def _add_constraints(self, sampling: Sampling) -> None:
        size = self._vocabulary.size
        if sampling.logit_bias:
            biases = (llama_cpp.llama_logit_bias * len(sampling.logit_bias))()
            for slot, (token, bias) in zip(biases, sampling.logit_bias.items(), strict=True):
                slot.token, slot.bias = token, bias
            self._add(llama_cpp.llama_sampler_init_logit_bias(size, len(biases), biases))
        if _penalizes(sampling):
            self._penalties = llama_cpp.llama_sampler_init_penalties(
                size,
                PENALTY_TOKENS,
                sampling.repeat_penalty,
                sampling.frequency_penalty,
                sampling.presence_penalty,
            )
            self._add(self._penalties)
        if sampling.grammar:
            self._add(self._grammar(sampling.grammar))

    def _add_draw(self, sampling: Sampling, seed: int) -> None:
        if sampling.temperature <= 0:
            self._add(llama_cpp.llama_sampler_init_greedy())
            return
        temperature = llama_cpp.llama_sampler_init_temp(sampling.temperature)
        if sampling.mirostat_tau > 0:
            self._add(temperature)
            self._add(
                llama_cpp.llama_sampler_init_mirostat_v2(
                    seed, sampling.mirostat_tau, sampling.mirostat_eta
                )
            )
            return
        if sampling.top_k > 0:
            self._add(llama_cpp.llama_sampler_init_top_k(sampling.top_k))
        if sampling.typical_p < 1:
            self._add(llama_cpp.llama_sampler_init_typical(sampling.typical_p, _KEEP_AT_LEAST))
        if sampling.top_p < 1:
            self._add(llama_cpp.llama_sampler_init_top_p(sampling.top_p, _KEEP_AT_LEAST))
        if sampling.min_p > 0:
            self._add(llama_cpp.llama_sampler_init_min_p(sampling.min_p, _KEEP_AT_LEAST))
        self._add(temperature)
        self._add(llama_cpp.llama_sampler_init_dist(seed))

    def _grammar(self, grammar: str) -> object:
        sampler = llama_cpp.llama_sampler_init_grammar(
            self._vocabulary.pointer, grammar.encode(), b"root"
        )
        if not sampler:
            raise InvalidRequest.field(
                "sampling.grammar", grammar, "it is not GBNF with a rule named root",
                "See the grammar guide of llama.cpp.",
            )  # fmt: skip
        return sampler

    def _remember(self, tokens: Sequence[int], sampling: Sampling) -> None:
        """Show the prompt's end to the penalties; a grammar must not see it."""
        for token in tokens:
            llama_cpp.llama_sampler_accept(self._penalties, token)
