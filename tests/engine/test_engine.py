"""The engine runs episodes ahead in its thread, and tests wait for their own."""

from __future__ import annotations

import asyncio
import signal
import threading
import time
import traceback
from collections.abc import Callable, Iterator

import pytest

from pytest_ultra.core.case import Case
from pytest_ultra.core.chat_request import ChatRequest
from pytest_ultra.core.episode import Episode, FailureClass, Outcome
from pytest_ultra.core.guidance import AnyGuidance
from pytest_ultra.core.transcript import Reply
from pytest_ultra.engine.clock import SYSTEM_CLOCK, Clock
from pytest_ultra.engine.episode_queue import EngineFailedError, EngineStoppedError
from pytest_ultra.engine.retry import Caller
from pytest_ultra.engine.runner import Engine
from pytest_ultra.errors import AttemptProblem
from tests.engine.engine_fakes import (
    DONE,
    FakeEndpoint,
    HoldingEndpoint,
    VirtualClock,
    hanging,
    make_assignment,
    make_case,
    make_engine,
    problem,
    scripted,
    status,
    steady,
)
from tests.engine.fake_rules import RULES, Chat, Rules, score

Make = Callable[..., Engine]


@pytest.fixture
def make() -> Iterator[Make]:
    """Make engines that are stopped after the test."""
    engines: list[Engine] = []

    def make_one(
        endpoint: FakeEndpoint,
        *,
        concurrency: int = 100,
        on_episode: Callable[[Episode], None] = lambda _: None,
        rules: Rules = RULES,
        clock: Clock | None = None,
    ) -> Engine:
        engines.append(make_engine(endpoint, concurrency=concurrency, on_episode=on_episode, rules=rules, clock=clock))
        return engines[-1]

    yield make_one
    for engine in engines:
        engine.stop()


def test_a_shard_runs_concurrently_up_to_the_limit_in_the_given_order(make: Make) -> None:
    endpoint = steady()
    clock = VirtualClock()
    engine = make(endpoint, concurrency=4, clock=clock)
    shard = [make_assignment(make_case(instance)) for instance in range(10)]

    engine.start(shard)
    episodes = [engine.wait(assignment) for assignment in shard]

    assert [episode.case.instance for episode in episodes] == list(range(10))
    assert {(episode.outcome, episode.worker) for episode in episodes} == {(Outcome.FULL, "gw7")}
    assert endpoint.most_in_flight == 4
    assert endpoint.instances == list(range(10))
    assert clock.seconds == pytest.approx(3)


def test_a_shard_runs_before_any_test_waits(make: Make) -> None:
    finished = threading.Semaphore(0)
    engine = make(steady(), on_episode=lambda _: finished.release(), concurrency=2)

    engine.start(make_assignment(make_case(instance)) for instance in range(5))

    assert all(finished.acquire(timeout=10) for _ in range(5))


def test_a_case_outside_the_shard_runs_on_demand(make: Make) -> None:
    assignment = make_assignment(make_case(3))

    episode = make(steady()).wait(assignment)

    assert (episode.nodeid, episode.case) == (assignment.nodeid, assignment.case)


def test_an_awaited_case_runs_before_the_others(make: Make) -> None:
    endpoint = HoldingEndpoint(0, 1)
    engine = make(endpoint, concurrency=2, clock=SYSTEM_CLOCK)
    shard = [make_assignment(make_case(instance)) for instance in range(9)]
    engine.start(shard)

    while len(endpoint.instances) < 2:  # both are held; on a busy machine the engine's thread starts late
        time.sleep(0.005)
    threading.Timer(0.2, endpoint.release).start()
    engine.wait(shard[7])
    engine.wait(shard[2])

    assert endpoint.instances[:4] == [0, 1, 7, 2]


def test_with_concurrency_one_nothing_runs_ahead_and_the_tests_set_the_order(make: Make) -> None:
    endpoint = steady()
    engine = make(endpoint, concurrency=1)
    shard = [make_assignment(make_case(instance)) for instance in range(4)]
    engine.start(shard)

    for position in (2, 0, 3):
        engine.wait(shard[position])

    assert endpoint.instances == [2, 0, 3]
    assert endpoint.most_in_flight == 1


def test_a_test_that_asks_again_gets_a_new_episode(make: Make) -> None:
    finished: list[Episode] = []
    endpoint = steady()
    engine = make(endpoint, on_episode=finished.append)
    assignment = make_assignment(make_case())
    engine.start([assignment])

    first, second = engine.wait(assignment), engine.wait(assignment)

    assert first is not second
    assert finished == [first, second]
    assert len(endpoint.requests) == 2


def test_tests_of_one_case_share_its_episode(make: Make) -> None:
    endpoint = steady()
    engine = make(endpoint)
    one, other = make_assignment(make_case(), "test_one"), make_assignment(make_case(), "test_other")
    engine.start([one, other])

    assert engine.wait(one) is engine.wait(other)
    assert len(endpoint.requests) == 1


