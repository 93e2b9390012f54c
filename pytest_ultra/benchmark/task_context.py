"""The context of a benchmark task for the flaw injectors."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

import msgspec

from pytest_ultra.benchmark.rehearsal import Rehearsal, rehearse
from pytest_ultra.benchmark.task import Task
from pytest_ultra.benchmark.tools import TOOLS
from pytest_ultra.benchmark.tools.base import Tool
from pytest_ultra.core.workflow import Call, Workflow

_DELIVERING = frozenset(
    {
        "network_poster",
        "network_router",
        "integration_queue",
        "utility_notifier",
        "utility_logger",
        "utility_tracker",
    }
)
"""Tools of which every further call has a further effect on the world."""


class TaskContext:
    """See `flaws.plan_context.PlanContext`."""

    tools: Mapping[str, Tool] = TOOLS
    field_arguments: Collection[str] = ("field", "group_by", "left_field", "right", "value_field", "cost_field")

    def __init__(self, task: Task) -> None:
        self._task = task

    @property
    def seed(self) -> str:
        return f"{'/'.join(map(str, msgspec.structs.astuple(self._task.key)))}/{self._task.draw}"

    @property
    def offered(self) -> Sequence[str]:
        return self._task.tools

    @property
    def names(self) -> Sequence[Collection[str]]:
        world = self._task.world
        return (
            world.files,
            world.resources,
            world.sinks,
            world.credentials,
            world.datastores,
            world.topics,
            world.cache,
            world.queues,
        )

    @property
    def repeatable_tools(self) -> Collection[str]:
        return TOOLS.keys() - _DELIVERING

    @property
    def idle_look_ups(self) -> Sequence[Call]:
        world, tools = self._task.world, self._task.tools
        used = {str(value) for action in self._task.actions for value in action.call.arguments.values()}
        look_ups = [
            *(Call("file_operations_reader", {"path": path}) for path in world.files),
            *(Call("file_operations_scanner", {"pattern": f"{path.partition('/')[0]}/*"}) for path in world.files),
            *(Call("network_validator", {"url": url}) for url in world.resources),
            *(Call("integration_connector", {"datastore": name}) for name in world.datastores),
            *(Call("utility_helper", {"topic": topic}) for topic in world.topics),
            *(Call("utility_cache", {"action": "get", "key": key}) for key in world.cache),
        ]
        return [call for call in look_ups if call.tool in tools and not used & set(map(str, call.arguments.values()))]

    def rehearse(self, workflow: Workflow, *, left_out: int | None = None) -> Rehearsal:
        return rehearse(self._task, workflow, left_out=left_out)
