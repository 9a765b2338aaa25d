"""Stage ``filter``: which photographs are kept, why the others are not, and the splits."""

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from joblib import Parallel, delayed
from PIL import Image
from torch import Tensor

from photochrom import environment
from photochrom.color.colorfulness import both_colorfulnesses
from photochrom.data.raw import RawReader, read_manifest
from photochrom.data.sources.base import UnreadableError
from photochrom.params.data import FilterParams, SplitParams
from photochrom.pictures.opening import BadPhotographError, open_photograph
from photochrom.progress import track

MEASURED_SIDE = 256
"""Photographs are measured at the smallest whole fraction whose shorter side is at least this."""
GRAY_LEVELS, GRAY_SHARE = 4, 0.001
CHUNK = 128
SPLITS = ("train", "validation", "test")
REASONS = (
    "corrupt", "too large", "too small", "gray", "not colorful", "duplicate", "near duplicate",
)  # fmt: skip


class SelectionError(Exception):
    """The filter leaves nothing to train, choose or measure with; the message says what to do."""


@dataclass(frozen=True)
class Measured:
    """What one look at a photograph tells.

    Attributes
    ----------
    sha256 : of the encoded file.
    width, height : upright, in pixels; 0 where it cannot be opened.
    colorfulness, colorfulness_absolute : both published variants; NaN where it cannot be opened.
    hash : 64-bit difference hash, 16 hexadecimal digits; empty where it cannot be opened.
    reason, detail : why it cannot be kept by itself, or empty.
    """

    sha256: str = ""
    width: int = 0
    height: int = 0
    colorfulness: float = float("nan")
    colorfulness_absolute: float = float("nan")
    hash: str = ""
    reason: str = ""
    detail: str = ""


def select(raw: Path, params: FilterParams) -> pd.DataFrame:
    """Judge every photograph of ``raw``.

    Returns
    -------
    The raw manifest with the columns of :class:`Measured`, ``status`` (kept or rejected) and
    ``split``; one row per photograph, in the order of the raw manifest.

    Raises
    ------
    SelectionError
        If a split would be empty.
    """
    manifest = read_manifest(raw)
    if manifest.empty:
        raise SelectionError("There are no photographs in data/raw: look at the data section.")
    measured = pd.DataFrame(map(asdict, _measure_all(raw, manifest, params)), index=manifest.index)
    table = manifest.drop(columns="sha256").join(measured)
    _reject_duplicates(table)
    if params.near_duplicate_bits is not None:
        _reject_near_duplicates(table, params.near_duplicate_bits)
    table["status"] = np.where(table["reason"] == "", "kept", "rejected")
    table["split"] = _splits(table, params.split)
    _check(table, manifest)
    return table


def measure(data: bytes, params: FilterParams) -> Measured:
    """Measure one encoded photograph and judge it by itself; never raises for a bad one."""
    digest = hashlib.sha256(data).hexdigest()
    try:
        image = open_photograph(data, params.max_megapixels, MEASURED_SIDE)
    except BadPhotographError as error:
        return Measured(sha256=digest, reason=error.fault, detail=str(error))
    width, height = image.info["full_size"]
    rgb = torch.from_numpy(np.array(image)).movedim(-1, 0).contiguous()
    signed, absolute = (float(value) for value in both_colorfulnesses(rgb))
    reason, detail = _judge(min(width, height), signed, rgb, params)
    return Measured(digest, width, height, signed, absolute, difference_hash(image), reason, detail)


def difference_hash(image: Image.Image) -> str:
    """Return the 64-bit difference hash: is each of 9 x 8 gray areas darker than its right one."""
    small = np.asarray(image.convert("L").resize((9, 8), Image.Resampling.BOX), dtype=np.int16)
    return np.packbits(small[:, 1:] > small[:, :-1]).tobytes().hex()


def split_of(group: str, params: SplitParams) -> str:
    """Return the split of a group: train, validation or test, by a hash of its name."""
    digest = hashlib.sha256(f"{params.seed}:{group}".encode()).digest()
    share = int.from_bytes(digest[:8]) / 2**64
    if share < params.test:
        return "test"
    return "validation" if share < params.test + params.validation else "train"


def summary(table: pd.DataFrame) -> dict[str, float]:
    """Return the counts and mean colorfulness of a judged manifest, as flat numbers."""
    kept = table[table["status"] == "kept"]
    numbers: dict[str, float] = {"photographs": len(table), "kept": len(kept)}
    for reason in REASONS:
        numbers[f"rejected_{reason.replace(' ', '_')}"] = int((table["reason"] == reason).sum())
    for split in SPLITS:
        of_split = kept[kept["split"] == split]
        numbers[split] = len(of_split)
        numbers[f"groups_{split}"] = of_split["group"].nunique()
    for column in ("colorfulness", "colorfulness_absolute"):
        numbers[f"mean_{column}"] = round(float(kept[column].mean()), 3)
    return numbers


