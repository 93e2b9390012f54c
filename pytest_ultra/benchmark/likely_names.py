"""Names that a plan of a task could have: those in its world, and others made as its generator makes them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from random import Random

import msgspec

from pytest_ultra.benchmark.generator.business import BUSINESSES
from pytest_ultra.benchmark.generator.business.records import Business
from pytest_ultra.benchmark.task import Task

_PERIOD = re.compile(r"\d{4}-(?:W\d\d|\d\d)(?![\d-])")
_SUBJECTS = ("Figures for", "Results for", "Your list for", "Data for")
_FOLDERS = ("data", "inbox")


class LikelyNames(msgspec.Struct, frozen=True):
    """The business, the period and the world of a task, from which names are drawn."""

    task: Task
    business: Business
    period: str

    @classmethod
    def of(cls, task: Task) -> LikelyNames:
        business = max(BUSINESSES, key=lambda other: _count_signs(task, other))
        texts = [task.words, *(str(action.call.arguments) for action in task.actions)]
        found = next((match[0] for text in texts if (match := _PERIOD.search(text))), "2027-05")
        return cls(task, business, found)

    @property
    def mailboxes(self) -> Sequence[str]:
        return [f"{team.mailbox}@{self.business.host}.example" for team in self.business.teams]

    @property
    def all(self) -> Sequence[str]:
        """All names of the business from which those of places are made."""
        business = self.business
        stems = [stem for kind in sorted(business.destinations) for stem in business.destinations[kind]]
        tables = (*business.tables, business.parent)
        fields = [field.name for table in tables for field in (*table.categories, *table.measures)]
        values = [value for table in tables for category in table.categories for value in category.values]
        teams = [team.name for team in business.teams]
        names = [business.host, *(table.name for table in tables), *fields, *values, *teams, *self.mailboxes]
        return [*names, *business.services.values(), *stems]

    def stem(self, kind: str, chance: Random) -> str:
        """Draw the first part of a name of a kind of place."""
        return chance.choice(self.business.destinations[kind])

    def code(self, chance: Random) -> int:
        return chance.randint(102, 987)

    def report(self, chance: Random) -> str:
        return f"reports/{self.period}/{self.stem('file', chance)}_{self.code(chance)}.json"

    def subject(self, chance: Random) -> str:
        return f"{chance.choice(_SUBJECTS)} {self.period}"

    def queue(self, chance: Random) -> str:
        made = f"{chance.choice(self.business.teams).name}-{self.stem('queue', chance)}-{self.code(chance)}"
        return chance.choice([*self.task.world.queues] or [made])

    def sink(self, chance: Random) -> str:
        made = f"https://{self.business.host}.example/{self.stem('sink', chance)}/{self.code(chance)}"
        return chance.choice([*self.task.world.sinks] or [made])

    def time(self, chance: Random) -> str:
        year, month = int(self.period[:4]), chance.randint(1, 12)
        minute = chance.choice(("00", "15", "30"))
        return f"{year}-{month:02}-{chance.randint(1, 28):02}T{chance.randint(6, 20):02}:{minute}"

    def table(self, text: str) -> str:
        """Return the name of the business's table that a text names, or else of its first."""
        names = [table.name for table in (*self.business.tables, self.business.parent)]
        return next((name for name in names if name in text), names[0])

    def path(self, text: str, chance: Random) -> str:
        made = f"{chance.choice(_FOLDERS)}/{self.period}/{self.table(text)}_{self.code(chance)}.csv"
        return chance.choice([*self.task.world.files] or [made])

    def address(self, text: str, chance: Random) -> str:
        made = f"https://{self.business.host}.example/{self.period}/{self.table(text)}/{self.code(chance)}"
        return chance.choice([*self.task.world.resources] or [made])

    def datastore(self, text: str, chance: Random) -> str:
        return chance.choice([*self.task.world.datastores] or [f"{self.table(text)}_{self.code(chance)}"])

    def cache_key(self, text: str, chance: Random) -> str:
        return chance.choice([*self.task.world.cache] or [f"{self.table(text)}:{self.code(chance)}"])


def _count_signs(task: Task, business: Business) -> int:
    world = task.world
    names = (*world.files, *world.resources, *world.sinks, *world.datastores, *world.cache, *world.topics)
    text = " ".join((*names, *(str(action.call.arguments) for action in task.actions)))
    signs = (f"//{business.host}.", f"@{business.host}.", *(table.name for table in business.tables))
    return sum(sign in text for sign in signs)
