"""The words by which personal data are told, from `words.yml`: add those of another language there."""

from pathlib import Path

import yaml

WORDS: dict[str, frozenset[str]] = {
    family: frozenset(words)
    for family, words in yaml.safe_load(Path(__file__).with_name("words.yml").read_text("utf-8")).items()
}
