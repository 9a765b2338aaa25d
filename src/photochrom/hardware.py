"""The torch device and precision of this machine."""

import torch

from photochrom import environment


def device() -> torch.device:
    """Return the device to compute on: PHOTOCHROM_DEVICE, else a GPU if there is one.

    Processes that train together take a GPU each.
    """
    chosen = environment.device() or ("cuda" if torch.cuda.is_available() else "cpu")
    if chosen == "cuda" and environment.launched():
        chosen = f"cuda:{environment.local_rank()}"
    try:
        found = torch.device(chosen)
        torch.empty(1, device=found)
    except (RuntimeError, AssertionError) as error:
        reason = str(error).splitlines()[0]
        raise environment.SettingError(
            f"The device {chosen} cannot be used ({reason}); set PHOTOCHROM_DEVICE to another, "
            "such as cpu."
        ) from None
    return found


def precision(where: torch.device) -> torch.dtype:
    """Return the precision of networks: bfloat16 where the hardware computes in it.

    Lab, softmax, losses and decoding stay in float32 in either case.
    """
    if chosen := environment.precision():
        return torch.bfloat16 if chosen == "bfloat16" else torch.float32
    fast = torch.cuda.is_bf16_supported(False) if where.type == "cuda" else _cpu_has_bf16()
    return torch.bfloat16 if fast else torch.float32


def processes() -> int:
    """Return how many processes train a model together on this machine.

    PHOTOCHROM_PROCESSES, else one for each GPU; one where a single device was asked for.

    Raises
    ------
    SettingError
        If more are asked for than there are GPUs to compute on.
    """
    asked, device = environment.processes(), environment.device()
    if device == "cpu" or not torch.cuda.is_available():
        return asked or 1
    gpus = torch.cuda.device_count() if device in (None, "cuda") else 1
    if asked is not None and asked > gpus:
        raise environment.SettingError(
            f"PHOTOCHROM_PROCESSES is {asked}, but {gpus} may be used of the GPUs here: set it to "
            f"{gpus} or less, or PHOTOCHROM_DEVICE to cuda or cpu."
        )
    return asked or gpus


def name(where: torch.device) -> str:
    """Return what the device is called, for the record."""
    if where.type == "cuda":
        return str(torch.cuda.get_device_name(where))
    return f"CPU, {torch.get_num_threads()} threads"


def _cpu_has_bf16() -> bool:
    capabilities: dict[str, object] = getattr(torch.cpu, "get_capabilities", dict)()
    return bool(capabilities.get("avx512_bf16", False))
