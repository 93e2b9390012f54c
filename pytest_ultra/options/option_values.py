"""Parsers of option values. Each raises ValueError with the bad value, the valid ones and a way out."""

from __future__ import annotations

import difflib
import math
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, fields
from enum import StrEnum
from typing import TypeVar

from pytest_ultra.core.axes import (
    DEFAULT_PROMPT_TYPES,
    FLAWED_MARK,
    FLAWED_PROMPT_TYPES,
    OWN_MARK,
    PromptType,
    TaskType,
)
from pytest_ultra.core.prices import Price
from pytest_ultra.options.option import listed

T = TypeVar("T")
E = TypeVar("E", bound=StrEnum)


@dataclass(frozen=True, slots=True)
class Stagger:
    """Start delays: of the second worker, and of each later worker after the one before it."""

    second_s: float = 0.0
    later_s: float = 0.0

    def delay_s(self, worker: int) -> float:
        """Return how long a worker, numbered from 0, waits after the start of the run."""
        return self.second_s + self.later_s * (worker - 1) if worker else 0.0


class RateMode(StrEnum):
    """Whether the number of calls in flight adapts to what the endpoint can handle."""

    ADAPTIVE = "adaptive"
    FIXED = "fixed"


class JUnitPlace(StrEnum):
    """Where JUnit's report has the properties of a test."""

    AUTO = "auto"
    TESTCASE = "testcase"
    OUTPUT = "output"
    OFF = "off"


def last(parse: Callable[[str], T]) -> Callable[[Sequence[str]], T]:
    """Return a parser of the last text given, for an option with one value."""
    return lambda texts: parse(texts[-1].strip())


def names(texts: Sequence[str]) -> tuple[str, ...]:
    found = _split(texts)
    if not found:
        raise ValueError(
            f"{','.join(texts)!r} names no model; name one, such as gpt-4o-mini, or demo, which needs no key"
        )
    for name in found:
        if not is_encodable(name):
            raise ValueError(f"{name!r} is not valid UTF-8; give the name as the endpoint lists it")
    return found


def is_encodable(text: str) -> bool:
    """Return whether a text has no lone surrogates, by which Python passes on bytes that are not UTF-8."""
    return not any("\ud800" <= character <= "\udfff" for character in text)


def members(enum: type[E]) -> Callable[[Sequence[str]], tuple[E, ...]]:
    """Return a parser of the names of an axis, or `all`."""
    return lambda texts: _select(texts, {"all": tuple(enum)} | {str(member): (member,) for member in enum})


def member(enum: type[E]) -> Callable[[str], E]:
    """Return a parser of the name of one member."""

    def parse(text: str) -> E:
        valid = [str(member) for member in enum]
        if text not in valid:
            raise ValueError(f"{text!r} is not valid; choose from {listed(valid)}{hint(text, valid)}")
        return enum(text)

    return parse


def switch(text: str) -> bool:
    """Read `on` or `off`, or another truth value that pytest accepts in an ini file."""
    for spellings, is_on in ((_ON, True), (_OFF, False)):
        if text.lower() in spellings:
            return is_on
    raise ValueError(f"{text!r} is not valid; give on or off")


_ON, _OFF = ("on", "true", "yes", "t", "y", "1"), ("off", "false", "no", "f", "n", "0")


def prompt_types(texts: Sequence[str]) -> tuple[PromptType, ...]:
    """Read prompt types; which flaws of a user's own suite exist is known later."""
    groups = {"all": DEFAULT_PROMPT_TYPES, "flawed": FLAWED_PROMPT_TYPES}
    named = {str(member): (member,) for member in PromptType}
    for text in _split(texts):
        if text.startswith(f"{FLAWED_MARK}{OWN_MARK}"):
            with suppress(ValueError):
                named[text] = (PromptType(text),)
    return _select(texts, groups | named)


def task_types(texts: Sequence[str]) -> tuple[str, ...]:
    """Read names of task types or, in a suite of the user's own, of tasks; which of them exist is known later."""
    found = _split(texts)
    if not found:
        raise ValueError(f"nothing is chosen; choose from {listed(['all', *TaskType])}")
    return found


def built_in_task_types(names: Sequence[str]) -> tuple[TaskType, ...]:
    """Return the task types of the built-in benchmark with these names. Raises ValueError for another name."""
    return members(TaskType)(names)


def rates(texts: Sequence[str]) -> tuple[float, ...]:
    found = tuple(_number(text) for text in _split(texts))
    for text, rate in zip(_split(texts), found, strict=True):
        if not 0 < rate <= 1:
            raise ValueError(f"{text!r} is not a tool success rate; give numbers above 0 and up to 1, such as 0.8")
    if not found:
        raise ValueError("no tool success rate is given; give numbers above 0 and up to 1, such as 0.8")
    return tuple(dict.fromkeys(found))


