"""The table of strategies: built-in rows, those that a program registers, and installed plugins.

A plugin is an entry point of the group `quorate.strategies`. Its name is the strategy's, its object
a `Strategy` or a function of an election. Nothing is imported before its name is asked for; one
that is broken, or whose name is taken, is an error when it is asked for, and harms no other.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from importlib.metadata import EntryPoint, entry_points
from typing import TypeAlias, TypeVar

from quorate.errors import ConfigurationError, QuorateError
from quorate.voting.definition import Strategy
from quorate.voting.election import Counting

GROUP = "quorate.strategies"
"""The entry-point group of plugins."""

Rule = TypeVar("Rule", bound=Counting)
Plugins: TypeAlias = Callable[[], Iterable[EntryPoint]]
_NAME = re.compile(r"[a-z][a-z0-9_]*")


def installed() -> Iterable[EntryPoint]:
    """List the plugins that are installed, without importing any."""
    return entry_points(group=GROUP)


class Table(Mapping[str, Strategy]):
    """Strategies by name, in the order in which they were added, plugins last.

    As a mapping it holds what works; `named` gives an alias's strategy too, and raises the error of
    a broken plugin.
    """

    def __init__(self, rows: Iterable[Strategy], plugins: Plugins = installed) -> None:
        self._rows: dict[str, Strategy] = {}
        self._by_any_name: dict[str, Strategy] = {}
        self._plugins = plugins
        self._waiting: dict[str, list[EntryPoint]] | None = None
        self._broken: dict[str, QuorateError] = {}
        for row in rows:
            self._take(row, "the table")

    def add(self, strategy: Strategy) -> None:
        """Register a strategy; raises ConfigurationError for a name that is taken or malformed."""
        waiting = [name for name in _names(strategy) if name in self._unloaded()]
        if waiting:
            plugin = self._unloaded()[waiting[0]][0]
            raise _taken(waiting[0], _distribution(plugin), "this program")
        self._take(strategy, "this program")

    def discard(self, name: str) -> None:
        """Forget a strategy that was registered; one that is unknown is forgotten already."""
        strategy = self._rows.pop(name, None)
        if strategy is not None:
            for known in _names(strategy):
                del self._by_any_name[known]

    def named(self, name: str) -> Strategy | None:
        """Give the strategy with a name or alias, None when there is none.

        Raises ConfigurationError for a plugin that is broken or whose name is taken.
        """
        self._load([name] if name in self._unloaded() else [])
        if name not in self._broken and name not in self._by_any_name:
            self._load(list(self._unloaded()))  # the name may be a plugin's alias
        if name in self._broken:
            raise self._broken[name]
        return self._by_any_name.get(name)

    def at_hand(self, name: str) -> Strategy | None:
        """Give the strategy with a name or alias where no plugin can have a say in it."""
        strategy = self._by_any_name.get(name)
        if self._waiting is None or name in self._waiting or name in self._broken:
            return None
        return strategy

    def all_names(self) -> list[str]:
        """Give every name and alias that works."""
        self._load(list(self._unloaded()))
        return [name for name in self._by_any_name if name not in self._broken]

    @property
    def broken(self) -> Mapping[str, QuorateError]:
        """Plugins that cannot be used, by name, with the error that asking for them raises."""
        self._load(list(self._unloaded()))
        return dict(self._broken)

    def __getitem__(self, name: str) -> Strategy:
        self._load([name] if name in self._unloaded() else [])
        return self._rows[name]

    def __iter__(self) -> Iterator[str]:
        self._load(list(self._unloaded()))
        return iter(self._rows)

    def __len__(self) -> int:
        self._load(list(self._unloaded()))
        return len(self._rows)

    def _unloaded(self) -> dict[str, list[EntryPoint]]:
        if self._waiting is None:
            self._waiting = {}
            for plugin in self._plugins():
                self._waiting.setdefault(plugin.name, []).append(plugin)
        return self._waiting

    def _load(self, names: Sequence[str]) -> None:
        for name in names:
            plugins = self._unloaded().pop(name)
            try:
                self._take(_loaded(name, plugins), _distribution(plugins[0]))
            except QuorateError as error:
                self._broken[name] = error

    def _take(self, strategy: Strategy, source: str) -> None:
        names = _names(strategy)
        malformed = [name for name in names if not _NAME.fullmatch(name)]
        if malformed:
            raise ConfigurationError(
                f"{source} names a strategy {malformed[0]!r}. Use small letters, digits and "
                "underscores, a letter first.",
                metadata={"strategy": malformed[0]},
            )
        for name in names:
            if name in self._by_any_name or names.count(name) > 1:
                owner = self._by_any_name.get(name, strategy).name
                raise _taken(name, f"the strategy {owner!r}", source)
        self._rows[strategy.name] = strategy
        self._by_any_name.update(dict.fromkeys(names, strategy))


def register(
    table: Table, name: str, aliases: Sequence[str] = (), description: str = ""
) -> Callable[[Rule], Rule]:
    """Register the decorated function of an election in a table, and leave it as it is."""

    def take(rule: Rule) -> Rule:
        table.add(Strategy(name, tuple(aliases), description or _summary(rule), counting=rule))
        return rule

    return take


def _loaded(name: str, plugins: Sequence[EntryPoint]) -> Strategy:
    """Import a plugin; whatever its code raises becomes an error that names its distribution."""
    if len(plugins) > 1:
        raise _taken(name, _distribution(plugins[0]), _distribution(plugins[1]))
    source = _distribution(plugins[0])
    try:
        found = plugins[0].load()
    except Exception as error:
        raise _unusable(name, source, f"{type(error).__name__}: {error}") from error
    if isinstance(found, Strategy):
        return replace(found, name=name)
    if callable(found):
        return Strategy(name, (), _summary(found), counting=found)
    raise _unusable(name, source, f"{found!r} is neither a Strategy nor a function of an election")


def _summary(rule: object) -> str:
    lines = (rule.__doc__ or "").strip().splitlines()
    return lines[0] if lines else ""


def _names(strategy: Strategy) -> list[str]:
    return [strategy.name, *strategy.aliases]


def _distribution(plugin: EntryPoint) -> str:
    owner = f"{plugin.dist.name} {plugin.dist.version}" if plugin.dist else "an unknown package"
    return f"{owner} ({plugin.value})"


def _taken(name: str, owner: str, source: str) -> ConfigurationError:
    return ConfigurationError(
        f"the strategy name {name!r} is claimed by {owner} and by {source}. "
        "Rename one of them, or uninstall its package.",
        metadata={"strategy": name},
    )


def _unusable(name: str, source: str, why: str) -> ConfigurationError:
    return ConfigurationError(
        f"the strategy {name!r} of {source} cannot be loaded: {why}. "
        "Mend or uninstall that package; other strategies work without it.",
        metadata={"strategy": name, "distribution": source},
    )
