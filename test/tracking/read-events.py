"""Prints what TensorBoard reads of the event files in a folder, as JSON. Needs tensorboard."""

import json
import sys

from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

events = EventAccumulator(sys.argv[1], size_guidance={"scalars": 0, "images": 0, "tensors": 0})
events.Reload()
tags = events.Tags()
print(
    json.dumps(
        {
            "scalars": {
                tag: [[point.step, repr(point.value), point.wall_time] for point in events.Scalars(tag)]
                for tag in tags["scalars"]
            },
            "images": {
                tag: [[image.step, image.width, image.height, len(image.encoded_image_string)] for image in events.Images(tag)]
                for tag in tags["images"]
            },
            "texts": {
                tag: [point.tensor_proto.string_val[0].decode() for point in events.Tensors(tag)]
                for tag in tags["tensors"]
                if events.SummaryMetadata(tag).plugin_data.plugin_name == "text"
            },
        }
    )
)
