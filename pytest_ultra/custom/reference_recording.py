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
        return lambda *args, **kwargs: self._call(name, args, kwargs)

    def __getitem__(self, name: str) -> Callable[..., Output]:
        """Return a tool whose name no method can have."""
        if name not in self._parameters:
            raise KeyError(f"there is no tool {name!r}; the suite has {', '.join(self._parameters)}")
        return lambda *args, **kwargs: self._call(name, args, kwargs)

    def _call(self, name: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Output:
        names = self._parameters[name]
        if len(args) > len(names):
            raise TypeError(f"{name} takes up to {len(names)} arguments ({', '.join(names)}), not {len(args)}")
        given = {**dict(zip(names, args, strict=False)), **kwargs}
        shown = {key: value.reference if isinstance(value, Output) else plain(value) for key, value in given.items()}
        number = len(self._steps) + 1
        arguments = to_json(plain(given), f"the arguments of step {number} of the task {self._task}")
        self._stage, result = self._stage.call(name, arguments)
        if not result.is_success:
            raise ConfigurationError(
                f"the reference of the task {self._task} fails in step {number}: {name} answers {result.code}: "
                f"{result.message}"
            )
        self._steps.append(Step(Call(name, to_json(shown, f"the arguments of {name}"))))
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
