"""What other plugins do to tests that would run episodes for nothing: it is refused before any is run."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

import pytest

from pytest_ultra.options.given_options import is_option_given
from pytest_ultra.options.settings import TESTED

_PROCESS = pytest.StashKey[int]()

_REPEATING_FIXTURES = ("__pytest_repeat_step_number", "__flakefinder_")
"""How the names of the fixtures begin with which pytest-repeat and pytest-flakefinder parametrize a test."""

_IN_OTHER_PROCESS = (
    "a test in a process of its own would run all episodes again; leave that out: nothing of an episode is left in the "
    "process of its test, and -n has several processes"
)
_REPEATED = "a repeated test would check the same episode again; use --ultra-repeats={0}, which runs {0} of each task"
_OF_OTHERS: dict[str, tuple[str, object, Callable[[Any], str]]] = {
    "forked": ("--forked", False, lambda _: _IN_OTHER_PROCESS),
    "count": ("--count", 1, _REPEATED.format),
}
"""By the names of options of other plugins: how they are typed, their defaults, and why they are refused."""


def refuse_loop(config: pytest.Config) -> None:
    """Raise `pytest.UsageError` for xdist's `-f` if a model is named. Call it before xdist begins its loop."""
    is_run = any(is_option_given(config, key.removeprefix("ultra_")) for key in TESTED)
    if is_run:
        raise pytest.UsageError(
            "-f (--looponfail) would run episodes again at each change of a file; leave it out, and run failed cases "
            "again with --ultra-rerun=failed"
        )


def refuse_options(config: pytest.Config) -> None:
    """Raise `pytest.UsageError` for an option of another plugin if the model was typed beside it.

    A model in the ini file may be there for other tests than those that are to run now.
    """
    config.stash[_PROCESS] = os.getpid()
    if not any(map(config.getoption, TESTED)):
        return
    for name, (flag, default, why) in _OF_OTHERS.items():
        value = config.getoption(name, default=default)
        if value != default:
            typed = flag if value is True else f"{flag}={value}"
            raise pytest.UsageError(f"{typed}: {why(value)}")
    if config.getoption("flake_finder_enable", default=False):
        raise pytest.UsageError(f"--flake-finder: {_REPEATED.format(config.getoption('flake_runs'))}")


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
    parameters = request.node.callspec.params
    if any(name.startswith(_REPEATING_FIXTURES) for name in parameters):
        pytest.fail(f"ultra_episode: {_REPEATED.format('N')}", pytrace=False)
