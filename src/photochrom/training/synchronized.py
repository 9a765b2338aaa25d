"""Layers that see the whole batch although each process holds only its share of it.

Batch normalization takes mean and variance over all processes, dropout cuts its mask from that of
the whole batch: both then give what one process would. On GPUs batch normalization is PyTorch's
SyncBatchNorm; it does not compute on CPUs.
"""

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from photochrom.training.distributed import Group
from photochrom.training.division import Division


def synchronize(module: nn.Module, group: Group, division: Division, device: torch.device) -> None:
    """Replace the layers inside ``module`` that look at the batch; weights and names stay."""
    if group.size > 1 and device.type == "cuda":
        from timm.layers.norm_act import convert_sync_batchnorm

        convert_sync_batchnorm(module)
    elif group.size > 1:
        _replace(module, nn.BatchNorm2d, lambda layer: SharedBatchNorm(layer, group))
    if group.size > 1 or len(division.pieces) > 1:
        _replace(module, nn.Dropout, lambda layer: SharedDropout(layer.p, division))


def _replace(module: nn.Module, kind: type[nn.Module], make: Any) -> None:
    for name, child in module.named_children():
        if isinstance(child, kind):
            setattr(module, name, make(child))
        else:
            _replace(child, kind, make)


class SharedDropout(nn.Module):
    """Dropout whose mask is drawn for the whole batch, in the layout that one process would use."""

    def __init__(self, p: float, division: Division) -> None:
        super().__init__()
        self._p, self._division = p, division

    def forward(self, x: Tensor) -> Tensor:
        """Drop numbers of this process's piece (n, C, H, W)."""
        if not self.training:
            return x
        whole = torch.ones((self._division.total, *x.shape[1:]), dtype=x.dtype, device=x.device)
        if x.is_contiguous(memory_format=torch.channels_last):
            whole = whole.contiguous(memory_format=torch.channels_last)
        piece = self._division.current
        return x * F.dropout(whole, self._p)[piece.start : piece.stop]


class SharedBatchNorm(nn.BatchNorm2d):
    """Batch normalization over the photographs of all processes.

    Parameters
    ----------
    layer : whose weights and statistics it takes; what timm joins to it (an activation) follows.
    """

    def __init__(self, layer: nn.BatchNorm2d, group: Group) -> None:
        super().__init__(layer.num_features, layer.eps, layer.momentum, layer.affine)
        self.weight, self.bias = layer.weight, layer.bias
        self.running_mean, self.running_var = layer.running_mean, layer.running_var
        self.num_batches_tracked = layer.num_batches_tracked
        # timm's BatchNormAct2d has a dropout and an activation joined to it.
        joined = [getattr(layer, name) for name in ("drop", "act") if hasattr(layer, name)]
        self.after, self._group = nn.Sequential(*joined), group

    def forward(self, x: Tensor) -> Tensor:
        """Normalize this process's share (n, C, H, W)."""
        if not self.training:
            normal: Tensor = self.after(super().forward(x))
            return normal
        out, mean, var, count = _Normalize.apply(x, self.weight, self.bias, self.eps, self._group)
        self._remember(mean, var * (count / (count - 1)))
        shown: Tensor = self.after(out)
        return shown

    @torch.no_grad()
    def _remember(self, mean: Tensor, var: Tensor) -> None:
        assert self.running_mean is not None
        assert self.running_var is not None
        assert self.momentum is not None
        self.running_mean.lerp_(mean, self.momentum)
        self.running_var.lerp_(var, self.momentum)
        if self.num_batches_tracked is not None:
            self.num_batches_tracked.add_(1)


class _Normalize(torch.autograd.Function):
    """Ioffe and Szegedy 2015, algorithm 1, with its gradient; statistics over all processes."""

    @staticmethod
    def forward(
        ctx: Any, x: Tensor, weight: Tensor, bias: Tensor, eps: float, group: Group
    ) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        mean, var, count = _statistics(x, group)
        inverse = torch.rsqrt(var + eps)
        normal = (x.float() - _per_channel(mean)) * _per_channel(inverse)
        ctx.save_for_backward(normal, weight, inverse, count)
        ctx.group = group
        ctx.mark_non_differentiable(mean, var, count)
        out = normal * _per_channel(weight) + _per_channel(bias)
        return out.to(x.dtype), mean, var, count

    @staticmethod
    def backward(ctx: Any, *above: Tensor) -> tuple[Tensor | None, ...]:
        normal, weight, inverse, count = ctx.saved_tensors
        slope = above[0].float()
        of_weight, of_bias = (slope * normal).sum((0, 2, 3)), slope.sum((0, 2, 3))
        total_weight, total_bias = of_weight.clone(), of_bias.clone()
        ctx.group.sum((total_weight, total_bias))
        shared = _per_channel(total_bias / count) + normal * _per_channel(total_weight / count)
        of_x = (slope - shared) * _per_channel(weight * inverse)
        return of_x.to(above[0].dtype), of_weight, of_bias, None, None


def _statistics(x: Tensor, group: Group) -> tuple[Tensor, Tensor, Tensor]:
    """Return mean (C,), variance (C,) and count (1,) over all processes' (n, C, H, W)."""
    var, mean = torch.var_mean(x.float(), (0, 2, 3), correction=0)
    count = mean.new_tensor([x.numel() / x.shape[1]])
    gathered = group.gather(torch.cat((mean, var, count)).double())
    means, variances, counts = gathered.split((len(mean), len(mean), 1), dim=1)
    total = counts.sum(0)
    mean_of_all = (counts * means).sum(0) / total
    spread = variances + (means - mean_of_all).square()
    return mean_of_all.float(), ((counts * spread).sum(0) / total).float(), total.float()


def _per_channel(values: Tensor) -> Tensor:
    return values[:, None, None]
