"""The business domain of a language school."""

from __future__ import annotations

from pytest_ultra.benchmark.generator.business.records import Business, Category, Measure, Table, Team

LANGUAGE_SCHOOL = Business(
    name="a language school",
    host="umlaut",
    parent=Table(
        name="classes",
        plural="classes",
        singular="class",
        key="class_code",
        prefix="CLS",
        categories=(
            Category("taught_language", "language taught", ("Portuguese", "Finnish", "Swahili", "Catalan", "Welsh")),
            Category("pace", "pace", ("evening", "intensive", "weekend", "lunchtime")),
            Category("proficiency", "proficiency", ("beginner", "intermediate", "advanced")),
        ),
        measures=(
            Measure("tuition", "tuition", 90, 1400, 0, "SEK", "oere", 100),
            Measure(
                "lesson_length",
                "length of a lesson",
                45,
                180,
                0,
                "minutes",
                "hours",
                60,
                is_larger=True,
                is_additive=False,
            ),
        ),
        date="term_start",
    ),
    tables=(
        Table(
            name="enrolments",
            plural="enrolments",
            singular="enrolment",
            key="enrolment_no",
            prefix="ENR",
            categories=(
                Category(
                    "recruiting_channel", "recruiting channel", ("billboard", "colleague", "library-leaflet", "radio")
                ),
                Category("fee_plan", "payment plan", ("upfront", "instalments", "voucher", "scholarship")),
            ),
            measures=(
                Measure("fee_open", "fee still open", 5, 900, 2, "SEK", "oere", 100),
                Measure("placement_score", "placement score", 10, 100, 0, "points", is_additive=False),
            ),
            date="signed_up_on",
            parent="class_code",
        ),
        Table(
            name="exam_sittings",
            plural="exam sittings",
            singular="exam sitting",
            key="sitting_no",
            prefix="EXS",
            categories=(
                Category("exam_part", "part of the exam", ("listening", "dictation", "essay", "interview")),
                Category("mark", "mark", ("distinction", "merit", "pass", "fail")),
            ),
            measures=(
                Measure("score", "score", 0, 100, 0, "points", is_additive=False),
                Measure("writing_time", "writing time", 20, 180, 0, "minutes", "seconds", 60),
                Measure("resit_fee", "fee for a resit", 15, 120, 2, "SEK", "oere", 100),
            ),
            date="sat_on",
            parent="class_code",
        ),
    ),
    services={
        "classes": "class-catalogue",
        "enrolments": "enrolment-office",
        "exam_sittings": "exam-board",
    },
    teams=(
        Team("teachers", "teachers", "prepares lessons and corrects homework"),
        Team("front-office", "front-office", "signs up learners and finds them a class"),
        Team("examiners", "examiners", "sets papers and marks essays"),
        Team("bursary", "bursary", "decides who learns for free"),
        Team("rooms", "rooms", "equips and unlocks classrooms in the evening"),
    ),
    occasions=(
        "the open evening",
        "the certificate ceremony",
        "the start of term",
        "the teachers' retreat",
    ),
    destinations={
        "queue": ("term-reading", "ceremony-desk", "learners-inbox", "council-round"),
        "sink": ("exam-council", "employer-portal", "town-library", "grant-office"),
        "file": ("term_report", "open_evening_plan", "council_return", "learner_letter"),
        "cache": ("corridor-screen", "vocabulary-card", "timetable-wall", "welcome-board"),
        "schedule": ("learners-mailing", "retreat-planning", "open-evening-briefing", "term-summary"),
        "tracker": ("term-figures", "ceremony-history", "learner-series", "retreat-numbers"),
        "log": ("corridor-book", "examiner-notes", "class-diary", "phone-notes"),
    },
    rules=(
        "Telephones stay in the bag during a dictation.",
        "A class needs a second teacher when the first one is ill.",
        "Essays are marked without the name of their writer.",
        "Learners may change their class within the first fortnight.",
    ),
)
