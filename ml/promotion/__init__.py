"""Which model scores, from which probability on, by whose word: the gate, the log of events, the policies."""
