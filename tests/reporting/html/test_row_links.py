"""Rows of the table of cases that can be compared have equal numbers."""

from __future__ import annotations

from pytest_ultra.core.axes import PromptType
from pytest_ultra.reporting.html.row_links import link_rows
from tests.results_factory import make_case, make_episode


def test_runs_of_one_model_each_are_linked_across_their_models() -> None:
    episodes = [make_episode(make_case(model=model)) for model in "ab"]
    own = link_rows(episodes, ["B", "A"], are_models_in_runs=True)
    assert (own.control, own.task, own.peer, own.same) == ((0, 1), (0, 0), (0, 0), (0, 0))
    other = link_rows(episodes, ["B", "A"])
    assert (other.peer, other.same) == ((0, 1), (0, 1))


def test_a_control_is_of_its_own_run_and_a_task_of_all() -> None:
    cases = [make_case(kind, repeat=repeat) for kind in (PromptType.OPTIMAL, PromptType.COT) for repeat in (0, 1)]
    episodes = [make_episode(case) for case in cases]
    links = link_rows(episodes * 2, ["B"] * 4 + ["A"] * 4)
    assert links.control == (0, 1, 0, 1, 2, 3, 2, 3)
    assert links.task == (0,) * 8
    assert links.same == (0, 1, 2, 3) * 2
