"""The house: dvc.yaml names all that a stage's result depends on, and no room grows too large."""

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from photochrom.params import ModelParams, Params, Section, load_params

ROOT = Path(__file__).parent.parent
SRC, STAGES, BENCHMARKS = ROOT / "src", ROOT / "stages", ROOT / "benchmarks"
PARAMS = load_params(ROOT / "params.yaml")

# Modules that a stage may import without naming them under deps, and why that is right. A stage
# whose output does depend on one, as the report on the names of the measures, may name it.
EXEMPT = {
    "photochrom.params": "DVC follows the values that it reads, which are what counts",
    "photochrom.files": "writes whole files; what is in them is decided elsewhere",
    "photochrom.environment": "the machine is not a parameter",
    "photochrom.progress": "tells how far the work has come",
    "photochrom.tracking": "a view of the results, never a result",
}

# Packages that choose a module by a name in params.yaml, which no reader of imports can see.
CHOSEN = {"photochrom.networks", "photochrom.objectives", "photochrom.data.sources"}

# Keys of a model that its training does not read: a new temperature retrains nothing.
UNREAD_BY_TRAINING = {"decoding"}

LONGEST_FUNCTION = 40
LONGEST_FILE = 400


@dataclass(frozen=True)
class Stage:
    """A stage of dvc.yaml; one of several made by foreach has the model it is for."""

    name: str
    script: Path
    model: str | None
    deps: frozenset[str]
    params: frozenset[str]

    def covers(self, file: Path) -> bool:
        """Return whether the file, or a folder it lies in, is among the deps."""
        path = file.relative_to(ROOT)
        return any(str(part) in self.deps for part in [path, *path.parents])


@cache
def stages() -> tuple[Stage, ...]:
    """Read dvc.yaml with its foreach written out."""
    document = YAML(typ="safe").load((ROOT / "dvc.yaml").read_text(encoding="utf-8"))
    return tuple(
        stage for name, entry in document["stages"].items() for stage in expanded(name, entry)
    )


def expanded(name: str, entry: dict[str, Any]) -> Iterator[Stage]:
    if "foreach" not in entry:
        yield read_stage(name, None, entry, {})
        return
    assert entry["foreach"] == "${models}", f"{name}: foreach over something else than the models"
    for key, model in PARAMS.models.items():
        context = {"key": key, "item": model.model_dump()}
        yield read_stage(f"{name}@{key}", key, entry["do"], context)


def read_stage(
    name: str, model: str | None, entry: dict[str, Any], context: dict[str, Any]
) -> Stage:
    python, script, *_ = substituted(entry["cmd"], context).split()
    assert python == "python", f"{name}: the command should run `python stages/...`"
    deps = (substituted(dep, context).rstrip("/") for dep in entry["deps"])
    params = (substituted(param, context) for param in entry.get("params", []))
    return Stage(name, ROOT / script, model, frozenset(deps), frozenset(params))


def substituted(text: str, context: dict[str, Any]) -> str:
    def value(match: re.Match[str]) -> str:
        found: Any = PARAMS.model_dump() | context
        for part in match[1].split("."):
            found = found[part]
        return str(found)

    return re.sub(r"\$\{([\w.]+)\}", value, text)


@cache
def files() -> dict[str, Path]:
    """Every first-party module by the name under which a stage imports it."""
    found = {file.stem: file for file in STAGES.glob("*.py")}
    for file in (SRC / "photochrom").rglob("*.py"):
        parts = file.relative_to(SRC).with_suffix("").parts
        found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = file
    return found


@cache
def tree(file: Path) -> ast.Module:
    return ast.parse(file.read_text(encoding="utf-8"))


def imports(file: Path) -> set[str]:
    """Return the first-party modules that a file imports, anywhere in it.

    Not the packages that Python runs on the way to a module: what they define is not used there,
    and the root's public names are imported only when somebody asks for them.
    """
    names: set[str] = set()
    for node in ast.walk(tree(file)):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{file}: imports are absolute here"
            names |= {node.module or ""} | {f"{node.module}.{alias.name}" for alias in node.names}
    return names & files().keys() - {"photochrom"}


