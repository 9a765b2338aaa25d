"""Runs in the MLflow store: made once, filled once, however often they are given."""

import hashlib
import importlib
import json
import math
import re
import time
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

from photochrom.tracking.processes import PROCESS, is_gone, this_process
from photochrom.tracking.provenance import Dataset
from photochrom.tracking.record import TrainingRecord

Status = Literal["FINISHED", "FAILED", "KILLED"]

KEY, STATE, BASELINE = "photochrom.key", "photochrom.state", "photochrom.baseline"
PICTURE = re.compile(r"images/(?P<key>.+?)[+%]step[+%](?P<step>-?\d+)[+%]timestamp[+%]")
NOTE, NOTE_DIGEST, TABLES = "mlflow.note.content", "photochrom.note", "mlflow.loggedArtifacts"
STATE_NOTE = "Colorizers trained and measured on the same photographs, and their comparison."
PARAMS_AT_ONCE = 100
ABANDONED_AT_ONCE = 1000
CHILDREN_AT_ONCE = 1000


class Store:
    """An experiment in an MLflow store that has answered.

    Attributes
    ----------
    client : an ``mlflow.MlflowClient``.
    experiment_id : as MLflow numbers it.
    added : how many ``runs``, ``metrics``, ``pictures``, ``files``, ``models``, ``versions`` and
        ``descriptions`` the store did not have.
    """

    def __init__(self, client: Any, experiment_id: str) -> None:
        self.client = client
        self.experiment_id = experiment_id
        self.added: Counter[str] = Counter()
        self.entities: Any = importlib.import_module("mlflow.entities")

    def find(self, identity: Mapping[str, str]) -> str | None:
        """Return the id of the oldest run with these tags, or None."""
        query = " and ".join(f"tags.`{name}` = '{value}'" for name, value in identity.items())
        runs = self.client.search_runs(
            [self.experiment_id], query, order_by=["attributes.start_time ASC"], max_results=50
        )
        oldest = min(runs, key=lambda run: (run.info.start_time, run.info.run_id), default=None)
        return None if oldest is None else str(oldest.info.run_id)

    def find_or_make(
        self, identity: Mapping[str, str], name: str, tags: Mapping[str, str], start: int | None
    ) -> tuple[str, bool]:
        """Return the run with the tags ``identity`` and whether it was made just now.

        Two processes may make it at once; both then keep the older one.
        """
        if found := self.find(identity):
            return found, False
        told = {**identity, **tags, PROCESS: this_process() or "unknown"}
        run = self.client.create_run(self.experiment_id, start_time=start, tags=told, run_name=name)
        made = str(run.info.run_id)
        oldest = self.find(identity) or made
        if oldest != made:
            self.client.delete_run(made)
            return oldest, False
        self.added["runs"] += 1
        return made, True

    def parent(self, state: str | None, dataset: Dataset) -> "Run":
        """Return the run that gathers the runs of one state of the data."""
        label = "not from DVC" if state is None else state[:8]
        run_id, made = self.find_or_make(
            _parent_identity(state),
            f"{dataset.name} · {label}",
            {NOTE: STATE_NOTE},
            None,
        )
        run = Run(self, run_id, None, new=made)
        if made:
            run.use(dataset, "comparison")
            run.finish("FINISHED")
        return run

    def known_parent(self, state: str | None) -> "Run | None":
        """Return the run that gathers the runs of one state of the data, if the store has it."""
        found = self.find(_parent_identity(state))
        return None if found is None else Run(self, found, None, new=False)

    def children(self, parent: "Run") -> list["Run"]:
        """Return the runs that a run gathers."""
        query = f"tags.`mlflow.parentRunId` = '{parent.run_id}'"
        found = self.client.search_runs([self.experiment_id], query, max_results=CHILDREN_AT_ONCE)
        return [Run(self, run.info.run_id, parent.run_id, new=False) for run in found]

    def training(
        self, record: TrainingRecord, start: int | None = None, restored: bool = False
    ) -> "Run":
        """Return the run of a training, made where the store has none.

        Parameters
        ----------
        record : what the run says.
        start : when the training began, in milliseconds since 1970; None is now.
        restored : whether a run made now is one that the store lacked or lost.
        """
        parent = self.parent(record.provenance.state, record.dataset).run_id
        tags = _training_tags(record) | {"mlflow.parentRunId": parent}
        if restored:
            tags["photochrom.restored"] = "true"
        run_id, made = self.find_or_make({KEY: record.key}, record.model, tags, start)
        run = Run(self, run_id, parent, new=made)
        if run.tag("mlflow.parentRunId") != parent:
            run.tags({"mlflow.parentRunId": parent})
        run.parameters(record.params)
        run.use(record.dataset, "training")
        return run

    def baseline(self, name: str, state: str | None, dataset: Dataset) -> "Run":
        """Return the run that shows an untrained baseline beside the models of one state."""
        parent = self.parent(state, dataset).run_id
        identity = {BASELINE: name, STATE: state or "none"}
        tags = {"mlflow.parentRunId": parent, "photochrom.kind": "baseline"}
        run_id, made = self.find_or_make(identity, name, tags, None)
        run = Run(self, run_id, parent, new=made)
        if made:
            run.use(dataset, "evaluation")
            run.finish("FINISHED")
        return run

    def end_abandoned(self) -> int:
        """Mark as killed the runs whose process on this machine has ended; return how many."""
        running = self.client.search_runs(
            [self.experiment_id], "attributes.status = 'RUNNING'", max_results=ABANDONED_AT_ONCE
        )
        gone = [run for run in running if is_gone(run.data.tags.get(PROCESS, ""))]
        for run in gone:
            history = self.client.get_metric_history(run.info.run_id, "train/loss")
            times = [run.info.start_time, *(point.timestamp for point in history)]
            self.client.set_terminated(run.info.run_id, "KILLED", max(times))
        return len(gone)


