"""A training step, or a prediction, of EfficientNet U-Net by segmentation_models.pytorch, eager, on the processor or a GPU.

python torch_step.py '{"task": "train" or "predict", "encoder": "efficientnet-b4", "tensors": "….safetensors",
                       "steps": 10, "channels_last": false, "device": "cpu" or "cuda",
                       "precision": "float32", "mixed_bfloat16" or "mixed_float16"}'
"""

import json
import sys

import segmentation_models_pytorch as smp
import torch
from torch import nn
from torch.nn import functional as F

import measure

IMAGENET_MEAN = [0.485, 0.456, 0.406]
IMAGENET_STD = [0.229, 0.224, 0.225]
LOW_TYPES = {"mixed_bfloat16": torch.bfloat16, "mixed_float16": torch.float16}


class GrayUnet(nn.Module):
    """Grey levels 0 to 255, [N,1,R,R] → logits [N,1,R,R]."""

    def __init__(self, encoder):
        super().__init__()
        self.unet = smp.Unet(encoder, encoder_weights=None)
        self.register_buffer("mean", 255 * torch.tensor(IMAGENET_MEAN).reshape(1, 3, 1, 1))
        self.register_buffer("std", 255 * torch.tensor(IMAGENET_STD).reshape(1, 3, 1, 1))
        make_equal(self.unet)

    def forward(self, gray):
        return self.unet((gray - self.mean) / self.std)


def make_equal(unet):
    """Leaves out what the U-Net does not use, and takes Keras's numbers where the package has its own."""
    encoder = unet.encoder
    del encoder._conv_head, encoder._bn1
    encoder._drop_connect_rate = 0
    # Features are the last of each resolution, in every variant; of B0 the package takes an earlier one of equal channels.
    halving = [index for index, block in enumerate(encoder._blocks) if block._depthwise_conv.stride[0] == 2]
    encoder._out_indexes = [index - 1 for index in halving[1:]] + [len(encoder._blocks) - 1]
    for module in unet.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.eps, module.momentum = 1e-3, 0.01
        # The package pads for the side that the encoder was published with; even sides need this.
        if isinstance(module, nn.Conv2d) and module.stride[0] == 2:
            far = module.kernel_size[0] // 2
            module.static_padding = nn.ZeroPad2d((far - 1, far, far - 1, far))


def load_weights(unet, tensors):
    """By position: both list a block's layers in the order in which they run."""
    values = iter([value for name, value in tensors.items() if not name.startswith("gray_to_rgb/")])
    for module in unet.modules():
        if isinstance(module, nn.Conv2d):
            kernel = torch.from_numpy(next(values).copy())
            # HWIO → OIHW; depthwise HWCM → CMHW.
            order = (2, 3, 0, 1) if module.groups > 1 else (3, 2, 0, 1)
            targets = [(module.weight, kernel.permute(order))]
            if module.bias is not None:
                targets.append((module.bias, torch.from_numpy(next(values).copy())))
        elif isinstance(module, nn.BatchNorm2d):
            weights = (module.weight, module.bias, module.running_mean, module.running_var)
            targets = [(weight, torch.from_numpy(next(values).copy())) for weight in weights]
        else:
            continue
        for target, value in targets:
            assert target.shape == value.shape, f"{target.shape} where the bench has {value.shape}"
            target.data.copy_(value)
    assert next(values, None) is None, "weights that PyTorch lacks"


def bce_dice(logits, masks):
    bce = F.binary_cross_entropy_with_logits(logits, masks)
    probabilities = torch.sigmoid(logits)
    both = (probabilities * masks).sum()
    return bce + 1 - (2 * both + 1) / (probabilities.sum() + masks.sum() + 1)


def main(task, encoder, tensors, steps, channels_last, device="cpu", precision="float32"):
    tensors = measure.read_tensors(tensors)
    images, masks = [torch.from_numpy(array).permute(0, 3, 1, 2).to(device) for array in measure.take_batch(tensors)]
    model = GrayUnet(encoder)
    load_weights(model.unet, tensors)
    del tensors
    layout = torch.channels_last if channels_last else torch.contiguous_format
    model = model.to(device, memory_format=layout)
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-4, eps=1e-7)
    torch.backends.cudnn.benchmark = True  # the fastest algorithm for each convolution, as the harness has them
    scaler = torch.amp.GradScaler(device, enabled=precision == "mixed_float16")
    low = torch.autocast(device, dtype=LOW_TYPES.get(precision), enabled=precision in LOW_TYPES)

    def train_step():
        optimizer.zero_grad()
        with low:
            logits = model(images.float().contiguous(memory_format=layout))
        loss = bce_dice(logits.float(), masks.float())
        scaler.scale(loss).backward()
        scaler.step(optimizer)
        scaler.update()
        return loss.item()

    @torch.inference_mode()
    def predict():
        with low:
            logits = model(images.float().contiguous(memory_format=layout))
        return torch.sigmoid(logits.float()).cpu().numpy()

    versions = {"torch": torch.__version__, "segmentation-models-pytorch": smp.__version__}
    if task == "train":
        model.train()
        parameters = sum(weight.numel() for weight in model.parameters() if weight.requires_grad)
        measure.report_training(train_step, steps, parameters, versions)
    else:
        model.eval()
        measure.report_prediction(predict, steps, len(images), versions)


measure.die_first()
main(**json.loads(sys.argv[1]))
