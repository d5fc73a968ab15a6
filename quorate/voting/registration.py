"""Rules of one's own, by decorator."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from quorate.voting.registry import Rule, register
from quorate.voting.strategies import STRATEGIES


def strategy(
    name: str, aliases: Sequence[str] = (), description: str = ""
) -> Callable[[Rule], Rule]:
    """Add the decorated rule to the table of strategies.

    A rule takes an `Election` and gives one finite score for each of its `groups`, or a `Count` of
    them. The highest wins; ties, abstentions and confidence are seen to. Raises ConfigurationError
    for a name that is taken or malformed. Without a description it is the docstring's first line.
    """
    return register(STRATEGIES, name, aliases, description)
