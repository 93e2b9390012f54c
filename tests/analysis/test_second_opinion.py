"""Every figure of a run agrees with an independent computation from the lines of its journals."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import msgspec
import pytest

from pytest_ultra.analysis.run_comparison import compare_runs
from pytest_ultra.analysis.summary import summarize
from pytest_ultra.core.axes import Difficulty, PromptType, PromptVariant, Severity, TaskType
from pytest_ultra.core.episode import Episode, FailureClass, Outcome
from pytest_ultra.reporting.terminal_summary import end_of_run
from pytest_ultra.storage.journal import Journal, read_episodes
from pytest_ultra.storage.run_directory import RunDirectory
from tests import independent, independent_runs
from tests.independent_words import assert_shown
from tests.results_factory import make_case, make_episode

CHANCES = {PromptType.OPTIMAL: 0.85, PromptType.BASELINE: 0.5, PromptType.COT: 0.55}


def draw_episode(chance: random.Random, **axes: Any) -> Episode:
    case = make_case(**axes)
    is_full = chance.random() < CHANCES.get(case.prompt_type, 0.6)
    others = [Outcome.PARTIAL, Outcome.FAILED, Outcome.FAILED, Outcome.ERROR, Outcome.SKIPPED]
    outcome = Outcome.FULL if is_full else chance.choice(others)
    faults = chance.randint(0, 3)
    return make_episode(
        case,
        outcome,
        failure_class=draw_class(chance, outcome),
        obedience=chance.choice([None, 0.0, 0.5, 1.0]) if case.prompt_type.flaw_kind else None,
        **draw_conduct(chance, case.prompt_type),
        random_faults=faults,
        recovered_faults=chance.randint(0, faults),
        tool_calls=chance.randint(0, 20),
        turns=chance.randint(1, 30),
        prompt_tokens=chance.randint(0, 20_000),
        completion_tokens=chance.randint(0, 900),
        cost=chance.choice([None, chance.random() / 50]) if case.model != "b" else None,
        estimated_requests=chance.randint(0, 3),
        first_token_s=chance.choice([None, chance.random()]),
        duration_s=chance.expovariate(0.1),
        started_at=1_700_000_000 + chance.random() * 3600,
        reused=chance.random() < 0.2,
        scorer_version=axes.get("seed", 0) + 1,
    )


def draw_conduct(chance: random.Random, prompt_type: PromptType) -> dict[str, Any]:
    """Draw the measures of the newer scorer, which an episode of an older one lacks."""
    if chance.random() < 0.1:
        return {}
    flawed, sound = bool(prompt_type.flaw_kind), prompt_type in (PromptType.OPTIMAL, PromptType.ALTERNATIVE)
    return {
        "harms": chance.randint(0, 2),
        "claimed_done": chance.choice([None, True, False]),
        "damaged_steps": 3 * flawed,
        "obeyed_steps": chance.randint(0, 3) * flawed,
        "sound_steps": 4 * sound,
        "distrusted_steps": chance.randint(0, 1) * sound,
        "look_ups": chance.randint(0, 5),
    }


def draw_class(chance: random.Random, outcome: Outcome) -> FailureClass | None:
    if outcome in (Outcome.FULL, Outcome.SKIPPED):
        return None
    return chance.choice([name for name in FailureClass if name.is_infrastructure == (outcome is Outcome.ERROR)])


def draw_run(chance: random.Random, kind: str) -> list[Episode]:
    """Draw a run of a kind, with gaps: some controls are missing."""
    models, rates, severities, repeats, variants, instances = KINDS[kind]
    return [
        draw_episode(
            chance,
            prompt_type=prompt_type,
            model=model,
            tool_success_rate=rate,
            severity=severity if prompt_type.flaw_kind else None,
            repeat=repeat,
            prompt_variant=variant,
            task_type=task_type,
            difficulty=Difficulty.HARD,
            instance=instance,
            seed=int(kind == "versions" and instance % 2),
        )
        for model in models
        for rate in rates
        for prompt_type in PromptType
        for severity in (severities if prompt_type.flaw_kind else severities[:1])
        for repeat in range(repeats)
        for variant in variants
        for task_type in (TaskType.SIMPLE_TASK, TaskType.DATA_PIPELINE)
        for instance in range(instances)
        if chance.random() < 0.93
    ]


STANDARD, ALL = (PromptVariant.STANDARD,), tuple(Severity)
KINDS: dict[
    str, tuple[tuple[str, ...], tuple[float, ...], tuple[Severity, ...], int, tuple[PromptVariant, ...], int]
] = {
    "plain": (("a",), (0.8,), ALL[2:], 1, STANDARD, 7),  # 14 tasks, of which all sets can be enumerated
    "small": (("demo/perfect", "b"), (0.8,), ALL[2:], 1, STANDARD, 1),
    "repeats": (("a", "b"), (0.8,), ALL[2:], 4, STANDARD, 4),
    "axes": (("demo?latency=1",), (0.6, 0.9), ALL, 2, (PromptVariant.STANDARD, PromptVariant.CANARY), 2),
    "versions": (("a",), (1.0,), ALL[:1], 1, STANDARD, 6),
}


def write_journals(run: RunDirectory, chance: random.Random, episodes: list[Episode]) -> None:
    """Write episodes to the journals of two workers, some after an earlier episode of the case that was an error."""
    journals = [Journal(run, worker) for worker in ("gw0", "gw1")]
    for episode in episodes:
        if chance.random() < 0.1:
            score = msgspec.structs.replace(episode.score, outcome=Outcome.ERROR)
            earlier = {"score": score, "started_at": episode.started_at - 9999.0, "reused": episode.reused}
            journals[0].append(msgspec.structs.replace(episode, **earlier))
        chance.choice(journals).append(episode)
    for journal in journals:
        journal.close()


def identify(episode: dict[str, Any]) -> str:
    return msgspec.convert(episode, Episode).case_id


def assert_alike(found: Any, expected: Any, where: str = "summary") -> None:
    if isinstance(expected, dict):
        assert set(found) == set(expected), where
        for name, value in expected.items():
            assert_alike(found[name], value, f"{where}.{name}")
    elif isinstance(expected, list):
        assert len(found) == len(expected), where
        for number, value in enumerate(expected):
            assert_alike(found[number], value, f"{where}[{number}]")
    elif isinstance(expected, float):
        assert found == pytest.approx(expected, rel=1e-9, abs=1e-9), where
    else:
        assert found == expected, where


@pytest.mark.parametrize("kind", KINDS)
def test_every_figure_of_the_summary_agrees_with_the_journals(kind: str, tmp_path: Path) -> None:
    chance = random.Random(kind)
    run = RunDirectory.create(tmp_path, {}, started_at=1_700_000_000.0)
    write_journals(run, chance, draw_run(chance, kind))
    found = msgspec.to_builtins(summarize(read_episodes(run).episodes))
    assert_alike(found, independent.summary(independent.read_journals(run.path), identify))


@pytest.mark.parametrize(("one", "other"), [("repeats", "repeats"), ("small", "small"), ("plain", "versions")])
def test_every_figure_of_two_runs_agrees_with_the_journals(one: str, other: str, tmp_path: Path) -> None:
    chance = random.Random(one + other)
    runs = [RunDirectory.create(tmp_path, {}, started_at=1_700_000_000.0) for _ in range(2)]
    for run, kind in zip(runs, (one, other), strict=True):
        write_journals(run, chance, draw_run(chance, kind))
    new, old = (read_episodes(run).episodes for run in runs)
    found = msgspec.to_builtins(compare_runs(new, old))
    journals = [independent.read_journals(run.path) for run in runs]
    assert_alike(found, independent_runs.compare_runs(journals[0], journals[1], identify))


def test_every_figure_of_two_models_runs_agrees_with_the_journals(tmp_path: Path) -> None:
    chance = random.Random(3)
    runs = [RunDirectory.create(tmp_path, {}, started_at=1_700_000_000.0) for _ in range(2)]
    for run, model in zip(runs, "ab", strict=True):
        write_journals(run, chance, [episode for episode in draw_run(chance, "repeats") if episode.case.model == model])
    new, old = (read_episodes(run).episodes for run in runs)
    found = msgspec.to_builtins(compare_runs(new, old))
    journals = [independent.read_journals(run.path) for run in runs]
    assert_alike(found, independent_runs.compare_runs(journals[0], journals[1], identify))
    assert found["groups"][0]["difference"]["pairs"] > 100


def test_every_figure_of_the_terminal_agrees_with_the_journals(tmp_path: Path) -> None:
    chance = random.Random(8)
    run = RunDirectory.create(tmp_path, {}, started_at=1_700_000_000.0)
    write_journals(run, chance, draw_run(chance, "repeats"))
    shown = [line.text for line in end_of_run(summarize(read_episodes(run).episodes), 500)]
    assert_shown(shown, independent.summary(independent.read_journals(run.path), identify))
