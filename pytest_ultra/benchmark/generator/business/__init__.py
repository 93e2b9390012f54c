"""The business domains from which the generator draws its tasks."""

from __future__ import annotations

from pytest_ultra.benchmark.generator.business.ad_agency import AD_AGENCY
from pytest_ultra.benchmark.generator.business.airport import AIRPORT
from pytest_ultra.benchmark.generator.business.bakery import BAKERY
from pytest_ultra.benchmark.generator.business.book_publisher import BOOK_PUBLISHER
from pytest_ultra.benchmark.generator.business.broadband import BROADBAND
from pytest_ultra.benchmark.generator.business.clinic import CLINIC
from pytest_ultra.benchmark.generator.business.cold_haulage import COLD_HAULAGE
from pytest_ultra.benchmark.generator.business.dairy import DAIRY
from pytest_ultra.benchmark.generator.business.district_heating import DISTRICT_HEATING
from pytest_ultra.benchmark.generator.business.food_bank import FOOD_BANK
from pytest_ultra.benchmark.generator.business.garden_shop import GARDEN_SHOP
from pytest_ultra.benchmark.generator.business.hotels import HOTELS
from pytest_ultra.benchmark.generator.business.household_insurer import HOUSEHOLD_INSURER
from pytest_ultra.benchmark.generator.business.language_school import LANGUAGE_SCHOOL
from pytest_ultra.benchmark.generator.business.museum import MUSEUM
from pytest_ultra.benchmark.generator.business.orchards import ORCHARDS
from pytest_ultra.benchmark.generator.business.payroll_bureau import PAYROLL_BUREAU
from pytest_ultra.benchmark.generator.business.property_manager import PROPERTY_MANAGER
from pytest_ultra.benchmark.generator.business.pump_maker import PUMP_MAKER
from pytest_ultra.benchmark.generator.business.records import Business
from pytest_ultra.benchmark.generator.business.rowing_club import ROWING_CLUB
from pytest_ultra.benchmark.generator.business.school_catering import SCHOOL_CATERING
from pytest_ultra.benchmark.generator.business.temp_agency import TEMP_AGENCY
from pytest_ultra.benchmark.generator.business.waste_collection import WASTE_COLLECTION
from pytest_ultra.benchmark.generator.business.water_lab import WATER_LAB
from pytest_ultra.benchmark.generator.business.web_hosting import WEB_HOSTING
from pytest_ultra.benchmark.generator.business.wind_parks import WIND_PARKS

BUSINESSES: tuple[Business, ...] = (
    AD_AGENCY,
    AIRPORT,
    BAKERY,
    BOOK_PUBLISHER,
    BROADBAND,
    CLINIC,
    COLD_HAULAGE,
    DAIRY,
    DISTRICT_HEATING,
    FOOD_BANK,
    GARDEN_SHOP,
    HOTELS,
    HOUSEHOLD_INSURER,
    LANGUAGE_SCHOOL,
    MUSEUM,
    ORCHARDS,
    PAYROLL_BUREAU,
    PROPERTY_MANAGER,
    PUMP_MAKER,
    ROWING_CLUB,
    SCHOOL_CATERING,
    TEMP_AGENCY,
    WASTE_COLLECTION,
    WATER_LAB,
    WEB_HOSTING,
    WIND_PARKS,
)
"""In alphabetical order of their modules. A business that is added changes the tasks of every seed."""
