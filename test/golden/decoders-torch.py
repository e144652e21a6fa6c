"""Writes decoders-torch.json beside this file: how many weights segmentation_models.pytorch trains by encoder and decoder,
and what its decoders make of the formula's weights and features: logits, and gradients of their sum with the formula's dy.

python3 -m venv venv && venv/bin/pip install torch==2.15.0 segmentation-models-pytorch==0.6.0 timm==1.0.31
venv/bin/python test/golden/decoders-torch.py
"""

import json
import pathlib
import re

import segmentation_models_pytorch as smp
import timm.layers
import torch
from segmentation_models_pytorch.base.heads import SegmentationHead
from segmentation_models_pytorch.decoders.fpn import decoder as fpn
from segmentation_models_pytorch.decoders.unet.decoder import UnetDecoder
from segmentation_models_pytorch.decoders.unetplusplus.decoder import UnetPlusPlusDecoder

import formula

SIDE, COUNT = 32, 2
CHANNELS = [16, 24, 32, 40, 64]
LEVELS = [256, 128, 64, 32, 16]
COUNTED = {
    "unet": (smp.Unet, {}),
    "unet scse": (smp.Unet, {"decoder_attention_type": "scse"}),
    "unetpp": (smp.UnetPlusPlus, {}),
    "unetpp scse": (smp.UnetPlusPlus, {"decoder_attention_type": "scse"}),
    "fpn": (smp.FPN, {}),
}
UNET = {"encoder_channels": [1, *CHANNELS], "decoder_channels": LEVELS}
# Ours by decoder and choices, each with theirs.
COMPARED = {
    "unet scse": lambda: UnetDecoder(**UNET, attention_type="scse"),
    "unetpp": lambda: UnetPlusPlusDecoder(**UNET),
    "unetpp scse group bilinear": lambda: UnetPlusPlusDecoder(
        **UNET, attention_type="scse", interpolation_mode="bilinear"
    ),
    "fpn": lambda: fpn.FPNDecoder([1, *CHANNELS], dropout=0),
    "fpn group": lambda: fpn.FPNDecoder([1, *CHANNELS], dropout=0),
}
KERAS_EPSILON, GROUP_EPSILON = 1e-3, 1e-5
LETTERS = "abcde"


def count(encoder, make, options):
    model = make(encoder, encoder_weights=None, classes=1, **options)
    # The end of the encoder's classifier takes no part, and neither does the attention to skips in the block without one.
    unused = ("encoder._conv_head", "encoder._bn1", "decoder.blocks.4.attention1", "decoder.blocks.x_0_4.attention1")
    return sum(
        one.numel()
        for name, one in model.named_parameters()
        if one.requires_grad and not name.startswith(unused)
    )


def half_pixels(x, scale_factor=None, mode="nearest", align_corners=None):
    return torch.nn.functional.interpolate(x, scale_factor=scale_factor, mode=mode)


