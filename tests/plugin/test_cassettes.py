"""Runs that record models' answers, and runs that replay them."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.plugin.chat_server import CALLS, ChatServer, chat_server

KEY = "sk-0123456789abcdef"
ONE_CASE = ("--ultra-prompt-type=optimal", "--ultra-task-type=simple_task")
FEW_CASES = ("--ultra-prompt-type=optimal,flawed_missing_step", "--ultra-task-type=simple_task,basic_task")
ALONE = ("-p", "no:xdist")  # the fastest, where the mode does not matter
UNSTABLE = {"worker", "started_at", "started_at_utc"}
"""Fields that may differ between two replays."""

WATCH = """
    import sys

    def watch(event, args):
        is_demo = event == "subprocess.Popen" and "pytest_ultra.controller.demo" in str(args)
        if is_demo or event in ("socket.connect", "socket.bind", "socket.getaddrinfo"):
            with open("outside.txt", "a") as file:
                print(event, args, file=file)

    sys.addaudithook(watch)
"""


@pytest.fixture
def server() -> Iterator[ChatServer]:
    with chat_server() as server:
        yield server


@pytest.fixture(autouse=True)
def no_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)


def episodes(pytester: pytest.Pytester, *args: str, in_own_process: bool = False) -> list[dict[str, Any]]:
    """Run pytest, and return the episodes of the JSON document."""
    run = pytester.runpytest_subprocess if in_own_process else pytester.runpytest
    run(*args, "--ultra-json=out.json", "-p", "no:cacheprovider")
    document = json.loads((pytester.path / "out.json").read_text())
    return list(document["episodes"])


def stable(entries: list[dict[str, Any]]) -> str:
    return json.dumps([{name: entry[name] for name in entry if name not in UNSTABLE} for entry in entries])


def cassettes(pytester: pytest.Pytester) -> dict[str, str]:
    folder = pytester.path / "cassettes"
    return {str(path.relative_to(folder)): path.read_text() for path in folder.rglob("*.json")}


def only_cassette(pytester: pytest.Pytester) -> str:
    (content,) = cassettes(pytester).values()
    return content


def test_a_recording_of_two_workers_is_replayed_in_every_way_with_the_same_bytes_and_without_network(
    pytester: pytest.Pytester,
) -> None:
    model = ("--ultra-model=demo/perfect?error_rate=0.2", *FEW_CASES)
    recorded = episodes(pytester, "-n2", *model, "--ultra-cassette=record")
    kept = cassettes(pytester)
    assert len(kept) == len(recorded) == 4
    pytester.makeconftest(WATCH)
    args = (*model, "--ultra-cassette=replay", "-p", "no:rerunfailures")  # it starts a server for its workers
    replays = [episodes(pytester, *way, *args, in_own_process=True) for way in (("-n2",), ALONE)]
    assert len({stable(replay) for replay in replays}) == 1
    assert replays[0][0]["requests"] == replays[0][0]["turns"], "attempts that failed are not replayed"
    assert sum(entry["requests"] for entry in recorded) > sum(entry["requests"] for entry in replays[0])
    for name in ("case_id", "outcome", "turns", "tool_calls", "prompt_tokens", "completion_tokens"):
        assert [entry[name] for entry in replays[0]] == [entry[name] for entry in recorded]
    assert all(entry["model_time_s"] > 0 for entry in replays[0])
    assert not (pytester.path / "outside.txt").exists()
    assert cassettes(pytester) == kept


def test_a_replay_needs_no_key_and_no_address(
    pytester: pytest.Pytester, server: ChatServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    args = ("--ultra-model=openai/gpt", *ONE_CASE)
    with monkeypatch.context() as patch:
        patch.setenv("OPENAI_API_KEY", KEY)
        (recorded,) = episodes(pytester, *ALONE, *args, "--ultra-cassette=record", f"--ultra-base-url={server.url}")
    (replayed,) = episodes(pytester, "-n2", *args, "--ultra-cassette=replay")
    unroutable = "--ultra-base-url=http://192.0.2.1:9/v1"
    (elsewhere,) = episodes(pytester, *ALONE, *args, "--ultra-cassette=replay", unroutable)
    assert server.requests == dict.fromkeys(range(1, CALLS + 2), 1)
    assert (recorded["outcome"], recorded["turns"]) == (replayed["outcome"], replayed["turns"]) == ("failed", 6)
    assert stable([replayed]) == stable([elsewhere])


def test_a_model_that_takes_no_native_tools_is_replayed_in_the_text_protocol(
    pytester: pytest.Pytester, server: ChatServer
) -> None:
    server.rejects_tools = True
    args = ("--ultra-model=gpt", *ONE_CASE, "--ultra-tool-protocol=auto")
    online = (*args, f"--ultra-base-url={server.url}")
    (recorded,) = episodes(pytester, *ALONE, *online, "--ultra-cassette=record")
    (replayed,) = episodes(pytester, *ALONE, *args, "--ultra-cassette=replay")
    assert server.rejections == 1
    for name in ("outcome", "failure_class", "turns", "tool_calls", "requests"):
        assert recorded[name] == replayed[name], name


def test_a_replay_repeats_the_rejections_of_a_parameter(
    pytester: pytest.Pytester, server: ChatServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    server.rejects_temperature = True
    args = ("--ultra-model=gpt", *FEW_CASES, "--ultra-temperature=0.5")
    online = (*args, f"--ultra-base-url={server.url}", "--ultra-concurrency=2")
    recorded = episodes(pytester, *ALONE, *online, "--ultra-cassette=auto")
    assert server.rejections == 2, "of four episodes, the two that started first"
    kept = cassettes(pytester)
    replays = [episodes(pytester, *way, *args, "--ultra-cassette=replay") for way in (("-n2",), ALONE)]
    assert stable(replays[0]) == stable(replays[1])
    assert [entry["requests"] for entry in replays[0]] == [entry["requests"] for entry in recorded]
    assert sum(entry["requests"] - entry["turns"] for entry in recorded) == server.rejections
    assert cassettes(pytester) == kept
    assert not any(KEY in content for content in kept.values())


@pytest.mark.parametrize("mode", [ALONE, ("-n2",)], ids=["no-xdist", "n2"])
def test_the_key_is_nowhere_although_the_endpoint_repeats_it(
    pytester: pytest.Pytester, server: ChatServer, monkeypatch: pytest.MonkeyPatch, mode: tuple[str, ...]
) -> None:
    server.fail_at = 2
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    args = ("--ultra-model=gpt", *ONE_CASE, f"--ultra-base-url={server.url}", "--ultra-json=out.json")
    results = [
        pytester.runpytest(*mode, *args, "--ultra-cassette=record"),
        pytester.runpytest(*ALONE, *args, "--ultra-cassette=replay"),
    ]
    assert server.requests[2] == 2
    assert "thanks to ***" in only_cassette(pytester)
    for result in results:
        assert KEY not in "\n".join(result.outlines + result.errlines)
    written = [path for path in pytester.path.rglob("*") if path.is_file()]
    assert any(path.name.startswith("journal-") for path in written)
    assert not [path for path in written if KEY.encode() in path.read_bytes()]


@pytest.mark.parametrize(("way", "mode"), [(ALONE, "auto"), (("-n2",), "record")], ids=["no-xdist-auto", "n2-record"])
def test_an_episode_that_was_killed_resumes_at_its_turn(
    pytester: pytest.Pytester, server: ChatServer, way: tuple[str, ...], mode: str
) -> None:
    server.hang_at = 4
    args = (*way, "--ultra-model=gpt", *ONE_CASE, f"--ultra-cassette={mode}", f"--ultra-base-url={server.url}")
    process = subprocess.Popen(  # noqa: S603 - the command under test
        [sys.executable, "-m", "pytest", *args], start_new_session=True, stdout=subprocess.DEVNULL
    )
    assert server.is_hanging.wait(20)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    assert [turn["turn"] for turn in json.loads(only_cassette(pytester))["turns"]] == [1, 2, 3]
    server.hang_at = 0
    server.may_continue.set()
    (episode,) = episodes(pytester, *args)
    assert (episode["outcome"], episode["turns"]) == ("failed", CALLS + 1)
    assert server.requests == {1: 1, 2: 1, 3: 1, 4: 2, 5: 1, 6: 1}, "only the request in flight is sent twice"
    assert [turn["turn"] for turn in json.loads(only_cassette(pytester))["turns"]] == [*range(1, CALLS + 2)]


def test_a_request_without_a_recording_is_an_error_that_shows_the_difference(pytester: pytest.Pytester) -> None:
    args = ("--ultra-model=demo/perfect", *ONE_CASE)
    pytester.runpytest(*ALONE, *args, "--ultra-cassette=record").assert_outcomes(passed=1)
    (path,) = (pytester.path / "cassettes").rglob("*.json")
    changed = json.loads(path.read_text())
    changed["turns"][1]["reply"]["tool_calls"][0]["arguments"] = '{"a": 1}'
    path.write_text(json.dumps(changed))
    result = pytester.runpytest(*ALONE, *args, "--ultra-cassette=replay")
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines("ultra: --ultra-cassette=replay, answers in cassettes")
    result.stdout.fnmatch_lines(
        [
            "endpoint: the endpoint gave no usable answer",
            "reason: Turn 3 is not on the cassette*",
            "  --- recorded, turn 3",
            "  +++ requested, turn 3",
            "  +*there is no argument 'a'.*",
            "requests: 3 made; failed: 1 x unrecorded",
        ]
    )


def test_auto_needs_a_key_only_for_answers_that_are_missing(pytester: pytest.Pytester, server: ChatServer) -> None:
    args = ("--ultra-model=gpt", "--ultra-task-type=simple_task", "--ultra-cassette=auto")
    episodes(pytester, *ALONE, *args, "--ultra-prompt-type=optimal", f"--ultra-base-url={server.url}")
    kept, missing = episodes(pytester, "-n2", *args, "--ultra-prompt-type=optimal,cot")
    assert {kept["outcome"], missing["outcome"]} == {"failed", "error"}
    (error,) = (entry["error"] for entry in (kept, missing) if entry["error"])
    assert error.startswith("not on the cassette, and the model cannot be called: The model 'gpt' needs an API key.")


def test_answers_of_the_users_own_agent_are_recorded_and_replayed_without_it(pytester: pytest.Pytester) -> None:
    pytester.makeconftest(
        """
        from pathlib import Path

        import pytest

        from pytest_ultra.core.transcript import Reply

        class Agent:
            async def attempt(self, request):
                return Reply("I would rather not.")

            async def aclose(self): ...

        def pytest_ultra_endpoint():
            with Path("opened.txt").open("a") as file:
                file.write("once ")
            return Agent()
        """
    )
    args = ("--ultra-model=mine", *ONE_CASE)
    (recorded,) = episodes(pytester, "-n2", *args, "--ultra-cassette=record")
    (replayed,) = episodes(pytester, *ALONE, *args, "--ultra-cassette=replay")
    assert (pytester.path / "opened.txt").read_text() == "once ", "and only to record"
    assert recorded["outcome"] == replayed["outcome"] == "failed"


def test_a_replay_of_nothing_is_a_usage_error(pytester: pytest.Pytester, way: tuple[str, ...]) -> None:
    result = pytester.runpytest(*way, "--ultra-model=gpt", "--ultra-cassette=replay")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    folder = Path(pytester.path / "cassettes")
    result.stderr.fnmatch_lines(
        f"ERROR: --ultra-cassette-dir: there is nothing to replay in '{folder}'; record first with "
        "--ultra-cassette=record, or give the folder of a recording"
    )


def test_a_recording_that_cannot_be_written_is_a_usage_error(pytester: pytest.Pytester, way: tuple[str, ...]) -> None:
    (pytester.path / "file").touch()
    args = ("--ultra-model=demo", "--ultra-cassette=record", "--ultra-cassette-dir=file/x")
    result = pytester.runpytest(*way, *args)
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines("ERROR: --ultra-cassette-dir: '*/file/x' cannot be created: *")
