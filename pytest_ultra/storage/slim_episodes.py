"""A run's episodes without their transcripts, which are read one at a time: what a large run's memory allows."""

from __future__ import annotations

import msgspec

from pytest_ultra.core.episode import Episode
from pytest_ultra.storage.episode_index import find_lives, newest_lives
from pytest_ultra.storage.results import complete_results
from pytest_ultra.storage.reuse import read_plan
from pytest_ultra.storage.run_directory import RunDirectory


class BareEpisodes:
    """What `read_results` returns, without the transcripts; 50,000 episodes take some 200 MB."""

    def __init__(self, run: RunDirectory) -> None:
        """Read all journals; raise ConfigurationError when one is of a newer schema."""
        found = ((life, life.read()) for life in newest_lives(find_lives(run)).values())
        bare = [(_strip(episode), life) for life, episode in found if episode is not None]
        bare.sort(key=lambda item: (item[0].nodeid, item[0].case_id))
        self._lives = {episode.case_id: life for episode, life in bare}
        lived, plan = [episode for episode, _ in bare], read_plan(run)
        self.episodes = tuple(lived if plan is None else complete_results(lived, plan))

    def read(self, episode: Episode) -> Episode:
        """Return the episode with its transcript, as it came if there is none."""
        life = self._lives.get(episode.case_id)
        return (life and life.read()) or episode


def _strip(episode: Episode) -> Episode:
    return msgspec.structs.replace(episode, transcript=(), plan="")
