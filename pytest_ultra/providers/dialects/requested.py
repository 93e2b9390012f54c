"""The parameters that the user asked for, in an endpoint's dialect, and what an endpoint says against them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from pytest_ultra.core.request_parameters import LIMIT, LIMIT_NAMES, NEEDING_TOOLS
from pytest_ultra.providers.dialects.dialect import Dialect

LIMIT_WORDS = re.compile(
    r"\bmax_(?:completion_|new_|output_)?tokens\b|max(?:imum)? tokens you requested|in the completion|output tokens"
)
"""How endpoints name the limit of a reply's length, in lower case."""


def apply_requested(body: dict[str, Any], requested: Mapping[str, Any], dialect: Dialect) -> None:
    """Set the requested parameters in the body of a request, and remove those that are None."""
    for name, value in requested.items():
        if name in NEEDING_TOOLS and "tools" not in body:
            continue
        if name == LIMIT:
            for limit_name in LIMIT_NAMES:
                body.pop(limit_name, None)
        own_name = (dialect.limit_name or LIMIT) if name == LIMIT else name
        if value is None:
            body.pop(own_name, None)
        else:
            body[own_name] = value


def find_named(text: str, requested: Iterable[str]) -> str | None:
    """Return the first requested parameter that a rejection, in lower case, names; None if it names none."""
    return next((name for name in requested if _names(text, name)), None)


def _names(text: str, name: str) -> bool:
    """Look for a name as such: `user` and `stop` are also words that a message may use."""
    if name == LIMIT:
        return LIMIT_WORDS.search(text) is not None
    own = re.escape(name.lower())
    pattern = rf"\b{own}\b" if "_" in name else rf"""(?:^|['"`.\[]|: ){own}(?=['"`\]:.,\s]|$)"""
    return re.search(pattern, text, re.MULTILINE) is not None
