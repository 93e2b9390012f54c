"""Pairs of scored episodes that differ in one thing alone."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import NamedTuple

import msgspec

from pytest_ultra.core.case import TaskKey
from pytest_ultra.core.episode import Episode, Outcome
from pytest_ultra.core.figures import Contrast


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

    @property
    def sharing(self) -> float:
        """The mean number of pairs that share an episode: of the sample or of the reference, whichever is more."""
        sides = zip(*self.pairs, strict=True)
        return max((len(self.pairs) / len(set(map(id, side))) for side in sides), default=1)


def is_full(episode: Episode) -> bool:
    return episode.outcome is Outcome.FULL


class Reference:
    """The scored episodes that a sample's are to be paired with: alike but for one thing.

    Episodes of different versions are never alike. Over prompt types, cases that both have a severity share it.
    """

    def __init__(self, episodes: Iterable[Episode], over: Contrast) -> None:
        self._likeness = _LIKENESS[over]
        self._found: dict[object, list[Episode]] = {}
        for episode in filter(_is_scored, episodes):
            self._found.setdefault(self._key(episode), []).append(episode)

    def pair(self, sample: Iterable[Episode]) -> Pairing:
        """Pair each scored episode with all its counterparts."""
        pairs: list[Pair] = []
        unpaired = 0
        for episode in filter(_is_scored, sample):
            alike = self._found.get(self._key(episode), [])
            found = [Pair(episode, other) for other in alike if _have_like_severities(episode, other)]
            pairs += found
            unpaired += not found
        return Pairing(tuple(pairs), unpaired)

    def _key(self, episode: Episode) -> object:
        return episode.versions, self._likeness(episode)


def _is_scored(episode: Episode) -> bool:
    return episode.outcome.is_scored


def _have_like_severities(one: Episode, other: Episode) -> bool:
    return one.case.severity is None or other.case.severity in (None, one.case.severity)


_LIKENESS: Mapping[Contrast, Callable[[Episode], object]] = {
    Contrast.PROMPT_TYPE: lambda episode: episode.case.control_key,
    Contrast.MODEL: lambda episode: msgspec.structs.replace(episode.case, model=""),
    Contrast.RUN: lambda episode: episode.case,
}
