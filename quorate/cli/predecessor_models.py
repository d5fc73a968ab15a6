"""Turns the model_a and model_b of predecessor B's nodes into models of ours.

Fitness was one number that multiplied a model's confidence, so it becomes the weight of its votes;
where it is a probability it is also the model's initial reliability, for every type of task.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import PurePath
from typing import Any

from quorate.errors import ConfigurationError, shorten
from quorate.prompts import TASK_TYPES

MODEL_KEY = re.compile(r"(model_[a-z0-9]+?)(?:_(path|file|name|fitness|weight))?")
SIDE_KEY = re.compile(r"(fitness|weight)_([a-d])")
PATH_KEYS = ("path", "model_path", "file", "gguf", "model")
FITNESS_KEYS = ("fitness", "weight")
CONTEXT_KEYS = ("n_ctx", "context", "context_tokens", "context_size")
LARGEST_WEIGHT = 1000.0


@dataclass
class Models:
    """Names given so far, keys that meant nothing, and what was changed."""

    ignored: list[str]
    notes: list[str] = field(default_factory=list)
    node_names: set[str] = field(default_factory=set)

    def node_name(self, wanted: str, where: str) -> str:
        """Give a node name that is allowed and free."""
        return self._name(wanted, where, self.node_names)

    def of_node(self, node: str, data: Mapping[str, Any], where: str) -> list[dict[str, Any]]:
        """Give the models of one node; raises ConfigurationError when it has none."""
        found: dict[str, dict[str, Any]] = {}
        fitness = data.get("fitness")
        for key, value in data.items():
            match = MODEL_KEY.fullmatch(key)
            if match:
                self._collect(found.setdefault(match[1], {}), match[2] or "", value)
            elif key == "models":
                found.update(_listed(value))
            elif side := SIDE_KEY.fullmatch(key):
                found.setdefault(f"model_{side[2]}", {})["fitness"] = value
            elif key != "fitness":
                self.ignored.append(f"{where}.{key}")
        if not found:
            raise ConfigurationError(f"{where} has no model_a or model_b")
        taken: set[str] = set()
        return [
            self._model(f"{node}-{key}", {"fitness": _share(fitness, key), **model}, taken,
                        f"{where}.{key}")
            for key, model in found.items()
        ]  # fmt: skip

    def single(self, name: str, value: object, where: str) -> dict[str, Any]:
        """Give the one model that a path or an object describes."""
        model: dict[str, Any] = {}
        self._collect(model, "", value)
        return self._model(name, model, set(), where)

    def _collect(self, model: dict[str, Any], aspect: str, value: object) -> None:
        if aspect:
            model["path" if aspect == "file" else aspect] = value
        elif isinstance(value, Mapping):
            model.update({str(key): inner for key, inner in value.items()})
        else:
            model["path"] = value

    def _model(
        self, fallback: str, old: Mapping[str, Any], taken: set[str], where: str
    ) -> dict[str, Any]:
        old = {key: value for key, value in old.items() if value is not None}
        path = next((old[key] for key in PATH_KEYS if key in old), None)
        if not isinstance(path, str) or not path:
            raise ConfigurationError(f"{where} has no path of a model file: {shorten(dict(old))}")
        wanted = str(old.get("name") or PurePath(path).stem or fallback)
        model: dict[str, Any] = {"name": self._name(wanted, where, taken), "path": path}
        context = next((old[key] for key in CONTEXT_KEYS if key in old), None)
        if context is not None:
            model["context_tokens"] = context
        for key in FITNESS_KEYS:
            if key in old:
                model.update(self._trust(old[key], f"{where}.{key}"))
                break
        known = {*PATH_KEYS, *FITNESS_KEYS, *CONTEXT_KEYS, "name"}
        self.ignored += [f"{where}.{key}" for key in old if key not in known]
        return model

    def _trust(self, fitness: object, where: str) -> dict[str, Any]:
        if isinstance(fitness, Mapping):
            return {"reliability": dict(fitness)}
        if isinstance(fitness, bool) or not isinstance(fitness, int | float):
            raise ConfigurationError(f"{where} is {shorten(fitness)}; it must be a number")
        if not 0 < fitness <= LARGEST_WEIGHT:
            self.notes.append(f"{where}: {fitness} cannot be a weight; the model has weight 1")
            return {}
        trust: dict[str, Any] = {"weight": float(fitness)}
        if fitness <= 1:
            trust["reliability"] = dict.fromkeys(TASK_TYPES, float(fitness))
        return trust

    def _name(self, wanted: str, where: str, taken: set[str]) -> str:
        """Give a name that is allowed and not taken, and note a change."""
        base = re.sub(r"[^a-z0-9]+", "-", wanted.lower()).strip("-")[:56].strip("-") or "unnamed"
        name, number = base, 2
        while name in taken:
            name, number = f"{base}-{number}", number + 1
        taken.add(name)
        if name != wanted:
            self.notes.append(f"{where}: {wanted!r} is now called {name!r}")
        return name


def _listed(value: object) -> dict[str, dict[str, Any]]:
    """Read a list of models in place of model_a and model_b."""
    entries = value if isinstance(value, list) else [value]
    return {
        f"models.{number}": dict(entry) if isinstance(entry, Mapping) else {"path": entry}
        for number, entry in enumerate(entries, 1)
    }


def _share(fitness: object, key: str) -> object:
    """Give a model's part of a fitness that stands beside the models, such as {"model_a": 0.7}."""
    if not isinstance(fitness, Mapping):
        return fitness
    short = key.removeprefix("model_")
    return fitness.get(key, fitness.get(short))
