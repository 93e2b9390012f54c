"""The business domain of a group of small hotels."""

from __future__ import annotations

from pytest_ultra.benchmark.generator.business.records import Business, Category, Measure, Table, Team

HOTELS = Business(
    name="a group of small hotels",
    host="lantern",
    parent=Table(
        name="hotels",
        plural="hotels",
        singular="hotel",
        key="hotel_code",
        prefix="HTL",
        categories=(
            Category("setting", "setting", ("lakeside", "alpine", "downtown", "vineyard")),
            Category("comfort_class", "comfort class", ("simple", "comfort", "superior", "grand")),
        ),
        measures=(
            Measure("bedrooms", "number of bedrooms", 8, 90, 0, "bedrooms"),
            Measure("renovation_budget", "renovation budget", 10, 900, 0, "kCHF", "CHF", 1000),
            Measure("garden_area", "area of the garden", 100, 9000, 0, "m2", "ha", 10_000, is_larger=True),
        ),
        date="joined_group_on",
    ),
    tables=(
        Table(
            name="stays",
            plural="stays",
            singular="stay",
            key="stay_ref",
            prefix="STY",
            categories=(
                Category("meal_plan", "meal plan", ("breakfast", "half-board", "full-pension", "self-catering")),
                Category("booked_through", "booking route", ("phone", "agency", "walk-in", "website")),
            ),
            measures=(
                Measure("stay_length", "length of the stay", 1, 21, 0, "nights", "weeks", 7, is_larger=True),
                Measure("room_charge", "room charge", 60, 4200, 2, "CHF", "rappen", 100),
                Measure("party_size", "party size", 1, 6, 0, "guests"),
            ),
            date="arrived_on",
            parent="hotel_code",
        ),
        Table(
            name="housekeeping_rounds",
            plural="housekeeping rounds",
            singular="housekeeping round",
            key="round_ref",
            prefix="HKR",
            categories=(
                Category("floor_wing", "wing", ("east-wing", "garden-wing", "annex", "tower")),
                Category("linen_change", "change of linen", ("complete", "towels-only", "declined", "deferred")),
            ),
            measures=(
                Measure("cleaning_time", "cleaning time", 8, 95, 0, "minutes", "hours", 60, is_larger=True),
                Measure("laundry_weight", "weight of the laundry", 1, 40, 1, "kg", "g", 1000),
            ),
            date="cleaned_on",
            parent="hotel_code",
        ),
    ),
    services={
        "hotels": "hotel-directory",
        "stays": "stay-book",
        "housekeeping_rounds": "housekeeping-roster",
    },
    teams=(
        Team("front-desk", "front-desk", "checks guests in and answers their questions"),
        Team("reservations", "reservations", "sells beds to agencies and sets nightly rates"),
        Team("housekeeping", "housekeeping", "cleans bedrooms and sends linen to the laundry"),
        Team("kitchen", "kitchen", "cooks breakfasts and orders groceries"),
        Team("engineering", "engineering", "repairs boilers, lifts and plumbing"),
    ),
    occasions=(
        "the summer festival",
        "the weekly revenue call",
        "the owners' dinner",
        "the winter closure",
    ),
    destinations={
        "queue": ("revenue-round", "owners-inbox", "festival-desk", "concierge-reading"),
        "sink": ("agency-channel", "tourist-office", "investor-portal", "tax-bureau"),
        "file": ("owners_pack", "festival_note", "night_audit", "season_letter"),
        "cache": ("lobby-screen", "welcome-card", "rate-panel", "concierge-tips"),
        "schedule": ("revenue-mailing", "festival-planning", "owners-summary", "closure-briefing"),
        "tracker": ("revenue-series", "festival-history", "house-figures", "comfort-numbers"),
        "log": ("night-porter-book", "lift-record", "desk-diary", "kitchen-notes"),
    },
    rules=(
        "Guests who arrive after midnight get the key from the night porter.",
        "Dogs are welcome on the ground floor.",
        "Wedding parties reserve the garden together with their rooms.",
        "The fire doors stay closed during breakfast.",
    ),
)
