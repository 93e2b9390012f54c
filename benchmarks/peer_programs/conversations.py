"""The recorded conversations, as the peers need them."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any, NamedTuple


class Episode(NamedTuple):
    """A conversation: the body of each request, in order, and the last words."""

    name: str
    bodies: list[dict[str, Any]]
    last_words: str


def arguments() -> tuple[str, list[Episode]]:
    """Return the base URL and the conversations that the command line names."""
    return sys.argv[1], read(Path(sys.argv[2]))


def read(path: Path) -> list[Episode]:
    recorded = json.loads(path.read_bytes())
    return [
        Episode(
            key[:12],
            [turn["request"] for turn in turns],
            str(turns[-1]["reply"]["choices"][0]["message"]["content"]),
        )
        for key, turns in recorded.items()
    ]


async def converse(client: Any, episode: Episode) -> str:
    """Make the calls of a conversation by an `AsyncOpenAI`; return the last words."""
    words = ""
    for body in episode.bodies:
        reply = await client.chat.completions.create(**body)
        words = str(reply.choices[0].message.content)
    return words


def check(results: list[bool]) -> None:
    """End with an error unless every conversation ended with its recorded words."""
    if not results or not all(results):
        raise SystemExit(f"{results.count(False)} of {len(results)} conversations ended in other words")
