"""Replacements for workers of hosts that are lost: they start on another host, since xdist would try the same."""

from __future__ import annotations

import threading
from collections.abc import Iterable
from contextlib import suppress

from execnet import Group, XSpec
from xdist.workermanage import WorkerController

_ANSWER_WITHIN_S = 10.0
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
        host = host_of(spec)
        group = node.nodemanager.group
        if host is None or (host not in self._lost and _answers(spec, group)):
            return None
        self._lost.add(host)
        node.gateway.spec = self._find_other(group)
        place = host_of(node.gateway.spec) or "this host"
        return f"the host of {node.gateway.id} ({host}) does not answer; {place} runs what it has left"

    def _find_other(self, group: Group) -> XSpec:
        for gateway in group:
            spec = gateway.spec
            can_start = (spec.ssh or spec.vagrant_ssh or spec.via) and gateway.hasreceiver()
            if can_start and host_of(spec) not in self._lost:
                other = XSpec(str(spec))
                other.chdir, other.env = spec.chdir, spec.env  # the text has not all of them
                return other
        return XSpec(_LOCAL)


def count_hosts(specs: Iterable[XSpec]) -> int:
    """Return how many hosts the workers are on; several socket servers at one address are one host."""
    return len({(host_of(spec) or "").rpartition(":")[0] if spec.socket else host_of(spec) for spec in specs})


def host_of(spec: XSpec) -> str | None:
    """Name a worker's host, None for the controller's."""
    named = ((key, getattr(spec, key)) for key in ("via", "ssh", "vagrant_ssh", "socket"))
    return next((f"{key}={value}" for key, value in named if value), None)


def _answers(spec: XSpec, group: Group) -> bool:
    """Return whether a worker can be started at the same place: a trial says so, an open port does not."""
    if spec.via:
        return bool(group[spec.via].hasreceiver())
    is_started = threading.Event()
    trial = threading.Thread(target=_try_to_start, args=(str(spec), is_started), name="ultra-trial", daemon=True)
    trial.start()
    trial.join(_ANSWER_WITHIN_S)
    return is_started.is_set()


def _try_to_start(spec: str, is_started: threading.Event) -> None:
    with suppress(Exception):  # whatever it is, the worker would have met it too
        gateway = Group().makegateway(spec)
        gateway.exit()
        gateway.join(_ANSWER_WITHIN_S)
        is_started.set()
