"""The feature mart as matrices of numbers, as fast as PostgreSQL can send it."""

from collections.abc import Mapping, Sequence

import numpy as np
import psycopg
from numpy.typing import NDArray
from psycopg import sql

from ml.features import Feature

Floats = NDArray[np.float64]

# PostgreSQL's binary format of COPY: a header, for each row the number of its fields and for each field its length and
# value, and a trailer. All fields are doubles that are never null, so every row has the same length.
HEADER_BYTES, TRAILER_BYTES = 19, 2
FIELD = np.dtype([("length", ">i4"), ("value", ">f8")])


def copy_matrix(connection: psycopg.Connection, columns: int, query: sql.Composed) -> Floats:
    """The result of a query over doubles, none of them null, as a matrix of rows x columns; infinite becomes NaN."""
    with connection.cursor().copy(sql.SQL("copy ({}) to stdout with (format binary)").format(query)) as copy:
        content = b"".join(copy)
    row = np.dtype([("fields", ">i2"), ("cells", FIELD, (columns,))])
    rows = np.frombuffer(memoryview(content)[HEADER_BYTES:-TRAILER_BYTES], dtype=row)
    matrix = rows["cells"]["value"].astype(np.float64)
    matrix[np.isinf(matrix)] = np.nan
    return matrix


def as_double(feature: Feature, categories: Mapping[str, Sequence[str]]) -> sql.Composed:
    """A column of the mart (`mart`) as a double, as `Encoding.encode` would have it."""
    column = sql.SQL("mart.{}").format(sql.Identifier(feature.name))
    if feature.kind == "boolean":
        column += sql.SQL("::integer")
    if feature.kind == "category":
        # places count from 1 in PostgreSQL
        known = sql.Literal(list(categories[feature.name]))
        column = sql.SQL("case when {} is not null then coalesce(array_position({}::text[], {}) - 1, -1) end").format(
            column, known, column
        )
    return sql.SQL("coalesce(({})::double precision, 'NaN')").format(column)
