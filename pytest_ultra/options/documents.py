"""The options about the documents that a run leaves."""

from __future__ import annotations

from pathlib import Path

from pytest_ultra.options import option_values as values
from pytest_ultra.options.option import Option

DOCUMENTS = (
    Option("json", None, "PATH", "Write one JSON document with all episodes here", values.last(Path)),
    Option("html", None, "PATH", "Write the HTML report here, not into the run's directory", values.last(Path)),
    Option("markdown", None, "PATH", "Write a summary in Markdown here", values.last(Path)),
)
