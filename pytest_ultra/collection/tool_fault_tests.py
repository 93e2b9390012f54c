"""Faults in the user's own tests: settings from options and markers, the record of a test's calls, and its report."""

from __future__ import annotations

import hashlib
import re
import shlex
from collections.abc import Callable, Generator, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from pytest_ultra.core.axes import join_fault_kinds
from pytest_ultra.errors import ConfigurationError
from pytest_ultra.options.option_reading import read_option
from pytest_ultra.real_tools.call_records import VERSION, Header, read_calls, write_calls
from pytest_ultra.real_tools.injected_faults import ToolFaults
from pytest_ultra.real_tools.recording import Recording

if TYPE_CHECKING:  # it needs the extra `mcp`
    from pytest_ultra.real_tools.mcp_proxy import McpProxy

MARKER = "ultra_faults"
_ARGUMENTS = (
    "kinds",
    "seed",
    "success_rate",
    "weights",
    "codes",
    "targets",
    "effect_rate",
    "mutators",
    "error",
)
_SECTION = "faults of tools"
_TMP_PATH = "{tmp_path}"
_MOST_LINES = 40
_MAX_STEM = 80


@contextmanager
def open_faults(request: pytest.FixtureRequest) -> Iterator[ToolFaults]:
    """Give a test its faults; at its end, stop its proxies and keep the record of its calls."""
    test = ToolFaultTest(request)
    request.node.stash[_TEST] = test
    if not request.config.pluginmanager.has_plugin(_SECTION):
        request.config.pluginmanager.register(_FailureSections(), _SECTION)
    try:
        yield test.faults
    finally:
        test.faults.close()
        test.write()
    for missed in test.faults.missed:  # such a test may pass and prove nothing
        request.node.warn(pytest.PytestWarning(f"ultra_faults: {missed}"))
    test.check_replay()


class ToolFaultTest:
    """A test that uses the fixture `ultra_faults`."""

    def __init__(self, request: pytest.FixtureRequest) -> None:
        config = request.config
        self._id = f"{request.node.parent.nodeid}::{request.node.name}"  # xdist adds a group to the item's own
        self._mode: str | None = read_option(config, "cassette")
        self._folder = request.getfixturevalue("tmp_path_factory")
        self._name = _file_name(request.node.name)
        self._cassette = _cassette_path(config, self._id)
        self._written: Path | None = None
        given = _given(request)
        seed = given.pop("seed", None)
        self.seed = f"{read_option(config, 'seed')}|{self._id}" if seed is None else str(seed)
        kinds = given.pop("kinds", None) or join_fault_kinds(read_option(config, "fault_kind")).split("+")
        given.setdefault("success_rate", read_option(config, "tool_success_rate")[0])
        self.faults = ToolFaults(kinds, seed=self.seed, recording=self._load(), **given)

    @property
    def record(self) -> Path:
        """The file of this test's calls."""
        if self._written is None:
            is_recording = self._mode == "record" or (self._mode == "auto" and not self._is_replayed)
            folder = self._cassette.parent if is_recording else None
            name = f"{self._name}-faults"
            self._written = self._cassette if folder else self._folder.mktemp(name) / "calls.jsonl"
        return self._written

    def write(self) -> None:
        """Write the record of calls, if there are any."""
        if self.faults.calls:
            header = Header(VERSION, self._id, self.seed, self.faults.servers)
            write_calls(self.record, header, self.faults.calls)

    def check_replay(self) -> None:
        """Fail the test if `--ultra-cassette=replay` could not serve a call, which an agent may have hidden."""
        recording = self.faults.recording
        if self._mode == "replay" and recording is not None and recording.divergence is not None:
            pytest.fail(
                f"--ultra-cassette=replay: {recording.divergence} ({self._cassette}); record again with "
                "--ultra-cassette=record, or call the real tools from there on with auto",
                pytrace=False,
            )

    def describe(self) -> str:
        """Return the lines of a failed test's report: the calls that met a fault, and where all are."""
        drawn = [call.describe() for call in self.faults.drawn]
        missed = self.faults.missed
        if not self.faults.calls:
            return "\n".join(["no wrapped tool was called", *missed])
        self.write()
        shown = drawn[:_MOST_LINES] + ([f"... and {len(drawn) - _MOST_LINES} more"] if len(drawn) > _MOST_LINES else [])
        count = f"{len(drawn)} of {len(self.faults.calls)} calls met a fault; all calls: {self.record}"
        return "\n".join([*shown, *missed, count, f"to repeat: @pytest.mark.{MARKER}(seed={self.seed!r})"])

    @property
    def _is_replayed(self) -> bool:
        """Whether all calls came from the recording, so that it stays as it is."""
        recording = self.faults.recording
        return recording is not None and recording.divergence is None

    def _load(self) -> Recording | None:
        if self._mode not in ("replay", "auto"):
            return None
        is_strict = self._mode == "replay"
        if not self._cassette.exists():
            return Recording((), is_strict=True) if is_strict else None
        header, calls = read_calls(self._cassette)
        return Recording(calls, is_strict=is_strict, servers=header.servers)


