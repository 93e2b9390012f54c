"""What a run found out about its endpoints is said once, and only where it concerns the user."""

from __future__ import annotations

from pytest_ultra.core.axes import PromptType
from pytest_ultra.core.episode import Episode, Outcome, Score, Usage
from pytest_ultra.core.transcript import Attempted, Event, FellBack
from pytest_ultra.reporting.notices import tell_findings
from tests.results_factory import make_case, make_nodeid

REJECTED = Attempted(1, 0.1, "parameter", 400, "asked again without temperature: unsupported")
AWAY = Attempted(1, 0.1, "status", 401, "http://h KEY_A: wrong key")


def lived(*events: Event, outcome: Outcome = Outcome.FAILED) -> Episode:
    case = make_case(PromptType.OPTIMAL, model="m")
    return Episode(case, make_nodeid(case), Score(outcome), Usage(), "gw0", 0.0, 1.0, transcript=events)


def test_each_finding_is_told_once() -> None:
    assert tell_findings([lived(REJECTED, AWAY), lived(AWAY), lived(REJECTED)]) == [
        "model m was asked again without temperature: unsupported",
        "model m was asked elsewhere, since an endpoint says 401: http://h KEY_A: wrong key",
    ]


def test_what_ended_an_episode_is_told_there_and_a_rejection_of_tools_is_none_of_the_model() -> None:
    assert tell_findings([lived(AWAY, outcome=Outcome.ERROR)]) == []
    assert tell_findings([lived(Attempted(1, 0.1, "status", 404, "no tools"), FellBack(1, "no tools"))]) == []


def test_where_nothing_was_found_nothing_is_told() -> None:
    assert tell_findings([lived(Attempted(1, 0.1), Attempted(1, 0.1, "status", 500, "busy"))]) == []
