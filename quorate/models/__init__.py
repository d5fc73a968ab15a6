"""Model files: which there are, what they say about themselves, and whether they can be used."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from quorate.errors import ModelUnusable, UnknownModel, nearest

if TYPE_CHECKING:
    from quorate.config import ModelSettings

POCKET_DIRECTORY = Path(__file__).parent / "pocket"


def pocket_models() -> Mapping[str, Path]:
    """Give the models that come with Quorate, by name."""
    return {path.stem: path for path in sorted(POCKET_DIRECTORY.glob("*.gguf"))}


def resolve(settings: ModelSettings) -> Path:
    """Find the file of a model.

    Raises UnknownModel when no path is given and no pocket model has the name, ModelUnusable when
    the path leads to no file.
    """
    if settings.path is None:
        known = pocket_models()
        if settings.name not in known:
            raise UnknownModel(
                f"there is no pocket model {settings.name!r}, and no path is given."
                f"{nearest(settings.name, known)}"
            )
        return known[settings.name]
    if not settings.path.exists():
        raise ModelUnusable(f"the file of model {settings.name!r} is missing: {settings.path}")
    if not settings.path.is_file():
        raise ModelUnusable(f"the path of model {settings.name!r} is no file: {settings.path}")
    return settings.path.resolve()