class McpServers(Mapping[str, "McpProxy"]):
    """The servers of `--ultra-mcp` by name, each behind a proxy with the test's faults.

    A command runs in `folder`, and may hold `{tmp_path}`, in whose place comes what `find_tmp_path` returns.
    """

    def __init__(
        self, servers: Mapping[str, str], folder: Path, faults: ToolFaults, find_tmp_path: Callable[[], Path]
    ) -> None:
        self._servers = servers
        self._folder = folder
        self._faults = faults
        self._find_tmp_path = find_tmp_path
        self._proxies: dict[str, McpProxy] = {}

    def __getitem__(self, name: str) -> McpProxy:
        from pytest_ultra.real_tools.mcp_proxy import McpProxy  # noqa: PLC0415 - it needs the extra `mcp`

        if name not in self._servers:
            known = ", ".join(self._servers) or "none"
            raise ConfigurationError(
                f"no MCP server is named {name!r} (known: {known}); add --ultra-mcp {name}='COMMAND or URL'"
            )
        if name not in self._proxies:
            self._proxies[name] = McpProxy(self._target(name), self._faults, name=name, cwd=self._folder)
        return self._proxies[name]

    def _target(self, name: str) -> str:
        target = self._servers[name]
        return target.replace(_TMP_PATH, shlex.quote(str(self._find_tmp_path()))) if _TMP_PATH in target else target

    def __iter__(self) -> Iterator[str]:
        return iter(self._servers)

    def __len__(self) -> int:
        return len(self._servers)


def open_servers(request: pytest.FixtureRequest, faults: ToolFaults) -> McpServers:
    """Return the servers of `--ultra-mcp`. A command runs in the folder where pytest was started, or in the rootdir."""
    config = request.config
    is_given = bool(config.getoption("ultra_mcp"))  # else they are the project's, like the ini file
    folder = config.invocation_params.dir if is_given else config.rootpath
    servers = read_option(config, "mcp") or {}
    return McpServers(servers, folder, faults, lambda: request.getfixturevalue("tmp_path"))


class _FailureSections:
    """Adds the faults to the reports of failed tests."""

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(self, item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        report = yield
        test = item.stash.get(_TEST, None)
        if test is not None and report.failed and report.when == "call":
            report.sections.append((_SECTION, test.describe()))
        return report


_TEST = pytest.StashKey[ToolFaultTest]()


def _given(request: pytest.FixtureRequest) -> dict[str, Any]:
    """Return the arguments of the test's markers, the nearest first; a parameter of the fixture is the seed."""
    given: dict[str, Any] = {}
    for marker in request.node.iter_markers(MARKER):
        names = dict(zip(("kinds",), marker.args, strict=False))
        given = {**names, **marker.kwargs, **given}
    for name in given:
        if name not in _ARGUMENTS:
            raise ConfigurationError(
                f"@pytest.mark.{MARKER} has no argument {name!r}; choose from {', '.join(_ARGUMENTS)}"
            )
    if hasattr(request, "param"):
        given["seed"] = request.param
    return given


def _cassette_path(config: pytest.Config, test: str) -> Path:
    is_given = bool(config.getoption("ultra_cassette_dir"))
    folder = config.invocation_params.dir if is_given else config.rootpath
    file, _, name = test.partition("::")
    path: Path = folder / read_option(config, "cassette_dir") / "tools" / file.removesuffix(".py")
    return path / f"{_file_name(name)}.jsonl"


def _file_name(name: str) -> str:
    """Return a name that any file system takes, which differs where the names differ."""
    plain = re.sub(r"[^\w.-]+", "_", name, flags=re.ASCII)
    if plain == name and len(name) <= _MAX_STEM:
        return name
    return f"{plain[:_MAX_STEM]}-{hashlib.blake2b(name.encode(), digest_size=4).hexdigest()}"
