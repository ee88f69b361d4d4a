"""A ledger of any size, like the product's own: what ingest stored of an hour of sample traffic, copied in SQL.

Ids, times and who called are changed: a month of 20,000 people, of whom some call far more than others. All else
stands as ingest wrote it, in the shares in which it came.
"""

import sqlite3
import zlib
from hashlib import blake2b
from itertools import islice
from pathlib import Path
from typing import Final

from localhost.traffic.mix import an_hour
from shared.domain.delivery import Delivery, Position
from shared.domain.values import NO_TIME
from shared.services.ingest import ingest
from shared.stores.sql.content import SqlContentStore
from shared.stores.sql.engine import create_engine
from shared.stores.sql.ledger import SqlLedger
from shared.stores.sql.migrate import upgrade

__all__ = ["make_ledger"]

_EVENTS: Final = 8_000
_PEOPLE: Final = 20_000
_BATCH: Final = 256

_CHANGES: Final = {
    "interaction": {
        "id": "fresh(id, copy)",
        "occurred_at": "later(occurred_at)",
        "usage_key": "case when usage_key is null then null else fresh(usage_key, copy) end",
        "user_id": "case when user_id is null then null else"
        " printf('00000000-0000-4000-9000-%012x', person(id, copy)) end",
        "caller_ip": "case when caller_ip is null then null else"
        " printf('10.1.%d.%d', person(id, copy) / 250, person(id, copy) % 250) end",
        "app_id": "case when app_id is null then null else"
        " printf('00000000-0000-4000-8000-%012x', person(id, copy) % 400) end",
        "subscription_id": "case when subscription_id is null then null else"
        " printf('team-%d-sub', person(id, copy) % 120) end",
    },
    "alias": {
        "name": "substr(name, 1, instr(name, ':')) || fresh(name, copy)",
        "interaction_id": "fresh(interaction_id, copy)",
        "claimed_at": "later(claimed_at)",
    },
    "delivery": {"sequence": "sequence + copy * 1000000", "enqueued_at": "later(enqueued_at)"},
}
_CONTENTS: Final = {"content": {"interaction_id": "fresh(interaction_id, copy)"}}


def make_ledger(path: Path, rows: int, *, days: int = 30, contents: bool = False) -> None:
    """Make a ledger of about `rows` interactions of so many days, with aliases and deliveries; contents if asked."""
    upgrade(f"sqlite:///{path}")
    _ingest_an_hour(path)
    with sqlite3.connect(path) as ledger:
        # Nobody needs it after a crash. As it was before, it is again when it is opened by the product.
        for pragma in ("journal_mode=delete", "journal_mode=off", "synchronous=off", "cache_size=-262144"):
            ledger.execute(f"pragma {pragma}")
        ledger.create_function("fresh", 2, _fresh, deterministic=True)
        ledger.create_function("person", 2, _person, deterministic=True)
        (first,) = ledger.execute("select count(*) from interaction").fetchone()
        copies = max(0, round(rows / first) - 1)
        ledger.execute(
            "create temp table copy as with recursive n(i) as (select 1 union all select i + 1 from n where i < ?)"
            " select i as copy, printf('+%d seconds', i * ? / ?) as shift from n",
            [copies, days * 24 * 3600, copies + 1],
        )
        # Made anew behind it: an entry at a time, in no order, they would take most of the time.
        indexes = ledger.execute(
            "select name, sql from sqlite_master where type = 'index' and sql is not null"
        ).fetchall()
        for name, _ in indexes:
            ledger.execute(f"drop index {name}")
        if copies:
            for table, changes in (_CHANGES | (_CONTENTS if contents else {})).items():
                original = _profile(ledger, table)
                _copy(ledger, table, changes)
                _check_alike(table, original, _profile(ledger, table), copies + 1)
            # What is kept beside the deliveries, so that the balance adds up.
            ledger.execute("update delivery_count set number = number * ?", [copies + 1])
            ledger.execute(
                "update hub_partition set received = received + (received - redelivered) * :copies,"
                " last_sequence = last_sequence + :copies * 1000000",
                {"copies": copies},
            )
        for _, statement in indexes:
            ledger.execute(statement)
    ledger.close()


def _profile(ledger: sqlite3.Connection, table: str) -> dict[str, float]:
    """Return the number of rows; of each column, in how many of them it is known, and how long it is there."""
    names = [name for _, name, *_ in ledger.execute(f"pragma table_xinfo({table})")]
    kinds = [f"{name} {kind}" for name in names for kind in ("known", "length")]
    shares = ", ".join(f"avg({name} is not null), coalesce(avg(length({name})), 0)" for name in names)
    values = ledger.execute(f"select count(*), {shares} from {table}").fetchone()
    return dict(zip(["rows", *kinds], values, strict=True))


def _check_alike(table: str, original: dict[str, float], copied: dict[str, float], times: int) -> None:
    """Raise ValueError where the copies are not like what ingest stored: nothing would follow for it from them."""
    expected = original | {"rows": original["rows"] * times}
    # Ids, times and people are others, of other lengths too.
    changed = {f"{name} length" for name in (_CHANGES | _CONTENTS)[table]}
    same = [name for name in expected if name not in changed]
    unlike = [name for name in same if abs(copied[name] - expected[name]) > 1e-6 * expected[name]]
    if unlike:
        raise ValueError(f"the copies of {table} are not like what was copied: {', '.join(unlike)}")


def _copy(ledger: sqlite3.Connection, table: str, changes: dict[str, str]) -> None:
    names = [name for _, name, *_ in ledger.execute(f"pragma table_info({table})")]
    values = [changes.get(name, name) for name in names]
    # A time that stands for none has no later one.
    shifted = [
        f"coalesce(strftime('%Y-%m-%dT%H:%M:%fZ', {value[6:-1]}, shift), {value[6:-1]})"
        if value.startswith("later(")
        else value
        for value in values
    ]
    ledger.execute(f"create temp table original as select * from {table}")
    ledger.execute(
        f"insert into {table} ({', '.join(names)}) select {', '.join(shifted)} from temp.copy cross join temp.original"
    )
    ledger.execute("drop table temp.original")


def _ingest_an_hour(path: Path) -> None:
    engine = create_engine(f"sqlite:///{path}")
    ledger, content = SqlLedger(engine), SqlContentStore(engine)
    by_partition: dict[tuple[str, str], list[Delivery]] = {}
    for hub, partition, event in an_hour(_EVENTS, seed=15):
        position = Position(hub, partition, event.sequence or 0, event.enqueued_at or NO_TIME)
        by_partition.setdefault((hub, partition), []).append(Delivery(position, event.body))
    for deliveries in by_partition.values():
        events = iter(deliveries)
        while batch := list(islice(events, _BATCH)):
            ingest(batch, ledger=ledger, content=content)
    engine.dispose()


def _fresh(text: str, copy: int) -> str:
    return blake2b(f"{copy} {text}".encode(), digest_size=16).hexdigest()


def _person(text: str, copy: int) -> int:
    share = (zlib.crc32(f"{copy} {text}".encode()) & 0xFFFFFFFF) / 2**32
    return int(_PEOPLE * share**3)
