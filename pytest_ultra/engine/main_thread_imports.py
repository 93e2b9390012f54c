"""Imports in the main thread that no signal interrupts, so that no other thread has to import.

Two threads that import at the same time can break each other's parser (a fault of CPython 3.11 to 3.13), and an import
that Ctrl-C interrupts can leave its module half made, or importlib's lock taken: a thread that imports then waits
forever.
"""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from importlib import import_module
from types import FrameType

_SIGNALS = [getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)]


def import_all(names: Iterable[str]) -> None:
    """Import the modules; the code that uses one that cannot be imported reports what is wrong with it."""
    for name in names:
        with hold_signals(), suppress(Exception):
            import_module(name)


@contextmanager
def hold_signals() -> Iterator[None]:
    """Call the signal handlers of this program after the block rather than in it. In another thread, do nothing."""
    received: list[tuple[int, FrameType | None]] = []
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    handlers = {number: handler for number in _SIGNALS if callable(handler := signal.getsignal(number))}
    with ExitStack() as replaced:  # restores all handlers, also if one of them is called before or after and raises
        for number, handler in handlers.items():
            replaced.callback(signal.signal, number, handler)
            signal.signal(number, lambda *args: received.append(args))
        yield
    for number, frame in received:
        handlers[signal.Signals(number)](number, frame)
