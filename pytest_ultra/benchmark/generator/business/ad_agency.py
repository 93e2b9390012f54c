"""The business domain of an advertising agency."""

from __future__ import annotations

from pytest_ultra.benchmark.generator.business.records import Business, Category, Measure, Table, Team

AD_AGENCY = Business(
    name="an advertising agency",
    host="megaphone",
    parent=Table(
        name="brands",
        plural="brands",
        singular="brand",
        key="brand_code",
        prefix="BRD",
        categories=(
            Category("industry", "industry", ("beverages", "footwear", "tourism", "stationery", "cosmetics")),
            Category("tone", "tone of voice", ("playful", "earnest", "daring", "nostalgic")),
        ),
        measures=(
            Measure("retainer", "retainer", 2, 80, 0, "kUSD", "USD", 1000),
            Measure("awareness", "awareness", 4, 90, 1, "percent", "permille", 10, is_additive=False),
        ),
        date="won_on",
    ),
    tables=(
        Table(
            name="adverts",
            plural="adverts",
            singular="advert",
            key="advert_code",
            prefix="ADV",
            categories=(
                Category("placement", "placement", ("billboard", "cinema", "podcast", "tram", "magazine")),
                Category("audience", "audience", ("students", "retirees", "commuters", "parents")),
            ),
            measures=(
                Measure("media_spend", "media spend", 100, 45_000, 0, "USD", "cents", 100),
                Measure("reach", "reach", 500, 90_000, 0, "people"),
                Measure("running_time", "running time", 6, 120, 0, "seconds", "minutes", 60, is_larger=True),
            ),
            date="aired_on",
            parent="brand_code",
        ),
        Table(
            name="survey_panels",
            plural="survey panels",
            singular="survey panel",
            key="panel_code",
            prefix="PNL",
            categories=(
                Category("panel_city", "city of the panel", ("Orvane", "Tessaly", "Milbrook", "Junova")),
                Category("sentiment", "sentiment", ("delighted", "indifferent", "annoyed")),
            ),
            measures=(
                Measure("respondents", "number of respondents", 20, 2400, 0, "respondents"),
                Measure("incentive", "incentive paid", 1, 25, 2, "USD", "cents", 100),
            ),
            date="polled_on",
            parent="brand_code",
        ),
    ),
    services={
        "brands": "brand-room",
        "adverts": "advert-vault",
        "survey_panels": "panel-office",
    },
    teams=(
        Team("copywriters", "copywriters", "invents slogans and radio scripts"),
        Team("media", "media", "books cinemas, trams and magazine pages"),
        Team("panels", "panels", "asks shoppers what they remember"),
        Team("art", "art", "draws layouts and picks photographs"),
        Team("accounts", "accounts", "meets clients and defends their budgets"),
    ),
    occasions=(
        "the pitch rehearsal",
        "the award night",
        "the client's product launch",
        "the yearly media plan",
    ),
    destinations={
        "queue": ("pitch-reading", "clients-inbox", "jury-desk", "launch-round"),
        "sink": ("client-lounge", "printer-upload", "cinema-chain", "award-jury"),
        "file": ("pitch_deck", "launch_brief", "award_entry", "media_plan"),
        "cache": ("moodboard", "studio-monitor", "pitch-countdown", "lobby-reel"),
        "schedule": ("pitch-planning", "clients-mailing", "jury-briefing", "launch-summary"),
        "tracker": ("pitch-history", "client-figures", "award-series", "launch-numbers"),
        "log": ("studio-diary", "pitch-notes", "shoot-journal", "client-minutes"),
    },
    rules=(
        "Nobody works for two rival brands.",
        "A child appears in an advert only with both parents' consent.",
        "Slogans are read aloud before a client sees them.",
        "Props are returned on the morning after a shoot.",
    ),
)
