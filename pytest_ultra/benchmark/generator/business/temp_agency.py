"""The business domain of an agency for temporary staff."""

from __future__ import annotations

from pytest_ultra.benchmark.generator.business.records import Business, Category, Measure, Table, Team

TEMP_AGENCY = Business(
    name="an agency for temporary staff",
    host="stopgap",
    parent=Table(
        name="assignees",
        plural="assignees",
        singular="assignee",
        key="assignee_ref",
        prefix="ASG",
        categories=(
            Category("trade", "trade", ("welder", "carer", "forklift-driver", "receptionist")),
            Category("visa_state", "state of the visa", ("unlimited", "seasonal", "cross-border", "pending-renewal")),
        ),
        measures=(
            Measure("hourly_pay", "hourly pay", 11, 48, 2, "EUR", "cents", 100, is_additive=False),
            Measure("leave_balance", "leave balance", 0, 240, 0, "hours", "minutes", 60),
            Measure("commute", "commute", 1, 95, 0, "km", "m", 1000),
        ),
        date="joined_on",
    ),
    tables=(
        Table(
            name="assignments",
            plural="assignments",
            singular="assignment",
            key="assignment_ref",
            prefix="AMT",
            categories=(
                Category("client_sector", "sector of the client", ("hospital", "shipyard", "bank", "cannery")),
                Category("leaving_reason", "reason for leaving", ("client-wish", "own-wish", "contract-term")),
            ),
            measures=(
                Measure("billed_work", "billed work", 4, 220, 1, "hours", "minutes", 60),
                Measure("markup", "markup", 12, 60, 1, "percent", "permille", 10, is_additive=False),
                Measure("placement_fee", "placement fee", 80, 5200, 2, "EUR", "cents", 100),
            ),
            date="starts_on",
            parent="assignee_ref",
        ),
        Table(
            name="job_interviews",
            plural="job interviews",
            singular="job interview",
            key="interview_ref",
            prefix="INW",
            categories=(
                Category("format", "form of the interview", ("video", "trial-shift", "panel-round")),
                Category("impression", "impression", ("strong", "mixed", "weak")),
            ),
            measures=(
                Measure("conversation", "length of the conversation", 10, 95, 0, "minutes", "seconds", 60),
                Measure("travel_refund", "travel refund", 2, 160, 2, "EUR", "cents", 100),
            ),
            date="held_on",
            parent="assignee_ref",
        ),
    ),
    services={
        "assignees": "assignee-profiles",
        "assignments": "assignment-board",
        "job_interviews": "interview-room",
    },
    teams=(
        Team("matching", "matching", "finds jobs for welders, carers and clerks"),
        Team("client-care", "client-care", "visits factories and hospitals that hire"),
        Team("permits", "permits", "renews visas and work papers"),
        Team("onboarding", "onboarding", "hands out helmets, badges and contracts"),
        Team("interviewers", "interviewers", "speaks to applicants and notes an impression"),
    ),
    occasions=(
        "the job fair",
        "the shipyard's peak weeks",
        "the works council's round",
        "the yearly client survey",
    ),
    destinations={
        "queue": ("fair-reading", "works-council-inbox", "shipyard-desk", "survey-round"),
        "sink": ("labour-office", "client-portal", "pension-carrier", "visa-consulate"),
        "file": ("fair_folder", "council_round", "client_survey", "peak_plan"),
        "cache": ("job-wall", "reception-tablet", "shift-card", "fair-banner"),
        "schedule": ("fair-planning", "works-council-mailing", "shipyard-briefing", "survey-summary"),
        "tracker": ("fair-history", "works-council-figures", "shipyard-series", "survey-numbers"),
        "log": ("fair-notes", "client-journal", "helmet-book", "phone-record"),
    },
    rules=(
        "Nobody starts on a site without a safety briefing.",
        "An applicant hears back even after a refusal.",
        "Helmets are the agency's gift.",
        "A client may not hire away a carer in the first month.",
    ),
)