def replace(decoder, group):
    """Normalizations by batch or group, with their epsilons, and before those by group timm's standardized convolutions."""
    for module in list(decoder.modules()):
        for name, child in list(module.named_children()):
            if group and isinstance(child, torch.nn.Conv2d) and child.kernel_size == (3, 3):
                sides = (child.in_channels, child.out_channels, 3)
                setattr(module, name, timm.layers.StdConv2d(*sides, padding=1, eps=GROUP_EPSILON))
            if isinstance(child, (torch.nn.BatchNorm2d, torch.nn.GroupNorm)):
                channels = child.weight.numel()
                groups = max(n for n in range(1, 33) if channels % n == 0 and (n == 1 or channels // n >= 4))
                by_group = torch.nn.GroupNorm(groups, channels, eps=GROUP_EPSILON)
                setattr(module, name, by_group if group else torch.nn.BatchNorm2d(channels, eps=KERAS_EPSILON))


PARTS = {
    r"conv1\.0": "conv_a",
    r"conv1\.1": "bn_a",
    r"conv2\.0": "conv_b",
    r"conv2\.1": "bn_b",
    r"attention1\.attention\.cSE\.1": "scse_in_reduce",
    r"attention1\.attention\.cSE\.3": "scse_in_expand",
    r"attention1\.attention\.sSE\.0": "scse_in_spatial",
    r"attention2\.attention\.cSE\.1": "scse_out_reduce",
    r"attention2\.attention\.cSE\.3": "scse_out_expand",
    r"attention2\.attention\.sSE\.0": "scse_out_spatial",
}


def our_layer(name):
    if name == "0":
        return "mask_logits"
    if found := re.fullmatch(r"blocks\.(\d)\.(.*)", name):
        return f"decoder{int(found[1]) + 1}_{part(found[2])}"
    if found := re.fullmatch(r"blocks\.x_(\d)_(\d)\.(.*)", name):
        return f"decoder{int(found[2]) + 1}{LETTERS[int(found[1])]}_{part(found[3])}"
    if found := re.fullmatch(r"p(\d)(\.skip_conv)?", name):
        return f"decoder{6 - int(found[1])}_lateral"
    found = re.fullmatch(r"seg_blocks\.(\d)\.block\.(\d)\.block\.(\d)", name)
    return f"decoder{int(found[1]) + 1}_{['conv', 'bn'][int(found[3])]}_{LETTERS[int(found[2])]}"


def part(name):
    return next(ours for theirs, ours in PARTS.items() if re.fullmatch(theirs, name))


def weights_of(network):
    """Every weight: our name, its tensor, and the order of axes that takes PyTorch's array to Keras's."""
    for name, module in network.named_modules():
        for kind, tensor in module.named_parameters(recurse=False):
            layer = our_layer(name)
            if isinstance(module, torch.nn.GroupNorm):
                layer = layer.replace("bn", "gn")
            if tensor.dim() == 4:
                yield f"{layer}/kernel", tensor, (2, 3, 1, 0)
            elif "conv" in layer or kind == "bias" and not isinstance(module, (torch.nn.GroupNorm, torch.nn.BatchNorm2d)):
                yield f"{layer}/bias", tensor, None
            else:
                yield f"{layer}/{'gamma' if kind == 'weight' else 'beta'}", tensor, None


def keras(tensor, axes):
    return tensor if axes is None else tensor.permute(*axes)


def compare(name, make):
    decoder = make()
    replace(decoder, "group" in name)
    head = SegmentationHead(128 if "fpn" in name else LEVELS[-1], 1, kernel_size=1 if "fpn" in name else 3)
    for network in (decoder, head):
        network.double().train()
        for ours, tensor, axes in weights_of(network):
            shape = tuple(keras(tensor, axes).shape)
            values = torch.from_numpy(formula.weight(ours, shape))
            with torch.no_grad():
                keras(tensor, axes).copy_(values)
    features = [torch.zeros(COUNT, 1, SIDE, SIDE)]
    for level, channels in enumerate(CHANNELS):
        side = SIDE >> (level + 1)
        values = formula.uniform(f"feature{level}", COUNT * side * side * channels).reshape(COUNT, side, side, channels)
        features.append(torch.from_numpy(values).permute(0, 3, 1, 2))
    logits = head(decoder(features))
    if "fpn" in name:
        logits = half_pixels(logits, scale_factor=4, mode="bilinear")
    dy = torch.from_numpy(formula.uniform("dy", COUNT * SIDE * SIDE)).reshape(COUNT, 1, SIDE, SIDE)
    (logits * dy).sum().backward()
    gradients = {
        ours: formula.digest(keras(tensor.grad, axes).numpy(), 8)
        for network in (decoder, head)
        for ours, tensor, axes in weights_of(network)
        if tensor.grad is not None
    }
    return {"logits": formula.digest(logits.detach().permute(0, 2, 3, 1).numpy()), "gradients": gradients}


# segmentation_models.pytorch lays corners upon corners here; half pixels are what everybody else has by now.
fpn.F = type("Resizing", (), {"interpolate": staticmethod(half_pixels)})
result = {
    "side": SIDE,
    "count": COUNT,
    "channels": CHANNELS,
    "parameters": {
        encoder: {name: count(encoder, make, options) for name, (make, options) in COUNTED.items()}
        for encoder in ("efficientnet-b0", "efficientnet-b4", "resnet34")
    },
    "compared": {name: compare(name, make) for name, make in COMPARED.items()},
}
(pathlib.Path(__file__).parent / "decoders-torch.json").write_text(json.dumps(result, separators=(",", ":")) + "\n")
