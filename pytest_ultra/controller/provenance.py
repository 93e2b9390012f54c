"""The provenance of a run, for its run.json: versions, options, models and their endpoints, the project's commit."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import msgspec
import pytest

from pytest_ultra import __version__
from pytest_ultra.collection.job_shards import SHARDED, find_selection
from pytest_ultra.core.axes import ToolProtocol
from pytest_ultra.core.case import GENERATOR_VERSION, PROMPT_VERSION, SCORER_VERSION
from pytest_ultra.errors import ConfigurationError
from pytest_ultra.options.agent_option import AgentChoice
from pytest_ultra.options.defaults import AGENT_TIMEOUT_S
from pytest_ultra.options.settings import Settings
from pytest_ultra.providers.config_redaction import ConfigRedactor
from pytest_ultra.providers.endpoint_lookup import find_spec

GIT_TIMEOUT_S = 0.1
"""How long the start of a run may wait for git."""

STORED_NAMES = {"overrides": "departures"}
"""Names of settings that differ in run.json."""


def describe_run(config: pytest.Config, settings: Settings) -> dict[str, Any]:
    """Return the description of a run for run.json; everything that may be secret is redacted."""
    variables = [one.key_env for served in settings.served.values() for one in served if one.key_env]
    variables += [variable for headers in settings.header.values() for variable in headers.values()]
    redactor = ConfigRedactor(os.environ, variables, [agent.target for agent in settings.agent])
    options = msgspec.to_builtins(asdict(settings), enc_hook=str)
    options |= options.pop("gates") | {"shard": settings.shard and str(settings.shard)}
    options = {STORED_NAMES.get(name, name): value for name, value in options.items()}
    return {
        "pytest_ultra": __version__,
        "python": sys.version.split()[0],
        "versions": {"generator": GENERATOR_VERSION, "prompts": PROMPT_VERSION, "scorer": SCORER_VERSION},
        "options": redactor.value(options),
        "models": redactor.value(
            [_describe_model(model, settings) for model in settings.model]
            + [_describe_agent(agent, settings) for agent in settings.agent]
        ),
        "git": find_commit(config.rootpath),
        "command": redactor.command(config.invocation_params.args),
    } | _describe_shard(config, redactor)


def _describe_shard(config: pytest.Config, redactor: ConfigRedactor) -> dict[str, Any]:
    sharded = config.stash.get(SHARDED, None)
    return {} if sharded is None else {"shard": redactor.value(sharded.describe(find_selection(config)))}


def _describe_agent(agent: AgentChoice, settings: Settings) -> dict[str, Any]:
    """Describe an agent, and what serves the model behind it, if there is one."""
    described = _describe_model(agent.model, settings) if agent.model else {"provider": None, "hosts": []}
    own = {"tool_protocol": ToolProtocol.NATIVE, "tool_discovery": False}
    parameters = {**described.get("parameters", {}), "max_turns": settings.max_turns, **own}
    parameters["timeout_s"] = settings.timeout or AGENT_TIMEOUT_S
    return {**described, "name": agent.name, "agent": agent.target, "model": agent.model, "parameters": parameters}


def _describe_model(model: str, settings: Settings) -> dict[str, Any]:
    """Describe who serves a model, as far as that is known: an endpoint from the user's hook is not."""
    parameters: dict[str, Any] = {
        "temperature": settings.temperature,
        "max_turns": settings.max_turns,
        "timeout_s": settings.timeout,
        "tool_protocol": settings.tool_protocol,
        "tool_discovery": settings.tool_discovery,
    }
    parameters |= {"request": settings.request[model]} if model in settings.request else {}
    try:
        spec = find_spec(settings, model)
    except ConfigurationError:
        return {"name": model, "provider": None, "hosts": [], "protocols": [], "parameters": parameters}
    hosts = dict.fromkeys(_host(each.base_url) for each in spec.endpoints if each.base_url)
    return {
        "name": model,
        "provider": spec.provider,
        "hosts": list(hosts),
        "protocols": [] if spec.is_demo else list(spec.protocols),
        "parameters": parameters,
    }


def _host(url: str) -> str:
    return urlsplit(url).netloc.rpartition("@")[2]


def find_commit(folder: Path, timeout_s: float = GIT_TIMEOUT_S) -> Mapping[str, Any] | None:
    """Return the checked-out commit and whether tracked files differ from it; None outside a repository.

    `is_dirty` is None if git does not answer in time.
    """
    git = shutil.which("git")
    if git is None:
        return None
    ends_at = time.monotonic() + timeout_s
    head = _start_git(git, folder, "rev-parse", "--verify", "HEAD")
    changes = _start_git(git, folder, "status", "--porcelain", "--untracked-files=no")
    commit, changed = _read_output(head, ends_at), _read_output(changes, ends_at)
    if not commit:
        return None
    return {"commit": commit.strip(), "is_dirty": None if changed is None else bool(changed)}


def _start_git(git: str, folder: Path, *args: str) -> subprocess.Popen[str]:
    command = [git, "--no-optional-locks", "-C", str(folder), *args]
    nowhere = subprocess.DEVNULL
    return subprocess.Popen(command, stdin=nowhere, stdout=subprocess.PIPE, stderr=nowhere, text=True)  # noqa: S603 - git


def _read_output(process: subprocess.Popen[str], ends_at: float) -> str | None:
    """Return the output of a process that succeeds in time; kill any other."""
    with process:
        try:
            output, _ = process.communicate(timeout=max(0.0, ends_at - time.monotonic()))
        except (subprocess.TimeoutExpired, UnicodeDecodeError):
            process.kill()
            return None
        return output if process.returncode == 0 else None
