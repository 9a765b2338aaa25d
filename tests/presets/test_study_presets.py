"""Presets of the studies: whole models that set the others aside, and what extends them."""

from pathlib import Path
from typing import Any

import pytest
from dvc.utils.serialize import modify_yaml
from preset_kit import MODEL, SMALL, STUDIES, apply, write

from photochrom.params import ParamsError, bring_back, load_params, parse_yaml, set_aside
from photochrom.presets import PresetError, plan_preset

SHRINKABLE = {
    "network.width",
    "network.levels",
    "network.grid",
    "network.pretrained",
    "objective.discriminator.width",
    "objective.pretraining_epochs",
    "epochs",
    "batch_size",
    "image.size",
    "image.crop",
}


@pytest.mark.parametrize(("name", "models"), [*STUDIES.items(), *SMALL.items()])
def test_a_study_leaves_its_own_models_alone(name: str, models: list[str], project: Path) -> None:
    apply(name, project)
    params = load_params(project / "params.yaml")
    assert list(params.models) == models
    assert {model.study for model in params.models.values()} == {name.split("-")[1]}
    assert params.tracking.experiment == f"photochrom-{name}"


@pytest.mark.parametrize("name", STUDIES)
def test_a_small_study_keeps_the_recipe(name: str, project: Path) -> None:
    apply(name, project)
    whole = load_params(project / "params.yaml")
    apply(f"{name}-cpu", project)
    small = load_params(project / "params.yaml")
    for model in STUDIES[name]:
        changed = differences(whole.models[model].model_dump(), small.models[model].model_dump())
        assert changed <= SHRINKABLE, model
    kept = {"data", "filter", "lab", "models", "study", "tracking"}
    assert whole.model_dump(exclude=kept) == small.model_dump(exclude=kept)
    assert small.data.source == "samples"
    assert not any(getattr(small.models[m].network, "pretrained", False) for m in small.models)


def differences(first: dict[str, Any], second: dict[str, Any], prefix: str = "") -> set[str]:
    """Return the dotted keys whose values differ."""
    found: set[str] = set()
    for key in first | second:
        old, new = first.get(key), second.get(key)
        if isinstance(old, dict) and isinstance(new, dict):
            found |= differences(old, new, f"{prefix}{key}.")
        elif old != new:
            found.add(f"{prefix}{key}")
    return found


def test_a_whole_model_takes_the_place_of_one_that_comes_back(project: Path, default: str) -> None:
    first = next(iter(load_params(project / "params.yaml").models))
    write(project, "swap", f"# Swaps a model.\nmodels:\n  {first}:{MODEL}")
    swapped = apply("swap", project)
    assert list(load_params(project / "params.yaml").models)[-1] == first
    assert load_params(project / "params.yaml").models[first].network.kind == "vgg"
    assert f"#~   {first}:" in swapped.splitlines()
    assert apply("swap", project) == swapped
    assert apply("samples", project) == default


def test_what_is_set_aside_is_named_and_not_shown_line_by_line(project: Path) -> None:
    former = list(load_params(project / "params.yaml").models)
    there = plan_preset("study-004-cpu", [], project)
    assert not any(line.startswith(("-  ", "+#~")) and "dcgan" in line for line in there.diff())
    assert "+  dcgan:" in there.diff()
    assert there.notes == (
        "Set aside, in lines that begin with #~ until another preset brings them back: "
        f"{', '.join(former)}.",
    )
    apply("study-004-cpu", project)
    back = plan_preset("samples", [], project)
    assert back.notes[1:] == (f"Brought back: {', '.join(former)}.",)
    assert all("dcgan" not in line for line in back.diff())


def test_a_model_set_to_null_is_set_aside_with_its_comments(project: Path, default: str) -> None:
    block = f"  # Mine, above it.\n  mine:{MODEL}".replace("epochs", "# Inside.\n\n    epochs")
    start = default.index("\nmodels:\n") + len("\nmodels:\n")
    with_mine = f"{default[:start]}  # A note of its own.\n\n{block}\n{default[start:]}"
    (project / "params.yaml").write_text(with_mine, encoding="utf-8")
    write(project, "drop", "# Sets it aside.\nmodels:\n  mine: null\n")
    marked = "".join(f"#~ {line}\n" if line else "#~\n" for line in block.splitlines())
    assert apply("drop", project) == with_mine.replace(block, marked)
    assert "mine" not in load_params(project / "params.yaml").models
    assert apply("samples", project) == with_mine


def test_the_last_model_is_set_aside_and_the_next_section_stays(project: Path) -> None:
    last = list(load_params(project / "params.yaml").models)[-1]
    text = (project / "params.yaml").read_text(encoding="utf-8")
    write(project, "drop", f"# Sets it aside.\nmodels:\n  {last}: null\n")
    after = apply("drop", project)
    rest = text[text.index("\n\n# How models are measured") :]
    assert after.endswith(rest)
    assert after.removesuffix(rest).splitlines()[-1].startswith("#~ ")
    assert apply("samples", project) == text


