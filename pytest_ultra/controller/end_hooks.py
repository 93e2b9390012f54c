"""Who takes part in the end of a run: its gates, and whoever tells other plugins and GitHub what came of it."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

import pytest

from pytest_ultra.controller.comparison import load_reference
from pytest_ultra.controller.gate_hooks import GatingHooks
from pytest_ultra.controller.junit_hooks import SuiteHooks
from pytest_ultra.controller.markdown_hooks import MarkdownHooks
from pytest_ultra.controller.run import Run
from pytest_ultra.core.case import Case
from pytest_ultra.options.requested_gates import gates_of
from pytest_ultra.options.settings import Settings


def register_judgement(config: pytest.Config, settings: Settings, run: Run, planned: Iterable[Case]) -> None:
    """Register the hooks of a run that begins; raise `pytest.UsageError` for nothing to compare with."""
    reference = load_reference(settings, planned)
    config.pluginmanager.register(SuiteHooks(settings.seed, run), "ultra-suite")
    gates = GatingHooks(settings, run, reference) if gates_of(settings) else None
    if gates is not None:
        config.pluginmanager.register(gates, "ultra-gates")
    of_step = os.environ.get("GITHUB_STEP_SUMMARY")
    if settings.markdown or of_step:
        step_summary = Path(of_step) if of_step else None
        hooks = MarkdownHooks(settings.markdown, step_summary, settings.seed, run, gates)
        config.pluginmanager.register(hooks, "ultra-markdown")
