"""The record of an answer: everything that decided it, and deciding it again from that alone. Pure.

read(data) gives a Record; replay(record) decides each part again, and under another strategy when
one is named.
"""

from quorate.records.record import (
    RECORD_VERSION,
    BallotRecord,
    DecisionRecord,
    KnowledgeRecord,
    PartRecord,
    Record,
    read,
    write,
)
from quorate.records.replaying import ReplayedPart, replay

__all__ = [
    "RECORD_VERSION",
    "BallotRecord",
    "DecisionRecord",
    "KnowledgeRecord",
    "PartRecord",
    "Record",
    "ReplayedPart",
    "read",
    "replay",
    "write",
]
