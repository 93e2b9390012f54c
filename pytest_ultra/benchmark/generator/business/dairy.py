"""The business domain of a dairy run by its milk producers."""

from __future__ import annotations

from pytest_ultra.benchmark.generator.business.records import Business, Category, Measure, Table, Team

DAIRY = Business(
    name="a dairy run by its milk producers",
    host="clover",
    parent=Table(
        name="herds",
        plural="herds",
        singular="herd",
        key="herd_no",
        prefix="HRD",
        categories=(
            Category("breed", "breed", ("Longmere", "Dunbeck", "Ashlow", "Whinfell")),
            Category("keeping", "way of keeping", ("organic", "pasture", "barn", "mixed-housing")),
        ),
        measures=(
            Measure("cows", "number of cows", 12, 260, 0, "cows"),
            Measure("grazing_land", "grazing land", 8, 190, 0, "ha", "m2", 10_000),
            Measure("share_capital", "share capital", 500, 20_000, 0, "EUR", "cents", 100),
        ),
        date="enrolled_on",
    ),
    tables=(
        Table(
            name="milk_collections",
            plural="milk collections",
            singular="milk collection",
            key="collection_no",
            prefix="MLK",
            categories=(
                Category("tanker_run", "tanker run", ("dawn-run", "valley-run", "moor-run", "ferry-run")),
                Category("antibiotic_strip", "antibiotic strip", ("negative", "faint", "positive")),
            ),
            measures=(
                Measure("milk_pumped", "milk pumped", 120, 6800, 0, "l", "m3", 1000, is_larger=True),
                Measure("milk_pay", "milk pay", 50, 3400, 2, "EUR", "cents", 100),
                Measure("tank_temperature", "tank temperature", 2, 12, 1, "C", is_additive=False),
            ),
            date="pumped_on",
            parent="herd_no",
        ),
        Table(
            name="cheese_wheels",
            plural="cheese wheels",
            singular="cheese wheel",
            key="wheel_no",
            prefix="WHL",
            categories=(
                Category("recipe", "recipe", ("alpine-hard", "washed-rind", "blue-vein", "smoked")),
                Category("cellar_vault", "vault in the cellar", ("north-vault", "south-vault", "tunnel-vault")),
                Category("rind_mark", "rind mark", ("flawless", "cracked", "mouldy", "undersized")),
            ),
            measures=(
                Measure("wheel_mass", "mass of the wheel", 3, 42, 1, "kg", "g", 1000),
                Measure("ripening", "ripening", 30, 720, 0, "days", "weeks", 7, is_larger=True),
                Measure("salt_rubbed", "salt rubbed in", 20, 900, 0, "g", "kg", 1000, is_larger=True),
            ),
            date="pressed_on",
        ),
    ),
    services={
        "herds": "herd-book",
        "milk_collections": "milk-scale",
        "cheese_wheels": "cheese-cellar",
    },
    teams=(
        Team("tankers", "tankers", "pumps milk at the yards before sunrise"),
        Team("cheesemakers", "cheesemakers", "presses curd and turns wheels in the cellar"),
        Team("milk-money", "milk-money", "works out what each producer is paid"),
        Team("vets", "vets", "treats sick cows and advises on fodder"),
        Team("fairs", "fairs", "sells butter and cheese at market stalls"),
    ),
    occasions=(
        "the members' assembly",
        "the driving up to the alps",
        "the cheese judging",
        "the first cut of hay",
    ),
    destinations={
        "queue": ("members-inbox", "cellar-reading", "judging-round", "assembly-answers"),
        "sink": ("producer-portal", "breed-society", "grocer-window", "price-board"),
        "file": ("assembly_paper", "grazing_letter", "judging_sheet", "fair_plan"),
        "cache": ("yard-panel", "cellar-tablet", "stall-sign", "producer-hotline"),
        "schedule": ("members-mailing", "assembly-summary", "judging-briefing", "hay-planning"),
        "tracker": ("cellar-history", "member-numbers", "assembly-figures", "hay-series"),
        "log": ("cellar-diary", "tanker-notebook", "vet-notes", "yard-journal"),
    },
    rules=(
        "Milk from a treated cow is poured away.",
        "A wheel that won a prize is not cut before the fair.",
        "Tankers wait for nobody after sunrise.",
        "Members vote with one voice whatever the size of their herd.",
    ),
)
