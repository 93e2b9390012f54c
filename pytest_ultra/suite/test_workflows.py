"""The built-in suite: one item per case."""

from __future__ import annotations

import pytest

from pytest_ultra.options.requested_gates import leave_to_gates
from pytest_ultra.worker.episode_result import LivedEpisode


def test_workflow(ultra_episode: LivedEpisode, pytestconfig: pytest.Config) -> None:
    leave_to_gates(ultra_episode, pytestconfig)
    ultra_episode.assert_passed()
