"""What other plugins do to tests that would run episodes for nothing: it is refused before any is run."""

from __future__ import annotations

import argparse
import os
import socket

import pytest

from pytest_ultra.options.given_options import is_option_given
from pytest_ultra.options.option_hooks import TESTED

_PROCESS = pytest.StashKey[int]()

_REPEATING_FIXTURES = ("__pytest_repeat_step_number", "__flakefinder_")
"""How the names of the fixtures begin with which pytest-repeat and pytest-flakefinder parametrize a test."""

_IN_OTHER_PROCESS = (
    "a test in a process of its own would run all episodes again; leave that out: nothing of an episode is left in the "
    "process of its test, and -n has several processes"
)
_BLOCKED = (
    "pytest-socket blocks the connections of this test, and so of its episode; name each host that the run uses, such "
    "as --allow-hosts=127.0.0.1,api.openai.com, or add --force-enable-socket"
)
_IN_EACH_WORKER = "each worker would run all episodes again; leave it out, and each case is run by one of the workers"
_REPEATED = "a repeated test would check the same episode again; use --ultra-repeats={0}, which runs {0} of each task"


def refuse_loop(config: pytest.Config) -> None:
    """Raise `pytest.UsageError` for xdist's `-f` if a model is named. Call it before xdist begins its loop."""
    if any(is_option_given(config, key.removeprefix("ultra_")) for key in TESTED):
        raise pytest.UsageError(
            "-f (--looponfail) would run episodes again at each change of a file; leave it out, and run failed cases "
            "again with --ultra-rerun=failed"
        )


def refuse_options(config: pytest.Config) -> None:
    """Raise `pytest.UsageError` for an option of another plugin if the model was typed beside it.

    A model in the ini file may be there for other tests than those that are to run now.
    """
    config.stash[_PROCESS] = os.getpid()
    refused = _find_refused(config.option) if any(map(config.getoption, TESTED)) else None
    if refused is not None:
        raise pytest.UsageError(f"{refused[0]}: {refused[1]}")


def _find_refused(option: argparse.Namespace) -> tuple[str, str] | None:
    """Return an option of pytest-forked, pytest-repeat, pytest-flakefinder or xdist, and why it is refused."""
    if getattr(option, "forked", False):
        return "--forked", _IN_OTHER_PROCESS
    if hasattr(option, "repeat_scope") and option.count > 1:  # the first shows whose `--count` it is
        return f"--count={option.count}", _REPEATED.format(option.count)
    if getattr(option, "flake_finder_enable", False):
        return "--flake-finder", _REPEATED.format(option.flake_runs)
    if getattr(option, "dist", "no") == "each":
        return "--dist=each", _IN_EACH_WORKER
    return None


def refuse_test(request: pytest.FixtureRequest) -> None:
    """Fail a test that cannot have an episode of its own, or that another plugin repeats or runs elsewhere."""
    if not hasattr(request, "param"):
        pytest.fail(
            "ultra_episode: this test has no case, because cases are given to tests when they are collected. Write it "
            "as a function or a method that has the argument ultra_episode; methods of unittest.TestCase, lazy "
            "fixtures and request.getfixturevalue cannot have one",
            pytrace=False,
        )
    if os.getpid() != request.config.stash[_PROCESS]:
        pytest.fail(f"ultra_episode: {_IN_OTHER_PROCESS}", pytrace=False)
    if socket.socket.__module__ == "pytest_socket":
        pytest.fail(f"ultra_episode: {_BLOCKED}", pytrace=False)
    parameters = request.node.callspec.params
    if any(name.startswith(_REPEATING_FIXTURES) for name in parameters):
        pytest.fail(f"ultra_episode: {_REPEATED.format('N')}", pytrace=False)
