"""Names that a plan of a task could have: those in its world, and others made as its generator makes them."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random

import msgspec

from pytest_ultra.benchmark.generator.business import BUSINESSES
from pytest_ultra.benchmark.generator.business.records import Business
from pytest_ultra.benchmark.generator.setting import FOLDERS, SUBJECTS
from pytest_ultra.benchmark.task import Task

_BY_HOST = {business.host: business for business in BUSINESSES}


class LikelyNames(msgspec.Struct, frozen=True):
    """The business, the period and the world of a task, from which names are drawn."""

    task: Task

    @property
    def business(self) -> Business:
        """The task's business; the first one for a task from before tasks said theirs."""
        return _BY_HOST.get(self.task.business, BUSINESSES[0])

    @property
    def period(self) -> str:
        return self.task.period

    @property
    def mailboxes(self) -> Sequence[str]:
        return [f"{team.mailbox}@{self.business.host}.example" for team in self.business.teams]

    @property
    def all(self) -> Sequence[str]:
        """All names of the business from which those of places are made."""
        business = self.business
        stems = [stem for kind in sorted(business.destinations) for stem in business.destinations[kind]]
        tables = (*business.tables, business.parent)
        fields = [category.name for table in tables for category in table.categories]
        fields += [measure.name for table in tables for measure in table.measures]
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
        return f"{chance.choice(SUBJECTS)} {self.period}"

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
        made = f"{chance.choice(FOLDERS)}/{self.period}/{self.table(text)}_{self.code(chance)}.csv"
        return chance.choice([*self.task.world.files] or [made])

    def address(self, text: str, chance: Random) -> str:
        made = f"https://{self.business.host}.example/{self.period}/{self.table(text)}/{self.code(chance)}"
        return chance.choice([*self.task.world.resources] or [made])

    def datastore(self, text: str, chance: Random) -> str:
        return chance.choice([*self.task.world.datastores] or [f"{self.table(text)}_{self.code(chance)}"])

    def cache_key(self, text: str, chance: Random) -> str:
        return chance.choice([*self.task.world.cache] or [f"{self.table(text)}:{self.code(chance)}"])
