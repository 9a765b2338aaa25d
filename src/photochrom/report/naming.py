"""What ImageNet's classes are called, where a package that knows it is installed."""

from collections.abc import Mapping
from functools import cache
from importlib.util import find_spec
from pathlib import Path

LEMMAS = "data/_info/imagenet_synset_to_lemma.txt"
"""In the package timm: WordNet's numbers, each with its words. Read without importing the package,
which takes seconds."""


def class_name(label: str) -> str:
    """Return a class in words, ``goldfish`` for ``n01443537``; a label that has none as it is."""
    return _names().get(label, label)


@cache
def _names() -> Mapping[str, str]:
    spec = find_spec("timm")
    folders = spec.submodule_search_locations if spec else None
    files = [path for folder in folders or () if (path := Path(folder, LEMMAS)).is_file()]
    lines = [line for path in files for line in path.read_text(encoding="utf-8").splitlines()]
    pairs = (line.partition("\t") for line in lines)
    # The first of several words for a thing is the most usual.
    return {number: words.split(",")[0].strip() for number, _, words in pairs if words.strip()}
