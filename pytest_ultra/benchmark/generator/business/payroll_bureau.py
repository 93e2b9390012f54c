"""The business domain of a payroll bureau for small employers."""

from __future__ import annotations

from pytest_ultra.benchmark.generator.business.records import Business, Category, Measure, Table, Team

PAYROLL_BUREAU = Business(
    name="a payroll bureau for small employers",
    host="payday",
    parent=Table(
        name="employers",
        plural="employers",
        singular="employer",
        key="employer_ref",
        prefix="EMP",
        categories=(
            Category("legal_form", "legal form", ("sole-trader", "partnership", "association", "cooperative")),
            Category("pay_rhythm", "rhythm of pay", ("weekly-run", "fortnightly", "mid-month", "month-end")),
        ),
        measures=(
            Measure("headcount", "headcount", 1, 140, 0, "employees"),
            Measure("bureau_fee", "bureau fee", 25, 900, 2, "GBP", "pence", 100),
        ),
        date="onboarded_on",
    ),
    tables=(
        Table(
            name="payslips",
            plural="payslips",
            singular="payslip",
            key="payslip_ref",
            prefix="PSL",
            categories=(
                Category("tax_code", "tax code", ("basic", "married", "widowed", "second-job")),
                Category("payout_route", "payout route", ("bank-transfer", "cheque", "cash-envelope")),
            ),
            measures=(
                Measure("gross_pay", "gross pay", 300, 7800, 2, "GBP", "pence", 100),
                Measure("overtime", "overtime", 0, 46, 1, "hours", "minutes", 60),
                Measure("pension_share", "pension share", 10, 620, 2, "GBP", "pence", 100),
            ),
            date="paid_out_on",
            parent="employer_ref",
        ),
        Table(
            name="absences",
            plural="absences",
            singular="absence",
            key="absence_ref",
            prefix="ABS",
            categories=(
                Category(
                    "absence_ground", "ground of the absence", ("illness", "parental", "bereavement", "jury-duty")
                ),
                Category("evidence", "evidence", ("doctor-note", "self-declared", "court-letter")),
            ),
            measures=(
                Measure("absence_length", "length of the absence", 1, 60, 1, "days", "weeks", 7, is_larger=True),
                Measure("sick_pay", "sick pay", 20, 2600, 2, "GBP", "pence", 100),
            ),
            date="began_on",
            parent="employer_ref",
        ),
    ),
    services={
        "employers": "employer-mandates",
        "payslips": "payslip-safe",
        "absences": "absence-book",
    },
    teams=(
        Team("payroll-run", "payroll-run", "calculates wages and prints slips"),
        Team("tax-filing", "tax-filing", "reports withheld tax to the revenue office"),
        Team("garnishments", "garnishments", "applies court orders against debtors' wages"),
        Team("helpline", "helpline", "explains deductions to puzzled employees"),
        Team("mandates", "mandates", "signs up employers and checks their powers of attorney"),
    ),
    occasions=(
        "the month's close",
        "the tax year's end",
        "the employers' breakfast",
        "the pension reform",
    ),
    destinations={
        "queue": ("close-reading", "principals-inbox", "reform-desk", "breakfast-round"),
        "sink": ("revenue-office", "pension-trust", "bank-batch", "statistics-bureau"),
        "file": ("close_checklist", "employer_bulletin", "reform_brief", "yearend_folder"),
        "cache": ("helpline-card", "deadline-wall", "employer-portal-note", "rate-sheet"),
        "schedule": ("close-summary", "principals-mailing", "reform-planning", "breakfast-briefing"),
        "tracker": ("close-history", "employer-figures", "reform-series", "bureau-numbers"),
        "log": ("close-diary", "helpline-notes", "court-record", "bank-journal"),
    },
    rules=(
        "Wages reach the bank before the weekend.",
        "A payslip is never sent to a shared address.",
        "Court letters are opened by two people.",
        "A wrong deduction is corrected with the next slip.",
    ),
)
