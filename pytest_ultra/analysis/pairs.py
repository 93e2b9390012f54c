"""Pairs of scored episodes that differ in one thing only."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import NamedTuple

import msgspec

from pytest_ultra.core.case import TaskKey
from pytest_ultra.core.episode import Episode, Outcome
from pytest_ultra.core.paired_evidence import Contrast


class Pair(NamedTuple):
    """An episode of the sample and its counterpart in the reference."""

    sample: Episode
    reference: Episode

    @property
    def gain(self) -> int:
        """1 if only the sample is `full`, -1 if only the reference is, else 0."""
        return is_full(self.sample) - is_full(self.reference)

    @property
    def task(self) -> TaskKey:
        return self.sample.case.task_key


class Pairing(NamedTuple):
    """The pairs, and the number of scored episodes of the sample without a scored counterpart."""

    pairs: tuple[Pair, ...]
    unpaired: int

    @property
    def pairs_per_episode(self) -> float:
        """The mean number of pairs that share an episode of the sample, or of the reference if that is more."""
        sides = zip(*self.pairs, strict=True)
        return max((len(self.pairs) / len(set(map(id, side))) for side in sides), default=1)


def is_full(episode: Episode) -> bool:
    return episode.outcome is Outcome.FULL


class Reference:
    """The scored episodes with which those of a sample are paired, if they differ only in what `over` names.

    Episodes of different versions are never paired. Over prompt types, two cases with a severity must share it.
    """

    def __init__(self, episodes: Iterable[Episode], over: Contrast) -> None:
        self._pairing_key = _PAIRING_KEYS[over]
        self._found: dict[object, list[Episode]] = {}
        for episode in filter(_is_scored, episodes):
            self._found.setdefault(self._key(episode), []).append(episode)

    def pair(self, sample: Iterable[Episode]) -> Pairing:
        """Pair each scored episode of the sample with all its counterparts."""
        pairs: list[Pair] = []
        unpaired = 0
        for episode in filter(_is_scored, sample):
            alike = self._found.get(self._key(episode), [])
            found = [Pair(episode, other) for other in alike if _have_compatible_severities(episode, other)]
            pairs += found
            unpaired += not found
        return Pairing(tuple(pairs), unpaired)

    def _key(self, episode: Episode) -> object:
        return episode.versions, self._pairing_key(episode)


def _is_scored(episode: Episode) -> bool:
    return episode.outcome.is_scored


def _have_compatible_severities(one: Episode, other: Episode) -> bool:
    return one.case.severity is None or other.case.severity in (None, one.case.severity)


_PAIRING_KEYS: Mapping[Contrast, Callable[[Episode], object]] = {
    Contrast.PROMPT_TYPE: lambda episode: episode.case.control_key,
    Contrast.MODEL: lambda episode: msgspec.structs.replace(episode.case, model="", request_parameters=""),
    Contrast.RUN: lambda episode: episode.case,
}
