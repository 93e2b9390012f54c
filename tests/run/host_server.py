"""Another host, as far as one machine can be it: execnet's socket server, for which the project's folder is not there.

`python host_server.py HIDDEN` prints its port. Whatever runs in it cannot open, list, make or remove a file in HIDDEN.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

from execnet.gateway_base import get_execmodel
from execnet.script import socketserver

_EVENTS = frozenset(
    {"open", "os.listdir", "os.scandir", "os.mkdir", "os.rename", "os.remove", "os.rmdir", "os.link", "os.symlink"}
)


def hide(folder: Path) -> None:
    """Let this process find no file in the folder."""
    hidden = f"{folder.resolve()}{os.sep}"

    def refuse(event: str, args: tuple[Any, ...]) -> None:
        if event in _EVENTS:
            for path in args[:2]:
                if isinstance(path, str | bytes | os.PathLike) and os.path.realpath(os.fsdecode(path)).startswith(
                    hidden
                ):
                    raise FileNotFoundError(2, "not on this host", os.fsdecode(path))

    sys.addaudithook(refuse)


if __name__ == "__main__":
    hide(Path(sys.argv[1]))
    socketserver.execmodel = get_execmodel("thread")  # its own main block would set it
    listener = socketserver.bind_and_listen("127.0.0.1:0", socketserver.execmodel)
    print(f"\n{listener.getsockname()[1]}", file=sys.stderr, flush=True)  # noqa: T201 - the parent reads it
    socketserver.startserver(listener, loop=True)
