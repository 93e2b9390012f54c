"""The commands of `pytest-ultra`: each has a module here of its name, which is imported when the command is given."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

COMMANDS: Mapping[str, str] = MappingProxyType(
    {
        "rescore": "score the stored transcripts of a run again",
    }
)
"""What each is for. `pytest_ultra.commands.NAME` has a function `add_NAME`, which takes argparse's subparsers."""
