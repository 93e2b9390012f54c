"""Wrong results of real tools: a change in one place of any JSON value, of the same layout."""

from __future__ import annotations

import copy
import json
from random import Random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pytest_ultra.core.json_types import Json
from pytest_ultra.faults.mutators import MUTATORS
from pytest_ultra.faults.record_mutators import RECORD_MUTATORS
from pytest_ultra.faults.result_mutation import known_mutators, mutate_result, mutator, read_held

SCALARS = st.none() | st.booleans() | st.integers(-(10**12), 10**12) | st.floats(-1e9, 1e9) | st.text(max_size=12)
VALUES = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner, max_size=5)
        | st.dictionaries(st.text(max_size=6), inner, max_size=5)
        | inner.map(json.dumps)
        | inner.map(lambda value: json.dumps(value, indent=2))
    ),
    max_leaves=10,
)
NAMES = st.sampled_from([*MUTATORS, *RECORD_MUTATORS])
SEEDS = st.integers(0, 2**64 - 1)

ROWS = [{"id": n, "from": f"A{n}", "to": f"B{n}", "amount": n * 10.5} for n in range(1, 9)]


def wrong(name: str, value: Json, seed: int = 1) -> list[Json]:
    return list(mutate_result(known_mutators()[name], value, seed))


@settings(max_examples=40, suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(NAMES, VALUES, SEEDS)
def test_each_wrong_result_differs_and_can_be_made_again(name: str, value: Json, seed: int) -> None:
    before = copy.deepcopy(value)
    results = wrong(name, value, seed)
    assert value == before
    assert all(result != value for result in results)
    assert json.dumps(results) == json.dumps(wrong(name, value, seed))


@settings(max_examples=40, suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(NAMES, VALUES, SEEDS)
def test_text_that_holds_json_still_does_in_the_same_layout(name: str, value: Json, seed: int) -> None:
    for indent in (None, 2):
        text = json.dumps([value], indent=indent)
        for result in wrong(name, text, seed):
            assert json.dumps(json.loads(result), indent=indent) == result


@pytest.mark.parametrize("name", [*MUTATORS, *RECORD_MUTATORS])
def test_every_mutator_works_on_a_table_wherever_it_is(name: str) -> None:
    for value in (ROWS, {"total": 8, "items": ROWS}, json.dumps({"items": ROWS}, indent=4), repr(ROWS)):
        assert wrong(name, value), value


def test_fields_are_swapped_with_fields_of_their_type() -> None:
    assert wrong("swapped_fields", {"id": 1, "from": "A", "to": "B"}) == [{"id": 1, "from": "B", "to": "A"}]


def test_values_go_missing_and_rows_come_twice() -> None:
    (missing, *_), (repeated,) = wrong("missing_values", ROWS), wrong("repeated_rows", ROWS)
    assert sum(cell is None for row in missing for cell in row.values()) == 4
    assert len(repeated) == 10
    assert sorted({row["id"] for row in repeated}) == list(range(1, 9))


def test_lists_of_names_are_cut_and_single_figures_changed() -> None:
    names = ["ann", "bob", "cat", "dan", "eve"]
    (cut,) = wrong("truncated", names)
    assert cut == names[: len(cut)]
    assert wrong("wrong_unit", 12.5)[0] in (12500, 0.0125)
    assert wrong("truncated", "no table, one line") == []


@pytest.mark.parametrize("text", ['{"a": 1}\n', "{'a': None}", "[1,2]", '{\n  "é": 1\n}', '  ["x"] '])
def test_a_text_is_written_as_it_was(text: str) -> None:
    held = read_held(text)
    assert held is not None
    value, write = held
    assert write(value) == text


@pytest.mark.parametrize("text", ["", "{", "{'a': f()}", "plain", "[1,  2]", "12", "(1, 2)"])
def test_text_without_a_container_that_can_be_written_again_holds_nothing(text: str) -> None:
    assert read_held(text) is None


def test_users_add_mutators_but_replace_none() -> None:
    @mutator("rounded", gives_away="figures without decimals")
    def round_figure(value: Json, _chance: Random) -> Json:
        return round(value) if isinstance(value, float) else None

    assert wrong("rounded", {"amount": "10.5"}) == []
    assert known_mutators()["rounded"].change is round_figure
    with pytest.raises(ValueError, match="'stale' is the name of a built-in mutator"):
        mutator("stale", gives_away="")
