"""How well each colorizer does on each hue: by the true color of the pixels."""

import csv
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from photochrom.color.hues import NAMES
from photochrom.report.reading import ReportError, stage_of
from photochrom.uncertainty import interval

SUMS = ("pixels", "auc", "chroma", "true_chroma")
MEASURES: Mapping[str, tuple[str, str, float]] = {
    "auc": ("auc", "pixels", 1.0),
    "chroma_kept": ("chroma", "true_chroma", 100.0),
}
"""Each as a ratio of two sums over the pixels of a hue: numerator, denominator, factor."""
CHUNK = 1_000_000
"""Most counts of groups in memory at once."""


@dataclass(frozen=True)
class Estimate:
    """A ratio with its 95 % interval, None where too few groups have the hue.

    NaN where there is nothing to divide by.
    """

    value: float
    interval: tuple[float, float] | None


@dataclass(frozen=True, eq=False)
class Hues:
    """How well each colorizer does on each hue.

    Attributes
    ----------
    names : of the colorizers, models and the gray baseline.
    present : the hues that occur, in the order of :data:`photochrom.color.hues.NAMES`.
    shares : percent of the test pixels that have each hue.
    estimates : by colorizer, hue and key of :data:`MEASURES`, in percent.
    best : by hue and key: the models that are best, as far as the photographs tell. Of what is
        best at 100 %, the nearest to it; of gray, the least color.
    """

    names: tuple[str, ...]
    present: tuple[str, ...]
    shares: Mapping[str, float]
    estimates: Mapping[tuple[str, str, str], Estimate]
    best: Mapping[tuple[str, str], frozenset[str]]


def compared_by_hue(
    tables: Mapping[str, pd.DataFrame],
    models: Sequence[str],
    groups: Sequence[str],
    resamples: int,
    seed: int,
) -> Hues:
    """Return what the tables of hues say, with intervals by a bootstrap over groups.

    Parameters
    ----------
    tables : by colorizer, as hues.parquet has them; of the same photographs.
    models : those that can be best.
    groups : all groups of the test photographs, with or without a hue.

    Raises
    ------
    ReportError
        If a table has a hue that is none, or a group that no test photograph has.
    """
    sums = np.stack([_sums(*named, groups) for named in tables.items()])
    pixels = sums[0, :, :, 0].sum(0)
    present = tuple(hue for hue, count in zip(NAMES, pixels, strict=True) if count)
    keys = [(hue, key) for hue in present for key in MEASURES]
    draws = _drawn(sums, resamples, seed)
    measured = {key: (_ratio(sums.sum(1), *key), _ratio(draws, *key)) for key in keys}
    return Hues(
        names=tuple(tables),
        present=present,
        shares=dict(zip(NAMES, 100.0 * pixels / pixels.sum(), strict=True)),
        estimates={
            (name, *key): Estimate(float(values[place]), interval(drawn[:, place]))
            for key, (values, drawn) in measured.items()
            for place, name in enumerate(tables)
        },
        best={key: _best(tuple(tables), models, *measured[key], *key) for key in keys},
    )


def hues_csv(hues: Hues) -> str:
    """Return all estimates: ``model``, ``hue``, ``share`` of the test pixels, ``auc`` and
    ``chroma_kept`` in percent, each with ``_low`` and ``_high``, empty where unknown."""
    ends = [f"{key}{end}" for key in MEASURES for end in ("", "_low", "_high")]
    lines: list[list[object]] = [["model", "hue", "share", *ends]]
    for name in hues.names:
        for hue in hues.present:
            found = [hues.estimates[name, hue, key] for key in MEASURES]
            numbers = [n for one in found for n in (one.value, *(one.interval or ("", "")))]
            lines.append([name, hue, _rounded(hues.shares[hue]), *map(_rounded, numbers)])
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(lines)
    return text.getvalue()


def _rounded(number: float | str) -> float | str:
    return number if isinstance(number, str) else "" if number != number else round(number, 6)


def _sums(name: str, table: pd.DataFrame, groups: Sequence[str]) -> np.ndarray:
    """Return the (G, H, 4) sums over the photographs of each group."""
    sums = np.zeros((len(groups), len(NAMES), len(SUMS)))
    places = (_places(name, table["group"], groups), _places(name, table["hue"], NAMES))
    np.add.at(sums, places, table[list(SUMS)].to_numpy())
    return sums


def _places(name: str, column: pd.Series, known: Sequence[str]) -> np.ndarray:
    places: np.ndarray = pd.Index(known).get_indexer(column)
    if (places < 0).any():
        raise ReportError(
            f"hues.parquet of {name} has the {column.name} {column[places < 0].iloc[0]!r}, which "
            f"the test photographs do not: run `dvc repro --force {stage_of(name)}`."
        )
    return places


def _drawn(sums: np.ndarray, resamples: int, seed: int) -> np.ndarray:
    """Return (B, C, H, 4) sums over as many groups as there are, drawn with replacement.

    All colorizers take the same draws, so that their differences are paired.
    """
    groups = sums.shape[1]
    if groups < 2:
        return np.full((resamples, *sums[:, 0].shape), np.nan)
    rng, rows = np.random.default_rng(seed), max(1, CHUNK // groups)
    steps = [min(rows, resamples - start) for start in range(0, resamples, rows)]
    counts = (rng.multinomial(groups, np.full(groups, 1 / groups), step) for step in steps)
    return np.concatenate([np.tensordot(count, sums, (1, 1)) for count in counts])


def _ratio(sums: np.ndarray, hue: str, key: str) -> np.ndarray:
    """Return the ratios of sums (.., H, 4); NaN where a draw lacks the hue."""
    over, under, factor = MEASURES[key]
    of_hue = sums[..., NAMES.index(hue), :]
    top, bottom = of_hue[..., SUMS.index(over)], of_hue[..., SUMS.index(under)]
    ratios: np.ndarray = np.divide(
        factor * top, bottom, out=np.full(top.shape, np.nan), where=bottom > 0
    )
    return ratios


def _best(
    names: Sequence[str],
    models: Sequence[str],
    values: np.ndarray,
    draws: np.ndarray,
    hue: str,
    key: str,
) -> frozenset[str]:
    """Return the best model and all whose paired difference to it cannot be told from 0.

    Nobody where a difference is unknown.
    """
    if not np.isfinite(values).all():
        return frozenset()
    places = [place for place, name in enumerate(names) if name in models]
    faults, drawn = _faults(values, hue, key), _faults(draws, hue, key)
    first = min(places, key=lambda place: float(faults[place]))
    ends = {p: interval(drawn[:, p] - drawn[:, first]) for p in places if p != first}
    if None in ends.values():
        return frozenset()
    equal = [place for place, between in ends.items() if between and _holds_zero(between)]
    return frozenset(names[place] for place in (first, *equal))


def _faults(ratios: np.ndarray, hue: str, key: str) -> np.ndarray:
    """Return how far ratios are from the best there could be."""
    if key == "chroma_kept":
        return ratios if hue == "gray" else np.abs(ratios - 100.0)
    return 100.0 - ratios


def _holds_zero(interval: tuple[float, float]) -> bool:
    return interval[0] <= 0 <= interval[1]
