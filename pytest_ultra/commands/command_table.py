"""The commands of `pytest-ultra`. Each has a module of its name, imported when the command is given."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

COMMANDS: Mapping[str, str] = MappingProxyType(
    {
        "init": "write a starter: an agent, a suite, tests, a CI job",
        "check": "call models twice before a run: do they answer, and call tools?",
        "models": "list the providers: is a key set, and what do models cost?",
        "runs": "list the runs",
        "show": "show a run, or one case: what happened, or what the model is shown",
        "baseline": "write a run's outcomes to a small file for later comparisons",
        "compare": "compare a run with an earlier one, or with a baseline file",
        "durations": "write how long the tasks of a run took, to balance shards by",
        "export": "write the episodes of a run as JSON lines, CSV or Parquet",
        "merge": "merge the runs of several jobs into one",
        "report": "write the HTML report of a run, or of two side by side",
        "view": "serve the report of a run, and follow the run while it goes on",
        "plot": "draw the charts of a run, for papers",
        "rescore": "score the stored transcripts of a run again",
        "inject": "damage a plan of any tools, and say what is proved of the flaw",
        "lint": "check a plan of any tools",
        "mcp": "serve the tools of an episode on stdio, for an agent that is a program",
        "store": "show, update or rebuild the store of all runs",
        "completion": "print a script that completes the command line in a shell",
    }
)
"""The purpose of each. `pytest_ultra.commands.NAME` has a function `add_NAME`, which takes argparse's subparsers."""
