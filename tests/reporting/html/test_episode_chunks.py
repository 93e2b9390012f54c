"""Chunks and pages: each episode once, a task on one page, a control and its episodes in one chunk."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from pytest_ultra.reporting.html.episode_chunks import Group, make_chunks, make_pages
from pytest_ultra.reporting.html.view_records import EpisodeView
from tests.reporting.html.page_data import unpack

tasks = st.lists(st.lists(st.integers(0, 40), min_size=1, max_size=4), max_size=12)
"""For each task the sizes of its groups."""


@given(tasks)
def test_a_task_is_on_one_page_and_each_episode_in_one_chunk(sizes: list[list[int]]) -> None:
    groups: list[Group] = []
    for task, of_task in enumerate(sizes):
        groups += [
            Group({len(groups) + at: EpisodeView(words=f"{len(groups) + at} " * size)}, task)
            for at, size in enumerate(of_task)
        ]
    pages = list(make_pages(make_chunks(groups, most_bytes=200), most_characters=300))
    chunks = [chunk for page in pages for chunk in page]
    assert [row for chunk in chunks for row in chunk.rows] == [row for group in groups for row in group.views]
    for chunk in chunks:
        shown = [episode.get("words", "") for episode in unpack(chunk.packed)]
        assert shown == [view.words for group in groups for row, view in group.views.items() if row in chunk.rows]
    for task in range(len(sizes)):
        rows = {row for group in groups if group.task == task for row in group.views}
        assert sum(any(rows & set(chunk.rows) for chunk in page) for page in pages) == 1
