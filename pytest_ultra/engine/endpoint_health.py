"""The health of a model's endpoint: whether it makes sense to send it more requests."""

from __future__ import annotations

from collections import deque

from pytest_ultra.errors import AttemptFailedError, AttemptProblem, Verdict

MAX_REFUSALS = 3
REFUSALS_WITHIN_S = 5.0

_FORBIDDEN = 403
_ADVICE = {
    401: "check the API key",
    403: "check that the API key may use this model",
    404: "check the model's name and the base URL",
}


class EndpointHealth:
    """Shared by all episodes of a model.

    `failure` is None until no more requests should be sent: when the endpoint rejects the key or the model, or says
    that no request can succeed (a used-up quota), or when it has never answered and refuses the connection
    `MAX_REFUSALS` times within `REFUSALS_WITHIN_S`.
    """

    def __init__(self, model: str) -> None:
        self.failure: str | None = None
        self._model = model
        self._has_answered = False
        self._has_succeeded = False
        self._refusals: deque[float] = deque(maxlen=MAX_REFUSALS)

    def observe_answer(self) -> None:
        self._has_answered = self._has_succeeded = True

    def observe_failure(self, failure: AttemptFailedError, now: float) -> None:
        if failure.problem is AttemptProblem.REFUSED:
            self._observe_refusal(failure, now)
        elif self._is_final(failure):
            advice = failure.advice or _ADVICE.get(failure.status or 0, "no more requests are sent to it")
            self.failure = f"The endpoint of model {self._model!r} rejected the request ({failure}): {advice}."
        elif failure.verdict is Verdict.MODEL_FAILURE:
            self.observe_answer()
        elif failure.status is not None:
            self._has_answered = True

    def _is_final(self, failure: AttemptFailedError) -> bool:
        """Return whether no other request can succeed. A 403 after a success is about its request alone."""
        if failure.is_judged_by_status:
            return failure.status in _ADVICE and not (failure.status == _FORBIDDEN and self._has_succeeded)
        return failure.verdict is Verdict.MODEL_END

    def _observe_refusal(self, failure: AttemptFailedError, now: float) -> None:
        self._refusals.append(now)
        is_quick = len(self._refusals) == MAX_REFUSALS and now - self._refusals[0] <= REFUSALS_WITHIN_S
        if is_quick and not self._has_answered:
            self.failure = (
                f"The endpoint of model {self._model!r} has never answered and refused the connection {MAX_REFUSALS} "
                f"times within {REFUSALS_WITHIN_S:g} s ({failure}): check that it is running and that the base URL is "
                "right."
            )
