"""How runs were made: commands, versions, machines and settings, told once for all runs that share them."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from regact.report.model_record import ModelRecord
from regact.report.run_record import RunRecord
from regact.settings import read_yaml
from regact.training.run_folder import CONFIG
from regact.training.transfer import start_in_words


@dataclass
class RunsMade:
    """Runs that were made alike: `facts` holds for all; `settings` is each one's config.yaml, by its label."""

    facts: dict[str, str]
    labels: list[str] = field(default_factory=list)
    folders: list[str] = field(default_factory=list)
    settings: dict[str, str] = field(default_factory=dict)


def describe_runs(models: Sequence[ModelRecord]) -> list[RunsMade]:
    """Return the runs of all models, those together that were made by one command, alike."""
    groups: dict[tuple[tuple[str, str], ...], RunsMade] = {}
    for model in models:
        for run in model.runs:
            facts = _facts(run)
            made = groups.setdefault(tuple(facts.items()), RunsMade(facts))
            label = model.label + (f", seed {run.seed}" if len(model.runs) > 1 else "")
            made.labels.append(label)
            made.folders.append(str(run.folder))
            if (settings := run.folder / CONFIG).exists():
                made.settings[label] = settings.read_text(encoding="utf-8")
    return list(groups.values())


def experiment_of(models: Sequence[ModelRecord]) -> str:
    """The name of the experiment that all runs were trained in; empty where they were in several, or none is known."""
    names = set()
    for run in (run for model in models for run in model.runs):
        known = (run.folder / CONFIG).exists()
        names.add(read_yaml(run.folder / CONFIG)[0].get("name", "") if known else "")
    return str(names.pop()) if len(names) == 1 else ""


def _facts(run: RunRecord) -> dict[str, str]:
    code, machine, start = run.card["code"], run.card["machine"], start_in_words(run.card)
    facts = {
        "command": run.card.get("command", ""),
        "state": run.card["state"] + (f": {run.card['ended']}" if "ended" in run.card else ""),
        "started from": "" if start == "new" else start,
        "made with": f"regact {code['regact']}, torch {code['torch']}, Python {code['python']}; {machine['device']}, "
        f"{machine['threads']} threads",
    }
    return {name: value for name, value in facts.items() if value}
