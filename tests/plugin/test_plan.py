"""The planned cases and their ids follow from the settings alone."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from pytest_ultra.collection.planned_cases import label_models, plan_cases
from pytest_ultra.core.axes import ToolProtocol
from pytest_ultra.options.option_hooks import read_settings

Collect = Callable[..., list[str]]


def ids(nodeids: list[str]) -> list[str]:
    return [nodeid.partition("[")[2].removesuffix("]") for nodeid in nodeids]


def test_an_id_names_the_axes_but_not_those_with_one_value(collect: Collect) -> None:
    nodeids = collect("--ultra-prompt-type=flawed_tool_misuse", "--ultra-task-type=simple_task")
    assert nodeids == [
        "pytest_ultra/suite/test_workflows.py::test_workflow[gpt-4o-mini-flawed_tool_misuse-simple_task-easy-0]"
    ]


def test_severity_rate_and_repeat_are_in_the_id_when_there_are_several(collect: Collect) -> None:
    several = ("--ultra-severity=all", "--ultra-tool-success-rate=0.9,1", "--ultra-repeats=2")
    found = ids(collect("--ultra-prompt-type=flawed_tool_misuse", "--ultra-task-type=simple_task", *several))
    assert len(found) == len(set(found)) == 12
    assert found[0] == "gpt-4o-mini-flawed_tool_misuse-simple_task-easy-light-0.9-r0-0"
    assert found[-1] == "gpt-4o-mini-flawed_tool_misuse-simple_task-easy-severe-1.0-r1-0"


def test_a_prompt_type_without_a_flaw_appears_once_for_all_severities(collect: Collect) -> None:
    found = ids(
        collect(
            "--ultra-prompt-type=optimal,flawed_missing_step", "--ultra-severity=all", "--ultra-task-type=basic_task"
        )
    )
    assert found == [
        "gpt-4o-mini-optimal-basic_task-easy-0",
        "gpt-4o-mini-flawed_missing_step-basic_task-easy-light-0",
        "gpt-4o-mini-flawed_missing_step-basic_task-easy-medium-0",
        "gpt-4o-mini-flawed_missing_step-basic_task-easy-severe-0",
    ]


def test_the_variant_is_in_the_id_when_there_are_several(collect: Collect) -> None:
    args = ("--ultra-prompt-type=optimal,flawed_tool_misuse", "--ultra-task-type=simple_task", "--ultra-severity=all")
    found = ids(collect(*args, "--ultra-prompt-variant=brief,canary"))
    assert found == [
        f"gpt-4o-mini-{prompt_type}-simple_task-easy-{rest}-0"
        for variant in ("brief", "canary")
        for prompt_type, rest in [
            ("optimal", variant),
            *(("flawed_tool_misuse", f"{severity}-{variant}") for severity in ("light", "medium", "severe")),
        ]
    ], "a flawed case is next to its control, which has the same wording"
    assert "brief" not in ids(collect(*args, "--ultra-prompt-variant=brief"))[0]


def test_protocol_discovery_and_number_of_flaws_are_in_the_case_and_not_in_its_id(pytester: pytest.Pytester) -> None:
    args = ("--ultra-tool-protocol=text", "--ultra-tool-discovery=on", "--ultra-flaws-per-case=2")
    config = pytester.parseconfig("-p", "no:xdist", "--ultra-model=demo", "--ultra-task-type=simple_task", *args)
    settings = read_settings(config)
    assert settings is not None
    cases = plan_cases(settings)
    assert next(iter(cases)) == "demo-baseline-simple_task-easy-0"
    assert {(case.tool_protocol, case.has_tool_discovery) for case in cases.values()} == {(ToolProtocol.TEXT, True)}
    assert [case.flaws for case in cases.values()] == [1] * 3 + [2] * 7, "without a flaw, the count stays 1"


def test_cases_of_one_task_are_next_to_each_other(collect: Collect) -> None:
    found = ids(collect("--ultra-instances=2", "--ultra-task-type=simple_task,data_pipeline", model="a,b"))
    tasks = [found[start : start + 20] for start in range(0, len(found), 20)]
    assert len(found) == 80
    for task in tasks:
        assert len({tuple(case.split("-")[2:]) for case in task}) == 1
        assert {case.split("-")[0] for case in task} == {"a", "b"}


def test_the_matrix_is_complete_and_the_same_every_time(collect: Collect) -> None:
    args = ("--ultra-task-type=all", "--ultra-difficulty=all", "--ultra-severity=all")
    found = collect(*args)
    assert len(found) == len(set(found)) == 5 * 5 * (3 + 7 * 3)
    assert collect(*args) == found


@pytest.mark.parametrize(
    ("model", "label"),
    [
        ("meta-llama/Llama-3.1-8B", "meta-llama/Llama-3.1-8B"),
        ("ollama/llama3:8b", "ollama/llama3:8b"),
        ("demo/follower?latency=0.05&error_rate=0.01", "demo/follower?latency=0.05_error_rate=0.01"),
        ("odd::name[x]", "odd:name_x_"),
        ("modèle à moi", "mod_le___moi"),
    ],
)
def test_a_model_is_written_so_that_node_ids_and_shells_accept_it(model: str, label: str) -> None:
    assert label_models((model,)) == {model: label}


def test_models_with_the_same_label_are_numbered() -> None:
    assert list(label_models(("a[b]", "a(b)", "a_b_", "c")).values()) == ["a_b_", "a_b_~2", "a_b_~3", "c"]


@pytest.mark.parametrize("model", ["demo/follower?latency=0.05&error_rate=0.01", "odd::name[x]", "ollama/llama3:8b"])
def test_an_id_with_any_model_is_accepted(collect: Collect, model: str) -> None:
    nodeid = collect(model=model)[7]
    assert collect(nodeid, model=model) == [nodeid]
