"""A low limit on open files limits the concurrency, and costs no case."""

from __future__ import annotations

import shlex
import subprocess
import sys

from tests.run.project import Project

FIT = """
import resource, sys
from pytest_ultra.worker.concurrency import fit_concurrency
resource.setrlimit(resource.RLIMIT_NOFILE, (int(sys.argv[1]), int(sys.argv[2])))
print(fit_concurrency(256, demo_clients=int(sys.argv[3])), resource.getrlimit(resource.RLIMIT_NOFILE)[0])
"""


def fit(soft: int, hard: int, demo_clients: int = 0) -> tuple[int, int, str]:
    """Return the concurrency that fits, the soft limit afterwards, and the warnings."""
    command = [sys.executable, "-c", FIT, str(soft), str(hard), str(demo_clients)]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60)  # noqa: S603 - our own program
    fitting, limit = map(int, done.stdout.split())
    return fitting, limit, done.stderr


def test_the_soft_limit_is_raised_as_far_as_needed() -> None:
    fitting, limit, warned = fit(128, 1024)
    assert fitting == 256
    assert 256 < limit < 400
    assert not warned


def test_a_hard_limit_reduces_the_concurrency_with_a_warning() -> None:
    fitting, limit, warned = fit(128, 200)
    assert 100 < fitting < 160
    assert limit == 200
    assert (
        f"ultra: {fitting} episodes run at a time instead of 256, because a process may open only 200 files" in warned
    )


def test_a_single_episode_is_written_in_the_singular() -> None:
    fitting, _, warned = fit(45, 45)
    assert fitting == 1
    assert "ultra: 1 episode runs at a time instead of 256" in warned


def test_the_workers_of_a_run_share_its_embedded_endpoints_limit() -> None:
    assert fit(256, 256, demo_clients=3)[0] <= 256 // 3
    assert fit(256, 1024, demo_clients=3)[0] == 256


def test_150_cases_with_128_files_run_without_an_error(project: Project) -> None:
    """In one process, since two workers have half of the cases each: without the fit, that is not too many."""
    options = ["--ultra-model=demo/perfect?latency=0.2", "--ultra-task-type=simple_task", "--ultra-instances=15"]
    command = [sys.executable, "-m", "pytest", "--ultra-json=out.json", "-n0", *options]
    script = f"ulimit -n 128; exec {shlex.join(command)}"
    done = subprocess.run(["bash", "-c", script], cwd=project.path, capture_output=True, text=True, check=False)  # noqa: S603, S607
    assert project.outcomes() == {"full": 150}, done.stdout[-3000:]
    assert "episodes run at a time instead of 256" in done.stdout
