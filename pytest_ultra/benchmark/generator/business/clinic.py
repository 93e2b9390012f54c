"""A clinic with several wards."""

from __future__ import annotations

from pytest_ultra.benchmark.generator.business.records import Business, Category, Measure, Table, Team

CLINIC = Business(
    name="a clinic with several wards",
    host="clinic",
    parent=Table(
        "wards", "wards", "ward", "ward_id", "WRD",
        (
            Category("building", "building", ("lakeside", "parkside", "hillside")),
            Category("specialty", "specialty", ("surgery", "cardiology", "paediatrics", "oncology", "geriatrics")),
        ),
        (Measure("beds", "number of beds", 8, 40, 0, "beds"),),
        "inspected_on",
    ),
    tables=(
        Table(
            "admissions", "admissions", "admission", "admission_id", "ADM",
            (
                Category("urgency", "urgency", ("planned", "urgent", "emergency")),
                Category("insurance", "insurance", ("public", "private", "none")),
                Category("outcome", "outcome", ("discharged", "transferred", "staying")),
            ),
            (
                Measure("stay", "length of stay", 1, 30, 0, "days"),
                Measure("cost", "cost", 200, 9000, 2, "EUR", "cents", 100),
                Measure("wait", "waiting time", 5, 300, 0, "minutes", "seconds", 60),
            ),
            "admitted_on",
            "ward_id",
        ),
        Table(
            "samples", "lab samples", "lab sample", "sample_id", "SMP",
            (
                Category("material", "material", ("blood", "urine", "tissue", "swab")),
                Category("finding", "finding", ("normal", "borderline", "abnormal")),
                Category("courier", "courier", ("tube", "runner", "van")),
            ),
            (
                Measure("volume", "volume", 1, 50, 1, "ml", "microlitres", 1000),
                Measure("turnaround", "turnaround time", 10, 600, 0, "minutes", "seconds", 60),
            ),
            "taken_on",
            "ward_id",
        ),
    ),
    services={"admissions": "admission-desk", "samples": "lab-system", "wards": "ward-register"},
    teams=(
        Team("billing", "billing", "writes the invoices to the insurers"),
        Team("laboratory", "laboratory", "analyses the samples"),
        Team("bed-planning", "bed-planning", "assigns beds to patients"),
        Team("quality", "quality", "looks into complaints and delays"),
        Team("pharmacy", "pharmacy", "supplies the wards with drugs"),
    ),
    occasions=("the morning bed round", "the monthly quality board", "the insurers' audit", "the budget talk"),
    destinations={
        "file": ("overview", "summary", "worklist", "extract", "handover"),
        "cache": ("briefing", "selection", "figures", "digest"),
        "schedule": ("recheck", "ward-round", "follow-up", "audit-day"),
        "tracker": ("bed-occupancy", "lab-turnaround", "waiting-times", "cost-per-stay"),
        "log": ("figures ready", "list checked", "review prepared", "hand-over prepared"),
        "queue": ("jobs", "review", "intake", "desk"),
        "sink": ("intake", "inbound", "dropbox", "receipts"),
    },
    rules=(
        "Patients are told of a transfer a day before.",
        "Samples are kept for two weeks after the finding.",
        "A bed is cleaned before it is assigned again.",
        "Complaints are answered within ten days.",
    ),
)
