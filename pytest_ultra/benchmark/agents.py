"""The reference agents: known behaviour that must get known marks; each a pure function of what it sees."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence

import msgspec

from pytest_ultra.benchmark.axes import PromptType
from pytest_ultra.benchmark.chat import ChatRequest
from pytest_ultra.benchmark.following import Progress, Seen, advance, answer_text, begin, next_call
from pytest_ultra.benchmark.textual.messages import read_messages, write_reply
from pytest_ultra.benchmark.transcript import Message, Reply, ToolCall
from pytest_ultra.benchmark.workflow import Workflow, read


class Knowledge(msgspec.Struct, frozen=True):
    """What a reference agent knows beyond the prompt."""

    case_id: str
    prompt_type: PromptType
    turn: int
    reference: Workflow


def knowledge_of(request: ChatRequest) -> Knowledge:
    case = request.case
    return Knowledge(case.case_id, case.prompt_type, request.turn, request.guidance.optimal)


def act(agent: str, messages: Sequence[Message], knowledge: Knowledge) -> Reply:
    """Return the reply of the agent with this name (one of `AGENTS`) to the messages so far."""
    return _AGENTS[agent](messages, knowledge)


Act = Callable[[str, Sequence[Message], Knowledge], Reply]
"""What plays agents by name: `act`, or a stand-in."""


def in_text(play: Act) -> Act:
    """Let agents, who know native calls only, take part in the text protocol."""

    def play_in_text(agent: str, messages: Sequence[Message], knowledge: Knowledge) -> Reply:
        return write_reply(play(agent, read_messages(messages), knowledge))

    return play_in_text


def _perfect(messages: Sequence[Message], knowledge: Knowledge) -> Reply:
    return _follow(knowledge.reference, messages)


def _follower(messages: Sequence[Message], knowledge: Knowledge) -> Reply:  # noqa: ARG001 - one signature for all
    plan = _shown_plan(messages)
    return _follow(plan, messages) if plan else Reply(text="I was given no plan, so I give up.")


def _stubborn(messages: Sequence[Message], knowledge: Knowledge) -> Reply:
    return _follow(knowledge.reference, messages, retries=False)


def _null(messages: Sequence[Message], knowledge: Knowledge) -> Reply:  # noqa: ARG001 - one signature for all
    return Reply(text="Done.")


def _one_call(messages: Sequence[Message], knowledge: Knowledge) -> Reply:
    return _null(messages, knowledge) if _answers(messages) else _perfect(messages, knowledge)


def _mixture(messages: Sequence[Message], knowledge: Knowledge) -> Reply:
    """Do the job, obey the plan, or stop half-way, with chances that differ by prompt type."""
    chance = _chance(knowledge.case_id)
    plan = _shown_plan(messages)
    if chance < _MIXTURE_SKILL[_guidance_word(knowledge.prompt_type)]:
        return _perfect(messages, knowledge)
    if plan is not None and knowledge.prompt_type.flaw_kind is not None:
        return _follow(plan, messages)
    steps = knowledge.reference.steps
    return _follow(Workflow(steps[: len(steps) - 1 - int(chance * len(steps) / 2)]), messages)


# Near the published means (62 % optimal, 51 % chain of thought, 54 % flawed), so that a demo looks plausible.
_MIXTURE_SKILL = {"baseline": 0.45, "cot": 0.55, "optimal": 0.9, "flawed": 0.5}


def _guidance_word(prompt_type: PromptType) -> str:
    return "flawed" if prompt_type.flaw_kind else prompt_type.value


_AGENTS: dict[str, Callable[[Sequence[Message], Knowledge], Reply]] = {
    "perfect": _perfect,
    "follower": _follower,
    "null": _null,
    "one-call": _one_call,
    "stubborn": _stubborn,
    "mixture": _mixture,
}
AGENTS = tuple(_AGENTS)


def _follow(workflow: Workflow, messages: Sequence[Message], *, retries: bool = True) -> Reply:
    """Replay what was answered so far and make the next call, or answer."""
    progress = begin(workflow)
    answers = _answers(messages)
    for content in answers:
        progress = advance(workflow, progress, _see(content), retries=retries)
    return _reply(workflow, progress, call_number=len(answers) + 1)


def _reply(workflow: Workflow, progress: Progress, *, call_number: int) -> Reply:
    call = next_call(workflow, progress)
    if call is None:
        return Reply(text=answer_text(workflow, progress))
    arguments = msgspec.json.encode(call.arguments).decode()
    return Reply(tool_calls=(ToolCall(f"call_{call_number}", call.tool, arguments),), finish_reason="tool_calls")


def _answers(messages: Sequence[Message]) -> list[str]:
    return [message["content"] for message in messages if message["role"] == "tool"]


def _see(content: str) -> Seen:
    answer = msgspec.json.decode(content)
    if "error" in answer:
        return Seen(is_success=False, is_transient=answer["transient"])
    return Seen(is_success=True, output=answer.get("handle"), value=answer.get("value"))


def _shown_plan(messages: Sequence[Message]) -> Workflow | None:
    return next((read(message["content"]) for message in messages if message["role"] == "user"), None)


def _chance(key: str) -> float:
    return int.from_bytes(hashlib.blake2b(key.encode(), digest_size=8).digest()) / 2**64
