"""The business domain of a hosting company's operations."""

from __future__ import annotations

from pytest_ultra.benchmark.generator.business.records import Business, Category, Measure, Table, Team

WEB_HOSTING = Business(
    name="a hosting company's operations",
    host="crateyard",
    parent=Table(
        name="clusters",
        plural="clusters",
        singular="cluster",
        key="cluster_name",
        prefix="KLU",
        categories=(
            Category("hypervisor", "hypervisor", ("zenith", "bramble", "kelvin", "osprey")),
            Category("hall", "machine hall", ("basalt", "quartz", "granite", "marble")),
        ),
        measures=(
            Measure("cores", "number of cores", 64, 4096, 0, "cores"),
            Measure("memory", "memory", 256, 9000, 0, "GB", "TB", 1000, is_larger=True),
            Measure("rack_draw", "draw of the racks", 4, 220, 0, "kW", "MW", 1000, is_larger=True),
        ),
        date="built_on",
    ),
    tables=(
        Table(
            name="alarms",
            plural="alarms",
            singular="alarm",
            key="alarm_id",
            prefix="ALM",
            categories=(
                Category("symptom", "symptom", ("disk-full", "packet-loss", "certificate-expired", "memory-leak")),
                Category("responder", "responder", ("on-call", "day-shift", "vendor", "robot")),
            ),
            measures=(
                Measure("pages_sent", "number of pages sent", 1, 40, 0, "pages"),
                Measure("time_to_mend", "time to mend", 3, 720, 0, "minutes", "seconds", 60),
                Measure("users_affected", "number of users affected", 1, 9000, 0, "users"),
            ),
            date="raised_on",
            parent="cluster_name",
        ),
        Table(
            name="snapshots",
            plural="volume snapshots",
            singular="volume snapshot",
            key="snapshot_id",
            prefix="SNP",
            categories=(
                Category("retention_class", "retention class", ("daily", "weekly", "monthly", "yearly")),
                Category("integrity", "integrity", ("verified", "mismatched", "unchecked", "quarantined")),
            ),
            measures=(
                Measure("stored_size", "stored size", 1, 8000, 0, "GB", "MB", 1000),
                Measure("upload_time", "upload time", 20, 9000, 0, "seconds", "minutes", 60, is_larger=True),
                Measure("shelf_fee", "fee for the shelf", 1, 380, 2, "USD", "cents", 100),
            ),
            date="taken_on",
            parent="cluster_name",
        ),
        Table(
            name="rollouts",
            plural="rollouts",
            singular="rollout",
            key="rollout_id",
            prefix="ROL",
            categories=(
                Category("ring", "ring of the rollout", ("canary", "early", "broad", "frozen")),
                Category("outcome", "outcome", ("smooth", "rolled-back", "paused")),
            ),
            measures=(
                Measure("machines", "number of machines", 2, 900, 0, "machines"),
                Measure("soak_time", "soak time", 10, 600, 0, "minutes", "hours", 60, is_larger=True),
            ),
            date="launched_on",
        ),
    ),
    services={
        "clusters": "cluster-inventory",
        "alarms": "alarm-desk",
        "snapshots": "snapshot-shelf",
        "rollouts": "rollout-pilot",
    },
    teams=(
        Team("on-call", "on-call", "answers alarms at night"),
        Team("storage", "storage", "grows volumes and replaces broken disks"),
        Team("edge", "edge", "runs proxies, certificates and name servers"),
        Team("abuse", "abuse", "blocks spammers and answers complaints"),
        Team("capacity", "capacity", "forecasts and orders hardware"),
    ),
    occasions=(
        "the change board",
        "the post-mortem round",
        "the quarterly restore exercise",
        "the freeze before the holidays",
    ),
    destinations={
        "queue": ("change-reading", "postmortem-round", "auditors-inbox", "freeze-approval"),
        "sink": ("customer-portal", "auditor-drop", "vendor-case", "status-page"),
        "file": ("change_board_pack", "restore_exercise", "freeze_plan", "postmortem_notes"),
        "cache": ("runbook-card", "hall-screen", "on-call-roster", "freeze-banner"),
        "schedule": ("change-mailing", "restore-planning", "freeze-briefing", "postmortem-summary"),
        "tracker": ("restore-history", "freeze-numbers", "hall-figures", "change-series"),
        "log": ("shift-notes", "change-journal", "hall-access-book", "abuse-record"),
    },
    rules=(
        "No change is rolled out on a Friday afternoon.",
        "The person who was woken may start late the next day.",
        "Broken disks are shredded inside the hall.",
        "A post-mortem names causes and never people.",
    ),
)
