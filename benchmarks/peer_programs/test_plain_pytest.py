"""The conversations as parametrized tests of plain pytest, spread by pytest-xdist; each waits for its own calls."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from conversations import Episode, read
from openai import OpenAI

EPISODES = read(Path(os.environ["PEERS_REPLIES"]))


@pytest.fixture(scope="session")
def client() -> OpenAI:
    return OpenAI(base_url=os.environ["PEERS_URL"], api_key="none")


@pytest.mark.parametrize("episode", EPISODES, ids=[episode.name for episode in EPISODES])
def test_conversation(client: OpenAI, episode: Episode) -> None:
    words = ""
    for body in episode.bodies:
        words = str(client.chat.completions.create(**body).choices[0].message.content)
    if words != episode.last_words:
        pytest.fail("the conversation ended in other words")
