"""Mirrors of the places that a job reads from: the other way where such a place is down."""

from __future__ import annotations

from collections.abc import Mapping

from pytest_ultra.benchmark.generator.draft import Draft
from pytest_ultra.benchmark.generator.setting import FOLDERS
from pytest_ultra.benchmark.tools.mirrors import Storage, read_place
from pytest_ultra.benchmark.world import Mirror
from pytest_ultra.core.axes import Difficulty
from pytest_ultra.core.json_types import Json

COPIES = "copies"
"""The topic that says where copies are."""


def add_mirrors(draft: Draft, difficulty: Difficulty) -> None:
    """Mirror all that the job reads; the words say so at `easy`, and from `medium` on a topic. `very_easy` has none."""
    if difficulty is Difficulty.VERY_EASY:
        return
    places = [read_place(action.call) for action in draft.actions]
    names = {place[0]: place[1] for place in reversed(places) if place is not None}
    mirrors = tuple(_make_mirror(draft, storage, names[storage]) for storage in Storage if storage in names)
    if not mirrors:
        return
    draft.mirror(mirrors)
    if draft.level.is_exact:
        for mirror in mirrors:
            phrasings = _SAID[Storage(mirror.storage)]
            draft.text.add_on_source(phrasings, {"original": mirror.original, "mirror": mirror.prefix})
        return
    rows: list[Json] = [
        {"kept_in": mirror.storage, "names_begin_with": mirror.original, "copies_begin_with": mirror.prefix}
        for mirror in mirrors
    ]
    draft.add_to_world(topics={COPIES: rows})


def _make_mirror(draft: Draft, storage: Storage, name: str) -> Mirror:
    word = draft.pick(("standby", "replica", "spare"))
    if storage is Storage.FILE:
        folder = name.partition("/")[0]
        others = [other for other in FOLDERS if other != folder]
        return Mirror(storage.value, f"{draft.pick(others)}/", f"{folder}/")
    if storage is Storage.ADDRESS:
        host = draft.setting.business.host
        return Mirror(storage.value, f"https://{host}-{word}.example/", f"https://{host}.example/")
    prefixes = {Storage.DATASTORE: f"{word}_", Storage.CACHE: f"{word}/"}
    return Mirror(storage.value, prefixes.get(storage, "copy of "), "")


_SAID: Mapping[Storage, tuple[str, ...]] = {
    Storage.FILE: (
        "All files in the folder {original} are also kept in the folder {mirror}, under the same names.",
        "The folder {mirror} has copies of all files in {original}.",
    ),
    Storage.ADDRESS: (
        "What can be fetched from {original} can also be fetched from {mirror}, under the same path.",
        "The same data are served from {mirror} as from {original}, under the same paths.",
    ),
    Storage.DATASTORE: (
        "Each datastore has a copy, whose name begins with {mirror}.",
        "There is a copy of each datastore, with {mirror} before its name.",
    ),
    Storage.CACHE: (
        "Each entry of the cache has a copy, whose key begins with {mirror}.",
        "The cache has a copy of each entry, with {mirror} before its key.",
    ),
    Storage.TOPIC: ("Each help topic has a copy, with the words '{mirror}' before its name.",),
}
