"""Paired differences between prompt types, models and runs."""

from __future__ import annotations

from typing import Any

import pytest

from pytest_ultra.analysis.paired_difference import adjust_p_values, compare
from pytest_ultra.core.axes import PromptType, Severity
from pytest_ultra.core.episode import Episode, Outcome
from pytest_ultra.core.paired_evidence import Caveat, Contrast, Evidence, PairedDifference
from tests.results_factory import make_case, make_episode

FULL, PARTIAL, FAILED, ERROR, SKIPPED = Outcome
MISUSE, MISSING = PromptType.FLAWED_TOOL_MISUSE, PromptType.FLAWED_MISSING_STEP


def episodes_of(prompt_type: PromptType, *outcomes: Outcome, **axes: Any) -> list[Episode]:
    return [make_episode(make_case(prompt_type, instance=i, **axes), o) for i, o in enumerate(outcomes)]


def difference(sample: list[Episode], reference: list[Episode], over: Contrast) -> PairedDifference:
    found = compare(sample, reference, over)
    assert found is not None
    return found


def test_any_prompt_type_can_be_compared_with_any_other() -> None:
    found = difference(
        episodes_of(PromptType.COT, FULL, FAILED, FULL),
        episodes_of(PromptType.BASELINE, FAILED, PARTIAL, FULL),
        Contrast.PROMPT_TYPE,
    )
    assert (found.pairs, found.won, found.lost, found.tasks) == (3, 1, 0, 3)


def test_flaws_are_compared_severity_by_severity() -> None:
    sample = [e for s in Severity for e in episodes_of(MISUSE, FULL, severity=s)]
    reference = [e for s in Severity for e in episodes_of(MISSING, FAILED, severity=s)]
    assert difference(sample, reference, Contrast.PROMPT_TYPE).pairs == 3
    assert difference(sample, episodes_of(PromptType.OPTIMAL, FULL), Contrast.PROMPT_TYPE).pairs == 3
    assert difference(episodes_of(PromptType.OPTIMAL, FULL), sample, Contrast.PROMPT_TYPE).pairs == 3


def test_models_are_compared_over_cases_that_differ_only_in_the_model() -> None:
    sample = episodes_of(MISUSE, FULL, FULL, model="a") + episodes_of(MISSING, FAILED, model="a")
    reference = episodes_of(MISUSE, FAILED, FULL, model="b") + episodes_of(MISSING, FULL, model="b", temperature=1.0)
    found = difference(sample, reference, Contrast.MODEL)
    assert (found.pairs, found.won, found.lost, found.unpaired) == (2, 1, 0, 1)


def test_runs_are_compared_over_the_same_cases() -> None:
    found = difference(episodes_of(MISUSE, FULL, FULL), episodes_of(MISUSE, FAILED, FULL), Contrast.RUN)
    assert (found.pairs, found.won, found.lost) == (2, 1, 0)
    assert compare(episodes_of(MISUSE, FULL, model="a"), episodes_of(MISUSE, FULL, model="b"), Contrast.RUN) is None


def test_pairs_of_a_task_are_one_cluster() -> None:
    sample = [e for repeat in range(4) for e in episodes_of(MISUSE, FULL, FAILED, repeat=repeat)]
    reference = [e for repeat in range(4) for e in episodes_of(PromptType.OPTIMAL, FULL, FULL, repeat=repeat)]
    found = difference(sample, reference, Contrast.PROMPT_TYPE)
    assert (found.pairs, found.lost, found.tasks) == (8, 4, 2)


def test_a_single_task_gives_no_interval() -> None:
    found = difference(episodes_of(MISUSE, FULL), episodes_of(PromptType.OPTIMAL, FAILED), Contrast.PROMPT_TYPE)
    assert (found.low, found.high, found.value) == (None, None, 1.0)


