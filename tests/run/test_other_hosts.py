"""Workers on hosts that share no disk with the controller: their episodes come home, and a lost host loses no case."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.run.project import TEN_CASES, Project, wait_until

SERVER = Path(__file__).with_name("host_server.py")
BUILT_IN = ("-d", "--pyargs", "pytest_ultra.suite")


class Hosts:
    """Two hosts, each with a folder for temporary files of its own."""

    def __init__(self, folder: Path, hidden: Path) -> None:
        self.folders = [folder / name for name in "ab"]
        self.processes = [self._start(folder, hidden) for folder in self.folders]
        self.ports = [self._read_port(process) for process in self.processes]

    @property
    def tx(self) -> tuple[str, ...]:
        return tuple(f"--tx=socket=127.0.0.1:{port}" for port in self.ports)

    def kill(self, number: int) -> None:
        """End a host at once, its worker included."""
        os.killpg(self.processes[number].pid, signal.SIGKILL)

    def temporary_files(self) -> list[Path]:
        return [path for folder in self.folders for path in (folder / "tmp").iterdir()]

    def close(self) -> None:
        for number, process in enumerate(self.processes):
            if process.poll() is None:
                self.kill(number)
            process.communicate()

    @staticmethod
    def _start(folder: Path, hidden: Path) -> subprocess.Popen[bytes]:
        (folder / "tmp").mkdir(parents=True)
        return subprocess.Popen(  # noqa: S603 - our own script
            [sys.executable, str(SERVER), str(hidden)],
            cwd=folder,
            env=os.environ | {"TMPDIR": str(folder / "tmp"), "HOME": str(folder)},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            start_new_session=True,
        )

    @staticmethod
    def _read_port(process: subprocess.Popen[bytes]) -> int:
        assert process.stderr is not None
        while not (line := process.stderr.readline().strip()).isdigit():
            assert process.poll() is None
        return int(line)


@pytest.fixture
def hosts(project: Project, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hosts]:
    hosts = Hosts(tmp_path_factory.mktemp("hosts"), project.path)
    yield hosts
    hosts.close()


def test_episodes_of_other_hosts_come_home_whole(project: Project, hosts: Hosts) -> None:
    args = ("--ultra-model=demo/follower", TEN_CASES, "--ultra-failures=1")
    result = project.run(*BUILT_IN, *hosts.tx, *args)
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    result.stdout.fnmatch_lines(["transcript:", "  turn 1 *", "deliverables (*"])
    assert {episode["worker"] for episode in project.episodes()} == {"gw0", "gw1"}
    assert len(project.journaled_episodes()) == 10
    assert all(episode["transcript"] for episode in project.journaled_episodes())
    assert list(project.runs()[-1].glob("guidance/*.json"))
    assert not hosts.temporary_files()
    there = project.comparable_episodes()
    project.run("-n2", "--ultra-fresh", *args)
    assert there == project.comparable_episodes()


def test_a_lost_host_is_replaced_and_each_case_is_scored_once(project: Project, hosts: Hosts) -> None:
    model = ("--ultra-model=demo/perfect?latency=0.2", "--ultra-concurrency=2")
    started = project.start(*BUILT_IN, *hosts.tx, *model, "--ultra-task-type=simple_task,basic_task")
    wait_until(lambda: {"gw0", "gw1"} <= {episode["worker"] for episode in project.journaled_episodes()})
    hosts.kill(0)
    assert started.wait(90) == 0
    lost = (
        f"ultra: the host of gw0 (socket=127.0.0.1:{hosts.ports[0]}) does not answer; this host runs what it has left"
    )
    assert lost in started.text
    assert "20 passed" in started.text
    assert dict(project.outcomes()) == {"full": 20}
    assert set(project.episode_counts().values()) == {1}
    assert Counter(episode["worker"] for episode in project.episodes()).keys() == {"gw0", "gw1", "gw2"}


def test_ctrl_c_stops_other_hosts_at_once_and_the_next_run_resumes(project: Project, hosts: Hosts) -> None:
    model = ("--ultra-model=demo/perfect?latency=0.4", "--ultra-concurrency=2")
    arguments = (*BUILT_IN, *hosts.tx, "--ultra-task-type=simple_task,basic_task")
    started = project.start(*arguments, *model)
    wait_until(project.journaled_episodes)
    started.interrupt(is_group=False)
    assert started.wait(20) == pytest.ExitCode.INTERRUPTED
    before = project.episode_counts()
    assert 0 < len(before) < 20
    result = project.run(*arguments, "--ultra-model=demo/perfect?latency=0.4")
    result.assert_outcomes(passed=20)
    reused = {episode["nodeid"] for episode in project.journaled_episodes() if episode["reused"]}
    assert reused == before.keys()
    assert set(project.episode_counts().values()) == {1}
    assert not hosts.temporary_files()


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (
            ("--ultra-max-requests=5",),
            "*workers on other hosts (--tx) share no file with this one, so nothing would hold the budget; add --ult*",
        ),
        (("--ultra-until=10",), "*--ultra-until needs workers that share the run's directory; leave out the workers*"),
        (("--ultra-cassette=record",), "*--ultra-cassette=record: workers on other hosts (--tx) would record*"),
        (
            ("--ultra-redis=localhost",),
            "*--ultra-redis: 'localhost' is not the URL of a Redis; give one with redis://*",
        ),
        (("--ultra-redis=redis://127.0.0.1:1/0",), "*--ultra-redis: Redis at 127.0.0.1:1 does not answer (*"),
    ],
)
def test_what_other_hosts_could_not_keep_to_is_refused(project: Project, args: tuple[str, ...], message: str) -> None:
    result = project.run("-d", "--tx=socket=127.0.0.1:1", "--ultra-model=demo/perfect", TEN_CASES, *args)
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(message)
    assert not project.runs()
