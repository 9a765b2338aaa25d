"""The model card says what the files say, and that it does not know what they do not."""

import json
from pathlib import Path

import pytest
from export_kit import entry, write_model
from project_kit import NAME, SMALL, write_metrics, write_project
from ruamel.yaml import YAML

from photochrom.colorizer.card import decoding_in_words
from photochrom.colorizer.catalog import find
from photochrom.colorizer.packing import pack
from photochrom.params.models import AnnealedMeanParams, LearnedParams, ModelParams

TERMS = "Research use only."


@pytest.fixture
def root(tmp_path: Path) -> Path:
    write_project(tmp_path)
    return tmp_path


def card_of(root: Path, name: str = NAME, notes: str = "", **changes: object) -> str:
    found = find(name, root)
    config = found.config.model_copy(update=changes)
    done = pack(found, root / "packed", config, TERMS, notes)
    return (done.folder / "MODEL_CARD.md").read_text(encoding="utf-8")


def row(card: str, title: str) -> list[str]:
    (line,) = [line for line in card.splitlines() if line.startswith(f"| {title} |")]
    return [cell.strip() for cell in line.strip("|").split("|")][1:]


def test_it_begins_with_what_catalogs_read(root: Path) -> None:
    _, head, _ = card_of(root).split("---\n", 2)
    told = YAML(typ="safe").load(head)
    assert (told["license"], told["license_name"]) == ("other", TERMS)
    assert told["tags"] == ["image-colorization"]


def test_it_says_what_the_model_is(root: Path) -> None:
    card = card_of(root)
    config = json.loads((root / "packed/config.json").read_text())
    assert row(card, "License of the weights") == [TERMS]
    assert row(card, "Parameters") == [f"{config['parameters']:,}"]
    assert row(card, "SHA-256 of `weights.safetensors`") == [f"`{config['sha256']}`"]
    size = (root / "packed/weights.safetensors").stat().st_size
    assert row(card, "`weights.safetensors`") == [f"{size:,} bytes, float16"]
    assert row(card, "Working size") == ["64 px on the shorter side"]
    assert "temperature 0.38" in row(card, "Decoding")[0]
    assert "a distribution over 313 colors" in card


def test_it_says_what_it_was_trained_on(root: Path) -> None:
    card = card_of(root)
    assert row(card, "To train on") == ["5"]
    assert row(card, "To measure on") == ["3"]
    assert row(card, "Photographs") == ["1,200, of which 1,000 were kept"]
    assert row(card, "Left out") == ["150 gray, 50 too small"]
    assert row(card, "Colorfulness") == ["15 or more (Hasler and Suesstrunk 2003)"]
    assert row(card, "Archive") == ["`old photos.zip`"]
    assert "somebody" not in card
    assert str(root) not in card


def test_photographs_that_were_exchanged_are_not_told_as_its_own(root: Path) -> None:
    path = root / "data/lab/lab.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "sha256": "0" * 64}))
    card = card_of(root)
    assert row(card, "Photographs") == [
        "no longer those that data/ holds: nothing is known of them"
    ]
    assert "Archive" not in card


def test_its_recipe_can_be_pasted_into_params_yaml(root: Path) -> None:
    card = card_of(root)
    recipe = YAML(typ="safe").load(card.split("```yaml\n")[1].split("```")[0])
    assert ModelParams.model_validate(recipe[NAME]) == entry(NAME)
    assert row(card, "Seed") == ["0"]
    assert row(card, "Time") == ["13 min"]
    assert row(card, "Epochs") == ["8, of which number 6 is kept"]
    assert row(card, "Code") == ["commit `c0ffeec0ffee`"]
    assert f"git checkout c0ffeec0ffee\ndvc repro evaluate@{NAME}\n" in card


def test_measures_stand_beside_gray_the_truth_and_the_best_other(root: Path) -> None:
    auc = {"auc": [60.04, 63.0]}
    write_metrics(root, NAME, auc=61.0, ciede2000=9.125, colorfulness_delta=-4.0, interval=auc)
    write_metrics(root, SMALL, auc=60.0, ciede2000=8.0, colorfulness_delta=-3.0)
    write_metrics(root, "gray", auc=50.0, ciede2000=12.0)
    write_metrics(root, "truth", auc=100.0, ciede2000=-0.001)
    card = card_of(root)
    assert row(card, "AuC (%)") == [
        "higher", "61.0", "60.0 to 63.0", "50.0", "100.0", f"60.0 (`{SMALL}`)",
    ]  # fmt: skip
    assert row(card, "CIEDE2000") == ["lower", "9.12", "–", "12.00", "0.00", f"8.00 (`{SMALL}`)"]
    assert row(card, "Δ colorfulness")[1:] == ["−4.0", "–", "–", "–", f"−3.0 (`{SMALL}`)"]
    assert "On 30 photographs" in card
    assert "the best of 1 other model trained" in card
    assert "unlike this package" not in card
    assert "older than" not in card


def test_models_that_saw_other_photographs_do_not_stand_beside_it(root: Path) -> None:
    write_metrics(root, NAME, auc=61.0)
    write_metrics(root, SMALL, photographs=31, auc=99.0)
    card = card_of(root)
    assert row(card, "AuC (%)") == ["higher", "61.0", "–", "–", "–"]
    assert SMALL not in card


def test_it_says_where_the_package_is_not_what_was_measured(root: Path) -> None:
    write_metrics(root, NAME, auc=61.0)
    other = AnnealedMeanParams(kind="annealed_mean", temperature=0.9)
    card = card_of(root, decoding=other, image_size=96)
    assert "with decoding by the annealed mean at temperature 0.38" in card
    assert "a working size of 64 px, unlike this package" in card
    assert "temperature 0.9" in row(card, "Decoding")[0]


def test_it_says_that_its_colors_were_learned() -> None:
    learned = LearnedParams(kind="learned", temperature=1.0)
    assert decoding_in_words(learned).endswith("has learned to show for a distribution")
    bold = learned.model_copy(update={"temperature": 0.5})
    assert decoding_in_words(bold).endswith("for a distribution at temperature 0.5")


def test_it_says_where_measures_are_older_than_the_model(root: Path) -> None:
    write_metrics(root, NAME, auc=61.0)
    place = f"models/{NAME}"
    stages = {
        f"train@{NAME}": {"outs": [{"path": place, "md5": "new"}]},
        f"evaluate@{NAME}": {
            "deps": [{"path": place, "md5": "old"}],
            "outs": [{"path": f"results/evaluate/{NAME}/metrics.json", "md5": "1"}],
        },
    }
    YAML().dump({"schema": "2.0", "stages": stages}, root / "dvc.lock")
    assert "These numbers are older" in card_of(root)


def test_what_no_file_knows_comes_from_the_notes(root: Path) -> None:
    assert "Nobody has written down what it is for" in card_of(root)
    card = card_of(root, notes="\n## Intended use\n\nFamily albums.\n")
    assert "Nobody has written" not in card
    assert card.index("Family albums.") < card.index("## Limits of every such model")


def test_a_model_from_elsewhere_has_a_card_that_says_so(tmp_path: Path) -> None:
    folder = write_model(tmp_path / "found", entry(SMALL))
    found = find(folder)
    done = pack(found, tmp_path / "packed", found.config, TERMS)
    card = (done.folder / "MODEL_CARD.md").read_text(encoding="utf-8")
    assert "No record of the photographs came with the model." in card
    assert "No record of the training came with the model." in card
    assert "It was not measured." in card
    assert "Nothing is known of how it was trained." in card
    assert "It gives each pixel one color." in card
    assert "4 squares of noise" in card
    assert "\n\n\n" not in card
