"""Answers are read as a person would read them: what counts as the wanted value, and what does not."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_ultra.benchmark.answers import is_answer, read_answer, says_not_done
from pytest_ultra.benchmark.facts import Fact, FactKind
from pytest_ultra.core.json_types import Json
from tests.fuzzing import HOSTILE_VALUES, check_linear_time, fuzz

WORDS = "Add up size_mb of the files of week 30, in MB, and the fees in EUR. Answer with that value."


def accepts(wanted: Json, text: str, *, words: str = WORDS, precision: int | None = None) -> bool:
    return is_answer(Fact.of(FactKind.ANSWER, "", wanted, precision=precision), read_answer(text), words)


RIGHT: list[tuple[Json, str]] = [
    *(
        (20008, f"Done.\nANSWER: {spelled}")
        for spelled in ("20008", "20,008", "20 008", "20\u202f008", "20008.0", "2.0008e4")
    ),
    *((20008, f"ANSWER: {spelled}") for spelled in ("20008 MB", "20,008 megabytes", "20008MB", "€20008", "20008 EUR")),
    *((20008, f"ANSWER: {marked}") for marked in ("**20008**", "`20008`", '"20008"', "20008.", "_20,008_", "20008!")),
    (20008, "**ANSWER:** 20008"),
    (20008, "**ANSWER**: 20008"),
    (20008, "answer: 20008"),
    (20008, "ANSWER:\n20008"),
    (20008, "ANSWER: 20008\n\nLet me know if you need anything else."),
    (20008, "ANSWER: 20008\nI checked it:\nANSWER: 20,008"),
    (20008, "ANSWER: The files of week 30 have 20,008 MB in all."),
    (20008, "ANSWER: There are 20008 rows"),
    (20008, "So the total is \\boxed{20008}."),
    (20008, "ANSWER: $\\boxed{20{,}008}$".replace("{,}", ",")),
    (20008, "The sum is 20,008 MB."),
    (20008, "I did it.\n\nThe answer is 20008"),
    (20008, "ANSWER: ```json\n20008\n```"),
    (20008, '```json\n{"answer": 20008}\n```'),
    (20008, 'ANSWER: {"total": 20008}'),
    (-5, "ANSWER: -5"),
    (-5, "ANSWER: \u22125 EUR"),
    (-5, "ANSWER: -€5"),
    (0.5, "ANSWER: .5"),
    (30, "ANSWER: 30"),
    ("north", "ANSWER: north"),
    ("north", "ANSWER: North."),
    ("north", 'ANSWER: "north"'),
    ("north", "ANSWER: The region with the highest total is north."),
    ("north", "The answer is **north**."),
    ("north", "ANSWER: region = north"),
    ("north", "\\boxed{\\text{north}}"),
    ("week 30", "ANSWER: week 30"),
    ("007", "ANSWER: 007"),
    (True, "ANSWER: yes"),
    (True, "ANSWER: true"),
    (False, "ANSWER: No."),
    (["a", "b"], 'ANSWER: ["b", "a"]'),
    (["a", "b"], "ANSWER: a, b"),
    (["a", "b"], 'ANSWER: [\n  "b",\n  "a"\n]\nThese are all.'),
    (["a", "b"], 'ANSWER: ["b", "a"], in no order'),
    ("north", "ANSWER: The region whose total is highest is north."),
    (["a", "b"], "ANSWER: a and b"),
    ([{"sum_paid": 9.5}], "ANSWER: 9.5"),
    (9.5, 'ANSWER: [{"sum_paid": 9.5}]'),
]


@pytest.mark.parametrize(("wanted", "text"), RIGHT)
def test_the_value_counts_however_it_is_written(wanted: Json, text: str) -> None:
    assert accepts(wanted, text)


WRONG: list[tuple[Json, str]] = [
    (20008, "ANSWER: 20007"),
    (20008, "ANSWER: 20010"),
    (20008, "ANSWER: 20008.4"),
    (20008, "ANSWER: 20008 GB"),
    (20008, "ANSWER: 20008 thousand"),
    (20008, "ANSWER: $20008"),
    (20008, "ANSWER: 20008%"),
    (20008, "ANSWER: 20008 or 20010"),
    (20008, "ANSWER: 20008, 20010"),
    (20008, "ANSWER: [20008, 20010]"),
    (20008, "ANSWER: 20010\nANSWER: 20008"),
    (20008, "\\boxed{20010} or \\boxed{20008}"),
    (20008, "ANSWER: It is not 20008"),
    (20008, "ANSWER: unknown, perhaps 20008"),
    (20008, "ANSWER: 2.0008"),
    (20008, "ANSWER: 20.008"),
    (20008, "ANSWER: order-20008"),
    (20008, "ANSWER: 20008-20010"),
    (20008, "ANSWER: 1/20008"),
    (20008, "ANSWER: A20008"),
    (20008, "ANSWER: 20008\nNOT DONE: I am not sure"),
    (20008, "NOT DONE: the total would be 20008"),
    (20008, "ANSWER: "),
    (20008, ""),
    (20008, "20008\nDone."),
    (5, "ANSWER: -5"),
    (7, "ANSWER: 007"),
    ("007", "ANSWER: 7"),
    ("north", "ANSWER: south"),
    ("north", "ANSWER: north or south"),
    ("south", "ANSWER: It is either north or it is south"),
    ("south", "ANSWER: It is north, it is south"),
    ("south", "ANSWER: It is north and it is south"),
    ("north", "ANSWER: not north"),
    ("north", "ANSWER: It is not true that it is north"),
    ("north", "ANSWER: northern"),
    ("north", "ANSWER: north, south, east"),
    (True, "ANSWER: no"),
    (True, "ANSWER: 1"),
    (["a", "b"], "ANSWER: a"),
    (["a", "b"], "ANSWER: a, b, c"),
]


@pytest.mark.parametrize(("wanted", "text"), WRONG)
def test_another_value_or_several_values_do_not_count(wanted: Json, text: str) -> None:
    assert not accepts(wanted, text)


def test_a_number_of_the_jobs_words_is_not_taken_for_the_answer() -> None:
    assert accepts(20008, "ANSWER: Week 30 has 20008", words="Add up week 30.")
    assert not accepts(20008, "ANSWER: Week 31 has 20008", words="Add up week 30.")
    assert not accepts(30, "ANSWER: Week 30 has 20008", words="Add up week 30.")


def test_a_unit_counts_only_if_the_jobs_words_name_it() -> None:
    for unit, words in (("h", "How many hours?"), ("hours", "net_h in h"), ("%", "as a percentage"), ("$", "in USD")):
        spelled = f"ANSWER: {unit}12" if unit == "$" else f"ANSWER: 12 {unit}"
        assert accepts(12, spelled, words=words)
        assert not accepts(12, spelled, words="How much?")
    assert accepts(12, "ANSWER: 12 orders", words="How much?")  # no unit that could mean another number


def test_the_precision_that_was_asked_for_decides() -> None:
    assert accepts(3.14159, "ANSWER: 3.14", precision=2)
    assert accepts(3.14, "ANSWER: 3.14159", precision=2)
    assert not accepts(3.14159, "ANSWER: 3.1", precision=2)
    assert not accepts(3.14159, "ANSWER: 3.15", precision=2)
    assert accepts(20008.4, "ANSWER: 20008", precision=0)
    assert not accepts(20008.4, "ANSWER: 20009", precision=0)


def test_without_a_precision_a_rounding_to_two_decimals_or_a_small_difference_is_right() -> None:
    for text in ("2.34", "2.346", "2.3457", "2.34568", "2.3456"):
        assert accepts(2.345678, f"ANSWER: {text}") == (text != "2.34"), text
    assert accepts(2.345678, "ANSWER: 2.35")
    assert accepts(12345.678, "ANSWER: 12346")  # a relative difference of 3e-5
    assert not accepts(12345.678, "ANSWER: 12348")


@pytest.mark.parametrize("text", ["NOT DONE: no session", "**NOT DONE**: x", "Sorry.\nnot done: x", "It is NOT DONE."])
def test_last_words_can_say_that_the_job_was_not_done(text: str) -> None:
    assert says_not_done(text)


@pytest.mark.parametrize("text", ["Done.", "", "The report was not done before; it is now.", "ANSWER: 4"])
def test_other_last_words_claim_that_it_was(text: str) -> None:
    assert not says_not_done(text)


PARTS = [
    "ANSWER:",
    "ANSWER: ",
    "\\boxed{",
    "}",
    "{",
    "```",
    "\n",
    " is ",
    "NOT DONE",
    "1,000",
    "$",
    "MB",
    "north",
    "**",
    ",",
]
TEXTS = st.lists(st.sampled_from([*PARTS, *(value.decode("utf-8", "replace") for value in HOSTILE_VALUES)]) | st.text())
WANTED = st.sampled_from([42, 2.5, "north", True, None, ["a", 1], {"a": 1}, 10**400, "x" * 2000])


@fuzz(300)
@given(TEXTS.map("".join), WANTED, st.text(max_size=20) | st.just(WORDS), st.sampled_from([None, 0, 2]))
def test_no_answer_raises(text: str, wanted: Json, words: str, precision: int | None) -> None:
    assert accepts(wanted, text, words=words, precision=precision) in (True, False)


@given(st.integers(-(10**12), 10**12))
def test_every_whole_number_counts_with_separators_and_its_neighbours_do_not(number: int) -> None:
    assert accepts(number, f"ANSWER: {number:,}")
    assert not accepts(number, f"ANSWER: {number + 1:,}")


def test_in_a_reply_that_is_not_the_last_only_a_labelled_value_is_an_answer() -> None:
    for text in ("I found 42 rows.", "\\boxed{42}"):
        assert read_answer(text) is not None
        assert read_answer(text, is_final=False) is None
    assert read_answer("ANSWER: 42", is_final=False) == 42


@pytest.mark.parametrize(
    "unit",
    [
        *(
            "\n",
            " ",
            "*",
            "_",
            "ANSWER:",
            "ANSWER: 1\n",
            "ANSWER*",
            "\\boxed{",
            "\\boxed{1}",
            "\\boxed{{}",
            "{",
            "[",
            "```",
        ),
        *("NOT ", "1 111 ", "1,111", "is ", "or "),
    ],
)
def test_an_answer_is_read_in_linear_time(unit: str) -> None:
    for start in ("", "ANSWER: ", "\\boxed{"):
        check_linear_time(lambda size, start=start: accepts(42, start + unit * (size // len(unit))), 10_000)  # type: ignore[misc]
