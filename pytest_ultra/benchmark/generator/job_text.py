"""The words of a job, collected as sentences with their kinds, and written out in one of several orders."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from enum import StrEnum
from random import Random

import msgspec


class Kind(StrEnum):
    """What a sentence is for, which decides where it can stand."""

    OPENING = "opening"
    SOURCE = "source"
    RULE = "rule"  # holds whatever the order in which it is said
    STEP = "step"
    MECHANICAL = "mechanical"  # what a reader infers: left out from `easy` on
    FORM = "form"
    DELIVERY = "delivery"


class Sentence(msgspec.Struct, frozen=True):
    """A sentence, and the phrasing that it was made from."""

    kind: Kind
    phrasing: str
    text: str


class Order(StrEnum):
    """An order of the sentences."""

    IN_ORDER = "in_order"
    RULES_LISTED = "rules_listed"
    AIM_FIRST = "aim_first"
    SHORT_PARAGRAPHS = "short_paragraphs"


class JobText:
    """Collects sentences: those on the data that all results come from, then those of each result."""

    def __init__(self, rng: Random) -> None:
        self._rng = rng
        self.opening: list[Sentence] = []
        self.base: list[Sentence] = []
        self.parts: list[list[Sentence]] = []
        self.order = rng.choice(tuple(Order))

    def add(self, kind: Kind, phrasings: Sequence[str], names: Mapping[str, object]) -> None:
        sentence = self._phrase(kind, phrasings, names)
        (self.opening if kind is Kind.OPENING else self.parts[-1] if self.parts else self.base).append(sentence)

    def add_on_source(self, phrasings: Sequence[str], names: Mapping[str, object]) -> None:
        """Add a sentence behind those that say where the data are."""
        place = 1 + max((n for n, known in enumerate(self.base) if known.kind is Kind.SOURCE), default=-1)
        self.base.insert(place, self._phrase(Kind.SOURCE, phrasings, names))

    def _phrase(self, kind: Kind, phrasings: Sequence[str], names: Mapping[str, object]) -> Sentence:
        phrasing = self._rng.choice(phrasings)
        return Sentence(kind, phrasing, _fill(phrasing, names))

    def begin_part(self) -> None:
        self.parts.append([])

    def choose(self, phrasings: Sequence[str]) -> str:
        return self._rng.choice(phrasings)

    @property
    def skeleton(self) -> tuple[str, ...]:
        """The phrasings in their order, without the names in them."""
        sentences = [*self.opening, *self.base, *(sentence for part in self.parts for sentence in part)]
        return (self.order, *(sentence.phrasing for sentence in sentences))

    def write_steps(self, *, has_mechanical: bool) -> str:
        """Write all sentences in the order of the work; several results are numbered."""
        kinds = [kind for kind in Kind if has_mechanical or kind is not Kind.MECHANICAL]
        base, parts = _texts(self.base, *kinds), [_texts(part, *kinds) for part in self.parts]
        start = ["Do this, in order."] if has_mechanical else [sentence.text for sentence in self.opening]
        ends = "\n" if len(parts) > 1 else " "
        return ends.join([" ".join([*start, *base]), _write_parts(parts)])

    def write(self) -> str:
        """Write the job as a person would say it."""
        sources = _texts(self.base, Kind.SOURCE)
        rules = _texts(self.base, Kind.RULE)
        others = _texts(self.base, Kind.STEP, Kind.FORM)
        parts = [_texts(part, Kind.STEP, Kind.RULE, Kind.FORM, Kind.DELIVERY) for part in self.parts]
        opening = [sentence.text for sentence in self.opening]
        return _WRITERS[self.order](opening, sources, rules, others, parts)


def _texts(sentences: Sequence[Sentence], *kinds: Kind) -> list[str]:
    return [sentence.text for sentence in sentences if sentence.kind in kinds]


def _in_order(
    opening: list[str], sources: list[str], rules: list[str], others: list[str], parts: list[list[str]]
) -> str:
    return "\n".join(filter(None, [" ".join([*opening, *sources, *rules, *others]), _write_parts(parts)]))


def _rules_listed(
    opening: list[str], sources: list[str], rules: list[str], others: list[str], parts: list[list[str]]
) -> str:
    listed = ["These rules hold for the data:", *(f"- {rule}" for rule in rules)] if len(rules) > 1 else rules
    return "\n".join(filter(None, [" ".join([*opening, *sources]), *listed, " ".join(others), _write_parts(parts)]))


def _aim_first(
    opening: list[str], sources: list[str], rules: list[str], others: list[str], parts: list[list[str]]
) -> str:
    data = " ".join(["As to the data:", *sources, *rules, *others])
    return "\n".join([" ".join(opening), _write_parts(parts), data])


def _short_paragraphs(
    opening: list[str], sources: list[str], rules: list[str], others: list[str], parts: list[list[str]]
) -> str:
    return "\n\n".join(
        filter(None, [" ".join(opening), " ".join(sources), " ".join([*rules, *others]), _write_parts(parts)])
    )


def _write_parts(parts: list[list[str]]) -> str:
    if len(parts) == 1:
        return " ".join(parts[0])
    listed = [f"{number}. {' '.join(part)}" for number, part in enumerate(parts, start=1)]
    return "\n".join([f"{_NUMBERS[len(parts)]} results are wanted, each from the same data:", *listed])


_NUMBERS = {2: "Two", 3: "Three", 4: "Four"}

_WRITERS = {
    Order.IN_ORDER: _in_order,
    Order.RULES_LISTED: _rules_listed,
    Order.AIM_FIRST: _aim_first,
    Order.SHORT_PARAGRAPHS: _short_paragraphs,
}


def _fill(phrasing: str, names: Mapping[str, object]) -> str:
    """Fill the gaps; correct the article before a filled gap; begin with a capital letter."""
    text = phrasing.format(**names)
    text = re.sub(r"\b([Aa])n? (?=([A-Za-z]))", _correct_article, text)
    return text[:1].upper() + text[1:] if not phrasing.startswith("=") else text[1:]


def _correct_article(match: re.Match[str]) -> str:
    article = match[1]
    return f"{article}n " if match[2].lower() in "aeio" else f"{article} "


def join_words(words: Sequence[str], last: str = "and") -> str:
    """Join words as prose does: "a, b and c"."""
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} {last} {words[-1]}"
