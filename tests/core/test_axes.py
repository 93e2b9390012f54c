"""The axes and the case: the published values, and a case's identity, which covers every field."""

from __future__ import annotations

import hashlib
from math import ceil
from typing import Any

import msgspec
import pytest

from pytest_ultra.core.axes import (
    DEFAULT_PROMPT_TYPES,
    FLAWED_PROMPT_TYPES,
    Difficulty,
    FlawKind,
    PromptType,
    PromptVariant,
    Severity,
    TaskType,
    ToolProtocol,
    Visibility,
)
from pytest_ultra.core.case import (
    GENERATOR_VERSION,
    LATER_FIELDS,
    PROMPT_VERSION,
    SCORER_VERSION,
    Case,
    SuiteTaskKey,
)
from tests.benchmark.agent_runs import make_case, run_in_subprocess

FLAWED = make_case(PromptType.FLAWED_MISSING_STEP)


def test_light_medium_and_severe_damage_one_half_and_two_thirds_of_the_steps() -> None:
    for n in range(1, 30):
        damaged = [severity.damaged_steps(n) for severity in (Severity.LIGHT, Severity.MEDIUM, Severity.SEVERE)]
        assert damaged == [min(6, each) for each in (1, max(1, n // 2), max(1, n // 2, ceil(2 * n / 3)))]
        assert not 4 <= n < 12 or len(set(damaged)) == 3
        assert max(damaged) <= n


def test_every_flaw_kind_has_its_prompt_type_and_the_others_have_none() -> None:
    assert [prompt_type.flaw_kind for prompt_type in FLAWED_PROMPT_TYPES] == list(FlawKind)
    others = [prompt_type for prompt_type in PromptType if prompt_type.flaw_kind is None]
    assert others == [PromptType.BASELINE, PromptType.COT, PromptType.OPTIMAL, PromptType.ALTERNATIVE]
    assert [prompt_type for prompt_type in PromptType if not prompt_type.has_plan] == others[:2]


def test_the_axes_are_as_published() -> None:
    assert [len(axis) for axis in (TaskType, Difficulty, DEFAULT_PROMPT_TYPES, Severity, FlawKind)] == [5, 5, 10, 3, 7]
    assert [difficulty.level for difficulty in Difficulty] == [0, 1, 2, 3, 4]


OTHER: dict[str, Any] = {
    "model": "gpt-4o-mini",
    "prompt_type": PromptType.FLAWED_TOOL_MISUSE,
    "task_type": TaskType.DATA_PIPELINE,
    "difficulty": Difficulty.HARD,
    "tool_success_rate": 0.8,
    "severity": Severity.LIGHT,
    "instance": 1,
    "repeat": 1,
    "seed": 1,
    "max_turns": 31,
    "timeout_s": 5.0,
    "temperature": 0.0,
    "prompt_variant": PromptVariant.BRIEF,
    "tool_protocol": ToolProtocol.TEXT,
    "has_tool_discovery": True,
    "flaws": 2,
    "request_parameters": '{"seed":1}',
    "fault_kind": "transient+implicit",
    "flaw_visibility": Visibility.WORLD,
    "agent": "my_app.agent:solve",
    "agent_model": "gpt-4o-mini",
    "suite": "shop",
    "suite_version": "1-0a1b2c3d",
}


def test_a_change_of_any_field_makes_another_case() -> None:
    assert tuple(OTHER) == Case.__struct_fields__
    changed = [msgspec.structs.replace(FLAWED, **{name: value}) for name, value in OTHER.items()]
    assert len({case.case_id for case in (FLAWED, *changed)}) == 1 + len(OTHER)


def test_the_identity_covers_the_versions_of_generator_prompts_and_scorer() -> None:
    def identify(*versions: int) -> str:
        fields = msgspec.to_builtins(FLAWED)
        for name in LATER_FIELDS:
            del fields[name]  # they have their defaults, so the identity is the one from before there were any
        text = msgspec.json.encode([*versions, fields], order="sorted")
        return hashlib.blake2b(text, digest_size=8).hexdigest()

    assert identify(GENERATOR_VERSION, PROMPT_VERSION, SCORER_VERSION) == FLAWED.case_id
    assert identify(GENERATOR_VERSION, PROMPT_VERSION, SCORER_VERSION + 1) != FLAWED.case_id


def test_users_suites_add_flaws_to_the_axes_and_change_nothing_of_them() -> None:
    own = PromptType("flawed_own_old_price")
    assert own is PromptType("flawed_own_old_price")
    assert own.flaw_kind is FlawKind("own_old_price")
    assert (own.has_plan, own.is_own, PromptType.OPTIMAL.is_own) == (True, True, False)
    assert own not in list(PromptType)
    case = msgspec.structs.replace(FLAWED, prompt_type=own, task_type="half", suite="shop", suite_version="1-0a")
    assert msgspec.json.decode(msgspec.json.encode(case), type=Case) == case
    assert isinstance(case.task_key, SuiteTaskKey)
    ranked = sorted((own, PromptType.ALTERNATIVE, PromptType.FLAWED_SEMANTIC_DRIFT), key=lambda each: each.rank)
    assert ranked == [PromptType.FLAWED_SEMANTIC_DRIFT, own, PromptType.ALTERNATIVE]


@pytest.mark.parametrize("name", ["own_old_price", "flawed_old_price", "flawed_own_", "flawed_own_Old", ""])
def test_another_name_is_no_prompt_type(name: str) -> None:
    with pytest.raises(ValueError, match="is not a valid PromptType"):
        PromptType(name)


def test_equal_cases_have_one_identity_and_it_survives_the_codec() -> None:
    copy = msgspec.json.decode(msgspec.json.encode(FLAWED), type=Case)
    assert (copy, copy.case_id) == (FLAWED, FLAWED.case_id)
    assert len(FLAWED.case_id) == 16


@pytest.mark.parametrize("hash_seed", ["1", "2"])
def test_a_case_has_one_identity_in_all_processes(hash_seed: str) -> None:
    code = "from tests.benchmark.agent_runs import make_case; print(make_case().case_id)"
    assert run_in_subprocess(code, hash_seed).strip() == make_case().case_id


def test_a_control_is_the_same_task_repeat_and_faults_without_the_flaw() -> None:
    control = msgspec.structs.replace(FLAWED, prompt_type=PromptType.OPTIMAL, severity=None)
    assert control.control_key == FLAWED.control_key
    own = {"prompt_type", "severity", "flaws", "flaw_visibility"}
    own |= {"max_turns", "timeout_s", "temperature", "request_parameters"}
    apart = [name for name in OTHER if name not in own]
    changed = [msgspec.structs.replace(FLAWED, **{name: OTHER[name]}) for name in apart]
    assert len({case.control_key for case in (FLAWED, *changed)}) == 1 + len(apart)
