"""Collection of the built-in suite: when it is collected, its node ids, and their use on the command line."""

from __future__ import annotations

import gc
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pluggy
import pytest

from pytest_ultra.collection.items import uses_episode

SUITE_ID = "pytest_ultra/suite/test_workflows.py"
SUITE_PATH = Path(__file__).parents[1] / "suite" / "test_workflows.py"
TEST_NAME = "test_workflow"

_PATHS = (SUITE_ID, SUITE_ID.rpartition("/")[0])
_MODULES = ("pytest_ultra.suite", "pytest_ultra.suite.test_workflows")


class SuiteModule(pytest.Module):
    """The suite's module. Its node id does not depend on where it is installed, nor its test's name on ini keys."""

    @property
    def ihook(self) -> pluggy.HookRelay:
        """Return the session's hooks; pytest chooses by path, and would leave out the project's conftest."""
        return self.session.ihook

    def funcnamefilter(self, name: str) -> bool:
        return name == TEST_NAME


class SuiteFunction(pytest.Function):
    """An item of the suite. Pytest creates a plain `Function` and has no option to choose the class."""

    @property
    def ihook(self) -> pluggy.HookRelay:
        return self.session.ihook


class BuiltinSuite:
    """The part of the built-in suite that the command line selects."""

    def __init__(self, config: pytest.Config, case_ids: Collection[str]) -> None:
        """Remove the arguments that name the suite from `config.args`. Raises `pytest.UsageError` for an unknown id."""
        named = {
            arg: name for arg in config.args if (name := _suite_name(arg, pyargs=config.option.pyargs)) is not None
        }
        for arg, name in named.items():
            _check_name(arg, name, case_ids)
        config.args = [arg for arg in config.args if arg not in named]
        self._names = frozenset(named.values())
        self._is_wanted = bool(named) or not (_names_narrow_path(config) or _selects_changed(config))

    def add_to(self, session: pytest.Session, items: list[pytest.Item]) -> None:
        """Append the suite's items, unless other items use the fixture or the command line selects others."""
        if self._names or (self._is_wanted and not any(map(uses_episode, items))):
            items.extend(self._collect(session))

    def _collect(self, session: pytest.Session) -> Sequence[pytest.Item]:
        """Make the items without pytest's own collection, which ignores a path outside rootdir.

        With pytest's collection, `--lf` and others would lose them.
        """
        module = SuiteModule.from_parent(session, path=SUITE_PATH, name=SUITE_ID, nodeid=SUITE_ID)
        with _no_garbage():
            items = [item for item in module.collect() if isinstance(item, pytest.Function) and self._has(item.name)]
        line = items[0].location[1] if items else None  # that of all: to find it takes as long as to make an item
        for item in items:
            item.__class__ = SuiteFunction
            item.location = (SUITE_ID, line, item.name)
            item.ihook.pytest_itemcollected(item=item)
        report = pytest.CollectReport(nodeid=SUITE_ID, outcome="passed", longrepr=None, result=list(items))
        session.ihook.pytest_collectreport(report=report)
        return items

    def _has(self, name: str) -> bool:
        return not self._names or bool(self._names & {name, TEST_NAME, ""})


@contextmanager
def _no_garbage() -> Iterator[None]:
    """Do not search for garbage meanwhile, nor later in what was made: a hundred thousand items stay to the end."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        if was_enabled:
            gc.enable()


def _suite_name(arg: str, *, pyargs: bool) -> str | None:
    """Return the test name in an argument that names the suite (empty for the whole suite), else None."""
    path, _, name = arg.replace("\\", "/").partition("::")
    is_path = any(f"/{path.rstrip('/')}".endswith(f"/{suffix}") for suffix in _PATHS)
    return name if is_path or (pyargs and path in _MODULES) else None


def _check_name(arg: str, name: str, case_ids: Collection[str]) -> None:
    test, bracket, case_id = name.partition("[")
    if test in ("", TEST_NAME) and (not bracket or case_id.removesuffix("]") in case_ids):
        return
    example = next(iter(case_ids))
    raise pytest.UsageError(
        f"not found: {arg}: it is not one of the {len(case_ids)} cases that the --ultra options select, "
        f"such as {SUITE_ID}::{TEST_NAME}[{example}]; add the options that it needs, or see --collect-only"
    )


def _names_narrow_path(config: pytest.Config) -> bool:
    if config.args_source is not pytest.Config.ArgsSource.ARGS:
        return False
    broad = set(_broad_paths(config))
    return any("::" in arg or (config.invocation_params.dir / arg).resolve() not in broad for arg in config.args)


def _selects_changed(config: pytest.Config) -> bool:
    """Whether pytest-testmon or pytest-picked selects the user's changed tests, maybe none of those with episodes."""
    return any(getattr(config.option, name, False) for name in ("testmon", "picked"))


def _broad_paths(config: pytest.Config) -> Iterator[Path]:
    yield config.invocation_params.dir.resolve()
    yield from (config.rootpath.resolve(), *config.rootpath.resolve().parents)
    yield from ((config.rootpath / path).resolve() for path in config.getini("testpaths"))