def is_exempt(module: str) -> bool:
    return any(module == name or module.startswith(f"{name}.") for name in EXEMPT)


def chosen_modules(module: str, model: ModelParams | None) -> set[str]:
    """Return the modules that a package of CHOSEN loads by name."""
    if module == "photochrom.data.sources":
        return {f"{module}.{PARAMS.data.source}"}
    if module == "photochrom.networks" and model:
        return {f"{module}.{model.network.kind}"}
    if module == "photochrom.objectives" and model:
        return {f"{module}.{model.objective.kind}.task"}
    return set()


@cache
def reached(script: Path, model: str | None) -> frozenset[Path]:
    """Return all first-party files that a stage runs, but for the exempt ones."""
    waiting, seen = [script.stem], set()
    while waiting:
        module = waiting.pop()
        if module in seen or is_exempt(module):
            continue
        seen.add(module)
        chosen = chosen_modules(module, PARAMS.models[model] if model else None)
        assert chosen <= files().keys(), f"{module} would load {chosen}, which is not there"
        waiting += imports(files()[module]) | chosen
    return frozenset(files()[module] for module in seen if says_something(files()[module]))


def says_something(file: Path) -> bool:
    """Return whether a file is more than a docstring and a version."""
    return file.name != "__init__.py" or any(
        not isinstance(node, ast.Expr | ast.Assign) for node in tree(file).body
    )


def stage_ids() -> list[Any]:
    return [pytest.param(stage, id=stage.name) for stage in stages()]


@pytest.mark.parametrize("stage", stage_ids())
def test_deps_name_every_module_that_a_stage_runs(stage: Stage) -> None:
    missing = [file for file in reached(stage.script, stage.model) if not stage.covers(file)]
    names = sorted(str(file.relative_to(ROOT)) for file in missing)
    assert not names, f"dvc.yaml, {stage.name}: add to deps: {', '.join(names)}"


@pytest.mark.parametrize("stage", stage_ids())
def test_deps_name_no_code_that_a_stage_does_not_run(stage: Stage) -> None:
    ran = reached(stage.script, stage.model) | {
        file for module, file in files().items() if is_exempt(module)
    }
    names = {str(part) for file in ran for part in [file, *file.parents]}
    code = {dep for dep in stage.deps if dep.startswith(("src/", "stages/"))}
    idle = sorted(dep for dep in code if str(ROOT / dep) not in names)
    assert not idle, f"dvc.yaml, {stage.name}: remove from deps: {', '.join(idle)}"


@pytest.mark.parametrize("stage", [s for s in stage_ids() if s.values[0].model])
def test_one_models_code_does_not_rerun_another(stage: Stage) -> None:
    ran = reached(stage.script, stage.model)
    rooms = [SRC / "photochrom/networks", SRC / "photochrom/objectives"]
    others = {file for room in rooms for file in room.rglob("*.py")} - ran
    foreign = [str(file.relative_to(ROOT)) for file in others if stage.covers(file)]
    foreign = [name for name in foreign if says_something(ROOT / name)]
    assert not foreign, f"{stage.name} would rerun for {', '.join(sorted(foreign))}"


def test_every_script_is_a_stage() -> None:
    scripts = {file for file in STAGES.glob("*.py") if not file.name.startswith("_")}
    assert {stage.script for stage in stages()} == scripts


def test_modules_are_chosen_by_name_only_where_the_walk_knows_it() -> None:
    def chooses(file: Path) -> bool:
        return any(
            isinstance(node, ast.Call) and "import_module" in ast.unparse(node.func)
            for node in ast.walk(tree(file))
        )

    found = {name for name, file in files().items() if chooses(file) and not is_exempt(name)}
    assert found == CHOSEN


# Which values of params.yaml a stage reads.


def keys_read(file: Path) -> set[str]:
    """Return the dotted keys in chains such as ``params.lab.size`` or ``load_params().data``."""
    found = set()
    for node in ast.walk(tree(file)):
        key = chain(node) if isinstance(node, ast.Attribute | ast.Subscript) else None
        if key:
            found.add(key)
    return {key for key in found if not any(other.startswith(f"{key}.") for other in found)}


