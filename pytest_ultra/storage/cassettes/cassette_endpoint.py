"""An endpoint that answers from cassettes, and records what they lack."""

from __future__ import annotations

import asyncio
import itertools
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

_CUT_SHARE = 0.95
"""The model's share of an episode's time limit above which it was that limit that cut it; tools took the rest."""


_AFTER_S = 0.001  # past the limit for certain, whatever floating-point numbers make of a sum
_BAD_REQUEST = 400
_NO_TOOLS = "when this was recorded, the endpoint rejected native tools"


class Inner(Protocol):
    """What is asked when there is no answer yet."""

    async def attempt(self, request: ChatRequest) -> Reply: ...

    async def aclose(self) -> None: ...


class Stopwatch(Protocol):
    """The engine's clock: `advance` makes the episode at hand that much longer."""

    def now(self) -> float: ...

    def advance(self, seconds: float) -> None: ...


class Asking(Protocol):
    """The way to the models: `check` raises ConfigurationError for one that cannot be asked."""

    def check(self, model: str) -> None: ...

    def open(self) -> Inner: ...


class Rejections:
    """What an endpoint said when it failed a turn, for the parameters that this turn is then asked without."""

    def __init__(self) -> None:
        self._said: dict[tuple[Case, int], list[tuple[tuple[str, ...], str]]] = {}

    def note(self, request: ChatRequest, said: str) -> None:
        self._said.setdefault((request.case, request.turn), []).append((request.omitted, said))

    def take(self, request: ChatRequest) -> dict[str, str]:
        """Return the parameters that were left out of this turn only after an attempt with them had failed."""
        failed = self._said.pop((request.case, request.turn), [])
        rejected: dict[str, str] = {}
        for (omitted, said), (later, _) in itertools.pairwise([*failed, (request.omitted, "")]):
            rejected |= {name: said for name in later if name not in omitted}
        return rejected


class CassetteEndpoint:
    """Replays what is on the cassettes when `is_replaying`, and asks for the rest by `asking`, if there is one.

    What is asked is recorded as it comes. `redact` blots out secrets, in files and in the reply that is given.
    """

    def __init__(
        self,
        folder: CassetteFolder,
        clock: Stopwatch,
        *,
        is_replaying: bool,
        asking: Asking | None,
        redact: Callable[[str], str] = str,
    ) -> None:
        self._folder = folder
        self._clock = clock
        self._is_replaying = is_replaying
        self._asking = asking
        self._redact = redact
        self._inner: Inner | None = None
        self._rejections = Rejections()

    async def attempt(self, request: ChatRequest) -> Reply:
        """Answer a turn; a request that is neither recorded nor can be asked is a final failure."""
        cassette = self._load(request)
        replayed = self._replay(cassette, request) if self._is_replaying else None
        if replayed is not None:
            await asyncio.sleep(0)  # so that other episodes go on as well
            return replayed
        if self._asking is None:
            _fail(explain_missing(request, cassette))
        return await self._record(self._open(self._asking, request.case.model), cassette, request)

    def is_asked(self, request: ChatRequest) -> bool:
        """Tell whether an attempt would go to the model."""
        if self._asking is None:
            return False
        try:
            cassette = self._load(request)
            self._asking.check(request.case.model)
        except (AttemptFailedError, ConfigurationError):
            return False
        return not (self._is_replaying and _is_kept(cassette, request))

    async def aclose(self) -> None:
        if self._inner is not None:
            await self._inner.aclose()

    def _load(self, request: ChatRequest) -> Cassette:
        try:
            return self._folder.load(request.case) or Cassette.blank(request.case)
        except (ConfigurationError, OSError) as error:
            _fail(str(error))

    def _open(self, asking: Asking, model: str) -> Inner:
        """Open the way to the models when it is first needed: cassettes may hold all there is to ask."""
        try:
            asking.check(model)
        except ConfigurationError as error:
            _fail(f"not on the cassette, and cannot be asked for: {error}")
        if self._inner is None:
            self._inner = asking.open()
        return self._inner

    def _replay(self, cassette: Cassette, request: ChatRequest) -> Reply | None:
        """Return the recorded answer, or fail as it failed; None when there is neither."""
        turn = cassette.find(request)
        if turn is None and _fell_back(cassette, request):
            raise AttemptFailedError(AttemptProblem.STATUS, _NO_TOOLS, status=_BAD_REQUEST)
        if turn is not None and turn.reply is None:
            self._run_out_of_time(turn, cassette, request)
        if turn is None or turn.reply is None:
            return None
        for name, said in turn.rejected.items():
            if name not in request.omitted:
                raise AttemptFailedError(AttemptProblem.STATUS, said, status=_BAD_REQUEST)
        self._clock.advance(turn.model_time_s)
        return turn.reply.reply

    def _run_out_of_time(self, turn: Turn, cassette: Cassette, request: ChatRequest) -> None:
        """Let the episode's time limit run out if that cut the answer off; else the end of a run did, which is over."""
        if _is_out_of_time(turn, cassette, request):
            self._clock.advance((request.case.timeout_s or 0.0) - cassette.time_before(turn.turn) + _AFTER_S)
            _fail(explain_missing(request, cassette))

    async def _record(self, inner: Inner, cassette: Cassette, request: ChatRequest) -> Reply:
        started = self._clock.now()
        try:
            came = await inner.attempt(request)
        except AttemptFailedError as failure:
            self._rejections.note(request, failure.detail)
            raise
        except asyncio.CancelledError:
            if request.case.timeout_s is not None:
                with suppress(OSError):
                    self._save(cassette, request, None, started)
            raise
        reply = _as_replayed(came.with_texts(self._redact))
        try:
            self._save(cassette, request, reply, started)
        except OSError as error:
            _fail(f"the answer came, but cannot be recorded in {str(cassette_path(request.case))!r} ({error.strerror})")
        return reply

    def _save(self, cassette: Cassette, request: ChatRequest, reply: Reply | None, started: float) -> None:
        rejected = self._rejections.take(request)
        after = cassette.add(request, reply, self._clock.now() - started, self._redact, rejected)
        self._folder.save(request.case, after)


def _as_replayed(reply: Reply) -> Reply:
    """Return the reply as its file will give it, so that a replay goes on from the same one."""
    kept = msgspec.json.decode(encode(reply), type=Reply)
    return msgspec.structs.replace(reply, **{name: getattr(kept, name) for name in Reply.__struct_fields__})


def _fell_back(cassette: Cassette, request: ChatRequest) -> bool:
    """Tell whether the endpoint rejected native tools here, so that the text protocol was recorded."""
    is_open = request.case.tool_protocol is ToolProtocol.AUTO and bool(request.tools)
    return is_open and bool(cassette.turns) and not cassette.tools()


def _is_out_of_time(turn: Turn, cassette: Cassette, request: ChatRequest) -> bool:
    limit_s = request.case.timeout_s
    return limit_s is not None and cassette.time_before(turn.turn) + turn.model_time_s >= _CUT_SHARE * limit_s


def _is_kept(cassette: Cassette, request: ChatRequest) -> bool:
    """Tell whether there is an answer, or a failure to go through again."""
    turn = cassette.find(request)
    if turn is None:
        return _fell_back(cassette, request)
    return turn.reply is not None or _is_out_of_time(turn, cassette, request)


def _fail(detail: str) -> NoReturn:
    raise AttemptFailedError(AttemptProblem.UNRECORDED, detail)
