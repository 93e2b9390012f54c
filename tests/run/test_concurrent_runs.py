"""Two concurrent runs together respect the rate limit of the endpoint that they share."""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Callable

import pytest

from tests.run.project import Project, RunningCommand, wait_until
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
