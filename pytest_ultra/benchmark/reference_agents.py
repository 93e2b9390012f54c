"""The reference agents: agents of known behaviour, which must get known scores. Each is a pure function."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Collection, Sequence

import msgspec

from pytest_ultra.agents.text_protocol.text_messages import read_messages, write_reply
from pytest_ultra.benchmark.agent_workflows import LACKING
from pytest_ultra.benchmark.fault_recovery import ALL_SKILLS, OBEDIENCE, FaultSkill, begin, next_call, take_result
from pytest_ultra.benchmark.shown_conversation import read_conversation, shown_plan, with_final_tool, with_offered_names
from pytest_ultra.benchmark.shown_results import read_result
from pytest_ultra.benchmark.tool_discovery import DESCRIBE, is_discovery
from pytest_ultra.benchmark.tool_signatures import signatures
from pytest_ultra.core.axes import FaultKind, PromptType
from pytest_ultra.core.json_types import Message
from pytest_ultra.core.plan_follower import answer_text
from pytest_ultra.core.reference_agent import Knowledge, ReferenceAgent
from pytest_ultra.core.transcript import Reply, ToolCall
from pytest_ultra.core.workflow import Call, Workflow
from pytest_ultra.flaws.plan_repair import repair


def act(agent: str, messages: Sequence[Message], knowledge: Knowledge) -> Reply:
    """Return the reply of a reference agent (a name in `ReferenceAgent`) to the messages so far."""
    reply = _AGENTS[agent](read_conversation(messages), knowledge)
    return with_offered_names(with_final_tool(reply, knowledge.offered, knowledge.turn), knowledge.offered)


AgentFunction = Callable[[str, Sequence[Message], Knowledge], Reply]
"""The type of `act`: (agent's name, messages, knowledge) -> reply."""


def in_text_protocol(act_function: AgentFunction) -> AgentFunction:
    """Adapt agents, which know native calls only, to the text protocol."""

    def act_in_text(agent: str, messages: Sequence[Message], knowledge: Knowledge) -> Reply:
        return write_reply(act_function(agent, read_messages(messages), knowledge))

    return act_in_text


def _perfect(messages: Sequence[Message], knowledge: Knowledge) -> Reply:
    return _follow(knowledge.reference, messages, knowledge)


def _playing(agent: ReferenceAgent) -> Callable[[Sequence[Message], Knowledge], Reply]:
    """Return an agent that does what it takes the job to be, whatever the plan says."""
    return lambda messages, knowledge: _follow(knowledge.workflow_of(agent), messages, knowledge)


def _follower(messages: Sequence[Message], knowledge: Knowledge) -> Reply:
    plan = shown_plan(messages)
    return _follow(plan, messages, knowledge, OBEDIENCE) if plan else Reply(text="I was given no plan, so I give up.")


def _linter(messages: Sequence[Message], knowledge: Knowledge) -> Reply:
    """Repair what the linter flags in the plan, without a look at the job, and obey the rest."""
    plan = shown_plan(messages)
    if plan is None:
        return Reply(text="I was given no plan, so I give up.")
    return _follow(repair(plan, signatures()), messages, knowledge, OBEDIENCE)


def _without(skill: FaultSkill) -> Callable[[Sequence[Message], Knowledge], Reply]:
    """Return the perfect agent without one of its skills."""
    skills = ALL_SKILLS - {skill}
    return lambda messages, knowledge: _follow(knowledge.reference, messages, knowledge, skills)


def _null(messages: Sequence[Message], knowledge: Knowledge) -> Reply:  # noqa: ARG001 - one signature for all
    return Reply(text="Done.")


def _one_call(messages: Sequence[Message], knowledge: Knowledge) -> Reply:
    return _null(messages, knowledge) if _tool_answers(messages) else _perfect(messages, knowledge)


def _mixture(messages: Sequence[Message], knowledge: Knowledge) -> Reply:
    """Do the job, obey the plan, or stop half-way, with probabilities that depend on the prompt type."""
    chance = _draw(knowledge.case_id)
    plan = shown_plan(messages)
    if chance < _MIXTURE_SKILL[_prompt_group(knowledge.prompt_type)]:
        return _perfect(messages, knowledge)
    if plan is not None and knowledge.prompt_type.flaw_kind is not None:
        return _follow(plan, messages, knowledge, OBEDIENCE)
    steps = knowledge.reference.steps
    return _follow(Workflow(steps[: len(steps) - 1 - int(chance * len(steps) / 2)]), messages, knowledge)


# Near the published means (62 % optimal, 51 % chain of thought, 54 % flawed), so that a demo looks plausible.
_MIXTURE_SKILL = {"baseline": 0.45, "cot": 0.55, "optimal": 0.9, "alternative": 0.85, "flawed": 0.5}


def _prompt_group(prompt_type: PromptType) -> str:
    return "flawed" if prompt_type.flaw_kind else prompt_type.value


_AGENTS: dict[str, Callable[[Sequence[Message], Knowledge], Reply]] = {
    ReferenceAgent.PERFECT: _perfect,
    ReferenceAgent.FOLLOWER: _follower,
    ReferenceAgent.NULL: _null,
    ReferenceAgent.ONE_CALL: _one_call,
    ReferenceAgent.STUBBORN: _without(FaultSkill.RETRY),
    ReferenceAgent.LINTER: _linter,
    ReferenceAgent.MIXTURE: _mixture,
    ReferenceAgent.NO_FALLBACK: _without(FaultSkill.GO_ANOTHER_WAY),
    ReferenceAgent.NO_CHECK: _without(FaultSkill.CHECK),
    **{agent: _playing(agent) for agent in (*LACKING, ReferenceAgent.CAUTIOUS)},
}


def _follow(
    workflow: Workflow, messages: Sequence[Message], knowledge: Knowledge, skills: Collection[FaultSkill] = ALL_SKILLS
) -> Reply:
    """Replay the tool results so far; return the next call, or its tool's description call, or the answer."""
    can_be_wrong = FaultKind.IMPLICIT in knowledge.fault_kinds
    state = begin(workflow, skills, expects_wrong_results=can_be_wrong, repeatable=knowledge.repeatable)
    for exchange in _tool_answers(messages):
        state = take_result(state, read_result(exchange.content))
    call = next_call(state)
    if call is None:
        return Reply(text=answer_text(workflow, state.progress))
    return _call_reply(_describe_first(call, messages, knowledge), number=len(_exchanges(messages)) + 1)


def _describe_first(call: Call, messages: Sequence[Message], knowledge: Knowledge) -> Call:
    """Return the call, or first a call that describes its tool, if the run uses tool discovery."""
    if DESCRIBE not in knowledge.offered or call.tool in knowledge.offered:
        return call
    describe = Call(DESCRIBE, {"name": call.tool})
    is_tried = any(exchange.call == describe for exchange in _exchanges(messages))
    return call if is_tried else describe


def _call_reply(call: Call, *, number: int) -> Reply:
    arguments = msgspec.json.encode(call.arguments).decode()
    return Reply(tool_calls=(ToolCall(f"call_{number}", call.tool, arguments),), finish_reason="tool_calls")


class _Exchange(msgspec.Struct, frozen=True):
    """A call, and the content of its result."""

    call: Call
    content: str


def _exchanges(messages: Sequence[Message]) -> list[_Exchange]:
    calls = {
        call["id"]: Call(call["function"]["name"], msgspec.json.decode(call["function"]["arguments"]))
        for message in messages
        for call in message.get("tool_calls", ())
    }
    answers = [message for message in messages if message["role"] == "tool"]
    return [_Exchange(calls[message["tool_call_id"]], message["content"]) for message in answers]


def _tool_answers(messages: Sequence[Message]) -> list[_Exchange]:
    """Return the tool calls and their results, without tool discovery."""
    return [exchange for exchange in _exchanges(messages) if not is_discovery(exchange.call.tool)]


def _draw(key: str) -> float:
    return int.from_bytes(hashlib.blake2b(key.encode(), digest_size=8).digest()) / 2**64
