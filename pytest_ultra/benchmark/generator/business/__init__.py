"""The businesses that tasks are set in."""

from __future__ import annotations

from pytest_ultra.benchmark.generator.business.clinic import CLINIC
from pytest_ultra.benchmark.generator.business.records import Business
from pytest_ultra.benchmark.generator.business.shop import SHOP

BUSINESSES: tuple[Business, ...] = (SHOP, CLINIC)
