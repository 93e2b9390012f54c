"""A web shop for garden tools."""

from __future__ import annotations

from pytest_ultra.benchmark.generator.business.records import Business, Category, Measure, Table, Team

SHOP = Business(
    name="a web shop for garden tools",
    host="shop",
    parent=Table(
        "customers", "customers", "customer", "customer_id", "CUS",
        (
            Category("segment", "segment", ("private", "trade", "school", "council")),
            Category("country", "country", ("germany", "france", "italy", "austria", "poland")),
        ),
        (Measure("credit_limit", "credit limit", 200, 9000, 0, "EUR", "cents", 100),),
        "joined_on",
    ),
    tables=(
        Table(
            "orders", "orders", "order", "order_id", "ORD",
            (
                Category("payment", "payment status", ("paid", "open", "cancelled", "refunded")),
                Category("region", "region", ("north", "south", "east", "west")),
                Category("channel", "sales channel", ("web", "phone", "market")),
            ),
            (
                Measure("net_amount", "net amount", 20, 900, 2, "EUR", "cents", 100),
                Measure("items", "number of items", 1, 24, 0, "items"),
                Measure("weight", "weight", 1, 60, 1, "kg", "grams", 1000),
            ),
            "placed_on",
            "customer_id",
        ),
        Table(
            "returns", "returns", "return", "return_id", "RET",
            (
                Category("reason", "reason", ("damaged", "late", "wrong-size", "unwanted")),
                Category("decision", "decision", ("refund", "exchange", "repair", "reject")),
            ),
            (
                Measure("value", "goods value", 10, 600, 2, "EUR", "cents", 100),
                Measure("handling_time", "handling time", 2, 180, 0, "minutes", "seconds", 60),
            ),
            "received_on",
            "customer_id",
        ),
        Table(
            "stock", "stock items", "stock item", "sku", "SKU",
            (
                Category("warehouse", "warehouse", ("harbour", "valley", "airport")),
                Category("family", "product family", ("spades", "hoses", "mowers", "gloves", "seeds")),
            ),
            (
                Measure("on_hand", "quantity on hand", 0, 400, 0, "pieces"),
                Measure("unit_cost", "unit cost", 1, 80, 2, "EUR", "cents", 100, is_additive=False),
                Measure("shelf_space", "shelf space", 1, 90, 1, "litres"),
            ),
            "counted_on",
        ),
    ),
    services={"orders": "order-desk", "returns": "returns-desk", "stock": "stock-ledger", "customers": "customer-file"},
    teams=(
        Team("returns", "returns", "handles refunds and damaged parcels"),
        Team("purchasing", "purchasing", "orders goods from suppliers"),
        Team("dispatch", "dispatch", "packs and ships the parcels"),
        Team("accounts", "accounts", "checks payments and writes reminders"),
        Team("catalogue", "catalogue", "writes the product pages"),
        Team("care", "care", "answers customers' questions"),
    ),
    occasions=("the Monday stock review", "the quarter's close", "the spring campaign", "the supplier meeting"),
    destinations={
        "file": ("overview", "summary", "shortlist", "extract", "handover"),
        "cache": ("briefing", "selection", "figures", "digest"),
        "schedule": ("recount", "reminder", "restock", "clearance"),
        "tracker": ("monthly-sales", "returns-trend", "stock-health", "payment-delay"),
        "log": ("figures ready", "list checked", "review prepared", "hand-over prepared"),
        "queue": ("jobs", "review", "intake", "desk"),
        "sink": ("intake", "inbound", "dropbox", "receipts"),
    },
    rules=(
        "Parcels above 30 kg go by freight.",
        "A reminder is written two weeks after the due date.",
        "Damaged goods are photographed before they are thrown away.",
        "Suppliers are paid on the fifteenth of the month.",
    ),
)
