"""Statements of many requests: Django works their SQL out once for each thread, not again for each caller.

Working it out takes several times as long as the statement itself.
"""

import threading
from collections.abc import Callable, Sequence
from copy import copy
from typing import Any, Generic, TypeVar

import orjson
from django.db import connections, models, router
from django.db.models.expressions import Combinable
from django.db.models.query import get_related_populators
from django.db.models.sql import InsertQuery

Row = TypeVar("Row", bound=models.Model)

_STAND_INS = {str: "value {} of a compiled query", int: "-20000000{:02}"}


class CompiledQuery(Generic[Row]):
    """The first row of a queryset, for values that differ from call to call.

    `queryset` makes the queryset of such values, whose types are `types`, str or int. Each of them must become a
    parameter of the statement as it is; TypeError if one does not. Annotations and select_related come with the row.
    """

    def __init__(self, queryset: Callable[..., "models.QuerySet[Row]"], *types: type) -> None:
        self._queryset, self._types = queryset, types
        self._of_thread = threading.local()

    def first(self, *values: str | int) -> Row | None:
        """The row, or None if there is none."""
        row: Row | None = self._statement().first(values)
        return row

    def _statement(self) -> "_Statement":
        """That of this thread, as a connection belongs to one."""
        statement: _Statement | None = getattr(self._of_thread, "statement", None)
        if statement is None or not statement.is_current():
            statement = self._of_thread.statement = _Statement(self._queryset, self._types)
        return statement


class CompiledInsert(Generic[Row]):
    """Writes new rows of a model whose keys are known, as `save` does, but without signals.

    The database works out the columns in `computed`, of which instances are not told. All others must have values.
    """

    def __init__(self, model: type[Row], **computed: Combinable) -> None:
        self._model, self._computed = model, computed
        stored = [field for field in model._meta.concrete_fields if not field.generated]
        self._fields = [field for field in stored if field.name not in computed]
        self._computed_fields = [field for field in stored if field.name in computed]
        self._of_thread = threading.local()

    def write(self, instance: Row) -> None:
        """Raises IntegrityError and DataError, as `save` does."""
        alias = router.db_for_write(self._model)
        connection = connections[alias]
        values = [
            field.get_db_prep_save(field.pre_save(instance, True), connection=connection) for field in self._fields
        ]
        with _open_cursor(connection) as cursor:
            cursor.execute(self._statement(instance, connection), values)
        instance._state.db, instance._state.adding = alias, False

    def _statement(self, instance: Row, connection: Any) -> str:
        """That of this thread, as a connection belongs to one."""
        if getattr(self._of_thread, "connection", None) is not connection:
            self._of_thread.connection, self._of_thread.sql = connection, self._worked_out(instance, connection)
        sql: str = self._of_thread.sql
        return sql

    def _worked_out(self, instance: Row, connection: Any) -> str:
        stand_in = copy(instance)
        for name, expression in self._computed.items():
            setattr(stand_in, name, expression)
        query = InsertQuery(self._model)
        query.insert_values([*self._fields, *self._computed_fields], [stand_in])
        [(sql, parameters)] = query.get_compiler(connection=connection).as_sql()
        if len(parameters) != len(self._fields):
            raise TypeError("a computed column has parameters of its own")
        return str(sql)


def _open_cursor(connection: Any) -> Any:
    """With web processes PostgreSQL keeps the statement's plan; other connections have ordinary cursors only."""
    return getattr(connection, "prepared_cursor", connection.cursor)()


class _Statement:
    """The statement on one connection, and how its rows become instances, as in Django's own ModelIterable."""

    def __init__(self, queryset: Callable[..., "models.QuerySet[Any]"], types: Sequence[type]) -> None:
        stand_ins = [kind(_STAND_INS[kind].format(index)) for index, kind in enumerate(types)]
        query = queryset(*stand_ins)[:1]
        self._alias = query.db
        self._connection = connections[self._alias]
        self._compiler = query.query.get_compiler(connection=self._connection)
        self._sql, self._parameters = _with_constants(self._connection, stand_ins, *self._compiler.as_sql())
        self._places = [_places(self._parameters, stand_in) for stand_in in stand_ins]
        self._read_rows()

    def is_current(self) -> bool:
        return connections[self._alias] is self._connection

    def first(self, values: Sequence[str | int]) -> Any:
        parameters = self._parameters.copy()
        for places, value in zip(self._places, values, strict=True):
            for place in places:
                parameters[place] = value
        with _open_cursor(self._connection) as cursor:
            cursor.execute(self._sql, parameters)
            row = cursor.fetchone()
        return None if row is None else self._instance(row)

    def _read_rows(self) -> None:
        compiler, found = self._compiler, self._compiler.klass_info
        converters = compiler.get_converters([expression for expression, *_ in compiler.select])
        self._converters = {
            place: ([_from_json] if type(expression.output_field) is models.JSONField else each, expression)
            for place, (each, expression) in converters.items()
        }
        first, last = found["select_fields"][0], found["select_fields"][-1]
        self._own = slice(first, last + 1)
        self._names = [expression.target.attname for expression, *_ in compiler.select[self._own]]
        self._related = get_related_populators(found, compiler.select, self._alias)  # type: ignore[call-arg]  # of Django 6
        self._model = found["model"]

    def _instance(self, row: Sequence[Any]) -> Any:
        (row,) = self._compiler.apply_converters([row], self._converters)
        instance = self._model.from_db(self._alias, self._names, row[self._own])
        for related in self._related:
            related.populate(row, instance)
        for name, column in self._compiler.annotation_col_map.items():
            setattr(instance, name, row[column])
        return instance


def _with_constants(
    connection: Any, stand_ins: Sequence[str | int], sql: str, parameters: Sequence[Any]
) -> tuple[str, list[Any]]:
    """The statement with all parameters but the stand-ins written out, if the server keeps its plan.

    PostgreSQL plans such a statement for any parameters, so it must see that a status is the one of a partial index.
    """
    if connection.vendor != "postgresql":
        return sql, list(parameters)
    written, *rest = sql.split("%s")
    for parameter, following in zip(parameters, rest, strict=True):
        is_open = parameter in stand_ins
        written += "%s" if is_open else connection.ops.compose_sql("%s", [parameter]).replace("%", "%%")
        written += following
    return written, [parameter for parameter in parameters if parameter in stand_ins]


def _from_json(text: str | None, expression: Any, connection: Any) -> Any:
    """As Django's JSONField reads a whole column, in a third of the time."""
    return None if text is None else orjson.loads(text)


def _places(parameters: Sequence[Any], stand_in: str | int) -> list[int]:
    places = [place for place, parameter in enumerate(parameters) if parameter == stand_in]
    if not places:
        raise TypeError(f"the queryset does not ask for the value {stand_in!r} as it is")
    return places
