"""The settings of who plans, and of what is kept about plans."""

from __future__ import annotations

from pathlib import Path

from pydantic import Field

from quorate.setting_types import Settings


class PlanningSettings(Settings):
    """Who splits and plans where a model does, and where plans are told.

    `planner` names that model; "" is the largest in memory, and so is one that no live node has.
    `journal` is a file of JSON lines about plans (None: kept nowhere), rotated at `journal_bytes`
    through `journal_files` older ones.
    """

    planner: str = ""
    journal: Path | None = None
    journal_bytes: int = Field(default=16 * 2**20, ge=4_096)
    journal_files: int = Field(default=4, ge=1, le=1_000)
