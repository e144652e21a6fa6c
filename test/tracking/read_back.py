"""Prints, as JSON, all that MLflow's own client reads back of a run and its children: read_back.py <tracking uri> <run id>."""

import json
import math
import sys

import mlflow
from mlflow import MlflowClient


def number(value):
    return value if math.isfinite(value) else str(value).replace("inf", "Infinity").replace("nan", "NaN")


def artifacts(client, run_id, path=None):
    for entry in client.list_artifacts(run_id, path):
        if entry.is_dir:
            yield from artifacts(client, run_id, entry.path)
        else:
            yield {"path": entry.path, "bytes": entry.file_size}


def read(client, run_id):
    run = client.get_run(run_id)
    points = [
        {"key": key, "step": point.step, "time": point.timestamp, "value": number(point.value)}
        for key in run.data.metrics
        for point in client.get_metric_history(run_id, key)
    ]
    inputs = [
        {
            "name": entry.dataset.name,
            "digest": entry.dataset.digest,
            "source": json.loads(entry.dataset.source),
            "profile": json.loads(entry.dataset.profile),
            "context": {tag.key: tag.value for tag in entry.tags}.get("mlflow.data.context"),
        }
        for entry in run.inputs.dataset_inputs
    ]
    versions = [
        {
            "name": version.name,
            "version": str(version.version),
            "source": version.source,
            "tags": version.tags,
            "aliases": sorted(client.get_model_version(version.name, version.version).aliases),
        }
        for version in client.search_model_versions(f"run_id='{run_id}'")
    ]
    return {
        "name": run.info.run_name,
        "status": run.info.status,
        "params": run.data.params,
        "tags": run.data.tags,
        "points": points,
        "inputs": inputs,
        "artifacts": list(artifacts(client, run_id)),
        "models": versions,
        "experiment_id": run.info.experiment_id,
    }


def main():
    uri, run_id = sys.argv[1:]
    mlflow.set_tracking_uri(uri)
    client = MlflowClient()
    run = read(client, run_id)
    children = client.search_runs([run["experiment_id"]], f"tags.`mlflow.parentRunId` = '{run_id}'")
    run["children"] = sorted(child.info.run_id for child in children)
    print(json.dumps(run))


main()
