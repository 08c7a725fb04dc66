"""A run as JSON."""

import json
import math
from dataclasses import asdict
from typing import Any

from benchmarks.samples import Results
from benchmarks.targets import targets


def record(results: Results, backends: dict[str, str], run: dict[str, Any]) -> str:
    """All summaries and targets, the samples' milliseconds, and what is known of the run; null is what was not seen."""
    told = {
        **run,
        "floor_ms": results.floor_ms,
        "backends": [_backend(results, url, name) for url, name in backends.items()],
    }
    return json.dumps(_finite(told), indent=1)


def _backend(results: Results, url: str, name: str) -> dict[str, Any]:
    scenarios = [
        asdict(results.summary(scenario, url)) | {"ms": [round(one.ms, 2) for one in results.of(scenario, url)]}
        for scenario in results.scenarios()
    ]
    met = [asdict(target) | {"is_met": target.is_met} for target in targets(results, url)]
    return {"url": url, "name": name, "scenarios": scenarios, "targets": met}


def _finite(value: Any) -> Any:
    """JSON knows no NaN."""
    if isinstance(value, dict):
        return {key: _finite(held) for key, held in value.items()}
    if isinstance(value, list):
        return [_finite(held) for held in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
