"""Hosts that share nothing but a Redis generate each task once, whichever host needs it and whichever is killed."""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
import time
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from pytest_ultra.benchmark.benchmark_suite import BENCHMARK
from pytest_ultra.core.axes import FLAWED_PROMPT_TYPES, PromptType
from pytest_ultra.core.case import Case
from pytest_ultra.core.guidance import AnyGuidance
from pytest_ultra.engine.redis_connection import JointStore, connect
from pytest_ultra.storage.guidance_cache import GuidanceCache
from pytest_ultra.worker.redis_guidance import RedisGuidance
from tests.redis_server import RedisServer
from tests.results_factory import make_case, make_guidance

CASES = [make_case(prompt_type, instance=n) for n in range(3) for prompt_type in PromptType]
WORKFLOWS = 24
"""So many calls of the generator these cases need."""

FILL = """
import sys, time
from pathlib import Path
from tests.results_factory import make_guidance
from tests.worker.test_redis_guidance import CASES, Host

folder, url, host, mode = Path(sys.argv[1]), *sys.argv[2:]
calls = []

def generate(case, **known):
    with (folder / "generated.log").open("a") as file:
        file.write(f"{host} {case.case_id}\\n")
    calls.append(case)
    if mode == "hang" and len(calls) == 2 and not (folder / "hanging").exists():
        (folder / "hanging").write_text(host)
        time.sleep(60)  # until killed
    time.sleep(0.01)
    return make_guidance(case, **known)

(folder / f"{host}.ready").touch()
while len(list(folder.glob("*.ready"))) < 2:
    time.sleep(0.001)
cache = Host(folder / host, url, lease_s=1.0).cache
cache.fill(CASES, generate)
assert all(cache.get(case) == make_guidance(case) for case in CASES)
"""


class Host:
    """A cache in a folder of its own, and what is generated for it. Hosts of one test have the same scope."""

    def __init__(self, folder: Path, url: str, *, scope: str = "", lease_s: float = 5.0) -> None:
        self.generated: list[Case] = []
        self.known: list[bool] = []
        self.notes: list[str] = []
        self.shared = RedisGuidance(
            JointStore(url, folder.name, self.notes.append), scope or folder.parent.name, lease_s=lease_s
        )
        self.cache = GuidanceCache(folder / "guidance", BENCHMARK.task_type, shared=self.shared)

    def fill(self, cases: list[Case]) -> None:
        self.cache.fill(cases, self._generate)
        assert [self.cache.get(case) for case in cases] == [make_guidance(case) for case in cases]

    def _generate(self, case: Case, **known: Any) -> AnyGuidance:
        self.generated.append(case)
        self.known.append(all(known.values()))
        return make_guidance(case, **known)


@pytest.fixture(scope="module")
def redis() -> Iterator[RedisServer]:
    with RedisServer() as server:
        yield server


def start_hosts(folder: Path, url: str, mode: str = "") -> dict[str, subprocess.Popen[bytes]]:
    """Start a process on each of two hosts; with `hang`, the first to generate a second workflow never finishes it."""
    commands = {host: [sys.executable, "-c", FILL, str(folder), url, host, mode] for host in "ab"}
    root = Path(__file__).parents[2]
    return {host: subprocess.Popen(command, cwd=root) for host, command in commands.items()}  # noqa: S603 - our own


def generated(folder: Path) -> list[tuple[str, str]]:
    """Return the hosts and the cases for which they have called the generator."""
    lines = map(str.split, (folder / "generated.log").read_text().splitlines())
    return [(host, case_id) for host, case_id in lines]


def test_two_hosts_that_start_together_generate_everything_once(tmp_path: Path, redis: RedisServer) -> None:
    hosts = start_hosts(tmp_path, redis.url)
    assert [process.wait(30) for process in hosts.values()] == [0, 0]
    cases = [case_id for _, case_id in generated(tmp_path)]
    assert len(cases) == len(set(cases)) == WORKFLOWS


