"""Recording a reference workflow: it is run once on a world, and its calls become the steps of the plan."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from pytest_ultra.core.json_types import Json
from pytest_ultra.core.transcript import StateChange
from pytest_ultra.core.workflow import Call, Step, Workflow
from pytest_ultra.custom.custom_task import StepRecord
from pytest_ultra.custom.episode_world import combine, to_json
from pytest_ultra.custom.recorded_output import Output, plain
from pytest_ultra.custom.suite_definition import Suite, TaskDefinition
from pytest_ultra.custom.tool_run import Stage
from pytest_ultra.errors import ConfigurationError


class Recording(msgspec.Struct, frozen=True):
    """A recorded reference workflow, what its steps came to, and what it changed."""

    workflow: Workflow
    steps: tuple[StepRecord, ...]
    goal: StateChange
    answer: Json


class PlanRecorder:
    """The plan that a reference workflow gets. Each tool is a method: it is called, and becomes the next step."""

    def __init__(self, task: str, stage: Stage, parameters: Mapping[str, list[str]]) -> None:
        self._task = task
        self._stage = stage
        self._parameters = parameters
        self._steps: list[Step] = []
        self._records: list[StepRecord] = []
        self._changes: list[StateChange] = []

    def __getattr__(self, name: str) -> Callable[..., Output]:
        if name.startswith("__") or name not in self._parameters:
            raise AttributeError(f"there is no tool {name!r}; the suite has {', '.join(self._parameters)}")
        return self[name]

    def __getitem__(self, name: str) -> Callable[..., Output]:
        """Return a tool by its name, which may be one that no attribute can have."""
        return lambda *args, **kwargs: self._call(name, args, kwargs)

    @property
    def fallback(self) -> FallbackRecorder:
        """The tools as they are called in place of the last step, if its tool is down."""
        return FallbackRecorder(self._add_fallback, list(self._parameters))

    def _add_fallback(self, name: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        if not self._records:
            raise ConfigurationError(f"the reference of the task {self._task} has a fallback before its first step")
        _, shown = self._arguments(name, args, kwargs)
        self._records[-1] = msgspec.structs.replace(self._records[-1], fallback=Call(name, shown))

    def _arguments(
        self, name: str, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> tuple[dict[str, Json], dict[str, Json]]:
        """Return the arguments of a call, as they are and as they stand in a plan."""
        names = self._parameters[name]
        if len(args) > len(names):
            raise TypeError(f"{name} takes up to {len(names)} arguments ({', '.join(names)}), not {len(args)}")
        given = {**dict(zip(names, args, strict=False)), **kwargs}
        shown = {key: value.reference if isinstance(value, Output) else plain(value) for key, value in given.items()}
        what = f"the arguments of {name} in the task {self._task}"
        return to_json(plain(given), what), to_json(shown, what)

    def _call(self, name: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Output:
        number = len(self._steps) + 1
        arguments, shown = self._arguments(name, args, kwargs)
        self._stage, result = self._stage.call(name, arguments)
        if not result.is_success:
            raise ConfigurationError(
                f"the reference of the task {self._task} fails in step {number}: {name} answers {result.code}: "
                f"{result.message}"
            )
        self._steps.append(Step(Call(name, shown)))
        self._records.append(StepRecord(name, arguments, result.value, result.change is not msgspec.UNSET))
        if result.change is not msgspec.UNSET:
            self._changes.append(result.change)
        return Output(result.value, number)

    def finish(self, returned: Any) -> Recording:
        """Return the recording of a reference that returned this."""
        steps, goal = tuple(self._steps), combine(self._changes)
        if not steps:
            raise ConfigurationError(f"the reference of the task {self._task} calls no tool; call one on its plan")
        if returned is None:
            return Recording(Workflow(steps), tuple(self._records), goal, None)
        if not isinstance(returned, Output):
            raise ConfigurationError(
                f"the reference of the task {self._task} returns {returned!r}, which is no output of a step; return "
                "what a tool returned or a part of it, or check the answer by check=..."
            )
        step, path = returned.place
        return Recording(Workflow(steps, step, path), tuple(self._records), goal, returned.value)


class FallbackRecorder:
    """The tools of a suite as the fallback of a step: a call of one is noted, and not made."""

    def __init__(self, add: Callable[[str, tuple[Any, ...], dict[str, Any]], None], tools: list[str]) -> None:
        self._add = add
        self._tools = tools

    def __getattr__(self, name: str) -> Callable[..., None]:
        if name.startswith("__") or name not in self._tools:
            raise AttributeError(f"there is no tool {name!r}; the suite has {', '.join(self._tools)}")
        return self[name]

    def __getitem__(self, name: str) -> Callable[..., None]:
        return lambda *args, **kwargs: self._add(name, args, kwargs)


def record_reference(suite: Suite, task: TaskDefinition, instance: int) -> Recording | None:
    """Run the reference of a task in a new world, and return what it did; None for a task without one.

    Raises ConfigurationError for one that fails, or that leaves no goal.
    """
    if task.reference is None:
        return None
    stage = suite.open()
    parameters = {name: list(tool.parameters["properties"]) for name, tool in suite.tools.items()}
    recorder = PlanRecorder(task.title, stage, parameters)
    try:
        returned = task.reference(recorder, **task.values(instance))
    except ConfigurationError:
        raise
    except Exception as error:
        kind = type(error).__name__
        raise ConfigurationError(f"the reference of the task {task.title} raised {kind}: {error}") from error
    finally:
        stage.close()
    recording = recorder.finish(returned)
    if task.check is None and recording.answer is None and not (recording.goal.added or recording.goal.removed):
        raise ConfigurationError(
            f"the reference of the task {task.title} changes nothing and returns nothing, so the task has no goal; "
            "return the answer, or give a check=..."
        )
    return recording
