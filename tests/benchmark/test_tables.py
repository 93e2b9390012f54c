"""Tables are written as text and read back."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_ultra.benchmark.tables import (
    UnreadableTextError,
    read_cell,
    read_csv,
    read_json,
    read_key_values,
    write_csv,
    write_json,
)
from pytest_ultra.core.json_types import Json, Row

WORDS = st.text(min_size=1, max_size=8).filter(lambda text: read_cell(text) == text)
CELLS = (
    st.none() | st.booleans() | st.integers(-(10**15), 10**15) | st.floats(-1e6, 1e6).map(lambda x: round(x, 6)) | WORDS
)


@st.composite
def tables(draw: st.DrawFn) -> list[Row]:
    header = draw(st.lists(st.text(min_size=1, max_size=6), min_size=1, max_size=4, unique=True))
    return draw(st.lists(st.fixed_dictionaries(dict.fromkeys(header, CELLS)), min_size=1, max_size=5))


@given(tables())
def test_csv_reads_back_as_it_was_written(rows: list[Row]) -> None:
    assert read_csv(write_csv(rows)) == rows


@given(tables())
def test_json_reads_back_as_it_was_written(rows: list[Row]) -> None:
    assert read_json(write_json(rows)) == rows


def test_a_table_without_fields_is_empty_csv() -> None:
    assert write_csv([]) == write_csv([{}]) == ""


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("", None),
        ("true", True),
        ("True", "True"),
        ("0", 0),
        ("-12", -12),
        ("1.50", 1.5),
        ("1e3", 1000),
        ("007", "007"),
        ("1,5", "1,5"),
        (" 1", " 1"),
        ("12345678901234567890", "12345678901234567890"),
    ],
)
def test_a_cell_is_read_as_the_value_that_it_spells(text: str, value: Json) -> None:
    assert read_cell(text) == value


@pytest.mark.parametrize(
    ("read", "text", "message"),
    [
        (read_csv, "", "no header line"),
        (read_csv, "a,a\n1,2", "the header has empty or repeated names"),
        (read_csv, "a,\n1,2", "the header has empty or repeated names"),
        (read_csv, "a,b\n1,2\n1,2,3", "record 3 has 3 cells, the header 2"),
        (read_csv, 'a,b\n"1,2', "not CSV: unexpected end of data"),
        (read_json, "[1]", "the JSON is neither an object nor a list of objects"),
        (read_json, "{", "Input data was truncated"),
        (read_key_values, "a: 1\nhello", "line 2 is no 'key: value' or 'key = value'"),
    ],
)
def test_unreadable_text_raises_an_error_that_says_where_and_why(
    read: Callable[[str], list[Row]], text: str, message: str
) -> None:
    with pytest.raises(UnreadableTextError) as caught:
        read(text)
    assert str(caught.value) == message
