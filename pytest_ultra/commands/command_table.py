"""The commands of `pytest-ultra`: each has a module here of its name, which is imported when the command is given."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

COMMANDS: Mapping[str, str] = MappingProxyType(
    {
        "runs": "list the runs that are kept",
        "show": "show a run, or a case: what happened to it, or what the model is shown",
        "baseline": "write a run's outcomes to a small file, to be compared with later",
        "compare": "compare a run with an earlier one, or with a baseline file",
        "export": "write the episodes of a run as JSON lines, CSV or Parquet",
        "merge": "make one run of those of several jobs",
        "report": "write the HTML report of a run",
        "plot": "draw the charts of a run, for papers",
        "rescore": "score the stored transcripts of a run again",
        "store": "look at the store of all runs, fill it, or make it anew",
    }
)
"""What each is for. `pytest_ultra.commands.NAME` has a function `add_NAME`, which takes argparse's subparsers."""
