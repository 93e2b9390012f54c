"""Checks before a run costs anything: its output files can be written."""

from __future__ import annotations

import pytest

from pytest_ultra.options import option_values as values
from pytest_ultra.options.settings import Settings


def check_outputs(settings: Settings) -> None:
    """Raise `pytest.UsageError` if an output file cannot be written, or there is nothing to replay."""
    cassettes = settings.cassette_dir if settings.cassette else None
    check_cassettes = values.check_not_empty if settings.cassette == "replay" else values.check_folder
    checks = (
        (settings.json, "--ultra-json", values.check_file),
        (settings.html, "--ultra-html", values.check_file),
        (settings.markdown, "--ultra-markdown", values.check_file),
        (settings.dir, "--ultra-dir", values.check_folder),
        (settings.dir / "runs", "--ultra-dir", values.check_folder),
        (cassettes, "--ultra-cassette-dir", check_cassettes),
    )
    for path, flag, check in checks:
        if path is not None:
            try:
                check(path)
            except ValueError as error:
                raise pytest.UsageError(f"{flag}: {error}") from None
