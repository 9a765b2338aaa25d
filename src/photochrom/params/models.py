"""An entry under ``models``: a network, an objective, a decoding and how they are trained."""

from typing import Annotated, Literal, Self

from pydantic import Field, PositiveInt, model_validator

from photochrom.params.base import Section

Positive = Annotated[float, Field(gt=0.0)]
Decay = Annotated[float, Field(ge=0.0, lt=1.0)]
Width = Annotated[float, Field(gt=0.0, le=4.0)]


class ResNetParams(Section):
    """Studies 000 to 002: a ResNet cut short, then a decoder (``networks/resnet.py``)."""

    kind: Literal["resnet"]
    depth: Literal[18, 34]
    """18 or 34 layers."""
    pretrained: bool
    """Start from torchvision's ImageNet weights, the gray stem summed from the RGB stem."""
    decoder: Literal["deconvolution", "upsampling"]
    """``deconvolution`` learns its upsampling, ``upsampling`` repeats pixels (study 002)."""
    norm: bool
    """BatchNorm after the decoder's convolutions."""


class VGGParams(Section):
    """Zhang et al. 2016: VGG-style, dilated, deconvolution (``networks/vgg.py``)."""

    kind: Literal["vgg"]
    width: Width
    """Multiplies every channel count; 1 is the published 32.2 M parameters."""


class UNetParams(Section):
    """pix2pix's U-Net (``networks/unet.py``)."""

    kind: Literal["unet"]
    levels: Annotated[int, Field(ge=3, le=8)]
    """Halvings of the side: 8 at 256 px, 6 at 64 px."""
    width: PositiveInt
    """Channels of the first level; doubled at each, eightfold at most."""
    dropout: Annotated[float, Field(ge=0.0, lt=1.0)]
    """Dropout of the three innermost decoder levels but the deepest."""
    output: Literal["tanh", "linear"]
    """Last activation; classification needs ``linear``."""
    init: Literal["normal", "default"]
    """``normal`` draws weights from N(0, 0.02) as pix2pix does."""


class ResidualParams(Section):
    """Study 003: a U-Net of residual blocks with additive skips (``networks/residual.py``)."""

    kind: Literal["residual"]
    levels: Annotated[int, Field(ge=2, le=8)]
    """Halvings of the side."""
    width: PositiveInt
    """Channels of the first level; doubled at each, eightfold at most."""
    blocks: Annotated[int, Field(ge=1, le=8)]
    """Residual blocks of each level on either side."""
    dropout: Annotated[float, Field(ge=0.0, lt=1.0)]
    """Dropout of the three innermost decoder levels but the deepest."""
    output: Literal["tanh", "linear"]
    """Last activation; classification needs ``linear``."""
    init: Literal["normal", "default"]
    """``normal`` draws weights from N(0, 0.02)."""


class AutoencoderParams(Section):
    """Study 002: a linear bottleneck between convolutions (``networks/autoencoder.py``)."""

    kind: Literal["autoencoder"]
    width: PositiveInt
    """Channels of the first level; doubled at each of four."""
    grid: PositiveInt
    """Side of the map that enters the bottleneck: that of the photographs / 16."""
    latent: PositiveInt
    """Numbers that the bottleneck lets through."""
    output: Literal["tanh", "linear"]
    """Last activation; classification needs ``linear``."""


class EfficientNetParams(Section):
    """EfficientNet-Lite0 as the encoder of a U-Net (``networks/efficientnet.py``)."""

    kind: Literal["efficientnet"]
    pretrained: bool
    """Start the encoder from the packaged ImageNet weights."""
    enlarge: Literal[1, 2]
    """The encoder sees the photograph so many times as large: 2 suits small photographs."""
    width: Width
    """Multiplies the decoder's channels."""
    encoder_lr_scale: Annotated[float, Field(gt=0.0, le=1.0)]
    """The encoder's learning rate as a share of the others'. What was trained before wants smaller
    steps (Howard and Ruder 2018, section 3.2)."""
    mirrored: bool
    """When it does not learn, it says the mean of what it says of the photograph and mirrored."""


Network = Annotated[
    ResNetParams | VGGParams | UNetParams | ResidualParams | AutoencoderParams | EfficientNetParams,
    Field(discriminator="kind"),
]


