"""MLflow, as a view of what stands in files.

Whatever this room puts into MLflow can be put there again from ``models/`` and ``results/``, so
nothing here may stop, fail or noticeably delay the work it watches:

* a training opens a :class:`Mirror`, whose MLflow calls all happen in a background thread;
* :func:`record_evaluation`, :func:`record_study` and :func:`record_report`, which also logs and
  registers the trained models, give up after a while;
* :func:`sync` replays what the store lacks.

MLflow is imported only when a run is opened, and not at all with ``PHOTOCHROM_TRACKING=off``.
"""

from photochrom.tracking.logged import served_code
from photochrom.tracking.mirror import Mirror, open_run
from photochrom.tracking.provenance import Dataset, Provenance, dataset_of, provenance
from photochrom.tracking.record import TrainingRecord, flatten
from photochrom.tracking.runs import Status
from photochrom.tracking.store import TrackingError
from photochrom.tracking.sync import Summary, record_evaluation, record_report, record_study, sync

__all__ = [
    "Dataset",
    "Mirror",
    "Provenance",
    "Status",
    "Summary",
    "TrackingError",
    "TrainingRecord",
    "dataset_of",
    "flatten",
    "open_run",
    "provenance",
    "record_evaluation",
    "record_report",
    "record_study",
    "served_code",
    "sync",
]
