"""The data of tasks: small random tables in several domains."""

from __future__ import annotations

import csv
import io
import json
from random import Random

import msgspec

from pytest_ultra.core.json_types import Row


class Domain(msgspec.Struct, frozen=True):
    """A kind of table. `numbers` maps each numeric field to (lowest, highest, decimals)."""

    plural: str
    key: str
    prefix: str
    categories: dict[str, tuple[str, ...]]
    numbers: dict[str, tuple[int, int, int]]


DOMAINS = (
    Domain(
        "orders",
        "order_id",
        "ORD",
        {"region": ("north", "south", "east", "west"), "status": ("paid", "open", "cancelled", "refunded")},
        {"amount": (20, 900, 2), "items": (1, 12, 0)},
    ),
    Domain(
        "sensor readings",
        "sensor_id",
        "SEN",
        {"site": ("harbour", "plant", "depot", "office"), "state": ("ok", "warning", "offline")},
        {"temperature": (5, 95, 1), "humidity": (10, 99, 0)},
    ),
    Domain(
        "users",
        "user_id",
        "USR",
        {"plan": ("free", "team", "business", "trial"), "country": ("DE", "FR", "JP", "BR", "KE")},
        {"logins": (0, 60, 0), "storage_mb": (10, 4000, 0)},
    ),
    Domain(
        "incidents",
        "incident_id",
        "INC",
        {"service": ("checkout", "search", "mail", "billing"), "level": ("low", "high", "critical")},
        {"minutes": (3, 400, 0), "users_hit": (1, 5000, 0)},
    ),
    Domain(
        "stock items",
        "sku",
        "SKU",
        {"warehouse": ("W1", "W2", "W3"), "category": ("tools", "paint", "garden", "lighting")},
        {"on_hand": (0, 400, 0), "unit_cost": (1, 80, 2)},
    ),
    Domain(
        "shipments",
        "shipment_id",
        "SHP",
        {"carrier": ("Alba", "Borea", "Cirro"), "lane": ("road", "rail", "sea", "air")},
        {"weight_kg": (2, 900, 1), "days": (1, 30, 0)},
    ),
    Domain(
        "invoices",
        "invoice_id",
        "INV",
        {"customer": ("Acme", "Brindle", "Corvus", "Dunmore"), "currency": ("EUR", "USD", "GBP")},
        {"net": (50, 5000, 2), "days_overdue": (0, 90, 0)},
    ),
    Domain(
        "campaigns",
        "campaign_id",
        "CMP",
        {"channel": ("email", "search_ads", "social", "print"), "market": ("EU", "US", "APAC")},
        {"spend": (100, 9000, 2), "clicks": (10, 8000, 0)},
    ),
)


def make_rows(domain: Domain, rng: Random, size: int) -> list[Row]:
    """Draw a table of `size` rows with unique keys."""
    first = rng.randint(100, 9000)
    return [_make_row(domain, rng, f"{domain.prefix}-{first + number}") for number in range(size)]


def _make_row(domain: Domain, rng: Random, key: str) -> Row:
    row: Row = {domain.key: key}
    row |= {field: rng.choice(values) for field, values in domain.categories.items()}
    row |= {field: _draw_number(rng, *limits) for field, limits in domain.numbers.items()}
    return row


def _draw_number(rng: Random, low: int, high: int, decimals: int) -> float | int:
    scale = 10**decimals
    drawn = rng.randint(low * scale, high * scale)
    return drawn / scale if decimals else drawn


def as_csv(rows: list[Row]) -> str:
    text = io.StringIO()
    writer = csv.DictWriter(text, list(rows[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()


def as_json(rows: list[Row]) -> str:
    return json.dumps(rows)
