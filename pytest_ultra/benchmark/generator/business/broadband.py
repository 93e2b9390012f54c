"""The business domain of a carrier of broadband and telephone lines."""

from __future__ import annotations

from pytest_ultra.benchmark.generator.business.records import Business, Category, Measure, Table, Team

BROADBAND = Business(
    name="a carrier of broadband and telephone lines",
    host="tinsel",
    parent=Table(
        name="exchanges",
        plural="exchanges",
        singular="exchange",
        key="exchange_code",
        prefix="XCH",
        categories=(
            Category("medium_kind", "kind of cable", ("fibre", "copper", "coax", "radio-link")),
            Category("spare_power", "spare power", ("battery", "diesel-set", "grid-only")),
        ),
        measures=(
            Measure("ports", "number of ports", 96, 4800, 0, "ports"),
            Measure("backhaul", "backhaul", 10, 400, 0, "Gbit/s", "Mbit/s", 1000),
            Measure("rent_paid", "rent paid", 80, 2900, 0, "PLN", "grosz", 100),
        ),
        date="switched_on",
    ),
    tables=(
        Table(
            name="lines",
            plural="subscriber lines",
            singular="subscriber line",
            key="line_id",
            prefix="LIN",
            categories=(
                Category("tier", "tier", ("starter", "family", "gamer", "studio")),
                Category("socket", "socket", ("hallway", "attic", "basement", "study-room")),
            ),
            measures=(
                Measure("monthly_traffic", "monthly traffic", 4, 2400, 0, "GB", "TB", 1000, is_larger=True),
                Measure("drop_length", "length of the drop cable", 8, 900, 0, "m", "km", 1000, is_larger=True),
                Measure("subscription", "subscription", 15, 95, 2, "PLN", "grosz", 100),
            ),
            date="activated_on",
            parent="exchange_code",
        ),
        Table(
            name="outage_reports",
            plural="outage reports",
            singular="outage report",
            key="outage_id",
            prefix="OUT",
            categories=(
                Category("culprit", "culprit", ("excavator", "flooding", "squirrel", "firmware")),
                Category("scope", "scope", ("street", "village", "single-home")),
            ),
            measures=(
                Measure("silence", "silent time", 5, 2400, 0, "minutes", "hours", 60, is_larger=True),
                Measure("credit_note", "credit granted", 1, 320, 2, "PLN", "grosz", 100),
            ),
            date="noticed_on",
            parent="exchange_code",
        ),
    ),
    services={
        "exchanges": "exchange-registry",
        "lines": "line-inventory",
        "outage_reports": "outage-watch",
    },
    teams=(
        Team("splicers", "splicers", "joins cut fibres in the trench"),
        Team("night-watch", "night-watch", "notices dead exchanges and wakes the standby"),
        Team("porting", "porting", "moves telephone numbers from rival carriers"),
        Team("retention", "retention", "offers discounts to subscribers who want to quit"),
        Team("mast-rental", "mast-rental", "negotiates with owners of roofs"),
    ),
    occasions=(
        "the village fibre evening",
        "the storm after-review",
        "the regulator's price round",
        "the switch-off of copper",
    ),
    destinations={
        "queue": ("village-desk", "regulator-answers", "splicers-reading", "price-inbox"),
        "sink": ("regulator-form", "carrier-exchange", "town-hall", "wholesale-feed"),
        "file": ("fibre_evening", "gale_review", "copper_note", "price_round"),
        "cache": ("hotline-wall", "coverage-map", "shop-terminal", "van-screen"),
        "schedule": ("village-briefing", "price-summary", "copper-planning", "splicers-mailing"),
        "tracker": ("village-figures", "copper-history", "price-series", "mast-numbers"),
        "log": ("splice-book", "night-notes", "mast-diary", "hotline-journal"),
    },
    rules=(
        "A trench is closed again before the weekend.",
        "Emergency calls work even when the subscription is unpaid.",
        "Splicers wear glasses whenever they cleave fibre.",
        "Subscribers learn the engineer's name the day before.",
    ),
)