def test_after_a_rerun_the_other_tests_of_the_case_get_its_newest_episode(make: Make) -> None:
    engine = make(steady())
    one, other = make_assignment(make_case(), "test_one"), make_assignment(make_case(), "test_other")
    engine.wait(one)

    assert engine.wait(one) is engine.wait(other)


def test_an_episode_is_reported_before_its_test_receives_it(make: Make) -> None:
    reported: list[tuple[Episode, str]] = []
    engine = make(steady(), on_episode=lambda episode: reported.append((episode, threading.current_thread().name)))

    episode = engine.wait(make_assignment(make_case()))

    assert reported == [(episode, "ultra-engine")]


def test_stopping_cancels_episodes_in_flight_and_keeps_finished_ones(make: Make) -> None:
    finished: list[Episode] = []
    endpoint = HoldingEndpoint(1, 2)
    engine = make(endpoint, on_episode=finished.append, clock=SYSTEM_CLOCK)
    shard = [make_assignment(make_case(instance)) for instance in range(3)]
    engine.start(shard)
    episode = engine.wait(shard[0])
    started = time.monotonic()

    engine.stop()
    engine.stop()

    assert time.monotonic() - started < 1
    assert endpoint.in_flight == 0
    assert endpoint.is_closed
    assert finished == [episode]
    assert "ultra-engine" not in {thread.name for thread in threading.enumerate()}


def test_a_stopped_engine_raises_for_waiting_tests_and_later_ones(make: Make) -> None:
    engine = make(hanging(), clock=SYSTEM_CLOCK)
    raised: list[BaseException] = []

    def wait() -> None:
        with pytest.raises(EngineStoppedError) as caught:
            engine.wait(make_assignment(make_case(), "t::early"))
        raised.append(caught.value)

    waiter = threading.Thread(target=wait)
    waiter.start()
    time.sleep(0.05)
    engine.stop()
    waiter.join()

    assert str(raised[0]) == "The run was stopped before the episode of t::early was finished."
    with pytest.raises(EngineStoppedError, match="the episode of t::late was"):
        engine.wait(make_assignment(make_case(1), "t::late"))


def test_a_stopped_engine_still_returns_finished_episodes(make: Make) -> None:
    engine = make(steady())
    one, other = make_assignment(make_case(), "test_one"), make_assignment(make_case(), "test_other")
    episode = engine.wait(one)

    engine.stop()

    assert engine.wait(other) is episode


def test_an_engine_that_was_never_used_starts_no_thread_and_opens_no_endpoint() -> None:
    def open_caller() -> Caller:
        pytest.fail("opened")

    engine = Engine(open_caller, lambda _: None, worker="main", concurrency=9, rules=RULES)
    engine.stop()

    with pytest.raises(EngineStoppedError):
        engine.wait(make_assignment(make_case()))


def test_an_engine_can_be_stopped_from_its_own_thread(make: Make) -> None:
    engines: list[Engine] = []
    endpoint = HoldingEndpoint(1)
    engines.append(make(endpoint, on_episode=lambda _: engines[0].stop(), clock=SYSTEM_CLOCK))
    shard = [make_assignment(make_case(instance)) for instance in range(2)]
    engines[0].start(reversed(shard))

    assert engines[0].wait(shard[0]).outcome is Outcome.FULL
    with pytest.raises(EngineStoppedError):
        engines[0].wait(shard[1])


def test_stopping_is_prompt_even_if_an_endpoint_turns_the_cancellation_into_a_failure(make: Make) -> None:
    async def respond(_: ChatRequest) -> Reply:
        try:
            await asyncio.sleep(1e9)
        except asyncio.CancelledError:
            raise problem(AttemptProblem.DROPPED) from None
        return DONE

    endpoint = FakeEndpoint(respond)
    engine = make(endpoint, clock=SYSTEM_CLOCK)
    engine.start([make_assignment(make_case())])
    while not endpoint.in_flight:
        time.sleep(0.002)
    started = time.monotonic()

    engine.stop()

    assert time.monotonic() - started < 1


def test_a_dead_endpoint_makes_all_cases_errors_at_once(make: Make) -> None:
    endpoint = scripted([problem(AttemptProblem.REFUSED)], latency_s=0.001)
    clock = VirtualClock()
    engine = make(endpoint, concurrency=10, clock=clock)
    shard = [make_assignment(make_case(instance)) for instance in range(200)]
    engine.start(shard)

    episodes = [engine.wait(assignment) for assignment in shard]

    assert {episode.score.failure_class for episode in episodes} == {FailureClass.ENDPOINT}
    assert len(endpoint.requests) <= 10
    assert clock.seconds < 2


