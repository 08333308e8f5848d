"""Models that were trained elsewhere: looked into without running them, taken on a word of trust, judged like ours."""
