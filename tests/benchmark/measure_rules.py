"""Rules for the measures of a business domain: ranges, units and sums."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from fractions import Fraction

from pytest_ultra.benchmark.generator.business.records import Business
from tests.benchmark.business_parts import Rule, measures_of, tables_of, words

CURRENCIES = {
    "EUR": "cents",
    "USD": "cents",
    "GBP": "pence",
    "CHF": "rappen",
    "PLN": "grosz",
    "SEK": "oere",
    "DKK": "oere",
    "NOK": "oere",
}
UNITS: tuple[Mapping[str, Fraction], ...] = (
    {"mg": Fraction(1, 1000), "g": Fraction(1), "kg": Fraction(1000), "t": Fraction(10**6)},
    {"mm": Fraction(1), "cm": Fraction(10), "m": Fraction(1000), "km": Fraction(10**6)},
    {"m2": Fraction(1), "ares": Fraction(100), "ha": Fraction(10**4)},
    {"ml": Fraction(1), "cl": Fraction(10), "l": Fraction(1000), "m3": Fraction(10**6)},
    {
        "seconds": Fraction(1),
        "minutes": Fraction(60),
        "hours": Fraction(3600),
        "days": Fraction(86_400),
        "nights": Fraction(86_400),
        "weeks": Fraction(604_800),
    },
    {"kW": Fraction(1), "MW": Fraction(1000)},
    {"kWh": Fraction(1), "MWh": Fraction(1000)},
    {"MB": Fraction(1), "GB": Fraction(1000), "TB": Fraction(10**6)},
    {"Mbit/s": Fraction(1), "Gbit/s": Fraction(1000)},
    {"ug/l": Fraction(1), "mg/l": Fraction(1000)},
    {"permille": Fraction(1), "percent": Fraction(10)},
    *(
        {minor: Fraction(1), currency: Fraction(100), f"k{currency}": Fraction(10**5)}
        for currency, minor in CURRENCIES.items()
    ),
)
"""By what they measure: the size of each unit, in one that all of the group are compared with."""
INTENSIVE = frozenset({"percent", "permille", "C", "NTU", "brix"})


def ranges_are_wide(business: Business) -> Iterator[str]:
    """A measure takes enough values for thresholds; only what is no quantity goes below zero."""
    for measure in measures_of(business):
        is_wide = (measure.high - measure.low) * 10**measure.decimals >= 5
        if not is_wide or not 0 <= measure.decimals <= 3 or (measure.low < 0 and measure.is_additive):
            yield measure.name
    for table in tables_of(business):
        if max((field.high - field.low) * 10**field.decimals for field in table.measures) < 100:
            yield f"{table.name} has no measure with a hundred values"


def some_measures_can_be_summed_and_confused(business: Business) -> Iterator[str]:
    """Each table has a measure whose sum makes sense, and one that another unit could hold."""
    for table in tables_of(business):
        if not any(measure.is_additive for measure in table.measures):
            yield f"{table.name}: no sum makes sense"
        if not any(measure.other_unit for measure in table.measures):
            yield f"{table.name}: no other unit"


def units_convert(business: Business) -> Iterator[str]:
    """Each factor is the one between its units, and a measure without another unit has none."""
    for measure in measures_of(business):
        factor = 1 / Fraction(measure.factor) if measure.is_larger else Fraction(measure.factor)
        if measure.other_unit and conversion_factor(measure.unit, measure.other_unit) != factor:
            yield f"{measure.name}: {measure.unit} to {measure.other_unit}"
        if (measure.factor > 1) != bool(measure.other_unit) or (measure.is_larger and not measure.other_unit):
            yield f"{measure.name}: factor {measure.factor}"


def conversion_factor(unit: str, other_unit: str) -> Fraction | None:
    """Return how many of the other unit make up one unit, None if they measure different things."""
    sizes = next((sizes for sizes in UNITS if unit in sizes and other_unit in sizes), None)
    return sizes[unit] / sizes[other_unit] if sizes and unit != other_unit else None


def sums_make_sense(business: Business) -> Iterator[str]:
    """A share, a rate or a temperature is not additive; a counted or weighed thing may be either."""
    for measure in measures_of(business):
        if measure.is_additive and (measure.unit in INTENSIVE or "/" in measure.unit.removesuffix("bit/s")):
            yield f"{measure.name} in {measure.unit}"


def money_is_of_one_currency(business: Business) -> Iterator[str]:
    units = {measure.unit.removeprefix("k") for measure in measures_of(business)}
    if len(units & CURRENCIES.keys()) != 1:
        yield f"currencies {', '.join(sorted(units & CURRENCIES.keys()))}"


def names_hide_units(business: Business) -> Iterator[str]:
    for measure in measures_of(business):
        units = set(words(f"{measure.unit} {measure.other_unit}")) if measure.other_unit else set()
        if units & set(words(f"{measure.name.replace('_', ' ')} {measure.phrase}")):
            yield measure.name


MEASURE_RULES: tuple[Rule, ...] = (
    ranges_are_wide,
    some_measures_can_be_summed_and_confused,
    units_convert,
    sums_make_sense,
    money_is_of_one_currency,
    names_hide_units,
)
