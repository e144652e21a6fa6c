"""Writes encoders-torch.json beside this file: what timm's and torchvision's networks make of the formula's weights and
images, and the names that they publish their weights under.

python3 -m venv venv && venv/bin/pip install torch==2.15.0 torchvision==0.29.2 timm==1.0.31
venv/bin/python test/golden/encoders-torch.py
"""

import hashlib
import json
import pathlib

import timm
import torch
import torchvision

import formula

HERE = pathlib.Path(__file__).parent
SIDE, COUNT, MOMENTUM = 96, 2, 0.5
NETWORKS = {
    "efficientnet-lite0": "tf_efficientnet_lite0",
    "efficientnet-lite1": "tf_efficientnet_lite1",
    "efficientnet-lite2": "tf_efficientnet_lite2",
    "resnet18": "resnet18",
    "resnet34": "resnet34",
    "resnet50": "resnet50",
    "resnet101": "resnet101",
    "seresnext50-32x4d": "seresnext50_32x4d",
}
COMPARED = ["efficientnet-lite0", "efficientnet-lite2", "resnet34", "resnet50", "seresnext50-32x4d"]
NORM = {"weight": "gamma", "bias": "beta", "running_mean": "moving_mean", "running_var": "moving_variance"}
HEADS = ("conv_head.", "classifier.", "fc.")
LAYERS = {
    "resnet": ["act1", "layer1", "layer2", "layer3", "layer4"],
    "efficientnet": ["bn1", "blocks.1", "blocks.2", "blocks.4", "blocks.6"],
}


def our_name(module, name, kind):
    """`<module>/<weight>` with Keras's words, and the order of axes that takes PyTorch's array there."""
    if isinstance(module, torch.nn.modules.batchnorm._BatchNorm):
        return f"{name}/{NORM[kind]}", None
    if kind == "bias":
        return f"{name}/bias", None
    depthwise = module.groups > 1 and module.groups == module.in_channels
    return f"{name}/{'depthwise_kernel' if depthwise else 'kernel'}", (2, 3, 0, 1) if depthwise else (2, 3, 1, 0)


def weights_of(model, lite):
    """Every weight of the encoder: its published name, our name, its tensor and the order of axes."""
    for name, module in model.named_modules():
        if list(module.children()) and not isinstance(module, torch.nn.modules.batchnorm._BatchNorm):
            continue
        for kind, tensor in [*module.named_parameters(recurse=False), *module.named_buffers(recurse=False)]:
            published = f"{name}.{kind}"
            if kind == "num_batches_tracked" or published.startswith(HEADS) or (lite and name == "bn2"):
                continue
            ours, axes = our_name(module, name, kind)
            yield published, ours, tensor, axes


def fill(tensor, name, axes):
    shape = tuple(tensor.shape) if axes is None else tuple(tensor.shape[axis] for axis in axes)
    values = torch.from_numpy(formula.weight(name, shape))
    if axes is not None:
        values = values.permute([axes.index(axis) for axis in range(4)])
    with torch.no_grad():
        tensor.copy_(values)
    return shape


def features_of(model, layers, x):
    kept = {}
    hooks = [
        model.get_submodule(layer).register_forward_hook(lambda _, __, y, layer=layer: kept.update({layer: y}))
        for layer in layers
    ]
    model(x)
    for hook in hooks:
        hook.remove()
    return [kept[layer].permute(0, 2, 3, 1).numpy() for layer in layers]


def moved(model, x, lite):
    """Statistics after a batch: as PyTorch moves them, but with the biased variance of the batch, which Keras keeps."""
    counts = {}
    norms = {n: m for n, m in model.named_modules() if isinstance(m, torch.nn.modules.batchnorm._BatchNorm)}
    for name, module in norms.items():
        module.momentum = 1 - MOMENTUM
        module.register_forward_pre_hook(lambda _, x, name=name: counts.update({name: x[0].numel() // x[0].shape[1]}))
    before = {name: module.running_var.double().clone() for name, module in norms.items()}
    model.train()
    model(x)
    result = {}
    for published, ours, tensor, _ in weights_of(model, lite):
        name = ours.split("/")[0]
        if ours.endswith("/moving_mean"):
            result[ours] = formula.digest(tensor.numpy(), 4)
        if ours.endswith("/moving_variance"):
            n = counts[name]
            batch = (tensor.double() - MOMENTUM * before[name]) / (1 - MOMENTUM) * (n - 1) / n
            result[ours] = formula.digest((MOMENTUM * before[name] + (1 - MOMENTUM) * batch).numpy(), 4)
    return result


result = {"torch": torch.__version__, "timm": timm.__version__, "torchvision": torchvision.__version__, "networks": {}}
for name, published in NETWORKS.items():
    # What torchvision has is taken from there.
    lite = "lite" in name
    torch.manual_seed(0)
    plain = name.startswith("resnet")
    model = getattr(torchvision.models, published)() if plain else timm.create_model(published)
    lines, names = [], {}
    for theirs, ours, tensor, axes in weights_of(model, lite):
        shape = fill(tensor, ours, axes)
        lines.append(f"{ours} {list(shape)}")
        names[theirs] = [ours, list(tensor.shape)]
    entry = {"arrays": len(lines), "sha256": hashlib.sha256("\n".join(sorted(lines)).encode()).hexdigest()}
    if name in ("efficientnet-lite0", "resnet18", "seresnext50-32x4d"):
        entry["published"] = {
            key: [*names.get(key, [None, list(tensor.shape)])] for key, tensor in model.state_dict().items()
        }
    if name in COMPARED:
        model.eval()
        x = torch.from_numpy(formula.images(COUNT, SIDE) / 255).permute(0, 3, 1, 2).contiguous()
        family = "efficientnet" if lite else "resnet"
        layers = ["relu" if plain and layer == "act1" else layer for layer in LAYERS[family]]
        with torch.no_grad():
            entry["features"] = [formula.digest(level) for level in features_of(model, layers, x)]
            entry["moved"] = moved(model, x, lite)
    result["networks"][name] = entry
# What timm calls the weights of Keras's networks.
timm_b0 = timm.create_model("tf_efficientnet_b0").state_dict()
result["tf_efficientnet_b0"] = {key: list(tensor.shape) for key, tensor in timm_b0.items()}
(HERE / "encoders-torch.json").write_text(json.dumps(result, separators=(",", ":")) + "\n")