def _judge(side: int, signed: float, rgb: Tensor, params: FilterParams) -> tuple[str, str]:
    if side < params.min_side:
        return "too small", f"Its shorter side is {side} px, under {params.min_side}."
    if params.min_colorfulness is None:
        return "", ""
    red, green, blue = rgb
    spread = torch.maximum(red, green).maximum(blue) - torch.minimum(red, green).minimum(blue)
    if (spread > GRAY_LEVELS).count_nonzero() < GRAY_SHARE * spread.numel():
        return "gray", "It has no color."
    if signed < params.min_colorfulness:
        return (
            "not colorful",
            f"Its colorfulness is {signed:.1f}, under {params.min_colorfulness:g}.",
        )
    return "", ""


def _measure_all(raw: Path, manifest: pd.DataFrame, params: FilterParams) -> Iterator[Measured]:
    size = environment.chunk_size(len(manifest), CHUNK)
    starts = range(0, len(manifest), size)
    chunks = (manifest.iloc[start : start + size] for start in starts)
    results = Parallel(
        n_jobs=environment.workers(), return_as="generator", pre_dispatch="4*n_jobs"
    )(delayed(_measure_chunk)(raw, chunk, params) for chunk in chunks)
    for measured in track(results, "Measuring photographs", total=len(starts)):
        yield from measured


def _measure_chunk(raw: Path, chunk: pd.DataFrame, params: FilterParams) -> list[Measured]:
    torch.set_num_threads(1)
    reader = RawReader(raw)
    return [_measure_row(reader, row, params) for row in chunk.itertuples(index=False)]


def _measure_row(reader: RawReader, row: Any, params: FilterParams) -> Measured:
    try:
        return measure(reader.read(row.shard, row.path), params)
    except UnreadableError as error:
        return Measured(reason="corrupt", detail=str(error))


def _reject_duplicates(table: pd.DataFrame) -> None:
    usable = table[table["reason"] == ""]
    first = usable.groupby("sha256")["id"].transform("first")
    again = first[first != usable["id"]]
    _reject(table, again.index, "duplicate", [f"It is the same file as {name}." for name in again])


def _reject_near_duplicates(table: pd.DataFrame, bits: int) -> None:
    usable = table[table["reason"] == ""]
    twins = near_duplicates(usable["hash"].tolist(), bits)
    rows = usable.index[list(twins)]
    names = usable["id"].iloc[list(twins.values())]
    _reject(table, rows, "near duplicate", [f"It looks the same as {name}." for name in names])


def _reject(table: pd.DataFrame, rows: pd.Index, reason: str, details: Sequence[str]) -> None:
    table.loc[rows, "reason"] = reason
    table.loc[rows, "detail"] = list(details)


def near_duplicates(hashes: Sequence[str], bits: int) -> dict[int, int]:
    """Find the hashes that differ from an earlier, kept one in at most ``bits`` (0..3) bits.

    Returns
    -------
    position of the later -> position of the earlier. Two hashes that differ in at most 3 of 64
    bits agree in one of four quarters, so only hashes that share a quarter are compared: time
    grows with the number of photographs, not with its square.
    """
    seen: list[dict[str, list[int]]] = [{}, {}, {}, {}]
    values = [int(text, 16) for text in hashes]
    twins: dict[int, int] = {}
    for position, text in enumerate(hashes):
        quarters = [text[start : start + 4] for start in (0, 4, 8, 12)]
        rivals = {
            r for table, part in zip(seen, quarters, strict=True) for r in table.get(part, ())
        }
        close = [r for r in rivals if (values[r] ^ values[position]).bit_count() <= bits]
        if close:
            twins[position] = min(close)
            continue
        for table, part in zip(seen, quarters, strict=True):
            table.setdefault(part, []).append(position)
    return twins


def _splits(table: pd.DataFrame, params: SplitParams) -> pd.Series:
    own = table["split"] if params.own else pd.Series(None, index=table.index, dtype=object)
    if not own.isin(["validation", "test"]).any():
        return table["group"].map(lambda group: split_of(group, params))
    # A set with its own test photographs lends training photographs for validation, and one
    # with training and validation folders only is measured on the latter.
    if not (own == "test").any():
        own = own.replace("validation", "test")
    if (own == "validation").any():
        return own.fillna("train")
    only = params.model_copy(update={"test": 0.0})
    drawn = table["group"].map(lambda group: split_of(group, only))
    return own.where(own == "test", drawn)


def _check(table: pd.DataFrame, manifest: pd.DataFrame) -> None:
    kept = table[table["status"] == "kept"]
    for split in SPLITS:
        if not (kept["split"] == split).any():
            reasons = table["reason"].value_counts().drop("", errors="ignore").to_dict()
            raise SelectionError(
                f"No photograph is left for {split}: {len(kept)} of {len(manifest)} were kept "
                f"(rejected: {reasons or 'none'}). Loosen filter, give more photographs, or "
                "change filter.split."
            )
