"""From one question to its parts: `split` is the way in."""

from services.coordinator.decompose.by_model import Ask
from services.coordinator.decompose.modes import split
from services.coordinator.decompose.splits import Split, SplitBy
from services.coordinator.question import Mode

__all__ = ["Ask", "Mode", "Split", "SplitBy", "split"]
