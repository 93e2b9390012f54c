"""The business domain of a regional airport."""

from __future__ import annotations

from pytest_ultra.benchmark.generator.business.records import Business, Category, Measure, Table, Team

AIRPORT = Business(
    name="a regional airport",
    host="tarmac",
    parent=Table(
        name="carriers",
        plural="airlines",
        singular="airline",
        key="airline_code",
        prefix="AIR",
        categories=(
            Category("alliance", "alliance", ("northern-cross", "blue-wing", "independent", "islander")),
            Category("home_terminal", "home terminal", ("main-hall", "pier", "satellite")),
        ),
        measures=(
            Measure("yearly_seats", "number of yearly seats", 4000, 90_000, 0, "seats"),
            Measure("landing_deposit", "landing deposit", 5, 400, 0, "kNOK", "NOK", 1000),
        ),
        date="slot_since",
    ),
    tables=(
        Table(
            name="flights",
            plural="flights",
            singular="flight",
            key="flight_ref",
            prefix="FLT",
            categories=(
                Category("stand_kind", "kind of stand", ("contact", "remote", "hangar", "cargo-apron")),
                Category("hold_up_cause", "cause of the hold-up", ("fog", "crewing", "de-icing", "slot-control")),
            ),
            measures=(
                Measure("delay", "delay", 0, 240, 0, "minutes", "hours", 60, is_larger=True),
                Measure("fuel_uplift", "fuel uplift", 500, 14_000, 0, "l", "m3", 1000, is_larger=True),
                Measure("boarded", "number of boarded travellers", 12, 189, 0, "travellers"),
            ),
            date="flown_on",
            parent="airline_code",
        ),
        Table(
            name="mishandled_bags",
            plural="mishandled bags",
            singular="mishandled bag",
            key="bag_tag",
            prefix="BAG",
            categories=(
                Category("bag_kind", "kind of bag", ("suitcase", "rucksack", "pushchair", "instrument")),
                Category("tracing", "tracing result", ("reunited", "rerouted", "untraced", "damaged")),
            ),
            measures=(
                Measure("bag_weight", "bag weight", 2, 32, 1, "kg", "g", 1000),
                Measure("compensation", "compensation", 10, 1300, 2, "NOK", "oere", 100),
            ),
            date="reported_on",
            parent="airline_code",
        ),
        Table(
            name="runway_checks",
            plural="runway checks",
            singular="runway check",
            key="check_ref",
            prefix="RWY",
            categories=(
                Category("surface", "surface", ("dry", "wet", "slush", "grooved")),
                Category("finding", "finding", ("clean", "debris", "rubber", "wildlife")),
            ),
            measures=(
                Measure("friction", "friction value", 20, 90, 0, "points", is_additive=False),
                Measure("swept_length", "swept length", 200, 2800, 0, "m", "km", 1000, is_larger=True),
            ),
            date="walked_on",
        ),
    ),
    services={
        "carriers": "airline-contracts",
        "flights": "flight-board",
        "mishandled_bags": "bag-tracing",
        "runway_checks": "runway-inspection",
    },
    teams=(
        Team("ramp", "ramp", "tows aircraft and loads hold luggage"),
        Team("passenger-care", "passenger-care", "rebooks stranded travellers and hands out vouchers"),
        Team("baggage-tracing", "tracing", "looks for lost suitcases and compensates their owners"),
        Team("airfield", "airfield", "sweeps the runway and scares birds"),
        Team("slots", "slots", "allots landing times to airlines"),
        Team("aeronautical-billing", "aero-billing", "charges airlines for landings and parking"),
    ),
    occasions=(
        "the summer timetable",
        "the winter readiness day",
        "the monthly punctuality round",
        "the noise commission's meeting",
    ),
    destinations={
        "queue": ("apron-reading", "punctuality-round", "carriers-inbox", "commission-answers"),
        "sink": ("airline-exchange", "noise-office", "handling-partner", "border-control"),
        "file": ("punctuality_pack", "winter_readiness", "noise_statement", "apron_brief"),
        "cache": ("hall-display", "apron-tablet", "lounge-panel", "taxi-rank-sign"),
        "schedule": ("apron-mailing", "timetable-planning", "commission-briefing", "winter-day-summary"),
        "tracker": ("apron-figures", "punctuality-series", "timetable-history", "terminal-numbers"),
        "log": ("tower-diary", "apron-notes", "fire-station-book", "shift-journal"),
    },
    rules=(
        "Bags are never loaded without their owner on board.",
        "Snow ploughs have priority over every vehicle but the fire engine.",
        "Engines are tested on the far stand and only by day.",
        "A lost toy is posted home free of charge.",
    ),
)
