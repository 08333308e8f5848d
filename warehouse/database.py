"""The one way to PostgreSQL: connections, transactions, locks and named statements."""

import re
import select
import threading
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, LiteralString, cast

import psycopg
from psycopg import sql
from psycopg.rows import dict_row
from psycopg_pool import ConnectionPool, PoolClosed, PoolTimeout

from warehouse.address import Address, Encryption
from warehouse.embedded import EmbeddedServer
from warehouse.errors import BusyError, DatabaseUnavailableError
from warehouse.settings import Settings

if TYPE_CHECKING:
    import sqlalchemy

SQL_FOLDER = Path(__file__).parent / "sql"
POOL_SECONDS = 5
Pool = ConnectionPool[psycopg.Connection]
ENCRYPTION_VARIABLES = {
    "sslmode": ("DB_SSLMODE", "PGSSLMODE"),
    "sslrootcert": ("DB_SSLROOTCERT", "PGSSLROOTCERT"),
    "sslcert": ("DB_SSLCERT", "PGSSLCERT"),
    "sslkey": ("DB_SSLKEY", "PGSSLKEY"),
    "ssl_min_protocol_version": ("DB_TLS_MINIMUM_VERSION", "PGSSLMINPROTOCOLVERSION"),
}
STATEMENT_NAME = re.compile(r"^-- name: (\w+)$", re.MULTILINE)


class Database:
    """The warehouse, wherever it runs.

    With no `DB_HOST` the embedded server is started on first use, and again when it was killed.

    Args:
        settings: where the server is.
        pool_size: the most connections this process opens at a time.
        patience: seconds that a pooled connection waits for a lock before it gives up; without end when omitted.
        role: the role that connections take on; the owner's own when omitted.
        reader: the role that pooled connections take on, to read only, and not for more than 10 seconds at a time.
        application_name: what the connections are called, for those who look at who is at work.
    """

    def __init__(
        self,
        settings: Settings,
        *,
        pool_size: int = 4,
        patience: float | None = None,
        role: str | None = None,
        reader: str | None = None,
        application_name: str = "kyalo",
    ) -> None:
        self.settings = settings
        self.application_name = application_name
        self._role_option = f"-c role={role}" if role else ""
        self._options = self._role_option
        if patience:
            self._options += f" -c lock_timeout={int(patience * 1000)}"
        if reader:
            self._options += f" -c role={reader} -c default_transaction_read_only=on"
            self._options += " -c statement_timeout=10s -c work_mem=64MB"
        self._pool_size = pool_size
        self._embedded = EmbeddedServer(settings.home) if settings.is_embedded else None
        self._pool: Pool | None = None
        self._guard = threading.RLock()

    def taking_on(self, role: str) -> "Database":
        """The same database, with connections of its own that take on a role; the caller closes it."""
        return Database(self.settings, pool_size=self._pool_size, role=role, application_name=self.application_name)

    def address(self) -> Address:
        """Where the database is; starts the embedded server when there is need."""
        if self._embedded:
            return self._embedded.ensure_running()
        return Address(
            host=self.settings.db_host or "",
            port=self.settings.db_port,
            dbname=self.settings.db_name,
            user=self.settings.db_user,
            password=self.settings.db_password.get_secret_value(),
            **_encryption_of(self.settings),
        )

    def environment(self) -> dict[str, str]:
        """The variables that make a child process, dbt for one, use this database: DB_* and those of libpq."""
        address = self.address()
        return {
            "KYALO_ENVIRONMENT": "production" if self.settings.is_production else "development",
            "DB_HOST": address["host"],
            "DB_PORT": str(address["port"]),
            "DB_NAME": address["dbname"],
            "DB_USER": address["user"],
            "DB_PASSWORD": address["password"],
            **_encryption_variables(address),
        }

    def connect(self) -> psycopg.Connection:
        """Open a connection of the caller's own, to be closed by the caller."""
        try:
            return psycopg.connect(
                **self.address(),
                application_name=self.application_name,
                connect_timeout=10,
                options=self._role_option,
            )
        except psycopg.OperationalError as error:
            raise _unavailable(error) from error

    def engine(self) -> "sqlalchemy.Engine":
        """An SQLAlchemy engine that opens a connection for each use and closes it after."""
        import sqlalchemy  # only migrations need it

        return sqlalchemy.create_engine("postgresql+psycopg://", creator=self.connect, poolclass=sqlalchemy.NullPool)

    @contextmanager
    def transaction(self) -> Iterator[psycopg.Connection]:
        """A pooled connection in one transaction: committed at the end, rolled back on an error."""
        with _told(), ExitStack() as stack:
            yield self._begin(stack)

    @contextmanager
    def connection(self) -> Iterator[psycopg.Connection]:
        """A pooled connection of which each statement is a transaction, with no round trips to begin and to end it."""
        with _told(), ExitStack() as stack:
            pool, connection = self._take_connection()
            stack.callback(pool.putconn, connection)
            yield connection

    @contextmanager
    def lock(self, name: str, *, wait: bool = False) -> Iterator[None]:
        """Hold an advisory lock for the length of the block.

        Raises:
            BusyError: another process holds it, and `wait` is false.
        """
        with self.connect() as connection:
            connection.autocommit = True
            if wait:
                connection.execute("select pg_advisory_lock(hashtextextended(%s, 0))", [name])
                yield
                return
            row = connection.execute("select pg_try_advisory_lock(hashtextextended(%s, 0))", [name]).fetchone()
            if not (row and row[0]):
                raise BusyError(f"Another process is at work on {name}.", remedy="Try again when it has finished.")
            yield

    def close(self) -> None:
        """Close the pooled connections."""
        with self._guard:
            if self._pool:
                self._pool.close()
                self._pool = None

    def _begin(self, stack: ExitStack) -> psycopg.Connection:
        """A connection in a transaction that the stack ends; one that was lost while it lay idle is replaced."""
        pool, connection = self._take_connection()
        stack.callback(pool.putconn, connection)
        try:
            stack.enter_context(connection.transaction())
        except psycopg.OperationalError:
            if not connection.closed:
                raise
            stack.pop_all().close()
            return self._begin(stack)
        return connection

    def _take_connection(self) -> tuple[Pool, psycopg.Connection]:
        pool = self._open_pool()
        try:
            return pool, pool.getconn(timeout=POOL_SECONDS)
        except (PoolTimeout, PoolClosed) as error:
            if self._embedded is None or (isinstance(error, PoolTimeout) and self._embedded.is_running()):
                raise _unavailable(error) from error
        pool = self._open_pool(instead_of=pool)  # the server was killed: this starts it again
        try:
            return pool, pool.getconn(timeout=POOL_SECONDS)
        except (PoolTimeout, PoolClosed) as error:
            raise _unavailable(error) from error

    def _open_pool(self, *, instead_of: Pool | None = None) -> Pool:
        with self._guard:
            if self._pool is not None and self._pool is instead_of:
                self.close()
            if self._pool is None:
                self._pool = ConnectionPool(
                    kwargs={
                        **self.address(),
                        "autocommit": True,  # `_begin` begins and ends transactions in so many words
                        "application_name": self.application_name,
                        "connect_timeout": 10,
                        "options": self._options,
                    },
                    min_size=1,
                    max_size=self._pool_size,
                    check=_check_connection,
                    open=True,
                )
            return self._pool


