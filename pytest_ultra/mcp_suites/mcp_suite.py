"""Makes a suite of a document: its tools are those of MCP servers, and its references are steps in TOML."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from functools import partial
from pathlib import Path

import mcp.types
import msgspec

from pytest_ultra.core.json_types import Json
from pytest_ultra.custom.episode_world import World
from pytest_ultra.custom.suite_definition import Suite, TaskDefinition
from pytest_ultra.custom.suite_tool import SchemaTool
from pytest_ultra.custom.tool_run import Stage
from pytest_ultra.errors import ConfigurationError
from pytest_ultra.mcp_suites.episode_files import digest_files
from pytest_ultra.mcp_suites.mcp_world import McpWorld, WorldStates
from pytest_ultra.mcp_suites.step_reference import fill_in, make_reference
from pytest_ultra.mcp_suites.suite_document import SuiteDocument, ToolTable, calls_of
from pytest_ultra.mcp_suites.suite_servers import EventLoopThread, SuiteServers

_MOST_PROCESSES = 8
"""How many sets of servers run at once in a process, each with a state of its own."""
_MOST_RESET = 2
"""The same where a reset is quick."""
_EPISODES = 4
"""How many episodes run at once in a process: each of them may need servers with a state of its own."""
_URL = ("http://", "https://")


class McpSuite(Suite):
    """A suite of a document. `close` stops its servers.

    Raises ConfigurationError, with the file and the line, for what cannot be a suite.
    """

    def __init__(self, document: SuiteDocument, base: Path) -> None:
        table = document.table
        if table.files is not None and not (base / table.files).is_dir():
            place = document.find_line(("files",))
            raise ConfigurationError(f"{place}: files: there is no folder {table.files!r} beside the file")
        self._thread = EventLoopThread()
        start = partial(SuiteServers, document, base, self._thread)
        try:
            first = start()
        except BaseException:
            self._thread.stop()
            raise
        ready = [first]
        self._states = WorldStates(
            lambda: ready.pop() if ready else start(), most=_most_running(document), can_reset=table.reset != "process"
        )
        try:
            tools = _make_tools(document, first.tools)
            self._has_url = _has_url(document)
            if self._has_url:
                _check_url(document, tools)
            content = _identify(document, base)
            tasks = [_make_task(document, number, tools, content) for number in range(len(table.tasks))]
            super().__init__(table.name, World, tools, tasks=tasks, version=table.version, system=table.system)
        except BaseException:
            first.close()
            self._thread.stop()
            raise

    @property
    def is_shared(self) -> bool:
        return self._has_url

    @property
    def episodes_at_once(self) -> int:
        return 1 if self._has_url else _EPISODES

    def open(self) -> Stage:
        return Stage(McpWorld(self._states), self.tools)

    def close(self) -> None:
        self._states.close()
        self._thread.stop()


def _most_running(document: SuiteDocument) -> int:
    if _has_url(document):
        return 1  # it has one state for all clients
    return _MOST_PROCESSES if document.table.reset == "process" else _MOST_RESET


def _has_url(document: SuiteDocument) -> bool:
    return any(target.startswith(_URL) for target in document.table.mcp.values())


def _make_tools(document: SuiteDocument, listed: Mapping[str, mcp.types.Tool]) -> list[SchemaTool]:
    table = document.table
    for number, name in enumerate(table.offer):
        _check_known(document, name, listed, ("offer", number))
    for name in table.tools:
        _check_known(document, name, listed, ("tools", name))
    for key, calls in (("snapshot", table.snapshot), ("reset", table.reset if isinstance(table.reset, list) else [])):
        for number, call in enumerate(calls):
            _check_known(document, call.tool, listed, (key, number, "tool"))
    return [_make_tool(listed[name], table.tools.get(name, ToolTable())) for name in table.offer or listed]


def _make_tool(listed: mcp.types.Tool, table: ToolTable) -> SchemaTool:
    said = None if listed.annotations is None else listed.annotations.read_only_hint
    name = listed.name

    def call(world: McpWorld, arguments: dict[str, Json]) -> Json:
        return world.call(name, arguments)

    try:
        return SchemaTool(
            name,
            call,
            listed.input_schema,
            description=(listed.description or "").strip(),
            output=listed.output_schema,
            transient=table.transient,
            weight=table.weight,
            read_only=said if table.read_only is None else table.read_only,
        )
    except (TypeError, ValueError) as error:
        raise ConfigurationError(f"{error}; leave it out, with offer = [...]") from None


def _check_url(document: SuiteDocument, tools: Iterable[SchemaTool]) -> None:
    """Refuse a server that runs already and whose state nothing resets, if a tool may change that."""
    changing = [tool.name for tool in tools if not tool.read_only]
    if document.table.reset != "process" or not changing:
        return
    raise ConfigurationError(
        f"{document.find_line(('mcp',))}: mcp: a server with a URL keeps its state, and {changing[0]} may change it; "
        "give reset = [{ tool = ... }], the calls that bring it back to its beginning, or say of each tool that it is "
        "read_only"
    )


def _make_task(document: SuiteDocument, number: int, tools: Iterable[SchemaTool], content: Json) -> TaskDefinition:
    table, known = document.table.tasks[number], [tool.name for tool in tools]
    for _, keys, call in calls_of(table):
        _check_known(document, call.tool, known, ("tasks", number, *keys, "tool"))
    given = tuple(table.given)
    answers = () if table.steps else tuple(fill_in(table.answer, values) for values in given or ({},))
    return TaskDefinition(
        name=table.name,
        words=table.words,
        reference=make_reference(document, number, table) if table.steps else None,
        check=None,
        given=given,
        difficulty=table.difficulty,
        answers=answers,
        place=document.find_line(("tasks", number)),
        content=[content, msgspec.to_builtins(table)],
    )


def _check_known(document: SuiteDocument, name: str, known: Iterable[str], keys: tuple[str | int, ...]) -> None:
    names = list(known)
    if name not in names:
        close = difflib.get_close_matches(name, names, n=1)
        hint = f"did you mean {close[0]!r}?" if close else f"there is {', '.join(names)}"
        raise ConfigurationError(f"{document.find_line(keys)}: there is no tool {name!r}; {hint}")


def _identify(document: SuiteDocument, base: Path) -> Json:
    """Return what of the servers and their state enters the identity of cases."""
    table = document.table
    calls = [msgspec.to_builtins(each) for each in (table.snapshot, table.reset, table.ignore)]
    return [table.mcp, None if table.files is None else digest_files(base / table.files), *calls]
