"""Where the streams of an alluvial chart lie: pure arithmetic, no drawing.

Money flows from the left to the right: income, ports, pods (in as many columns as money takes
steps between them), and at the right what it was spent on and the accounts it left for. An
account that gives and takes stands at both ends.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from seqdata.plots.grouping import OTHERS

#: Columns of pods at most; what flows within one is not drawn.
_MOST_POD_LAYERS = 2

#: Share of a column below which nodes are joined.
_LEAST = 0.012

#: Share of the height that is left free between the streams of the fullest column.
_GAPS = 0.30


@dataclass(frozen=True)
class Layout:
    """Places in a unit square, y downwards.

    ``nodes`` has key, name, kind, layer, cents, top, bottom; ``links`` has from_key, to_key,
    moved_cents, and the upper ends from_top and to_top with their thickness. ``left_out_cents``
    is what flows within a column or backwards.
    """

    nodes: pd.DataFrame
    links: pd.DataFrame
    left_out_cents: int


def layout(table: pd.DataFrame, most: int = 10) -> Layout:
    """Place the streams of a money_flow table.

    Parameters
    ----------
    table
        ``from_name``, ``from_kind``, ``to_name``, ``to_kind``, ``moved_cents``; moves between
        the same two are summed, and opposite ones netted.
    most
        Nodes in one column at most; the smallest ones become one.
    """
    links = _netted(table)
    layers = _layers(links)
    links, left_out = _forward(links, layers)
    if links.empty:
        return Layout(_no_nodes(), links, left_out)
    links = _few(links, layers, most)
    nodes = _nodes(links, layers)
    nodes = _placed(_ordered(nodes, links))
    return Layout(nodes, _ends(links, nodes), left_out)


# -- what flows --------------------------------------------------------------------------------


def _netted(table: pd.DataFrame) -> pd.DataFrame:
    """Return from_key, to_key, moved_cents: one row a pair, opposite ones netted."""
    known = table.dropna(subset=["moved_cents"])
    kind = {"from": known["from_kind"].astype("str"), "to": known["to_kind"].astype("str")}
    # An account gives at the left and takes at the right.
    side = {"from": "source", "to": "account"}
    keys = {
        end: kind[end].where(kind[end] != "account", side[end])
        + ":"
        + known[f"{end}_name"].fillna("unnamed").astype("str")
        for end in ("from", "to")
    }
    rows = pd.DataFrame(
        {
            "from_key": keys["from"],
            "to_key": keys["to"],
            "moved_cents": known["moved_cents"].astype("int64"),
        }
    )
    is_turned = rows["moved_cents"] < 0
    rows.loc[is_turned, ["from_key", "to_key"]] = rows.loc[
        is_turned, ["to_key", "from_key"]
    ].to_numpy()
    rows["moved_cents"] = rows["moved_cents"].abs()
    sums = rows.groupby(["from_key", "to_key"])["moved_cents"].sum().reset_index()
    back = sums.rename(columns={"from_key": "to_key", "to_key": "from_key"})
    both = sums.merge(back, on=["from_key", "to_key"], how="left", suffixes=("", "_back"))
    net = both["moved_cents"] - both["moved_cents_back"].fillna(0).astype("int64")
    netted: pd.DataFrame = both[["from_key", "to_key"]].assign(moved_cents=net)
    is_moved = (net > 0) & (both["from_key"] != both["to_key"])
    return netted[is_moved].reset_index(drop=True)


def _layers(links: pd.DataFrame) -> dict[str, int]:
    """Return each node's column."""
    everything = pd.unique(pd.concat([links["from_key"], links["to_key"]]))
    depths = _pod_depths(links)
    last = 2 + max(depths.values(), default=0) + 1
    fixed = {"income": 0, "source": 0, "port": 1, "account": last, "category": last}
    layers = {
        key: 2 + depths.get(key, 0) if kind_of(key) == "pod" else fixed.get(kind_of(key), last)
        for key in everything
    }
    used = {layer: place for place, layer in enumerate(sorted(set(layers.values())))}
    return {key: used[layer] for key, layer in layers.items()}


def _pod_depths(links: pd.DataFrame) -> dict[str, int]:
    """Say how many steps each pod is from the first ones, along the largest moves.

    Moves are taken from the largest to the smallest; one that would close a circle is not.
    """
    within = links[
        links["from_key"].map(kind_of).eq("pod") & links["to_key"].map(kind_of).eq("pod")
    ].sort_values("moved_cents", ascending=False, kind="stable")
    after: dict[str, set[str]] = {}
    for one, other in zip(within["from_key"], within["to_key"], strict=True):
        if one not in _reached(other, after):
            after.setdefault(one, set()).add(other)
    depths: dict[str, int] = {}
    for _ in range(_MOST_POD_LAYERS - 1):
        for one in [key for key in after if depths.get(key, 0) < _MOST_POD_LAYERS - 1]:
            for other in after[one]:
                depths[other] = max(depths.get(other, 0), depths.get(one, 0) + 1)
    return {key: min(depth, _MOST_POD_LAYERS - 1) for key, depth in depths.items()}


def _reached(start: str, after: dict[str, set[str]]) -> set[str]:
    found, waiting = {start}, [start]
    while waiting:
        for key in after.get(waiting.pop(), set()) - found:
            found.add(key)
            waiting.append(key)
    return found


