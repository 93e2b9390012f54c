"""How reference agents deal with faults while they follow a workflow: each way is a skill that can be switched off."""

from __future__ import annotations

from collections.abc import Collection
from enum import StrEnum

import msgspec

from pytest_ultra.core import plan_follower
from pytest_ultra.core.json_types import Json
from pytest_ultra.core.plan_follower import Progress, StepResult, advance
from pytest_ultra.core.workflow import Call, Workflow
from pytest_ultra.faults.fault_texts import NO_REPLY, OUT_OF_SERVICE


class FaultSkill(StrEnum):
    """What an agent does about a fault. Without a skill, it does what is said after the colon."""

    RETRY = "retry"  # after a transient error: skips to the next step
    GO_ANOTHER_WAY = "go_another_way"  # where a tool is down: makes the same call for ever
    CHECK = "check"  # takes every result as it is, and repeats a call with a lost reply without looking


ALL_SKILLS = frozenset(FaultSkill)
OBEDIENCE = frozenset({FaultSkill.RETRY, FaultSkill.GO_ANOTHER_WAY})
"""The skills of an agent that does what the plan says and no more."""


class Following(msgspec.Struct, frozen=True):
    """The state of an agent that follows a workflow.

    `is_looking`: the next call looks whether the current one took effect. `seen` are the results of the current step
    that no other call has confirmed, without their handles, and `unconfirmed` is the last of them. `previews` holds the
    preview of each handle. In a user's suite, `repeatable` names the tools that change nothing, and `looked_at` the
    steps that were repeated to see whether the current call took effect; those in `down` are repeated by their
    fallbacks.
    """

    workflow: Workflow
    skills: frozenset[FaultSkill]
    expects_wrong_results: bool
    progress: Progress
    is_looking: bool = False
    seen: tuple[Json, ...] = ()
    unconfirmed: StepResult | None = None
    previews: dict[str, Json] = {}
    repeatable: tuple[str, ...] = ()
    looked_at: tuple[int, ...] = ()
    down: tuple[int, ...] = ()


def begin(
    workflow: Workflow, skills: Collection[FaultSkill], *, expects_wrong_results: bool, repeatable: tuple[str, ...] = ()
) -> Following:
    """Start to follow a workflow; `repeatable` are tools without handles that can be called again to check a result."""
    progress = plan_follower.begin(workflow)
    return Following(workflow, frozenset(skills), expects_wrong_results, progress, repeatable=repeatable)


def next_call(state: Following) -> Call | None:
    """Return the next call; None if the workflow is done."""
    call = plan_follower.next_call(state.workflow, state.progress)
    if call is None or not state.is_looking:
        return call
    look_ups = _earlier_look_ups(state)
    return next(iter(look_ups.values())) if look_ups else _look_up(call)


def _earlier_look_ups(state: Following) -> dict[int, Call]:
    """Return the earlier steps of a user's suite that only look, with their calls, without those looked at again."""
    done = state.progress.done
    again = {
        number: plan_follower.next_call(state.workflow, Progress(number, done, is_on_fallback=number in state.down))
        for number in done
    }
    return {
        number: call
        for number, call in again.items()
        if call and call.tool in state.repeatable and done[number].is_success and number not in state.looked_at
    }


def take_result(state: Following, content: Json) -> Following:
    """Process the result of the last call, as a model sees it."""
    if "error" in content:
        is_blind = state.is_looking and state.repeatable and content["error"] == OUT_OF_SERVICE
        return _look_elsewhere(state) if is_blind else _take_error(state, content)
    if state.is_looking and state.repeatable:
        return _compare_look_up(state, content["result"])
    if state.is_looking:
        has_happened = _shows(content["result"], _sent(state))
        looked = msgspec.structs.replace(state, is_looking=False)
        if has_happened:
            return _finish(looked, StepResult(is_success=True))
        return looked if FaultSkill.RETRY in state.skills else _finish(looked, StepResult(is_success=False))
    return _take_success(state, content)


