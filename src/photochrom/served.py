"""A trained model as MLflow serves it: photographs in, colored photographs out.

MLflow copies this file and the package beside it into each logged model, and runs the copy. Only
MLflow imports it; whoever wants the colorizer itself takes :func:`photochrom.load`.
"""

import base64
from pathlib import Path
from typing import Any

import pandas as pd
from mlflow.exceptions import MlflowException
from mlflow.models import set_model
from mlflow.pyfunc.model import PythonModel, PythonModelContext

from photochrom.colorizer.colorizer import load_colorizer
from photochrom.pictures.opening import BadPhotographError
from photochrom.pictures.reading import read_photograph
from photochrom.pictures.writing import encoded

COLUMN = "photograph"
MOST_MEGAPIXELS = 100.0


class ServedColorizer(PythonModel):
    """Gives colors to the photographs of a table."""

    def load_context(self, context: PythonModelContext) -> None:
        """Load config.json and weights.safetensors, the artifacts of the logged model.

        Raises
        ------
        ColorizerError
            If they do not fit together.
        """
        folder = Path(context.artifacts["weights"]).parent
        self._colorizer = load_colorizer(folder, folder.name)

    def predict(
        self,
        context: PythonModelContext,
        model_input: pd.DataFrame,
        params: dict[str, Any] | None = None,
    ) -> pd.DataFrame:
        """Color photographs.

        Parameters
        ----------
        context : as MLflow hands it over.
        model_input : column ``photograph``: the bytes of PNG, JPEG or another common format, at
            most 100 megapixels each.
        params : none are known.

        Returns
        -------
        Column ``photograph``: the colored photographs, upright and of the same size, as PNG in
        base64.

        Raises
        ------
        mlflow.exceptions.MlflowException
            INVALID_PARAMETER_VALUE, when a row holds no photograph; the server answers 400.
        """
        rows = enumerate(model_input[COLUMN])
        return pd.DataFrame({COLUMN: [self._colored(row, data) for row, data in rows]})

    def _colored(self, row: int, data: bytes) -> str:
        try:
            photograph = read_photograph(_decoded(data), MOST_MEGAPIXELS)
        except BadPhotographError as error:
            raise MlflowException.invalid_parameter_value(
                f"{COLUMN}, row {row}: {error} Send a PNG or JPEG of at most "
                f"{MOST_MEGAPIXELS:g} megapixels in base64."
            ) from None
        colored = encoded(self._colorizer.color(photograph), "PNG")
        return base64.b64encode(colored).decode("ascii")


def _decoded(data: bytes) -> bytes:
    """Undo base64 where MLflow has not: of ``dataframe_records`` it does, of ``inputs`` not."""
    try:
        return base64.b64decode(data, validate=True)
    except ValueError:
        return bytes(data)


set_model(ServedColorizer())