def _forward(links: pd.DataFrame, layers: dict[str, int]) -> tuple[pd.DataFrame, int]:
    ahead = links["from_key"].map(layers) < links["to_key"].map(layers)
    left_out = int(links.loc[~ahead, "moved_cents"].sum())
    return links[ahead].reset_index(drop=True), left_out


def kind_of(key: str) -> str:
    """Return the kind that a key begins with."""
    return key.split(":", 1)[0]


def _few(links: pd.DataFrame, layers: dict[str, int], most: int) -> pd.DataFrame:
    """Join the smallest nodes of each column that has too many."""
    sizes = _sizes(links)
    renamed: dict[str, str] = {}
    for layer in set(layers.values()):
        own = sizes[[layers[key] == layer for key in sizes.index]].sort_values(ascending=False)
        is_small = own < own.sum() * _LEAST
        small = own.index[min(len(own) - int(is_small.sum()), most - 1) :].tolist()
        if len(small) > 1 and (len(own) > most or is_small.sum() > 1):
            joined = f"{kind_of(small[0])}:{len(small)} {OTHERS}"
            layers[joined] = layer
            renamed |= dict.fromkeys(small, joined)
    named = links.assign(
        from_key=links["from_key"].replace(renamed), to_key=links["to_key"].replace(renamed)
    )
    return named.groupby(["from_key", "to_key"])["moved_cents"].sum().reset_index()


def _sizes(links: pd.DataFrame) -> pd.Series[Any]:
    """Return the larger of what comes into each node and what leaves it, in cents."""
    out = links.groupby("from_key")["moved_cents"].sum()
    into = links.groupby("to_key")["moved_cents"].sum()
    return pd.concat([out, into], axis="columns").fillna(0).max(axis="columns").astype("int64")


# -- where it stands ---------------------------------------------------------------------------


def _no_nodes() -> pd.DataFrame:
    return pd.DataFrame(columns=["key", "name", "kind", "layer", "cents", "top", "bottom"])


def _nodes(links: pd.DataFrame, layers: dict[str, int]) -> pd.DataFrame:
    sizes = _sizes(links)
    keys = sizes.index.to_series()
    return pd.DataFrame(
        {
            "key": keys,
            "name": keys.str.split(":", n=1).str[1],
            "kind": keys.map(kind_of).replace("source", "account"),
            "layer": keys.map(layers).astype("int64"),
            "cents": sizes,
        }
    ).reset_index(drop=True)


def _ordered(nodes: pd.DataFrame, links: pd.DataFrame) -> pd.DataFrame:
    """Order each column so that few streams cross: by the mean place of what it is tied to."""
    nodes = nodes.sort_values(["layer", "cents"], ascending=[True, False], kind="stable")
    places = _centres(nodes)
    ends = [("from_key", "to_key"), ("to_key", "from_key")] * 3
    for own, other in reversed(ends):
        weight = links["moved_cents"]
        far = links[other].map(places) * weight
        pull = far.groupby(links[own]).sum() / weight.groupby(links[own]).sum()
        nodes["pull"] = nodes["key"].map(pull).fillna(nodes["key"].map(places))
        nodes = nodes.sort_values(["layer", "pull"], kind="stable")
        places = _centres(nodes)
    return nodes.drop(columns="pull").reset_index(drop=True)


def _centres(nodes: pd.DataFrame) -> dict[str, float]:
    """Return the middle of each node, as a share of its column."""
    sums = nodes.groupby("layer")["cents"]
    middle = (sums.cumsum() - nodes["cents"] / 2) / sums.transform("sum")
    return dict(zip(nodes["key"], middle, strict=True))


def _placed(nodes: pd.DataFrame) -> pd.DataFrame:
    columns = nodes.groupby("layer")["cents"]
    counts = columns.transform("size")
    gap = _GAPS / max(int(counts.max()) - 1, 1)
    scale = float(((1 - gap * (counts - 1)) / columns.transform("sum")).min())
    thick = nodes["cents"] * scale
    before = (thick.groupby(nodes["layer"]).cumsum() - thick) + gap * nodes.groupby(
        "layer"
    ).cumcount()
    used = thick.groupby(nodes["layer"]).transform("sum") + gap * (counts - 1)
    top = before + (1 - used) / 2
    return nodes.assign(top=top, bottom=top + thick)


def _ends(links: pd.DataFrame, nodes: pd.DataFrame) -> pd.DataFrame:
    """Say where at its two nodes each stream begins and ends, without crossing there."""
    by_key = nodes.set_index("key")
    scale = float((by_key["bottom"] - by_key["top"]).sum() / by_key["cents"].sum())
    links = links.assign(thickness=links["moved_cents"] * scale)
    for own, other in (("from", "to"), ("to", "from")):
        far = links[f"{other}_key"].map(by_key["top"])
        ordered = links.assign(far=far).sort_values([f"{own}_key", "far"], kind="stable")
        thick = ordered["thickness"]
        stacked = thick.groupby(ordered[f"{own}_key"]).cumsum() - thick
        links[f"{own}_top"] = links[f"{own}_key"].map(by_key["top"]) + stacked.reindex(links.index)
    return links


def used_layers(nodes: pd.DataFrame) -> Iterable[int]:
    """Return the columns that have nodes, from the left."""
    return (int(layer) for layer in np.unique(nodes["layer"]))
