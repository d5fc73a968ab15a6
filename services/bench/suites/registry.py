"""Every suite by its name: our own, and those that installed packages add.

A package adds one with an entry point of the group `quorate.suites` that names a Suite, or a class
or function that makes one without arguments.
"""

from __future__ import annotations

from collections.abc import Mapping
from importlib import metadata
from typing import TYPE_CHECKING, cast

from quorate.errors import ConfigurationError, NotFound, nearest
from services.bench.suites.pocket.suite import PocketSuite

if TYPE_CHECKING:
    from services.bench.suites.suite import Suite

GROUP = "quorate.suites"
BUILT_IN: tuple[Suite, ...] = (PocketSuite(),)


def suites() -> Mapping[str, Suite]:
    """Give every suite by its name; raises ConfigurationError for one that does not load."""
    found = {suite.name: suite for suite in BUILT_IN}
    for point in metadata.entry_points(group=GROUP):
        if point.name in found:
            raise ConfigurationError(
                f"the entry point {point.value} of {GROUP} is called {point.name}, as another suite"
                " is already. Give it another name."
            )
        found[point.name] = _loaded(point)
    return found


def find(name: str) -> Suite:
    """Give the suite of a name; raises NotFound with the nearest names."""
    known = suites()
    if name not in known:
        raise NotFound(f"there is no suite {name!r}.{nearest(name, known)}")
    return known[name]


def _loaded(point: metadata.EntryPoint) -> Suite:
    try:
        named = point.load()
        made = named() if callable(named) else named
    except Exception as error:  # whatever a foreign package raises, this names the package
        raise ConfigurationError(
            f"the suite {point.name} ({point.value}) fails: {error}"
        ) from error
    missing = [part for part in ("tasks", "items", "right") if not hasattr(made, part)]
    if missing:
        raise ConfigurationError(
            f"the suite {point.name} ({point.value}) has no {', '.join(missing)}; see Suite in "
            "services/bench/suites/suite.py"
        )
    return cast("Suite", made)
