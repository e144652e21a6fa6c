"""Writes weights/tiny.pth, tiny-legacy.pth, tiny-half.pth, tiny-model.pth and tiny.safetensors beside this file: the
formula's weights of a model of three layers in the forms that PyTorch and timm save.

python3 -m venv venv && venv/bin/pip install torch==2.15.0 safetensors==0.8.0
venv/bin/python test/golden/weights-torch.py
"""

import pathlib

import torch
from safetensors.torch import save_file

import formula

HERE = pathlib.Path(__file__).parent / "weights"


class Tiny(torch.nn.Sequential):
    def __init__(self):
        super().__init__()
        self.conv1 = torch.nn.Conv2d(3, 4, 3, bias=False)
        self.bn1 = torch.nn.BatchNorm2d(4)
        self.conv_dw = torch.nn.Conv2d(4, 4, 3, groups=4)
        self.fc = torch.nn.Linear(4, 2)


def value(name, tensor, axes=None):
    shape = tuple(tensor.shape) if axes is None else tuple(tensor.shape[axis] for axis in axes)
    values = torch.from_numpy(formula.weight(name, shape))
    return values if axes is None else values.permute([axes.index(axis) for axis in range(4)])


model = Tiny()
with torch.no_grad():
    # Saved as they lie in memory: the axes of these two are not in their order.
    model.conv1.weight = torch.nn.Parameter(value("conv1/kernel", model.conv1.weight, (2, 3, 1, 0)))
    model.conv_dw.weight = torch.nn.Parameter(value("conv_dw/depthwise_kernel", model.conv_dw.weight, (2, 3, 0, 1)))
    model.conv_dw.bias.copy_(value("conv_dw/bias", model.conv_dw.bias))
    model.bn1.weight.copy_(value("bn1/gamma", model.bn1.weight))
    model.bn1.bias.copy_(value("bn1/beta", model.bn1.bias))
    model.bn1.running_mean.copy_(value("bn1/moving_mean", model.bn1.running_mean))
    model.bn1.running_var.copy_(value("bn1/moving_variance", model.bn1.running_var))
    model.fc.weight.copy_(value("fc/kernel", model.fc.weight))
    model.fc.bias.zero_()
state = model.state_dict()
torch.save(state, HERE / "tiny.pth")
wrapped = {"epoch": 3, "best": 0.5, "state_dict": {f"module.{name}": tensor for name, tensor in state.items()}}
torch.save(wrapped, HERE / "tiny-legacy.pth", _use_new_zipfile_serialization=False)
torch.save({name: tensor.half() for name, tensor in state.items()}, HERE / "tiny-half.pth")
torch.save(model, HERE / "tiny-model.pth")
save_file({name: tensor.contiguous() for name, tensor in state.items()}, HERE / "tiny.safetensors")
