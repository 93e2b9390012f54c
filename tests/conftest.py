"""Signals as tests expect them, wherever they are started from."""

from __future__ import annotations

import signal

if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    # Started in the background by a shell, which lets Ctrl-C pass by; some tests send it to themselves or to a child.
    signal.signal(signal.SIGINT, signal.default_int_handler)