class OptimizerParams(Section):
    """How one player's parameters move."""

    kind: Literal["adamw", "adam", "sgd"]
    lr: Positive
    """Peak learning rate."""
    betas: Annotated[tuple[Decay, Decay], Field(strict=False)]
    """Adam's moments; SGD takes the first as its momentum."""
    weight_decay: Annotated[float, Field(ge=0.0)]
    schedule: Literal["cosine", "constant"]
    """``cosine`` falls to zero at the last step."""
    warmup: Annotated[float, Field(ge=0.0, lt=1.0)]
    """Share of all steps in which the rate rises linearly to its peak."""
    clip: Positive | None
    """Largest norm of the gradient; null does not clip."""


class RegressionParams(Section):
    """The ab values themselves (``objectives/regression``)."""

    kind: Literal["regression"]
    loss: Literal["l2", "l1", "smooth_l1"]


class PriorRebalanceParams(Section):
    """The weights of Zhang et al. 2016 that the stage ``prior`` computes; lambda is prior.mix."""

    kind: Literal["prior"]


class CountRebalanceParams(Section):
    """Study 001, equation 1: w = (n + offset) ** -power, with n the pixels of the class."""

    kind: Literal["counts"]
    power: Annotated[float, Field(ge=0.0, le=4.0)]
    """0.5 is the study's square root; 0 weighs all colors alike."""
    offset: Annotated[float, Field(ge=1.0)]
    """Pixels added to those of every class."""


Rebalance = Annotated[PriorRebalanceParams | CountRebalanceParams, Field(discriminator="kind")]


class DecoderParams(Section):
    """Learns which color to show for a distribution (``networks/decoded.py``)."""

    width: Annotated[int, Field(ge=8, le=1024)]
    """Channels of its two hidden layers."""
    rarity: Annotated[float, Field(ge=0.0, le=1.0)]
    """Share of a pixel's weight that goes by the rarity of its true color, by the weights that
    rebalance, or those of the prior where nothing does; 0 weighs all alike."""
    price: Annotated[float, Field(ge=0.0)] | None
    """What a unit of the colorfulness of ab is worth at first, in ab units of error. It rises while
    outputs are less colorful than the truth, and falls while they are more; null lets them fade."""


class ClassificationParams(Section):
    """A distribution over color bins at every pixel (``objectives/classification``)."""

    kind: Literal["classification"]
    bins: Literal["gamut313", "grid256"]
    """The 313 bins of Zhang et al. 2016 or a 16 x 16 grid."""
    neighbours: Annotated[int, Field(ge=1, le=32)]
    """Bins that share a pixel; 1 is a hard target."""
    sigma: Positive
    """Width of their Gaussian weights, in ab units."""
    rebalance: Rebalance | None
    """Weigh pixels by the rarity of their color; null weighs all alike."""
    decoder: DecoderParams | None
    """Learn beside the distribution how to read it; null does not."""

    @property
    def weighs_bins(self) -> bool:
        """Whether anything goes by the rarity of colors."""
        return self.rebalance is not None or bool(self.decoder and self.decoder.rarity)

    @model_validator(mode="after")
    def _prior_is_of_bins(self) -> Self:
        if self.rebalance and self.rebalance.kind == "prior" and self.bins != "gamut313":
            raise ValueError(
                f"rebalance kind prior takes the prior of bins gamut313, not of {self.bins}; use "
                "kind counts, or null"
            )
        if self.rebalance is None and self.weighs_bins and self.bins != "gamut313":
            raise ValueError(
                f"decoder.rarity takes the prior of bins gamut313, not of {self.bins}; set it to "
                "0, or give a rebalance of kind counts"
            )
        return self


class PatchGANParams(Section):
    """Judges patches of L and ab together (``adversarial/patchgan.py``)."""

    kind: Literal["patchgan"]
    width: PositiveInt
    """Channels of the first layer; doubled at each, eightfold at most."""
    layers: Annotated[int, Field(ge=1, le=5)]
    """Halvings of the side: 3 gives the 70 x 70 patches of pix2pix."""
    init: Literal["normal", "default"]


class DCGANParams(Section):
    """Judges whole pictures of L and ab together (``adversarial/dcgan.py``)."""

    kind: Literal["dcgan"]
    width: PositiveInt
    """Channels of the first layer; doubled at each, eightfold at most."""
    layers: Annotated[int, Field(ge=1, le=6)]
    """Halvings of the side; a convolution over 4 x 4 gives the verdict: 3 at 32 px."""
    init: Literal["normal", "default"]


Discriminator = Annotated[PatchGANParams | DCGANParams, Field(discriminator="kind")]


