"""Options and ini keys become settings; a bad value is reported before anything runs."""

from __future__ import annotations

from itertools import takewhile
from pathlib import Path

import pytest

from pytest_ultra.core.axes import (
    DEFAULT_PROMPT_TYPES,
    FLAWED_PROMPT_TYPES,
    Difficulty,
    FaultKind,
    PromptType,
    PromptVariant,
    Severity,
    TaskType,
    ToolProtocol,
    Visibility,
)
from pytest_ultra.core.groups import GateOn, Undecided
from pytest_ultra.core.model_api import ModelApi
from pytest_ultra.core.stream_mode import StreamMode
from pytest_ultra.options.gate_settings import GateSettings
from pytest_ultra.options.option_hooks import read_settings
from pytest_ultra.options.option_parsers import PARSERS
from pytest_ultra.options.option_table import OPTIONS
from pytest_ultra.options.option_values import JUnitPlace, RateMode, Stagger
from pytest_ultra.options.presets import Preset
from pytest_ultra.options.settings import Settings

PROMPT_TYPES = ", ".join(PromptType)


def settings_of(pytester: pytest.Pytester, *args: str) -> Settings:
    settings = read_settings(pytester.parseconfig("-p", "no:xdist", "--ultra-model", "demo", *args))
    assert settings is not None
    return settings


def test_without_a_model_there_are_no_settings(pytester: pytest.Pytester) -> None:
    pytester.makeini("[pytest]\naddopts = --ultra-difficulty=hard")
    assert read_settings(pytester.parseconfig()) is None


def test_the_defaults_are_the_documented_ones(pytester: pytest.Pytester) -> None:
    assert settings_of(pytester) == Settings(
        model=("demo",),
        preset=None,
        overrides=(),
        prompt_type=DEFAULT_PROMPT_TYPES,
        task_type=tuple(TaskType),
        difficulty=(Difficulty.EASY,),
        severity=(Severity.SEVERE,),
        flaws_per_case=1,
        flaw_visibility=(Visibility.JOB, Visibility.WORLD),
        prompt_variant=(PromptVariant.STANDARD,),
        tool_protocol=ToolProtocol.NATIVE,
        tool_discovery=False,
        tool_success_rate=(0.8,),
        fault_kind=(FaultKind.TRANSIENT,),
        instances=1,
        detect=None,
        until=None,
        repeats=1,
        seed=0,
        max_turns=30,
        timeout=None,
        request_timeout=120.0,
        run_timeout=None,
        concurrency=None,
        stagger=Stagger(),
        base_url=None,
        api=ModelApi.AUTO,
        served={},
        request={},
        header={},
        temperature=None,
        stream=StreamMode.AUTO,
        rate_mode=RateMode.ADAPTIVE,
        rpm=None,
        qps=None,
        tpm=None,
        max_in_flight=None,
        redis=None,
        failures=None,
        least_outcome="full",
        json=None,
        html=None,
        markdown=None,
        junit_properties=JUnitPlace.AUTO,
        dir=pytester.path / ".ultra",
        fresh=False,
        rerun=None,
        cassette=None,
        shard=None,
        durations=None,
        plan=False,
        price={},
        max_cost=None,
        max_tokens=None,
        max_requests=None,
        gates=GateSettings(
            fail_under={},
            max_drop={},
            gate_on=GateOn.EVIDENCE,
            undecided=Undecided.PASSES,
            compare=None,
            max_regression={},
            max_errors=0,
        ),
        cassette_dir=pytester.path / "cassettes",
    )


def test_lists_are_repeatable_and_separated_by_commas_and_hold_each_name_once(pytester: pytest.Pytester) -> None:
    settings = settings_of(pytester, "--ultra-model=a, b,demo", "--ultra-model", "c", "--ultra-tool-success-rate=1,0.5")
    assert settings.model == ("demo", "a", "b", "c")
    assert settings.tool_success_rate == (1.0, 0.5)


@pytest.mark.parametrize(
    ("args", "instances"),
    [
        (("--ultra-detect=10", "--ultra-prompt-type=optimal,flawed_tool_misuse"), 63),
        (("--ultra-detect=10",), 100),  # the smallest of seven p-values must be smaller
        (("--ultra-detect=20", "--ultra-task-type=simple_task"), 122),
        (("--ultra-detect=20", "--ultra-difficulty=easy,hard"), 13),
    ],
)
def test_detect_chooses_the_instances_of_each_task_type_and_difficulty(
    pytester: pytest.Pytester, args: tuple[str, ...], instances: int
) -> None:
    assert settings_of(pytester, *args).instances == instances


