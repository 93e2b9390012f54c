"""The report of a run: one page, or one with the overview and further ones with the episodes where that is too much."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import msgspec

from pytest_ultra.benchmark.episode import Episode
from pytest_ultra.benchmark.figures import Comparison, Summary
from pytest_ultra.benchmark.task import Guidance
from pytest_ultra.reporting.html.episodes import show_episode
from pytest_ultra.reporting.html.overview import make_overview, make_title
from pytest_ultra.reporting.html.packing import Chunk, Group, make_chunks, make_pages, pack
from pytest_ultra.reporting.html.page import fill_page
from pytest_ultra.reporting.html.rows import make_columns
from pytest_ultra.reporting.html.run_facts import RunFacts
from pytest_ultra.reporting.labels import FAILURE_CLASSES, OUTCOMES

LookUp = Callable[[Episode], tuple[Episode, Guidance | None]]
"""Returns an episode with its transcript, and what was generated for its case, None where that is gone."""


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
    """A file of the report; `name` is its path beside the main page's, None for the main page itself."""

    name: str | None
    content: bytes


def make_report(contents: Contents, stem: str) -> Iterator[Page]:
    """Yield the report's files, the main page last; `stem` is its name without `.html`."""
    numbers = _number_groups(contents.episodes)
    pages = make_pages(make_chunks(_make_groups(contents, numbers)))
    first, second = next(pages, ()), next(pages, None)
    if second is None:
        yield Page(None, _fill_main(contents, numbers, first, {}))
        return
    places: dict[int, int] = {}
    for number, chunks in enumerate(_chain(first, second, pages), start=1):
        places |= dict.fromkeys((row for chunk in chunks for row in chunk.rows), number)
        yield Page(part_name(stem, number), _fill_part(contents, numbers, chunks, f"../{stem}.html", number))
    yield Page(None, _fill_main(contents, numbers, (), places, stem))


def part_name(stem: str, number: int) -> str:
    return f"{stem}-files/part-{number:03}.html"


def _chain(
    first: tuple[Chunk, ...], second: tuple[Chunk, ...], others: Iterator[tuple[Chunk, ...]]
) -> Iterator[tuple[Chunk, ...]]:
    yield first
    yield second
    yield from others


def _number_groups(episodes: Sequence[Episode]) -> list[int]:
    """Return for each episode the number of its group: itself, its control, and whatever else has that control."""
    known: dict[object, int] = {}
    keys = [(episode.versions, episode.case.control_key) for episode in episodes]
    return [known.setdefault(key, len(known)) for key in keys]


def _make_groups(contents: Contents, numbers: Sequence[int]) -> Iterator[Group]:
    """Go from task to task, so that each one's workflows are read once."""
    members: dict[int, list[int]] = {}
    for row, number in enumerate(numbers):
        members.setdefault(number, []).append(row)
    episodes = contents.episodes
    for rows in sorted(members.values(), key=lambda rows: (episodes[rows[0]].case.task_key, rows[0])):
        yield Group({row: show_episode(*contents.look_up(episodes[row])) for row in rows})


def _fill_main(
    contents: Contents, groups: Sequence[int], chunks: tuple[Chunk, ...], places: dict[int, int], stem: str = ""
) -> bytes:
    rows = range(len(contents.episodes))
    where = {"page": [places.get(row, 0) for row in rows]} if places else _find_places(chunks, rows)
    return fill_page(
        "report.html.j2",
        {
            "overview": make_overview(contents.summary, contents.facts, contents.comparisons),
            "facts": contents.facts,
            "summary": contents.summary,
            "setup": _setup(pages=f"{stem}-files/part-" if places else None),
            "columns": pack(make_columns(contents.episodes, group=groups, **where)),
            "chunks": [chunk.packed for chunk in chunks],
            "is_split": bool(places),
            "count": len(rows),
        },
    )


def _fill_part(
    contents: Contents, groups: Sequence[int], chunks: tuple[Chunk, ...], main: str, number: int
) -> bytes:
    rows = [row for chunk in chunks for row in chunk.rows]
    episodes = [contents.episodes[row] for row in rows]
    local = {row: at for at, row in enumerate(rows)}
    where = _find_places([Chunk(tuple(local[row] for row in c.rows), "") for c in chunks], range(len(rows)))
    return fill_page(
        "part.html.j2",
        {
            "title": make_title(contents.summary),
            "facts": contents.facts,
            "number": number,
            "main": main,
            "setup": _setup(main=main),
            "columns": pack(make_columns(episodes, group=[groups[row] for row in rows], **where)),
            "chunks": [chunk.packed for chunk in chunks],
            "count": len(rows),
        },
    )


def _find_places(chunks: Sequence[Chunk], rows: range) -> dict[str, list[int]]:
    """Return in which chunk of its page, and where in it, each row's episode lies."""
    places = {row: (number, at) for number, chunk in enumerate(chunks) for at, row in enumerate(chunk.rows)}
    return {"chunk": [places[row][0] for row in rows], "at": [places[row][1] for row in rows]}


def _setup(**others: Any) -> dict[str, Any]:
    """Return what the script must know beside the rows."""
    return {"outcomes": OUTCOMES, "failure_classes": FAILURE_CLASSES} | others
