"""An episode as a record: its case, its transcript and its score."""

from __future__ import annotations

from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

import msgspec

from pytest_ultra.core.axes import FaultKind, Visibility
from pytest_ultra.core.case import GENERATOR_VERSION, PROMPT_VERSION, SCORER_VERSION, Case, Versions
from pytest_ultra.core.json_types import Amount, Count, UnixTime
from pytest_ultra.core.transcript import Event


class Outcome(StrEnum):
    """The outcome of an episode; the last two are not scored."""

    FULL = "full"
    PARTIAL = "partial"
    FAILED = "failed"
    ERROR = "error"
    SKIPPED = "skipped"

    @property
    def is_scored(self) -> bool:
        return self in (Outcome.FULL, Outcome.PARTIAL, Outcome.FAILED)


class FailureClass(StrEnum):
    """Why an episode is not `full`; the last four are failures of the infrastructure."""

    TOOL_CALL_FORMAT = "tool_call_format"
    MALFORMED_GENERATION = "malformed_generation"
    TOOL_SELECTION = "tool_selection"
    PARAMETER_CONFIG = "parameter_config"
    SEQUENCE_ORDER = "sequence_order"
    DEPENDENCY = "dependency"
    UNRECOVERED_FAULT = "unrecovered_fault"
    MAX_TURNS = "max_turns"
    AGENT_TIMEOUT = "agent_timeout"
    GAVE_UP = "gave_up"
    TRUNCATED = "truncated"
    CONTEXT_OVERFLOW = "context_overflow"
    REFUSED = "refused"
    AGENT_ERROR = "agent_error"
    WRONG_DELIVERABLE = "wrong_deliverable"
    HARMFUL_SIDE_EFFECT = "harmful_side_effect"
    ENDPOINT = "endpoint"
    RATE_LIMIT = "rate_limit"
    AGENT_SETUP = "agent_setup"
    HARNESS = "harness"

    @property
    def is_infrastructure(self) -> bool:
        return self in _OF_INFRASTRUCTURE


_OF_INFRASTRUCTURE = (
    FailureClass.ENDPOINT,
    FailureClass.RATE_LIMIT,
    FailureClass.AGENT_SETUP,
    FailureClass.HARNESS,
)


class HarmKind(StrEnum):
    """What an episode did that its job did not ask for."""

    CHANGED = "changed"  # something that was there before was changed or removed
    UNASKED = "unasked"  # something was added: a payload, a message, a file, a log entry
    REPEATED = "repeated"  # a deliverable was given more than once


class Score(msgspec.Struct, frozen=True):
    """The score of a transcript, computed by the suite from its events alone.

    Rates are in [0, 1], and None if nothing could be measured (no plan, no damaged step, no call). Counts that are None
    were not measured by the version of the scorer.
    `first_divergence` is the turn at which the model first left the plan it was shown. `cause` is what lies under a
    `failure_class` that names only the end of the episode (`max_turns`, `agent_timeout`, `gave_up`, `agent_error`).
    `harms` counts the changes that the job did not ask for, whatever else was reached; `harm_kinds` names their kinds
    (`HarmKind`), separated by commas. `route_calls` is the number of calls of the cheapest accepted route of the kind
    taken, with the needed look-ups that were made; efficiency, precision and recall are about it. `claimed_done` says
    whether the last words claim that the job is done; None if the model did not end the episode itself.

    Of a flawed plan, `damaged_steps` counts the damaged steps, and `obeyed_steps` those carried out as written. Of a
    sound plan, `sound_steps` counts the steps that the goal needs and that the model came to, and `distrusted_steps`
    those that it did not carry out, so that their purpose was not reached. `look_ups` counts the calls that only look,
    and that neither the plan nor the goal needs. `random_faults` are of all kinds; those that the other counts leave
    are transient. `unrecovered_fault` describes the fault for which the goal was missed.
    """

    outcome: Outcome
    failure_class: FailureClass | None = None
    milestone_coverage: Amount = 0.0
    tool_calls: Count = 0
    reference_calls: Count = 0
    efficiency: Amount | None = None
    random_faults: Count = 0
    recovered_faults: Count = 0
    tool_precision: Amount | None = None
    tool_recall: Amount | None = None
    argument_validity: Amount | None = None
    dependency_violations: Count = 0
    obedience: Amount | None = None
    first_divergence: Count | None = None
    turns: Count = 0
    permanent_faults: Count = 0
    recovered_permanent_faults: Count = 0
    lost_reply_faults: Count = 0
    recovered_lost_reply_faults: Count = 0
    implicit_faults: Count = 0
    recovered_implicit_faults: Count = 0
    unrecovered_fault: str | None = None

    @property
    def recovery_by_kind(self) -> dict[FaultKind, tuple[int, int]]:
        """The faults recovered from and the faults met, by kind."""
        others = {
            FaultKind.PERMANENT: (self.recovered_permanent_faults, self.permanent_faults),
            FaultKind.LOST_REPLY: (self.recovered_lost_reply_faults, self.lost_reply_faults),
            FaultKind.IMPLICIT: (self.recovered_implicit_faults, self.implicit_faults),
        }
        recovered = self.recovered_faults - sum(recovered for recovered, _ in others.values())
        return {FaultKind.TRANSIENT: (recovered, self.random_faults - sum(met for _, met in others.values())), **others}

    cause: FailureClass | None = None
    harms: Count | None = None
    harm_kinds: str = ""
    route_calls: Count | None = None
    claimed_done: bool | None = None
    damaged_steps: Count = 0
    obeyed_steps: Count = 0
    sound_steps: Count = 0
    distrusted_steps: Count = 0
    look_ups: Count | None = None

    @property
    def is_false_success(self) -> bool:
        """Whether the job was not done, and the last words claim that it was."""
        return self.outcome.is_scored and self.outcome is not Outcome.FULL and self.claimed_done is True


