"""An episode as a record: its case, its transcript and its score."""

from __future__ import annotations

from enum import StrEnum
from typing import Any

import msgspec

from pytest_ultra.core.axes import Visibility
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
    """Why an episode is not `full`; the last three are failures of the infrastructure."""

    TOOL_CALL_FORMAT = "tool_call_format"
    MALFORMED_GENERATION = "malformed_generation"
    TOOL_SELECTION = "tool_selection"
    PARAMETER_CONFIG = "parameter_config"
    SEQUENCE_ORDER = "sequence_order"
    DEPENDENCY = "dependency"
    MAX_TURNS = "max_turns"
    AGENT_TIMEOUT = "agent_timeout"
    GAVE_UP = "gave_up"
    TRUNCATED = "truncated"
    CONTEXT_OVERFLOW = "context_overflow"
    REFUSED = "refused"
    WRONG_DELIVERABLE = "wrong_deliverable"
    HARMFUL_SIDE_EFFECT = "harmful_side_effect"
    ENDPOINT = "endpoint"
    RATE_LIMIT = "rate_limit"
    HARNESS = "harness"

    @property
    def is_infrastructure(self) -> bool:
        return self in (FailureClass.ENDPOINT, FailureClass.RATE_LIMIT, FailureClass.HARNESS)


class Score(msgspec.Struct, frozen=True):
    """The score of a transcript, computed by the suite from its events alone.

    Rates are in [0, 1], and None if nothing could be measured (no plan, no damaged step, no call).
    `first_divergence` is the turn at which the model first left the plan it was shown.
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


class Usage(msgspec.Struct, frozen=True):
    """What an episode consumed. `requests` counts HTTP attempts; times are in seconds.

    `cached_tokens` and `cache_written_tokens` are part of `prompt_tokens`, `reasoning_tokens` of `completion_tokens`.
    `estimated_requests` counts the replies whose tokens are our estimate, as the endpoint did not report them. `cost`
    is in US dollars at the prices of the run; None if the model's price is unknown. `standstill_s` is the time
    in which pytest-ultra itself did not run, which is in none of the other times. `first_token_s` is the mean time to
    the first token of the replies that were streamed.
    """

    requests: Count = 0
    prompt_tokens: Count = 0
    completion_tokens: Count = 0
    model_time_s: Amount = 0.0
    tool_time_s: Amount = 0.0
    waiting_time_s: Amount = 0.0
    standstill_s: Amount = 0.0
    cost: Amount | None = None
    cached_tokens: Count = 0
    cache_written_tokens: Count = 0
    reasoning_tokens: Count = 0
    estimated_requests: Count = 0
    first_token_s: Amount | None = None


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
    record = {"case_id": episode.case_id, "nodeid": episode.nodeid, **msgspec.to_builtins(case)}
    record["flaw_kind"] = case.prompt_type.flaw_kind
    record |= msgspec.to_builtins(episode.score) | msgspec.to_builtins(episode.usage)
    names = ("worker", "started_at", "duration_s", "error", "reused", "proved_visibility")
    record |= {name: getattr(episode, name) for name in names}
    record |= {name: getattr(episode, name) for name in episode.__struct_fields__ if name.endswith("_version")}
    return record
