"""GoogleSQL, translated by sqlglot and carried out by DuckDB, in memory and without a way out."""

from __future__ import annotations

import json
from types import TracebackType
from typing import Any, Self

import duckdb
import sqlglot
from sqlglot import exp
from sqlglot.errors import SqlglotError

from sandbox.errors import InvalidArgument
from sandbox.services.bigquery.schema import ENGINE_TYPES, answer_field, column_type, structure

Document = dict[str, Any]

#: Nothing outside the given rows can be read, and no extension is fetched.
CLOSED: dict[str, str | bool | int | float | list[str]] = {
    "enable_external_access": "false",
    "autoinstall_known_extensions": "false",
    "autoload_known_extensions": "false",
    "threads": "1",
    "memory_limit": "256MB",
}


class Engine:
    """One query's database."""

    def __init__(self) -> None:
        self._database = duckdb.connect(":memory:", config=CLOSED)
        self._database.execute("SET TimeZone = 'UTC'")
        self.loaded: set[str] = set()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._database.close()

    def load(self, name: str, table: Document, rows: list[Document]) -> None:
        """Make a table and fill it."""
        self.loaded.add(name)
        fields = table.get("schema", {}).get("fields", [])
        columns = ", ".join(f'"{field["name"]}" {column_type(field)}' for field in fields) or '"_empty" BOOLEAN'
        self._database.execute(f'CREATE TABLE "{name}" ({columns})')
        if rows and fields:
            shape = json.dumps(structure(fields)).replace("'", "''")
            statement = f"INSERT INTO \"{name}\" SELECT unnest(from_json(?::JSON, '{shape}'))"
            self._database.executemany(statement, [[json.dumps(row)] for row in rows])

    def read(self, table: Document, rows: list[Document]) -> tuple[list[Document], list[Any]]:
        """A table as it is stored."""
        self.load("t", table, rows)
        return self.answer("SELECT * FROM t")

    def answer(self, statement: str) -> tuple[list[Document], list[Any]]:
        """Fields and rows of a statement in the engine's own dialect.

        Raises:
            InvalidArgument: it cannot be carried out.
        """
        try:
            result = self._database.sql(statement)
            fields = [answer_field(n, kind) for n, kind in zip(result.columns, result.types, strict=True)]
            return fields, result.fetchall()
        except duckdb.Error as error:
            raise InvalidArgument(str(error).partition("\n")[0], reason="invalidQuery") from None


class Query:
    """A parsed GoogleSQL ``SELECT``.

    Raises:
        InvalidArgument: it cannot be parsed, or is no single query.
    """

    def __init__(self, text: str, parameters: list[Document]) -> None:
        try:
            statements = [s for s in sqlglot.parse(text, read="bigquery") if s]
        except SqlglotError as error:
            raise InvalidArgument(f"Syntax error: {error}", reason="invalidQuery") from None
        if len(statements) != 1 or not isinstance(statements[0], exp.Query):
            raise InvalidArgument("The sandbox carries out single SELECT statements.", reason="invalidQuery")
        self._parameters = parameters
        self.statement = self._with_values(statements[0])

    def tables(self) -> list[exp.Table]:
        """The tables that it reads, without names that a WITH clause or an UNNEST defines."""
        defined = {with_.alias_or_name for with_ in self.statement.find_all(exp.CTE)}
        found = self.statement.find_all(exp.Table)
        return [table for table in found if table.name and (table.db or table.name not in defined)]

    def _with_values(self, statement: exp.Expr) -> exp.Expr:
        """The statement with its parameters' values in place."""
        positional = iter([p for p in self._parameters if not p.get("name")])
        named = {p["name"].lower(): p for p in self._parameters if p.get("name")}

        def replace(node: exp.Expr) -> exp.Expr:
            if not isinstance(node, exp.Parameter | exp.Placeholder):
                return node
            name = node.name.lower()
            found = named.get(name) if name else next(positional, None)
            if found is None:
                raise InvalidArgument(f"Query parameter '{name}' not found", reason="invalidQuery")
            return literal(found)

        return statement.transform(replace)

    def translated(self) -> str:
        """The statement in the engine's dialect."""

        def expand(node: exp.Expr) -> exp.Expr:
            """A bare ``FROM UNNEST(records)`` has the records' fields as columns."""
            source = isinstance(node, exp.Unnest) and isinstance(node.parent, exp.From | exp.Join)
            if not source or node.args.get("alias") or len(node.expressions) != 1:
                return node
            inner = node.expressions[0].sql(dialect="duckdb")
            return sqlglot.parse_one(f"(SELECT UNNEST({inner}, max_depth := 2))", read="duckdb")

        try:
            return self.statement.transform(expand).sql(dialect="duckdb")
        except SqlglotError as error:
            raise InvalidArgument(f"Syntax error: {error}", reason="invalidQuery") from None


def literal(parameter: Document) -> exp.Expr:
    """A query parameter as a typed literal."""
    kind = parameter.get("parameterType", {}).get("type", "STRING").upper()
    value = parameter.get("parameterValue", {})
    if kind == "ARRAY":
        inner = parameter["parameterType"].get("arrayType", {})
        items = [literal({"parameterType": inner, "parameterValue": item}) for item in value.get("arrayValues", [])]
        return exp.Array(expressions=items)
    if kind not in ENGINE_TYPES:
        raise InvalidArgument(f"The sandbox has no query parameters of type {kind}.", reason="invalidQuery")
    if value.get("value") is None:
        return exp.Null()
    text = exp.Literal.string(str(value["value"]))
    return (
        text if kind == "STRING" else exp.Cast(this=text, to=exp.DataType.build(ENGINE_TYPES[kind], dialect="duckdb"))
    )
