"""Voting rules as pure functions in one named table.

aggregate([{"response": "A", "confidence": 0.9}, …], strategy="weighted") is the whole library call;
`decide` works on votes whose answers were already extracted; `should_stop` says when to stop.
`@strategy("name")` adds a rule of one's own.

Names are loaded when they are first used: a node needs votes alone, and the rules need numpy.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from quorate.voting.aggregation import Aggregate, Response, aggregate
    from quorate.voting.decision import decide
    from quorate.voting.election import Count, Election
    from quorate.voting.knowledge import Knowledge
    from quorate.voting.registration import strategy
    from quorate.voting.stopping import Stop, StopRule, settled, should_stop
    from quorate.voting.strategies import STRATEGIES, Strategy, find
    from quorate.voting.vote import Outcome, Score, Vote

__all__ = [
    "STRATEGIES",
    "Aggregate",
    "Count",
    "Election",
    "Knowledge",
    "Outcome",
    "Response",
    "Score",
    "Stop",
    "StopRule",
    "Strategy",
    "Vote",
    "aggregate",
    "decide",
    "find",
    "settled",
    "should_stop",
    "strategy",
]

_HOMES = {
    "aggregation": ("Aggregate", "Response", "aggregate"),
    "decision": ("decide",),
    "election": ("Count", "Election"),
    "knowledge": ("Knowledge",),
    "registration": ("strategy",),
    "stopping": ("Stop", "StopRule", "settled", "should_stop"),
    "strategies": ("STRATEGIES", "Strategy", "find"),
    "vote": ("Outcome", "Score", "Vote"),
}
_HOME_OF = {name: home for home, names in _HOMES.items() for name in names}


def __getattr__(name: str) -> object:
    if name not in _HOME_OF:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(f"{__name__}.{_HOME_OF[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
