"""Resources as JSON documents in one SQLite file: atomic, and there after a kill at any moment."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

Document = dict[str, Any]

SCHEMA = """
CREATE TABLE IF NOT EXISTS resources (
    sequence INTEGER PRIMARY KEY AUTOINCREMENT,
    kind     TEXT NOT NULL,
    name     TEXT NOT NULL,
    parent   TEXT NOT NULL,
    document TEXT NOT NULL,
    UNIQUE (kind, name)
);
CREATE INDEX IF NOT EXISTS by_parent ON resources (kind, parent);
CREATE TABLE IF NOT EXISTS counters (name TEXT PRIMARY KEY, value INTEGER NOT NULL);
"""


class Store:
    """Documents by kind and full name.

    ``kind`` is the service and the collection (``cloudkms.keyRings``), ``name`` the path of the resource, with the
    project's id where a caller may write its number. One event loop owns the store; a request's changes are one
    transaction.
    """

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        # One thread at a time by construction: the event loop, and the shutdown that follows it.
        self._connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        self._connection.execute("PRAGMA journal_mode=WAL")
        self._connection.execute("PRAGMA synchronous=NORMAL")
        self._connection.executescript(SCHEMA)
        #: What the latest change of each document replaced; None while nobody asked for stale reads.
        self._former: dict[tuple[str, str], str | None] | None = None
        self._lagging = False

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All writes inside become visible together, or none does."""
        if self._connection.in_transaction:
            yield
            return
        self._connection.execute("BEGIN")
        try:
            yield
        except BaseException:
            self._connection.execute("ROLLBACK")
            raise
        self._connection.execute("COMMIT")

    def remember(self) -> None:
        """From now on keep what changes replace, for ``lagging``."""
        if self._former is None:
            self._former = {}

    @contextmanager
    def lagging(self) -> Iterator[None]:
        """Reads inside see each document as it was before its latest change since ``remember``."""
        self._lagging = True
        try:
            yield
        finally:
            self._lagging = False

    def _keep(self, kind: str, name: str) -> None:
        """Note what a change is about to replace."""
        if self._former is not None:
            self._former[kind, name] = self._text(kind, name)

    def _text(self, kind: str, name: str) -> str | None:
        if self._lagging and self._former and (kind, name) in self._former:
            return self._former[kind, name]
        row = self._connection.execute(
            "SELECT document FROM resources WHERE kind = ? AND name = ?", (kind, name)
        ).fetchone()
        return str(row[0]) if row else None

    def get(self, kind: str, name: str) -> Document | None:
        """A copy of the document, or None."""
        text = self._text(kind, name)
        return json.loads(text) if text is not None else None

    def any(self, kind: str) -> bool:
        """Whether there is any document of a kind."""
        found = self._connection.execute("SELECT 1 FROM resources WHERE kind = ? LIMIT 1", (kind,)).fetchone()
        return found is not None

    def put(self, kind: str, name: str, document: Document) -> None:
        """Create or replace; the place in the order of creation stays."""
        self._keep(kind, name)
        self._connection.execute(
            "INSERT INTO resources (kind, name, parent, document) VALUES (?, ?, ?, ?) "
            "ON CONFLICT (kind, name) DO UPDATE SET document = excluded.document",
            (kind, name, name.rpartition("/")[0], json.dumps(document, separators=(",", ":"))),
        )

    def delete(self, kind: str, name: str) -> bool:
        """Remove one document; False when there was none."""
        self._keep(kind, name)
        return self._connection.execute("DELETE FROM resources WHERE kind = ? AND name = ?", (kind, name)).rowcount > 0

    def keep_latest(self, kind: str, count: int) -> int:
        """Remove all but the latest ``count`` documents of a kind; returns how many went."""
        return self._connection.execute(
            "DELETE FROM resources WHERE kind = ?1 AND sequence <= coalesce("
            "(SELECT sequence FROM resources WHERE kind = ?1 ORDER BY sequence DESC LIMIT 1 OFFSET ?2), 0)",
            (kind, count),
        ).rowcount

    def delete_below(self, prefix: str) -> int:
        """Remove every document whose name lies below ``prefix``; returns how many."""
        return self._connection.execute(
            "DELETE FROM resources WHERE name >= ? AND name < ?", (f"{prefix}/", f"{prefix}0")
        ).rowcount

    def documents(self, kind: str, parent: str | None = None) -> list[Document]:
        """Documents of a kind in order of creation; ``parent`` is the collection's path, None takes all."""
        return [document for _, document in self.items(kind, parent)]

    def items(self, kind: str, parent: str | None = None) -> list[tuple[str, Document]]:
        """As ``documents``, with the stored names."""
        query, values = "SELECT name, document FROM resources WHERE kind = ?", [kind]
        if parent is not None:
            query, values = f"{query} AND parent = ?", [kind, parent]
        rows = self._connection.execute(f"{query} ORDER BY sequence", values).fetchall()
        if self._lagging and self._former:
            seen = [(name, self._former.get((kind, name), text)) for name, text in rows]
            return [(name, json.loads(text)) for name, text in seen if text is not None]
        return [(name, json.loads(text)) for name, text in rows]

    def latest_first(self, kind: str, parent: str) -> Iterator[Document]:
        """Documents of a collection, the latest first, each read when it is asked for."""
        query = "SELECT document FROM resources WHERE kind = ? AND parent = ? ORDER BY sequence DESC"
        return (json.loads(text) for (text,) in self._connection.execute(query, (kind, parent)).fetchall())

    def extent(self, kind: str, parent: str) -> tuple[int, int, int]:
        """How many documents a collection has, the place of the latest, and their size: another after each change.

        A document that was replaced by one of the same length makes no difference.
        """
        query = "SELECT count(*), coalesce(max(sequence), 0), coalesce(sum(length(document)), 0) FROM resources"
        count, latest, size = self._connection.execute(
            f"{query} WHERE kind = ? AND parent = ?", (kind, parent)
        ).fetchone()
        return count, latest, size

    def names(self, kind: str | None = None) -> dict[str, list[str]]:
        """Names of what is stored, by kind."""
        found: dict[str, list[str]] = {}
        query, values = "SELECT kind, name FROM resources", []
        if kind:
            query, values = f"{query} WHERE kind = ?", [kind]
        for owner, name in self._connection.execute(f"{query} ORDER BY sequence", values):
            found.setdefault(owner, []).append(name)
        return found

    def kinds(self) -> dict[str, int]:
        """How many documents each kind holds."""
        return dict(self._connection.execute("SELECT kind, count(*) FROM resources GROUP BY kind ORDER BY kind"))

    def next(self, counter: str) -> int:
        """The next value of a persistent counter, from 1."""
        row = self._connection.execute(
            "INSERT INTO counters VALUES (?, 1) ON CONFLICT (name) DO UPDATE SET value = value + 1 RETURNING value",
            (counter,),
        ).fetchone()
        return int(row[0])

    def clear(self) -> None:
        """Forget everything."""
        with self.transaction():
            self._connection.execute("DELETE FROM resources")
            self._connection.execute("DELETE FROM counters")

    def close(self) -> None:
        """Write the log back and release the file."""
        self._connection.close()
