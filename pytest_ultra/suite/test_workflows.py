"""The built-in suite: one item per case."""

from __future__ import annotations

from pytest_ultra.lived import LivedEpisode


def test_workflow(ultra_episode: LivedEpisode) -> None:
    ultra_episode.assert_passed()
