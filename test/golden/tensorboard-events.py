"""Writes tensorboard-events.json: event files' records as TensorBoard's own writer makes them of the same values.

pip install tensorboard==2.21.0
Run in the project's folder: venv/bin/python test/golden/tensorboard-events.py
"""

import base64
import io
import json

from tensorboard.compat.proto.event_pb2 import Event
from tensorboard.compat.proto.summary_pb2 import Summary, SummaryMetadata
from tensorboard.compat.proto.tensor_pb2 import TensorProto
from tensorboard.compat.proto.tensor_shape_pb2 import TensorShapeProto
from tensorboard.summary.writer.record_writer import RecordWriter

# One red pixel.
PNG = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAIAAACQd1PeAAAADElEQVR4nGP4z8AAAAMBAQDJ/pLvAAAAAElFTkSuQmCC"
)
TEXT = "| parameter | value |\n| --- | --- |\n| epochs | 10 |\n| loss | a\\|b |"


def framed(event):
    file = io.BytesIO()
    RecordWriter(file).write(event.SerializeToString())
    return base64.b64encode(file.getvalue()).decode()


def of(time, step, *values):
    return framed(Event(wall_time=time, step=step, summary=Summary(value=values)))


image = Summary.Image(height=1, width=1, colorspace=3, encoded_image_string=PNG)
text = Summary.Value(
    tag="config",
    tensor=TensorProto(dtype=7, tensor_shape=TensorShapeProto(), string_val=[TEXT.encode()]),
    metadata=SummaryMetadata(plugin_data=SummaryMetadata.PluginData(plugin_name="text")),
)
golden = {
    "png": base64.b64encode(PNG).decode(),
    "version": framed(Event(wall_time=1567332900.25, file_version="brain.Event:2")),
    "scalars": of(
        1567332901.5,
        300,
        Summary.Value(tag="train/loss", simple_value=0.3215),
        Summary.Value(tag="lr", simple_value=0.0001),
    ),
    "nan": of(1567332902.0, 1, Summary.Value(tag="val/dice_positive", simple_value=float("nan"))),
    "image": of(1567332903.0, 10, Summary.Value(tag="val/worst", image=image)),
    "text": of(1567332900.5, 0, text),
}
with open("test/golden/tensorboard-events.json", "w") as file:
    json.dump(golden, file, indent=1)
    file.write("\n")
