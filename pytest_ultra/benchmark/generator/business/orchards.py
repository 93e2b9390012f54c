"""The business domain of a fruit grower with several orchards."""

from __future__ import annotations

from pytest_ultra.benchmark.generator.business.records import Business, Category, Measure, Table, Team

ORCHARDS = Business(
    name="a fruit grower with several orchards",
    host="pippin",
    parent=Table(
        name="orchards",
        plural="orchards",
        singular="orchard",
        key="orchard_code",
        prefix="ORC",
        categories=(
            Category("slope", "slope", ("south-facing", "terrace", "plateau", "valley-floor")),
            Category("frost_guard", "frost protection", ("sprinklers", "candles", "fans", "nets")),
        ),
        measures=(
            Measure("planted_area", "planted area", 1, 45, 0, "ha", "m2", 10_000),
            Measure("trees", "number of trees", 300, 32_000, 0, "trees"),
            Measure("water_right", "water right", 200, 9000, 0, "m3", "l", 1000),
        ),
        date="planted_on",
    ),
    tables=(
        Table(
            name="pickings",
            plural="pickings",
            singular="picking",
            key="picking_no",
            prefix="PCK",
            categories=(
                Category("fruit", "fruit", ("apple", "quince", "damson", "cherry", "pear")),
                Category("size_band", "size band", ("dessert", "juice", "jumbo", "windfall")),
            ),
            measures=(
                Measure("crop", "crop picked", 80, 5200, 0, "kg", "t", 1000, is_larger=True),
                Measure("wages_paid", "wages paid", 60, 2600, 2, "EUR", "cents", 100),
                Measure("sugar", "sugar content", 8, 19, 1, "brix", is_additive=False),
            ),
            date="picked_on",
            parent="orchard_code",
        ),
        Table(
            name="sprayings",
            plural="sprayings",
            singular="spraying",
            key="spraying_no",
            prefix="SPY",
            categories=(
                Category("pest", "pest", ("codling-moth", "scab", "aphid", "woolly-louse")),
                Category("antidote", "antidote", ("sulphur", "soap-solution", "clay", "pheromone")),
            ),
            measures=(
                Measure("dose", "dose", 1, 90, 1, "l", "ml", 1000),
                Measure("harvest_wait", "wait before harvest", 1, 28, 0, "days", "hours", 24, is_additive=False),
                Measure("spraying_cost", "cost of the spraying", 30, 900, 2, "EUR", "cents", 100),
            ),
            date="sprayed_on",
            parent="orchard_code",
        ),
    ),
    services={
        "orchards": "orchard-map",
        "pickings": "picking-book",
        "sprayings": "spraying-permit",
    },
    teams=(
        Team("pickers", "pickers", "harvests trees by hand and fills crates"),
        Team("crop-care", "crop-care", "fights scab, moths and frost"),
        Team("press-house", "press-house", "presses juice and bottles cider"),
        Team("seasonal-staff", "seasonal-staff", "houses and pays workers from abroad"),
        Team("growers-market", "market-stand", "sells fruit to grocers and at the gate"),
    ),
    occasions=(
        "the blossom weekend",
        "the cider pressing",
        "the pruning workshop",
        "the harvest supper",
    ),
    destinations={
        "queue": ("growers-inbox", "press-reading", "pruning-round", "supper-desk"),
        "sink": ("fruit-exchange", "juice-partner", "plant-doctor", "grocer-board"),
        "file": ("blossom_note", "harvest_outlook", "supper_plan", "grower_circular"),
        "cache": ("barn-board", "press-screen", "roadside-sign", "picker-card"),
        "schedule": ("growers-mailing", "blossom-planning", "press-summary", "supper-briefing"),
        "tracker": ("blossom-history", "growers-figures", "press-series", "slope-numbers"),
        "log": ("barn-journal", "frost-notebook", "press-diary", "hive-record"),
    },
    rules=(
        "Bees are brought in only after dusk.",
        "Ladders are tied to the tree.",
        "Windfall fruit goes to the press and never into a dessert crate.",
        "Pickers rest in the shade through the noon heat.",
    ),
)
