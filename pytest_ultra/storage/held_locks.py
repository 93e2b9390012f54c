"""Looks whether a process holds a file's lock, without holding it: looks do not hide it from each other."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path


def is_held(path: Path) -> bool:
    """Return whether a process holds the `FileLock` of this file. Raises OSError, for a link too."""
    file = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK)
    try:
        fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)  # any number of these, but none beside the holder's
    except BlockingIOError:
        return True
    finally:
        os.close(file)
    return False
