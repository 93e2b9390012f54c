"""The tests of each worker follow from the node ids and the number of workers alone."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_ultra.distribution.partition import find_case_id, partition
from pytest_ultra.distribution.placement import Placement

CASE_IDS = [f"m-{prompt}-simple_task-easy-{instance}" for instance in range(5) for prompt in ("optimal", "cot")]
ONE_ROUND = dict.fromkeys(CASE_IDS, 0)


def nodeids(name: str = "t.py::test", case_ids: list[str] = CASE_IDS) -> list[str]:
    return [f"{name}[{case_id}]" for case_id in case_ids]


@given(cases=st.integers(0, 10), workers=st.integers(1, 12), others=st.integers(0, 5), tests=st.integers(1, 3))
def test_every_case_is_on_exactly_one_worker_and_shards_differ_by_one_at_most(
    cases: int, workers: int, others: int, tests: int
) -> None:
    ids = [nodeid for test in range(tests) for nodeid in nodeids(f"t.py::test_{test}", CASE_IDS[:cases])]
    ids += [f"t.py::test_plain[{number}]" for number in range(others)]
    shards = partition(ids, workers, ONE_ROUND)
    assert sorted(index for shard in shards for index in shard) == list(range(cases * tests))
    cases_by_worker = [{find_case_id(ids[index], CASE_IDS) for index in shard} for shard in shards]
    assert sum(map(len, cases_by_worker)) == cases, "tests of one case stay together"
    assert max(map(len, cases_by_worker)) - min(map(len, cases_by_worker)) <= 1


def test_cases_that_are_collected_next_to_each_other_stay_together() -> None:
    assert partition(nodeids(), 3, ONE_ROUND) == [[0, 1, 2], [3, 4, 5], [6, 7, 8, 9]]


def test_a_shard_keeps_the_order_in_which_tests_were_collected() -> None:
    both = nodeids("t.py::test_a") + nodeids("t.py::test_b")
    assert partition(both, 5, ONE_ROUND)[0] == [0, 1, 10, 11]


def test_a_selection_is_partitioned_on_its_own() -> None:
    assert partition(nodeids()[4:], 2, ONE_ROUND) == [[0, 1, 2], [3, 4, 5]]


def test_each_round_is_partitioned_on_its_own_and_run_after_those_before_it() -> None:
    rounds = {case_id: int(case_id[-1]) // 2 for case_id in CASE_IDS}
    assert partition(nodeids(), 2, rounds) == [[0, 1, 4, 5, 8], [2, 3, 6, 7, 9]]


@pytest.mark.parametrize(
    ("nodeid", "case_id"),
    [
        ("t.py::test[m-cot-simple_task-easy-0]", "m-cot-simple_task-easy-0"),
        ("t.py::TestA::test[m-cot-simple_task-easy-0-calls]", "m-cot-simple_task-easy-0"),
        ("t.py::test[calls-m-cot-simple_task-easy-0]", "m-cot-simple_task-easy-0"),
        ("a[m-cot-simple_task-easy-0].py::test[x]", None),
        ("t.py::test[m-cot-simple_task]", None),
        ("t.py::test", None),
    ],
)
def test_a_case_is_found_in_the_parameters_of_a_node_id(nodeid: str, case_id: str | None) -> None:
    assert find_case_id(nodeid, CASE_IDS) == case_id


def test_without_xdist_one_process_runs_all_tests() -> None:
    assert Placement().assigned_indices(nodeids(), ONE_ROUND) == list(range(10))


def test_a_worker_runs_its_shard() -> None:
    assert Placement(number=2, workers=3).assigned_indices(nodeids(), ONE_ROUND) == [6, 7, 8, 9]


def test_the_replacement_of_a_crashed_worker_runs_the_remaining_tests() -> None:
    left = [nodeids()[4], nodeids()[7]]
    assert Placement(number=1, workers=2, remaining=left).assigned_indices(nodeids(), ONE_ROUND) == [4, 7]
    assert Placement(number=1, workers=2, remaining=[]).assigned_indices(nodeids(), ONE_ROUND) == []


def test_no_test_is_assigned_in_advance_if_xdist_distributes_a_few_at_a_time() -> None:
    assert Placement(number=1, workers=2, is_sharded=False).assigned_indices(nodeids(), ONE_ROUND) == []
