"""A thin wrapper of llama.cpp's model: loaded from a file, with its vocabulary."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable
from pathlib import Path

import llama_cpp

from quorate.errors import ModelUnusable
from services.node.engine.pages import forget_file_pages
from services.node.engine.vocabulary import Vocabulary

_LOG_LINES = 40
_TELLING = ("error", "fail", "invalid", "unknown", "unable", "missing", "wrong")


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

    @property
    def is_recurrent(self) -> bool:
        """Whether a sequence's state cannot be cut at any token, as in Mamba."""
        pointer = self.pointer
        return bool(
            llama_cpp.llama_model_is_recurrent(pointer) or llama_cpp.llama_model_is_hybrid(pointer)
        )