def test_detect_and_instances_exclude_each_other(pytester: pytest.Pytester) -> None:
    with pytest.raises(pytest.UsageError, match=r"^--ultra-detect chooses the instances, .* give only one"):
        settings_of(pytester, "--ultra-detect=10", "--ultra-instances=5")
    with pytest.raises(pytest.UsageError, match=r"^--ultra-detect: '0.5' is not a difference in points; .* 1 to 100"):
        settings_of(pytester, "--ultra-detect=0.5")


def test_limits_are_keyed_by_group_and_the_last_one_counts(pytester: pytest.Pytester) -> None:
    pytester.makeini("[pytest]\nultra_max_drop =\n    0.3\n    flawed_tool_misuse = 0.5\n")
    settings = settings_of(pytester, "--ultra-fail-under=0.5", "--ultra-fail-under=cot=0.2", "--ultra-fail-under=0.6")
    assert settings.gates.fail_under == {"all": 0.6, "cot": 0.2}
    assert settings.gates.max_drop == {"all": 0.3, "flawed_tool_misuse": 0.5}


def test_a_comparison_file_is_relative_to_the_place_that_names_it(pytester: pytest.Pytester) -> None:
    (pytester.mkdir("sub") / "base.json").touch()
    (pytester.path / "base.json").touch()
    pytester.makeini("[pytest]\nultra_compare = base.json\n")
    assert settings_of(pytester).gates.compare == str(pytester.path / "base.json")
    assert settings_of(pytester, "--ultra-compare=sub/base.json").gates.compare == str(
        pytester.path / "sub" / "base.json"
    )
    assert settings_of(pytester, "--ultra-compare=20261124T093141.512645Z").gates.compare == "20261124T093141.512645Z"


def test_flawed_stands_for_the_seven_flawed_prompt_types(pytester: pytest.Pytester) -> None:
    chosen = settings_of(pytester, "--ultra-prompt-type=optimal,flawed").prompt_type
    assert chosen == (PromptType.OPTIMAL, *FLAWED_PROMPT_TYPES)


@pytest.mark.parametrize(
    ("text", "delays"),
    [("auto", [0, 0, 0]), ("off", [0, 0, 0]), ("30,20", [0, 30, 50]), ("1.5", [0, 1.5, 3])],
)
def test_the_stagger_gives_each_workers_start(pytester: pytest.Pytester, text: str, delays: list[float]) -> None:
    stagger = settings_of(pytester, "--ultra-stagger", text).stagger
    assert [stagger.delay_s(worker) for worker in range(3)] == delays


def test_every_option_can_be_set_in_the_ini_file(pytester: pytest.Pytester) -> None:
    values = {"model": "a,b", "prompt_type": "cot", "difficulty": "hard", "instances": "3", "json": "out.json"}
    pytester.makeini("[pytest]\n" + "\n".join(f"ultra_{name} = {value}" for name, value in values.items()))
    settings = read_settings(pytester.parseconfig("--ultra-difficulty", "medium"))
    assert settings is not None
    assert settings.model == ("a", "b")
    assert settings.prompt_type == (PromptType.COT,)
    assert settings.difficulty == (Difficulty.MEDIUM,), "the command line overrides the ini file"
    assert (settings.instances, settings.json) == (3, pytester.path / "out.json")


def test_prompt_variants_are_repeatable(pytester: pytest.Pytester) -> None:
    args = ("--ultra-prompt-variant=canary", "--ultra-prompt-variant=brief,canary")
    assert settings_of(pytester, *args).prompt_variant == (PromptVariant.CANARY, PromptVariant.BRIEF)
    assert settings_of(pytester, "--ultra-prompt-variant=all").prompt_variant == tuple(PromptVariant)


@pytest.mark.parametrize("protocol", ToolProtocol)
def test_of_several_tool_protocols_the_last_counts(pytester: pytest.Pytester, protocol: ToolProtocol) -> None:
    args = ("--ultra-tool-protocol=native", f"--ultra-tool-protocol={protocol}")
    assert settings_of(pytester, *args).tool_protocol is protocol


@pytest.mark.parametrize(("text", "is_on"), [("on", True), ("True", True), ("1", True), ("off", False), ("no", False)])
def test_the_command_line_can_switch_discovery_off_and_on_again(
    pytester: pytest.Pytester, text: str, *, is_on: bool
) -> None:
    pytester.makeini(f"[pytest]\nultra_tool_discovery = {text}")
    assert settings_of(pytester).tool_discovery is is_on
    assert settings_of(pytester, "--ultra-tool-discovery=off").tool_discovery is False
    assert settings_of(pytester, "--ultra-tool-discovery=on").tool_discovery is True


