"""Implicit faults: results that look fine and are wrong."""

from __future__ import annotations

import copy
import csv
import io
import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pytest_ultra.core.json_types import Json
from pytest_ultra.faults.mutators import MUTATORS, mutate, mutator_names
from pytest_ultra.faults.result_text import read_rows

ROWS = [
    {"id": f"A-{n}", "region": "north" if n % 2 else "south", "amount": n * 10.5, "items": n, "on": f"2026-03-{n:02}"}
    for n in range(1, 11)
]
LINES = "one\ntwo\nthree\nfour\nfive\n"
SEEDS = st.integers(0, 2**64 - 1)

SCALARS = st.none() | st.booleans() | st.integers(-(10**12), 10**12) | st.floats(-1e9, 1e9) | st.text(max_size=12)
TABLES = st.lists(st.dictionaries(st.text(max_size=6), SCALARS, max_size=5), max_size=12)
SAME_COLUMNS = st.lists(st.text(min_size=1, max_size=6), min_size=1, max_size=5, unique=True).flatmap(
    lambda names: st.lists(st.fixed_dictionaries(dict.fromkeys(names, SCALARS)), min_size=1, max_size=12)
)
VALUES = st.recursive(
    SCALARS | TABLES | SAME_COLUMNS, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner)
)


def as_csv(rows: list[dict[str, Any]]) -> str:
    text = io.StringIO()
    writer = csv.DictWriter(text, list(rows[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()


FORMS = {"table": ROWS, "json": json.dumps(ROWS), "csv": as_csv(ROWS)}


@settings(suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(value=VALUES, seed=SEEDS)
def test_a_mutation_is_a_pure_change_of_a_value_to_another_one_of_its_type(value: Json, seed: int) -> None:
    before = copy.deepcopy(value)
    for name in MUTATORS:
        changed = mutate(name, value, seed)
        assert value == before, name
        assert changed is None or (changed != value and type(changed) is type(value)), name
        assert changed == mutate(name, value, seed), name


@pytest.mark.parametrize("name", MUTATORS)
@pytest.mark.parametrize("form", FORMS)
def test_every_mutator_changes_a_table_in_every_form_and_keeps_the_form(name: str, form: str) -> None:
    for seed in range(30):
        changed = mutate(name, FORMS[form], seed)
        assert changed is not None
        read = read_rows(changed)
        assert read is not None
        rows, write = read
        assert write(rows) == changed
        assert list(rows[0]) == list(ROWS[0])
        if name != "truncated":
            assert rows != ROWS[: len(rows)]


def rows_of(name: str, seed: int, value: Json = ROWS) -> list[dict[str, Any]]:
    read = read_rows(mutate(name, value, seed))
    assert read is not None
    return read[0]


@pytest.mark.parametrize("seed", range(30))
def test_each_mutator_does_what_its_name_says(seed: int) -> None:
    cut = rows_of("truncated", seed)
    assert cut == ROWS[: len(cut)]
    assert 4 <= len(cut) <= 8
    stale = rows_of("stale", seed)
    assert len(stale) < len(ROWS)
    assert all(row["on"].startswith("2025-") for row in stale)
    assert [row["id"] for row in stale] == [row["id"] for row in ROWS[: len(stale)]]
    unit = rows_of("wrong_unit", seed)
    factors = {
        (name, round(new[name] / old[name], 6))
        for new, old in zip(unit, ROWS, strict=True)
        for name in ("amount", "items")
        if new[name] != old[name]
    }
    assert len(factors) == 1
    assert factors < {(name, factor) for name in ("amount", "items") for factor in (1000.0, 0.001)}
    shifted = rows_of("shifted_column", seed)
    assert all(
        sorted(map(str, new.values())) == sorted(map(str, old.values())) for new, old in zip(shifted, ROWS, strict=True)
    )
    impossible = rows_of("impossible_value", seed)
    wrong = [(n, name) for n, row in enumerate(impossible) for name, cell in row.items() if cell != ROWS[n][name]]
    assert len(wrong) == 1
    assert wrong[0][0] < 3
    assert impossible[wrong[0][0]][wrong[0][1]] < 0


def test_text_without_a_table_can_only_be_cut() -> None:
    changed = {name: mutate(name, LINES, 1) for name in MUTATORS}
    assert {name for name, value in changed.items() if value is not None} == {"truncated"}
    assert LINES.startswith(changed["truncated"])


def test_a_record_can_have_wrong_figures() -> None:
    record = {"field": "amount", "count": 12, "mean": 8.5}
    changed = {name: mutate(name, record, 1) for name in MUTATORS}
    assert {name for name, value in changed.items() if value is not None} == {"wrong_unit", "impossible_value"}


def test_values_without_anything_to_get_wrong_stay() -> None:
    values: tuple[Json, ...] = (None, "", "x", 3, [], {}, [1, 2], [{}], "[]", "a,b\n", [[{"a": 1}]])
    for value in values:
        assert {mutate(name, value, 0) for name in MUTATORS} == {None}


def test_every_mutator_states_what_gives_it_away() -> None:
    assert all(len(mutator.gives_away) > 20 for mutator in MUTATORS.values())


@given(SEEDS)
def test_the_order_of_mutators_is_drawn_and_has_each_of_them_once(seed: int) -> None:
    assert sorted(mutator_names(seed)) == sorted(MUTATORS)
    assert mutator_names(seed) == mutator_names(seed)
