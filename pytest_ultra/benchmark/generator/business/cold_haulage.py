"""The business domain of a haulier of chilled and frozen goods."""

from __future__ import annotations

from pytest_ultra.benchmark.generator.business.records import Business, Category, Measure, Table, Team

COLD_HAULAGE = Business(
    name="a haulier of chilled and frozen goods",
    host="permafrost",
    parent=Table(
        name="depots",
        plural="depots",
        singular="depot",
        key="depot_code",
        prefix="DEP",
        categories=(
            Category("climate_zone", "climate zone", ("frozen", "chilled", "ambient", "ripening")),
            Category("ramp_kind", "kind of ramp", ("dock-leveller", "tail-lift", "drive-in", "flush")),
        ),
        measures=(
            Measure("bays", "number of bays", 2, 48, 0, "bays"),
            Measure("storage_volume", "storage volume", 200, 9000, 0, "m3", "l", 1000),
            Measure("power_draw", "power draw", 20, 950, 0, "kW", "MW", 1000, is_larger=True),
        ),
        date="commissioned_on",
    ),
    tables=(
        Table(
            name="consignments",
            plural="consignments",
            singular="consignment",
            key="consignment_no",
            prefix="CON",
            categories=(
                Category("cargo", "cargo", ("seafood", "vaccines", "ice-cream", "cut-flowers")),
                Category("seal_check", "seal check", ("intact", "replaced", "absent", "tampered")),
            ),
            measures=(
                Measure("freight_charge", "freight charge", 80, 4800, 2, "EUR", "cents", 100),
                Measure("load_mass", "mass of the load", 200, 24_000, 0, "kg", "t", 1000, is_larger=True),
                Measure("peak_temperature", "peak temperature", -25, 9, 1, "C", is_additive=False),
            ),
            date="dispatched_on",
            parent="depot_code",
        ),
        Table(
            name="tractor_trips",
            plural="tractor trips",
            singular="tractor trip",
            key="trip_no",
            prefix="TRP",
            categories=(
                Category("corridor", "corridor", ("alpine-pass", "coast-road", "river-valley", "ring-motorway")),
                Category("fuel_card", "fuel card", ("blue-card", "fleet-card", "guest-card")),
            ),
            measures=(
                Measure("mileage", "mileage", 30, 1100, 1, "km", "m", 1000),
                Measure("diesel", "diesel burnt", 10, 420, 1, "l", "cl", 100),
                Measure("driving_time", "driving time", 40, 600, 0, "minutes", "hours", 60, is_larger=True),
            ),
            date="set_out_on",
        ),
    ),
    services={
        "depots": "depot-map",
        "consignments": "consignment-office",
        "tractor_trips": "trip-planner",
    },
    teams=(
        Team("dispatch", "dispatch", "assigns drivers and tractors to trips"),
        Team("reefer-technicians", "reefers", "repairs cooling units on trailers"),
        Team("claims-office", "claims", "settles spoiled cargo with shippers"),
        Team("tolls", "tolls", "pays motorway charges and fuel bills"),
        Team("dock", "dock", "loads and unloads trailers at the ramps"),
    ),
    occasions=(
        "the strawberry weeks",
        "the winter tyre change",
        "the shippers' conference",
        "the weekly fleet meeting",
    ),
    destinations={
        "queue": ("fleet-reading", "shippers-inbox", "dock-round", "claims-answers"),
        "sink": ("shipper-portal", "customs-window", "insurer-drop", "retail-hub"),
        "file": ("fleet_digest", "shipper_report", "winter_sheet", "driver_circular"),
        "cache": ("yard-screen", "cab-display", "ramp-plan", "corridor-news"),
        "schedule": ("fleet-mailing", "shippers-briefing", "winter-planning", "toll-summary"),
        "tracker": ("fleet-figures", "shipper-history", "thaw-series", "corridor-numbers"),
        "log": ("yard-diary", "cab-notes", "dock-journal", "ramp-record"),
    },
    rules=(
        "Drivers break the seal only in front of the receiver.",
        "Seafood and flowers never share a trailer.",
        "A cooling unit runs for an hour before loading starts.",
        "Trailers are washed after every load of fish.",
    ),
)
