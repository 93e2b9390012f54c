"""Fixtures for the project's own tests."""

from __future__ import annotations

import signal

pytest_plugins = ["pytester"]

if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    # Started in the background by a shell, which lets Ctrl-C pass by; some tests send it to themselves or to a child.
    signal.signal(signal.SIGINT, signal.default_int_handler)
