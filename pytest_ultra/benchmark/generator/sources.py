"""Data sources: each adds tables to the world and the first calls to the draft."""

from __future__ import annotations

from pytest_ultra.benchmark.generator.data import DOMAINS, Domain, as_csv, as_json, make_rows
from pytest_ultra.benchmark.generator.draft import Draft, Item
from pytest_ultra.benchmark.world import Resource
from pytest_ultra.core.json_types import Row
from pytest_ultra.core.workflow import Call

HOSTS = ("ledger", "fleet", "metrics", "catalog", "frontdesk", "archive")


def file_table(draft: Draft, *, is_dirty: bool = False) -> Item:
    """Read a file and parse it: two steps."""
    domain, rows = _table(draft, is_dirty=is_dirty)
    kind = draft.rng.choice(("csv", "json"))
    path = f"data/{_slug(draft, domain)}.{kind}"
    write = as_csv if kind == "csv" else as_json
    draft.add_to_world(
        files={path: write(rows), f"data/{_slug(draft, domain)}_last_year.{kind}": write(_sibling(draft, domain))}
    )
    noun = f"the {domain.plural} in {path}"
    text = draft.make(Call("file_operations_reader", {"path": path}), f"the text of {path}")
    draft.add_sentence(f"Read the file {path}.")
    table = draft.make(Call("data_processing_parser", {"data": text.data, "format": kind}), noun)
    draft.add_sentence(f"Parse it as {kind.upper()}.", is_mechanical=True)
    return table


def file_text(draft: Draft) -> Item:
    """Read a file without parsing it: one step."""
    domain, rows = _table(draft)
    path = f"data/{_slug(draft, domain)}.csv"
    draft.add_to_world(
        files={path: as_csv(rows), f"data/{_slug(draft, domain)}_last_year.csv": as_csv(_sibling(draft, domain))}
    )
    draft.add_sentence(f"Read the file {path}.")
    return draft.make(Call("file_operations_reader", {"path": path}), f"the {domain.plural} in {path}")


def web_table(draft: Draft, *, is_dirty: bool = False) -> Item:
    """Fetch a table from an address; with probability 1/2, a datastore has the same table."""
    domain, rows = _table(draft, is_dirty=is_dirty)
    url = _address(draft, domain)
    draft.add_to_world(resources={url: Resource(rows), f"{url}/last-year": Resource(_sibling(draft, domain))})
    call = Call("network_fetcher", {"url": url})
    if draft.rng.random() < 0.5:
        draft.add_sentence(f"Fetch {url}.")
        return draft.make(call, f"the {domain.plural} at {url}")
    store = f"{_slug(draft, domain)}_db"
    draft.add_to_world(datastores={store: rows, f"{store}_last_year": _sibling(draft, domain)})
    draft.add_sentence(f"Fetch {url}, or connect to the datastore {store}, which holds the same.")
    other = Call("integration_connector", {"datastore": store})
    return draft.make(call, f"the {domain.plural} (at {url}, or in the datastore {store})", others=(other,))


def datastore_table(draft: Draft, *, is_dirty: bool = False) -> Item:
    domain, rows = _table(draft, is_dirty=is_dirty)
    store = f"{_slug(draft, domain)}_db"
    draft.add_to_world(datastores={store: rows, f"{store}_last_year": _sibling(draft, domain)})
    draft.add_sentence(f"Connect to the datastore {store} and take its table.")
    return draft.make(
        Call("integration_connector", {"datastore": store}), f"the {domain.plural} in the datastore {store}"
    )


def cached_table(draft: Draft, *, is_dirty: bool = False) -> Item:
    domain, rows = _table(draft, is_dirty=is_dirty)
    key = f"{_slug(draft, domain)}:latest"
    draft.add_to_world(cache={key: rows, f"{_slug(draft, domain)}:last-year": _sibling(draft, domain)})
    draft.add_sentence(f"Get the entry {key} from the cache.")
    return draft.make(Call("utility_cache", {"action": "get", "key": key}), f"the {domain.plural} cached under {key}")


