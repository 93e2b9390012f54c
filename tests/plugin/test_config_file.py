"""Options from a TOML file: what overrides what, and errors with the file and the line."""

from __future__ import annotations

import json
from pathlib import Path

import jsonschema_rs
import pytest

from pytest_ultra.errors import ConfigurationError
from pytest_ultra.options.config_file import config_schema, read_config_file
from pytest_ultra.options.option_hooks import read_settings
from pytest_ultra.options.option_table import OPTIONS

DOCS = Path(__file__).parents[2] / "docs"

WHOLE = """\
# a run of the shop
model = ["demo/perfect", "served"]
prompt_type = "optimal,flawed_tool_misuse"
tool_success_rate = 0.9
tool_discovery = false
instances = 2
fail_under = { all = 0.5, flawed = 0.25 }

[models.served]
endpoints = [{ base_url = "http://127.0.0.1:9/v1" }]
"""


def test_a_file_sets_options_between_ini_file_and_command_line(pytester: pytest.Pytester) -> None:
    (pytester.path / "shop.ultra.toml").write_text(WHOLE)
    pytester.makeini("[pytest]\nultra_instances = 7\nultra_seed = 5\nultra_config = shop.ultra.toml\n")
    settings = read_settings(pytester.parseconfig("--ultra-prompt-type=optimal"))
    assert settings is not None
    assert settings.model == ("demo/perfect", "served")
    assert settings.prompt_type == ("optimal",)
    assert (settings.instances, settings.seed, settings.tool_success_rate) == (2, 5, (0.9,))
    assert settings.tool_discovery is False
    assert settings.gates.fail_under == {"all": 0.5, "flawed": 0.25}
    assert settings.served["served"][0].base_url == "http://127.0.0.1:9/v1"
    assert settings.config == pytester.path / "shop.ultra.toml"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("model = 'demo'\n\nmodle = 'demo'\n", "x.ultra.toml:3: there is no option 'modle'; did you mean 'model'?"),
        ("model = 'demo'\nseed = [[1]]\n", "x.ultra.toml:2: seed: give a text, a number, true or false, a list"),
        ("model = 'demo'\nmodel = 'a'\n", "x.ultra.toml is no TOML: Cannot overwrite a value (at line 2, column 12)"),
        ("model = 'demo'\nseed = -1\n", "x.ultra.toml:2: seed: '-1' is not valid; give a whole number of at least 0"),
        ("model = 'demo'\n[models.a]\nx = 1\n", "x.ultra.toml:2: models: [models.\"a\"] has no 'x'"),
        ("[config]\n", "x.ultra.toml:1: there is no option 'config'"),
    ],
)
def test_an_error_names_file_and_line(pytester: pytest.Pytester, text: str, message: str) -> None:
    (pytester.path / "x.ultra.toml").write_text(text)
    with pytest.raises(pytest.UsageError) as caught:
        read_settings(pytester.parseconfig("--ultra-config=x.ultra.toml"))
    assert message in str(caught.value)


def test_a_model_that_cannot_be_called_is_named_with_file_and_line(pytester: pytest.Pytester) -> None:
    (pytester.path / "x.ultra.toml").write_text("seed = 1\nmodel = 'acme/large'\n")
    result = pytester.runpytest("--ultra-config=x.ultra.toml")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["ERROR: x.ultra.toml:2: model: There is no provider 'acme' *"])


def test_a_file_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"none.toml cannot be read: No such file"):
        read_config_file(tmp_path / "none.toml", OPTIONS)


def test_the_published_schema_is_that_of_the_options() -> None:
    published = json.loads((DOCS / "options.schema.json").read_text())
    assert published == config_schema(OPTIONS), "run `python docs/tables.py`"
    validator = jsonschema_rs.validator_for(published)
    assert validator.is_valid({"model": ["demo"], "fail_under": {"all": 0.5}, "models": {"a": {}}})
    assert not validator.is_valid({"modle": "demo"})
