"""A controller that can be frozen, and its worker, which reports results until it is stopped.

`python lost_controller.py FOLDER SPEC...` starts the worker by the last spec. It writes its process id and its run's
folder to FOLDER/worker, and makes FOLDER/ended when its session has ended.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import Any

import execnet
from execnet.gateway_base import Channel

WORKER = "from tests.worker.lost_controller import work; work(channel)"


def work(channel: Channel) -> None:
    """Write and report results, as a worker of xdist does, until the run is stopped or nothing can be sent."""
    import os  # noqa: PLC0415 - the worker's

    from pytest_ultra.distribution.controller_connection import ControllerConnection  # noqa: PLC0415
    from pytest_ultra.distribution.placement import Placement  # noqa: PLC0415
    from pytest_ultra.storage.journal import journal_path  # noqa: PLC0415
    from pytest_ultra.storage.run_directory import RunDirectory  # noqa: PLC0415
    from pytest_ultra.storage.stop_signal import is_stop_sent  # noqa: PLC0415
    from pytest_ultra.worker.remote_run import RemoteRun  # noqa: PLC0415

    control, folder = channel.receive()
    remote = RemoteRun(ControllerConnection(control, lost_after_s=1.0), "gw0")
    run = RunDirectory(Path(remote.open(Placement(), []).run_folder))
    Path(folder, "worker").write_text(f"{os.getpid()}\n{run.path}\n")
    try:
        while not is_stop_sent(run):
            with journal_path(run, "gw0").open("ab") as file:
                file.write(b"x" * 100_000)
            remote.pytest_runtest_logreport()
            channel.send("report")
    finally:
        remote.pytest_sessionfinish()
        Path(folder, "ended").touch()


def control(folder: str, *specs: str) -> None:
    group = execnet.Group()
    gateway = [group.makegateway(spec) for spec in specs][-1]
    channel, control = gateway.remote_exec(WORKER), gateway.newchannel()

    def answer(message: tuple[Any, ...]) -> None:
        if message[0] == "open":
            control.send(("opened", time.time()))
        elif message[0] == "alive":
            control.send(message)

    control.setcallback(answer)
    channel.setcallback(id)
    channel.send((control, folder))
    channel.waitclose()


if __name__ == "__main__":
    control(*sys.argv[1:])
