"""Workers on hosts that share no disk with the controller: their episodes come home, and a lost host loses no case."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from tests.run.project import NO_XDIST, ONE_CASE, TEN_CASES, Project, shown_failures, wait_until
from tests.run.ssh_server import SshServer

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


def test_episodes_of_other_hosts_come_home_whole(
    project: Project, hosts: Hosts, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "60")
    args = ("--ultra-model=demo/follower", TEN_CASES, "--ultra-failures=1")
    result = project.run(*BUILT_IN, *hosts.tx, *args)
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    result.stdout.fnmatch_lines(["transcript:", "  turn 1 *", "deliverables (*"])
    assert 50 < max(map(len, shown_failures(result))) <= 60, "as wide as this terminal"
    assert {episode["worker"] for episode in project.episodes()} == {"gw0", "gw1"}
    assert len(project.journaled_episodes()) == 10
    assert all(episode["transcript"] for episode in project.journaled_episodes())
    assert list(project.runs()[-1].glob("guidance/*.json"))
    assert not hosts.temporary_files()
    there = project.comparable_episodes()
    project.run(*NO_XDIST, "--ultra-fresh", *args)
    assert there == project.comparable_episodes()


def test_a_lost_host_is_replaced_and_each_case_is_scored_once(project: Project, hosts: Hosts) -> None:
    model = ("--ultra-model=demo/perfect?latency=0.1", "--ultra-concurrency=2")
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
    model = ("--ultra-model=demo/perfect?latency=0.2", "--ultra-concurrency=2")
    arguments = (*BUILT_IN, *hosts.tx, TEN_CASES)
    started = project.start(*arguments, *model)
    wait_until(project.journaled_episodes)
    started.interrupt(is_group=False)
    assert started.wait(20) == pytest.ExitCode.INTERRUPTED
    before = project.episode_counts()
    assert 0 < len(before) < 10
    result = project.run(*arguments, "--ultra-model=demo/perfect?latency=0.2")
    result.assert_outcomes(passed=10)
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


def test_real_ssh_starts_workers_that_score_what_one_host_scores(
    project: Project, tmp_path_factory: pytest.TempPathFactory
) -> None:
    server = SshServer(tmp_path_factory.mktemp("ssh"), project.path)
    args = ("--ultra-model=demo/follower", TEN_CASES)
    try:
        started = project.start(*BUILT_IN, f"--tx=2*ssh={server.address}//python={sys.executable}", *args)
        wait_until(lambda: list(server.home.glob("tmp/pytest-ultra-run-*")))
        assert started.wait(60) == pytest.ExitCode.TESTS_FAILED, started.text
    finally:
        server.close()
    assert "8 failed, 2 passed" in started.text
    assert len(project.journaled_episodes()) == 10
    assert {episode["worker"] for episode in project.episodes()} == {"gw0", "gw1"}
    assert not list(server.home.glob("tmp/*"))
    there = project.comparable_episodes()
    project.run(*NO_XDIST, "--ultra-fresh", *args)
    assert there == project.comparable_episodes()


def test_a_host_that_cannot_run_workers_is_refused(
    project: Project, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-of-this-host-alone")
    server = SshServer(tmp_path_factory.mktemp("ssh"), project.path)
    run = partial(project.run_in_own_process, *BUILT_IN, "--ultra-model=gpt-4o-mini", *ONE_CASE)
    here = f"ssh={server.address}//python={sys.executable}"
    wrong = {
        (f"ssh={server.address}//python=/no/python",): "no worker could be started on ssh=-p * (the connection ended *",
        (f"{here} -I -S",): "gw0 could not start (ModuleNotFoundError: No module "
        "named '_pytest'); its host must have a Python with the same versions of *",
        (here, "."): "pytest-xdist cannot pass a path to other hosts unless it has copied it there (arg . not *",
        ("socket=127.0.0.1:1",): "no worker could be started on socket=127.0.0.1:1 (*Connection refused)*",
    }
    try:
        for (place, *paths), message in wrong.items():
            result = run(f"--tx={place}", *paths)
            assert result.ret == pytest.ExitCode.USAGE_ERROR
            result.stderr.fnmatch_lines(f"ERROR: --tx: {message}")
        result = run(f"--tx={here}")
    finally:
        server.close()
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(
        "*gw0 runs on *, which has environment variables of its own: The model 'gpt-4o-mini' needs an API key. Set *"
    )
    assert not project.journaled_episodes()


class UnreachablePort:
    """Lets no other host reach the controller's port of pytest-rerunfailures, as over a network."""

    @pytest.hookimpl(trylast=True)
    def pytest_configure_node(self, node: Any) -> None:
        assert node.workerinput["sock_port"]
        node.workerinput["sock_port"] = 1


def test_reruns_on_other_hosts_are_new_episodes_within_the_limit_of_all(project: Project, hosts: Hosts) -> None:
    cases = ("--ultra-task-type=simple_task", "--ultra-prompt-type=optimal,cot", "--ultra-model=demo/null")
    reruns = ("-p", "rerunfailures", "--reruns=2", "--max-suite-reruns=3")
    arguments = ("--ultra-json=out.json", *BUILT_IN, *hosts.tx, *cases, *reruns)
    result = project.pytester.runpytest_inprocess(*arguments, plugins=[UnreachablePort()])
    assert result.parseoutcomes() == {"failed": 2, "rerun": 3}
    assert sum(project.episode_counts().values()) == 5
    assert {episode["worker"] for episode in project.journaled_episodes()} == {"gw0", "gw1"}


def test_a_project_that_xdist_has_copied_runs_its_own_agent(project: Project, hosts: Hosts) -> None:
    project.pytester.makeini("[pytest]")
    project.pytester.mkpydir("shop").joinpath("agent.py").write_text("def solve(task):\n    return 'NOT DONE'\n")
    tests = project.pytester.mkdir("tests")
    tests.joinpath("test_shop.py").write_text("def test_shop(ultra_episode):\n    assert ultra_episode.transcript\n")
    copied = ("-d", *hosts.tx, "--rsyncdir=.", str(tests), "-W", "ignore::DeprecationWarning")
    result = project.run(*copied, "--ultra-agent=shop.agent:solve", *ONE_CASE)
    result.assert_outcomes(passed=1)
