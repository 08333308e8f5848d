"""Keys, and what is done with them: tokens of personal answers, keyed hashes, content in encrypted frames."""
