"""The report of a run: one page, or one with the overview and further ones with the episodes where that is too much."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import chain
from pathlib import PurePath
from typing import Any
from urllib.parse import quote

import msgspec

from pytest_ultra.core.episode import Episode
from pytest_ultra.core.figures import Comparison, Summary
from pytest_ultra.core.goal_report import GoalReport
from pytest_ultra.core.guidance import AnyGuidance
from pytest_ultra.reporting.html.case_rows import make_columns
from pytest_ultra.reporting.html.episode_view import show_episode
from pytest_ultra.reporting.html.html_page import fill_page
from pytest_ultra.reporting.html.overview import make_overview, make_title
from pytest_ultra.reporting.html.packing import Chunk, Group, make_chunks, make_pages, pack
from pytest_ultra.reporting.html.run_facts import RunFacts
from pytest_ultra.reporting.labels import FAILURE_CLASSES, OUTCOMES

LookUp = Callable[[Episode], tuple[Episode, AnyGuidance | None, GoalReport | None]]
"""Returns an episode with its transcript, and what was generated for its case, None where that is gone."""


_SEARCHED = 400
"""Characters of a job's words that the search looks through."""


class Contents(msgspec.Struct, frozen=True):
    """What a report is made from. `episodes` may lack their transcripts: `look_up` has them, one at a time.

    `comparisons` are of all flawed plans with the optimal ones, a model each.
    """

    facts: RunFacts
    summary: Summary
    episodes: Sequence[Episode]
    look_up: LookUp
    comparisons: Sequence[Comparison] = ()


class Page(msgspec.Struct, frozen=True):
    """A file of the report; `name` is its path from the main page, None for that page itself."""

    name: str | None
    content: bytes


def make_report(contents: Contents, name: str) -> Iterator[Page]:
    """Yield the report's files, the main page, whose name is given, last."""
    return _Writer(contents, name).write()


def folder_of(name: str) -> str:
    """Return the name of the folder for what is too much for a report of this name."""
    return f"{PurePath(name).stem}-files"


class _Writer:
    """Goes through the episodes once, and keeps of each only what the table of cases needs."""

    def __init__(self, contents: Contents, name: str) -> None:
        self._contents = contents
        self._name = name
        self._folder = folder_of(name)
        self._groups = _number_groups(contents.episodes)
        self._words = [""] * len(contents.episodes)

    def write(self) -> Iterator[Page]:
        pages = make_pages(make_chunks(self._make_groups()))
        first, second = next(pages, ()), next(pages, None)
        if second is None:
            yield Page(None, self._fill_main(_find_places(first), first))
            return
        places: dict[int, int] = {}
        for number, chunks in enumerate(chain((first, second), pages), start=1):
            places |= dict.fromkeys((row for chunk in chunks for row in chunk.rows), number)
            yield Page(f"{self._folder}/part-{number:03}.html", self._fill_part(chunks, number))
        yield Page(None, self._fill_main({"page": [places[row] for row in range(len(places))]}, ()))

    def _make_groups(self) -> Iterator[Group]:
        """Go from task to task, so that each one's workflows are read once."""
        members: dict[int, list[int]] = {}
        for row, number in enumerate(self._groups):
            members.setdefault(number, []).append(row)
        episodes = self._contents.episodes
        for rows in sorted(members.values(), key=lambda rows: (episodes[rows[0]].case.task_key, rows[0])):
            pieces = {row: show_episode(*self._contents.look_up(episodes[row])) for row in rows}
            for row, piece in pieces.items():
                self._words[row] = piece.words[:_SEARCHED]
            yield Group(pieces)

    def _fill_main(self, places: dict[str, list[int]], chunks: Sequence[Chunk]) -> bytes:
        contents, is_split = self._contents, "page" in places
        return self._fill(
            "report.html.j2",
            rows=range(len(contents.episodes)),
            places=places,
            chunks=chunks,
            setup={"pages": f"{quote(self._folder)}/part-"} if is_split else {},
            overview=make_overview(contents.summary, contents.facts, contents.comparisons),
            summary=contents.summary,
            is_split=is_split,
        )

    def _fill_part(self, chunks: Sequence[Chunk], number: int) -> bytes:
        rows = [row for chunk in chunks for row in chunk.rows]
        local = {row: at for at, row in enumerate(rows)}
        places = _find_places([Chunk(tuple(local[row] for row in chunk.rows), "") for chunk in chunks])
        return self._fill(
            "part.html.j2",
            rows=rows,
            places=places,
            chunks=chunks,
            setup={},
            title=make_title(self._contents.summary),
            number=number,
            main=f"../{quote(self._name)}",
        )

    def _fill(
        self,
        template: str,
        *,
        rows: Sequence[int],
        places: dict[str, list[int]],
        chunks: Sequence[Chunk],
        setup: dict[str, str],
        **own: Any,
    ) -> bytes:
        episodes = [self._contents.episodes[row] for row in rows]
        others: dict[str, list[Any]] = {
            "group": [self._groups[row] for row in rows],
            "words": [self._words[row] for row in rows],
        }
        common = {
            "facts": self._contents.facts,
            "setup": {"outcomes": OUTCOMES, "failure_classes": FAILURE_CLASSES} | setup,
            "columns": pack(make_columns(episodes, **others, **places)),
            "chunks": [chunk.packed for chunk in chunks],
            "count": len(rows),
        }
        return fill_page(template, common | own)


def _number_groups(episodes: Sequence[Episode]) -> list[int]:
    """Return for each episode the number of its group: itself, its control, and whatever else has that control."""
    known: dict[object, int] = {}
    keys = [(episode.versions, episode.case.control_key) for episode in episodes]
    return [known.setdefault(key, len(known)) for key in keys]


def _find_places(chunks: Sequence[Chunk]) -> dict[str, list[int]]:
    """Return in which chunk of its page, and where in it, each row's episode lies."""
    places = {row: (number, at) for number, chunk in enumerate(chunks) for at, row in enumerate(chunk.rows)}
    found = [places[row] for row in range(len(places))]
    return {"chunk": [number for number, _ in found], "at": [at for _, at in found]}
