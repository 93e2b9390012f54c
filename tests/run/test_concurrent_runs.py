"""Two concurrent runs together respect the rate limit of the endpoint that they share."""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Callable

import pytest

from tests.run.project import NO_XDIST, ONE_CASE, Project, RunningCommand, wait_until
from tests.run.scripted_server import ReceivedRequest, Script, ScriptedServer, text_reply, tool_call_reply

StartServer = Callable[[Script], ScriptedServer]
QPS = 25
LIMIT = (f"--ultra-qps={QPS}", "--tb=no")

pytestmark = pytest.mark.skipif(os.name != "posix", reason="limits are shared on POSIX only")


def three_turns(request: ReceivedRequest) -> tuple[int, str]:
    turn = sum(message["role"] == "assistant" for message in request.body["messages"])
    return 200, text_reply("Done.") if turn == 2 else tool_call_reply(
        "utility_helper", json.dumps({"topic": f"turn {turn}"})
    )


def max_count_within(times: list[float], window_s: float) -> int:
    return max(sum(start <= time < start + window_s for time in times) for start in times)


def test_a_second_concurrent_run_shares_the_rate_limit(project: Project, start_server: StartServer) -> None:
    server = start_server(three_turns)

    def start(model: str, *args: str) -> RunningCommand:
        outputs = (f"--ultra-dir={model}", f"--ultra-json={model}.json")
        return project.start(f"--ultra-model={model}", f"--ultra-base-url={server.url}", *LIMIT, *outputs, *args)

    first = start("first", "-n2")
    wait_until(lambda: server.requests)
    second = start("second", "-n0", "--ultra-task-type=simple_task,basic_task")
    assert (first.wait(60), second.wait(60)) == (1, 1)

    times = sorted(request.started_at for request in server.requests)
    assert Counter(request.model for request in server.requests) == {"first": 150, "second": 60}
    rate = (len(times) - 1) / (times[-1] - times[0])
    assert 0.95 * QPS <= rate <= 1.02 * QPS
    assert max_count_within(times, 1.0) <= QPS + 3, "a busy machine records some arrivals late"
    of_second = [request.started_at for request in server.requests if request.model == "second"]
    together = [request for request in server.requests if of_second[0] <= request.started_at <= of_second[-1]]
    assert len(together) >= 1.5 * len(of_second), "the first run sends requests in the meantime"


PAUSING_ENDPOINT = """
    from pathlib import Path
    from pytest_ultra.core.transcript import Reply
    from pytest_ultra.errors import AttemptFailedError, AttemptProblem

    class Model:
        async def attempt(self, request):
            with open("requests.txt", "a") as file:
                print(request.case.repeat, file=file)
            if Path("down").exists():
                raise AttemptFailedError(AttemptProblem.STATUS, "Wait.", status=429, retry_after_s=1e10)
            return Reply("Done.")

        async def aclose(self): ...

    def pytest_ultra_endpoint(config, settings):
        return Model()
"""


def test_an_endless_pause_of_one_run_does_not_end_the_next(project: Project) -> None:
    project.pytester.makeconftest(PAUSING_ENDPOINT)
    requests = project.path / "requests.txt"
    (project.path / "down").touch()
    args = (*NO_XDIST, "--ultra-model=m", *ONE_CASE, "--ultra-repeats=5", "--ultra-concurrency=1")

    first = project.run(*args)
    assert first.parseoutcomes() == {"errors": 5}
    assert "Start the" in first.stdout.str()
    assert "run again later: it keeps what is finished" in first.stdout.str()
    assert project.run(*args, "--ultra-fresh").parseoutcomes() == {"errors": 5}
    assert len(requests.read_text().splitlines()) == 2, "one in each run"

    (project.path / "down").unlink()
    assert project.run(*args).parseoutcomes() == {"failed": 5}
    assert len(requests.read_text().splitlines()) == 7
