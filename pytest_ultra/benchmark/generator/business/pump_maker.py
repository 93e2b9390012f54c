"""The business domain of a maker of industrial pumps."""

from __future__ import annotations

from pytest_ultra.benchmark.generator.business.records import Business, Category, Measure, Table, Team

PUMP_MAKER = Business(
    name="a maker of industrial pumps",
    host="impeller",
    parent=Table(
        name="workcells",
        plural="work cells",
        singular="work cell",
        key="cell_code",
        prefix="WCL",
        categories=(
            Category("cell_skill", "skill of the cell", ("turning", "milling", "casting", "assembly")),
            Category("shift_model", "shift model", ("one-shift", "two-shift", "continuous")),
        ),
        measures=(
            Measure("machine_rate", "machine rate", 25, 190, 2, "CHF", "rappen", 100, is_additive=False),
            Measure("working_area", "working area", 30, 700, 0, "m2", "ares", 100, is_larger=True),
            Measure("operators", "number of operators", 1, 14, 0, "operators"),
        ),
        date="qualified_on",
    ),
    tables=(
        Table(
            name="work_orders",
            plural="work orders",
            singular="work order",
            key="work_order_no",
            prefix="WOR",
            categories=(
                Category("pump_family", "pump family", ("centrifugal", "diaphragm", "piston", "screw")),
                Category("urgency", "urgency", ("rush", "planned", "filler")),
            ),
            measures=(
                Measure("pieces", "number of pieces", 1, 400, 0, "pieces"),
                Measure("machining_time", "machining time", 12, 2200, 0, "minutes", "hours", 60, is_larger=True),
                Measure("scrap_mass", "mass of the scrap", 1, 260, 1, "kg", "g", 1000),
            ),
            date="released_on",
            parent="cell_code",
        ),
        Table(
            name="casting_inspections",
            plural="casting inspections",
            singular="casting inspection",
            key="casting_no",
            prefix="CI",
            categories=(
                Category("defect", "defect", ("porosity", "shrinkage", "cold-shut", "sand-mark")),
                Category("disposition", "disposition", ("reworked", "melted-down", "conceded", "cleared")),
            ),
            measures=(
                Measure(
                    "wall_thickness", "wall thickness", 4, 38, 1, "mm", "cm", 10, is_larger=True, is_additive=False
                ),
                Measure("leak_rate", "leak rate", 1, 300, 0, "ml/min", is_additive=False),
                Measure("rework_cost", "rework cost", 5, 1400, 2, "CHF", "rappen", 100),
            ),
            date="gauged_on",
            parent="cell_code",
        ),
        Table(
            name="spare_sales",
            plural="spare part sales",
            singular="spare part sale",
            key="sale_no",
            prefix="SPS",
            categories=(
                Category("part_kind", "kind of part", ("shaft", "gasket", "bearing", "rotor-wheel")),
                Category("freight_mode", "mode of freight", ("courier", "sea-box", "pick-up")),
            ),
            measures=(
                Measure("invoice_value", "invoice value", 8, 7600, 2, "CHF", "rappen", 100),
                Measure("box_mass", "mass of the box", 1, 480, 1, "kg", "g", 1000),
            ),
            date="invoiced_on",
        ),
    ),
    services={
        "workcells": "cell-planner",
        "work_orders": "order-release",
        "casting_inspections": "inspection-booth",
        "spare_sales": "spare-counter",
    },
    teams=(
        Team("foundry", "foundry", "melts iron and pours moulds"),
        Team("toolroom", "toolroom", "sharpens cutters and builds fixtures"),
        Team("quality", "quality", "gauges castings and blocks faulty lots"),
        Team("spares", "spares", "sends gaskets and bearings to mechanics abroad"),
        Team("design", "design", "calculates flows and draws housings"),
        Team("apprentices", "apprentices", "trains young turners and millers"),
    ),
    occasions=(
        "the morning shop walk",
        "the customer acceptance run",
        "the summer foundry stop",
        "the budget week",
    ),
    destinations={
        "queue": ("shop-walk-reading", "acceptance-desk", "foundry-inbox", "budget-round"),
        "sink": ("customer-audit", "foundry-partner", "customs-broker", "steel-exchange"),
        "file": ("shop_walk_sheet", "acceptance_pack", "foundry_stop_plan", "audit_reply"),
        "cache": ("cell-screen", "furnace-panel", "gauge-card", "shipping-board"),
        "schedule": ("shop-walk-briefing", "acceptance-planning", "foundry-mailing", "budget-week-summary"),
        "tracker": ("shop-walk-history", "acceptance-series", "foundry-figures", "budget-numbers"),
        "log": ("furnace-book", "gauge-journal", "crane-notes", "floor-diary"),
    },
    rules=(
        "Nobody reaches into a machine that still turns.",
        "A mould is broken only after it has cooled for a night.",
        "A blocked lot wears a red ribbon.",
        "Apprentices keep the first part that they turned.",
    ),
)