def chain(node: ast.expr) -> str | None:
    parts: list[str] = []
    while isinstance(node, ast.Attribute | ast.Subscript):
        if isinstance(node, ast.Attribute) and is_root(node):
            break
        parts.append(node.attr if isinstance(node, ast.Attribute) else "*")
        node = node.value
    parts.reverse()
    return ".".join(known(parts)) if is_root(node) and parts else None


def is_root(node: ast.expr) -> bool:
    """Return whether an expression is all of the parameters, by this project's habits."""
    return ast.unparse(node) in ("params", "load_params()", "results.params", "self.params")


def known(parts: list[str]) -> list[str]:
    """Cut a chain where it leaves the parameters, as in ``params.models.items``."""
    section: Any = Params
    for place, part in enumerate(parts):
        if part == "*" and section is dict:
            section = ModelParams
        elif isinstance(section, type) and issubclass(section, Section):
            if part not in section.model_fields:
                return parts[:place]
            kind = section.model_fields[part].annotation
            section = dict if part == "models" else kind
        else:
            return parts[:place]
    return parts


def leaves(key: str) -> set[str]:
    """Return the keys that a section is made of; a model's kinds count as one key each."""
    section: Any = Params
    for part in key.split("."):
        if part == "models":
            section = dict
        elif section is dict:
            section = ModelParams
        else:
            section = section.model_fields[part].annotation
    if isinstance(section, type) and issubclass(section, Section):
        return {leaf for name in section.model_fields for leaf in leaves(f"{key}.{name}")}
    return {key}


def needed_params(stage: Stage) -> set[str]:
    read = {key for file in reached(stage.script, stage.model) for key in keys_read(file)}
    keys = {leaf for key in read if not key.startswith("tracking") for leaf in leaves(key)}
    if stage.model is None:
        return {key.split(".*")[0] for key in keys}
    keys.discard("models")  # Only whether the name is among them.
    if stage.script.stem == "train":
        keys -= {f"models.*.{name}" for name in UNREAD_BY_TRAINING}
    return {key.replace("*", stage.model) for key in keys}


def is_declared(key: str, stage: Stage) -> bool:
    return any(key == declared or key.startswith(f"{declared}.") for declared in stage.params)


@pytest.mark.parametrize("stage", stage_ids())
def test_params_name_every_value_that_a_stage_reads(stage: Stage) -> None:
    missing = sorted(key for key in needed_params(stage) if not is_declared(key, stage))
    assert not missing, f"dvc.yaml, {stage.name}: add to params: {', '.join(missing)}"


@pytest.mark.parametrize("stage", stage_ids())
def test_params_of_a_stage_exist(stage: Stage) -> None:
    values = YAML(typ="safe").load((ROOT / "params.yaml").read_text(encoding="utf-8"))
    for key in stage.params:
        section = values
        for part in key.split("."):
            assert part in section, f"dvc.yaml, {stage.name}: params.yaml has no {key}"
            section = section[part]


@pytest.mark.parametrize("stage", stage_ids())
def test_a_new_decoding_trains_nothing(stage: Stage) -> None:
    reads_decoding = any(is_declared(f"models.{name}.decoding", stage) for name in PARAMS.models)
    assert reads_decoding == (stage.script.stem in ("evaluate", "report"))


def python_files() -> list[Path]:
    return [file for folder in (SRC, STAGES, BENCHMARKS) for file in sorted(folder.rglob("*.py"))]


@pytest.mark.parametrize("file", python_files(), ids=lambda file: str(file.relative_to(ROOT)))
def test_files_and_functions_stay_small(file: Path) -> None:
    assert len(file.read_text(encoding="utf-8").splitlines()) <= LONGEST_FILE
    functions = (n for n in ast.walk(tree(file)) if isinstance(n, ast.FunctionDef))
    long = [f"{f.name} ({length(f)} lines)" for f in functions if length(f) > LONGEST_FUNCTION]
    assert not long


def length(function: ast.FunctionDef) -> int:
    """Return the lines of a function, but for its docstring."""
    total = (function.end_lineno or 0) - function.lineno + 1
    first = function.body[0]
    if ast.get_docstring(function) is None:
        return total
    return total - ((first.end_lineno or 0) - first.lineno + 1)
