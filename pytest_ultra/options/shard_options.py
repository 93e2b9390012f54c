"""The options that divide a run among the jobs of a CI matrix."""

from __future__ import annotations

from pytest_ultra.options.option import Option

SHARDS = (
    Option(
        "shard",
        None,
        "I/N",
        "Run shard I of N, as one of N jobs: all cases of a task are in one shard; `pytest-ultra merge` joins the runs",
    ),
    Option(
        "durations",
        None,
        "PATH",
        "Balance the shards by the durations in this file, from `pytest-ultra durations`; it must be the same in all "
        "jobs; a path in the ini file is relative to the rootdir",
    ),
)
