"""The business domain of a museum of everyday things."""

from __future__ import annotations

from pytest_ultra.benchmark.generator.business.records import Business, Category, Measure, Table, Team

MUSEUM = Business(
    name="a museum of everyday things",
    host="vitrine",
    parent=Table(
        name="collections",
        plural="collections",
        singular="collection",
        key="collection_code",
        prefix="COL",
        categories=(
            Category("theme", "theme", ("toys", "lighting", "kitchenware", "clocks", "textiles")),
            Category("storeroom", "storeroom", ("attic-store", "cellar-store", "annex-store", "glass-store")),
        ),
        measures=(
            Measure("showcases", "number of showcases", 1, 60, 0, "showcases"),
            Measure("estimated_worth", "estimated worth", 4, 960, 0, "kDKK", "DKK", 1000),
        ),
        date="bequeathed_on",
    ),
    tables=(
        Table(
            name="exhibits",
            plural="exhibits",
            singular="exhibit",
            key="exhibit_mark",
            prefix="EXH",
            categories=(
                Category("material", "material", ("tin-plate", "porcelain", "velvet", "bakelite")),
                Category("fragility", "fragility", ("sturdy", "brittle", "flaking", "light-shy")),
            ),
            measures=(
                Measure("height", "height", 1, 240, 1, "cm", "mm", 10, is_additive=False),
                Measure("exhibit_mass", "mass of the exhibit", 20, 9000, 0, "g", "kg", 1000, is_larger=True),
                Measure("insurance_value", "insurance value", 10, 48_000, 0, "DKK", "oere", 100),
            ),
            date="catalogued_on",
            parent="collection_code",
        ),
        Table(
            name="loans",
            plural="loans",
            singular="loan",
            key="loan_mark",
            prefix="LON",
            categories=(
                Category("borrower", "borrower", ("university", "theatre", "city-gallery", "film-studio")),
                Category("crate_kind", "kind of crate", ("foam-lined", "oak-box", "hanging-rail")),
            ),
            measures=(
                Measure("loan_length", "length of the loan", 14, 540, 0, "days", "weeks", 7, is_larger=True),
                Measure("loan_fee", "loan fee", 40, 3900, 2, "DKK", "oere", 100),
                Measure("escort_distance", "distance of the escort", 3, 1900, 0, "km", "m", 1000),
            ),
            date="lent_on",
            parent="collection_code",
        ),
        Table(
            name="guided_tours",
            plural="guided tours",
            singular="guided tour",
            key="tour_mark",
            prefix="TOU",
            categories=(
                Category("tour_language", "language of the tour", ("Dutch", "Polish", "Basque", "sign-language")),
                Category("group_kind", "kind of group", ("kindergarten", "seniors", "tourists", "wedding-party")),
            ),
            measures=(
                Measure("ticket_income", "ticket income", 10, 620, 2, "DKK", "oere", 100),
                Measure("tour_length", "length of the tour", 20, 120, 0, "minutes", "hours", 60, is_larger=True),
            ),
            date="guided_on",
        ),
    ),
    services={
        "collections": "collection-index",
        "exhibits": "exhibit-passport",
        "loans": "loan-contract-room",
        "guided_tours": "tour-desk",
    },
    teams=(
        Team("conservators", "conservators", "cleans velvet and glues porcelain"),
        Team("guides", "guides", "leads groups through the rooms"),
        Team("lending", "lending", "negotiates and insures loans to theatres"),
        Team("attendants", "attendants", "guards showcases and sells tickets"),
        Team("archive", "archive", "catalogues bequests and answers researchers"),
    ),
    occasions=(
        "the long night of the museums",
        "the trustees' walk",
        "the hanging of a show",
        "the moth inspection",
    ),
    destinations={
        "queue": ("trustee-walk-reading", "show-desk", "night-round", "lenders-answers"),
        "sink": ("museum-exchange", "insurer-desk", "heritage-council", "press-folder"),
        "file": ("show_concept", "trustees_digest", "long_night_sheet", "gallery_notes"),
        "cache": ("audio-guide", "foyer-screen", "ticket-window", "room-label"),
        "schedule": ("long-night-planning", "trustee-walk-briefing", "show-mailing", "store-summary"),
        "tracker": ("show-history", "long-night-figures", "trustee-series", "storeroom-numbers"),
        "log": ("guard-book", "climate-notes", "crate-journal", "foyer-record"),
    },
    rules=(
        "Clocks are wound by one person only.",
        "Velvet is touched with gloves.",
        "A crate rests for a day before it is opened.",
        "Children may ring the tin bell once.",
    ),
)
