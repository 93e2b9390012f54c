"""A run as an eval log of Inspect, in JSON: `inspect view` opens it."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from typing import Any

from pytest_ultra import __version__
from pytest_ultra.collection.run_suite import SUITE, open_guidance_cache
from pytest_ultra.core.episode import Episode, Outcome, flatten
from pytest_ultra.core.transcript import Answered, Discovered, Replied, ToolCall
from pytest_ultra.errors import ConfigurationError
from pytest_ultra.reporting.comparison_lines import case_name
from pytest_ultra.reporting.labels import FAILURE_CLASSES, OUTCOMES
from pytest_ultra.reporting.text import compact
from pytest_ultra.storage.codec import encode
from pytest_ultra.storage.guidance_cache import GuidanceCache
from pytest_ultra.storage.run_directory import RunDirectory

LOG_VERSION = 2
_GRADES = {Outcome.FULL: "C", Outcome.PARTIAL: "P", Outcome.FAILED: "I"}
_SCORER = "pytest_ultra"

Json = dict[str, Any]


def to_inspect_log(run: RunDirectory, episodes: Sequence[Episode]) -> bytes:
    """Return the log of a run: a sample an episode, with its messages and its grade.

    Source: `EvalLog` of inspect_ai.log. Only what is not the default there is written.
    """
    if not episodes:
        raise ConfigurationError(f"the run {run.run_id} holds no episodes, so there is nothing to export")
    guidance = open_guidance_cache(run)
    log = {
        "version": LOG_VERSION,
        "status": "success",
        "eval": _spec(run, episodes),
        "results": _results(episodes),
        "stats": {"model_usage": {model: _add_up(found) for model, found in _by_model(episodes).items()}},
        "samples": [_sample(episode, _opening(episode, guidance)) for episode in episodes],
    }
    return encode(log)


def _spec(run: RunDirectory, episodes: Sequence[Episode]) -> Json:
    return {
        "run_id": run.run_id,
        "eval_id": run.run_id,
        "task_id": run.run_id,
        "task": "pytest-ultra",
        "created": run.describe()["started_at"],
        "dataset": {"name": "pytest-ultra", "samples": len(episodes), "shuffled": False},
        "model": ", ".join(sorted(_by_model(episodes))),
        "config": {},
        "packages": {"pytest-ultra": __version__},
        "scorers": [{"name": _SCORER}],
    }


def _results(episodes: Sequence[Episode]) -> Json:
    scored = [episode for episode in episodes if episode.outcome.is_scored]
    full = sum(episode.outcome is Outcome.FULL for episode in scored)
    metrics = {"accuracy": {"name": "accuracy", "value": full / len(scored)}} if scored else {}
    return {
        "total_samples": len(episodes),
        "completed_samples": len(scored),
        "scores": [{"name": _SCORER, "scorer": _SCORER, "scored_samples": len(scored), "metrics": metrics}],
    }


def _by_model(episodes: Iterable[Episode]) -> dict[str, list[Episode]]:
    found: dict[str, list[Episode]] = {}
    for episode in episodes:
        found.setdefault(episode.case.model, []).append(episode)
    return found


def _sample(episode: Episode, first: Sequence[Json]) -> Json:
    usage, outcome = episode.usage, episode.outcome
    answers = [_assistant(event) for event in episode.transcript if isinstance(event, Replied)]
    sample = {
        "id": case_name(episode.nodeid),
        "epoch": 1,
        "input": [*first[-1:]],
        "target": "all deliverables of the job, and no harm",
        "messages": [*first, *_messages(episode)],
        "output": {"model": episode.case.model, "choices": [_choice(answers[-1])] if answers else []},
        "metadata": flatten(episode),
        "model_usage": {episode.case.model: _add_up([episode])},
        "total_time": episode.duration_s,
        "working_time": usage.model_time_s + usage.tool_time_s,
        "turn_count": episode.score.turns,
    }
    if episode.started_at:
        sample["started_at"] = datetime.fromtimestamp(episode.started_at, UTC).isoformat()
    if outcome.is_scored:
        sample["scores"] = {_SCORER: _score(episode)}
    else:
        reason = f"{outcome}: {episode.error or OUTCOMES[outcome]}"
        sample["error"] = {"message": reason, "traceback": reason, "traceback_ansi": reason}
    return sample


def _score(episode: Episode) -> Json:
    failure_class = episode.score.failure_class
    cause = f"; {failure_class}: {FAILURE_CLASSES[failure_class]}" if failure_class else ""
    explanation = OUTCOMES[episode.outcome] + cause
    return {"value": _GRADES[episode.outcome], "answer": str(episode.outcome), "explanation": explanation}


def _add_up(episodes: Sequence[Episode]) -> Json:
    prompts = sum(episode.usage.prompt_tokens or 0 for episode in episodes)
    completions = sum(episode.usage.completion_tokens or 0 for episode in episodes)
    return {"input_tokens": prompts, "output_tokens": completions, "total_tokens": prompts + completions}


def _opening(episode: Episode, guidance: GuidanceCache) -> Sequence[Json]:
    """Return the first messages to the model; if they are missing on disk, a message that says so."""
    try:
        return SUITE.begin(episode.case, guidance.get(episode.case)).request().messages
    except (LookupError, ConfigurationError, OSError):
        return [{"role": "user", "content": "(the job is no longer in the run's folder)"}]


def _messages(episode: Episode) -> Iterator[Json]:
    for event in episode.transcript:
        if isinstance(event, Replied):
            yield _assistant(event)
        elif isinstance(event, Answered | Discovered):
            result = event.result
            text = compact(result.value) if result.is_success else f"{result.code}: {result.message}"
            message = {"role": "tool", "content": text, "tool_call_id": event.call.id, "function": event.call.name}
            yield message | ({} if result.is_success else {"error": {"type": "unknown", "message": text}})


def _assistant(event: Replied) -> Json:
    message: Json = {"role": "assistant", "content": event.text, "source": "generate"}
    calls = [_call(call) for call in event.reply.tool_calls]
    return message | ({"tool_calls": calls} if calls else {})


def _call(call: ToolCall) -> Json:
    """Return a call; arguments that are no JSON object stay the text that was sent."""
    record = {"id": call.id, "function": call.name, "type": "function"}
    try:
        arguments = json.loads(call.arguments)
    except (ValueError, RecursionError):
        arguments = None
    if isinstance(arguments, dict):
        return record | {"arguments": arguments}
    return record | {"arguments": {"text": call.arguments}, "parse_error": "the arguments are no JSON object"}


def _choice(message: Json) -> Json:
    return {"message": message, "stop_reason": "tool_calls" if message.get("tool_calls") else "stop"}