class AdversarialParams(Section):
    """A generator against a discriminator (``objectives/adversarial``)."""

    kind: Literal["adversarial"]
    loss: Literal["lsgan", "bce", "minimax"]
    """``lsgan``: squared error to 0 and 1 (Mao et al. 2017); ``bce``: pix2pix's cross-entropy;
    ``minimax``: the log-loss whose generator minimises log(1 - D) (Goodfellow et al. 2014)."""
    pixel_loss: Literal["l1", "l2"]
    """The distance to the truth beside it, in ab / 110."""
    pixel_weight: Annotated[float, Field(ge=0.0)]
    """Lambda, the weight of that distance."""
    pretraining_epochs: Annotated[int, Field(ge=0)]
    """So many of the first epochs train the generator on the distance alone."""
    discriminator: Discriminator
    discriminator_optimizer: OptimizerParams


Objective = Annotated[
    RegressionParams | ClassificationParams | AdversarialParams, Field(discriminator="kind")
]


class DirectParams(Section):
    """The output is ab / 110."""

    kind: Literal["direct"]


class ArgmaxParams(Section):
    """The most probable bin."""

    kind: Literal["argmax"]


class MeanParams(Section):
    """The expectation over all bins."""

    kind: Literal["mean"]


class AnnealedMeanParams(Section):
    """The expectation of the sharpened distribution, softmax(logits / T) (Zhang et al. 2016)."""

    kind: Literal["annealed_mean"]
    temperature: Annotated[float, Field(gt=0.0, le=10.0)]


class LearnedParams(Section):
    """What the objective's ``decoder`` has learned to show."""

    kind: Literal["learned"]
    temperature: Annotated[float, Field(gt=0.0, le=10.0)]
    """1 shows that; others move it by what they move the annealed mean."""


Decoding = Annotated[
    DirectParams | ArgmaxParams | MeanParams | AnnealedMeanParams | LearnedParams,
    Field(discriminator="kind"),
]


class ImageParams(Section):
    """What the network sees of the stored squares."""

    size: Annotated[int, Field(ge=8)] | None
    """Train and colorize at this side; null takes the stored one."""
    crop: Annotated[int, Field(ge=8)] | None
    """Train on random crops of this side; null takes the whole."""
    scale: Annotated[float, Field(gt=0, lt=1)] | None
    """Enlarge at random: what is seen has at least this share of the side; null takes it all."""
    flip: bool
    """Mirror at random."""


class ModelParams(Section):
    """One row of the comparison."""

    study: Annotated[str, Field(min_length=1)]
    """The study it comes from, or ours."""
    network: Network
    objective: Objective
    decoding: Decoding
    optimizer: OptimizerParams
    epochs: PositiveInt
    batch_size: PositiveInt
    """Photographs of one step, over all devices."""
    image: ImageParams
    ema: Decay | None
    """Decay of the moving average of the weights that is kept; null keeps the weights."""
    keep: Literal["best", "best_l1", "last"]
    """Which epoch is kept: of the lowest validation loss, of the lowest L1 error, or the last."""

    @model_validator(mode="after")
    def _fits(self) -> Self:
        objective, decoding = self.objective.kind, self.decoding.kind
        classifies = objective == "classification"
        if classifies == (decoding == "direct"):
            choices = "argmax, mean, annealed_mean or learned" if classifies else "direct"
            raise ValueError(
                f"decoding {decoding} does not fit objective {objective}; use {choices}"
            )
        if decoding == "learned" and getattr(self.objective, "decoder", None) is None:
            raise ValueError(
                "decoding learned needs an objective.decoder that learns it; give one, or use "
                "decoding annealed_mean"
            )
        if classifies and getattr(self.network, "output", "linear") != "linear":
            raise ValueError(
                f"network {self.network.kind} with output tanh does not fit objective "
                "classification, whose logits are unbounded; use output linear"
            )
        if isinstance(self.objective, AdversarialParams) and self.objective.pretraining_epochs:
            self._pretrains(self.objective)
        return self

    def _pretrains(self, objective: AdversarialParams) -> None:
        if objective.pretraining_epochs >= self.epochs:
            raise ValueError(
                f"objective.pretraining_epochs {objective.pretraining_epochs} leaves none of the "
                f"{self.epochs} epochs to the discriminator; use fewer, or objective regression"
            )
        if not objective.pixel_weight:
            raise ValueError(
                "objective.pixel_weight 0 leaves pretraining nothing to learn from; raise it, or "
                "set objective.pretraining_epochs to 0"
            )
        if objective.discriminator_optimizer.warmup:
            raise ValueError(
                "objective.discriminator_optimizer.warmup would pass while the generator is "
                "pretrained, since schedules count all steps; set it to 0"
            )
