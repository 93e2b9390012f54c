"""Debian's sshd on a free port of loopback, with keys of its own: a host on which the project's folder is not there."""

from __future__ import annotations

import getpass
import os
import shlex
import shutil
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

MISSING = "sshd is missing: apt-get install openssh-server"
_COMMANDS = "/usr/sbin:/usr/local/sbin:/usr/bin"
_RUNTIME_FOLDER = Path("/run/sshd")
"""A server that runs as root needs it, and the system's start-up makes it."""
_CONFIG = """
ListenAddress 127.0.0.1
Port {port}
HostKey {folder}/host_key
AuthorizedKeysFile {folder}/user_key.pub
StrictModes no
UsePAM no
PidFile none
ForceCommand cd {home} && PYTHONPATH={path} TMPDIR={home}/tmp HOME={home} exec sh -c "$SSH_ORIGINAL_COMMAND"
"""
_SITE = """
from pathlib import Path
from tests.run.host_server import hide
hide(Path({hidden!r}))
"""


class SshServer:
    """`folder` gets the keys and, as `home`, the folder in which commands start; they find no file in `hidden`."""

    def __init__(self, folder: Path, hidden: Path) -> None:
        sshd = shutil.which("sshd", path=_COMMANDS)
        if sshd is None or shutil.which("ssh") is None:
            pytest.skip(MISSING)
        self.home = folder / "home"
        (self.home / "tmp").mkdir(parents=True)
        (folder / "sitecustomize.py").write_text(_SITE.format(hidden=str(hidden)))
        with socket.create_server(("127.0.0.1", 0)) as listener:
            self.port = int(listener.getsockname()[1])
        self._folder = folder
        self._make_keys()
        path = os.pathsep.join(map(shlex.quote, [str(folder), *filter(None, sys.path)]))
        config = _CONFIG.format(port=self.port, folder=folder, home=self.home, path=path)
        (folder / "sshd_config").write_text(config)
        if os.geteuid() == 0:
            _RUNTIME_FOLDER.mkdir(exist_ok=True)
        with (folder / "sshd.log").open("wb") as log:
            command = [sshd, "-D", "-e", "-f", str(folder / "sshd_config")]
            self._process = subprocess.Popen(command, stderr=log)  # noqa: S603 - a server for tests
        self._wait()

    @property
    def address(self) -> str:
        """What a user would give `ssh`."""
        known = f"-o UserKnownHostsFile={self._folder}/known_hosts -o BatchMode=yes"
        return f"-p {self.port} -i {self._folder}/user_key {known} {getpass.getuser()}@127.0.0.1"

    def close(self) -> None:
        self._process.kill()
        self._process.wait()

    def _make_keys(self) -> None:
        for name in ("host_key", "user_key"):
            command = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(self._folder / name)]
            subprocess.run(command, check=True)  # noqa: S603 - our own
        public = (self._folder / "host_key.pub").read_text()
        (self._folder / "known_hosts").write_text(f"[127.0.0.1]:{self.port} {public}")

    def _wait(self) -> None:
        end = time.monotonic() + 10
        while b"Server listening" not in (self._folder / "sshd.log").read_bytes():
            log = (self._folder / "sshd.log").read_text()
            assert time.monotonic() < end, f"sshd does not start: {log}"
            assert self._process.poll() is None, f"sshd has ended: {log}"
            time.sleep(0.02)
