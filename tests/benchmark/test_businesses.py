"""The business domains: each fits together, no two share their names, and each rule finds what breaks it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import msgspec
import pytest

from pytest_ultra.benchmark.generator.business import BUSINESSES
from pytest_ultra.benchmark.generator.business.garden_shop import GARDEN_SHOP
from pytest_ultra.benchmark.generator.business.records import Business, Category, Measure, Table, Team
from tests.benchmark import measure_rules, table_rules, team_rules
from tests.benchmark.business_parts import (
    Rule,
    categories_of,
    described_fields,
    fields_of,
    measures_of,
    repeated,
    tables_of,
)
from tests.benchmark.measure_rules import MEASURE_RULES
from tests.benchmark.table_rules import TABLE_RULES
from tests.benchmark.team_rules import TEAM_RULES, content_words

RULES = (*TABLE_RULES, *MEASURE_RULES, *TEAM_RULES)


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
@pytest.mark.parametrize("business", BUSINESSES, ids=lambda business: business.host)
def test_a_business_keeps_the_rule(business: Business, rule: Rule) -> None:
    assert list(rule(business)) == []


def with_parts(**parts: Any) -> Business:
    return msgspec.structs.replace(GARDEN_SHOP, **parts)


def with_orders(**parts: Any) -> Business:
    orders, *others = GARDEN_SHOP.tables
    return with_parts(tables=(msgspec.structs.replace(orders, **parts), *others))


def with_values(*values: str) -> Business:
    return with_orders(categories=(Category("payment_state", "payment status", values), ORDERS.categories[1]))


def with_measure(**parts: Any) -> Business:
    amount, *others = ORDERS.measures
    return with_orders(measures=(msgspec.structs.replace(amount, **parts), *others))


def with_duty(duty: str) -> Business:
    first, *others = GARDEN_SHOP.teams
    return with_parts(teams=(Team(first.name, first.mailbox, duty), *others))


def with_names(kind: str, *names: str) -> Business:
    return with_parts(destinations={**GARDEN_SHOP.destinations, kind: names})


ORDERS = GARDEN_SHOP.tables[0]
PAYMENT, PACKING = ORDERS.categories
AMOUNT, WEIGHT, DISCOUNT = ORDERS.measures
DUTY = GARDEN_SHOP.teams[1].duty

BROKEN: tuple[tuple[Rule, Business, str], ...] = (
    (table_rules.text_is_plain, with_duty("handles refunds \u2013 and damaged parcels"), "\u2013"),
    (table_rules.text_is_plain, with_values("paid", "open ", "refused"), "open "),
    (table_rules.sizes_are_kept, with_parts(tables=(ORDERS,)), "1 tables"),
    (table_rules.sizes_are_kept, with_values("paid", "refused"), "2 values"),
    (table_rules.sizes_are_kept, with_names("queue", "packing-bench"), "1 names of a queue"),
    (table_rules.tables_join, with_orders(parent="client_id"), "client_id"),
    (table_rules.joined_fields_differ, with_orders(date="registered_on"), "registered_on"),
    (table_rules.fields_are_spelled_right, with_orders(key="order-id"), "order-id"),
    (table_rules.fields_are_spelled_right, with_orders(prefix="order"), "order"),
    (table_rules.fields_are_not_reserved, with_measure(name="severe"), "severe"),
    (table_rules.fields_are_not_reserved, with_measure(name="filter_price"), "filter_price"),
    (table_rules.fields_are_not_reserved, with_measure(name="not_found"), "not_found"),
    (table_rules.fields_are_not_reserved, with_measure(name="total_amount"), "total_amount"),
    (table_rules.phrases_fit_their_fields, with_measure(phrase="parcel amount"), "parcel amount"),
    (table_rules.phrases_are_apart, with_measure(phrase="net amount after discount"), "discount in"),
    (table_rules.phrases_are_apart, with_orders(plural="customers with orders"), "customers in"),
    (table_rules.values_are_words, with_values("paid", "true", "refused"), "true"),
    (table_rules.values_are_words, with_values("paid", "30", "refused"), "30"),
    (table_rules.values_are_words, with_values("paid", "1e3", "refused"), "1e3"),
    (table_rules.values_are_words, with_values("paid", "", "refused"), "payment_state: "),
    (table_rules.values_are_words, with_values("paid", "medium", "refused"), "medium"),
    (table_rules.values_are_words, with_values("paid", "half paid", "refused"), "half paid"),
    (table_rules.values_are_apart, with_values("paid", "Unpaid", "refused"), "paid in Unpaid"),
    (table_rules.values_are_apart, with_values("paid", "pallet", "refused"), "pallet"),
    (measure_rules.ranges_are_wide, with_measure(low=4, high=8, decimals=0), "net_amount"),
    (measure_rules.ranges_are_wide, with_measure(low=-4), "net_amount"),
    (measure_rules.ranges_are_wide, with_orders(measures=(Measure("dose", "dose", 0, 40, 0, "g"),)), "a hundred"),
    (
        measure_rules.some_measures_can_be_summed_and_confused,
        with_orders(measures=(DISCOUNT,)),
        "no sum",
    ),
    (measure_rules.some_measures_can_be_summed_and_confused, with_orders(measures=(DISCOUNT,)), "no other unit"),
    (measure_rules.units_convert, with_measure(factor=1000), "EUR to cents"),
    (measure_rules.units_convert, with_measure(is_larger=True), "EUR to cents"),
    (measure_rules.units_convert, with_measure(other_unit="pence"), "EUR to pence"),
    (measure_rules.units_convert, with_measure(other_unit=""), "factor 100"),
    (measure_rules.sums_make_sense, with_measure(unit="percent"), "percent"),
    (measure_rules.sums_make_sense, with_measure(unit="m/s"), "m/s"),
    (measure_rules.money_is_of_one_currency, with_measure(unit="GBP", other_unit="pence"), "EUR, GBP"),
    (measure_rules.names_hide_units, with_measure(name="amount_in_cents"), "amount_in_cents"),
    (team_rules.services_guard_their_tables, with_parts(services={"orders": "order-desk"}), "services for orders"),
    (
        team_rules.services_guard_their_tables,
        with_parts(services={**GARDEN_SHOP.services, "orders": "greenhouse"}),
        "greenhouse",
    ),
    (team_rules.duties_are_apart, with_duty(DUTY.replace("vans", "lorries")), "lorries"),
    (team_rules.duties_are_phrases, with_duty("answers delivery questions of customers"), "delivery questions"),
    (team_rules.duties_are_phrases, with_duty("is nice"), "is nice"),
    (team_rules.teams_are_apart, with_parts(teams=GARDEN_SHOP.teams[:1] * 4), "refunds"),
    (team_rules.teams_are_apart, with_parts(teams=(*GARDEN_SHOP.teams, Team("a", "buying-two", "x"))), "buying /"),
    (team_rules.destinations_are_apart, with_names("sink", "desk", "front-page", "till", "yard"), "front-page"),
    (team_rules.destinations_are_apart, with_names("sink", "desk", "desk-yard", "till", "gazette"), "desk in"),
    (team_rules.destinations_are_apart, with_names("sink", "orders-desk", "till", "yard", "gazette"), "orders-desk"),
    (team_rules.destinations_are_apart, with_parts(destinations={}), "kinds"),
    (team_rules.names_have_no_tell_tales, with_names("sink", "desk-old", "till", "yard", "gazette"), "desk-old"),
    (team_rules.prose_reads_well, with_parts(name="garden tools"), "garden tools"),
    (team_rules.prose_reads_well, with_parts(occasions=("spring",)), "spring"),
    (team_rules.prose_reads_well, with_parts(rules=("Parcels above 30 kg go by van.",)), "30 kg"),
)


@pytest.mark.parametrize(
    ("rule", "business", "found"),
    BROKEN,
    ids=[f"{rule.__name__}: {found}" for rule, _, found in BROKEN],
)
def test_a_rule_finds_what_breaks_it(rule: Rule, business: Business, found: str) -> None:
    assert any(found in breach for breach in rule(business))


def test_each_rule_has_a_business_that_breaks_it() -> None:
    assert {rule.__name__ for rule, _, _ in BROKEN} == {rule.__name__ for rule in RULES}


def names_of_tables(business: Business, of_table: Callable[[Table], str]) -> list[str]:
    return [of_table(table) for table in tables_of(business)]


UNIQUE: Mapping[str, Callable[[Business], Iterable[str]]] = {
    "business": lambda business: [business.name],
    "host": lambda business: [business.host],
    "table": lambda business: names_of_tables(business, lambda table: table.name),
    "plural": lambda business: names_of_tables(business, lambda table: table.plural),
    "singular": lambda business: names_of_tables(business, lambda table: table.singular),
    "key": lambda business: names_of_tables(business, lambda table: table.key),
    "prefix": lambda business: names_of_tables(business, lambda table: table.prefix),
    "service": lambda business: business.services.values(),
    "date": lambda business: names_of_tables(business, lambda table: table.date),
    "category": lambda business: [category.name for category in categories_of(business)],
    "measure": lambda business: [measure.name for measure in measures_of(business)],
    "phrase": lambda business: [field.phrase for field in described_fields(*tables_of(business))],
    "duty": lambda business: [team.duty for team in business.teams],
    "destination": lambda business: [name for group in business.destinations.values() for name in group],
    "occasion": lambda business: business.occasions,
    "rule": lambda business: business.rules,
}
"""By what they name: the names that only one business has, and it once."""


@pytest.mark.parametrize("names_in", UNIQUE.values(), ids=UNIQUE)
def test_no_name_is_used_twice(names_in: Callable[[Business], Iterable[str]]) -> None:
    assert repeated(name for business in BUSINESSES for name in names_in(business)) == []


def shared_by(names: Iterable[Iterable[str]], most: int) -> list[str]:
    """Return the names that are in more than `most` of the groups."""
    groups = [set(group) for group in names]
    return sorted(name for name in set().union(*groups) if sum(name in group for group in groups) > most)


def test_the_vocabulary_varies() -> None:
    values = [[value for category in categories_of(business) for value in category.values] for business in BUSINESSES]
    assert shared_by(values, 2) == []
    field_words = [
        [word for table in tables_of(business) for field in fields_of(table) for word in field.split("_")]
        for business in BUSINESSES
    ]
    assert set(shared_by(field_words, len(BUSINESSES) // 2)) <= {"on", "time"}


def test_a_name_is_shared_by_the_groups_that_hold_it() -> None:
    assert shared_by([["kind", "time", "time"], ["kind", "time"], ["kind"]], 2) == ["kind"]


def test_there_are_enough_businesses_of_enough_fields() -> None:
    assert len(BUSINESSES) >= 20
    assert len({frozenset(content_words(business.name)) for business in BUSINESSES}) == len(BUSINESSES)
    assert sum(len(tables_of(business)) for business in BUSINESSES) >= 80
    assert sum(1 for business in BUSINESSES for table in business.tables if table.parent) >= 40


def test_records_survive_a_round_trip() -> None:
    assert msgspec.json.decode(msgspec.json.encode(BUSINESSES), type=tuple[Business, ...]) == BUSINESSES
