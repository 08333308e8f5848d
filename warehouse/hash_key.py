"""The key of hashes that a warehouse was begun with: none but that one may go on with it."""

from warehouse.crypto.keys import load_key_ring
from warehouse.database import Database, fetch_row, queries
from warehouse.errors import ConfigurationError


def require_hash_key(database: Database) -> None:
    """Note the key of hashes at its first use, as a hash that says nothing of it; refuse any other from then on.

    Args:
        database: the owner's, migrated.

    Raises:
        ConfigurationError: the key is another, or not what it should be.
    """
    settings, statements = database.settings, queries("keys")
    values = {"fingerprint": load_key_ring(settings).derive("fingerprint").hex()}
    with database.transaction() as connection:
        known = fetch_row(connection, statements["known_hash_key"])
        if known is None:
            connection.execute(statements["note_hash_key"], values)
            known = fetch_row(connection, statements["known_hash_key"])
    if known != values:
        place = "HASH_KEY" if settings.hash_key else f"What {settings.home / 'hash_key'} holds"
        raise ConfigurationError(
            f"{place} is not the key that this warehouse was begun with: what is new would join with nothing older.",
            code="configuration.other_hash_key",
            remedy="Set HASH_KEY to the first one again; docs/guide.md says what to do where it is lost.",
        )