def reference_table(draft: Draft, *, is_dirty: bool = False) -> Item:
    """Look up a reference table by its topic."""
    domain, rows = _table(draft, is_dirty=is_dirty)
    topic = f"{domain.plural} reference"
    draft.add_to_world(topics={topic: rows, f"{domain.plural} glossary": _sibling(draft, domain)})
    draft.add_sentence(f"Look up the help topic '{topic}'.")
    return draft.make(Call("utility_helper", {"topic": topic}), f"the reference table under the help topic '{topic}'")


def file_listing(draft: Draft) -> Item:
    """List the files that match a pattern, with their sizes."""
    folder = draft.rng.choice(("logs", "exports", "inbox", "scans"))
    names = draft.rng.sample(("alpha", "bravo", "coral", "delta", "ember", "fjord", "grove"), 6)
    files = {f"{folder}/{name}.txt": "x" * draft.rng.randint(20, 900) for name in names}
    draft.add_to_world(
        files={**files, f"{folder}/notes.md": "Nothing to see.", f"{folder}/index.md": "See the other files."}
    )
    pattern = f"{folder}/*.txt"
    draft.add_sentence(f"List the files that match {pattern}.")
    return draft.make(
        Call("file_operations_scanner", {"pattern": pattern}), f"the list of files matching {pattern} (path and size)"
    )


def latency_table(draft: Draft) -> Item:
    """Measure the latency of some addresses of one host."""
    host = f"https://{draft.rng.choice(HOSTS)}.example"
    pages = draft.rng.sample(("login", "search", "basket", "profile", "export", "status", "orders"), 6)
    latencies = draft.rng.sample(range(20, 900), 6)
    resources = {
        f"{host}/{page}": Resource({"page": page}, latency_ms=latency)
        for page, latency in zip(pages, latencies, strict=True)
    }
    draft.add_to_world(resources=resources)
    urls = list(resources)[:5]
    words = ", ".join(urls)
    draft.add_sentence(f"Measure the addresses {words}.")
    return draft.make(Call("network_monitor", {"urls": urls}), f"the measurements of the addresses {words}")


def address_report(draft: Draft) -> Item:
    """Check one address without fetching its content."""
    domain, rows = _table(draft)
    url = _address(draft, domain)
    draft.add_to_world(resources={url: Resource(rows), f"{url}/last-year": Resource(_sibling(draft, domain))})
    draft.add_sentence(f"Check the address {url}.")
    return draft.make(Call("network_validator", {"url": url}), f"the report of a check of the address {url}")


def protected_table(draft: Draft, *, is_dirty: bool = False) -> tuple[Item, str, int]:
    """Authenticate with a service and fetch from it: two steps.

    Return the table, the service, and the number of the session's milestone.
    """
    domain, rows = _table(draft, is_dirty=is_dirty)
    url = _address(draft, domain)
    service = f"{_slug(draft, domain)}-api"
    draft.add_to_world(
        credentials={service: "reporting", f"{service}-sandbox": "tester"},
        resources={url: Resource(rows, service=service), f"{url}/last-year": Resource(_sibling(draft, domain))},
    )
    session = draft.authenticate(service)
    draft.add_sentence(f"Authenticate with the service {service}.", is_mechanical=True)
    draft.add_sentence(f"Fetch {url}, which takes a session with {service}.")
    call = Call("network_fetcher", {"url": url})
    noun = f"the {domain.plural} at {url} (service {service})"
    return draft.make(call, noun, needs=(session,)), service, session


def _table(draft: Draft, *, is_dirty: bool = False) -> tuple[Domain, list[Row]]:
    domain = draft.rng.choice(DOMAINS)
    rows = make_rows(domain, draft.rng, draft.rng.randint(8, 14))
    if is_dirty:
        field = draft.rng.choice(list(domain.categories))
        for row in draft.rng.sample(rows, 2):
            row[field] = ""
    return domain, rows


def _sibling(draft: Draft, domain: Domain) -> list[Row]:
    """Return a distractor: a table of the same kind that is not the requested one."""
    return make_rows(domain, draft.rng, draft.rng.randint(6, 9))


def _slug(draft: Draft, domain: Domain) -> str:
    return f"{domain.plural.replace(' ', '_')}_{draft.edition}"


def _address(draft: Draft, domain: Domain) -> str:
    return f"https://{draft.rng.choice(HOSTS)}.example/{_slug(draft, domain)}"