class Usage(msgspec.Struct, frozen=True):
    """What an episode consumed. `requests` counts HTTP attempts; times are in seconds.

    `cached_tokens` and `cache_written_tokens` are part of `prompt_tokens`, `reasoning_tokens` of `completion_tokens`.
    Tokens are None if they are unknown, as those that an own agent uses without a report. `estimated_requests` counts
    the replies whose tokens are our estimate, as the endpoint did not report them. `cost` is in US dollars at the
    prices of the run; None if the model's price is unknown. `standstill_s` is the time in which pytest-ultra itself did
    not run, which is in none of the other times. `first_token_s` is the mean time to the first token of the replies
    that were streamed.
    """

    requests: Count = 0
    prompt_tokens: Count | None = 0
    completion_tokens: Count | None = 0
    model_time_s: Amount = 0.0
    tool_time_s: Amount = 0.0
    waiting_time_s: Amount = 0.0
    standstill_s: Amount = 0.0
    cost: Amount | None = None
    cached_tokens: Count | None = 0
    cache_written_tokens: Count | None = 0
    reasoning_tokens: Count | None = 0
    estimated_requests: Count = 0
    first_token_s: Amount | None = None

    @property
    def tokens(self) -> int | None:
        """All tokens, None if they are unknown."""
        if self.prompt_tokens is None or self.completion_tokens is None:
            return None
        return self.prompt_tokens + self.completion_tokens


class Episode(msgspec.Struct, frozen=True):
    """One run of a case. `started_at` is a Unix time; `plan` is the plan's text as shown, empty without one.

    `reused` means that the episode was taken from an earlier run. `proved_visibility` is that of the flaw that was
    shown, which can be another than the case asked for.
    """

    case: Case
    nodeid: str
    score: Score
    usage: Usage
    worker: str
    started_at: UnixTime
    duration_s: Amount
    error: str | None = None
    plan: str = ""
    transcript: tuple[Event, ...] = ()
    generator_version: int = GENERATOR_VERSION
    prompt_version: int = PROMPT_VERSION
    scorer_version: int = SCORER_VERSION
    reused: bool = False
    proved_visibility: Visibility | None = None

    @property
    def outcome(self) -> Outcome:
        return self.score.outcome

    @property
    def versions(self) -> Versions:
        return Versions(self.generator_version, self.prompt_version, self.scorer_version)

    @property
    def case_id(self) -> str:
        """The case's identity with the versions with which it was run, or scored last."""
        return self.case.identify(self.versions)


def flatten(episode: Episode) -> dict[str, Any]:
    """Return the episode as one flat JSON object without its transcript: an entry of the `--ultra-json` document."""
    case = episode.case
    control = case.control.identify(episode.versions) if case.prompt_type.flaw_kind else None
    record: dict[str, Any] = {"case_id": episode.case_id, "control_case_id": control, "nodeid": episode.nodeid}
    record |= msgspec.to_builtins(case)
    record["flaw_kind"] = case.prompt_type.flaw_kind
    record |= msgspec.to_builtins(episode.score) | msgspec.to_builtins(episode.usage)
    names = ("worker", "started_at", "duration_s", "error", "reused", "proved_visibility")
    record |= {name: getattr(episode, name) for name in names}
    record |= {name: getattr(episode, name) for name in episode.__struct_fields__ if name.endswith("_version")}
    record["started_at_utc"] = _in_utc(episode.started_at)
    return record


def _in_utc(at: float) -> str:
    """Return a Unix time in ISO 8601, such as `2026-01-31T09:45:12.510Z`; 0 stands for no time."""
    if not at:
        return ""
    return f"{datetime.fromtimestamp(at, UTC).isoformat(timespec='milliseconds').removesuffix('+00:00')}Z"
