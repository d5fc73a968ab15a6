"""Keeps what was planned and done as lines of JSON, for those who study plans afterwards.

The kinds of lines are job, dag_structure, subtask, model_task_estimates, subtask_plan, plan_step
and job_dag_summary; docs/planning.md lists their fields. Files are rotated by size.
"""

from __future__ import annotations

import logging
import logging.handlers
import queue
import time
from typing import TYPE_CHECKING, Self

import msgspec

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path
    from types import TracebackType


class Journal:
    """Writes lines in a thread of its own, so that no answer waits for a disk.

    `path` None keeps nothing. Files of `most_bytes` are kept as PATH.1 to PATH.`files`. Without
    `texts` lines say nothing of what was asked and answered, nor what may quote it.
    """

    def __init__(
        self,
        path: Path | None,
        most_bytes: int = 16 * 2**20,
        files: int = 4,
        *,
        texts: bool = True,
        wall: Callable[[], float] = time.time,
    ) -> None:
        self._wall = wall
        self._texts = texts
        self._listener: logging.handlers.QueueListener | None = None
        self._logger = logging.Logger("quorate.journal", logging.INFO)
        if path is None:
            return
        path.parent.mkdir(parents=True, exist_ok=True)
        handler = logging.handlers.RotatingFileHandler(
            path, maxBytes=most_bytes, backupCount=files, encoding="utf-8", delay=True
        )
        lines: queue.SimpleQueue[logging.LogRecord] = queue.SimpleQueue()
        self._logger.addHandler(logging.handlers.QueueHandler(lines))
        self._listener = logging.handlers.QueueListener(lines, handler)

    def __enter__(self) -> Self:
        if self._listener is not None:
            self._listener.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._listener is not None:
            self._listener.stop()
            for handler in self._listener.handlers:
                handler.close()

    @property
    def kept(self) -> bool:
        """Whether lines are kept at all: else nobody needs to make them."""
        return self._listener is not None

    def text(self, text: str, instead: str = "") -> str:
        """Give a text as it may be kept: `instead` of one that may not, "" for an empty one."""
        return text if self._texts else instead if text else ""

    def write(self, event: str, job_id: str, **fields: object) -> None:
        """Write one line with the time of day in seconds, its kind and its question."""
        if self._listener is None:
            return
        line = {"time": self._wall(), "event": event, "job_id": job_id, **fields}
        self._logger.info(msgspec.json.encode(line).decode())