class Statements(Mapping[str, sql.SQL]):
    """The named statements of one file of `warehouse/sql`, by name."""

    def __init__(self, text: str) -> None:
        _, *parts = STATEMENT_NAME.split(text)
        # The files are ours: what they hold is as literal as if it stood in the code.
        self._statements = {
            name: sql.SQL(cast(LiteralString, body.strip().rstrip(";")))
            for name, body in zip(parts[::2], parts[1::2], strict=True)
        }

    def __getitem__(self, name: str) -> sql.SQL:
        """The statement of that name."""
        return self._statements[name]

    def __iter__(self) -> Iterator[str]:
        """The names, in the order of the file."""
        return iter(self._statements)

    def __len__(self) -> int:
        """How many statements the file has."""
        return len(self._statements)


@cache
def queries(name: str) -> Statements:
    """The statements of `warehouse/sql/<name>.sql`: each stands under a line `-- name: <statement>`."""
    return Statements((SQL_FOLDER / f"{name}.sql").read_text())


def _check_connection(connection: psycopg.Connection) -> None:
    """Ask the server whether it is there only where an idle connection has something to tell: its end, mostly."""
    readable, _, _ = select.select([connection], [], [], 0)
    if readable:
        ConnectionPool.check_connection(connection)


def fetch_row(
    connection: psycopg.Connection, statement: sql.SQL | sql.Composed, values: Mapping[str, object] | None = None
) -> dict[str, Any] | None:
    """The first row that a statement gives, by column, None when there is none."""
    return connection.cursor(row_factory=dict_row).execute(statement, values).fetchone()


def fetch_rows(
    connection: psycopg.Connection, statement: sql.SQL | sql.Composed, values: Mapping[str, object] | None = None
) -> list[dict[str, Any]]:
    """All rows that a statement gives, by column."""
    return connection.cursor(row_factory=dict_row).execute(statement, values).fetchall()


@contextmanager
def _told() -> Iterator[None]:
    """Tell what PostgreSQL cannot do now in the words of the warehouse."""
    try:
        yield
    except psycopg.errors.LockNotAvailable as error:
        raise BusyError("The same is being stored by another upload.", remedy="Try again when it is.") from error
    except psycopg.OperationalError as error:
        raise _unavailable(error) from error


def _encryption_of(settings: Settings) -> Encryption:
    """How connections to DB_HOST are encrypted."""
    encryption = Encryption(
        sslmode=settings.db_sslmode, ssl_min_protocol_version=f"TLSv{settings.db_tls_minimum_version}"
    )
    if settings.db_sslrootcert:
        encryption["sslrootcert"] = settings.db_sslrootcert
    if settings.db_sslcert and settings.db_sslkey:
        encryption |= Encryption(sslcert=str(settings.db_sslcert), sslkey=str(settings.db_sslkey))
    return encryption


def _encryption_variables(address: Address) -> dict[str, str]:
    """The same as variables, once in our words and once in libpq's."""
    values = {name: str(value) for name, value in address.items() if name in ENCRYPTION_VARIABLES}
    return {
        variable: value.removeprefix("TLSv") if variable.startswith("DB_") else value
        for name, value in values.items()
        for variable in ENCRYPTION_VARIABLES[name]
    }


def _unavailable(error: Exception) -> DatabaseUnavailableError:
    return DatabaseUnavailableError(
        f"PostgreSQL does not answer: {str(error).strip()}",
        remedy="Check DB_HOST and the server, then try again.",
    )
