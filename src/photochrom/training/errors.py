"""Why a training cannot go on."""


class TrainingError(Exception):
    """The training cannot go on; the message says why and what to do."""


class TrainingStopped(TrainingError):  # noqa: N818 - nothing went wrong
    """A signal asked to stop; the training can be continued."""


class ProcessLostError(TrainingError):
    """Another process of the training has gone, or does not answer."""
