"""What an engine has learned about the endpoint of one model: whether asking it again makes sense."""

from __future__ import annotations

from collections import deque

from pytest_ultra.errors import AttemptFailedError, AttemptProblem

REFUSALS = 3
REFUSALS_WITHIN_S = 5.0

_WAYS_OUT = {
    401: "check the API key",
    403: "check that the API key may use this model",
    404: "check the model's name and the base URL",
}


class Health:
    """Shared by all episodes of a model.

    `verdict` is None until the endpoint is given up for the whole model: when it turns the key or the model
    away, or when it has never answered and refuses `REFUSALS` times within `REFUSALS_WITHIN_S`.
    """

    def __init__(self, model: str) -> None:
        self.verdict: str | None = None
        self._model = model
        self._has_answered = False
        self._refusals: deque[float] = deque(maxlen=REFUSALS)

    def answered(self) -> None:
        self._has_answered = True

    def failed(self, failure: AttemptFailedError, now: float) -> None:
        if failure.problem is AttemptProblem.REFUSED:
            self._refused(failure, now)
        elif failure.status in _WAYS_OUT:
            way_out = _WAYS_OUT[failure.status]
            self.verdict = f"The endpoint of model {self._model!r} turns it away ({failure}): {way_out}."
        elif failure.status is not None:
            self._has_answered = True

    def _refused(self, failure: AttemptFailedError, now: float) -> None:
        self._refusals.append(now)
        is_quick = len(self._refusals) == REFUSALS and now - self._refusals[0] <= REFUSALS_WITHIN_S
        if is_quick and not self._has_answered:
            self.verdict = (
                f"The endpoint of model {self._model!r} has never answered and refused {REFUSALS} times within "
                f"{REFUSALS_WITHIN_S:g} s ({failure}): check that it is running and that the base URL is right."
            )
