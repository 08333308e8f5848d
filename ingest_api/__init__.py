"""The loader: takes surveys from devices and offices and lands them in the schema raw."""