class Run:
    """A run that takes each number, picture and file once, however often it is given.

    Attributes
    ----------
    run_id, parent_id : as MLflow names them.
    new : whether the run was made just now.
    """

    def __init__(self, store: Store, run_id: str, parent_id: str | None, *, new: bool) -> None:
        self.run_id = run_id
        self.parent_id = parent_id
        self.new = new
        self._added = store.added
        self._store = store
        self._client = store.client
        self._found = store.client.get_run(run_id)
        self._steps: dict[str, set[int]] = {}
        self._pictures: set[tuple[str, int]] | None = set() if new else None

    def parameters(self, params: Mapping[str, Any]) -> None:
        """Log those parameters that the run does not have; MLflow never changes one."""
        known = self._found.data.params
        missing = [
            self._store.entities.Param(name, str(value))
            for name, value in params.items()
            if name not in known
        ]
        for start in range(0, len(missing), PARAMS_AT_ONCE):
            self._client.log_batch(self.run_id, params=missing[start : start + PARAMS_AT_ONCE])

    def use(self, dataset: Dataset, context: str) -> None:
        """Log ``dataset`` as an input, unless the run has one."""
        if self._found.inputs.dataset_inputs:
            return
        entities, source = self._store.entities, json.dumps(dataset.source)
        data = entities.Dataset(dataset.name, dataset.digest, "dvc", source, profile=source)
        tag = entities.InputTag("mlflow.data.context", context)
        self._client.log_inputs(self.run_id, [entities.DatasetInput(data, [tag])])

    def metrics(self, values: Mapping[str, float], step: int, timestamp: int | None = None) -> None:
        """Log the metrics of one step, in one transaction; NaN is left out."""
        missing = {key: value for key, value in values.items() if step not in self._known(key)}
        self._log(missing, step, timestamp)
        for key in missing:
            self._steps[key].add(step)

    def results(self, values: Mapping[str, float]) -> None:
        """Log metrics without a step; the newest value is the one MLflow shows."""
        known = self._found.data.metrics
        self._log({key: value for key, value in values.items() if known.get(key) != value}, 0, None)

    def numbers(self) -> frozenset[str]:
        """Return the names of the metrics that the run had when it was opened."""
        return frozenset(self._found.data.metrics)

    def picture(self, image: Any, step: int, key: str, *, again: bool = False) -> None:
        """Log a picture under a slider of steps.

        Parameters
        ----------
        image : (H, W, 3) uint8 array, or a PIL image.
        step : where on the slider it stands.
        key : the slider's name.
        again : log it even though the run has a picture there; MLflow shows the newest.
        """
        if self._pictures is None:
            self._pictures = self._logged_pictures()
        if again or (key, step) not in self._pictures:
            self._client.log_image(self.run_id, image, key=key, step=step, synchronous=True)
            self._pictures.add((key, step))
            self._added["pictures"] += 1

    def file(self, path: Path, folder: str | None = None, *, again: bool = False) -> None:
        """Copy a file into the run, unless it has one of that name and size.

        Parameters
        ----------
        path : the file; nothing happens where there is none.
        folder : where in the run it goes.
        again : copy it whatever the run has.
        """
        known = {} if self.new or again else self._files(folder)
        name = f"{folder}/{path.name}" if folder else path.name
        if path.is_file() and known.get(name) != path.stat().st_size:
            self._client.log_artifact(self.run_id, str(path), folder)
            self._added["files"] += 1

    def tags(self, tags: Mapping[str, str]) -> None:
        """Set tags."""
        for name, value in tags.items():
            self._client.set_tag(self.run_id, name, value)

    def untag(self, name: str) -> None:
        """Remove a tag that the run had when it was opened."""
        self._client.delete_tag(self.run_id, name)

    def tag(self, name: str) -> str | None:
        """Return the value a tag had when the run was opened, or None."""
        value = self._found.data.tags.get(name)
        return None if value is None else str(value)

    def table(self, columns: list[str], rows: list[list[Any]], name: str) -> None:
        """Put a table in place of the one of that name. MLflow's own call would append."""
        self._client.log_dict(self.run_id, {"columns": columns, "data": rows}, name)
        known = json.loads(self._client.get_run(self.run_id).data.tags.get(TABLES, "[]"))
        if (entry := {"path": name, "type": "table"}) not in known:
            self.tags({TABLES: json.dumps([*known, entry])})
        self._added["files"] += 1

    def describe(self, text: str, earlier: str = "") -> None:
        """Head the run's page with ``text``, unless a person has written something else there.

        Parameters
        ----------
        text : Markdown.
        earlier : what the run was headed with when it was made.
        """
        tags = self._client.get_run(self.run_id).data.tags
        shown = tags.get(NOTE, "")
        if shown != text and (shown in ("", earlier) or tags.get(NOTE_DIGEST) == _digest(shown)):
            self.tags({NOTE: text, NOTE_DIGEST: _digest(text)})
            self._added["descriptions"] += 1

    def resume(self) -> None:
        """Mark the run as running again, in this process."""
        if not self.new:
            # In this order: whoever finds it running must not find the process that was killed.
            self.tags({PROCESS: this_process() or "unknown"})
            self._client.update_run(self.run_id, status="RUNNING")

    def finish(self, status: Status, end: int | None = None) -> None:
        """Mark the run as ended, unless it is marked so."""
        if self._client.get_run(self.run_id).info.status != status:
            self._client.set_terminated(self.run_id, status, end)

    def _log(self, values: Mapping[str, float], step: int, timestamp: int | None) -> None:
        now = int(time.time() * 1000) if timestamp is None else timestamp
        metrics = [
            self._store.entities.Metric(key, float(value), now, step)
            for key, value in values.items()
            if not math.isnan(value)
        ]
        if metrics:
            self._client.log_batch(self.run_id, metrics=metrics, synchronous=True)
            self._added["metrics"] += len(metrics)

    def _known(self, key: str) -> set[int]:
        if key not in self._steps:
            history = [] if self.new else self._client.get_metric_history(self.run_id, key)
            self._steps[key] = {metric.step for metric in history}
        return self._steps[key]

    def _files(self, folder: str | None) -> dict[str, int | None]:
        files = self._client.list_artifacts(self.run_id, folder)
        return {file.path: file.file_size for file in files}

    def _logged_pictures(self) -> set[tuple[str, int]]:
        files = self._client.list_artifacts(self.run_id, "images")
        found = (PICTURE.match(file.path) for file in files)
        return {(re.sub("[~#]", "/", match["key"]), int(match["step"])) for match in found if match}


def _parent_identity(state: str | None) -> dict[str, str]:
    return {STATE: state or "none", "photochrom.kind": "state"}


def _training_tags(record: TrainingRecord) -> dict[str, str]:
    made = record.provenance
    tags: dict[str, Any] = {
        "mlflow.source.git.commit": made.commit,
        "mlflow.source.git.branch": made.branch,
        "mlflow.source.name": made.stage,
        NOTE: record.description or None,
        "photochrom.kind": "model",
        STATE: made.state or "none",
        "photochrom.git_commit": made.commit,
        "photochrom.dirty": None if made.dirty is None else str(made.dirty).lower(),
        "photochrom.dvc_stage": made.stage,
        "photochrom.dvc_experiment": made.dvc_experiment,
        "photochrom.data_md5": made.lab_md5,
        "photochrom.prior_md5": made.prior_md5,
        "photochrom.params_sha256": made.params_sha256,
        **{f"photochrom.{name}": value for name, value in record.tags.items()},
    }
    return {name: str(value) for name, value in tags.items() if value is not None}


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:16]
