"""Random faults of tools: each is proved to matter, can be dealt with, and is the same for every model."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from functools import cache
from itertools import product

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pytest_ultra.benchmark.facts import FactKind
from pytest_ultra.benchmark.fault_proofs import find_down_target, find_wrong_result, is_doubtful
from pytest_ultra.benchmark.goal import harms, has_delivered, reached_milestones
from pytest_ultra.benchmark.guide import make_guidance
from pytest_ultra.benchmark.rehearsal import Rehearsal, rehearse, step_result
from pytest_ultra.benchmark.routes import Route, find_route
from pytest_ultra.benchmark.scoring.evidence import Evidence
from pytest_ultra.benchmark.task import Task
from pytest_ultra.benchmark.tool_faults import call_tool, repeat_call
from pytest_ultra.benchmark.tools import TOOLS
from pytest_ultra.benchmark.tools.call_targets import DownTarget, look_up_of
from pytest_ultra.benchmark.tools.invoke import invoke
from pytest_ultra.benchmark.tools.previews import describe
from pytest_ultra.benchmark.world import World
from pytest_ultra.core.axes import Difficulty, FaultKind, PromptType, TaskType
from pytest_ultra.core.plan_follower import advance, begin, next_call
from pytest_ultra.core.transcript import HAPPENED, NOT_HAPPENED, Answered, Event, Fault, ToolCall, ToolResult
from pytest_ultra.core.workflow import Call
from pytest_ultra.faults.fault_texts import MESSAGES
from tests.benchmark.agent_runs import make_case, make_tasks, run_agent, run_in_subprocess

NEVER_RELIABLE = 1e-9


@cache  # not when the tests are collected: the controller would make them, too
def all_tasks() -> list[Task]:
    return make_tasks(2, very_hard=1)


class Visit:
    """A call of a task's reference route, with the worlds before and after it."""

    def __init__(self, task: Task, route: Route, call: Call, before: World) -> None:
        self.task, self.route, self.call, self.before = task, route, call, before
        self.after, self.result = invoke(before, call.tool, call.arguments)


@cache
def all_visits() -> list[Visit]:
    return list(visits(all_tasks()))


def visits(tasks: list[Task]) -> Iterator[Visit]:
    for task in tasks:
        route = find_route(task)
        assert route is not None
        progress, world = begin(route.workflow), task.world
        while (call := next_call(route.workflow, progress)) is not None:
            visit = Visit(task, route, call, world)
            yield visit
            progress, world = advance(route.workflow, progress, step_result(visit.result)), visit.after


def meet(visit: Visit, kind: FaultKind, k: int = 1) -> tuple[World, ToolResult]:
    """Make the call of a visit as the k-th of its tool, with a fault for certain if it can have one of this kind."""
    case = msgspec.structs.replace(
        make_case(rate=NEVER_RELIABLE, fault_kinds=[kind]), **msgspec.structs.asdict(visit.task.key)
    )
    return call_tool(case, visit.task, visit.before, visit.call, k=k)


def test_a_route_reaches_the_goal_without_harm_and_uses_nothing_that_is_down() -> None:
    for task in all_tasks():
        route = find_route(task)
        assert route is not None
        assert len(route.workflow.steps) == sum(m.fact.kind is not FactKind.ANSWER for m in task.milestones)
        for tool in {step.call.tool for step in route.workflow.steps}:
            other = find_route(task, [DownTarget(tool)])
            if other is not None:
                assert tool not in {step.call.tool for step in other.workflow.steps}
                assert rehearse(task, other.workflow).has_delivered


def test_a_transient_fault_changes_nothing_and_its_code_and_message_say_that_it_passes() -> None:
    for visit in all_visits():
        world, result = meet(visit, FaultKind.TRANSIENT)
        assert world is visit.before
        assert result.code in TOOLS[visit.call.tool].transient_codes
        assert result.message == f"The call failed with the temporary error {result.code}; nothing was changed."
        assert (result.is_random, result.fault_kind) == (True, FaultKind.TRANSIENT)


def test_a_permanent_fault_falls_only_where_there_is_another_way() -> None:
    met = 0
    for visit in all_visits():
        target = find_down_target(visit.task, visit.call)
        world, result = meet(visit, FaultKind.PERMANENT)
        if target is None:
            assert result == visit.result
            assert find_route(visit.task, [DownTarget(visit.call.tool)]) is None
            continue
        met += 1
        assert world is visit.before
        assert (result.code, result.fault_effect) == ("OUT_OF_SERVICE", target.target)
        assert result.message.endswith("is out of service and stays so; nothing was changed. Look for another way.")
        assert find_route(visit.task, [target]) is not None
        step = visit.route.workflow.steps.index(next(s for s in visit.route.workflow.steps if target.includes(s.call)))
        assert not rehearse(visit.task, visit.route.workflow, left_out=step + 1).has_delivered
    assert met


