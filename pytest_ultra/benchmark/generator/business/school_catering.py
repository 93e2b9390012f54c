"""The business domain of a caterer for school canteens."""

from __future__ import annotations

from pytest_ultra.benchmark.generator.business.records import Business, Category, Measure, Table, Team

SCHOOL_CATERING = Business(
    name="a caterer for school canteens",
    host="ladle",
    parent=Table(
        name="canteens",
        plural="canteens",
        singular="canteen",
        key="canteen_id",
        prefix="CAN",
        categories=(
            Category("school_stage", "stage of the school", ("primary", "lower-secondary", "sixth-form", "vocational")),
            Category("serving_style", "style of serving", ("counter", "trolley", "family-table", "packed")),
        ),
        measures=(
            Measure("pupils", "number of pupils", 60, 1400, 0, "pupils"),
            Measure(
                "serving_window",
                "serving window",
                25,
                120,
                0,
                "minutes",
                "hours",
                60,
                is_larger=True,
                is_additive=False,
            ),
            Measure("yearly_grant", "yearly grant", 2, 90, 0, "kEUR", "EUR", 1000),
        ),
        date="contract_from",
    ),
    tables=(
        Table(
            name="menus",
            plural="menus",
            singular="menu",
            key="menu_id",
            prefix="MNU",
            categories=(
                Category("dish_kind", "kind of dish", ("stew", "casserole", "salad", "noodle", "pancake")),
                Category("allergen", "main allergen", ("gluten", "lactose", "nuts", "soya", "egg")),
            ),
            measures=(
                Measure("portions", "number of portions", 40, 900, 0, "portions"),
                Measure("energy", "energy content", 300, 900, 0, "kcal", is_additive=False),
                Measure("ingredient_cost", "cost of ingredients", 50, 1800, 2, "EUR", "cents", 100),
            ),
            date="served_on",
            parent="canteen_id",
        ),
        Table(
            name="plate_waste",
            plural="waste weighings",
            singular="waste weighing",
            key="weighing_id",
            prefix="WGH",
            categories=(
                Category("leftover_kind", "kind of leftover", ("vegetables", "starch", "protein", "dessert")),
                Category("bin_colour", "colour of the bin", ("brown", "green", "blue")),
            ),
            measures=(
                Measure("leftover_mass", "mass of the leftovers", 1, 60, 1, "kg", "g", 1000),
                Measure("rinse_water", "rinse water", 5, 250, 0, "l", "m3", 1000, is_larger=True),
            ),
            date="weighed_on",
            parent="canteen_id",
        ),
    ),
    services={
        "canteens": "canteen-contracts",
        "menus": "menu-planner",
        "plate_waste": "weighing-scales",
    },
    teams=(
        Team("menu-design", "menu-design", "writes recipes and balances nutrients"),
        Team("cooks", "cooks", "prepares hot dishes in the central kitchen"),
        Team("drivers", "drivers", "carries insulated boxes to the schools"),
        Team("allergies", "allergies", "answers parents about nuts, gluten and special diets"),
        Team("contracts", "contracts", "agrees fees and terms with headteachers"),
    ),
    occasions=(
        "the parents' evening",
        "the summer holidays",
        "the vegetable week",
        "the monthly kitchen meeting",
    ),
    destinations={
        "queue": ("kitchen-reading", "council-answers", "parents-inbox", "recipe-round"),
        "sink": ("council-portal", "headteacher-mail", "grower-office", "dietician-desk"),
        "file": ("term_outlook", "kitchen_digest", "parent_leaflet", "council_statement"),
        "cache": ("canteen-monitor", "diet-card", "hatch-sign", "term-menu-wall"),
        "schedule": ("kitchen-mailing", "term-planning", "parents-briefing", "council-summary"),
        "tracker": ("kitchen-figures", "term-history", "canteen-series", "vegetable-numbers"),
        "log": ("kitchen-diary", "driver-notes", "hatch-sheet", "taste-record"),
    },
    rules=(
        "Hot dishes reach the school in sealed boxes.",
        "A child with an allergy gets a plate with a coloured rim.",
        "Leftover fruit may be taken home.",
        "New dishes are tried in one school before the others.",
    ),
)
