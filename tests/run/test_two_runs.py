"""Two runs beside one another ask the same endpoint together no faster than one of them may."""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Callable

import pytest

from tests.run.running import Project, Started, wait_until
from tests.run.scripted import Asked, Script, Scripted, calls, says

Start = Callable[[Script], Scripted]
QPS = 25
LIMIT = (f"--ultra-qps={QPS}", "--tb=no")

pytestmark = pytest.mark.skipif(os.name != "posix", reason="limits are shared on POSIX only")


def three_turns(asked: Asked) -> tuple[int, str]:
    turn = sum(message["role"] == "assistant" for message in asked.body["messages"])
    return 200, says("Done.") if turn == 2 else calls("utility_helper", json.dumps({"topic": f"turn {turn}"}))


def most_within(times: list[float], window_s: float) -> int:
    return max(sum(start <= time < start + window_s for time in times) for start in times)


def test_a_second_run_started_beside_the_first_shares_its_limit(project: Project, scripted: Start) -> None:
    server = scripted(three_turns)

    def start(model: str, *args: str) -> Started:
        outputs = (f"--ultra-dir={model}", f"--ultra-json={model}.json")
        return project.start(f"--ultra-model={model}", f"--ultra-base-url={server.url}", *LIMIT, *outputs, *args)

    first = start("first", "-n2")
    wait_until(lambda: server.asked)
    second = start("second", "-n0", "--ultra-task-type=simple_task,basic_task")
    assert (first.wait(60), second.wait(60)) == (1, 1)

    times = sorted(asked.began for asked in server.asked)
    assert Counter(asked.model for asked in server.asked) == {"first": 150, "second": 60}
    rate = (len(times) - 1) / (times[-1] - times[0])
    assert 0.95 * QPS <= rate <= 1.02 * QPS
    assert most_within(times, 1.0) <= QPS + 3, "a busy machine notes some arrivals late"
    of_second = [asked.began for asked in server.asked if asked.model == "second"]
    together = [asked for asked in server.asked if of_second[0] <= asked.began <= of_second[-1]]
    assert len(together) >= 1.5 * len(of_second), "both are asked for in the meantime"
