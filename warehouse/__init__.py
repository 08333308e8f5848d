"""The ground every other package stands on: settings, errors, database, object store, contract."""
