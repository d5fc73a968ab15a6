"""Makes the model that settings describe, for every backend but the node's own engine."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Final

from quorate.errors import ConfigurationError
from quorate.remote import OLLAMA_URL
from services.node.backends.http import Endpoint
from services.node.backends.ollama import OllamaEngine
from services.node.backends.openai import OpenAiEngine
from services.node.backends.remote import RemoteModel

if TYPE_CHECKING:
    from quorate.config import ModelSettings
    from services.node.backends.contract import Engine
    from services.node.engine.messages import Counters
    from services.node.replica import Changes

ENGINES: Final[Mapping[str, Callable[[ModelSettings, Endpoint], Engine]]] = {
    "ollama": OllamaEngine,
    "openai": OpenAiEngine,
}


def make(
    settings: ModelSettings,
    environment: Mapping[str, str],
    changes: Changes,
    observe: Callable[[Counters, Counters], None],
) -> RemoteModel:
    """Make a model; raises ConfigurationError when its key cannot be read.

    `observe` is told of every piece of an answer: the counters before and after.
    """
    endpoint = Endpoint(
        settings.url or OLLAMA_URL, read_key(settings, environment), settings.silence_seconds
    )
    return RemoteModel(settings, ENGINES[settings.backend](settings, endpoint), changes, observe)


def read_key(settings: ModelSettings, environment: Mapping[str, str]) -> str:
    """Read the key of a server from where the settings say; empty when they say nothing."""
    if settings.api_key_variable is not None:
        where, key = settings.api_key_variable, environment.get(settings.api_key_variable, "")
    elif settings.api_key_file is not None:
        where = str(settings.api_key_file)
        try:
            key = settings.api_key_file.read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError) as error:
            raise ConfigurationError(
                f"the key of model {settings.name!r} cannot be read from {where}: {error}"
            ) from error
    else:
        return ""
    if not key or not key.isascii() or not key.isprintable():
        raise ConfigurationError(
            f"{where} holds no key for model {settings.name!r}: it must be one line of ASCII text"
        )
    return key
