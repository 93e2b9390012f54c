"""A page as text: a rendered template with our scripts and styles, and a policy that allows only these."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from pytest_ultra.reporting.html import number_format
from pytest_ultra.reporting.html.html_text import breakable, safe_text, script_json
from pytest_ultra.reporting.row_names import words

if TYPE_CHECKING:  # takes 40 ms, and only a report needs it
    from jinja2 import Environment

STYLES = (
    "tokens.css",
    "page.css",
    "overview.css",
    "first_screen.css",
    "cases.css",
    "episode.css",
    "comparison.css",
    "print.css",
)
SCRIPTS = (
    "dom.js",
    "unpack.js",
    "address.js",
    "cases.js",
    "rivals.js",
    "table.js",
    "plan.js",
    "turn_pairs.js",
    "transcript.js",
    "timeline.js",
    "outcome.js",
    "outcome_grid.js",
    "copy_link.js",
    "case_page.js",
    "scroll_cue.js",
    "keys.js",
    "follow.js",
    "main.js",
)


def render_page(template: str, values: dict[str, Any], *, is_served: bool = False) -> bytes:
    """Return a whole page in UTF-8; the template escapes `values`. A served page may ask its own server for news."""
    from markupsafe import Markup  # noqa: PLC0415 - only reports need it

    script, style = read_script(), read_style()
    assets = {
        "policy": make_policy(script, style) + ("; connect-src 'self'" if is_served else ""),
        "script": Markup(script),  # noqa: S704 - our own files
        "style": Markup(style),  # noqa: S704 - our own files
    }
    return _environment().get_template(template).render(values | assets).encode("utf-8")


def compile_templates() -> None:
    """Compile all templates, which takes 0.2 s, before the first page is rendered."""
    environment = _environment()
    for name in environment.list_templates():
        environment.get_template(name)


def make_policy(script: str, style: str) -> str:
    """Return the content security policy: our script, our style and images in the page; no network."""
    return (
        f"default-src 'none'; script-src '{_hash(script)}'; style-src '{_hash(style)}'; img-src data:; "
        "base-uri 'none'; form-action 'none'"
    )


@cache
def read_script() -> str:
    """Return our script files as the body of one function, so that they define no globals."""
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
    from jinja2 import Environment, PackageLoader, StrictUndefined  # noqa: PLC0415 - only reports need it
    from markupsafe import Markup  # noqa: PLC0415 - only reports need it

    environment = Environment(
        loader=PackageLoader("pytest_ultra.reporting.html"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    filters: dict[str, Callable[..., object]] = {
        "breakable": breakable,
        "case_name": lambda nodeid: safe_text(nodeid.partition("[")[2].removesuffix("]") or nodeid, 300),
        "words": words,
        "safe_text": safe_text,
        "seconds": number_format.seconds,
        "script_json": lambda value: Markup(script_json(value)),  # noqa: S704 - escaped there
    }
    environment.filters.update(filters)
    return environment