def test_changes_to_a_studys_own_model_are_shown_or_named(project: Path) -> None:
    apply("study-004-cpu", project)
    mine = (project / "params.yaml").read_text(encoding="utf-8").replace("epochs: 16", "epochs: 77")
    (project / "params.yaml").write_text(mine, encoding="utf-8")
    assert "-    epochs: 77" in plan_preset("study-004-cpu", [], project).diff()
    notes = plan_preset("samples", [], project).notes
    assert notes[0] == "Removed, with any change of yours: the former preset's unet313, dcgan."


def test_models_in_braces_cannot_be_set_aside() -> None:
    with pytest.raises(ParamsError, match="not in braces"):
        set_aside("models: {one: {a: 1}, two: {a: 2}}\n", ["one"])


@pytest.mark.parametrize("comment", ["#~ a note of mine", "#~ note: mine", "#~   a: 1\n#~   a: 2"])
def test_a_mark_that_is_no_model_is_refused_with_its_line(comment: str) -> None:
    with pytest.raises(ParamsError, match=r"^params.yaml, line 3: the lines that begin with #~ "):
        bring_back(f"seed: 1\nmodels:\n{comment}\n  one:\n    a: 1\n")


def test_models_at_the_end_of_the_file_are_set_aside() -> None:
    text = "seed: 1\n# All.\nmodels:\n  one: {a: 1,\n    b: 2} # here\n\n  two:\n    a:"
    aside = set_aside(text, ["one", "two"])
    assert aside == (
        "seed: 1\n# All.\nmodels:\n#~   one: {a: 1,\n#~     b: 2} # here\n\n#~   two:\n#~     a:"
    )
    assert parse_yaml(aside, "aside") == {"seed": 1, "models": None}
    assert bring_back(aside) == text


def test_models_set_aside_and_then_spoilt_by_hand_are_named(project: Path) -> None:
    apply("study-004", project)
    file = project / "params.yaml"
    text = file.read_text(encoding="utf-8")
    file.write_text(text.replace("#~   dcgan:", "#~   dcgan: ["), encoding="utf-8")
    with pytest.raises(ParamsError, match=r"^params\.yaml, line \d+: the lines that begin with #~"):
        plan_preset("samples", [], project)


def test_the_asterisk_set_to_null_sets_aside_all_that_are_not_named(project: Path) -> None:
    first, second, *_ = load_params(project / "params.yaml").models
    text = f"# One alone.\nmodels:\n  '*': null\n  {second}: {{epochs: 7}}\n  mine:{MODEL}"
    write(project, "alone", text)
    after = apply("alone", project)
    models = load_params(project / "params.yaml").models
    assert list(models) == [second, "mine"]
    assert models[second].epochs == 7
    assert f"#~   {first}:" in after.splitlines()


def test_an_assignment_wins_over_a_study(project: Path) -> None:
    apply("study-004-cpu", project, "models.*.epochs=3", "models.dcgan.epochs=4")
    models = load_params(project / "params.yaml").models
    assert {name: model.epochs for name, model in models.items()} == {"unet313": 3, "dcgan": 4}


def test_a_preset_extends_others(project: Path) -> None:
    write(project, "low", "# Low.\ndata: {limit: 5, seed: 5}\ntrain: {seed: 5}\n")
    write(project, "middle", "# Middle.\nextends: low\ndata: {limit: 6, seed: 6}\n")
    write(project, "high", "# High.\nextends: middle\ndata: {limit: 7}\n")
    apply("high", project)
    params = load_params(project / "params.yaml")
    assert (params.data.limit, params.data.seed, params.train.seed) == (7, 6, 5)


def test_what_a_preset_requires_another_can_give(project: Path) -> None:
    write(project, "low", "# Low.\ndata: {path: !required here}\n")
    write(project, "high", "# High.\nextends: low\ndata: {path: there}\n")
    apply("high", project)
    assert load_params(project / "params.yaml").data.path == "there"
    with pytest.raises(PresetError, match=r"^Preset low needs to know more: add --set data\.path="):
        plan_preset("low", [], project)


def test_extending_in_a_circle_or_what_is_not_there_is_refused(project: Path) -> None:
    write(project, "one", "# One.\nextends: two\n")
    write(project, "two", "# Two.\nextends: one\n")
    with pytest.raises(PresetError, match=r"^Presets extend one another .* one > two > one: break"):
        plan_preset("one", [], project)
    write(project, "three", "# Three.\nextends: samplse\n")
    expected = "There is no preset samplse, which presets/three.yaml extends: did you mean samples?"
    with pytest.raises(PresetError) as caught:
        plan_preset("three", [], project)
    assert str(caught.value) == expected


def test_what_is_set_aside_survives_dvc(project: Path) -> None:
    """``dvc exp run --set-param`` parses and dumps params.yaml with its comments."""
    file = project / "params.yaml"
    before = load_params(file)
    apply("study-002-cpu", project)
    with modify_yaml(str(file)) as values:
        values["models"]["autoencoder"]["epochs"] = 5
    assert load_params(file).models["autoencoder"].epochs == 5
    apply("samples", project)
    assert load_params(file) == before
