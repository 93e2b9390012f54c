"""The queries on the documentation page about the store run and return rows."""

from __future__ import annotations

import re
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from pytest_ultra.core.axes import PromptType
from pytest_ultra.core.transcript import Attempted
from pytest_ultra.storage.store.store_sync import open_synced
from tests.results_factory import make_case, make_episode
from tests.storage.stored_runs import make_run

PAGE = Path(__file__).parents[2] / "docs" / "store.md"
QUERIES = re.findall(r"^```sql\n(.*?)^```$", PAGE.read_text(), re.MULTILINE | re.DOTALL)


@pytest.mark.parametrize("query", QUERIES, ids=lambda query: query.splitlines()[0].removeprefix("-- "))
def test_a_query_on_the_page_returns_rows(tmp_path: Path, query: str) -> None:
    refused = Attempted(1, 0.1, "refused", wait_s=2.0)
    episodes = [
        make_episode(make_case()),
        make_episode(make_case(PromptType.FLAWED_TOOL_MISUSE), transcript=(refused,)),
    ]
    make_run(tmp_path, episodes, at=1_790_000_000.0, described={"options": {"model": ["gpt-4o-mini"]}})
    database, problems = open_synced(tmp_path)
    assert problems == ()
    with closing(sqlite3.connect(database.path)) as connection:
        assert connection.execute(query).fetchall()
