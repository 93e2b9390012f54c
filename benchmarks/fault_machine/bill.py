"""The paid answers by the endpoint's own record, and which of them had to be paid for again."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence

import msgspec

SETTLING_S = 0.6
"""How long an answer may take to reach the disk of a busy machine."""

ARRIVING_S = 0.3
"""How long a request that was sent may take to be read by the endpoint on a busy machine."""


class PaidAnswer(msgspec.Struct, frozen=True):
    """A complete answer to a case's turn, with the Unix times of the request and the answer."""

    case: str
    turn: int
    requested_at: float
    answered_at: float


class EndpointRecord(msgspec.Struct, frozen=True):
    """What the endpoint has sent; `denials` are the times of answers that end episodes; `bugs` are its own errors."""

    paid: list[PaidAnswer] = []
    behaviours: dict[str, int] = {}
    denials: list[float] = []
    bugs: list[str] = []


class Loss(msgspec.Struct, frozen=True):
    """A span of Unix time; answers that were in flight in it may be lost, of one case if it names one."""

    cause: str
    since: float
    until: float
    case: str | None = None

    def excuses(self, answer: PaidAnswer) -> bool:
        is_sent = answer.requested_at <= self.until + ARRIVING_S
        return is_sent and answer.answered_at >= self.since - SETTLING_S and self.case in (None, answer.case)


class Bill:
    """The paid answers, with the losses that excuse why some were paid for again."""

    def __init__(self, paid: Sequence[PaidAnswer], losses: Iterable[Loss]) -> None:
        self._losses = tuple(losses)
        self._answers: defaultdict[tuple[str, int], list[PaidAnswer]] = defaultdict(list)
        for answer in sorted(paid, key=lambda answer: answer.answered_at):
            self._answers[answer.case, answer.turn].append(answer)
        self.total = len(paid)
        self.repeated = self.total - len(self._answers)

    @property
    def cases(self) -> set[str]:
        return {case for case, _ in self._answers}

    def repeated_needlessly(self) -> list[str]:
        """Describe the answers that were paid for again although nothing excuses their loss."""
        return [
            f"case {answer.case} turn {answer.turn}, {self._nearest(answer)}"
            for answers in self._answers.values()
            for answer in answers[:-1]
            if not any(loss.excuses(answer) for loss in self._losses)
        ]

    def _nearest(self, answer: PaidAnswer) -> str:
        nearest = min(self._losses, key=lambda loss: abs(loss.since - answer.answered_at), default=None)
        if nearest is None:
            return "without any disturbance"
        requested_s, answered_s = answer.requested_at - nearest.since, answer.answered_at - nearest.since
        return f"requested {requested_s:+.2f} s and answered {answered_s:+.2f} s from {nearest.cause}"
