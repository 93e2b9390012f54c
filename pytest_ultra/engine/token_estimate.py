"""How many tokens a call will use, before it is made."""

from __future__ import annotations

import msgspec

from pytest_ultra.core.chat_request import ChatRequest

_BYTES_PER_TOKEN = 4.0
_ANSWERS = 16  # that the correction is a mean of
_SURPRISE = 4.0


class TokenEstimate:
    """Starts from the size of the request, and learns by how much that is wrong, answers included."""

    def __init__(self) -> None:
        self._factor = 1.0

    def of(self, request: ChatRequest) -> float:
        size = len(msgspec.json.encode(request.messages)) + len(msgspec.json.encode(request.tools))
        return size / _BYTES_PER_TOKEN * self._factor

    def learn(self, estimated: float, used: int) -> None:
        self._factor *= 1.0 + (min(used / estimated, _SURPRISE) - 1.0) / _ANSWERS
