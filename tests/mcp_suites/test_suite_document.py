"""Suites in TOML before any server is started: what is read, and errors with the file and the line."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from pytest_ultra.errors import ConfigurationError
from pytest_ultra.options.config_file import read_suite_table
from pytest_ultra.options.toml_lines import find_lines

WHOLE = Path(__file__).with_name("notes.ultra.toml").read_text()


def test_the_lines_of_all_forms_of_keys_and_values_are_found() -> None:
    text = (
        "# [a comment]\n"
        "plain = 1\n"
        '"quoted key".inner = "a # ] } \\" text"\n'
        "rows = [\n"
        "  1, # one\n"
        "  { name = 'x', deep.er = [2,\n"
        "    3] },\n"
        "]\n"
        'long = """\n'
        "not = 'a key'\n"
        '"""\n'
        "[table.below]\n"
        "[[table.list]]\n"
        "key = 2026-01-01 00:00:00\n"
        "[[table.list]]\n"
        "  [table.list.inner]\n"
        "  key = true\n"
    )
    tomllib.loads(text)
    lines = find_lines(text)
    assert {place: line for place, line in lines.items() if len(place) == 1} == {
        ("plain",): 2,
        ("quoted key",): 3,
        ("rows",): 4,
        ("long",): 9,
        ("table",): 12,
    }
    assert lines["quoted key", "inner"] == 3
    assert (lines["rows", 0], lines["rows", 1, "name"], lines["rows", 1, "deep", "er", 1]) == (5, 6, 7)
    assert (lines["table", "below"], lines["table", "list", 1], lines["table", "list", 1, "inner", "key"]) == (
        12,
        15,
        17,
    )


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('name = "notes"\n', "", "x.toml:4: 'name' is missing"),
        ('files = "notes"', "files = 3", "x.toml:7: files: Expected `text | nothing`, got `int`"),
        ("snapshot =", "snapshots =", "x.toml:10: there is no key 'snapshots'; did you mean 'snapshot'?"),
        ('transient = ["LOCKED"]', "transient = []", "x.toml:13: tools"),
        ('tool = "write"', "tool = 1", "x.toml:22: tasks[0].steps[2].tool: Expected `text`, got `int`"),
        ('"very_easy"', '"simple"', "x.toml:30: tasks[1].difficulty: Invalid enum value 'simple'"),
        ('name = "where"', 'name = "where is"', "x.toml:27: tasks[1].name: a name has letters"),
        (
            "<output of step 1: result[0].text>",
            "<output of step 3>",
            "x.toml:22: '<output of step 3>' is no reference to",
        ),
        (
            '"<output of step 1: result[0].path>"\n',
            '"the path"\n',
            "x.toml:31: 'the path' is no output of the task 'where'",
        ),
        ('answer = "Friday"', "", "x.toml:37: the task 'day' has no goal; give steps = [...]"),
        ("[suite]", "[[suite]]", "x.toml has no table [suite]"),
    ],
)
def test_an_error_names_the_file_and_the_line(tmp_path: Path, old: str, new: str, message: str) -> None:
    assert WHOLE.count(old) >= 1
    path = tmp_path / "x.toml"
    path.write_text(WHOLE.replace(old, new, 1))
    with pytest.raises(ConfigurationError) as caught:
        read_suite_table(path)
    assert message in str(caught.value)
