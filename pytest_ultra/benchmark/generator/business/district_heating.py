"""The business domain of a district heating company."""

from __future__ import annotations

from pytest_ultra.benchmark.generator.business.records import Business, Category, Measure, Table, Team

DISTRICT_HEATING = Business(
    name="a district heating company",
    host="ember",
    parent=Table(
        name="substations",
        plural="substations",
        singular="substation",
        key="substation_no",
        prefix="SUB",
        categories=(
            Category(
                "building_kind",
                "kind of building",
                ("tenement", "bathhouse", "swimming-hall", "greenhouse", "workshop"),
            ),
            Category("pipe_loop", "pipe loop", ("harbour-loop", "mill-loop", "castle-loop")),
        ),
        measures=(
            Measure("contract_load", "contracted load", 15, 900, 0, "kW", "MW", 1000, is_larger=True),
            Measure("supply_line", "reach of the supply line", 20, 2400, 0, "m", "km", 1000, is_larger=True),
        ),
        date="energised_on",
    ),
    tables=(
        Table(
            name="heat_bills",
            plural="heat bills",
            singular="heat bill",
            key="bill_no",
            prefix="HTB",
            categories=(
                Category("tariff", "tariff", ("basic", "evening", "social", "industrial")),
                Category("dunning", "dunning stage", ("settled", "reminded", "warned", "suspended")),
            ),
            measures=(
                Measure("heat_used", "heat used", 1, 240, 1, "MWh", "kWh", 1000),
                Measure("heat_charge", "heat charge", 60, 9500, 2, "EUR", "cents", 100),
            ),
            date="billed_on",
            parent="substation_no",
        ),
        Table(
            name="leak_repairs",
            plural="leak repairs",
            singular="leak repair",
            key="leak_no",
            prefix="LEK",
            categories=(
                Category("ground", "ground", ("asphalt", "cobbles", "lawn", "rock")),
                Category("seam", "seam", ("welded", "flanged", "pressed", "glued")),
            ),
            measures=(
                Measure("water_lost", "water lost", 1, 300, 0, "m3", "l", 1000),
                Measure("dig_length", "length of the trench", 1, 45, 1, "m", "cm", 100),
                Measure("outage", "outage", 1, 72, 0, "hours", "days", 24, is_larger=True),
            ),
            date="dug_on",
            parent="substation_no",
        ),
    ),
    services={
        "substations": "substation-atlas",
        "heat_bills": "heat-billing",
        "leak_repairs": "leak-hotline",
    },
    teams=(
        Team("boilerhouse", "boilerhouse", "burns wood chips and keeps pressure steady"),
        Team("diggers", "diggers", "opens streets and welds broken pipes"),
        Team("metering", "metering", "reads and replaces heat counters"),
        Team("hardship", "hardship", "agrees instalments with households in debt"),
        Team("connections", "connections", "draws up offers for new buildings"),
    ),
    occasions=(
        "the start of the heating season",
        "the tariff hearing",
        "the chip suppliers' round",
        "the summer shutdown",
    ),
    destinations={
        "queue": ("boilerhouse-reading", "hearing-answers", "tenants-inbox", "shutdown-round"),
        "sink": ("city-works", "tenant-union", "chip-supplier", "energy-agency"),
        "file": ("heating_outlook", "hearing_paper", "shutdown_plan", "tenant_letter"),
        "cache": ("boiler-screen", "hotline-script", "street-sign", "tenant-portal-banner"),
        "schedule": ("hearing-briefing", "heating-start-planning", "tenants-mailing", "shutdown-summary"),
        "tracker": ("pipe-figures", "hearing-history", "loop-series", "heating-start-numbers"),
        "log": ("boiler-diary", "valve-book", "trench-record", "hotline-sheet"),
    },
    rules=(
        "Nobody loses heat while the night frost lasts.",
        "Streets are opened on one side at a time.",
        "Ash goes to the brickworks and not to the landfill.",
        "A tenant is present when a counter is replaced.",
    ),
)
