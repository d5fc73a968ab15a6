"""One thread for a store's statements, one after the other; failures are told, never raised on."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, TypeVar

from quorate.errors import ConfigurationError, QuorateError

if TYPE_CHECKING:
    from prometheus_client import Counter

    from services.coordinator.state.store import Store

LOGGER = logging.getLogger(__name__)
Given = TypeVar("Given")


class Backing:
    """Runs work on a store in its own thread. `lost` counts what could not be kept."""

    def __init__(self, store: Store, lost: Counter) -> None:
        self.store = store
        self._lost = lost
        self._thread = ThreadPoolExecutor(1, "memory")
        self._opened = False

    def close(self) -> None:
        """End the thread when its work is done."""
        self._thread.shutdown()

    async def run(self, work: Callable[[Store], Given]) -> Given:
        """Run work that somebody waits for; raises errors of the catalogue."""
        return await asyncio.get_running_loop().run_in_executor(self._thread, self._with, work)

    def _with(self, work: Callable[[Store], Given]) -> Given:
        self.store.open()  # does nothing once it worked; a database that was away may be back
        return work(self.store)

    async def attempt(self, work: Callable[[Store], Given], what: str, count: int) -> Given | None:
        """Run work that nobody waits for; a failure is logged and counted as so many lost.

        A database of another version is a mistake in the settings and raises ConfigurationError.
        """
        try:
            return await self.run(work)
        except ConfigurationError:
            raise
        except QuorateError as error:
            self.gave_up(what, count, error)
            return None
        except Exception as error:
            # A defect of ours in what is written behind the answers must not end the answering.
            LOGGER.exception("%s is lost (%d), by a defect", what, count)
            self.gave_up(what, count, error)
            return None

    def gave_up(self, what: str, count: int, error: Exception) -> None:
        """Say loudly what is lost."""
        self._lost.inc(count)
        LOGGER.error("%s is lost (%d): %s", what, count, error)
