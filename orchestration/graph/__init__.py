"""The graph of a run: steps as data, the order in which they are done, and the record of what they did."""
