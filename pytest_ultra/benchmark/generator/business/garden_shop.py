"""The business domain of a web shop for garden tools."""

from __future__ import annotations

from pytest_ultra.benchmark.generator.business.records import Business, Category, Measure, Table, Team

GARDEN_SHOP = Business(
    name="a web shop for garden tools",
    host="trowel",
    parent=Table(
        name="customers",
        plural="customers",
        singular="customer",
        key="customer_id",
        prefix="CUS",
        categories=(
            Category("account_type", "account type", ("private", "landscaper", "nursery", "school")),
            Category("delivery_zone", "delivery zone", ("coastal", "hillside", "riverside", "island")),
        ),
        measures=(
            Measure("credit_limit", "credit limit", 50, 4000, 0, "EUR", "cents", 100),
            Measure("loyalty_points", "loyalty points", 0, 2500, 0, "points"),
        ),
        date="registered_on",
    ),
    tables=(
        Table(
            name="orders",
            plural="orders",
            singular="order",
            key="order_id",
            prefix="ORD",
            categories=(
                Category("payment_state", "payment status", ("paid", "invoiced", "refused", "reversed")),
                Category("packing_size", "packing size", ("letter", "carton", "crate", "pallet")),
            ),
            measures=(
                Measure("net_amount", "net amount", 5, 900, 2, "EUR", "cents", 100),
                Measure("parcel_weight", "parcel weight", 1, 60, 1, "kg", "g", 1000),
                Measure("discount", "discount", 0, 25, 1, "percent", is_additive=False),
            ),
            date="placed_on",
            parent="customer_id",
        ),
        Table(
            name="returned_tools",
            plural="returned tools",
            singular="returned tool",
            key="return_id",
            prefix="RET",
            categories=(
                Category(
                    "return_reason", "reason for the return", ("bent-blade", "loose-handle", "wrong-length", "rusted")
                ),
                Category("verdict", "inspector's verdict", ("refund", "exchange", "mend", "scrap")),
            ),
            measures=(
                Measure("refund_due", "refund due", 3, 400, 2, "EUR", "cents", 100),
                Measure("repair_time", "repair time", 5, 180, 0, "minutes", "hours", 60, is_larger=True),
            ),
            date="received_on",
            parent="customer_id",
        ),
    ),
    services={
        "customers": "customer-accounts",
        "orders": "order-desk",
        "returned_tools": "returns-counter",
    },
    teams=(
        Team("refunds", "refunds", "handles refunds and damaged parcels"),
        Team("delivery", "delivery", "plans the vans' routes and the hours of drop-offs"),
        Team("buying", "buying", "negotiates prices with toolmakers"),
        Team("storefront", "storefront", "keeps photographs and descriptions on the website up to date"),
        Team("receivables", "receivables", "chases invoices that stay unpaid"),
    ),
    occasions=(
        "the Monday stock review",
        "the spring catalogue",
        "the quarter's close",
        "the first frost sale",
        "the yearly supplier meeting",
    ),
    destinations={
        "queue": ("buyers-inbox", "monday-review", "counter-reading", "catalogue-desk"),
        "sink": ("partner-drop", "showroom-board", "accountant-intake", "courier-handover"),
        "file": ("stock_review", "spring_catalogue", "owner_briefing", "counter_sheet"),
        "cache": ("front-page", "greenhouse-screen", "hotline-card", "weekend-offer"),
        "schedule": ("monday-mailing", "catalogue-planning", "quarter-summary", "frost-briefing"),
        "tracker": ("season-figures", "catalogue-numbers", "counter-history", "supplier-series"),
        "log": ("shop-diary", "counter-notes", "warehouse-journal", "handover-book"),
    },
    rules=(
        "Sharp blades leave the warehouse only in a sheath.",
        "A tool that was used on treated wood is not taken back.",
        "Landscapers may collect their goods before the shop opens.",
        "Every price on the website is also written on the shelf.",
        "Pallets go out by van and never by parcel post.",
    ),
)
