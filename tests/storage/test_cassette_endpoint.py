"""An endpoint that answers from cassettes: which requests call the model, what is recorded, what is replayed."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Coroutine
from pathlib import Path
from typing import Any

import msgspec
import pytest

from pytest_ultra.core.axes import ToolProtocol
from pytest_ultra.core.chat_request import ChatRequest
from pytest_ultra.core.json_types import Message
from pytest_ultra.core.transcript import Reply, ToolCall
from pytest_ultra.engine.replayed_clock import ReplayedClock
from pytest_ultra.errors import AttemptFailedError, AttemptProblem, ConfigurationError
from pytest_ultra.storage.cassettes.cassette_endpoint import CassetteEndpoint
from pytest_ultra.storage.cassettes.cassette_folder import CassetteFolder, cassette_path
from tests.storage.cassette_requests import CALLING, CASE, DONE, OPENING, after, first

Answer = Callable[[ChatRequest], Awaitable[Reply]]


class Model:
    """A model and the turns that it was called for."""

    def __init__(self, answer: Answer | None = None, trouble: str = "") -> None:
        self.turns: list[int] = []
        self.opened = self.closed = 0
        self._answer = answer or self._play
        self._trouble = trouble

    def check(self, _model: str) -> None:
        if self._trouble:
            raise ConfigurationError(self._trouble)

    def open(self) -> Model:
        self.opened += 1
        return self

    async def attempt(self, request: ChatRequest) -> Reply:
        self.turns.append(request.turn)
        return await self._answer(request)

    def adapt(self, request: ChatRequest, failure: AttemptFailedError) -> str | None:
        del request
        return "without temperature" if "temperature" in failure.detail else None

    async def aclose(self) -> None:
        self.closed += 1

    async def _play(self, request: ChatRequest) -> Reply:
        return CALLING if request.turn == 1 else DONE


def endpoint(root: Path, mode: str, model: Model | None = None, **options: Any) -> CassetteEndpoint:
    clock = ReplayedClock(is_frozen=mode == "replay")
    model_access = None if mode == "replay" else model
    return CassetteEndpoint(
        CassetteFolder(root), clock, is_replaying=mode != "record", model_access=model_access, **options
    )


async def converse(cassettes: CassetteEndpoint, request: ChatRequest | None = None) -> list[Reply]:
    """Send the requests of two turns, and close the endpoint."""
    request = request or first()
    replies = [await cassettes.attempt(request)]
    replies.append(await cassettes.attempt(after(request, replies[0])))
    await cassettes.aclose()
    return replies


def run(work: Coroutine[Any, Any, Any]) -> Any:
    return asyncio.run(work)


def fail(work: Coroutine[Any, Any, Any]) -> AttemptFailedError:
    with pytest.raises(AttemptFailedError) as caught:
        asyncio.run(work)
    return caught.value


def contents(root: Path) -> str:
    return (root / cassette_path(CASE)).read_text()


def test_a_recording_is_replayed_without_calling_the_model(tmp_path: Path) -> None:
    model = Model()
    assert run(converse(endpoint(tmp_path, "record", model))) == [CALLING, DONE]
    assert (model.turns, model.opened, model.closed) == ([1, 2], 1, 1)
    before = contents(tmp_path)
    assert run(converse(endpoint(tmp_path, "replay"))) == [CALLING, DONE]
    assert contents(tmp_path) == before


def test_record_calls_the_model_again_and_replaces_the_recording(tmp_path: Path) -> None:
    run(converse(endpoint(tmp_path, "record", Model())))
    model = Model(lambda _: _reply("Nothing."))
    run(endpoint(tmp_path, "record", model).attempt(first()))
    assert model.turns == [1]
    assert run(endpoint(tmp_path, "replay").attempt(first())).text == "Nothing."
    assert DONE.text.splitlines()[0] not in contents(tmp_path)


async def _reply(text: str) -> Reply:
    return Reply(text)


def test_auto_calls_the_model_only_for_missing_answers(tmp_path: Path) -> None:
    run(endpoint(tmp_path, "record", Model()).attempt(first()))
    model = Model()
    assert run(converse(endpoint(tmp_path, "auto", model))) == [CALLING, DONE]
    assert model.turns == [2]
    unreachable = Model(trouble="it needs an API key")
    assert run(converse(endpoint(tmp_path, "auto", unreachable))) == [CALLING, DONE]
    assert (unreachable.opened, unreachable.closed) == (0, 0)


def test_auto_says_why_a_needed_model_cannot_be_called(tmp_path: Path) -> None:
    error = fail(converse(endpoint(tmp_path, "auto", Model(trouble="The model 'gpt' needs an API key."))))
    assert error.problem is AttemptProblem.UNRECORDED
    assert error.detail == "not on the cassette, and the model cannot be called: The model 'gpt' needs an API key."


def test_a_failed_attempt_is_raised_and_not_recorded(tmp_path: Path) -> None:
    async def refuse(_: ChatRequest) -> Reply:
        raise AttemptFailedError(AttemptProblem.STATUS, "overloaded", status=503)

    assert fail(converse(endpoint(tmp_path, "auto", Model(refuse)))).status == 503
    assert not list(tmp_path.iterdir())


def test_a_request_that_is_not_recorded_fails_with_the_difference(tmp_path: Path) -> None:
    run(converse(endpoint(tmp_path, "record", Model())))
    other = first(messages=(OPENING[0], {"role": "user", "content": "Do something else."}))
    error = fail(converse(endpoint(tmp_path, "replay"), other))
    assert error.problem is AttemptProblem.UNRECORDED
    assert "+Do something else." in error.detail.splitlines()


def test_the_same_request_of_another_repeat_or_case_needs_its_own_answer(tmp_path: Path) -> None:
    run(converse(endpoint(tmp_path, "record", Model())))
    for axes in ({"repeat": 1}, {"instance": 1}):
        error = fail(converse(endpoint(tmp_path, "replay"), first(msgspec.structs.replace(CASE, **axes))))
        assert error.detail.startswith("There is no cassette ")


def test_a_secret_is_redacted_in_the_file_and_the_reply_and_the_replay_works(tmp_path: Path) -> None:
    leak = "sk-very-secret"

    async def leaking(request: ChatRequest) -> Reply:
        call = ToolCall(leak, leak, f'{{"key": "{leak}"}}')
        return Reply(f"{leak}\n{leak}", (call,), finish_reason=leak) if request.turn == 1 else DONE

    def redact(text: str) -> str:
        return text.replace(leak, "***")

    messages = (OPENING[0], {"role": "user", "content": f"Say {leak}.\nNow."})
    request = first(messages=messages)
    recorded = run(converse(endpoint(tmp_path, "record", Model(leaking), redact=redact), request))
    assert leak not in repr(recorded)
    assert leak not in contents(tmp_path)
    assert run(converse(endpoint(tmp_path, "replay"), request)) == recorded


def test_half_a_surrogate_pair_is_returned_as_it_will_be_replayed(tmp_path: Path) -> None:
    recorded = run(endpoint(tmp_path, "record", Model(lambda _: _reply("a\ud83d"))).attempt(first()))
    assert recorded == run(endpoint(tmp_path, "replay").attempt(first()))


def test_extra_fields_of_an_endpoints_reply_are_kept(tmp_path: Path) -> None:
    class Metered(Reply, frozen=True):
        left: float = 1.0

    async def answer(_: ChatRequest) -> Reply:
        return Metered("Done.", left=0.25)

    reply = run(endpoint(tmp_path, "record", Model(answer)).attempt(first()))
    assert isinstance(reply, Metered)
    assert reply.left == 0.25


def test_an_answer_that_cannot_be_recorded_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "gpt").write_text("in the way")
    error = fail(converse(endpoint(tmp_path, "record", Model())))
    assert error.problem is AttemptProblem.UNRECORDED
    assert "Not a directory" in error.detail


def test_a_full_disk_is_an_error_that_names_the_cassette(tmp_path: Path) -> None:
    class FullFolder(CassetteFolder, frozen=True):
        def save(self, *_: object) -> None:
            raise OSError(28, "No space left on device")

    cassettes = CassetteEndpoint(
        FullFolder(tmp_path), ReplayedClock(is_frozen=False), is_replaying=False, model_access=Model()
    )
    detail = (
        f"the model answered, but the answer cannot be recorded in '{cassette_path(CASE)}' (No space left on device)"
    )
    assert fail(converse(cassettes)).detail == detail


def test_an_unreadable_cassette_is_an_error_and_is_not_changed(tmp_path: Path) -> None:
    path = tmp_path / cassette_path(CASE)
    path.parent.mkdir(parents=True)
    path.write_text("<<<<<<< HEAD")
    for mode in ("replay", "record", "auto"):
        assert " cannot be read (" in fail(converse(endpoint(tmp_path, mode, Model()))).detail
    assert path.read_text() == "<<<<<<< HEAD"


def interrupt(root: Path, *, limit_s: float, after_s: float) -> None:
    """Record an attempt that hangs and is cancelled."""

    async def hang(_: ChatRequest) -> Reply:
        await asyncio.Event().wait()
        raise AssertionError

    async def work() -> None:
        case = msgspec.structs.replace(CASE, timeout_s=limit_s)
        async with asyncio.timeout(after_s):
            await endpoint(root, "record", Model(hang)).attempt(first(case))

    with pytest.raises(TimeoutError):
        asyncio.run(work())


def test_a_request_that_the_time_limit_cancelled_times_out_again(tmp_path: Path) -> None:
    interrupt(tmp_path, limit_s=0.05, after_s=0.1)
    clock = ReplayedClock(is_frozen=True)
    cassettes = CassetteEndpoint(CassetteFolder(tmp_path), clock, is_replaying=True, model_access=None)

    async def work() -> float:
        with pytest.raises(AttemptFailedError, match="was interrupted before turn 1 was answered"):
            await cassettes.attempt(first(msgspec.structs.replace(CASE, timeout_s=0.05)))
        return clock.now()

    assert run(work()) == pytest.approx(0.051)


@pytest.mark.parametrize("order", [(1, 2, 3), (3, 2, 1), (2, 3, 1)])
def test_requests_that_are_made_at_once_are_all_recorded_whichever_is_answered_first(
    tmp_path: Path, order: tuple[int, ...]
) -> None:
    """An own agent may ask its model several times at once; an older recording does not outlive the new one."""
    jobs: list[tuple[Message, ...]] = [({"role": "user", "content": f"job {n}"}, *OPENING[:n]) for n in (1, 2, 1)]
    requests = [msgspec.structs.replace(first(messages=job), turn=turn) for turn, job in enumerate(jobs, start=1)]
    answered = {turn: asyncio.Event() for turn in (0, *order)}
    before = dict(zip(order, (0, *order), strict=False))

    async def answer(request: ChatRequest) -> Reply:
        await answered[before[request.turn]].wait()
        return Reply(f"answer {request.turn}")

    async def ask(cassettes: CassetteEndpoint) -> list[str]:
        async def one(request: ChatRequest) -> str:
            reply = await cassettes.attempt(request)
            answered[request.turn].set()
            return reply.text

        answered[0].set()
        return await asyncio.gather(*map(one, requests))

    run(converse(endpoint(tmp_path, "record", Model())))
    expected = ["answer 1", "answer 2", "answer 3"]
    assert run(ask(endpoint(tmp_path, "record", Model(answer)))) == expected
    assert run(ask(endpoint(tmp_path, "replay"))) == expected


def test_a_cassette_that_begins_later_says_so(tmp_path: Path) -> None:
    later = msgspec.structs.replace(first(messages=OPENING[1:]), turn=2)
    run(endpoint(tmp_path, "record", Model()).attempt(later))
    error = fail(endpoint(tmp_path, "replay").attempt(first()))
    assert "begins with turn 2, so turn 1 has no answer" in error.detail


def test_reaches_model_is_true_only_for_requests_that_call_the_model(tmp_path: Path) -> None:
    run(endpoint(tmp_path, "record", Model()).attempt(first()))
    recorded, missing = first(), after(first(), CALLING)
    endpoints = {
        "record": endpoint(tmp_path, "record", Model()),
        "auto": endpoint(tmp_path, "auto", Model()),
        "auto, unreachable": endpoint(tmp_path, "auto", Model(trouble="no key")),
        "replay": endpoint(tmp_path, "replay"),
    }
    reached = {name: (each.reaches_model(recorded), each.reaches_model(missing)) for name, each in endpoints.items()}
    assert reached == {
        "record": (True, True),
        "auto": (False, True),
        "auto, unreachable": (False, False),
        "replay": (False, False),
    }
    (tmp_path / cassette_path(CASE)).write_text("<<<<<<< HEAD")
    assert not endpoints["auto"].reaches_model(missing)


@pytest.mark.parametrize(("limit_s", "reaches_model"), [(0.01, False), (60.0, True)])
def test_a_request_that_the_time_limit_cancelled_is_not_sent_again(
    tmp_path: Path, limit_s: float, *, reaches_model: bool
) -> None:
    interrupt(tmp_path, limit_s=limit_s, after_s=0.05)
    request = first(msgspec.structs.replace(CASE, timeout_s=limit_s))
    assert endpoint(tmp_path, "auto", Model()).reaches_model(request) is reaches_model


@pytest.mark.parametrize("limit_s", [9.0, None])
def test_a_request_that_the_end_of_a_run_cancelled_is_missing_or_sent_again(
    tmp_path: Path, limit_s: float | None
) -> None:
    interrupt(tmp_path, limit_s=9.0, after_s=0.02)
    request = first(msgspec.structs.replace(CASE, timeout_s=limit_s))
    assert "was interrupted before turn 1 was answered" in fail(converse(endpoint(tmp_path, "replay"), request)).detail
    assert run(converse(endpoint(tmp_path, "auto", Model()), request)) == [CALLING, DONE]
    assert run(converse(endpoint(tmp_path, "replay"), request)) == [CALLING, DONE]


def test_native_tools_are_rejected_again_if_the_text_protocol_was_recorded(tmp_path: Path) -> None:
    case = msgspec.structs.replace(CASE, tool_protocol=ToolProtocol.AUTO)
    run(converse(endpoint(tmp_path, "record", Model()), first(case, tools=())))
    error = fail(converse(endpoint(tmp_path, "auto", Model()), first(case)))
    assert (error.problem, error.status) == (AttemptProblem.STATUS, 400)
    assert not endpoint(tmp_path, "auto", Model()).reaches_model(first(case))
    assert error.detail == "when this was recorded, the endpoint rejected native tools"
    assert run(converse(endpoint(tmp_path, "replay"), first(case, tools=()))) == [CALLING, DONE]


def rejecting(rejections: list[str]) -> Answer:
    async def answer(_: ChatRequest) -> Reply:
        if rejections:
            raise AttemptFailedError(AttemptProblem.STATUS, rejections.pop(), status=400)
        return DONE

    return answer


async def attempt_with_changes(cassettes: CassetteEndpoint, request: ChatRequest) -> list[str]:
    """Attempt a request until it is answered; return the changes that its rejections led to."""
    changes: list[str] = []
    while True:
        try:
            await cassettes.attempt(request)
        except AttemptFailedError as failure:
            change = cassettes.adapt(request, failure)
            assert change is not None
            changes.append(change)
        else:
            return changes


def test_a_change_of_the_dialect_is_recorded_and_repeated_once_for_each_episode(tmp_path: Path) -> None:
    model = Model(rejecting(["no temperature"]))
    assert run(attempt_with_changes(endpoint(tmp_path, "record", model), first())) == ["without temperature"]
    cassettes = endpoint(tmp_path, "replay")
    for _ in range(2):
        assert run(attempt_with_changes(cassettes, first())) == ["without temperature"]


def test_a_rejected_parameter_on_a_cassette_of_the_first_version_is_repeated(tmp_path: Path) -> None:
    model = Model(rejecting(["no temperature"]))
    run(attempt_with_changes(endpoint(tmp_path, "record", model), first()))
    path = tmp_path / cassette_path(CASE)
    recorded = json.loads(path.read_text())
    recorded["schema_version"], recorded["turns"][0]["rejected"] = 1, {"temperature": "no temperature"}
    path.write_text(json.dumps(recorded))
    assert run(attempt_with_changes(endpoint(tmp_path, "replay"), first())) == ["without temperature"]
