"""The process of the embedded endpoint starts once, and ends with its parent, however the parent ends."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

import pytest

from pytest_ultra.controller.demo.process import start_demo
from pytest_ultra.core.transcript import Reply
from pytest_ultra.providers.endpoint_lookup import resolve
from pytest_ultra.providers.http_endpoint import open_endpoint
from tests.providers.requests_made import make_request

PARENT = """
import os, subprocess, sys, time
from pytest_ultra.controller.demo.process import start_demo
demo = start_demo()
demo.wait_until_ready()
children = {children}
print(demo.pid, *children, flush=True)
time.sleep(60)
"""
CHILDREN = {
    "none": "[]",
    "a process started afterwards": "[subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)']).pid]",
    "a fork that keeps the pipe open": "[os.fork() or time.sleep(60)]",
}


def is_running(pid: int) -> bool:
    """Return whether the process runs; a zombie does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


def ends_within(pid: int, seconds: float) -> bool:
    deadline = time.monotonic() + seconds
    while is_running(pid):
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True


def test_a_reference_agent_answers_from_its_own_process_until_it_is_stopped() -> None:
    async def ask(url: str) -> Reply:
        specs = {"demo/null": resolve("demo/null", base_url=None, environ={})}
        endpoint = open_endpoint(specs, environ={}, demo_url=url)
        try:
            return await endpoint.attempt(make_request("demo/null"))
        finally:
            await endpoint.aclose()

    with start_demo() as demo:
        assert asyncio.run(ask(demo.url)).text == "Done."
        assert is_running(demo.pid)
    assert not is_running(demo.pid)
    demo.stop()


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="looks at processes in /proc")
@pytest.mark.parametrize("children", CHILDREN)
def test_it_ends_when_its_parent_is_killed(children: str) -> None:
    script = PARENT.format(children=CHILDREN[children])
    with subprocess.Popen(  # noqa: S603 - our own script
        [sys.executable, "-c", script], stdout=subprocess.PIPE, text=True
    ) as parent:
        assert parent.stdout is not None
        demo, *others = map(int, parent.stdout.readline().split())
        try:
            assert is_running(demo)
            parent.kill()
            parent.wait()
            assert ends_within(demo, 3)
            assert all(is_running(other) for other in others)
        finally:
            for pid in (demo, *others):
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)


def test_ctrl_c_reaches_only_the_parent() -> None:
    script = PARENT.format(children="[]").replace("time.sleep(60)", "sys.stdin.readline()")
    with subprocess.Popen(  # noqa: S603 - our own script
        [sys.executable, "-c", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, start_new_session=True
    ) as parent:
        assert parent.stdout is not None
        demo = int(parent.stdout.readline())
        assert os.getsid(demo) != os.getsid(parent.pid)
        parent.communicate("\n")
    assert ends_within(demo, 3)


def test_a_server_that_cannot_start_is_reported_with_its_output(tmp_path: Path) -> None:
    script = "from pytest_ultra.controller.demo.process import start_demo; start_demo().wait_until_ready()"
    (tmp_path / "sitecustomize.py").write_text("import sys\nif '-m' in sys.orig_argv: sys.exit('no luck today')\n")
    environ = os.environ | {"PYTHONPATH": str(tmp_path)}
    done = subprocess.run(  # noqa: S603 - our own script
        [sys.executable, "-c", script], env=environ, capture_output=True, text=True, check=False, timeout=30
    )
    assert "UltraError: The embedded demo endpoint did not start (exit code 1).\n" in done.stderr
    assert done.stderr.endswith("no luck today\n")


def test_it_imports_nothing_heavy() -> None:
    script = (
        "import sys, pytest_ultra.controller.demo.__main__; "
        "print([name for name in ('pytest', '_pytest', 'jsonschema_rs', 'pytest_ultra.benchmark.generator')"
        " if name in sys.modules])"
    )
    done = subprocess.run(  # noqa: S603 - our own script
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    assert done.stdout == "[]\n"
