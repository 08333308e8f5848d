"""The change of keys: everything that is encrypted is encrypted anew, beside what goes on."""
