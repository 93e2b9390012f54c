"""The context of a benchmark task for the flaw injectors."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from functools import cached_property
from random import Random

import msgspec

from pytest_ultra.benchmark.canonical import canonical
from pytest_ultra.benchmark.careless_calls import careless_calls
from pytest_ultra.benchmark.decisions import Skill
from pytest_ultra.benchmark.equivalent_calls import equivalent_calls
from pytest_ultra.benchmark.idle_calls import idle_calls
from pytest_ultra.benchmark.likely_names import LikelyNames
from pytest_ultra.benchmark.plan_decoys import options
from pytest_ultra.benchmark.plan_misreadings import decided_steps, find_look_ups, find_misreadings
from pytest_ultra.benchmark.rehearsal import Rehearsal, rehearse
from pytest_ultra.benchmark.task import Task
from pytest_ultra.benchmark.tool_signatures import signatures
from pytest_ultra.benchmark.typical_arguments import Surroundings, fill
from pytest_ultra.benchmark.usual_calls import commonness, tool_commonness
from pytest_ultra.benchmark.usual_order import put_in_usual_order
from pytest_ultra.core.axes import Visibility
from pytest_ultra.core.json_types import Json, Row
from pytest_ultra.core.workflow import Call, Step, Workflow, reference
from pytest_ultra.flaws.plan_context import Decoy, PlanMisreading
from pytest_ultra.flaws.tool_signature import ToolSignature

_SOURCES = ("integration_connector", "network_fetcher", "utility_cache")
"""Tools that take data from places of which only a catalogue says what kind of place it is."""
_NO_ROWS: tuple[Row, ...] = ()


class _Known:
    """What has been found of a workflow: injectors ask for the same again with each candidate."""

    def __init__(self, workflow: Workflow) -> None:
        self.workflow = workflow
        self.decoys: dict[tuple[int, str], Sequence[Decoy]] = {}
        self.idle_steps: dict[int, Sequence[Call]] = {}


class TaskContext:
    """See `flaws.plan_context.PlanContext`."""

    def __init__(self, task: Task) -> None:
        self._task = task
        self._rehearsed: list[tuple[Workflow, Rehearsal]] = []
        self._idle: dict[int, tuple[Sequence[Row], list[Call]]] = {}
        self._known: list[_Known] = []
        self._misread: tuple[Workflow, Sequence[PlanMisreading]] | None = None

    @property
    def tools(self) -> Mapping[str, ToolSignature]:
        return signatures()

    @property
    def seed(self) -> str:
        return f"{'/'.join(map(str, msgspec.structs.astuple(self._task.key)))}/{self._task.draw}"

    @property
    def offered(self) -> Sequence[str]:
        return self._task.tools

    @cached_property
    def idle_look_ups(self) -> Sequence[Call]:
        world, tools = self._task.world, self._task.tools
        used = {str(value) for action in self._task.actions for value in action.call.arguments.values()}
        look_ups = [
            *(Call("file_operations_reader", {"path": path}) for path in world.files),
            *(Call("file_operations_scanner", {"pattern": f"{path.partition('/')[0]}/*"}) for path in world.files),
            *(Call("network_validator", {"url": url}) for url in (*world.resources, *world.sinks)),
            *(Call("integration_connector", {"datastore": name}) for name in world.datastores),
            *(Call("utility_helper", {"topic": topic}) for topic in world.topics),
            *(Call("utility_cache", {"action": "get", "key": key}) for key in world.cache),
        ]
        return [call for call in look_ups if call.tool in tools and not used & set(map(str, call.arguments.values()))]

    @cached_property
    def checks(self) -> Sequence[Call]:
        """Calls that look at what the task is about, and change nothing."""
        tools, calls = self._task.tools, [action.call for action in self._task.actions]
        urls = [str(call.arguments["url"]) for call in calls if "url" in call.arguments]
        paths = [str(call.arguments["path"]) for call in calls if "path" in call.arguments]
        found = [
            *(Call("network_validator", {"url": url}) for url in dict.fromkeys(urls)),
            *(Call("file_operations_scanner", {"pattern": f"{path.partition('/')[0]}/*"}) for path in paths),
        ]
        return [call for call in found if call.tool in tools and call not in calls]

    def look_ups(self, workflow: Workflow) -> Sequence[Call]:
        return [call for call in find_look_ups(self._task, workflow) if call.tool in self._task.tools]

    def equivalents(self, workflow: Workflow, number: int) -> Sequence[Call]:
        """Return the other actions that reach a step's milestone, if they take no output, and calls of other tools."""
        call = workflow.steps[number - 1].call
        reached = {action.reaches for action in self._task.actions if action.call == call}
        others = [action.call for action in self._task.actions if action.reaches in reached]
        found = [other for other in others if other != call and not other.references]
        equal = equivalent_calls(call, list(self._input_rows(workflow, number))) if len(call.references) == 1 else ()
        return [*found, *(other for other in equal if other.tool in self._task.tools)]

    def decoys(self, workflow: Workflow, number: int, argument: str) -> Sequence[Decoy]:
        found = self._known_of(workflow).decoys
        if (number, argument) not in found:
            found[number, argument] = self._find_decoys(workflow, number, argument)
        return found[number, argument]

    def _find_decoys(self, workflow: Workflow, number: int, argument: str) -> Sequence[Decoy]:
        call = workflow.steps[number - 1].call
        found = [
            Decoy(change.value, Visibility.WORLD, "misread")
            for misreading in self.misreadings(workflow)
            for change in misreading.changes
            if (change.step, change.argument) == (number, argument) and len(misreading.changes) == 1
        ]
        known = [decoy.value for decoy in found]
        visibility = self.visibility(workflow, number, argument)
        others = options(self._task, call, argument, self._input_rows(workflow, number))
        return found + [Decoy(other.value, visibility, other.way) for other in others if other.value not in known]

    def misreadings(self, workflow: Workflow) -> Sequence[PlanMisreading]:
        if self._misread is None or self._misread[0] is not workflow:
            found = find_misreadings(self._task, workflow)
            careless = (*self._careless_steps(workflow, found), *self._careless_sources(workflow, found))
            self._misread = (workflow, (*found, *careless))
        return self._misread[1]

    def _careless_steps(self, workflow: Workflow, found: Sequence[PlanMisreading]) -> Iterator[PlanMisreading]:
        """Yield the ways of doing by another tool what looks needless without a look at the world."""
        for misreading in found:
            if (number := misreading.needless) is not None:
                call = workflow.steps[number - 1].call
                for other in careless_calls(call, self._input_rows(workflow, number)):
                    if other.tool in self._task.tools:
                        yield PlanMisreading(misreading.question, dropped=(number,), added=(Step(other),))

    def _careless_sources(self, workflow: Workflow, found: Sequence[PlanMisreading]) -> Iterator[PlanMisreading]:
        """Yield sources of another kind in place of one that has to be looked up, whose kind the words do not say."""
        chance = Random(f"{self.seed}/sources")
        steps = {change.step: misreading.question for misreading in found for change in misreading.changes}
        for number, question in sorted(steps.items()):
            if workflow.steps[number - 1].call.tool in _SOURCES:
                for tool in _SOURCES:
                    if tool != workflow.steps[number - 1].call.tool and tool in self._task.tools:
                        arguments = self.arguments_for(workflow, number, tool, chance)
                        if arguments is not None:
                            yield PlanMisreading(question, dropped=(number,), added=(Step(Call(tool, arguments)),))

    def arguments_for(self, workflow: Workflow, number: int, tool: str, chance: Random) -> dict[str, Json] | None:
        calls = [step.call for step in workflow.steps]
        rows = self._input_rows(workflow, number)
        return fill(tool, Surroundings(calls[number - 1], rows, calls, self._names), chance)

    def idle_steps(self, workflow: Workflow, number: int) -> Sequence[Call]:
        found = self._known_of(workflow).idle_steps
        if number not in found:
            found[number] = self._find_idle_steps(workflow, number)
        return found[number]

    def _find_idle_steps(self, workflow: Workflow, number: int) -> Sequence[Call]:
        if not any(number in step.call.references for step in workflow.steps):
            return []
        known = [step.call for step in workflow.steps]
        table = self._table(workflow, number)
        if id(table) not in self._idle:  # the key stays unique, since the table is kept
            self._idle[id(table)] = (
                table,
                list(idle_calls(table, self._source_rows(workflow, number), reference(number))),
            )
        offered = [call for call in self._idle[id(table)][1] if call.tool in self._task.tools]
        calls = [Call(call.tool, {**call.arguments, "data": reference(number)}) for call in offered]
        return [call for call in calls if not any(call.says_the_same_as(other) for other in known)]

    def _known_of(self, workflow: Workflow) -> _Known:
        """Return what is known of a workflow: the first one's, the optimal workflow's, and the last other one's."""
        for known in self._known:
            if known.workflow is workflow:
                return known
        self._known = [*self._known[:1], _Known(workflow)]
        return self._known[-1]

    @cached_property
    def _names(self) -> LikelyNames:
        return LikelyNames(self._task)

    def in_usual_order(self, workflow: Workflow) -> Workflow:
        return put_in_usual_order(workflow, self.tools)

    def commonness(self, call: Call) -> float:
        return commonness(call)

    def tool_commonness(self, tool: str) -> float:
        return tool_commonness(tool)

    def is_named(self, value: Json) -> bool:
        if isinstance(value, dict):
            return all(self.is_named(part) for pair in value.items() for part in pair)
        if isinstance(value, list):
            return all(map(self.is_named, value))
        text = value if isinstance(value, str) else canonical(value)
        return re.search(rf"(?<![\w.-]){re.escape(text)}(?!\w|[-./]\w)", self._task.words) is not None

    def rehearse(self, workflow: Workflow, *, left_out: int | None = None) -> Rehearsal:
        return rehearse(self._task, workflow, left_out=left_out)

    def visibility(self, workflow: Workflow, number: int, argument: str) -> Visibility:
        """Return what shows that another value is wrong: the words, if they name the right one or paraphrase it.

        The choices of a step that converts a unit or obeys a policy are not in the words, but in a document.
        """
        call = workflow.steps[number - 1].call
        if self.is_named(call.arguments[argument]):
            return Visibility.JOB
        schema = signatures()[call.tool].parameters["properties"][argument] if call.tool in signatures() else {}
        is_paraphrased = "enum" in schema and number not in self._documented_steps(workflow)
        return Visibility.JOB if is_paraphrased else Visibility.WORLD

    def _documented_steps(self, workflow: Workflow) -> Collection[int]:
        """Return the steps of which the words say no more than that a document has them."""
        skills = decided_steps(self._task, workflow)
        return [number for number, skill in skills.items() if skill in (Skill.LOOK_UP, Skill.APPLY_RULE)]

    def _input_rows(self, workflow: Workflow, number: int) -> Sequence[Row]:
        used = workflow.steps[number - 1].call.references
        return self._table(workflow, used[0]) if used else _NO_ROWS

    def _source_rows(self, workflow: Workflow, number: int) -> Sequence[Row]:
        """Return the first table that the step's output is made of."""
        found = self._table(workflow, number)
        while (used := workflow.steps[number - 1].call.references) and used[0] < number:
            number = used[0]
            found = self._table(workflow, number) or found
        return found

    def _table(self, workflow: Workflow, number: int) -> Sequence[Row]:
        """Return the table that a step makes; none where it makes no table."""
        rehearsal = self._rehearsal(workflow)
        handle = rehearsal.done[number].output if number in rehearsal.done else None
        value = rehearsal.world.artefacts.get(handle) if isinstance(handle, str) else None
        is_table = isinstance(value, list) and value and isinstance(value[0], dict)
        return value if is_table and isinstance(value, list) else _NO_ROWS

    def _rehearsal(self, workflow: Workflow) -> Rehearsal:
        for known, rehearsal in self._rehearsed:
            if known is workflow:
                return rehearsal
        self._rehearsed = [*self._rehearsed[:1], (workflow, self.rehearse(workflow))]
        return self._rehearsed[-1][1]
