"""What README.md says is so: its table is the committed run's, its links lead somewhere."""

import json
import re
from pathlib import Path

from photochrom.params import load_params
from photochrom.presets import list_presets

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")


def test_the_table_is_that_of_the_committed_run() -> None:
    comparison = (ROOT / "results/report/comparison.md").read_text(encoding="utf-8")
    assert comparison.strip() in README


def test_the_committed_metrics_are_those_of_the_table() -> None:
    for model in load_params(ROOT / "params.yaml").models:
        metrics = json.loads((ROOT / f"results/evaluate/{model}/metrics.json").read_text())
        row = next(line for line in README.splitlines() if line.startswith(f"| `{model}`"))
        assert f"{metrics['auc_rebalanced']:.1f}" in row


def test_every_link_leads_to_a_file() -> None:
    links = re.findall(r"\]\((?!https?:)([^)#]+)\)", README)
    assert links
    assert [link for link in links if not (ROOT / link).exists()] == []


def test_every_preset_that_it_names_is_there() -> None:
    named = re.findall(r"photochrom preset ([a-z0-9-]+)", README)
    assert set(named) <= set(list_presets(ROOT))


def test_it_promises_only_variables_that_the_code_reads() -> None:
    code = "".join(path.read_text(encoding="utf-8") for path in (ROOT / "src").rglob("*.py"))
    for variable in re.findall(r"`(PHOTOCHROM_\w+|MLFLOW_\w+)`", README):
        assert variable in code
