"""The prompt wordings: the same content in other words, to measure how much a model depends on one wording."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from pytest_ultra.agents.text_protocol.text_messages import CALL_FORMAT
from pytest_ultra.core.axes import PromptVariant


class Wording(msgspec.Struct, frozen=True):
    """The texts of one prompt variant. `job` contains the task's words; `text_protocol` precedes the list of tools.

    `references` explains the references in a plan.
    """

    system: str
    text_protocol: str
    discovery: str
    job: str
    cot: str
    plan: str
    references: str


_STANDARD = Wording(
    system="""\
You get jobs done by calling tools.
A tool keeps what it produces under a handle such as data_1 and shows you a short preview; where a tool \
takes `data`, give it a handle.
An error marked "transient": true was bad luck and changed nothing; any other error says what is wrong.
Do what the job asks and nothing beyond it. When it is done, reply without calling a tool. If the job asks \
for an answer, end that reply with a line "ANSWER: " followed by the value. If you could not do the job, end it with a \
line "NOT DONE: " followed by the reason.""",
    text_protocol=f"""\
To call a tool, write {CALL_FORMAT} with its name and its arguments as JSON. You may make several calls in one reply. \
The results come back in the same order, each in <tool_result>...</tool_result>.
These are the tools, one a line, with the JSON Schema of their arguments:""",
    discovery="""\
There are more tools than search_tools and describe_tool. Find them with search_tools, and have each one described \
with describe_tool before you call it for the first time.""",
    job="{words}",
    cot="Think step by step: before each call, say briefly what is still missing and which call comes next.",
    plan="Here is a workflow for this job:",
    references="In it, <output of step N> stands for the handle of what step N produced.",
)
_BRIEF = Wording(
    system="""\
Do the job with the tools.
Outputs get handles (data_1, data_2, ...) and are previewed; a `data` argument takes a handle.
Errors with "transient": true are bad luck, nothing was changed; other errors say what is wrong.
Do only what is asked. When done, reply without a tool call; if an answer is asked for, last line: "ANSWER: " and \
the value. If you could not do the job, last line: "NOT DONE: " and the reason.""",
    text_protocol=f"""\
Call a tool: {CALL_FORMAT}, arguments as JSON, several calls a reply allowed. Results: <tool_result>...</tool_result>, \
in the same order.
Tools, one a line, with the JSON Schema of the arguments:""",
    discovery="""\
More tools exist than search_tools and describe_tool. Find them with search_tools; describe_tool before a tool's \
first call.""",
    job="Job: {words}",
    cot="Step by step: before each call, say in brief what is missing and which call is next.",
    plan="Workflow:",
    references="<output of step N>: the handle of step N's output.",
)
_FORMAL = Wording(
    system="""\
You are an assistant whose task is to complete assignments by means of the tools provided.
Whatever a tool produces is stored under a handle, for example data_1, of which a short preview is presented to you. \
Wherever a tool requires the argument `data`, a handle is to be supplied.
An error that carries "transient": true has occurred by chance and has left everything unchanged. Any other error \
states what is wrong.
Kindly perform what the assignment requires, and nothing further. Upon completion, reply without calling any tool. \
Should the assignment require an answer, conclude that reply with a line consisting of "ANSWER: " and the value. \
Should it have proved impossible to complete the assignment, conclude the reply with a line consisting of \
"NOT DONE: " and the reason.""",
    text_protocol=f"""\
In order to call a tool, write {CALL_FORMAT}, stating its name, and its arguments in the form of JSON. A reply may \
contain several calls. Their results will be returned in the same order, each enclosed in \
<tool_result>...</tool_result>.
The following tools are available, one on each line, together with the JSON Schema of their arguments:""",
    discovery="""\
Further tools exist besides search_tools and describe_tool. They can be found by means of search_tools, and each of \
them is to be described by means of describe_tool before it is called for the first time.""",
    job="The following assignment is to be completed:\n{words}",
    cot="""\
Please proceed step by step: prior to each call, state briefly what is still missing and which call follows next.""",
    plan="The following workflow is provided for this assignment:",
    references="Therein, <output of step N> denotes the handle of whatever step N has produced.",
)

WORDINGS: Mapping[PromptVariant, Wording] = {
    PromptVariant.STANDARD: _STANDARD,
    PromptVariant.BRIEF: _BRIEF,
    PromptVariant.FORMAL: _FORMAL,
    PromptVariant.CANARY: _STANDARD,
}
