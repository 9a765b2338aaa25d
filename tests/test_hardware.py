"""The device and the precision, chosen or asked for."""

import pytest
import torch

from photochrom import hardware
from photochrom.environment import SettingError

CPU = torch.device("cpu")


@pytest.fixture(autouse=True)
def _no_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("PHOTOCHROM_DEVICE", "PHOTOCHROM_PRECISION", "PHOTOCHROM_PROCESSES", "RANK"):
        monkeypatch.delenv(name, raising=False)


def test_a_gpu_is_taken_where_there_is_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert hardware.device() == CPU
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch, "empty", lambda *_, **__: None)
    assert hardware.device() == torch.device("cuda")


def test_processes_that_train_together_take_a_gpu_each(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch, "empty", lambda *_, **__: None)
    for name, value in (("RANK", "11"), ("WORLD_SIZE", "16"), ("LOCAL_RANK", "3")):
        monkeypatch.setenv(name, value)
    assert hardware.device() == torch.device("cuda:3")
    monkeypatch.setenv("PHOTOCHROM_DEVICE", "cpu")
    assert hardware.device() == CPU


@pytest.mark.parametrize(
    ("gpus", "device", "asked", "expected"),
    [
        (0, None, None, 1),
        (0, None, "2", 2),
        (8, None, None, 8),
        (8, "cuda", None, 8),
        (8, "cuda:1", None, 1),
        (8, "cpu", None, 1),
        (8, None, "4", 4),
    ],
)
def test_one_process_trains_on_each_gpu(
    gpus: int,
    device: str | None,
    asked: str | None,
    expected: int,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: gpus > 0)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: gpus)
    for name, value in (("PHOTOCHROM_DEVICE", device), ("PHOTOCHROM_PROCESSES", asked)):
        if value is not None:
            monkeypatch.setenv(name, value)
    assert hardware.processes() == expected


def test_the_device_asked_for_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setenv("PHOTOCHROM_DEVICE", "cpu")
    assert hardware.device() == CPU


@pytest.mark.parametrize("name", ["toaster", "cuda:99", "cpu:x"])
def test_a_device_that_is_not_here_is_refused_in_one_line(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PHOTOCHROM_DEVICE", name)
    with pytest.raises(SettingError) as caught:
        hardware.device()
    assert f"The device {name} cannot be used" in str(caught.value)
    assert "set PHOTOCHROM_DEVICE" in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("asked", "expected"), [("bfloat16", torch.bfloat16), ("float32", torch.float32)]
)
def test_the_precision_asked_for_is_taken(
    asked: str, expected: torch.dtype, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PHOTOCHROM_PRECISION", asked)
    assert hardware.precision(CPU) == expected


def test_another_precision_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PHOTOCHROM_PRECISION", "float16")
    with pytest.raises(SettingError, match="'float16': set it to bfloat16 or float32"):
        hardware.precision(CPU)


@pytest.mark.parametrize(("fast", "expected"), [(True, torch.bfloat16), (False, torch.float32)])
def test_precision_follows_the_hardware(
    fast: bool, expected: torch.dtype, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: {"avx512_bf16": fast}, raising=False)
    assert hardware.precision(CPU) == expected
    monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda emulated: fast and not emulated)
    assert hardware.precision(torch.device("cuda")) == expected


def test_a_torch_that_cannot_tell_computes_in_full_precision(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delattr(torch.cpu, "get_capabilities", raising=False)
    assert hardware.precision(CPU) == torch.float32


def test_the_device_has_a_name() -> None:
    assert hardware.name(CPU) == f"CPU, {torch.get_num_threads()} threads"
