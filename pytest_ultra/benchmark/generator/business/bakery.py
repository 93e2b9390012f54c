"""The business domain of a chain of bakeries."""

from __future__ import annotations

from pytest_ultra.benchmark.generator.business.records import Business, Category, Measure, Table, Team

BAKERY = Business(
    name="a chain of bakeries",
    host="crumb",
    parent=Table(
        name="bakeries",
        plural="bakeries",
        singular="bakery",
        key="bakery_id",
        prefix="BKY",
        categories=(
            Category("oven_kind", "kind of oven", ("deck", "rotary", "wood-fired", "tunnel")),
            Category("neighbourhood", "neighbourhood", ("riverbank", "quayside", "university", "orchard-hill")),
        ),
        measures=(
            Measure("floor_area", "floor area", 20, 180, 0, "m2", "ares", 100, is_larger=True),
            Measure("seats", "number of seats", 0, 40, 0, "seats"),
            Measure("monthly_rent", "monthly rent", 600, 5200, 0, "EUR", "cents", 100),
        ),
        date="opened_on",
    ),
    tables=(
        Table(
            name="batches",
            plural="batches",
            singular="batch",
            key="batch_id",
            prefix="BAT",
            categories=(
                Category("loaf", "loaf", ("rye", "spelt", "sourdough", "ciabatta", "brioche")),
                Category("crust_grade", "crust grade", ("golden", "pale", "cracked", "burnt")),
            ),
            measures=(
                Measure("flour_used", "flour used", 4, 90, 1, "kg", "g", 1000),
                Measure("proving_time", "proving time", 40, 900, 0, "minutes", "hours", 60, is_larger=True),
                Measure("core_temperature", "core temperature", 88, 99, 1, "C", is_additive=False),
            ),
            date="baked_on",
            parent="bakery_id",
        ),
        Table(
            name="flour_deliveries",
            plural="flour deliveries",
            singular="flour delivery",
            key="delivery_note",
            prefix="FLO",
            categories=(
                Category("mill", "mill", ("Haldon", "Wyrebrook", "Tennick", "Oxmere")),
                Category("sack_state", "condition of the sacks", ("dry", "damp", "torn", "resealed")),
            ),
            measures=(
                Measure("gross_mass", "gross mass", 100, 4000, 0, "kg", "t", 1000, is_larger=True),
                Measure("flour_cost", "cost of the flour", 60, 2400, 2, "EUR", "cents", 100),
                Measure("moisture", "moisture", 9, 16, 1, "percent", "permille", 10, is_additive=False),
            ),
            date="unloaded_on",
            parent="bakery_id",
        ),
    ),
    services={
        "bakeries": "bakery-directory",
        "batches": "batch-book",
        "flour_deliveries": "flour-intake",
    },
    teams=(
        Team("night-shift", "night-shift", "mixes dough and fires the ovens before dawn"),
        Team("counters", "counters", "staffs the tills and hears complaints from guests"),
        Team("purchasing", "purchasing", "buys grain, butter and yeast from suppliers"),
        Team("hygiene", "hygiene", "inspects kitchens and traces recalled ingredients"),
        Team("premises", "premises", "maintains buildings, leases and cold rooms"),
    ),
    occasions=(
        "the four o'clock tasting",
        "the holiday baking plan",
        "the yearly hygiene audit",
        "the new loaf's launch",
        "the bakers' breakfast",
    ),
    destinations={
        "queue": ("tasting-round", "dawn-reading", "franchise-inbox", "audit-answers"),
        "sink": ("wholesale-window", "inspector-drop", "cafe-board", "miller-office"),
        "file": ("baking_plan", "tasting_card", "shift_sheet", "franchise_letter"),
        "cache": ("counter-display", "allergen-card", "morning-price", "recipe-wall"),
        "schedule": ("dawn-briefing", "holiday-planning", "bakers-mailing", "audit-summary"),
        "tracker": ("loaf-history", "franchise-numbers", "holiday-series", "hygiene-figures"),
        "log": ("oven-diary", "dough-notes", "cold-room-book", "tasting-record"),
    },
    rules=(
        "Bread from the day before is given to the night shelter.",
        "A starter is never moved between two bakeries.",
        "Torn sacks are emptied the same day or sent back.",
        "Ovens cool down with the door closed.",
    ),
)