def test_what_is_down_stays_down_for_the_episode_and_everything_else_works() -> None:
    visit = next(v for v in all_visits() if find_down_target(v.task, v.call) is not None)
    target = find_down_target(visit.task, visit.call)
    assert target is not None
    case = make_case(rate=1.0, fault_kinds=[FaultKind.PERMANENT])
    for k in range(1, 5):
        _, result = call_tool(case, visit.task, visit.before, visit.call, k=k, down=[target])
        assert result.code == "OUT_OF_SERVICE"
    elsewhere = DownTarget(target.tool, "somewhere else")
    _, result = call_tool(case, visit.task, visit.before, visit.call, k=1, down=[elsewhere])
    assert result == visit.result


def test_a_second_permanent_fault_leaves_the_way_that_the_first_one_left() -> None:
    for visit in visits(all_tasks()[::2]):
        target = find_down_target(visit.task, visit.call)
        route = None if target is None else find_route(visit.task, [target])
        if target is None or route is None:
            continue
        for step in route.workflow.steps:
            second = find_down_target(visit.task, step.call, [target])
            assert second is None or find_route(visit.task, [target, second]) is not None


def test_a_reply_is_lost_only_where_a_second_call_does_harm_and_looking_shows_a_difference() -> None:
    met: Counter[str] = Counter()
    for visit, k in product(all_visits(), range(1, 5)):
        world, result = meet(visit, FaultKind.LOST_REPLY, k)
        if result.fault_kind is None:
            assert result == visit.result
            assert not is_doubtful(visit.task, visit.call, visit.before, visit.after)
            continue
        met[result.fault_effect] += 1
        assert (result.code, result.message) == ("NO_REPLY", MESSAGES[FaultKind.LOST_REPLY])
        assert world == (visit.after if result.fault_effect == HAPPENED else visit.before)
        assert reached_milestones(visit.task, visit.after) != reached_milestones(visit.task, visit.before)
        twice, _ = invoke(visit.after, visit.call.tool, visit.call.arguments)
        assert len(harms(visit.task, twice)) > len(harms(visit.task, visit.after))
        look_up = look_up_of(visit.call)
        assert look_up is not None
        looks = [invoke(seen, look_up.tool, look_up.arguments) for seen in (visit.before, visit.after)]
        assert [seen for seen, _ in looks] == [visit.before, visit.after], "looking changes nothing"
        assert looks[0][1].is_success
        assert looks[0][1].value != looks[1][1].value
    assert 0.3 < met[HAPPENED] / (met[HAPPENED] + met[NOT_HAPPENED]) < 0.7


def test_an_implicit_fault_misses_the_goal_if_ignored_and_the_same_call_brings_the_right_result() -> None:
    met: Counter[str] = Counter()
    tasks = all_tasks()[::2]
    ends = {task.key: rehearse_route(task) for task in tasks}
    for visit in visits(tasks):
        world, result = meet(visit, FaultKind.IMPLICIT)
        if result.fault_kind is None:
            assert result.handle is None, "every artefact of a reference route can be wrong"
            continue
        met[result.fault_effect] += 1
        handle = result.handle or ""
        wrong, right = world.artefacts[handle], visit.after.artefacts[handle]
        assert result.is_success
        assert result.value == {"handle": handle, **describe(wrong)}
        assert describe(wrong) not in [describe(value) for value in visit.after.artefacts.values()]
        again, second = invoke(world, visit.call.tool, visit.call.arguments)
        assert again.artefacts[second.handle or ""] == right
        maker = find_maker(ends[visit.task.key], right)
        ignored = rehearse(visit.task, visit.route.workflow, wrong_outputs={maker: wrong})
        assert not ignored.has_delivered or ignored.has_harmed
    assert len(met) == 5, met


def rehearse_route(task: Task) -> Rehearsal:
    route = find_route(task)
    assert route is not None
    return rehearse(task, route.workflow)


def find_maker(end: Rehearsal, value: object) -> int:
    """Return the number of the first step that made this artefact."""
    outputs = ((number, end.done[number].output) for number in sorted(end.done))
    return next(n for n, output in outputs if isinstance(output, str) and end.world.artefacts[output] == value)


def test_a_call_that_the_goal_does_not_need_has_no_fault_that_it_could_not_notice() -> None:
    task = next(task for task in all_tasks() if "file_operations_scanner" in task.tools)
    call = Call("file_operations_scanner", {"pattern": "*"})
    for kind in FaultKind:
        case = make_case(rate=NEVER_RELIABLE, fault_kinds=[kind])
        _, result = call_tool(case, task, task.world, call, k=1)
        assert result.fault_kind == (kind if kind is FaultKind.TRANSIENT else None)


