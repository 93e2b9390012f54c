"""Proofs that a fault matters and can be dealt with: ignoring it misses the goal, and there is a way to the goal.

A fault without its proof does not happen. A transient fault needs none: the same call does it, and nothing else.
"""

from __future__ import annotations

from collections.abc import Sequence

from pytest_ultra.benchmark.facts import FactKind, fact_text
from pytest_ultra.benchmark.goal import harms, reached_milestones
from pytest_ultra.benchmark.rehearsal import rehearse
from pytest_ultra.benchmark.routes import find_route
from pytest_ultra.benchmark.task import Task
from pytest_ultra.benchmark.tools.call_targets import DownTarget, look_up_of, target_of
from pytest_ultra.benchmark.tools.invoke import invoke
from pytest_ultra.benchmark.tools.previews import describe
from pytest_ultra.benchmark.world import World
from pytest_ultra.core.json_types import Json
from pytest_ultra.core.workflow import Call
from pytest_ultra.faults.mutators import mutate, mutator_names


def find_down_target(task: Task, call: Call, down: Sequence[DownTarget] = ()) -> DownTarget | None:
    """Return what a permanent fault of this call can take down: the tool, or else its target alone.

    None if the goal does not need the call, or cannot be reached without it and without what is `down` already.
    """
    for target in dict.fromkeys((DownTarget(call.tool), DownTarget(call.tool, target_of(call)))):
        is_needed = any(target.includes(action.call) for action in task.actions)
        if is_needed and find_route(task, (*down, target)) is not None:
            return target
    return None


def is_doubtful(task: Task, call: Call, before: World, after: World) -> bool:
    """Return whether it matters whether this call took effect, and the agent can find out.

    The call makes a deliverable, a second one does harm, and looking shows a difference.
    """
    look_up = look_up_of(call)
    twice, second = invoke(after, call.tool, call.arguments)
    if look_up is None or look_up == call or not second.is_success:
        return False
    delivers = reached_milestones(task, before) != reached_milestones(task, after)
    does_harm_twice = len(harms(task, twice)) > len(harms(task, after))
    return delivers and does_harm_twice and _look(before, look_up) != _look(after, look_up)


def _look(world: World, look_up: Call) -> Json:
    return invoke(world, look_up.tool, look_up.arguments)[1].value


def find_wrong_result(task: Task, call: Call, after: World, handle: str, seed: int) -> tuple[str, Json] | None:
    """Return a mutator's name and the wrong value that it gives to the artefact of a call; None if none is proved.

    The value is one that the goal needs. Its preview differs from those of all outputs so far, the right one
    included, so that two results of a call never agree unless both are right. The same call gives the right value
    again, and the reference route misses the goal with the wrong one.
    """
    right = after.artefacts[handle]
    milestone = _find_milestone(task, call, right)
    route = None if milestone is None else find_route(task)
    step = None if route is None or milestone is None else route.step_of(milestone)
    if route is None or step is None or not _brings_again(call, after, right):
        return None
    known = [describe(value) for value in after.artefacts.values()]
    for name in mutator_names(seed):
        wrong = mutate(name, right, seed)
        if wrong is None or describe(wrong) in known:
            continue
        end = rehearse(task, route.workflow, wrong_outputs={step: wrong})
        if not end.has_delivered or end.has_harmed:
            return name, wrong
    return None


def _find_milestone(task: Task, call: Call, value: Json) -> int | None:
    """Return the index of the milestone that is this artefact, if possible one that the tool of the call reaches.

    Sorted rows can be the same artefact as those that were sorted.
    """
    facts = [milestone.fact for milestone in task.milestones]
    orders = {fact.is_ordered for fact in facts}
    texts = {is_ordered: fact_text(FactKind.ARTEFACT, "", value, is_ordered=is_ordered) for is_ordered in orders}
    numbered = [(index, fact) for index, fact in enumerate(facts) if fact.kind is FactKind.ARTEFACT]
    same = [index for index, fact in numbered if fact.text == texts[fact.is_ordered]]
    of_tool = {action.reaches for action in task.actions if action.call.tool == call.tool}
    return min(same, key=lambda index: (index not in of_tool, index), default=None)


def _brings_again(call: Call, after: World, right: Json) -> bool:
    world, result = invoke(after, call.tool, call.arguments)
    return result.handle is not None and world.artefacts[result.handle] == right
