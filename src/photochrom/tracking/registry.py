"""The model registry: a version for each trained model, and the alias of the best."""

import json
from typing import Any

from photochrom.tracking import prose
from photochrom.tracking.champion import Registration
from photochrom.tracking.logged import DECODING, TrainedModel, logged_model, show_measures
from photochrom.tracking.runs import KEY, Run, Store

ALIAS = "champion"
VERSIONS = "mlflow.modelVersions"


class Registry:
    """A registered model in an MLflow store, made where the store has none.

    Attributes
    ----------
    registration : what params.yaml asks for.
    name : what it is called.
    """

    def __init__(self, store: Store, registration: Registration) -> None:
        self.registration = registration
        self.name = registration.name
        self._store = store
        self._client = store.client
        self._code = registration.code
        self._describe(prose.of_registered(registration))

    def add(self, run: Run, trained: TrainedModel, description: str) -> str:
        """Log a trained model to its run and register it; return its version.

        Nothing is made that the store has; only the description is brought up to date.

        Raises
        ------
        OSError
            If the model is not logged yet and its files are missing.
        """
        found = self._version(trained)
        model = logged_model(self._store, run.run_id, trained, self._code)
        show_measures(self._store, run.run_id, model, trained)
        if found is None:
            found = self._client.create_model_version(
                self.name,
                model.artifact_location,
                run.run_id,
                tags=trained.tags,
                description=description,
                model_id=model.model_id,
            )
            self._store.added["versions"] += 1
            self._link(model, found)
        elif found.description != description:
            self._client.update_model_version(self.name, found.version, description)
            self._store.added["descriptions"] += 1
        return str(found.version)

    def crown(self, version: str) -> bool:
        """Point the alias ``champion`` to a version; return whether it pointed elsewhere."""
        model = self._found()
        if model is not None and str(model.aliases.get(ALIAS)) == version:
            return False
        self._client.set_registered_model_alias(self.name, ALIAS, version)
        return True

    def _describe(self, text: str) -> None:
        model = self._found()
        if model is None:
            self._client.create_registered_model(self.name, description=text)
        elif model.description != text:
            self._client.update_registered_model(self.name, text)

    def _found(self) -> Any | None:
        models = self._client.search_registered_models(f"name = '{self.name}'")
        return next(iter(models), None)

    def _version(self, trained: TrainedModel) -> Any | None:
        """Return the version of a trained model, the oldest if there are several."""
        query = f"name = '{self.name}' and tags.`{KEY}` = '{trained.record.key}'"
        versions = self._client.search_model_versions(query)
        same = [found for found in versions if found.tags.get(DECODING) == trained.colors]
        return min(same, key=lambda found: int(found.version), default=None)

    def _link(self, model: Any, version: Any) -> None:
        """Name the version on the logged model's page, as MLflow's own registration does."""
        link = json.dumps([{"name": self.name, "version": version.version}])
        self._client.set_logged_model_tags(model.model_id, {VERSIONS: link})
