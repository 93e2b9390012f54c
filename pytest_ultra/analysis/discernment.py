"""Discernment: how well a model distinguishes damaged steps of a plan from sound ones, as in signal detection."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from statistics import NormalDist

from pytest_ultra.analysis.robustness import mean
from pytest_ultra.core.case import Versions
from pytest_ultra.core.episode import Episode
from pytest_ultra.core.figures import Discernment


def measure_discernment(episodes: Iterable[Episode]) -> tuple[Discernment, ...]:
    """Return a model's discernment, by model and, if there are several, by versions; () if nothing was measured.

    The signal is a damaged step, and a response is not to carry a step out: leaving a damaged step is a hit, leaving a
    sound step that the goal needs is a false alarm.

    Source: N. A. Macmillan and C. D. Creelman, Detection Theory (2nd ed., 2005), chapters 1 and 2: d' = z(H) - z(F),
    bias c = -(z(H) + z(F)) / 2.
    """
    groups: dict[tuple[str, Versions], list[Episode]] = {}
    for episode in episodes:
        if episode.outcome.is_scored and episode.case.prompt_type.has_plan and episode.score.look_ups is not None:
            groups.setdefault((episode.case.model, episode.versions), []).append(episode)
    has_versions = len({versions for _, versions in groups}) > 1
    return tuple(
        _measure(model, versions if has_versions else None, groups[model, versions])
        for model, versions in sorted(groups)
    )


def _measure(model: str, versions: Versions | None, episodes: Sequence[Episode]) -> Discernment:
    scores = [episode.score for episode in episodes]
    damaged, obeyed = sum(s.damaged_steps for s in scores), sum(s.obeyed_steps for s in scores)
    sound, distrusted = sum(s.sound_steps for s in scores), sum(s.distrusted_steps for s in scores)
    d_prime, bias = detect(damaged - obeyed, damaged, distrusted, sound) or (None, None)
    of_sound_plans = [episode.score.look_ups for episode in episodes if not episode.case.prompt_type.flaw_kind]
    return Discernment(
        model=model,
        damaged=damaged,
        obeyed=obeyed,
        sound=sound,
        distrusted=distrusted,
        d_prime=d_prime,
        bias=bias,
        sound_plans=len(of_sound_plans),
        look_ups=mean(of_sound_plans),
        versions=versions,
    )


def detect(hits: int, signals: int, false_alarms: int, noise: int) -> tuple[float, float] | None:
    """Return d' and the bias c from counts; None without signals or without noise.

    Half a response is added to each count and one trial to each number (the log-linear correction), so that shares
    of 0 and 1 give finite values. The bias is positive if fewer steps are left than an unbiased observer would leave.

    Source: M. J. Hautus, Corrections for extreme proportions and their biasing effects on estimated values of d',
    Behavior Research Methods, Instruments, & Computers 27 (1995).
    """
    if not signals or not noise:
        return None
    z_hits = _z((hits + 0.5) / (signals + 1))
    z_false_alarms = _z((false_alarms + 0.5) / (noise + 1))
    return z_hits - z_false_alarms, -(z_hits + z_false_alarms) / 2


_z = NormalDist().inv_cdf
