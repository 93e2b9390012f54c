"""Numbers as people write them: with thousands separators, a currency, a unit."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache

import msgspec

_SEPARATOR = "[,'\u2019 \u00a0\u202f]"
_NUMBER = re.compile(
    r"(?<![\w.])(?<!\w[-/:,.])(?P<minus>[-\u2212])?"
    r"(?P<currency>[$€£¥₹]|(?:USD|EUR|GBP|CHF|JPY)(?=[\s\d]))?\s?(?P<sign>[-\u2212+])?"
    rf"(?P<digits>\d{{1,3}}(?:{_SEPARATOR}\d{{3}})+(?!\d)|\d+|(?=\.\d))"
    r"(?P<decimals>\.\d+)?(?P<exponent>[eE][-+]?\d+)?(?:\s?(?P<unit>%|[$€£¥₹]|[^\W\d_]+))?"
    r"(?!\w)(?![-/:.,]\d)"
)
_TOKEN = re.compile(r"[^\W\d_]+|[$€£¥₹%]")
_LONGEST = 60  # characters of a number; anything longer is an identifier

_UNITS = (
    ("$", "usd", "dollar", "dollars"),
    ("€", "eur", "euro", "euros"),
    ("£", "gbp", "pound", "pounds"),
    ("¥", "jpy", "yen"),
    ("₹", "inr", "rupee", "rupees"),
    ("chf", "franc", "francs"),
    ("%", "percent", "percentage", "pct"),
    ("b", "byte", "bytes"),
    ("kb", "kilobyte", "kilobytes"),
    ("mb", "megabyte", "megabytes"),
    ("gb", "gigabyte", "gigabytes"),
    ("tb", "terabyte", "terabytes"),
    ("ms", "millisecond", "milliseconds"),
    ("s", "sec", "secs", "second", "seconds"),
    ("min", "mins", "minute", "minutes"),
    ("h", "hr", "hrs", "hour", "hours"),
    ("d", "day", "days"),
    ("week", "weeks"),
    ("month", "months"),
    ("year", "years"),
    ("mm", "millimetre", "millimetres", "millimeter", "millimeters"),
    ("cm", "centimetre", "centimetres", "centimeter", "centimeters"),
    ("m", "metre", "metres", "meter", "meters"),
    ("km", "kilometre", "kilometres", "kilometer", "kilometers"),
    ("mi", "mile", "miles"),
    ("g", "gram", "grams"),
    ("kg", "kilo", "kilos", "kilogram", "kilograms"),
    ("t", "ton", "tons", "tonne", "tonnes"),
    ("lb", "lbs"),
    ("ml", "millilitre", "millilitres", "milliliter", "milliliters"),
    ("l", "litre", "litres", "liter", "liters"),
    ("wh",),
    ("kwh",),
    ("mwh",),
    ("c", "celsius"),
    ("f", "fahrenheit"),
    ("cent", "cents"),
    ("k", "thousand"),
    ("million", "millions", "mio"),
    ("bn", "billion", "billions"),
)
"""Units and multiples, each with its spellings. After a number, one that is not named changes what the number means."""
_SPELLINGS = {spelling: unit for unit in _UNITS for spelling in unit}


class SpelledNumber(msgspec.Struct, frozen=True):
    """A number in a text: value, written decimals, place, and as units its currency and the word after it."""

    value: float
    decimals: int
    units: tuple[str, ...]
    start: int
    end: int

    def has_unnamed_unit(self, words: str) -> bool:
        """Return whether it has a unit that these words do not name."""
        named = _tokens(words)
        return any(unit in _SPELLINGS and not named & set(_SPELLINGS[unit]) for unit in self.units)

    def is_named(self, words: str) -> bool:
        """Return whether these words name its currency and the word after it."""
        return all(set(_SPELLINGS.get(unit, (unit,))) & _tokens(words) for unit in self.units)


def find_numbers(text: str) -> Iterator[SpelledNumber]:
    """Yield the numbers of a text in order. Digits inside an identifier or a date, or that begin with 0, are none."""
    for match in _NUMBER.finditer(text):
        if (value := _value(match)) is not None:
            units = tuple(unit.lower() for unit in (match["currency"], match["unit"]) if unit)
            decimals = len(match["decimals"] or ".") - 1
            yield SpelledNumber(value, decimals, units, match.start(), match.end())


def read_spelled_number(text: str, words: str) -> SpelledNumber | None:
    """Return the number that the whole text is, with a currency or a unit only if `words` name it; else None."""
    found = _read_whole(text)
    return found if found is not None and found.is_named(words) else None


def spelled_value(text: str) -> float | None:
    """Return the value of the number that the whole text is, with any currency or unit; else None."""
    found = _read_whole(text)
    return None if found is None else found.value


def _read_whole(text: str) -> SpelledNumber | None:
    text = text.strip()
    found = next(find_numbers(text), None) if len(text) <= _LONGEST else None
    return found if found is not None and (found.start, found.end) == (0, len(text)) else None


def _value(match: re.Match[str]) -> float | None:
    digits = re.sub(_SEPARATOR, "", match["digits"])
    if digits[:1] == "0" and len(digits) > 1:
        return None  # a code, such as 007
    text = f"{digits or '0'}{match['decimals'] or ''}{match['exponent'] or ''}"
    if len(text) > _LONGEST:
        return None
    value = float(text)
    is_negative = match["minus"] is not None or match["sign"] in ("-", "\u2212")
    return None if abs(value) == float("inf") else -value if is_negative else value


@lru_cache(maxsize=64)
def _tokens(words: str) -> frozenset[str]:
    return frozenset(_TOKEN.findall(words.lower()))
