"""Replacements for workers of hosts that are lost: they start on another host, since xdist would try the same."""

from __future__ import annotations

import shlex
import socket
import subprocess
from contextlib import suppress

from execnet import Group, XSpec
from xdist.workermanage import WorkerController

_ANSWER_WITHIN_S = 5
_LOCAL = "execmodel=main_thread_only//popen"


class LostHosts:
    """Remembers which hosts did not answer."""

    def __init__(self) -> None:
        self._lost: set[str] = set()

    def move_replacement(self, node: WorkerController) -> str | None:
        """Let a crashed worker's replacement start elsewhere if its host is lost; return what is done, or None.

        It starts on another host that starts workers by SSH or a proxy, else on the controller's own. A socket server
        serves one worker, so another one would wait there for its end.
        """
        spec = node.gateway.spec
        host = _host_of(spec)
        group = node.nodemanager.group
        if host is None or (host not in self._lost and _answers(spec, group)):
            return None
        self._lost.add(host)
        node.gateway.spec = self._find_other(group)
        place = _host_of(node.gateway.spec) or "this host"
        return f"the host of {node.gateway.id} is lost ({host}); {place} runs what it has left"

    def _find_other(self, group: Group) -> XSpec:
        for gateway in group:
            spec = gateway.spec
            can_start = (spec.ssh or spec.vagrant_ssh or spec.via) and gateway.hasreceiver()
            if can_start and _host_of(spec) not in self._lost:
                other = XSpec(str(spec))
                other.chdir = spec.chdir  # xdist's default is not in the text
                return other
        return XSpec(_LOCAL)


def _host_of(spec: XSpec) -> str | None:
    """Name a worker's host, None for the controller's."""
    named = ((key, getattr(spec, key)) for key in ("via", "ssh", "vagrant_ssh", "socket"))
    return next((f"{key}={value}" for key, value in named if value), None)


def _answers(spec: XSpec, group: Group) -> bool:
    """Return whether a new worker can probably be started at the same place."""
    if spec.via:
        return bool(group[spec.via].hasreceiver())
    if spec.socket:
        address, _, port = spec.socket.rpartition(":")
        with suppress(OSError), socket.create_connection((address, int(port)), timeout=_ANSWER_WITHIN_S):
            return True
        return False
    if spec.ssh:
        config = ["-F", spec.ssh_config] if spec.ssh_config else []
        options = ["-o", "BatchMode=yes", "-o", f"ConnectTimeout={_ANSWER_WITHIN_S}"]
        return _succeeds(["ssh", *config, *options, *shlex.split(spec.ssh), "true"])
    return _succeeds(["vagrant", "ssh", spec.vagrant_ssh or "", "-c", "true"])


def _succeeds(command: list[str]) -> bool:
    with suppress(OSError, subprocess.TimeoutExpired):
        ended = subprocess.run(command, capture_output=True, timeout=2 * _ANSWER_WITHIN_S, check=False)  # noqa: S603 - as xdist does
        return ended.returncode == 0
    return False
