"""Weeks and months that data belong to."""

from __future__ import annotations

import datetime as dt
from random import Random

import msgspec

YEAR = 2027

_MONTHS = (
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
)
_WEEK = 7
DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")


class Period(msgspec.Struct, frozen=True):
    """A week or a month: its code in names ("2027-W31"), its name in words, its first day and its length."""

    code: str
    words: str
    first: dt.date
    days: int

    @property
    def last(self) -> dt.date:
        return self.first + dt.timedelta(days=self.days - 1)

    @property
    def is_week(self) -> bool:
        return self.days == _WEEK


def draw_period(rng: Random) -> Period:
    return week(rng.randint(3, 49)) if rng.random() < 0.6 else month(rng.randint(2, 11))


def week(number: int) -> Period:
    return Period(f"{YEAR}-W{number:02}", f"week {number} of {YEAR}", dt.date.fromisocalendar(YEAR, number, 1), _WEEK)


def month(number: int) -> Period:
    first = dt.date(YEAR, number, 1)
    days = ((first + dt.timedelta(days=32)).replace(day=1) - first).days
    return Period(f"{YEAR}-{number:02}", f"{_MONTHS[number - 1]} {YEAR}", first, days)


def neighbours(period: Period) -> tuple[Period, Period]:
    """Return the period before and the one after."""
    if period.is_week:
        number = period.first.isocalendar()[1]
        return week(number - 1), week(number + 1)
    return month(period.first.month - 1), month(period.first.month + 1)


def long_before(period: Period) -> Period:
    """Return a period of some years that ends a year before this one begins."""
    years = 6
    first = dt.date(period.first.year - years - 1, 1, 1)
    return Period("", "", first, 365 * years)


def date_words(day: dt.date) -> str:
    return f"{day.day} {_MONTHS[day.month - 1]} {day.year}"


def day_name(day: dt.date) -> str:
    return DAYS[day.weekday()]