def test_a_wrong_key_makes_the_models_cases_errors_at_once_and_no_others(make: Make) -> None:
    async def respond(request: ChatRequest) -> Reply:
        await asyncio.sleep(0.01)
        if request.case.model == "locked":
            raise status(401)
        return DONE

    endpoint = FakeEndpoint(respond)
    engine = make(endpoint, concurrency=4)
    shard = [make_assignment(make_case(i, model=model)) for i in range(50) for model in ("locked", "open")]
    engine.start(shard)

    episodes = [engine.wait(assignment) for assignment in shard]

    assert {(episode.case.model, episode.outcome) for episode in episodes} == {
        ("locked", Outcome.ERROR),
        ("open", Outcome.FULL),
    }
    assert sum(request.case.model == "locked" for request in endpoint.requests) <= 4


def test_a_bug_in_one_episode_leaves_the_others_alone(make: Make) -> None:
    def begin(case: Case, guidance: AnyGuidance) -> Chat:
        if case.instance == 1:
            raise LookupError("no such world")
        return Chat(case, guidance)

    engine = make(steady(), rules=Rules(begin, score))
    shard = [make_assignment(make_case(instance)) for instance in range(3)]
    engine.start(shard)

    outcomes = [engine.wait(assignment).outcome for assignment in shard]

    assert outcomes == [Outcome.FULL, Outcome.ERROR, Outcome.FULL]


def test_an_episode_that_cannot_be_saved_stops_the_engine_and_is_not_returned(make: Make) -> None:
    def save(episode: Episode) -> None:
        if episode.case.instance == 1:
            raise OSError(28, "No space left on device")

    endpoint = HoldingEndpoint(2)
    engine = make(endpoint, on_episode=save, clock=SYSTEM_CLOCK)
    shard = [make_assignment(make_case(instance)) for instance in range(3)]
    engine.start(shard)
    engine.wait(shard[0])

    for assignment in shard[1:]:
        with pytest.raises(EngineFailedError, match="No space left on device") as caught:
            engine.wait(assignment)
        assert isinstance(caught.value.cause, OSError)
    assert endpoint.is_closed


def test_waiting_tests_get_the_error_of_an_endpoint_that_cannot_be_opened_each_with_its_own_traceback() -> None:
    def open_caller() -> Caller:
        raise RuntimeError("no CA bundle")

    engine = Engine(open_caller, lambda _: None, worker="main", concurrency=9, rules=RULES)
    lengths: list[int] = []
    for instance in (0, 0, *range(5)):
        with pytest.raises(EngineFailedError, match="no CA bundle") as caught:
            engine.wait(make_assignment(make_case(instance)))
        lengths += [len(caught.traceback), len(traceback.extract_tb(caught.value.cause.__traceback__))]
    engine.stop()

    assert set(lengths[::2]) == {lengths[0]}
    assert set(lengths[1::2]) == {lengths[1]}


def test_waiting_tests_get_the_exception_that_ends_the_thread(make: Make) -> None:
    def die(_: Episode) -> None:
        raise SystemExit("the thread has ended")

    endpoint = steady()
    engine = make(endpoint, on_episode=die)

    for instance in range(2):
        with pytest.raises(EngineFailedError, match="SystemExit: the thread has ended"):
            engine.wait(make_assignment(make_case(instance)))
    engine.stop()
    assert endpoint.is_closed


def test_an_endpoint_that_does_not_close_cleanly_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    class Sticky(FakeEndpoint):
        async def aclose(self) -> None:
            raise ConnectionResetError("peer")

    async def respond(_: ChatRequest) -> Reply:
        return DONE

    engine = make_engine(Sticky(respond))
    engine.wait(make_assignment(make_case()))

    engine.stop()

    assert "The endpoint or its limiter did not close cleanly:" in caplog.text


def test_ctrl_c_interrupts_a_waiting_test_which_can_wait_again(make: Make) -> None:
    endpoint = HoldingEndpoint(0)
    engine = make(endpoint, clock=SYSTEM_CLOCK)
    assignment = make_assignment(make_case())
    main = threading.main_thread().ident
    assert main is not None
    interrupt = threading.Timer(0.1, signal.pthread_kill, [main, signal.SIGINT])

    with pytest.raises(KeyboardInterrupt):  # noqa: PT012 - the interrupt must come inside the block
        interrupt.start()
        engine.wait(assignment)

    endpoint.release()
    assert engine.wait(assignment).outcome is Outcome.FULL
    assert len(endpoint.requests) == 1


def test_the_system_clock_advances() -> None:
    async def measure() -> float:
        started = SYSTEM_CLOCK.now()
        await asyncio.sleep(0.01)
        return SYSTEM_CLOCK.now() - started

    loop = SYSTEM_CLOCK.new_loop()
    slept_s = loop.run_until_complete(measure())
    loop.close()

    assert slept_s >= 0.0099
    assert SYSTEM_CLOCK.time() == pytest.approx(time.time(), abs=5)
