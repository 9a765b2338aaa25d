"""What the columns of the comparison say of themselves."""

from typing import get_args

from photochrom.measures import MEASURES, Better


def test_keys_and_titles_are_unique() -> None:
    assert len({measure.key for measure in MEASURES}) == len(MEASURES)
    assert len({measure.title for measure in MEASURES}) == len(MEASURES)


def test_keys_can_be_columns_and_names_of_metrics() -> None:
    assert all(measure.key.isidentifier() for measure in MEASURES)
    assert all(measure.key == measure.key.lower() for measure in MEASURES)


def test_each_says_what_it_is() -> None:
    for measure in MEASURES:
        assert measure.definition.endswith("."), measure.key
        assert len(measure.definition) > 20, measure.key
        assert measure.better in get_args(Better), measure.key
        assert measure.digits >= 0, measure.key


def test_no_colorizer_is_ranked_by_how_colorful_or_large_it_is() -> None:
    better = {measure.key: measure.better for measure in MEASURES}
    informing = {"colorfulness", "colorfulness_absolute", "parameters"}
    assert {key for key, value in better.items() if value == "none"} == informing
    assert better["colorfulness_delta"] == "closest to 0"
    assert {better[key] for key in ("auc", "auc_rebalanced", "psnr", "ssim")} == {"higher"}
    assert {better[key] for key in ("ciede2000", "ab_mse", "milliseconds")} == {"lower"}
