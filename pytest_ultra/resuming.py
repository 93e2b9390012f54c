"""What a process need not live or ask any more, because it is on disk: of other runs, or of a worker that crashed."""

from __future__ import annotations

from pytest_ultra.benchmark.chat import ChatRequest
from pytest_ultra.benchmark.episode import Episode
from pytest_ultra.benchmark.transcript import Reply
from pytest_ultra.engine.clock import Clock
from pytest_ultra.engine.gate import Permit
from pytest_ultra.engine.given_up import GivenUp
from pytest_ultra.engine.limiter import Limiter
from pytest_ultra.engine.replayed_clock import ReplayedClock
from pytest_ultra.errors import AttemptFailedError
from pytest_ultra.asking import Opener
from pytest_ultra.storage.journal import journal_path
from pytest_ultra.storage.lives import Life, find_lives, newest_lives
from pytest_ultra.storage.reuse import REUSED
from pytest_ultra.storage.runs import RunDirectory
from pytest_ultra.storage.turns import Prefixes, TurnKeeper, read_turns, turns_path


class Finished:
    """The episodes that are on disk when a process begins; each is given once, and then counts as the engine's own."""

    def __init__(self, run: RunDirectory, *, is_heir: bool) -> None:
        """An heir finds also what the crashed worker has finished, errors included."""
        name = "*" if is_heir else REUSED
        self._lives: dict[str, Life] = newest_lives(find_lives(run, journal_path(run, name).name))

    def __contains__(self, case_id: str) -> bool:
        return case_id in self._lives

    def take(self, case_id: str) -> Episode | None:
        life = self._lives.pop(case_id, None)
        return life and life.read()


def keep_turns(
    run: RunDirectory, worker: str, finished: Finished, opener: Opener, limiter: Limiter, *, is_heir: bool
) -> tuple[Opener, Clock, Limiter]:
    """Have each answer kept as it comes, and those that are there given without asking."""
    name = turns_path(run, "*" if is_heir else REUSED).name
    prefixes = Prefixes(read_turns(run, lambda case_id: case_id not in finished, name))
    clock = ReplayedClock(is_frozen=False)

    def open_keeper() -> TurnKeeper:
        return TurnKeeper(turns_path(run, worker), opener(), clock, prefixes)

    return open_keeper, clock, LimiterOfAsking(limiter, prefixes)


class LimiterOfAsking:
    """A limiter that lets those pass who will ask nobody."""

    def __init__(self, limiter: Limiter, prefixes: Prefixes) -> None:
        self._limiter = limiter
        self._prefixes = prefixes

    async def enter(self, request: ChatRequest) -> Permit | GivenUp | None:
        return None if self._prefixes.has(request) else await self._limiter.enter(request)

    def leave(self, permit: Permit | None, result: Reply | AttemptFailedError | None) -> None:
        self._limiter.leave(permit, result)

    async def rest(self, model: str, seconds: float) -> None:
        await self._limiter.rest(model, seconds)

    def dismiss(self, model: str, verdict: GivenUp) -> None:
        self._limiter.dismiss(model, verdict)

    def close(self) -> None:
        self._limiter.close()
