"""A small disk of its own for a trial: a tmpfs whose size can change."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

from fault_machine.trial_plan import KIB

ROOMY_BYTES = 512 * 1024 * KIB
TIGHT_BYTES = 96 * KIB
"""What a run may want to write at once: with less room, writes can fail."""
_MOUNT = "mount -t tmpfs none /dev/shm && mount -i -t tmpfs -o remount,size=50% none /dev/shm"
_MARK = "ULTRA_FAULTS_MOUNTS"


def enter_mount_namespace() -> bool:
    """Start this script again where it can mount disks that vanish with it; return whether it can mount there.

    Root needs a mount namespace, other users one in a user namespace, which some systems forbid. There, the runs also
    have a `/dev/shm` of their own, so that they share limits with no others.
    """
    if _MARK in os.environ:
        return os.environ[_MARK] == "yes"
    for flags in (["-m"], ["-rm"]):
        command = ["unshare", *flags, "sh", "-c", f'{_MOUNT} && exec "$0" "$@"']
        if _succeeds([*command, "true"]):
            os.environ[_MARK] = "yes"
            os.execvp("unshare", [*command, sys.executable, *sys.argv])  # noqa: S606, S607 - a system tool
    return False


class Disk:
    """The disk mounted at `folder`. `tight` are the spans of Unix time in which writes could fail."""

    def __init__(self, folder: Path, *, can_mount: bool) -> None:
        self.folder = folder
        self.tight: list[tuple[float, float]] = []
        self._is_mounted = False
        self._is_squeezed = False
        self._tight_since: float | None = None
        self._restore_at = 0.0
        if can_mount:
            self._is_mounted = _succeeds(["mount", "-t", "tmpfs", "-o", f"size={ROOMY_BYTES}", "none", str(folder)])

    @property
    def can_be_full(self) -> bool:
        return self._is_mounted

    def squeeze(self, free_bytes: int, lasts_s: float) -> bool:
        """Leave so many bytes free for so long; return whether this is possible here."""
        if not self._is_mounted:
            return False
        self._is_squeezed = True
        self._restore_at = time.time() + lasts_s
        stat = os.statvfs(self.folder)
        self._resize((stat.f_blocks - stat.f_bfree) * stat.f_frsize + free_bytes)
        self.poll()
        return True

    def poll(self) -> None:
        """Note whether the disk is tight, and make room when it is time."""
        if not self._is_squeezed:
            return
        now = time.time()
        if self._tight_since is None and _free_bytes(self.folder) < TIGHT_BYTES:
            self._tight_since = now
        if now >= self._restore_at:
            self.restore()

    def restore(self) -> None:
        if self._is_squeezed:
            self._resize(ROOMY_BYTES)
            self._is_squeezed = False
        if self._tight_since is not None:
            self.tight.append((self._tight_since, time.time()))
            self._tight_since = None

    def unmount(self) -> None:
        if self._is_mounted:
            _succeeds(["umount", "-l", str(self.folder)])

    def _resize(self, size: int) -> None:
        # With device and type, `mount` does not repeat options that only the kernel may set in a user namespace.
        if not _succeeds(["mount", "-i", "-t", "tmpfs", "-o", f"remount,size={size}", "none", str(self.folder)]):
            raise OSError(f"cannot give {self.folder} a size of {size} bytes")


def _free_bytes(folder: Path) -> int:
    stat = os.statvfs(folder)
    return stat.f_bavail * stat.f_frsize


def _succeeds(command: list[str]) -> bool:
    try:
        return subprocess.run(command, capture_output=True, check=False).returncode == 0
    except OSError:
        return False