@pytest.mark.parametrize("outcome", [FULL, FAILED])
def test_without_a_discordant_pair_there_is_a_caveat_and_an_interval_with_a_width(outcome: Outcome) -> None:
    found = difference(
        episodes_of(MISUSE, *[outcome] * 20), episodes_of(PromptType.OPTIMAL, *[outcome] * 20), Contrast.PROMPT_TYPE
    )
    assert found.caveats == (Caveat.NO_DISCORDANT_PAIRS,)
    assert found.low is not None
    assert found.high is not None
    assert found.low < -0.1 < 0.1 < found.high
    assert found.p_value == 1.0


def test_fewer_tasks_than_could_ever_be_significant_are_few() -> None:
    few, enough = (
        difference(
            episodes_of(MISUSE, *[FAILED] * n), episodes_of(PromptType.OPTIMAL, *[FULL] * n), Contrast.PROMPT_TYPE
        )
        for n in (4, 5)
    )
    assert (few.caveats, enough.caveats) == ((Caveat.FEW_TASKS,), ())
    assert (few.evidence, enough.evidence) == (Evidence.NONE, Evidence.WORSE)
    assert max(few.p_value, enough.p_value) < 0.05


def test_evidence_follows_from_the_corrected_p_and_detection_from_its_level() -> None:
    lost, alike = (
        difference(episodes_of(MISUSE, *out), episodes_of(PromptType.OPTIMAL, *[FULL] * 20), Contrast.PROMPT_TYPE)
        for out in ([FAILED] * 5 + [FULL] * 15, [FULL] * 20)
    )
    assert (lost.evidence, alike.evidence) == (Evidence.WORSE, Evidence.NONE)
    corrected, *_ = adjust_p_values([lost, alike, alike])
    assert corrected.p_adjusted == 3 * lost.p_value > 0.05
    assert corrected.evidence is Evidence.NONE
    assert corrected.detectable is not None
    assert lost.detectable is not None
    assert corrected.detectable > lost.detectable
    assert (corrected.tasks_needed or 0) > (lost.tasks_needed or 0) > 20
    assert corrected.effective_pairs == 20


def test_scored_cases_without_a_scored_counterpart_are_counted() -> None:
    sample = episodes_of(MISUSE, FULL, FULL, FULL, ERROR)
    found = difference(sample, episodes_of(PromptType.OPTIMAL, FULL, ERROR, SKIPPED, FULL), Contrast.PROMPT_TYPE)
    assert (found.pairs, found.unpaired) == (1, 2)
    assert Caveat.UNPAIRED in found.caveats


def test_without_a_pair_there_is_no_difference() -> None:
    assert compare(episodes_of(MISUSE, FULL), episodes_of(PromptType.OPTIMAL, ERROR), Contrast.PROMPT_TYPE) is None
    assert compare([], [], Contrast.RUN) is None


def test_flaws_that_share_their_controls_give_a_wider_interval_than_pairs_with_their_own() -> None:
    """All controls succeeded, but only 12 of them show how often they would fail, not 24."""
    controls = episodes_of(PromptType.OPTIMAL, *[FULL] * 12)
    sharing = episodes_of(MISUSE, *[FULL] * 9, *[FAILED] * 3) + episodes_of(MISSING, *[FAILED] * 3, *[FULL] * 9)
    own = [e for repeat in range(2) for e in episodes_of(PromptType.OPTIMAL, *[FULL] * 12, repeat=repeat)]
    repeated = episodes_of(MISUSE, *[FULL] * 9, *[FAILED] * 3) + episodes_of(
        MISUSE, *[FAILED] * 3, *[FULL] * 9, repeat=1
    )
    shared, apart = difference(sharing, controls, Contrast.PROMPT_TYPE), difference(repeated, own, Contrast.PROMPT_TYPE)
    assert (shared.pairs, shared.lost) == (apart.pairs, apart.lost) == (24, 6)
    assert shared.low is not None
    assert apart.low is not None
    assert shared.low < apart.low - 0.01
