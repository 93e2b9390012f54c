"""Untrusted text is escaped and cut."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_ultra.reporting.text import compact, count, excerpt, fill, hang, neutralise, neutralise_lines


@pytest.mark.parametrize(
    ("hostile", "shown"),
    [
        ("\x1b[31mred\x1b[0m", r"\x1b[31mred\x1b[0m"),
        ("over\rwrite", r"over\rwrite"),
        ("bell\a", r"bell\x07"),
        ("\x9b1A", r"\x9b1A"),
        ("\u202etxt.exe", r"\u202etxt.exe"),
        ("half \ud83d", r"half \ud83d"),
        ("two\nlines", r"two\nlines"),
    ],
)
def test_control_codes_are_escaped(hostile: str, shown: str) -> None:
    assert neutralise(hostile) == shown


@pytest.mark.parametrize(
    ("hostile", "shown"),
    [
        ("::stop-commands::x", r"\x3a:stop-commands::x"),
        ("  ::error file=a.py::x", r"  \x3a:error file=a.py::x"),
        ("says ::some-new-command::", r"says \x3a:some-new-command::"),
        ("over\r::warning::x", r"over\r\x3a:warning::x"),
        ("in a word::Add-Mask::x", r"in a word\x3a:Add-Mask::x"),
        (":::debug::x", r":\x3a:debug::x"),
        ("in a line ##[add-mask]x", r"in a line \x23#[add-mask]x"),
        ("###[error]x", r"#\x23#[error]x"),
        ("##vso[task.setvariable]x", r"\x23#vso[task.setvariable]x"),
        ("##teamcity[x]", r"\x23#teamcity[x]"),
    ],
)
def test_commands_to_a_ci_service_are_broken_up(hostile: str, shown: str) -> None:
    assert neutralise(hostile) == shown
    assert excerpt(hostile, 60) == shown
    assert excerpt(hostile + "y" * 100, 80).startswith(shown)
    assert neutralise_lines(f"one\n{hostile}") == f"one\n{shown}"


def test_node_ids_addresses_and_headings_are_no_commands() -> None:
    for harmless in ("test_it.py::TestIt::test_it[m-0]", "std::vector", "[::1]:80 or ::1", "## Results [1]", "a :: b"):
        assert neutralise(harmless) == harmless


@given(st.text(st.sampled_from(":#[]abc -\r\nerrorstop-commands"), max_size=300), st.integers(30, 60))
def test_no_line_of_a_wrapped_text_is_a_command(text: str, width: int) -> None:
    for command in ("::error::", "::stop-commands::", "##[add-mask]"):
        for start in (text[:40], ""):
            lines = [*hang(start + command + text, width, 5), *fill(start + command + text, width)]
            assert not any(re.match(r"\s*::[a-z-]+( .*)?::", line) or "##[" in line for line in lines)


def test_lines_are_neutralised_one_by_one() -> None:
    assert neutralise_lines("a\tb\n\x1b[2J\r\n::error::x") == "a\tb\n\\x1b[2J\\r\n\\x3a:error::x"


def test_printable_text_of_any_language_is_unchanged() -> None:
    assert neutralise("Größe 价格 🙂") == "Größe 价格 🙂"


def test_a_short_text_is_shown_whole() -> None:
    assert excerpt("a" * 40, 40) == "a" * 40


def test_a_long_text_says_how_much_is_left_out() -> None:
    assert excerpt("a" * 12_345, 60) == "a" * 33 + "... (+12,312 characters)"


@given(st.text(max_size=300), st.integers(30, 120))
def test_an_excerpt_is_printable_and_fits(text: str, room: int) -> None:
    shown = excerpt(text, room)
    assert shown.isprintable()
    assert len(shown) <= room


@given(st.text(st.characters(), max_size=600))
def test_a_hanging_text_fits_and_ends(text: str) -> None:
    lines = hang(text, 60, 10)
    assert all(line.isprintable() and len(line) <= 60 for line in lines)
    assert len(lines) <= 4
    assert all(line.startswith(" " * 10) for line in lines[1:])


def test_running_text_is_wrapped_with_its_paragraphs() -> None:
    assert fill("one two three\n\nfour \x1b", 12, "  ") == ["  one two", "  three", "", r"  four \x1b"]


def test_a_value_is_shown_on_one_line() -> None:
    assert compact({"data": "a\nß", "n": [1, None]}) == '{"data": "a\\nß", "n": [1, null]}'


def test_a_value_nested_too_deeply_is_not_shown() -> None:
    value: object = 0
    for _ in range(1_000_000):
        value = [value]
    assert compact(value) == "(nested too deeply to show)"


def test_nouns_agree_with_their_number() -> None:
    assert [count(n, "case") for n in (0, 1, 1200)] == ["0 cases", "1 case", "1,200 cases"]
