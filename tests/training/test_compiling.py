"""torch.compile: when it is used, and that it changes nothing but the speed."""

from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn
from training_kit import CPU, MODELS, Watcher, assert_equal_states, model_of, trainer_of

from photochrom import environment
from photochrom.training import compiling
from photochrom.training.compiling import TIMED, WORTH_SECONDS, Compilation
from photochrom.training.distributed import ALONE


@pytest.fixture
def traced(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Have torch.compile trace the networks without generating code; note the modes."""
    modes: list[str] = []
    honest = nn.Module.compile

    def compile_(module: nn.Module, mode: str, **options: Any) -> None:
        modes.append(mode)
        honest(module, backend="eager", **options)

    monkeypatch.setattr(nn.Module, "compile", compile_)
    return modes


@pytest.mark.parametrize("name", ["regression", "gan"])
def test_a_compiled_training_comes_to_the_same(
    name: str, lab: Path, tmp_path: Path, traced: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    plain = trainer_of(model_of(MODELS[name]), lab, tmp_path / "plain").run(Watcher())
    assert traced == []
    monkeypatch.setenv("PHOTOCHROM_COMPILE", "default")
    trainer = trainer_of(model_of(MODELS[name]), lab, tmp_path / "compiled")
    assert trainer.compilation.done
    assert traced == ["default"] * len(trainer.task.players())
    assert_equal_states(plain, trainer.run(Watcher()))


@pytest.mark.parametrize("worth", [True, False])
def test_a_gpu_compiles_what_lasts(
    worth: bool, traced: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = iter((100.0, 100.0 + TIMED - compiling.WARM))
    monkeypatch.setattr(Compilation, "_now", lambda _: next(clock))
    compilation = Compilation([nn.Linear(1, 1)], torch.device("cuda"), ALONE)
    left = int(WORTH_SECONDS) + (1 if worth else 0)
    for _ in range(3 * TIMED):
        compilation.consider(left)
    assert compilation.done == worth
    assert traced == (["default"] if worth else [])


@pytest.mark.parametrize("mode", ["", "auto", "off"])
def test_a_cpu_compiles_nothing_by_itself(
    mode: str, traced: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PHOTOCHROM_COMPILE", mode)
    compilation = Compilation([nn.Linear(1, 1)], CPU, ALONE)
    for _ in range(3 * TIMED):
        compilation.consider(10**9)
    assert not compilation.done
    assert traced == []


def test_an_unknown_mode_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PHOTOCHROM_COMPILE", "fast")
    with pytest.raises(environment.SettingError, match="set it to one of auto, off, default"):
        environment.compile_mode()
