"""The API's routes: thin, each calls one function of the loader."""
