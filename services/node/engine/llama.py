"""A thin wrapper of llama.cpp: one model, one context, one batch that is filled in place."""

from __future__ import annotations

import ctypes
import os
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import llama_cpp
import numpy as np
import numpy.typing as npt

from quorate.errors import ModelUnusable
from services.node.engine.pages import forget_file_pages
from services.node.engine.plan import Clear, Copy, Piece
from services.node.engine.vocabulary import Vocabulary

if TYPE_CHECKING:
    from services.node.engine.logprobs import Rows

_LOG_LINES = 40
_TELLING = ("error", "fail", "invalid", "unknown", "unable", "missing", "wrong")


@dataclass(frozen=True)
class ContextSettings:
    """How a context is made. `pool_tokens` is shared by all slots; `batch_tokens` bounds a step."""

    pool_tokens: int
    slots: int
    batch_tokens: int
    gpu_layers: int


class LogTail:
    """Keeps the last lines that llama.cpp logged, to explain a failure; nothing is printed."""

    def __init__(self) -> None:
        self._lines: deque[str] = deque(maxlen=_LOG_LINES)
        # ctypes keeps no reference: a collected callback would be called all the same.
        self._callback = llama_cpp.llama_log_callback(self._take)
        llama_cpp.llama_log_set(self._callback, None)

    def _take(self, _level: int, text: bytes, _user: object) -> None:
        self._lines.append(text.decode("utf-8", "replace").strip())

    def explanation(self) -> str:
        """Give the lines that say what went wrong, or else the last ones."""
        lines = [line for line in self._lines if line.strip(". ")]
        telling = [line for line in lines if any(word in line.lower() for word in _TELLING)]
        return "; ".join((telling or lines)[-3:])


class Model:
    """A loaded model and its vocabulary. Raises ModelUnusable with llama.cpp's reason."""

    def __init__(
        self,
        path: Path,
        gpu_layers: int,
        log: LogTail,
        tell: Callable[[float], None] = lambda share: None,
    ) -> None:
        """Load it; `tell` hears the share that is done, in [0, 1], as it grows."""
        llama_cpp.llama_backend_init()
        parameters = llama_cpp.llama_model_default_params()
        parameters.n_gpu_layers = gpu_layers

        def told(share: float, _user: object) -> bool:
            tell(share)
            return True

        parameters.progress_callback = llama_cpp.llama_progress_callback(told)
        self.log = log
        self.pointer = llama_cpp.llama_model_load_from_file(os.fsencode(path), parameters)
        if not self.pointer:
            raise ModelUnusable(f"{path} cannot be loaded by llama.cpp: {log.explanation()}")
        forget_file_pages(path)
        self.vocabulary = Vocabulary(self.pointer)

    @property
    def chat_template(self) -> str | None:
        """The chat template that the file carries."""
        raw: bytes | None = llama_cpp.llama_model_chat_template(self.pointer, None)
        return raw.decode("utf-8", "replace") if raw is not None else None

    @property
    def has_decoder(self) -> bool:
        """Whether it can generate, rather than only encode."""
        return bool(llama_cpp.llama_model_has_decoder(self.pointer))

    @property
    def tensor_bytes(self) -> int:
        """Bytes of its weights."""
        return int(llama_cpp.llama_model_size(self.pointer))

    @property
    def weights(self) -> int:
        """Number of its weights."""
        return int(llama_cpp.llama_model_n_params(self.pointer))


class Context:
    """A model's context: key-value cells of all slots, and the batch of the next step."""

    def __init__(self, model: Model, settings: ContextSettings) -> None:
        parameters = llama_cpp.llama_context_default_params()
        parameters.n_ctx = settings.pool_tokens
        parameters.n_batch = parameters.n_ubatch = settings.batch_tokens
        parameters.n_seq_max = settings.slots
        parameters.n_threads = parameters.n_threads_batch = 1
        parameters.no_perf = True
        # One pool for all slots: samples of one prompt share its cells, and a copy costs nothing.
        parameters.kv_unified = True
        self.pointer = llama_cpp.llama_init_from_model(model.pointer, parameters)
        if not self.pointer:
            raise ModelUnusable(
                f"no context of {settings.pool_tokens} tokens: {model.log.explanation()}"
            )
        self._memory = llama_cpp.llama_get_memory(self.pointer)
        self._vocabulary_size = model.vocabulary.size
        self._threads = 1
        self._wrap_batch(settings.batch_tokens)

    def _wrap_batch(self, size: int) -> None:
        """Wrap llama.cpp's arrays once: filling slices costs a tenth of ctypes' item access."""
        self._batch = llama_cpp.llama_batch_init(size, 0, 1)
        self._tokens = np.ctypeslib.as_array(self._batch.token, (size,))
        self._positions = np.ctypeslib.as_array(self._batch.pos, (size,))
        self._wanted = np.ctypeslib.as_array(self._batch.logits, (size,))
        np.ctypeslib.as_array(self._batch.n_seq_id, (size,))[:] = 1
        # Every token has its own array of sequence ids: one array is put in the place of all.
        self._sequences: npt.NDArray[np.int32] = np.zeros(size, np.int32)
        base = self._sequences.ctypes.data
        for index in range(size):
            self._batch.seq_id[index] = ctypes.cast(
                base + index * 4, ctypes.POINTER(llama_cpp.llama_seq_id)
            )

    def edit(self, edits: Sequence[Copy | Clear]) -> None:
        """Copy and clear slots, in order."""
        for change in edits:
            if isinstance(change, Copy):
                llama_cpp.llama_memory_seq_cp(
                    self._memory, change.source, change.target, 0, change.tokens
                )
            else:
                llama_cpp.llama_memory_seq_rm(self._memory, change.slot, -1, -1)

    def decode(self, pieces: Sequence[Piece]) -> Sequence[int]:
        """Compute a batch; gives, for each piece that draws, its row for `Sampler.draw`.

        Raises RuntimeError when llama.cpp cannot: the process is of no use after that.
        """
        rows = []
        at = 0
        for piece in pieces:
            end = at + len(piece.tokens)
            self._tokens[at:end] = piece.tokens
            self._positions[at:end] = range(piece.start, piece.start + end - at)
            self._sequences[at:end] = piece.slot
            self._wanted[at:end] = 0
            if piece.draws:
                self._wanted[end - 1] = 1
                rows.append(end - 1)
            at = end
        self._batch.n_tokens = at
        status = llama_cpp.llama_decode(self.pointer, self._batch)
        if status != 0:
            raise RuntimeError(f"llama_decode gave {status} for {at} tokens")
        return rows

    def logits(self, count: int) -> Rows:
        """View the logits of the last batch, one row per piece that draws, in order."""
        raw = llama_cpp.llama_get_logits(self.pointer)
        rows: Rows = np.ctypeslib.as_array(raw, (count, self._vocabulary_size))
        return rows

    def use_threads(self, threads: int) -> None:
        """Compute with this many threads from the next step on."""
        if threads != self._threads:
            llama_cpp.llama_set_n_threads(self.pointer, threads, threads)
            self._threads = threads

    @property
    def threads(self) -> int:
        """Threads in use."""
        return self._threads
