"""The answer in a model's last words, read as a person would read it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from itertools import pairwise

import msgspec

from pytest_ultra.benchmark.canonical import canonical
from pytest_ultra.benchmark.facts import Fact
from pytest_ultra.benchmark.number_match import is_same_number
from pytest_ultra.benchmark.spelled_numbers import SpelledNumber, find_numbers, spelled_value
from pytest_ultra.benchmark.value_comparison import ValueComparison
from pytest_ultra.core.bounds import decode_json
from pytest_ultra.core.json_types import Json

_LABEL = re.compile(r"\bANSWER\b[*_`]*[ \t]*:[*_ \t]*", re.IGNORECASE)
_NOT_DONE = re.compile(r"^(?:[^\w\n]|_){0,20}(?i:not done)\b|\bNOT DONE\b", re.MULTILINE)
_BOX = re.compile(r"\\boxed\s*\{((?:[^{}]|\{[^{}]*\})*)\}")
_TEXT_IN_BOX = re.compile(r"\\(?:text|mathrm|textbf|mathbf)\s*\{([^{}]*)\}")
_FENCE = re.compile(r"```[\w-]*")
_SAYS_NO = re.compile(r"\b(?:not|never|neither|nor|unknown|unclear)\b|n't\b", re.IGNORECASE)
_NEXT_CLAUSE = re.compile(r"[,;.]|\band\b", re.IGNORECASE)
_CHOICE = re.compile(r"\b(?:or|either)\b|/", re.IGNORECASE)
_COPULA = re.compile(r"(?:\b(?:is|was|are|were|be|equals)\b|[:=])", re.IGNORECASE)
_LIST = re.compile(r"\s*(?:,|;|\n|\band\b)\s*")
_DECODER = json.JSONDecoder()
_MARKUP = "*`_ \t\r\n"
_LONGEST_VALUE = 1000  # characters; anything longer, which may be nested too deeply, stays text
_TRUTH = {"yes": True, "true": True, "no": False, "false": False}


def says_not_done(text: str) -> bool:
    """Return whether these last words say that the job was not done."""
    return _NOT_DONE.search(text) is not None


def read_answer(text: str, *, is_final: bool = True) -> Json:
    r"""Return the answer in a reply; None if there is none, or if there are several different ones.

    It is what follows `ANSWER:`, else what is in a `\boxed{}`, else the last line. It is parsed as JSON if possible;
    any other answer is its text without markup, which may be a sentence around the value (`is_answer`). In a reply
    that is not final (`is_final`), because the model was stopped, only what follows `ANSWER:` is an answer.
    """
    if says_not_done(text):
        return None
    candidates = list(_labelled(text))
    if not candidates and is_final:
        candidates = [_unboxed(box[0]) for box in _BOX.finditer(text)] or _last_line(text)
    values = [_parse(candidate) for candidate in candidates if candidate]
    return values[0] if len({_identify(value) for value in values}) == 1 else None


def _identify(value: Json) -> str:
    """Return a text that is equal for two spellings of an answer."""
    number = spelled_value(value) if isinstance(value, str) else None
    return canonical(value if number is None else number)


def unwrap(value: Json) -> Json:
    """Return the single value inside nested lists and objects of length one."""
    while isinstance(value, list | dict) and len(value) == 1:
        value = value[0] if isinstance(value, list) else next(iter(value.values()))
    return value


def is_answer(fact: Fact, answer: Json, words: str = "") -> bool:
    """Return whether an answer, as `read_answer` returns it, is the wanted value of a fact.

    The value may stand in a sentence, with thousands separators, and with a currency or a unit that the job's `words`
    name. A text that offers several values is not an answer.
    """
    if answer is None:
        return False
    comparison = ValueComparison(fact.is_ordered, fact.precision, words)
    wanted = unwrap(fact.value)
    if comparison.is_same(fact.value, answer) or comparison.is_same(wanted, unwrap(answer)):
        return True
    return isinstance(answer, str) and len(answer) <= _LONGEST_VALUE and _is_said(wanted, answer, comparison)


def _is_said(wanted: Json, answer: str, comparison: ValueComparison) -> bool:
    """Return whether a short text says the wanted value."""
    if isinstance(wanted, bool):
        return _TRUTH.get(_plain(answer).lower()) is wanted
    if (number := comparison.read_number(wanted)) is not None:
        found = _number_in(answer, comparison.words)
        return found is not None and is_same_number(
            number.value, found.value, decimals=found.decimals, precision=comparison.precision, is_single=True
        )
    if isinstance(wanted, list):
        return comparison.is_same(wanted, [_plain(item) for item in _LIST.split(answer) if item])
    return isinstance(wanted, str) and _is_text_in(wanted, answer)


def _labelled(text: str) -> Iterator[str]:
    """Yield what follows each `ANSWER:`, up to the end of the line; further if the line is empty or opens JSON."""
    places = [label.span() for label in _LABEL.finditer(text)] + [(len(text), len(text))]
    for (_, start), (end, _) in pairwise(places):
        yield _first_value(text[start:end])


def _first_value(text: str) -> str:
    content = _FENCE.sub("", text).strip(_MARKUP)
    if content[:1] in ("[", "{"):
        try:
            return content[: _DECODER.raw_decode(content)[1]]
        except (ValueError, RecursionError):
            pass
    return _unboxed(content.partition("\n")[0])


def _last_line(text: str) -> list[str]:
    lines = [line for line in _FENCE.sub("", text).splitlines() if line.strip(_MARKUP)]
    return [_unboxed(line) for line in lines[-1:]]


def _unboxed(line: str) -> str:
    box = _BOX.search(line)
    content = _TEXT_IN_BOX.sub(r"\1", box[1]).replace("\\", "") if box else line
    return content.strip(_MARKUP)


def _parse(text: str) -> Json:
    try:
        return unwrap(decode_json(text)) if len(text) <= _LONGEST_VALUE else text
    except msgspec.DecodeError:
        return text.rstrip(".")


def _plain(text: str) -> str:
    """Return a text without the marks that people put around a value."""
    return text.strip(_MARKUP).rstrip(".!").strip("\"'\u201c\u201d\u2018\u2019" + _MARKUP)


def _number_in(text: str, words: str) -> SpelledNumber | None:
    """Return the number that a sentence gives; None if it says no, has a unit of its own, or has several numbers.

    Numbers of the job's words are not counted, unless there is no other.
    """
    numbers = list(find_numbers(text))
    said = {number.value for number in find_numbers(words)}
    found = [number for number in numbers if number.value not in said] or numbers
    if len({number.value for number in found}) != 1:
        return None
    is_denied = _SAYS_NO.search(text, 0, found[0].start) is not None
    return None if is_denied or found[0].has_unnamed_unit(words) else found[0]


def _is_text_in(wanted: str, answer: str) -> bool:
    """Return whether a text is the answer, or what a sentence says at its end."""
    if _is_same_text(wanted, answer):
        return True
    start, end = max((match.span() for match in _COPULA.finditer(answer)), default=(0, 0))
    before = answer[:start]
    is_choice = _CHOICE.search(before) or _SAYS_NO.search(before)
    is_second = _COPULA.search(before) and _NEXT_CLAUSE.search(before)
    return bool(before.strip()) and not is_choice and not is_second and _is_same_text(wanted, answer[end:])


def _is_same_text(wanted: str, given: str) -> bool:
    return _plain(wanted).casefold() == _plain(given).casefold()
