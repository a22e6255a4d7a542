"""Takes a chart's specification apart for tests: what each layer draws, and from which rows."""

from dataclasses import dataclass
from typing import Any

from altair import LayerChart


@dataclass(frozen=True)
class Layer:
    mark: str
    rows: list[dict[str, Any]]
    encoding: dict[str, Any]
    mark_options: dict[str, Any]


def layers_of(chart: LayerChart) -> list[Layer]:
    spec = chart.to_dict()
    return [
        Layer(
            mark=layer["mark"]["type"],
            rows=layer.get("data", spec.get("data"))["values"],
            encoding=layer["encoding"],
            mark_options=layer["mark"],
        )
        for layer in spec["layer"]
    ]


def layers_with(chart: LayerChart, mark: str) -> list[Layer]:
    return [layer for layer in layers_of(chart) if layer.mark == mark]
