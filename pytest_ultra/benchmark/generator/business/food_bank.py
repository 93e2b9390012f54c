"""The business domain of a food bank."""

from __future__ import annotations

from pytest_ultra.benchmark.generator.business.records import Business, Category, Measure, Table, Team

FOOD_BANK = Business(
    name="a food bank",
    host="pantry",
    parent=Table(
        name="food_hubs",
        plural="food hubs",
        singular="food hub",
        key="hub_code",
        prefix="HUB",
        categories=(
            Category("venue", "venue", ("church", "scout-hut", "market-hall", "arcade")),
            Category("chiller", "chiller", ("walk-in-chiller", "chest", "cupboard", "unchilled")),
        ),
        measures=(
            Measure("volunteers", "number of volunteers", 3, 90, 0, "volunteers"),
            Measure("shelf_length", "length of the shelves", 4, 180, 0, "m", "cm", 100),
            Measure("hall_rent", "rent for the hall", 20, 900, 0, "GBP", "pence", 100),
        ),
        date="founded_on",
    ),
    tables=(
        Table(
            name="gifts",
            plural="gifts",
            singular="gift",
            key="gift_id",
            prefix="GFT",
            categories=(
                Category("giver", "giver", ("supermarket", "household", "harvest-festival", "wholesaler")),
                Category("goods", "kind of goods", ("tins", "grains", "produce", "toiletries")),
            ),
            measures=(
                Measure("gift_mass", "mass of the gift", 2, 900, 0, "kg", "t", 1000, is_larger=True),
                Measure("gift_value", "value of the gift", 3, 2800, 2, "GBP", "pence", 100),
                Measure(
                    "shelf_time", "shelf time left", 1, 400, 0, "days", "weeks", 7, is_larger=True, is_additive=False
                ),
            ),
            date="donated_on",
            parent="hub_code",
        ),
        Table(
            name="parcels_given",
            plural="food parcels",
            singular="food parcel",
            key="parcel_id",
            prefix="PCL",
            categories=(
                Category("referrer", "referrer", ("doctor-practice", "jobcentre", "school-nurse", "self-referral")),
                Category("household_kind", "kind of household", ("single", "couple", "family-of-four", "shared-flat")),
            ),
            measures=(
                Measure("meals", "number of meals", 3, 90, 0, "meals"),
                Measure("parcel_mass", "mass of the parcel", 2, 35, 1, "kg", "g", 1000),
            ),
            date="handed_on",
            parent="hub_code",
        ),
        Table(
            name="van_runs",
            plural="van runs",
            singular="van run",
            key="run_id",
            prefix="VNR",
            categories=(
                Category("van", "van", ("Bluebell", "Juniper", "Marigold", "Thistle")),
                Category("errand", "errand", ("collect", "share-out", "swap")),
            ),
            measures=(
                Measure("leg_length", "length of the run", 2, 140, 1, "km", "m", 1000),
                Measure("cold_time", "time without cooling", 0, 150, 0, "minutes", "hours", 60, is_larger=True),
            ),
            date="driven_on",
        ),
    ),
    services={
        "food_hubs": "hub-register",
        "gifts": "gift-desk",
        "parcels_given": "parcel-counter",
        "van_runs": "van-keys",
    },
    teams=(
        Team("sorters", "sorters", "checks dates on tins and packs boxes"),
        Team("van-drivers", "van-drivers", "collects surplus from supermarkets"),
        Team("welcome", "welcome", "greets visitors and listens to their worries"),
        Team("fundraising", "fundraising", "writes to donors and applies for grants"),
        Team("volunteering", "volunteering", "recruits helpers and draws up rotas"),
    ),
    occasions=(
        "the harvest appeal",
        "the trustees' evening",
        "the winter coat week",
        "the volunteers' picnic",
    ),
    destinations={
        "queue": ("trustees-inbox", "appeal-desk", "picnic-round", "grant-answers"),
        "sink": ("trustee-folder", "grant-foundation", "council-welfare", "partner-kitchen"),
        "file": ("trustee_paper", "appeal_letter", "grant_report", "picnic_plan"),
        "cache": ("window-notice", "packing-card", "helper-rota", "appeal-barometer"),
        "schedule": ("trustees-mailing", "appeal-planning", "picnic-briefing", "grant-summary"),
        "tracker": ("appeal-history", "trustee-figures", "pantry-series", "picnic-numbers"),
        "log": ("helper-diary", "donor-book", "larder-notes", "hall-notes"),
    },
    rules=(
        "Nobody has to explain twice why they came.",
        "Tins with a dent at the seam are not handed on.",
        "Toys go out at the end of the year.",
        "Helpers eat together after the last visitor has left.",
    ),
)
