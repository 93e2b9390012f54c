"""The business domain of a laboratory that tests water."""

from __future__ import annotations

from pytest_ultra.benchmark.generator.business.records import Business, Category, Measure, Table, Team

WATER_LAB = Business(
    name="a laboratory that tests water",
    host="pipette",
    parent=Table(
        name="sampling_points",
        plural="sampling points",
        singular="sampling point",
        key="point_code",
        prefix="SPT",
        categories=(
            Category("water_body", "body of water", ("reservoir", "spring", "canal", "borehole", "estuary")),
            Category("access_route", "way of access", ("footpath", "boat", "ladder", "roadside")),
        ),
        measures=(
            Measure("depth", "depth", 1, 60, 1, "m", "cm", 100, is_additive=False),
            Measure("catchment", "catchment", 2, 950, 0, "ha", "m2", 10_000),
        ),
        date="surveyed_on",
    ),
    tables=(
        Table(
            name="samples",
            plural="samples",
            singular="sample",
            key="sample_code",
            prefix="SMP",
            categories=(
                Category("bottle", "bottle", ("amber", "clear", "sterile", "preserved")),
                Category("custody", "custody", ("sealed", "reopened", "transferred", "broken")),
            ),
            measures=(
                Measure("volume", "volume", 100, 2500, 0, "ml", "l", 1000, is_larger=True),
                Measure("nitrate", "nitrate", 1, 90, 1, "mg/l", "ug/l", 1000, is_additive=False),
                Measure("turbidity", "turbidity", 0, 40, 2, "NTU", is_additive=False),
            ),
            date="drawn_on",
            parent="point_code",
        ),
        Table(
            name="assays",
            plural="assays",
            singular="assay",
            key="assay_code",
            prefix="ASY",
            categories=(
                Category("method", "method", ("titration", "photometry", "culture", "chromatography")),
                Category("analyst_grade", "grade of the analyst", ("junior", "senior", "principal")),
            ),
            measures=(
                Measure("reagent_cost", "reagent cost", 2, 160, 2, "EUR", "cents", 100),
                Measure("bench_time", "time at the bench", 10, 480, 0, "minutes", "hours", 60, is_larger=True),
                Measure("recovery", "recovery", 80, 120, 1, "percent", "permille", 10, is_additive=False),
            ),
            date="run_on",
        ),
    ),
    services={
        "sampling_points": "point-registry",
        "samples": "sample-store",
        "assays": "assay-bench",
    },
    teams=(
        Team("fieldwork", "fieldwork", "draws bottles from rivers and wells"),
        Team("bench", "bench", "carries out titrations and cultures"),
        Team("calibration", "calibration", "adjusts instruments against certified standards"),
        Team("certificates", "certificates", "signs findings and issues them to clients"),
        Team("stores", "stores", "orders glassware, gloves and chemicals"),
    ),
    occasions=(
        "the accreditation visit",
        "the bathing season",
        "the weekly bench meeting",
        "the flood watch",
        "the round robin between laboratories",
    ),
    destinations={
        "queue": ("bench-reading", "accreditation-answers", "regulator-inbox", "second-signature"),
        "sink": ("regulator-portal", "utility-inbox", "client-gateway", "ministry-drop"),
        "file": ("season_findings", "bench_digest", "client_letter", "flood_bulletin"),
        "cache": ("duty-board", "fridge-display", "bathing-board", "bench-lookup"),
        "schedule": ("bench-mailing", "accreditation-summary", "bathing-briefing", "flood-planning"),
        "tracker": ("bench-figures", "bathing-series", "accreditation-history", "river-numbers"),
        "log": ("bench-diary", "fridge-record", "boat-book", "visitor-sheet"),
    },
    rules=(
        "A bottle without a seal is drawn again.",
        "Two people sign for every poison that leaves the cupboard.",
        "Boats go out only with a second person on board.",
        "Broken glass is swept up before the next run begins.",
        "Clients hear of a bathing risk by telephone first.",
    ),
)
