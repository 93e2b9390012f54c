"""The business domain of an outpatient clinic."""

from __future__ import annotations

from pytest_ultra.benchmark.generator.business.records import Business, Category, Measure, Table, Team

CLINIC = Business(
    name="an outpatient clinic",
    host="fernleigh",
    parent=Table(
        name="patients",
        plural="patients",
        singular="patient",
        key="patient_no",
        prefix="PAT",
        categories=(
            Category("insurance_class", "insurance class", ("statutory", "supplementary", "self-paying", "military")),
            Category("mobility", "mobility", ("walking", "crutches", "wheelchair", "stretcher")),
        ),
        measures=(
            Measure("body_weight", "body weight", 38, 130, 1, "kg", "g", 1000, is_additive=False),
            Measure("travel_distance", "travel distance", 1, 90, 1, "km", "m", 1000),
            Measure("missed_visits", "number of missed visits", 0, 25, 0, "visits"),
        ),
        date="first_seen_on",
    ),
    tables=(
        Table(
            name="appointments",
            plural="appointments",
            singular="appointment",
            key="visit_no",
            prefix="VIS",
            categories=(
                Category("specialty", "specialty", ("cardiology", "dermatology", "orthopaedics", "neurology")),
                Category("attendance", "attendance", ("attended", "rebooked", "absent", "late")),
            ),
            measures=(
                Measure("waiting_time", "waiting time", 0, 150, 0, "minutes", "hours", 60, is_larger=True),
                Measure("visit_fee", "visit fee", 20, 320, 2, "EUR", "cents", 100),
            ),
            date="booked_for",
            parent="patient_no",
        ),
        Table(
            name="prescriptions",
            plural="prescriptions",
            singular="prescription",
            key="rx_no",
            prefix="RXN",
            categories=(
                Category("dosage_form", "dosage form", ("tablet", "syrup", "ointment", "inhaler")),
                Category("dispensing", "dispensing", ("collected", "posted", "expired", "withheld")),
            ),
            measures=(
                Measure("daily_dose", "daily dose", 1, 800, 0, "mg", "g", 1000, is_larger=True, is_additive=False),
                Measure("supply_length", "length of supply", 3, 84, 0, "days", "weeks", 7, is_larger=True),
                Measure("copayment", "copayment", 1, 45, 2, "EUR", "cents", 100),
            ),
            date="prescribed_on",
            parent="patient_no",
        ),
    ),
    services={
        "patients": "patient-register",
        "appointments": "appointment-desk",
        "prescriptions": "prescription-vault",
    },
    teams=(
        Team("reception", "reception", "books visits and sends reminders"),
        Team("nursing", "nursing", "dresses wounds and measures blood pressure"),
        Team("pharmacy", "pharmacy", "dispenses medicines and watches for interactions"),
        Team("coding", "coding", "assigns diagnosis codes and bills insurers"),
        Team("records-office", "records-office", "releases case notes to other hospitals"),
        Team("porters", "porters", "moves wheelchairs and stretchers between floors"),
    ),
    occasions=(
        "the morning ward meeting",
        "the insurers' visit",
        "the winter vaccination weeks",
        "the monthly safety walk",
        "the new practice year",
    ),
    destinations={
        "queue": ("ward-reading", "second-opinion", "practice-inbox", "insurer-answers"),
        "sink": ("insurer-gateway", "referral-office", "health-board", "family-doctor"),
        "file": ("ward_briefing", "safety_sheet", "rota_brief", "visit_summary"),
        "cache": ("waiting-screen", "duty-card", "consultation-panel", "bedside-terminal"),
        "schedule": ("ward-mailing", "vaccination-planning", "safety-summary", "insurer-briefing"),
        "tracker": ("practice-figures", "ward-history", "vaccination-series", "floor-numbers"),
        "log": ("duty-book", "reception-notes", "safety-record", "ward-handover"),
    },
    rules=(
        "A patient may bring one companion into the consulting room.",
        "Paper notes are locked away before the cleaners arrive.",
        "Interpreters are booked for the whole visit and not for a part of it.",
        "Medicines that need cooling are handed over last.",
    ),
)
