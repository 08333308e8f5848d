"""The steps of a run as a graph: which came after which, and which ran beside each other."""

from collections.abc import Sequence
from dataclasses import dataclass

from orchestration.dashboard.reading import Row

NODE_WIDTH, NODE_HEIGHT, GAP, ROW = 96, 46, 28, 60


@dataclass(frozen=True)
class Graph:
    """Where everything is, in pixels.

    Attributes:
        nodes: the steps with their place, each at its last try.
        edges: lines from the right side of a step to the left side of the next.
    """

    width: int
    height: int
    nodes: list[Row]
    edges: list[tuple[int, int, int, int]]
    node_width: int = NODE_WIDTH
    node_height: int = NODE_HEIGHT


def draw_graph(steps: Sequence[Row]) -> Graph:
    """The graph of steps that are in the order in which they began."""
    nodes = list({step["step"]: dict(step) for step in steps}.values())
    before = {node["step"]: _directly_before(node, nodes) for node in nodes}
    places: dict[str, tuple[int, int]] = {}
    taken: dict[int, int] = {}
    for node in nodes:
        column = max((places[name][0] + 1 for name in before[node["step"]]), default=0)
        places[node["step"]] = column, taken.get(column, 0)
        taken[column] = taken.get(column, 0) + 1
    for node in nodes:
        column, row = places[node["step"]]
        node |= {"x": 1 + column * (NODE_WIDTH + GAP), "y": 1 + row * ROW}
    by_name = {node["step"]: node for node in nodes}
    edges = [_edge(by_name[name], node) for node in nodes for name in before[node["step"]]]
    width = max(len(taken), 1) * (NODE_WIDTH + GAP) - GAP + 2
    return Graph(width, max(taken.values(), default=1) * ROW - ROW + NODE_HEIGHT + 2, nodes, edges)


def _directly_before(node: Row, nodes: Sequence[Row]) -> list[str]:
    """The steps that had ended when this one began, but for those that another of them came after."""
    ended = [
        one for one in nodes if one is not node and one["finished_at"] and one["finished_at"] <= node["started_at"]
    ]
    return [
        one["step"]
        for one in ended
        if not any(other is not one and one["finished_at"] <= other["started_at"] for other in ended)
    ]


def _edge(first: Row, second: Row) -> tuple[int, int, int, int]:
    middle = NODE_HEIGHT // 2
    return first["x"] + NODE_WIDTH, first["y"] + middle, second["x"], second["y"] + middle