def test_if_the_lock_holder_is_killed_the_other_host_does_its_task(tmp_path: Path, redis: RedisServer) -> None:
    hosts = start_hosts(tmp_path, redis.url, "hang")
    hanging = tmp_path / "hanging"
    deadline = time.monotonic() + 20
    while not (hanging.exists() and hanging.read_text()) and time.monotonic() < deadline:
        time.sleep(0.005)
    holder = hanging.read_text()
    hosts[holder].kill()
    codes = {host: process.wait(30) for host, process in hosts.items()}
    assert codes == {host: -signal.SIGKILL if host == holder else 0 for host in hosts}
    by_other = [case_id for host, case_id in generated(tmp_path) if host != holder]
    assert len(by_other) == len(set(by_other)) == WORKFLOWS


def test_a_host_generates_only_what_the_other_has_not(tmp_path: Path, redis: RedisServer) -> None:
    first, second, third = (Host(tmp_path / name, redis.url) for name in "abc")
    cases = [make_case(PromptType.COT), make_case(FLAWED_PROMPT_TYPES[0])]
    first.fill(cases)
    second.fill([*cases, make_case(FLAWED_PROMPT_TYPES[1]), make_case(instance=1)])
    assert second.generated == [make_case(FLAWED_PROMPT_TYPES[1]), make_case(instance=1)]
    assert second.known == [True, False], "the task and its optimal workflow are those of the first host"
    third.fill([*cases, make_case(FLAWED_PROMPT_TYPES[1])])
    assert third.generated == []


def test_others_than_those_of_the_same_scope_share_nothing(tmp_path: Path, redis: RedisServer) -> None:
    hosts = [Host(tmp_path / name, redis.url, scope=f"{tmp_path.name}-{name}") for name in "ab"]
    for host in hosts:
        host.fill(CASES)
    assert [len(host.generated) for host in hosts] == [WORKFLOWS] * 2


def test_a_lock_is_renewed_while_its_holder_is_at_work(tmp_path: Path, redis: RedisServer) -> None:
    holder, other = (Host(tmp_path / name, redis.url, lease_s=0.3) for name in "ab")
    order = []

    def wait() -> None:
        with other.shared.hold("task"):
            order.append("other")

    waiting = threading.Thread(target=wait)
    with holder.shared.hold("task"):
        waiting.start()
        time.sleep(1.0)  # several leases
        order.append("holder")
    waiting.join(10)
    assert order == ["holder", "other"]


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("{address}-0123.json", b"not compressed"),
        ("{address}-0123.json", zlib.compress(b'{"task": 1}')),
        ("../{address}-0123.json", zlib.compress(b"{}")),
        ("0123-0123.json", zlib.compress(b"{}")),
    ],
)
def test_what_is_damaged_in_redis_is_generated(tmp_path: Path, redis: RedisServer, name: str, content: bytes) -> None:
    host, checked = (Host(tmp_path / folder, redis.url, scope=f"{tmp_path.name}-{folder}") for folder in "ab")
    host.fill(CASES[:1])
    (path,) = (tmp_path / "a" / "guidance").glob("*.json")
    address = path.name.partition("-")[0]
    with connect(redis.url) as client:
        client.hset(f"pytest-ultra:guidance:{tmp_path.name}-b:{address}", name.format(address=address), content)
    checked.fill(CASES[:1])
    assert len(checked.generated) == 1
    assert [path.name for path in (tmp_path / "b").rglob("*.json")] == [path.name]


def test_a_file_that_would_fill_the_memory_is_not_taken(tmp_path: Path, redis: RedisServer) -> None:
    host = Host(tmp_path / "a", redis.url)
    host.shared.share("0123", "small", b"small")
    host.shared.share("0123", "large", bytes(65 * 1024 * 1024))
    with host.shared.hold("0123") as files:
        assert files == {"small": b"small"}


def test_without_redis_each_host_generates_for_itself_and_says_so_once(tmp_path: Path) -> None:
    with RedisServer() as server:
        hosts = [Host(tmp_path / name, server.url) for name in "ab"]
        with hosts[1].shared.hold("task"):
            server.stop()  # while a lock is held
        for host in hosts:
            host.fill(CASES)
    assert [len(host.generated) for host in hosts] == [WORKFLOWS] * 2
    for host in hosts:
        assert [note.partition(": ")[2] for note in host.notes] == [
            "until it does, each host generates its tasks for itself"
        ]
