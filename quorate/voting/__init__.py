"""Voting rules as pure functions in one named table.

aggregate([{"response": "A", "confidence": 0.9}, …], strategy="weighted") is the whole library call;
`decide` works on votes whose answers were already extracted; `should_stop` says when to stop.
`@strategy("name")` adds a rule of one's own.
"""

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
