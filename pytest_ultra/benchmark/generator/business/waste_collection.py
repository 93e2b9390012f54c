"""The business domain of a city's waste collection service."""

from __future__ import annotations

from pytest_ultra.benchmark.generator.business.records import Business, Category, Measure, Table, Team

WASTE_COLLECTION = Business(
    name="a city's waste collection service",
    host="sweepline",
    parent=Table(
        name="districts",
        plural="districts",
        singular="district",
        key="district_code",
        prefix="DST",
        categories=(
            Category("street_pattern", "street pattern", ("grid", "crescent", "alley", "boulevard")),
            Category("bin_system", "bin system", ("wheelie", "underground", "sack", "shared-yard")),
        ),
        measures=(
            Measure("households", "number of households", 300, 9500, 0, "households"),
            Measure("street_length", "length of the streets", 4, 120, 1, "km", "m", 1000),
        ),
        date="zoned_on",
    ),
    tables=(
        Table(
            name="pickups",
            plural="pickups",
            singular="pickup",
            key="pickup_no",
            prefix="PKP",
            categories=(
                Category("rubbish_kind", "kind of rubbish", ("glass", "organic", "cardboard", "residual", "bulky")),
                Category("obstacle", "obstacle", ("parked-car", "scaffold", "market-stall", "unobstructed")),
            ),
            measures=(
                Measure("payload", "payload", 300, 9800, 0, "kg", "t", 1000, is_larger=True),
                Measure("round_duration", "duration of the round", 40, 480, 0, "minutes", "hours", 60, is_larger=True),
                Measure("disposal_fee", "disposal fee", 15, 1600, 2, "EUR", "cents", 100),
            ),
            date="emptied_on",
            parent="district_code",
        ),
        Table(
            name="missed_bin_calls",
            plural="missed bin reports",
            singular="missed bin report",
            key="report_no",
            prefix="MBR",
            categories=(
                Category("apology", "form of apology", ("letter", "phone-call", "doorstep")),
                Category("remedy", "remedy", ("same-day", "next-round", "fee-waived")),
            ),
            measures=(
                Measure("overflow", "overflow", 20, 600, 0, "l", "m3", 1000, is_larger=True),
                Measure("callback_delay", "callback delay", 10, 900, 0, "minutes", "hours", 60, is_larger=True),
            ),
            date="phoned_on",
            parent="district_code",
        ),
        Table(
            name="street_sweeps",
            plural="street sweeps",
            singular="street sweep",
            key="sweep_no",
            prefix="SWP",
            categories=(
                Category("broom", "kind of broom", ("hand-broom", "vacuum", "water-jet")),
                Category("litter", "main litter", ("leaves", "grit", "bottles", "confetti")),
            ),
            measures=(
                Measure("swept_distance", "swept distance", 1, 40, 1, "km", "m", 1000),
                Measure("brush_wear", "wear of the brush", 1, 60, 0, "mm", "cm", 10, is_larger=True),
            ),
            date="swept_on",
        ),
    ),
    services={
        "districts": "district-plan",
        "pickups": "pickup-board",
        "missed_bin_calls": "missed-bin-hotline",
        "street_sweeps": "sweep-yard",
    },
    teams=(
        Team("loaders", "loaders", "empties bins along the streets"),
        Team("planners", "planners", "divides districts into rounds"),
        Team("hotline", "hotline", "apologises to residents for forgotten bins"),
        Team("sorting-hall", "sorting-hall", "separates glass, metal and cardboard"),
        Team("workshop", "workshop", "mends lorries and sharpens brushes"),
    ),
    occasions=(
        "the leaf weeks",
        "the council's budget hearing",
        "the street carnival",
        "the open day at the depot",
    ),
    destinations={
        "queue": ("depot-reading", "hearing-preparation", "residents-inbox", "carnival-desk"),
        "sink": ("council-chamber", "recycling-partner", "mayor-office", "resident-app"),
        "file": ("budget_paper", "carnival_note", "leaf_bulletin", "council_answer"),
        "cache": ("depot-screen", "resident-calendar", "lorry-tablet", "kiosk-panel"),
        "schedule": ("depot-mailing", "carnival-planning", "leaf-briefing", "budget-summary"),
        "tracker": ("depot-figures", "carnival-history", "leaf-series", "resident-numbers"),
        "log": ("depot-diary", "lorry-book", "weighbridge-notes", "kerbside-record"),
    },
    rules=(
        "Bins go back to where they stood.",
        "Nobody rides on the step of a lorry that reverses.",
        "Glass is not emptied before breakfast.",
        "Christmas trees are chipped for the city's parks.",
    ),
)
