"""When two numbers are the same: how precisely a number has to be given."""

from __future__ import annotations

import math
from decimal import Decimal

RELATIVE_TOLERANCE = 1e-4
"""The relative difference that a single computed value may have, if no precision is asked for (DOMAIN: section 4)."""
DECIMALS = 2
"""A number that is rounded correctly to this many decimals or more is right, if no precision is asked for."""
_ROUNDING = 1e-9
_NOISE = 1e-6
"""The sum of many fractions misses a whole number by less than this."""


def is_same_number(
    wanted: float, given: float, *, decimals: int | None = None, precision: int | None = None, is_single: bool = False
) -> bool:
    """Return whether a number is the wanted one, rounded at most as far as it may be.

    `precision` is the number of decimals that was asked for, None if none was; more are no mistake. `decimals` is
    how many the given number is written with, None to count those of its value. Without a precision, a whole number
    must be exact; any other may be rounded correctly to two decimals or more, or to fewer if the relative difference
    is at most 1e-4. A single value (`is_single`) that has more than two decimals may differ by as much in any way;
    in a table it may not, since that would make neighbouring values equal.
    """
    gap = abs(wanted - given)
    if precision is not None:
        return _is_within(gap, precision, wanted)
    if float(wanted).is_integer():
        return gap <= _NOISE
    if math.isclose(wanted, given, rel_tol=_ROUNDING):
        return True
    if given == 0:
        return False
    written = count_decimals(given) if decimals is None else decimals
    if _is_within(gap, max(written, DECIMALS), wanted):
        return True
    is_computed = is_single and count_decimals(wanted) > DECIMALS
    return gap <= RELATIVE_TOLERANCE * abs(wanted) and (is_computed or _is_within(gap, written, wanted))


def count_decimals(value: float) -> int:
    """Return how many decimals a number has in its shortest form."""
    exponent = Decimal(repr(value)).normalize().as_tuple().exponent
    return max(0, -exponent) if isinstance(exponent, int) else 0


def _is_within(gap: float, decimals: int, wanted: float) -> bool:
    """Return whether a gap is at most half a unit of the last decimal; a tie may be rounded either way."""
    return gap <= 0.5 * 10.0**-decimals + 1e-12 * (1 + abs(wanted))
