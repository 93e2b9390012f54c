"""The business domain of a manager of rented flats."""

from __future__ import annotations

from pytest_ultra.benchmark.generator.business.records import Business, Category, Measure, Table, Team

PROPERTY_MANAGER = Business(
    name="a manager of rented flats",
    host="keyring",
    parent=Table(
        name="buildings",
        plural="buildings",
        singular="building",
        key="building_ref",
        prefix="BLD",
        categories=(
            Category("facade", "facade", ("brick", "render", "timber", "sandstone")),
            Category("warmth_source", "source of warmth", ("gas", "heat-pump", "pellets", "radiators")),
        ),
        measures=(
            Measure("dwellings", "number of dwellings", 4, 120, 0, "dwellings"),
            Measure("plot", "size of the plot", 200, 9000, 0, "m2", "ha", 10_000, is_larger=True),
            Measure("repair_reserve", "repair reserve", 3, 380, 0, "kEUR", "EUR", 1000),
        ),
        date="completed_on",
    ),
    tables=(
        Table(
            name="tenancies",
            plural="tenancies",
            singular="tenancy",
            key="tenancy_ref",
            prefix="TNC",
            categories=(
                Category("flat_layout", "flat layout", ("studio", "one-bedroom", "two-bedroom", "maisonette")),
                Category("arrears_stage", "stage of arrears", ("punctual", "reminder", "summons", "eviction")),
            ),
            measures=(
                Measure("cold_rent", "cold rent", 320, 2400, 2, "EUR", "cents", 100),
                Measure("deposit", "deposit", 600, 7200, 2, "EUR", "cents", 100),
                Measure("heated_space", "heated space", 22, 160, 1, "m2", "ares", 100, is_larger=True),
            ),
            date="let_from",
            parent="building_ref",
        ),
        Table(
            name="repair_requests",
            plural="repair requests",
            singular="repair request",
            key="request_ref",
            prefix="REP",
            categories=(
                Category("craftsman", "craftsman", ("plumber", "electrician", "locksmith", "roofer")),
                Category("key_route", "way to the key", ("key-safe", "tenant-home", "caretaker")),
            ),
            measures=(
                Measure("repair_bill", "repair bill", 35, 4200, 2, "EUR", "cents", 100),
                Measure("closing_time", "time until closing", 1, 90, 0, "days", "weeks", 7, is_larger=True),
            ),
            date="asked_on",
            parent="building_ref",
        ),
    ),
    services={
        "buildings": "building-files",
        "tenancies": "tenancy-archive",
        "repair_requests": "repair-hotline",
    },
    teams=(
        Team("letting", "letting", "shows flats and signs leases"),
        Team("arrears", "arrears", "reminds tenants of unpaid rent"),
        Team("caretakers", "caretakers", "sweeps stairs and salts the pavement"),
        Team("repairs", "repairs", "orders plumbers, roofers and locksmiths"),
        Team("owners", "owners", "prepares meetings of the flats' owners"),
    ),
    occasions=(
        "the owners' meeting",
        "the yearly service charge",
        "the boiler season",
        "the courtyard party",
    ),
    destinations={
        "queue": ("owners-reading", "tenants-round", "courtyard-desk", "boiler-season-inbox"),
        "sink": ("tenant-app", "owner-portal", "court-registry", "energy-broker"),
        "file": ("owners_folder", "charges_letter", "courtyard_notice", "inspection_folder"),
        "cache": ("hallway-display", "caretaker-phone", "letting-window", "owner-dashboard"),
        "schedule": (
            "owners-meeting-mailing",
            "courtyard-planning",
            "boiler-season-briefing",
            "service-charge-summary",
        ),
        "tracker": ("owners-history", "tenant-figures", "courtyard-series", "stairwell-numbers"),
        "log": ("stairwell-book", "key-book", "viewing-notes", "owner-minutes"),
    },
    rules=(
        "Nobody enters a flat without knocking.",
        "A deposit lies in an account of its own.",
        "Salt is spread before the school bell.",
        "Old locks are replaced when a key is lost.",
    ),
)
