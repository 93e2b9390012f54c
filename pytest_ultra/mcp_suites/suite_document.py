"""The table `[suite]` of a TOML file: tasks over the tools of MCP servers. `suite_schema` is its JSON Schema."""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Iterator
from typing import Annotated, Any, Literal

import msgspec

from pytest_ultra.core.axes import Difficulty
from pytest_ultra.core.json_types import Json
from pytest_ultra.core.workflow import OutputReference, read_reference
from pytest_ultra.custom.suite_tool import DEFAULT_TRANSIENT
from pytest_ultra.errors import ConfigurationError

TMP_PATH = "{tmp_path}"
"""Stands for the folder of an episode in the command of a server, as in those of `--ultra-mcp`."""
SHOWN_FOLDER = "/files"
"""What agents see in place of that folder's path, which differs from episode to episode."""

FindLine = Callable[[tuple[str | int, ...]], str]
"""Returns the file and the line of a place in the table, such as `shop.ultra.toml:7`."""

_Text = Annotated[str, msgspec.Meta(min_length=1)]
_Arguments = Annotated[
    dict[str, Any],
    msgspec.Meta(description="the arguments; '<output of step N: rows[0].id>' stands for a part of an earlier output"),
]


class McpCall(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """A call of a tool."""

    tool: _Text
    arguments: _Arguments = {}


class StepTable(McpCall, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """A step of a reference workflow."""

    fallback: Annotated[
        McpCall | None, msgspec.Meta(description="the call that does the same if the tool of the step is down")
    ] = None


class ToolTable(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What the server does not say of a tool."""

    read_only: Annotated[bool | None, msgspec.Meta(description="whether it changes nothing")] = None
    transient: Annotated[list[_Text], msgspec.Meta(min_length=1, description="the codes of its transient faults")] = (
        msgspec.field(default_factory=lambda: list(DEFAULT_TRANSIENT))
    )
    weight: Annotated[float, msgspec.Meta(gt=0, description="its reliability is (tool success rate)^weight")] = 1.0


class TaskTable(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """A task: the job in words, and the reference workflow or the answer by which its goal is known."""

    name: Annotated[str, msgspec.Meta(pattern=r"^[A-Za-z_][A-Za-z0-9_]*$")]
    words: Annotated[_Text, msgspec.Meta(description="the job; {name} stands for a value of `given`")]
    steps: Annotated[
        list[StepTable], msgspec.Meta(description="the reference workflow; the goal is the state that it leaves")
    ] = []
    answer: Annotated[
        Any,
        msgspec.Meta(
            description="with steps, the step whose output is the answer, or '<output of step N: path>' for a part of "
            "it; without steps, the answer itself"
        ),
    ] = None
    given: Annotated[
        list[dict[str, Any]],
        msgspec.Meta(description="values for the words, the arguments and the answer: a table for each instance"),
    ] = []
    difficulty: Difficulty = Difficulty.EASY


class SuiteTable(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A suite: MCP servers, how their state is reset and compared, and tasks."""

    name: Annotated[str, msgspec.Meta(pattern=r"^[\w.-]+$")]
    mcp: Annotated[
        dict[str, _Text],
        msgspec.Meta(
            min_length=1,
            description="the servers by name: a command, in which {tmp_path} stands for the "
            "folder of the episode, or a URL",
        ),
    ]
    tasks: Annotated[list[TaskTable], msgspec.Meta(min_length=1)]
    version: Annotated[str, msgspec.Meta(description="yours to raise when the servers do something else")] = "1"
    system: Annotated[str, msgspec.Meta(description="words before the system message")] = ""
    files: Annotated[
        str | None, msgspec.Meta(description="a folder, relative to this file, of which each episode gets a copy")
    ] = None
    ignore: Annotated[
        list[_Text], msgspec.Meta(description="patterns of files that are not compared, such as '*.log'")
    ] = []
    snapshot: Annotated[
        list[McpCall], msgspec.Meta(description="calls that change nothing, whose results are compared")
    ] = []
    reset: Annotated[
        Literal["process", "files"] | list[McpCall],
        msgspec.Meta(
            description="how a server begins anew: as a new process; by its files alone, if all its state is in them; "
            "or by these calls"
        ),
    ] = "process"
    offer: Annotated[list[_Text], msgspec.Meta(description="the tools that agents get; without it, all")] = []
    tools: dict[str, ToolTable] = {}


class SuiteDocument(msgspec.Struct, frozen=True):
    """A table, and where its parts stand. `find_line` takes the keys on the way to a part."""

    table: SuiteTable
    find_line: FindLine


def suite_schema() -> dict[str, Any]:
    """Return the JSON Schema of the table, with its definitions under `$defs`."""
    schema: dict[str, Any] = msgspec.json.schema(SuiteTable)
    definitions = schema["$defs"]
    for definition in definitions.values():
        del definition["title"]
    return {**definitions.pop("SuiteTable"), "$defs": definitions}


def read_suite(table: Json, find_line: FindLine) -> SuiteDocument:
    """Return the table as a document. Raises ConfigurationError, which names the file and the line."""
    try:
        found = msgspec.convert(table, SuiteTable)
    except msgspec.ValidationError as error:
        problem, _, place = str(error).partition(" - at `$")
        keys = _read_place(place.rstrip("`"))
        unknown = _UNKNOWN.search(problem)
        where = find_line((*keys, unknown[1]) if unknown else keys)
        named = f"{_name(keys)}: " if keys else ""
        raise ConfigurationError(f"{where}: {named}{_plain(problem)}") from None
    document = SuiteDocument(found, find_line)
    for number, task in enumerate(found.tasks):
        _check_task(document, number, task)
    return document


_PART = re.compile(r"\.([\w-]+)|\[(\d+)\]|\[\.\.\.\]")


def _read_place(text: str) -> tuple[str | int, ...]:
    """Return the keys in the path of an error; it does not name the keys of tables with free ones."""
    keys: list[str | int] = []
    for match in _PART.finditer(text):
        if match[1] is None and match[2] is None:
            break
        keys.append(match[1] if match[1] is not None else int(match[2]))
    return tuple(keys)


def _name(keys: tuple[str | int, ...]) -> str:
    return "".join(f"[{key}]" if isinstance(key, int) else f".{key}" for key in keys).removeprefix(".")


_UNKNOWN = re.compile(r"Object contains unknown field `(.*)`")
_MISSING = re.compile(r"Object missing required field `(.*)`")


def _plain(problem: str) -> str:
    """Return msgspec's words for a problem, with what would be right."""
    if unknown := _UNKNOWN.search(problem):
        tables = (SuiteTable, TaskTable, StepTable, ToolTable)
        close = difflib.get_close_matches(
            unknown[1], {name for table in tables for name in table.__struct_fields__}, n=1
        )
        hint = f"did you mean {close[0]!r}?" if close else "docs/options.schema.json has the keys"
        return f"there is no key {unknown[1]!r}; {hint}"
    if missing := _MISSING.search(problem):
        return f"{missing[1]!r} is missing"
    if "regex" in problem:
        return "a name has letters, digits and `_`; a suite's also `-` and `.`"
    return problem.replace("`str", "`text").replace("array", "list").replace("null", "nothing")


def _check_task(document: SuiteDocument, number: int, task: TaskTable) -> None:
    where = document.find_line
    if not task.steps and task.answer is None:
        raise ConfigurationError(
            f"{where(('tasks', number))}: the task {task.name!r} has no goal; give steps = [...], the reference "
            "workflow, or answer = ..."
        )
    for step, keys, call in calls_of(task):
        for name, value in call.arguments.items():
            if not _is_sound(value, step):
                place = where(("tasks", number, *keys, "arguments", name))
                raise ConfigurationError(
                    f"{place}: {value!r} is no reference to an earlier step; write '<output of step 1>', or '<output "
                    "of step 1: rows[0].id>' for a part of it"
                )
    if task.steps and task.answer is not None:
        _check_answer(task, where(("tasks", number, "answer")))


def calls_of(task: TaskTable) -> Iterator[tuple[int, tuple[str | int, ...], McpCall]]:
    """Yield the calls of a task's steps and of their fallbacks: the step from 1, the keys on the way, and the call."""
    for number, step in enumerate(task.steps):
        yield number + 1, ("steps", number), step
        if step.fallback is not None:
            yield number + 1, ("steps", number, "fallback"), step.fallback


def _is_sound(argument: Json, step: int) -> bool:
    """Return whether an argument of a step is no reference, or one to an earlier step."""
    found = read_reference(argument)
    if found is None:
        return not (isinstance(argument, str) and argument.startswith("<output of step"))
    return 1 <= found.step < step


def read_answer_reference(answer: Json) -> OutputReference | None:
    """Return what the answer of a task with steps stands for; None if it is no reference."""
    is_number = isinstance(answer, int) and not isinstance(answer, bool)
    return OutputReference(answer) if is_number else read_reference(answer)


def _check_answer(task: TaskTable, place: str) -> None:
    found = read_answer_reference(task.answer)
    if found is None or not 1 <= found.step <= len(task.steps):
        raise ConfigurationError(
            f"{place}: {task.answer!r} is no output of the task {task.name!r}; give the number of a step, or '<output "
            "of step 1: path>' for a part of its output; a task without steps has the answer itself"
        )
