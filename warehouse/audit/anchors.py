"""Anchors: the ends of all chains, kept in the object store, so that a log cut back to an older state is told."""

import hmac
import io
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

import orjson

from warehouse.audit.chain import Hasher, Head
from warehouse.settings import Settings
from warehouse.stores import ObjectStore

PREFIX = "audit/"


@dataclass(frozen=True)
class Anchor:
    """The ends of all chains at a moment.

    Attributes:
        key: of the object that holds it.
        is_genuine: whether it was written by who has the key, under that name.
    """

    key: str
    heads: Mapping[str, Head]
    is_genuine: bool


def keep_anchor(store: ObjectStore, settings: Settings, heads: Mapping[str, Head]) -> Anchor:
    """Write down the ends of all chains."""
    taken_at = datetime.now(UTC).strftime("%Y%m%dT%H%M%S%fZ")
    listed = {chain_id: [head.sequence, head.hash.hex()] for chain_id, head in heads.items()}
    seal = Hasher(settings).anchor(taken_at, listed)
    anchor = Anchor(f"{PREFIX}{taken_at}.json", heads, is_genuine=True)
    content = orjson.dumps({"taken_at": taken_at, "heads": listed, "seal": seal})
    store.put(anchor.key, io.BytesIO(content), "application/json")
    return anchor


def newest_anchor(store: ObjectStore, settings: Settings) -> Anchor | None:
    """The anchor that was written last; None before the first one."""
    keys = [found.key for found in store.list(PREFIX)]
    if not keys:
        return None
    with store.get(keys[-1]) as source:
        content = source.read()
    try:
        told = orjson.loads(content)
        heads = {chain_id: Head(int(end[0]), bytes.fromhex(end[1])) for chain_id, end in told["heads"].items()}
        seal = Hasher(settings).anchor(told["taken_at"], told["heads"])
        is_genuine = hmac.compare_digest(seal, str(told["seal"])) and keys[-1] == f"{PREFIX}{told['taken_at']}.json"
    except (ValueError, KeyError, TypeError, AttributeError, IndexError):
        return Anchor(keys[-1], {}, is_genuine=False)
    return Anchor(keys[-1], heads, is_genuine)
