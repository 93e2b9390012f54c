"""Whether a worker shares the controller's disk and host, found out by a token in the run's directory."""

from __future__ import annotations

import platform
import secrets
from contextlib import suppress
from pathlib import Path

from pytest_ultra.storage.run_directory import RunDirectory

_TOKEN_BYTES = 16
_SHARED_MEMORY = Path("/dev/shm")  # noqa: S108 - only its device is read
_HOST_FILES = ("/proc/sys/kernel/random/boot_id", "/proc/self/ns/net")


def write_token(run: RunDirectory) -> str:
    """Write a new token to the run's directory and return it, with the name of this host."""
    token = f"{host_name()} {secrets.token_hex(_TOKEN_BYTES)}"
    _token_path(run.path).write_text(token, encoding="utf-8")
    return token


def is_shared(run_folder: Path, token: str) -> bool:
    """Return whether this process has the token's host, and reads the token in the run's directory.

    A folder that several hosts share does not count: locks, mapped files and loopback addresses are a host's own.
    """
    if not token.startswith(f"{host_name()} "):
        return False
    with suppress(OSError, UnicodeDecodeError):
        return _token_path(run_folder).read_text(encoding="utf-8") == token
    return False


def host_name() -> str:
    """Return a name of this host, without spaces; a container with a network or memory of its own is another host."""
    names = [platform.node() or "-"]
    for path in map(Path, _HOST_FILES):
        with suppress(OSError):
            names.append(str(path.readlink()) if path.is_symlink() else path.read_text(encoding="ascii").strip())
    with suppress(OSError):
        names.append(str(_SHARED_MEMORY.stat().st_dev))
    return "/".join(names)


def _token_path(run_folder: Path) -> Path:
    return run_folder / "host"
