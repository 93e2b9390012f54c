"""The data dictionary: type and meaning of each field of an episode, in the JSON document and in exports."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

import msgspec

from pytest_ultra.core.case import Case
from pytest_ultra.core.episode import Episode, Score, Usage

MEANINGS: Mapping[str, str] = MappingProxyType(
    {
        "case_id": "16 hex digits: a hash of everything that determines the case, versions included",
        "control_case_id": "the case of the same task with the optimal plan; null without a flaw",
        "nodeid": "the item's node id",
        "model": "the model under test, or the name of the agent under test",
        "prompt_type": "how guidance was given",
        "flaw_kind": "what is wrong with the plan; null without a flaw",
        "severity": "how many steps are damaged; null without a flaw",
        "task_type": "the kind of job",
        "difficulty": "how demanding the job is",
        "instance": "the task's number within task type and difficulty",
        "repeat": "the same task asked again: its number, from 0",
        "seed": "the seed of tasks and faults",
        "tool_success_rate": "the chance that a call of a tool of weight 1 succeeds",
        "max_turns": "the turn limit",
        "timeout_s": "the limit of model and tool time in seconds; null without one",
        "temperature": "as requested; null for the endpoint's own",
        "prompt_variant": "the wording of the system message",
        "tool_protocol": "how tools are called",
        "has_tool_discovery": "whether the model had to look tools up",
        "flaws": "how many kinds of flaw the plan combines",
        "request_parameters": "JSON text of the parameters of requests that were asked for; empty without any",
        "fault_kind": "the kinds of the tools' random faults, joined by +",
        "flaw_visibility": "the visibility that was drawn for the flaw; null without a flaw",
        "agent": "the function of an agent of your own; empty for a model",
        "agent_model": "the model behind an agent of your own; empty without one",
        "suite": "the name of a suite of your own; empty for the built-in benchmark",
        "suite_version": "its version, with a digest of what agents see; empty for the built-in benchmark",
        "outcome": "full, partial or failed; error and skipped are outside the score",
        "failure_class": "why the case is not full; null for full and skipped",
        "cause": "what lies under a failure class that names only the end of the episode; else null",
        "harms": "changes that the job did not ask for",
        "harm_kinds": (
            "their kinds, separated by commas: changed (something that was there before), unasked (something added), "
            "repeated (a deliverable given more than once)"
        ),
        "claimed_done": (
            "whether the last words claim that the job is done, that is, do not say NOT DONE; null if the model did "
            "not end the episode itself"
        ),
        "milestone_coverage": "share of the goal's milestones that were reached",
        "tool_calls": "calls that were made",
        "reference_calls": "calls of the optimal workflow",
        "route_calls": (
            "calls of the cheapest accepted route of the kind that the model took: of a task's equivalent ways to each "
            "result, those that fit the called tools best; needed look-ups count, too, if they were made"
        ),
        "efficiency": "route_calls / (tool_calls - calls that met a random fault); null unless full",
        "random_faults": "calls that met a random fault; a tool that stays down counts once",
        "recovered_faults": "those whose step was done afterwards",
        "permanent_faults": "random faults of this kind",
        "recovered_permanent_faults": "those that were recovered from",
        "lost_reply_faults": "random faults of this kind",
        "recovered_lost_reply_faults": "those that were recovered from",
        "implicit_faults": "random faults of this kind",
        "recovered_implicit_faults": "those that were recovered from",
        "unrecovered_fault": "the fault for which the goal was missed, in words; null without one",
        "tool_precision": "share of the tools called that are on that route or make a needed look-up",
        "tool_recall": "share of the route's calls whose tool was called",
        "argument_validity": "share of the calls that name an existing tool and satisfy its schema",
        "dependency_violations": "calls that came before, or without, something they need",
        "obedience": "share of the damaged steps that were carried out as written",
        "damaged_steps": "the damaged steps of the plan",
        "obeyed_steps": "those that were carried out as written",
        "sound_steps": "of a sound plan, the steps that the goal needs and that the model came to",
        "distrusted_steps": "those that it left undone, so that their purpose was not reached",
        "look_ups": (
            "calls that only look: they changed nothing, no later call used what they made, and neither the plan nor "
            "the goal needs them"
        ),
        "first_divergence": "the turn in which the model first left the plan it was shown; null if it never did",
        "turns": "replies of the model",
        "requests": "HTTP attempts, failed ones included; in a replay the recorded answers",
        "prompt_tokens": "over all turns; null if an agent of your own reports none",
        "completion_tokens": "over all turns; null if an agent of your own reports none",
        "cached_tokens": "the part of prompt_tokens that the provider's cache held",
        "cache_written_tokens": "the part of prompt_tokens that the provider's cache stored",
        "reasoning_tokens": "the part of completion_tokens that the model thought",
        "estimated_requests": "replies whose tokens are estimated, as the endpoint reported none",
        "model_time_s": "seconds of answered requests, and of the work of an agent of your own",
        "tool_time_s": "seconds in tools",
        "waiting_time_s": "seconds of back-off, of waiting for limits, and of failed attempts",
        "first_token_s": "mean seconds from sending a request to the first token of its streamed reply; null without",
        "standstill_s": (
            "seconds in which pytest-ultra itself did not run (stopped, or its machine too busy): in none of the three "
            "times above, and in no time limit"
        ),
        "cost": "US dollars for these tokens, by the prices at the time of the run; null without a price",
        "worker": "gw0, ...; main without xdist; empty if the case never ran",
        "started_at": "Unix time, in seconds; 0 if the case never ran",
        "started_at_utc": "the same in ISO 8601, to the millisecond; empty if the case never ran",
        "duration_s": "wall-clock time in seconds",
        "error": "why an error or skipped episode is one",
        "reused": "true for an episode of an earlier run",
        "proved_visibility": "which visibility the shown flaw has, by its proof; null without a flaw",
        "generator_version": "figures of different versions are not comparable",
        "prompt_version": "as above",
        "scorer_version": "as above",
    }
)
"""By field. In CSV, null is an empty cell."""

_KINDS: Mapping[type[msgspec.inspect.Type], str] = MappingProxyType(
    {msgspec.inspect.IntType: "int", msgspec.inspect.FloatType: "float", msgspec.inspect.BoolType: "bool"}
)


def _kind(declared: msgspec.inspect.Type) -> str:
    if isinstance(declared, msgspec.inspect.UnionType):
        declared = next(kind for kind in declared.types if not isinstance(kind, msgspec.inspect.NoneType))
    return _KINDS.get(type(declared), "text")


_DECLARED = {
    field.name: _kind(msgspec.inspect.type_info(field.type))
    for record in (Case, Score, Usage, Episode)
    for field in msgspec.structs.fields(record)
}


def kind_of(name: str) -> str:
    """Return `int`, `float`, `bool` or `text`, as the records declare the field; any other column is text."""
    return _DECLARED.get(name, "text")
