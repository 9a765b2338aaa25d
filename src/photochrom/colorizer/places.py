"""Where trained models lie, known without loading anything: shells complete names by it."""

from pathlib import Path

TRAINED = "models"
"""The folder of a project in which the stage ``train`` writes a folder for each model."""
SHIPPED = Path(__file__).parents[1] / "shipped"
"""A folder for each model that comes with the package."""
CONFIG_FILE = "config.json"


def model_folders(folder: Path) -> list[Path]:
    """Return the folders within ``folder`` that hold a trained model, broken or not, by name.

    What cannot be looked into holds none.
    """
    try:
        return sorted(path.parent for path in folder.glob(f"*/{CONFIG_FILE}"))
    except OSError:
        return []


def names(root: Path) -> list[str]:
    """Return the names of the models trained in the project ``root`` and of those shipped."""
    folders = [*model_folders(root / TRAINED), *model_folders(SHIPPED)]
    return list(dict.fromkeys(folder.name for folder in folders))