def test_flag_ini_key_and_destination_agree(pytester: pytest.Pytester) -> None:
    config = pytester.parseconfig()
    for option in OPTIONS:
        assert option.flag == f"--{option.key.replace('_', '-')}"
        assert config.getoption(option.key) is None
        assert config.getini(option.key) == ""


def test_paths_are_relative_to_the_folder_of_invocation(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytester.makeini("[pytest]")
    folder = pytester.mkdir("below")
    monkeypatch.chdir(folder)
    settings = settings_of(pytester, "--ultra-json", "out.json", "--ultra-dir", str(pytester.path / "kept"))
    assert (settings.json, settings.dir) == (folder / "out.json", pytester.path / "kept")


BAD_VALUES = {
    "--ultra-model=,": "',' names no model; name one, such as gpt-4o-mini, or demo, which needs no key",
    "--ultra-prompt-type=optimum": f"'optimum' is not valid; choose from all, flawed, {PROMPT_TYPES} "
    "(did you mean 'optimal'?)",
    "--ultra-task-type=xyz": f"'xyz' is not valid; choose from all, {', '.join(TaskType)}",
    "--ultra-difficulty=esay": f"'esay' is not valid; choose from all, {', '.join(Difficulty)} (did you mean 'easy'?)",
    "--ultra-flaw-visibility=none": f"'none' is not valid; choose from all, {', '.join(Visibility)}",
    "--ultra-severity=none": f"'none' is not valid; choose from all, {', '.join(Severity)}",
    "--ultra-flaws-per-case=3": "'3' is not valid; give a whole number from 1 to 2",
    "--ultra-flaws-per-case=0": "'0' is not valid; give a whole number from 1 to 2",
    "--ultra-prompt-variant=breif": f"'breif' is not valid; choose from all, {', '.join(PromptVariant)} "
    "(did you mean 'brief'?)",
    "--ultra-tool-protocol=txt": "'txt' is not valid; choose from native, text, auto (did you mean 'text'?)",
    "--ultra-tool-protocol=native,text": "'native,text' is not valid; choose from native, text, auto "
    "(did you mean 'native'?)",
    "--ultra-tool-discovery=maybe": "'maybe' is not valid; give on or off",
    "--ultra-preset=5.2": f"'5.2' is not valid; choose from {', '.join(Preset)}",
    "--ultra-preset=sizes": f"'sizes' is not valid; choose from {', '.join(Preset)} (did you mean 'size'?)",
    "--ultra-difficulty=,": f"nothing is chosen; choose from all, {', '.join(Difficulty)}",
    "--ultra-tool-success-rate=0": "'0' is not a tool success rate; give numbers above 0 and up to 1, such as 0.8",
    "--ultra-tool-success-rate=1,80": "'80' is not a tool success rate; give numbers above 0 and up to 1, such as 0.8",
    "--ultra-tool-success-rate=nan": "'nan' is not a tool success rate; give numbers above 0 and up to 1, such as 0.8",
    "--ultra-fault-kind=transcient": f"'transcient' is not valid; choose from all, {', '.join(FaultKind)} "
    "(did you mean 'transient'?)",
    "--ultra-tool-success-rate=,": "no tool success rate is given; give numbers above 0 and up to 1, such as 0.8",
    "--ultra-instances=0": "'0' is not valid; give a whole number of at least 1",
    "--ultra-repeats=two": "'two' is not valid; give a whole number of at least 1",
    "--ultra-seed=-1": "'-1' is not valid; give a whole number of at least 0",
    "--ultra-max-turns=1.5": "'1.5' is not valid; give a whole number of at least 1",
    "--ultra-concurrency=0": "'0' is not valid; give a whole number of at least 1",
    "--ultra-timeout=0": "'0' is not a time; give a number of seconds above 0, or leave it out for no limit",
    "--ultra-temperature=hot": "'hot' is not a temperature; give a number of at least 0, "
    "or leave it out for the endpoint's",
    "--ultra-stagger=30,20,10": "'30,20,10' is not a stagger; give auto, off, or the delays of the second worker "
    "and of each later one in seconds, as in 30,20",
    "--ultra-base-url=localhost:8080": "'localhost:8080' is not a base URL; give one with http:// or https://, "
    "such as http://127.0.0.1:8080/v1",
    "--ultra-cassette=rewind": "'rewind' is not valid; give record, replay or auto",
    "--ultra-rate-mode=adaptiv": "'adaptiv' is not valid; choose from adaptive, fixed (did you mean 'adaptive'?)",
    "--ultra-rate-mode=fixed": "fixed needs a limit; give one or more of --ultra-rpm, --ultra-qps, --ultra-tpm, "
    "--ultra-max-in-flight, or use adaptive",
    "--ultra-rpm=0": "'0' is not a limit; give a number above 0, or leave it out for no limit",
    "--ultra-qps=inf": "'inf' is not a limit; give a number above 0, or leave it out for no limit",
    "--ultra-tpm=many": "'many' is not a limit; give a number above 0, or leave it out for no limit",
    "--ultra-max-in-flight=0": "'0' is not valid; give a whole number of at least 1",
    "--ultra-pass=failed": "'failed' is not valid; give full or partial",
}


@pytest.mark.parametrize("arg", BAD_VALUES)
def test_a_bad_value_is_a_usage_error_with_the_value_the_valid_ones_and_a_way_out(
    pytester: pytest.Pytester, arg: str
) -> None:
    with pytest.raises(pytest.UsageError) as error:
        read_settings(pytester.parseconfig("-p", "no:xdist", *([] if "model" in arg else ["--ultra-model=demo"]), arg))
    assert str(error.value) == f"{arg.partition('=')[0]}: {BAD_VALUES[arg]}"


def test_a_bad_ini_value_names_its_key(pytester: pytest.Pytester) -> None:
    pytester.makeini("[pytest]\nultra_repeats = 0")
    with pytest.raises(pytest.UsageError, match=r"^ultra_repeats \(ini\): '0' is not valid"):
        settings_of(pytester)


def test_a_usage_error_ends_with_exit_code_4_before_anything_is_collected(
    pytester: pytest.Pytester, way: tuple[str, ...]
) -> None:
    result = pytester.runpytest(*way, "--ultra-model=demo", "--ultra-difficulty=esay")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines("ERROR: --ultra-difficulty: 'esay' is not valid; choose from *")
    result.stdout.no_fnmatch_line("*collected*")


@pytest.mark.parametrize(
    ("arg", "message"),
    [
        ("--ultra-json={0}", "--ultra-json: '{0}' is a folder; give the path of a file"),
        (
            "--ultra-json={0}/file/out.json",
            "--ultra-json: '{0}/file/out.json' cannot be written: '{0}/file' is a file; give another path",
        ),
        (
            "--ultra-json=/proc/out.json",
            "--ultra-json: '/proc/out.json' cannot be written (*); give another path",
        ),
        (
            "--ultra-dir={0}/file/x",
            "--ultra-dir: '{0}/file/x' cannot be created: '{0}/file' is a file; give the path of a folder",
        ),
    ],
)
def test_an_output_that_cannot_be_written_is_a_usage_error(pytester: pytest.Pytester, arg: str, message: str) -> None:
    (pytester.path / "file").touch()
    result = pytester.runpytest("-p", "no:xdist", "--ultra-model=demo", arg.format(pytester.path))
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(f"ERROR: {message.format(pytester.path)}")


def test_checking_whether_an_output_can_be_written_changes_nothing(pytester: pytest.Pytester) -> None:
    old = pytester.path / "old.json"
    old.write_text("kept")
    before = sorted(pytester.path.iterdir())
    pytester.runpytest(
        "-p", "no:xdist", "--ultra-model=demo", f"--ultra-json={old}", "--collect-only", "-p", "no:cacheprovider"
    )
    assert old.read_text() == "kept"
    assert [path for path in sorted(pytester.path.iterdir()) if path.suffix != ".pyc"] == before


def test_the_help_lists_every_option_in_one_group(pytester: pytest.Pytester) -> None:
    lines = pytester.runpytest("--help").outlines
    start = next(index for index, line in enumerate(lines) if line.startswith("pytest-ultra:"))
    group = "\n".join(takewhile(str.strip, lines[start:]))
    assert all(option.flag in group for option in OPTIONS)


def test_each_option_has_a_parser_and_each_parser_an_option() -> None:
    assert sorted(PARSERS) == sorted(option.name for option in OPTIONS)


def test_cassettes_are_under_the_rootdir_unless_the_command_line_names_a_folder(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytester.makeini("[pytest]\nultra_cassette = auto\nultra_cassette_dir = kept")
    folder = pytester.mkdir("below")
    monkeypatch.chdir(folder)
    settings = settings_of(pytester)
    assert (settings.cassette, settings.cassette_dir) == ("auto", pytester.path / "kept")
    assert settings_of(pytester, "--ultra-cassette-dir=mine").cassette_dir == folder / "mine"


def test_a_path_option_is_absolute(pytester: pytest.Pytester) -> None:
    assert settings_of(pytester).dir.is_absolute()
    assert isinstance(settings_of(pytester).dir, Path)
