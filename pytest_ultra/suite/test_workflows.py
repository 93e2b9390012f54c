"""The built-in suite: one item per case."""

from __future__ import annotations

import pytest

from pytest_ultra.worker.episode_result import EpisodeResult, leave_to_gates


def test_workflow(ultra_episode: EpisodeResult, pytestconfig: pytest.Config) -> None:
    leave_to_gates(ultra_episode, pytestconfig)
    ultra_episode.assert_passed()
