"""The files of `pytest-ultra inject` and `pytest-ultra lint`: a plan, and the tools that it may name."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from pytest_ultra.core.json_types import Json
from pytest_ultra.errors import ConfigurationError


def add_plan(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("plan", metavar="PLAN", type=Path, help="a plan, as JSON")
    parser.add_argument(
        "--tools",
        metavar="FILE",
        type=Path,
        required=True,
        help="the tools, as JSON: OpenAI's function dicts, an MCP server's listing, or JSON Schemas by name",
    )


def read_json(path: Path) -> Json:
    """Return the document in a file; raise ConfigurationError, with the line, if it is not JSON."""
    try:
        return json.loads(path.read_text("utf-8-sig"))
    except json.JSONDecodeError as error:
        place = f"line {error.lineno}, column {error.colno}"
        raise ConfigurationError(f"{path}: {place}: {error.msg}; give a file of JSON") from None
    except UnicodeDecodeError:
        raise ConfigurationError(f"{path}: the file is not UTF-8; give a file of JSON") from None
    except (ValueError, RecursionError) as error:
        raise ConfigurationError(f"{path}: no JSON that can be read ({error}); give a file of JSON") from None
