"""The business domain of an operator of wind parks."""

from __future__ import annotations

from pytest_ultra.benchmark.generator.business.records import Business, Category, Measure, Table, Team

WIND_PARKS = Business(
    name="an operator of wind parks",
    host="gale",
    parent=Table(
        name="turbines",
        plural="turbines",
        singular="turbine",
        key="turbine_id",
        prefix="TUR",
        categories=(
            Category("tower_kind", "kind of tower", ("lattice", "tubular", "concrete", "hybrid")),
            Category("ridge", "ridge", ("Hallow", "Kestrel", "Brannock", "Stonefell")),
        ),
        measures=(
            Measure("rated_power", "rated power", 800, 6200, 0, "kW", "MW", 1000, is_larger=True),
            Measure("hub_height", "height of the hub", 60, 170, 0, "m", "cm", 100, is_additive=False),
        ),
        date="erected_on",
    ),
    tables=(
        Table(
            name="production_days",
            plural="production days",
            singular="production day",
            key="production_id",
            prefix="PRD",
            categories=(
                Category("wind_sector", "wind sector", ("northerly", "easterly", "southerly", "westerly")),
                Category("curtailment", "curtailment", ("uncurtailed", "noise-limit", "grid-limit", "bat-shutdown")),
            ),
            measures=(
                Measure("energy_yield", "energy yield", 2, 140, 1, "MWh", "kWh", 1000),
                Measure("wind_speed", "wind speed", 2, 22, 1, "m/s", is_additive=False),
                Measure("downtime", "downtime", 0, 1440, 0, "minutes", "hours", 60, is_larger=True),
            ),
            date="metered_on",
            parent="turbine_id",
        ),
        Table(
            name="climb_jobs",
            plural="climbs",
            singular="climb",
            key="climb_id",
            prefix="CLB",
            categories=(
                Category(
                    "climb_purpose",
                    "purpose of the climb",
                    ("grease", "bolts", "blade-repair", "gearbox-oil", "sensors"),
                ),
                Category("weather_call", "weather call", ("go", "wait", "abort")),
            ),
            measures=(
                Measure("crane_cost", "cost of the crane", 200, 18_000, 0, "EUR", "kEUR", 1000, is_larger=True),
                Measure("tower_time", "time up the tower", 1, 14, 1, "hours", "minutes", 60),
                Measure("oil_replaced", "oil replaced", 5, 600, 0, "l", "ml", 1000),
            ),
            date="climbed_on",
            parent="turbine_id",
        ),
    ),
    services={
        "turbines": "turbine-register",
        "production_days": "production-meter",
        "climb_jobs": "climb-permits",
    },
    teams=(
        Team("control-room", "control-room", "watches turbines and stops them in storms"),
        Team("climbers", "climbers", "greases bearings and patches blades aloft"),
        Team("trading", "trading", "sells electricity on the day-ahead market"),
        Team("landowners", "landowners", "pays leases and hears neighbours' complaints"),
        Team("ecology", "ecology", "counts bats and birds around the towers"),
    ),
    occasions=(
        "the autumn storm season",
        "the shareholders' walk",
        "the yearly blade inspection",
        "the bat report to the county",
    ),
    destinations={
        "queue": ("blade-reading", "lenders-inbox", "county-answers", "storm-round"),
        "sink": ("grid-operator", "county-office", "lender-portal", "market-desk"),
        "file": ("storm_review", "lender_pack", "county_paper", "shareholder_note"),
        "cache": ("control-wall", "village-display", "market-ticker", "wind-forecast-card"),
        "schedule": ("blade-briefing", "shareholders-mailing", "storm-planning", "county-summary"),
        "tracker": ("ridge-figures", "storm-history", "shareholder-series", "blade-numbers"),
        "log": ("control-diary", "tower-book", "rope-record", "neighbour-notes"),
    },
    rules=(
        "Nobody climbs alone.",
        "A turbine hit by lightning rests until somebody has looked at its blades.",
        "Shadows on the village school are avoided in lesson hours.",
        "Spare bolts are counted after every climb.",
    ),
)
