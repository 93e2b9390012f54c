"""An endpoint that answers from cassettes, and records the answers that they do not have."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress
from typing import NoReturn, Protocol

import msgspec

from pytest_ultra.core.axes import ToolProtocol
from pytest_ultra.core.case import Case
from pytest_ultra.core.chat_request import ChatRequest
from pytest_ultra.core.transcript import Reply
from pytest_ultra.errors import AttemptFailedError, AttemptProblem, ConfigurationError
from pytest_ultra.storage.cassettes.cassette import Cassette, Turn
from pytest_ultra.storage.cassettes.cassette_folder import CassetteFolder, cassette_path
from pytest_ultra.storage.cassettes.request_differences import explain_missing
from pytest_ultra.storage.codec import encode
from pytest_ultra.storage.kept_turns import InnerEndpoint

_TIMEOUT_SHARE = 0.95
"""If the model used this share of an episode's time limit, the limit cancelled the request; tools used the rest."""

_AFTER_S = 0.001  # past the limit for certain, despite the rounding of floating-point sums
_BAD_REQUEST = 400
_NO_TOOLS = "when this was recorded, the endpoint rejected native tools"


class AdvanceableClock(Protocol):
    """The engine's clock; `advance` adds seconds to the current episode's time."""

    def now(self) -> float: ...

    def advance(self, seconds: float) -> None: ...


class ModelAccess(Protocol):
    """Access to the models; `check` raises ConfigurationError if a model cannot be called."""

    def check(self, model: str) -> None: ...

    def open(self) -> InnerEndpoint: ...


class Changes:
    """The changes of a dialect that each turn in progress needed, and the rejections that named them."""

    def __init__(self) -> None:
        self._made: dict[tuple[Case, int], dict[str, str]] = {}

    def add(self, request: ChatRequest, change: str, reason: str) -> None:
        self._made.setdefault((request.case, request.turn), {})[change] = reason

    def find(self, request: ChatRequest) -> dict[str, str]:
        return self._made.get((request.case, request.turn), {})

    def take(self, request: ChatRequest) -> dict[str, str]:
        return self._made.pop((request.case, request.turn), {})


