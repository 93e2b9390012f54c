"""A page as text: templates filled, scripts and styles put in, and a policy that allows nothing but them."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from pytest_ultra.reporting.html import number_format as numbers
from pytest_ultra.reporting.html.html_text import script_json, shown
from pytest_ultra.reporting.row_names import words

if TYPE_CHECKING:  # 40 ms, and only a report needs it
    from jinja2 import Environment

STYLES = ("tokens.css", "page.css", "overview.css", "cases.css", "episode.css", "print.css")
SCRIPTS = (
    "dom.js",
    "unpack.js",
    "address.js",
    "cases.js",
    "table.js",
    "plan.js",
    "transcript.js",
    "outcome.js",
    "keys.js",
    "main.js",
)


def fill_page(template: str, values: dict[str, Any]) -> bytes:
    """Return a whole page in UTF-8; what stands in `values` is escaped where it is put in."""
    from markupsafe import Markup  # noqa: PLC0415 - as Jinja2, for reports only

    script, style = read_script(), read_style()
    own = {
        "policy": make_policy(script, style),
        "script": Markup(script),  # noqa: S704 - our own files
        "style": Markup(style),  # noqa: S704 - likewise
    }
    return _environment().get_template(template).render(values | own).encode("utf-8")


def make_policy(script: str, style: str) -> str:
    """Return the content security policy: our script, our style, images within the page; no network."""
    return (
        f"default-src 'none'; script-src '{_hash(script)}'; style-src '{_hash(style)}'; img-src data:; "
        "base-uri 'none'; form-action 'none'"
    )


@cache
def read_script() -> str:
    """Return our script files as one function, so that nothing of them is global."""
    return '\n(() => {\n"use strict";\n' + "\n".join(_read(name) for name in SCRIPTS) + "\n})();\n"


@cache
def read_style() -> str:
    return "\n" + "\n".join(_read(name) for name in STYLES)


def _read(name: str) -> str:
    return files(__package__).joinpath("assets", name).read_text(encoding="utf-8")


def _hash(content: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(content.encode("utf-8")).digest()).decode("ascii")


@cache
def _environment() -> Environment:
    from jinja2 import Environment, PackageLoader, StrictUndefined  # noqa: PLC0415 - for reports only
    from markupsafe import Markup  # noqa: PLC0415 - likewise

    environment = Environment(
        loader=PackageLoader("pytest_ultra.reporting.html"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    filters: dict[str, Callable[..., object]] = {
        "case_name": lambda nodeid: shown(nodeid.partition("[")[2].removesuffix("]") or nodeid, 300),
        "words": words,
        "shown": shown,
        "seconds": numbers.seconds,
        "script_json": lambda value: Markup(script_json(value)),  # noqa: S704 - escaped there
    }
    environment.filters.update(filters)
    return environment
