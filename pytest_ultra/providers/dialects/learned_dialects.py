"""The dialects of a process's endpoints: their profiles, and what their rejections have taught since."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from pytest_ultra.core.chat_request import ChatRequest
from pytest_ultra.errors import AttemptFailedError
from pytest_ultra.providers.dialects.changes import find_change
from pytest_ultra.providers.dialects.dialect import Dialect
from pytest_ultra.providers.dialects.rejections import RejectedError, SpokenDialect

Route = tuple[str, int]
"""A model as the user wrote it, and the number of its endpoint."""


class LearnedDialects:
    """The dialect of each endpoint, for all episodes. A change stays if a request in it was answered.

    `fields` are those of the dialects that may change; None is all of them.
    """

    def __init__(self, profiles: Mapping[Route, Dialect], fields: Collection[str] | None = None) -> None:
        self._fields = fields
        self._current = {route: SpokenDialect(dialect) for route, dialect in profiles.items()}
        self._answered = dict(self._current)
        self._routes_with_answers: set[Route] = set()

    def of(self, request: ChatRequest) -> SpokenDialect:
        return self._current[_route(request)]

    def observe_answer(self, request: ChatRequest, used: SpokenDialect) -> None:
        """Keep the changes of a dialect in which a request was answered."""
        self._routes_with_answers.add(_route(request))
        if used is self._current[_route(request)]:
            self._answered[_route(request)] = used

    def has_answered(self, request: ChatRequest) -> bool:
        """Return whether the request's endpoint has answered a request of the model."""
        return _route(request) in self._routes_with_answers

    def adapt(self, request: ChatRequest, failure: AttemptFailedError) -> str | None:
        """Change the dialect if a rejection names something in it; return what was changed, None if nothing was.

        Requests that were on their way in the old dialect get the same change.
        """
        if not isinstance(failure, RejectedError):
            return None
        route = _route(request)
        change = find_change(request, failure.used, failure.text, self._fields)
        if change is None:
            if failure.used is self._current[route]:
                self._current[route] = self._answered[route]  # the changes since did not help
            return None
        current = self._current[route]
        if change.key not in current.changes:
            self._current[route] = SpokenDialect(change.apply(current.dialect), current.changes | {change.key})
        return change.text


def _route(request: ChatRequest) -> Route:
    return request.case.model, request.route
