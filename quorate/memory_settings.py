"""The settings of what a coordinator remembers."""

from __future__ import annotations

from pathlib import Path
from typing import Literal, Self

from pydantic import Field, model_validator

from quorate.setting_types import Name, Settings


class MemorySettings(Settings):
    """What is learned and kept, where, and for how long.

    `database` is a URL, "sqlite:///FILE" or "postgresql+psycopg://USER@HOST/NAME"; empty is an
    SQLite file in `state_directory` (None: the user's state directory). `topics` says how a
    question's topic is told; "embedding" asks the `topic_model`. A learned count forgets half after
    `half_life` further answers; consensus teaches only where `learn_from_consensus` says so. The
    last `records` answers are kept, for `record_days` at most, with their texts or without; 0 keeps
    none, and then no feedback can be given.
    """

    database: str = Field(default="", repr=False)  # it may hold a password
    state_directory: Path | None = None
    topics: Literal["rules", "embedding"] = "rules"
    topic_model: Name | None = None
    half_life: float = Field(default=1000.0, ge=1, le=1e9)
    learn_from_consensus: bool = False
    records: int = Field(default=10_000, ge=0, le=10_000_000)
    record_days: float = Field(default=30.0, gt=0, le=36_500)
    record_texts: bool = True

    @model_validator(mode="after")
    def _embedding_has_its_model(self) -> Self:
        if (self.topics == "embedding") != (self.topic_model is not None):
            raise ValueError(
                "topics: embedding and topic_model belong together; name the model that embeds, or"
                " leave both out"
            )
        return self
