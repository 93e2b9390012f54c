"""The business domain of a book publisher."""

from __future__ import annotations

from pytest_ultra.benchmark.generator.business.records import Business, Category, Measure, Table, Team

BOOK_PUBLISHER = Business(
    name="a book publisher",
    host="quill",
    parent=Table(
        name="titles",
        plural="titles",
        singular="title",
        key="isbn_stem",
        prefix="TTL",
        categories=(
            Category("genre", "genre", ("crime", "travelogue", "poetry", "cookery", "history")),
            Category("binding", "binding", ("clothbound", "paperback", "audio", "folio")),
        ),
        measures=(
            Measure("advance", "advance", 500, 40_000, 0, "EUR", "cents", 100),
            Measure("page_extent", "number of pages", 48, 900, 0, "pages"),
        ),
        date="contracted_on",
    ),
    tables=(
        Table(
            name="print_runs",
            plural="print runs",
            singular="print run",
            key="print_no",
            prefix="PRN",
            categories=(
                Category("paper", "paper", ("wood-free", "bible-paper", "recycled", "coated")),
                Category("printer_city", "city of the printer", ("Varnholm", "Lisbrook", "Castella", "Nemes")),
            ),
            measures=(
                Measure("impressions", "number of impressions", 300, 25_000, 0, "sheets"),
                Measure("print_cost", "cost of the print", 400, 60_000, 0, "EUR", "kEUR", 1000, is_larger=True),
                Measure("stock_mass", "mass of the stock", 40, 9000, 0, "kg", "t", 1000, is_larger=True),
            ),
            date="printed_on",
            parent="isbn_stem",
        ),
        Table(
            name="royalty_lines",
            plural="royalty payments",
            singular="royalty payment",
            key="royalty_no",
            prefix="ROY",
            categories=(
                Category("licence", "kind of licence", ("translation", "film", "serial", "large-print")),
                Category("territory", "territory", ("Nordic", "Iberian", "Andean", "Pacific")),
            ),
            measures=(
                Measure("copies_sold", "number of copies sold", 3, 9000, 0, "copies"),
                Measure("royalty_due", "royalty due", 4, 7200, 2, "EUR", "cents", 100),
                Measure("royalty_rate", "royalty rate", 5, 18, 1, "percent", "permille", 10, is_additive=False),
            ),
            date="settled_on",
            parent="isbn_stem",
        ),
        Table(
            name="manuscripts",
            plural="manuscripts",
            singular="manuscript",
            key="manuscript_no",
            prefix="MSS",
            categories=(
                Category("editorial_view", "editorial view", ("accept", "rewrite", "decline")),
                Category("origin", "origin of the manuscript", ("author-direct", "agent-house", "contest")),
            ),
            measures=(
                Measure("word_extent", "length in words", 8000, 190_000, 0, "words"),
                Measure("reading_time", "time spent reading", 60, 1800, 0, "minutes", "hours", 60, is_larger=True),
            ),
            date="submitted_on",
        ),
    ),
    services={
        "titles": "title-list",
        "print_runs": "print-office",
        "royalty_lines": "royalty-desk",
        "manuscripts": "manuscript-reading",
    },
    teams=(
        Team("editors", "editors", "improves texts together with their authors"),
        Team("rights", "rights", "licenses translations and films"),
        Team("production", "production", "chooses paper and supervises printers"),
        Team("publicity", "publicity", "arranges readings and interviews"),
        Team("royalties", "royalties", "settles what authors earn from sold copies"),
    ),
    occasions=(
        "the autumn book fair",
        "the seasonal list meeting",
        "the literary prize dinner",
        "the yearly stock-taking",
    ),
    destinations={
        "queue": ("list-reading", "fair-desk", "authors-inbox", "stocktaking-round"),
        "sink": ("bookshop-feed", "library-exchange", "agent-mailroom", "press-room"),
        "file": ("season_preview", "author_statement", "fair_planner", "reviewer_pack"),
        "cache": ("fair-stand-screen", "jacket-wall", "stockroom-card", "newsletter-teaser"),
        "schedule": ("list-planning", "fair-briefing", "authors-mailing", "stocktaking-summary"),
        "tracker": ("list-history", "fair-figures", "prize-series", "stocktaking-numbers"),
        "log": ("editor-notes", "stockroom-journal", "fair-diary", "prize-record"),
    },
    rules=(
        "Authors see the jacket before anybody else does.",
        "A manuscript is read by two people before it is declined.",
        "Misprints are collected and mended in the next printing.",
        "Review copies are gifts and are never asked back.",
    ),
)