def _compare_look_up(state: Following, result: Json) -> Following:
    """See whether what an earlier step looked at has changed: then the current call took effect.

    If results can be wrong, a changed one counts when it comes twice.
    """
    number = next(iter(_earlier_look_ups(state)))
    looked = msgspec.structs.replace(state, looked_at=(*state.looked_at, number))
    if result != state.progress.done[number].output:
        if state.expects_wrong_results and result not in state.seen:
            return msgspec.structs.replace(state, seen=(*state.seen, result))
        return _finish(looked, StepResult(is_success=True))
    return looked if _earlier_look_ups(looked) else msgspec.structs.replace(looked, is_looking=False, looked_at=())


def _take_error(state: Following, content: Json) -> Following:
    code = content["error"]
    if code == NO_REPLY and not state.is_looking:
        if FaultSkill.CHECK in state.skills and (not state.repeatable or _earlier_look_ups(state)):
            return msgspec.structs.replace(state, is_looking=True)
        return state if FaultSkill.RETRY in state.skills else _finish(state, StepResult(is_success=False))
    if content["transient"] and FaultSkill.RETRY in state.skills:
        return state
    if state.unconfirmed is not None and (code != OUT_OF_SERVICE or FaultSkill.GO_ANOTHER_WAY not in state.skills):
        return _finish(state, state.unconfirmed)
    if code == OUT_OF_SERVICE and FaultSkill.GO_ANOTHER_WAY not in state.skills:
        return state
    looked = msgspec.structs.replace(state, is_looking=False)
    return _finish(looked, StepResult(is_success=False, is_down=code == OUT_OF_SERVICE))


def _look_elsewhere(state: Following) -> Following:
    """Look by the fallback of a step whose tool is down; without one, by another step, or not at all."""
    number = next(iter(_earlier_look_ups(state)))
    has_fallback = state.workflow.steps[number - 1].fallback is not None and number not in state.down
    if has_fallback and FaultSkill.GO_ANOTHER_WAY in state.skills:
        looked = msgspec.structs.replace(state, down=(*state.down, number))
    else:
        looked = msgspec.structs.replace(state, looked_at=(*state.looked_at, number))
    return looked if _earlier_look_ups(looked) else msgspec.structs.replace(looked, is_looking=False, looked_at=())


def _take_success(state: Following, content: Json) -> Following:
    """Take a result. If results can be wrong, one counts that a second call has confirmed."""
    result = StepResult(is_success=True, output=content.get("handle"), value=content.get("value"))
    known, preview = state, content
    if result.output is None:
        result = StepResult(is_success=True, output=content.get("result"), value=content.get("result"))
        call = plan_follower.next_call(state.workflow, state.progress)
        if call is None or call.tool not in state.repeatable:
            return _finish(state, result)
    else:
        preview = {name: value for name, value in content.items() if name != "handle"}
        known = msgspec.structs.replace(state, previews={**state.previews, str(result.output): preview})
    is_sure = not state.expects_wrong_results or FaultSkill.CHECK not in state.skills or preview in state.seen
    if is_sure:
        return _finish(known, result)
    return msgspec.structs.replace(known, seen=(*state.seen, preview), unconfirmed=result)


def _finish(state: Following, result: StepResult) -> Following:
    """Go on to the next step, or to the fallback of this one."""
    after = advance(state.workflow, state.progress, result, retries=False)
    kept = msgspec.structs.replace(state, progress=after, seen=(), unconfirmed=None)
    return msgspec.structs.replace(kept, is_looking=False, looked_at=()) if state.repeatable else kept


def _look_up(call: Call) -> Call:
    """Return the call that shows what is there: the same one, without what it brings."""
    kept = {name: value for name, value in call.arguments.items() if name not in ("data", "message", "subject")}
    return Call(call.tool, kept)


def _sent(state: Following) -> Json:
    """Return the preview of what the current call hands over."""
    call = plan_follower.next_call(state.workflow, state.progress)
    return state.previews.get(str(call.arguments.get("data"))) if call is not None else None


def _shows(found: Json, sent: Json) -> bool:
    """Return whether a look-up shows what was sent; of a router, which sends parts of it, whether it shows any."""
    if "addresses" in found:
        return any(address["payloads"] for address in found["addresses"])
    return any(sent in (entry, entry.get("data")) for entry in found["latest"])
