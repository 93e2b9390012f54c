"""The business domains from which the generator draws its tasks."""

from __future__ import annotations

from pytest_ultra.benchmark.generator.business.airport import AIRPORT
from pytest_ultra.benchmark.generator.business.bakery import BAKERY
from pytest_ultra.benchmark.generator.business.clinic import CLINIC
from pytest_ultra.benchmark.generator.business.cold_haulage import COLD_HAULAGE
from pytest_ultra.benchmark.generator.business.district_heating import DISTRICT_HEATING
from pytest_ultra.benchmark.generator.business.garden_shop import GARDEN_SHOP
from pytest_ultra.benchmark.generator.business.hotels import HOTELS
from pytest_ultra.benchmark.generator.business.records import Business
from pytest_ultra.benchmark.generator.business.school_catering import SCHOOL_CATERING
from pytest_ultra.benchmark.generator.business.water_lab import WATER_LAB
from pytest_ultra.benchmark.generator.business.wind_parks import WIND_PARKS

BUSINESSES: tuple[Business, ...] = (
    AIRPORT,
    BAKERY,
    CLINIC,
    COLD_HAULAGE,
    DISTRICT_HEATING,
    GARDEN_SHOP,
    HOTELS,
    SCHOOL_CATERING,
    WATER_LAB,
    WIND_PARKS,
)
"""In alphabetical order of their modules. A business that is added changes the tasks of every seed."""
