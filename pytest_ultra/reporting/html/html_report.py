"""The report of a run, or of two: one page, or for a large run a main page and separate pages for the episodes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import chain
from pathlib import PurePath
from typing import Any, NamedTuple
from urllib.parse import quote

import msgspec

from pytest_ultra.core.case import TaskKey
from pytest_ultra.core.episode import Episode
from pytest_ultra.reporting.html.case_columns import make_columns
from pytest_ultra.reporting.html.episode_chunks import Chunk, Group, make_chunks, make_pages, pack
from pytest_ultra.reporting.html.episode_view import make_episode_view
from pytest_ultra.reporting.html.html_page import render_page
from pytest_ultra.reporting.html.overview import make_overview, make_title
from pytest_ultra.reporting.html.report_data import ReportContents
from pytest_ultra.reporting.html.row_links import link_rows
from pytest_ultra.reporting.html.run_change import EARLIER, LATER, have_own_models, make_run_change, row_id
from pytest_ultra.reporting.html.view_records import EpisodeView
from pytest_ultra.reporting.labels import FAILURE_CLASSES, OUTCOMES

_SEARCHED = 400
"""Characters of a job's words that the search covers."""


class ReportPage(msgspec.Struct, frozen=True):
    """A file of the report; `name` is its path relative to the main page, None for the main page."""

    name: str | None
    content: bytes


def make_report(contents: ReportContents, name: str) -> Iterator[ReportPage]:
    """Yield the files of the report; the main page, which will be called `name`, comes last."""
    return _ReportBuilder(contents, name).build()


def parts_folder_name(name: str) -> str:
    """Return the name of the folder for the episode pages of a large report."""
    return f"{PurePath(name).stem}-files"


class _Source(NamedTuple):
    """Where a row of the table of cases comes from; `run` is empty if there is a single run."""

    episode: Episode
    contents: ReportContents
    run: str


def _list_sources(contents: ReportContents) -> list[_Source]:
    own = [_Source(episode, contents, LATER if contents.earlier else "") for episode in contents.episodes]
    earlier = contents.earlier.contents if contents.earlier else None
    return own + ([_Source(episode, earlier, EARLIER) for episode in earlier.episodes] if earlier else [])


class _ReportBuilder:
    """Reads each episode once, and keeps in memory only what the table of cases needs."""

    def __init__(self, contents: ReportContents, name: str) -> None:
        self._contents = contents
        self._name = name
        self._folder = parts_folder_name(name)
        self._sources = _list_sources(contents)
        self._links = link_rows(
            [source.episode for source in self._sources],
            [source.run for source in self._sources],
            are_models_in_runs=contents.earlier is not None and have_own_models(contents, contents.earlier.contents),
        )
        self._words = [""] * len(self._sources)

    def build(self) -> Iterator[ReportPage]:
        pages = make_pages(make_chunks(self._make_groups()))
        first, second = next(pages, ()), next(pages, None)
        if second is None:
            yield ReportPage(None, self._render_main(_find_positions(first), first))
            return
        positions: dict[int, int] = {}
        for number, chunks in enumerate(chain((first, second), pages), start=1):
            positions |= dict.fromkeys((row for chunk in chunks for row in chunk.rows), number)
            yield ReportPage(f"{self._folder}/part-{number:03}.html", self._render_part(chunks, number))
        yield ReportPage(None, self._render_main({"page": [positions[row] for row in range(len(positions))]}, ()))

    def _make_groups(self) -> Iterator[Group]:
        """Yield the episodes by task, so that the workflows of each task are read once."""
        members: dict[int, list[int]] = {}
        for row, number in enumerate(self._links.control):
            members.setdefault(number, []).append(row)
        for rows in sorted(members.values(), key=self._place_of_group):
            views = {row: self._view(self._sources[row]) for row in rows}
            for row, view in views.items():
                self._words[row] = view.words[:_SEARCHED]
            yield Group(views, self._links.task[rows[0]])

    def _place_of_group(self, rows: Sequence[int]) -> tuple[TaskKey, int, int]:
        return self._sources[rows[0]].episode.case.task_key, self._links.task[rows[0]], rows[0]

    def _view(self, source: _Source) -> EpisodeView:
        episode, guidance, goal = source.contents.look_up(source.episode)
        price = source.contents.prices.get(episode.case.agent_model or episode.case.model)
        return make_episode_view(episode, guidance, goal, price)

    def _render_main(self, positions: dict[str, list[int]], chunks: Sequence[Chunk]) -> bytes:
        contents, is_split = self._contents, "page" in positions
        return self._render(
            "report.html.j2",
            rows=range(len(self._sources)),
            positions=positions,
            chunks=chunks,
            setup=({"pages": f"{quote(self._folder)}/part-"} if is_split else {}) | self._served_setup(),
            overview=make_overview(contents.summary, contents.facts, self._title, contents.comparisons),
            summary=contents.summary,
            is_split=is_split,
            other=None if contents.earlier is None else make_run_change(contents.earlier),
        )

    @property
    def _title(self) -> str:
        """The models of the earlier run, if there is one, and of this one."""
        earlier = self._contents.earlier
        return make_title([*([earlier.contents.summary] if earlier else []), self._contents.summary])

    def _served_setup(self) -> dict[str, str]:
        return {"version": self._contents.served_version} if self._contents.served_version else {}

    def _render_part(self, chunks: Sequence[Chunk], number: int) -> bytes:
        rows = [row for chunk in chunks for row in chunk.rows]
        local = {row: at for at, row in enumerate(rows)}
        positions = _find_positions([Chunk(tuple(local[row] for row in chunk.rows), "") for chunk in chunks])
        return self._render(
            "part.html.j2",
            rows=rows,
            positions=positions,
            chunks=chunks,
            setup={},
            title=self._title,
            number=number,
            main=f"../{quote(self._name)}",
        )

    def _render(
        self,
        template: str,
        *,
        rows: Sequence[int],
        positions: dict[str, list[int]],
        chunks: Sequence[Chunk],
        setup: dict[str, str],
        **extra: Any,
    ) -> bytes:
        sources = [self._sources[row] for row in rows]
        others = {name: [numbers[row] for row in rows] for name, numbers in msgspec.structs.asdict(self._links).items()}
        others["words"] = [self._words[row] for row in rows]
        if self._contents.earlier is None:
            del others["same"]
        else:
            others["run"] = [source.run for source in sources]
            others["id"] = [row_id(source.episode, source.run) for source in sources]
        common: dict[str, Any] = {
            "facts": self._contents.facts,
            "setup": {"outcomes": OUTCOMES, "failure_classes": FAILURE_CLASSES} | setup,
            "columns": pack(make_columns([source.episode for source in sources], **others, **positions)),
            "chunks": [chunk.packed for chunk in chunks],
            "count": len(rows),
        }
        return render_page(template, common | extra, is_served=bool(self._contents.served_version))


def _find_positions(chunks: Sequence[Chunk]) -> dict[str, list[int]]:
    """Return for each row the chunk of its page that has its episode, and the position in the chunk."""
    positions = {row: (number, at) for number, chunk in enumerate(chunks) for at, row in enumerate(chunk.rows)}
    found = [positions[row] for row in range(len(positions))]
    return {"chunk": [number for number, _ in found], "at": [at for _, at in found]}
