"""Notices about replies: one per model and oddity, of the run's own episodes."""

from __future__ import annotations

import msgspec

from pytest_ultra.core.axes import PromptType
from pytest_ultra.core.episode import Episode, Outcome, Score, Usage
from pytest_ultra.core.transcript import Replied, Reply
from pytest_ultra.reporting.notices import Notices
from tests.results_factory import make_case, make_nodeid


def episode_with(*replies: Replied, model: str = "m", estimated: int = 0) -> Episode:
    case = make_case(PromptType.OPTIMAL, model=model)
    usage = Usage(estimated_requests=estimated)
    return Episode(case, make_nodeid(case), Score(Outcome.FAILED), usage, "gw0", 0.0, 1.0, transcript=replies)


def answered_by(model: str = "", fingerprint: str = "") -> Replied:
    return Replied(1, Reply("Hi", model=model, fingerprint=fingerprint))


def test_ordinary_replies_give_no_notice() -> None:
    assert Notices([episode_with(answered_by("m-1", "f"), answered_by("m-1", "f"), answered_by())]).lines() == []


def test_models_and_fingerprints_that_changed_are_named_across_episodes() -> None:
    episodes = [episode_with(answered_by("m-1", f"f{number}")) for number in range(5)]
    (notice,) = Notices([*episodes, episode_with(answered_by("m-\x1b[1m2"))]).lines()
    assert notice == (
        "model m: 2 models answered (m-1, m-\\x1b[1m2), 5 fingerprints answered (f0, f1, f2 and 2 more) within this "
        "run, so that its figures may mix different models"
    )


def test_models_are_kept_apart_and_reused_episodes_left_out() -> None:
    one, other = episode_with(answered_by("a")), episode_with(answered_by("b"))
    assert Notices([one, msgspec.structs.replace(other, reused=True)]).lines() == []
    assert Notices([one, episode_with(answered_by("b"), model="n")]).lines() == []


def test_estimates_and_calls_in_text_are_counted_over_a_models_episodes() -> None:
    held = Replied(1, Reply("<tool_call>"), calls_in_text=2)
    estimated, in_text = Notices([episode_with(held, estimated=1), episode_with(held, answered_by())]).lines()
    assert estimated == (
        "model m: 1 of 3 replies came without token counts; their tokens and cost, marked ~, are estimated at 4 "
        "characters per token"
    )
    assert in_text == (
        "model m: 2 replies held 4 tool calls as text, which the native tool protocol does not run; use "
        "--ultra-tool-protocol text if the endpoint cannot parse its calls"
    )
