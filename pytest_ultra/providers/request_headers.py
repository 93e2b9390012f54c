"""Headers that the user adds to each request; their values come from environment variables alone."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress

from pytest_ultra.errors import ConfigurationError
from pytest_ultra.providers.redaction import Secret

VARIABLE = re.compile(r"[A-Z_][A-Z0-9_]*")  # a secret, written here by mistake, has lower-case letters
_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")  # RFC 9110, 5.6.2
_SET_BY_RUN = frozenset({"content-type", "content-length", "host", "transfer-encoding", "connection"})
_CREDENTIALS = re.compile(r"(?P<scheme>[A-Za-z][\w-]*) +(?P<token>\S+)")
_EXAMPLE = "give NAME=ENV_VARIABLE, the name of the variable that holds the value, as in x-team=TEAM_VARIABLE"


def read_headers(texts: Iterable[str]) -> dict[str, str]:
    """Return the variables of texts like `x-team=TEAM_VARIABLE`, by header. Raises ValueError."""
    pairs = (text.partition("=") for text in texts if text.strip())
    return check_headers({name.strip(): variable.strip() for name, _, variable in pairs})


def check_headers(headers: Mapping[str, str]) -> dict[str, str]:
    """Return the variables by the header's name in lower case. Raises ValueError; a value is never shown."""
    for name, variable in headers.items():
        if not _TOKEN.fullmatch(name):
            raise ValueError(f"{name!r} is not the name of a header; {_EXAMPLE}")
        if name.lower() in _SET_BY_RUN:
            raise ValueError(f"the header {name!r} cannot be set; the run sets it itself")
        if not VARIABLE.fullmatch(variable):
            raise ValueError(
                f"the header {name!r} needs the name of an environment variable: capital letters, digits and _ (what "
                f"is given may be a secret, so it is not shown); {_EXAMPLE}"
            )
    return {name.lower(): variable for name, variable in headers.items()}


def resolve_headers(headers: Mapping[str, str], environ: Mapping[str, str]) -> dict[str, Secret]:
    """Return the values of the headers. Raises ConfigurationError for a variable without a valid value."""
    return {name: _value(name, variable, environ) for name, variable in headers.items()}


def _value(name: str, variable: str, environ: Mapping[str, str]) -> Secret:
    value = environ.get(variable, "").strip()
    if not value:
        raise ConfigurationError(
            f"The header {name!r} takes its value from the environment variable {variable!r}, which is not set. Set "
            "it, or leave the header out."
        )
    if not (value.isascii() and value.isprintable()):
        raise ConfigurationError(
            f"The value in {variable}, for the header {name!r}, contains characters that are not valid in a header "
            "(line breaks, or letters outside ASCII). Set it again."
        )
    return Secret(value)


def secrets_of(value: str) -> Iterator[str]:
    """Yield a header's value, and what it holds of a secret by itself: a token, or a user name with its password."""
    yield value
    found = _CREDENTIALS.fullmatch(value)
    if found is None:
        return
    yield found["token"]
    if found["scheme"].lower() == "basic":
        with suppress(binascii.Error, UnicodeDecodeError):
            pair = base64.b64decode(found["token"], validate=True).decode()
            yield from (pair, pair.partition(":")[2])
