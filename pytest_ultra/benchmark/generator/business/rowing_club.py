"""The business domain of a rowing club."""

from __future__ import annotations

from pytest_ultra.benchmark.generator.business.records import Business, Category, Measure, Table, Team

ROWING_CLUB = Business(
    name="a rowing club",
    host="starboard",
    parent=Table(
        name="boats",
        plural="boats",
        singular="boat",
        key="boat_id",
        prefix="BOT",
        categories=(
            Category("boat_class", "boat class", ("single-scull", "coxed-four", "eight", "double-scull")),
            Category("berth", "berth", ("upper-rack", "lower-rack", "pontoon", "trestle")),
        ),
        measures=(
            Measure("hull_mass", "mass of the hull", 14, 110, 1, "kg", "g", 1000),
            Measure("hull_length", "length of the hull", 7, 18, 1, "m", "cm", 100, is_additive=False),
            Measure("boat_value", "value of the boat", 1, 58, 0, "kGBP", "GBP", 1000),
        ),
        date="christened_on",
    ),
    tables=(
        Table(
            name="outings",
            plural="outings",
            singular="outing",
            key="outing_id",
            prefix="ROW",
            categories=(
                Category("water", "water", ("calm", "choppy", "tidal", "in-flood")),
                Category("squad", "squad", ("juniors", "masters", "novices", "lightweights")),
            ),
            measures=(
                Measure("distance", "distance rowed", 2, 42, 1, "km", "m", 1000),
                Measure("strokes", "stroke rate", 16, 44, 0, "strokes/min", is_additive=False),
                Measure("time_afloat", "time afloat", 20, 240, 0, "minutes", "hours", 60, is_larger=True),
            ),
            date="rowed_on",
            parent="boat_id",
        ),
        Table(
            name="repairs",
            plural="boat repairs",
            singular="boat repair",
            key="repair_id",
            prefix="BRP",
            categories=(
                Category("damage", "damage", ("cracked-rigger", "split-hull", "bent-fin", "seat-wheel")),
                Category("mender", "mender", ("boatwright", "member", "builder-yard")),
            ),
            measures=(
                Measure("shed_time", "time in the shed", 1, 40, 0, "days", "weeks", 7, is_larger=True),
                Measure("material_cost", "cost of the material", 4, 1900, 2, "GBP", "pence", 100),
            ),
            date="mended_on",
            parent="boat_id",
        ),
        Table(
            name="subscriptions_due",
            plural="membership dues",
            singular="membership due",
            key="due_id",
            prefix="DUE",
            categories=(
                Category("member_class", "class of member", ("youth", "full", "student", "honorary")),
                Category("payment_means", "means of payment", ("standing-order", "cash", "card")),
            ),
            measures=(
                Measure("yearly_due", "yearly due", 30, 640, 2, "GBP", "pence", 100),
                Measure("club_work", "club work", 0, 30, 1, "hours", "minutes", 60),
            ),
            date="charged_on",
        ),
    ),
    services={
        "boats": "boat-rack",
        "outings": "outing-book",
        "repairs": "repair-shed",
        "subscriptions_due": "membership-till",
    },
    teams=(
        Team("coaches", "coaches", "trains squads on the water"),
        Team("boathouse", "boathouse", "mends hulls and oils riggers"),
        Team("regattas", "regattas", "enters races and tows the trailer"),
        Team("membership", "membership", "collects dues and welcomes novices"),
        Team("juniors-welfare", "juniors", "looks after children and speaks with parents"),
    ),
    occasions=(
        "the spring regatta",
        "the general meeting",
        "the boat christening",
        "the learn-to-row week",
    ),
    destinations={
        "queue": ("regatta-desk", "meeting-reading", "christening-round", "members-answers"),
        "sink": ("regatta-office", "river-authority", "sports-federation", "town-gazette"),
        "file": ("regatta_sheet", "meeting_paper", "christening_note", "squad_sheet"),
        "cache": ("boathouse-board", "river-level-card", "race-day-screen", "kit-shop-note"),
        "schedule": ("regatta-planning", "meeting-briefing", "christening-mailing", "learn-to-row-summary"),
        "tracker": ("regatta-history", "meeting-figures", "river-series", "boathouse-numbers"),
        "log": ("river-diary", "boathouse-book", "race-notes", "kiosk-book"),
    },
    rules=(
        "Nobody rows at dusk without a lamp at the bow.",
        "Juniors wear a bright vest below the weir.",
        "Boats are rinsed before they go back on the rack.",
        "The cox has the last word on the water.",
    ),
)
