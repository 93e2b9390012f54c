"""The limit options determine how many requests an endpoint receives."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from pytest_ultra.engine.limits import Limits
from pytest_ultra.options.option_hooks import read_settings
from pytest_ultra.options.requested_limits import endpoint_limits
from pytest_ultra.options.settings import Settings
from pytest_ultra.worker.client_stack import open_run_limiter

ONE_EACH = ("--ultra-prompt-type=optimal", "--ultra-task-type=simple_task,basic_task")


def settings_of(pytester: pytest.Pytester, *args: str) -> tuple[pytest.Config, Settings]:
    config = pytester.parseconfig("-p", "no:xdist", "--ultra-model=demo", *args)
    settings = read_settings(config)
    assert settings is not None
    return config, settings


@pytest.mark.parametrize(
    ("args", "limits"),
    [
        ([], Limits()),
        (["--ultra-rpm=90"], Limits(rpm=90)),
        (["--ultra-qps=2"], Limits(rpm=120)),
        (["--ultra-rpm=90", "--ultra-qps=2"], Limits(rpm=90)),
        (["--ultra-rpm=900", "--ultra-qps=2"], Limits(rpm=120)),
        (["--ultra-tpm=1000", "--ultra-max-in-flight=3"], Limits(tpm=1000, max_in_flight=3)),
        (["--ultra-rate-mode=fixed", "--ultra-max-in-flight=3"], Limits(max_in_flight=3, is_adaptive=False)),
    ],
)
def test_options_become_limits(pytester: pytest.Pytester, args: list[str], limits: Limits) -> None:
    assert endpoint_limits(settings_of(pytester, *args)[1]) == limits


def test_limits_that_cannot_be_shared_cause_a_warning(pytester: pytest.Pytester, tmp_path: Path) -> None:
    warning = r"ultra: limits hold for each worker by itself, not for all together \(.*No such file or directory"
    with pytest.warns(pytest.PytestWarning, match=warning):
        limiter = open_run_limiter(*settings_of(pytester), "http://127.0.0.1:1/v1", tmp_path / "missing")
    limiter.close()


def test_a_run_keeps_its_rate_and_records_waiting_time(pytester: pytest.Pytester, way_on_off: tuple[str, ...]) -> None:
    result = pytester.runpytest(
        *way_on_off, "--ultra-model=demo/perfect", "--ultra-qps=10", "--ultra-json=o.json", *ONE_EACH
    )
    assert result.ret == pytest.ExitCode.OK

    document = json.loads((pytester.path / "o.json").read_text())
    episodes = document["episodes"]
    requests = sum(episode["requests"] for episode in episodes)
    first = min(episode["started_at"] for episode in episodes)
    last = max(episode["started_at"] + episode["duration_s"] for episode in episodes)
    assert requests > 4
    assert last - first >= (requests - 1) / 10 - 0.06
    waiting_s = sum(episode["waiting_time_s"] for episode in episodes)
    assert waiting_s > 0.1


def test_the_users_own_endpoint_is_limited_too(pytester: pytest.Pytester) -> None:
    pytester.makeconftest(
        """
        import time
        from pytest_ultra.core.transcript import Reply

        class Own:
            async def attempt(self, request):
                with open("requests.txt", "a") as file:
                    print(time.monotonic(), file=file)
                return Reply(text="done")

            async def aclose(self):
                pass

        def pytest_ultra_endpoint():
            return Own()
        """
    )
    pytester.runpytest("-p", "no:xdist", "--ultra-model=mine", "--ultra-qps=10", "--ultra-prompt-type=optimal", "-q")
    sent = [float(line) for line in (pytester.path / "requests.txt").read_text().split()]
    assert len(sent) == 5
    assert sent[-1] - sent[0] >= 4 / 10 - 0.06
