"""The differences between two sets of cases are found field by field."""

from __future__ import annotations

from pytest_ultra.core.case import Versions
from pytest_ultra.core.differences import Difference, find_differences
from tests.results_factory import make_case


def test_fields_that_differ_are_named_with_their_values() -> None:
    ours = [(make_case(temperature=0.5, instance=number), Versions()) for number in (0, 1)]
    theirs = [(make_case(instance=number), Versions()) for number in (0, 2)]
    assert find_differences(ours, theirs) == (
        Difference("instance", ("0", "1"), ("0", "2")),
        Difference("temperature", ("0.5",), ("none",)),
    )


def test_only_a_field_without_common_values_keeps_all_cases_apart() -> None:
    assert not Difference("instance", ("0", "1"), ("0", "2")).is_apart
    assert Difference("temperature", ("0.5",), ("none",)).is_apart


def test_versions_count_too_and_equal_sets_have_no_difference() -> None:
    case = make_case()
    assert find_differences([(case, Versions())], [(case, Versions())]) == ()
    assert find_differences([(case, Versions(scorer=2))], [(case, Versions(scorer=1))]) == (
        Difference("version of scorer", ("2",), ("1",)),
    )
