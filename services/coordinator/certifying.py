"""Watches the ballots of one part, in the order of seats, until their mode is certified. Pure."""

from __future__ import annotations

import math
from collections.abc import Sequence

from quorate.answers.grouping import Labels
from quorate.voting.certificate import CertificateProcess
from services.coordinator.outcome import Certificate
from services.coordinator.question import Ballot, Seat, Status


def most_evidence(votes: int) -> float:
    """Give the e-value that so many unanimous votes reach, the most that they can reach."""
    return math.prod(2.0 * max(0.5, (won + 0.5) / (won + 1.0)) for won in range(votes))


class Certifying:
    """Feeds an anytime-valid test, one ballot after the other in the order of `seats`.

    The order is fixed beforehand: were it that of arrival, quick models would be tested first.
    """

    def __init__(self, part_id: str, seats: Sequence[Seat], delta: float) -> None:
        self.certificate: Certificate | None = None
        self._part_id = part_id
        self._seats = seats
        # Where even one voice of all would not do, nothing is looked at.
        self._next = 0 if most_evidence(len(seats)) >= 1.0 / delta else len(seats)
        self._process = CertificateProcess(delta)
        self._labels = Labels()

    def see(self, ballots: dict[Seat, Ballot]) -> Certificate | None:
        """Look at the ballots so far; gives the certificate when it is first reached."""
        before = self.certificate
        while self._next < len(self._seats) and (ballot := ballots.get(self._seats[self._next])):
            self._next += 1
            if self.certificate is None:
                self._add(ballot)
        return self.certificate if before is None else None

    def _add(self, ballot: Ballot) -> None:
        answer = ballot.answer if ballot.status is Status.VALID else None
        reached = self._process.add(None if answer is None else self._labels.add(answer))
        if reached is not None and isinstance(reached.answer, int):
            certified = self._labels.answers[reached.answer].text
            self.certificate = Certificate(self._part_id, certified, reached.delta, reached.e_value)
