"""The business domain of an insurer of homes and their contents."""

from __future__ import annotations

from pytest_ultra.benchmark.generator.business.records import Business, Category, Measure, Table, Team

HOUSEHOLD_INSURER = Business(
    name="an insurer of homes and their contents",
    host="umbrella",
    parent=Table(
        name="policies",
        plural="policies",
        singular="policy",
        key="policy_ref",
        prefix="POL",
        categories=(
            Category("dwelling", "dwelling", ("cottage", "apartment", "houseboat", "bungalow")),
            Category("cover", "cover", ("fire-only", "standard-cover", "all-perils")),
        ),
        measures=(
            Measure("insured_value", "insured value", 20, 900, 0, "kGBP", "GBP", 1000),
            Measure("premium", "premium", 60, 1900, 2, "GBP", "pence", 100),
            Measure("home_area", "area of the home", 25, 320, 0, "m2", "ares", 100, is_larger=True),
        ),
        date="incepted_on",
    ),
    tables=(
        Table(
            name="claims",
            plural="claims",
            singular="claim",
            key="claim_ref",
            prefix="CLM",
            categories=(
                Category("peril", "peril", ("burst-pipe", "burglary", "lightning", "hail")),
                Category("decision", "decision", ("accepted", "contested", "rejected", "withdrawn")),
            ),
            measures=(
                Measure("payout", "payout", 40, 38_000, 2, "GBP", "pence", 100),
                Measure("excess", "excess", 0, 500, 0, "GBP", "pence", 100),
                Measure("settlement_time", "settlement time", 2, 160, 0, "days", "weeks", 7, is_larger=True),
            ),
            date="lodged_on",
            parent="policy_ref",
        ),
        Table(
            name="surveyor_visits",
            plural="surveyor visits",
            singular="surveyor visit",
            key="survey_ref",
            prefix="SVY",
            categories=(
                Category("alarm", "alarm", ("wired", "wireless", "dog", "unalarmed")),
                Category("roof", "roof", ("slate", "thatch", "tin", "turf")),
            ),
            measures=(
                Measure("damp", "damp in the walls", 1, 40, 1, "percent", "permille", 10, is_additive=False),
                Measure("surveyor_fee", "fee of the surveyor", 45, 480, 2, "GBP", "pence", 100),
                Measure("drive", "distance driven", 2, 260, 0, "km", "m", 1000),
            ),
            date="inspected_on",
            parent="policy_ref",
        ),
    ),
    services={
        "policies": "policy-vault",
        "claims": "claims-hall",
        "surveyor_visits": "surveyor-diary",
    },
    teams=(
        Team("underwriters", "underwriters", "sets premiums for risky roofs and rivers"),
        Team("adjusters", "adjusters", "decides how much a burgled household receives"),
        Team("surveyors", "surveyors", "walks through houses and measures damp"),
        Team("fraud", "fraud", "investigates invented burglaries"),
        Team("renewals", "renewals", "persuades policyholders to stay another year"),
    ),
    occasions=(
        "the hail season",
        "the reinsurers' visit",
        "the monthly loss round",
        "the brokers' lunch",
    ),
    destinations={
        "queue": ("loss-round", "brokers-inbox", "reinsurer-answers", "hail-reading"),
        "sink": ("broker-window", "reinsurer-drop", "police-liaison", "ombudsman-desk"),
        "file": ("loss_digest", "reinsurer_deck", "broker_letter", "storm_brief"),
        "cache": ("hail-map", "broker-screen", "adjuster-card", "storm-banner"),
        "schedule": ("loss-summary", "brokers-mailing", "hail-briefing", "reinsurer-planning"),
        "tracker": ("loss-series", "hail-history", "broker-numbers", "reinsurer-figures"),
        "log": ("adjuster-notes", "broker-book", "storm-diary", "photo-record"),
    },
    rules=(
        "Claimants keep a broken thing until somebody has seen it.",
        "A surveyor never values the home of a relative.",
        "Burnt letters are accepted as proof of an address.",
        "Policyholders hear the reason whenever their wish is refused.",
    ),
)