class CassetteEndpoint:
    """Replays recorded answers if `is_replaying`, and calls the model for all others if there is a `model_access`.

    The model's answers are recorded as they arrive. `redact` removes secrets from the files and the returned replies.
    """

    def __init__(
        self,
        folder: CassetteFolder,
        clock: AdvanceableClock,
        *,
        is_replaying: bool,
        model_access: ModelAccess | None,
        redact: Callable[[str], str] = str,
    ) -> None:
        self._folder = folder
        self._clock = clock
        self._is_replaying = is_replaying
        self._model_access = model_access
        self._redact = redact
        self._inner: InnerEndpoint | None = None
        self._changes = Changes()
        self._recorded: dict[Case, set[int]] = {}  # the turns of each case's present episode
        self._recording: set[Case] = set()  # own agents' cases that are recorded from their first request on

    async def attempt(self, request: ChatRequest) -> Reply:
        """Answer a turn; raise a final AttemptFailedError if it is not recorded and the model cannot be called."""
        cassette = self._load(request)
        replayed = self._replay(cassette, request) if self._is_replaying else None
        if replayed is not None:
            await asyncio.sleep(0)  # lets other episodes continue
            return replayed
        if request.case.agent and self._is_replaying:
            self._check_whole(request)
        if self._model_access is None:
            _fail(explain_missing(request, cassette))
        return await self._record(self._open(self._model_access, request.case.model), request)

    def adapt(self, request: ChatRequest, failure: AttemptFailedError) -> str | None:
        """Repeat the recorded changes of the request's dialect in turn; for other requests ask the model's endpoint."""
        turn = self._load(request).find(request) if self._is_replaying else None
        if turn is not None and turn.reply is not None:
            change = next((change for change in turn.rejected if change not in self._changes.find(request)), None)
            if change is None or turn.rejected[change] != failure.detail:
                return None
        else:
            change = None if self._inner is None else self._inner.adapt(request, failure)
        if change is not None:
            self._changes.add(request, change, failure.detail)
        return _describe(change)

    def reaches_model(self, request: ChatRequest) -> bool:
        """Return whether an attempt would call the model."""
        if self._model_access is None:
            return False
        try:
            cassette = self._load(request)
            self._model_access.check(request.case.model)
        except (AttemptFailedError, ConfigurationError):
            return False
        return not (self._is_replaying and _is_recorded(cassette, request))

    async def aclose(self) -> None:
        if self._inner is not None:
            await self._inner.aclose()

    def _check_whole(self, request: ChatRequest) -> None:
        """Fail if an own agent's episode would go on beyond its recording: what it has done since is not known."""
        if request.turn == 1:
            self._recording.add(request.case)
        elif request.case not in self._recording:
            path = str(cassette_path(request.case))
            _fail(
                f"{path!r} holds only a part of this agent's episode, or another one: request {request.turn} is not in "
                "it, and an agent's episode is replayed or recorded whole; delete the file, or use "
                "--ultra-cassette record"
            )

    def _load(self, request: ChatRequest) -> Cassette:
        try:
            return self._folder.load(request.case) or Cassette.blank(request.case)
        except (ConfigurationError, OSError) as error:
            _fail(str(error))

    def _open(self, model_access: ModelAccess, model: str) -> InnerEndpoint:
        """Open the inner endpoint on first use: cassettes may have all answers."""
        try:
            model_access.check(model)
        except ConfigurationError as error:
            _fail(f"not on the cassette, and the model cannot be called: {error}")
        if self._inner is None:
            self._inner = model_access.open()
        return self._inner

    def _replay(self, cassette: Cassette, request: ChatRequest) -> Reply | None:
        """Return the recorded answer, or raise the recorded failure; return None if there is neither."""
        turn = cassette.find(request)
        if turn is None and _fell_back(cassette, request):
            raise AttemptFailedError(AttemptProblem.STATUS, _NO_TOOLS, status=_BAD_REQUEST)
        if turn is not None and turn.reply is None:
            self._replay_timeout(turn, cassette, request)
        if turn is None or turn.reply is None:
            return None
        for change, reason in turn.rejected.items():
            if change not in self._changes.find(request):
                raise AttemptFailedError(AttemptProblem.STATUS, reason, status=_BAD_REQUEST)
        self._changes.take(request)
        self._clock.advance(turn.model_time_s)
        return turn.reply.reply

    def _replay_timeout(self, turn: Turn, cassette: Cassette, request: ChatRequest) -> None:
        """Exceed the episode's time limit if that cancelled the recorded request; do nothing if the run's end did."""
        if _is_timeout(turn, cassette, request):
            self._clock.advance((request.case.timeout_s or 0.0) - cassette.time_before(turn.turn) + _AFTER_S)
            _fail(explain_missing(request, cassette))

    async def _record(self, inner: InnerEndpoint, request: ChatRequest) -> Reply:
        started = self._clock.now()
        if request.turn == 1:
            self._recorded[request.case] = set()
        try:
            answer = await inner.attempt(request)
        except asyncio.CancelledError:
            if request.case.timeout_s is not None:
                with suppress(OSError, AttemptFailedError):
                    self._save(request, None, started)
            raise
        reply = _as_replayed(answer.with_texts(self._redact))
        try:
            self._save(request, reply, started)
        except OSError as error:
            path = str(cassette_path(request.case))
            _fail(f"the model answered, but the answer cannot be recorded in {path!r} ({error.strerror})")
        return reply

    def _save(self, request: ChatRequest, reply: Reply | None, started: float) -> None:
        """Add a turn to what is on disk now: other requests of the case may have been answered meanwhile."""
        rejected, recorded = self._changes.take(request), self._recorded.setdefault(request.case, set())
        took_s, cassette = self._clock.now() - started, self._load(request)
        after = cassette.add(request, reply, took_s, self._redact, rejected=rejected, keep=recorded)
        recorded.add(request.turn)
        self._folder.save(request.case, after)


def _describe(change: str | None) -> str | None:
    """Return a change in words; the first version of cassettes has only the name of a parameter."""
    return f"without {change}" if change and " " not in change else change


def _as_replayed(reply: Reply) -> Reply:
    """Return the reply as a replay will read it from the file, so that both continue with the same reply."""
    stored = msgspec.json.decode(encode(reply), type=Reply)
    return msgspec.structs.replace(reply, **{name: getattr(stored, name) for name in Reply.__struct_fields__})


def _fell_back(cassette: Cassette, request: ChatRequest) -> bool:
    """Return whether the endpoint rejected native tools, so that the text protocol was recorded."""
    is_open = request.case.tool_protocol is ToolProtocol.AUTO and bool(request.tools)
    return is_open and bool(cassette.turns) and not cassette.tools()


def _is_timeout(turn: Turn, cassette: Cassette, request: ChatRequest) -> bool:
    limit_s = request.case.timeout_s
    return limit_s is not None and cassette.time_before(turn.turn) + turn.model_time_s >= _TIMEOUT_SHARE * limit_s


def _is_recorded(cassette: Cassette, request: ChatRequest) -> bool:
    """Return whether the cassette has an answer, or a failure to replay."""
    turn = cassette.find(request)
    if turn is None:
        return _fell_back(cassette, request)
    return turn.reply is not None or _is_timeout(turn, cassette, request)


def _fail(detail: str) -> NoReturn:
    raise AttemptFailedError(AttemptProblem.UNRECORDED, detail)