@pytest.mark.parametrize("kind", FaultKind)
def test_an_earned_error_comes_before_any_fault(kind: FaultKind) -> None:
    case, task = make_case(rate=NEVER_RELIABLE, fault_kinds=[kind]), all_tasks()[0]
    for arguments, code in (({}, "INVALID_ARGUMENTS"), ({"path": "no/such/file"}, "NOT_FOUND")):
        call = Call("file_operations_reader", arguments)
        world, result = call_tool(case, task, task.world, call, k=1)
        assert (world, result.code, result.is_random) == (task.world, code, False)


@settings(max_examples=15, deadline=None)
@given(
    st.sampled_from(TaskType),
    st.sampled_from(Difficulty),
    st.integers(0, 3),
    st.lists(st.sampled_from(FaultKind), min_size=1, unique=True),
    st.sampled_from(["perfect", "no-check", "no-fallback", "stubborn"]),
)
def test_an_episode_can_be_replayed_from_its_events(
    task_type: TaskType, difficulty: Difficulty, instance: int, kinds: list[FaultKind], agent: str
) -> None:
    """The scorer rebuilds the world that the episode had at its end, from events that went through the codec."""
    case = make_case(PromptType.OPTIMAL, task_type, difficulty, rate=0.5, instance=instance, fault_kinds=kinds)
    conversation = run_agent(agent, case)
    text = msgspec.json.encode(conversation.events)
    events = msgspec.json.decode(text, type=tuple[Event, ...])
    evidence = Evidence.gather(conversation.guidance, events)
    assert evidence.world == conversation.world
    assert run_agent(agent, case).events == conversation.events


@pytest.mark.parametrize("kinds", [(kind,) for kind in FaultKind] + [tuple(FaultKind)], ids="+".join)
def test_faults_are_the_same_for_every_prompt_type_and_more_at_a_lower_rate(kinds: tuple[FaultKind, ...]) -> None:
    """Of the same calls: those that fail at a rate fail at every lower one."""
    for visit, k in product(visits(all_tasks()[::3]), range(1, 6)):
        results = []
        for rate, prompt_type in product((0.9, 0.7, 0.4), (PromptType.BASELINE, PromptType.OPTIMAL)):
            case = make_case(prompt_type, rate=rate, fault_kinds=kinds)
            case = msgspec.structs.replace(case, **msgspec.structs.asdict(visit.task.key))
            results.append(call_tool(case, visit.task, visit.before, visit.call, k=k)[1])
        assert results[0::2] == results[1::2]
        by_rate = [result for result in results[0::2] if result.fault_kind is not None]
        assert all(result == by_rate[0] for result in by_rate)
        assert [result.fault_kind is not None for result in results[0::2]] == sorted(
            result.fault_kind is not None for result in results[0::2]
        )


def test_a_transcript_from_before_there_were_kinds_has_transient_faults() -> None:
    text = b'{"type":"tool","turn":1,"call":{"id":"c","name":"t","arguments":"{}"},"arguments":{},"result":'
    text += b'{"handle":null,"value":null,"code":"TIMEOUT","message":"m","is_random":true}}'
    event = msgspec.json.decode(text, type=Answered)
    assert event.result.fault_kind is FaultKind.TRANSIENT
    assert not event.result.has_taken_effect


def test_a_wrong_result_needs_a_proof() -> None:
    """Where the goal is reached all the same, as by a table that is not used, no wrong result is found."""
    task = next(task for task in all_tasks() if task.world.files)
    path = next(path for path in task.world.files if not any(path in str(action.call) for action in task.actions))
    call = Call("file_operations_reader", {"path": path})
    after, result = invoke(task.world, call.tool, call.arguments)
    assert all(find_wrong_result(task, call, after, result.handle or "", seed) is None for seed in range(20))


def test_the_goal_is_reached_by_every_agent_that_meets_no_fault() -> None:
    guidance = make_guidance(make_case())
    conversation = run_agent("perfect", make_case(rate=1.0, fault_kinds=tuple(FaultKind)), guidance)
    assert has_delivered(guidance.task, reached_milestones(guidance.task, conversation.world))


def test_a_transcript_with_an_unknown_way_of_being_wrong_is_still_replayed() -> None:
    visit = next(visit for visit in all_visits() if visit.result.handle is not None)
    fault = Fault(FaultKind.IMPLICIT, "no_such_mutator", 1)
    result = msgspec.structs.replace(visit.result, fault=fault)
    event = Answered(1, ToolCall("c", visit.call.tool, "{}"), visit.call.arguments, result)
    assert repeat_call(visit.before, event) == visit.after


DIGEST = """
import hashlib, msgspec
from pytest_ultra.core.axes import FaultKind, TaskType
from tests.benchmark.agent_runs import make_case, run_agent
for task_type in TaskType:
    case = make_case(task_type=task_type, rate=0.5, fault_kinds=tuple(FaultKind))
    print(hashlib.blake2b(msgspec.json.encode(run_agent("no-check", case).events)).hexdigest())
"""


def test_faults_are_the_same_in_every_process() -> None:
    assert run_in_subprocess(DIGEST, "1") == run_in_subprocess(DIGEST, "2")
