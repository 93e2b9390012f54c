"""Pairs of scored episodes that differ in one thing alone."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import NamedTuple

import msgspec

from pytest_ultra.benchmark.case import TaskKey
from pytest_ultra.benchmark.episode import Episode, Outcome
from pytest_ultra.benchmark.figures import Contrast


class Pair(NamedTuple):
    """An episode of the sample, and its counterpart of the reference."""

    sample: Episode
    reference: Episode

    @property
    def gain(self) -> int:
        """1 where the sample alone is `full`, -1 where the reference alone is, 0 where they came out alike."""
        return is_full(self.sample) - is_full(self.reference)

    @property
    def task(self) -> TaskKey:
        return self.sample.case.task_key


class Pairing(NamedTuple):
    """The pairs, and how many scored episodes of the sample have no scored counterpart."""

    pairs: tuple[Pair, ...]
    unpaired: int


def is_full(episode: Episode) -> bool:
    return episode.outcome is Outcome.FULL


def pair(sample: Iterable[Episode], reference: Iterable[Episode], over: Contrast) -> Pairing:
    """Pair each scored episode of the sample with the scored ones of the reference that are alike but for `over`.

    Episodes of different versions are never alike. Over prompt types, cases that both have a severity share it.
    """
    likeness = _LIKENESS[over]
    counterparts: dict[object, list[Episode]] = {}
    for episode in filter(_is_scored, reference):
        counterparts.setdefault((episode.versions, likeness(episode)), []).append(episode)
    pairs: list[Pair] = []
    unpaired = 0
    for episode in filter(_is_scored, sample):
        alike = counterparts.get((episode.versions, likeness(episode)), [])
        found = [Pair(episode, other) for other in alike if _have_like_severities(episode, other)]
        pairs += found
        unpaired += not found
    return Pairing(tuple(pairs), unpaired)


def _is_scored(episode: Episode) -> bool:
    return episode.outcome.is_scored


def _have_like_severities(one: Episode, other: Episode) -> bool:
    return one.case.severity is None or other.case.severity in (None, one.case.severity)


_LIKENESS: Mapping[Contrast, Callable[[Episode], object]] = {
    Contrast.PROMPT_TYPE: lambda episode: episode.case.control_key,
    Contrast.MODEL: lambda episode: msgspec.structs.replace(episode.case, model=""),
    Contrast.RUN: lambda episode: episode.case,
}