def whole(*, at_least: int, at_most: int | None = None) -> Callable[[str], int]:
    """Return a parser of whole numbers."""
    valid = f"of at least {at_least}" if at_most is None else f"from {at_least} to {at_most}"

    def parse(text: str) -> int:
        try:
            number = int(text)
        except ValueError:
            number = at_least - 1
        if number < at_least or (at_most is not None and number > at_most):
            raise ValueError(f"{text!r} is not valid; give a whole number {valid}")
        return number

    return parse


def seconds(text: str) -> float:
    number = _number(text)
    if not 0 < number < math.inf:
        raise ValueError(f"{text!r} is not a time; give a number of seconds above 0, or leave it out for no limit")
    return number


def attempt_seconds(text: str) -> float:
    """Read a time limit that cannot be switched off: without one, an attempt could hang with its endpoint."""
    number = _number(text)
    if not 0 < number < math.inf:
        raise ValueError(f"{text!r} is not a time; give a number of seconds above 0, or leave it out for 120")
    return number


def amount(text: str) -> float:
    number = _number(text)
    if not 0 < number < math.inf:
        raise ValueError(f"{text!r} is not a limit; give a number above 0, or leave it out for no limit")
    return number


def prices(texts: Sequence[str]) -> dict[str, Price]:
    return dict(map(_price, filter(str.strip, texts)))


def _price(text: str) -> tuple[str, Price]:
    model, _, amounts = (part.strip() for part in text.rpartition("="))
    found = [_number(amount) for amount in amounts.split(",")]
    if not model or not 2 <= len(found) <= len(fields(Price)) or not all(0 <= amount < math.inf for amount in found):  # noqa: PLR2004 - prompt and completion
        raise ValueError(
            f"{text!r} is not a price; give a model and its price in US dollars per million prompt and completion "
            "tokens, as in gpt-4o-mini=0.15,0.60, and also those of cached and cache-written tokens if you know them"
        )
    return model, Price(*found)


def temperature(text: str) -> float:
    number = _number(text)
    if not 0 <= number < math.inf:
        raise ValueError(
            f"{text!r} is not a temperature; give a number of at least 0, or leave it out for the endpoint's"
        )
    return number


def stagger(texts: Sequence[str]) -> Stagger:
    text = texts[-1].strip()
    if text in ("auto", "off"):
        return Stagger()
    delays = [_number(part) for part in text.split(",")]
    if len(delays) not in (1, 2) or not all(0 <= delay < math.inf for delay in delays):
        raise ValueError(
            f"{text!r} is not a stagger; give auto, off, or the delays of the second worker and of each later one in "
            "seconds, as in 30,20"
        )
    return Stagger(delays[0], delays[-1])


def url(text: str) -> str:
    if not text.startswith(("http://", "https://")):
        from pytest_ultra.providers.redaction import redact_url  # noqa: PLC0415 - for the message only

        raise ValueError(
            f"{redact_url(text)!r} is not a base URL; give one with http:// or https://, such as http://127.0.0.1:8080/v1"
        )
    return text


def redis_url(text: str) -> str:
    if not text.startswith(("redis://", "rediss://", "unix://")):
        from pytest_ultra.providers.redaction import redact_url  # noqa: PLC0415 - for the message only

        raise ValueError(
            f"{redact_url(text)!r} is not the URL of a Redis; give one with redis://, rediss:// or unix://, such as "
            "redis://127.0.0.1:6379/0"
        )
    return text


def headers(texts: Sequence[str]) -> dict[str, str]:
    from pytest_ultra.providers.request_headers import read_headers  # noqa: PLC0415 - an unused plugin must not import it

    return read_headers(texts)


def outcome(text: str) -> str:
    if text not in ("full", "partial"):
        raise ValueError(f"{text!r} is not valid; give full or partial")
    return text


def cassette_mode(text: str) -> str:
    if text not in ("record", "replay", "auto"):
        raise ValueError(f"{text!r} is not valid; give record, replay or auto")
    return text


def rerun_mode(text: str) -> str:
    if text not in ("errors", "failed"):
        raise ValueError(f"{text!r} is not valid; give errors or failed")
    return text


def _split(texts: Sequence[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(part for text in texts for part in map(str.strip, text.split(",")) if part))


def _select(texts: Sequence[str], valid: dict[str, tuple[E, ...]]) -> tuple[E, ...]:
    chosen = _split(texts)
    if not chosen:
        raise ValueError(f"nothing is chosen; choose from {listed(valid)}")
    for name in chosen:
        if name not in valid:
            raise ValueError(f"{name!r} is not valid; choose from {listed(valid)}{hint(name, valid)}")
    return tuple(dict.fromkeys(member for name in chosen for member in valid[name]))


def hint(name: str, valid: Iterable[str]) -> str:
    close = difflib.get_close_matches(name, list(valid), n=1)
    return f" (did you mean {str(close[0])!r}?)" if close else ""


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return math.nan
