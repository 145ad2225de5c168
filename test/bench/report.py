#!/usr/bin/env python3
"""Makes docs/benchmarks.md and its pictures from what compare.py measured; of results-X.json, docs/benchmarks-X.md.

usage: report.py RESULTS.json           needs matplotlib for the pictures

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""
import json
import math
import pathlib
import sys

import matplotlib
import matplotlib.pyplot as plt

DOCS = pathlib.Path(__file__).resolve().parents[2] / "docs"
PEERS = {"ort": "ONNX Runtime", "openvino": "OpenVINO", "compile": "torch.compile"}


def best_peer(found):
    times = {peer: values["min_ms"] for peer, values in found.items() if peer != "graven" and "min_ms" in values}
    return min(times, key=times.get) if times else None


def ratio(found):
    return found[best_peer(found)]["min_ms"] / found["graven"]["min_ms"]


def mean(ratios):
    return math.exp(sum(map(math.log, ratios)) / len(ratios))


def cell(found, runtime):
    values = found.get(runtime, {})
    return f"{values['min_ms']:.3g} / {values['median_ms']:.3g}" if "min_ms" in values else "-"


def speed_table(models, threads):
    rows = {name: entry["threads"][threads] for name, entry in models.items() if threads in entry.get("threads", {})}
    peers = [peer for peer in PEERS if any(peer in found for found in rows.values())]
    lines = [f"| model | Graven | {' | '.join(PEERS[p] for p in peers)} | best peer / Graven | error, Graven | error, best peer |",
             "|---|" + "---|" * (len(peers) + 4)]
    for name, found in rows.items():
        lines.append(f"| {models[name]['title']} | {cell(found, 'graven')} | {' | '.join(cell(found, p) for p in peers)} | "
                     f"**{ratio(found):.2f}** | {found['graven']['error']:.1e} | {found[best_peer(found)]['error']:.1e} |")
    lines.append(f"| geometric mean |{' |' * (len(peers) + 1)} **{mean([ratio(f) for f in rows.values()]):.2f}** | | |")
    return lines


def compile_table(models):
    lines = ["| model | no cache: s / processor s | cached: s | peak memory, MB | .onnx, MB | .so, MB | peak memory of a run, MB |",
             "|---|---|---|---|---|---|---|"]
    for entry in models.values():
        used = entry["compile"]
        lines.append(f"| {entry['title']} | {used['cold']['seconds']:.2f} / {used['cold']['cpu_seconds']:.2f} | "
                     f"{used['warm']['seconds']:.2f} | {used['cold']['peak_mb']:.0f} | {used['model_bytes'] / 1e6:.1f} | "
                     f"{used['artifact_bytes'] / 1e6:.1f} | {used['run_peak_mb']:.0f} |")
    return lines


def picture(models, threads, path):
    """Bars of peers' times over Graven's, a group a model; above 1 Graven is faster."""
    rows = [(entry["title"], entry["threads"][threads]) for entry in models.values() if threads in entry.get("threads", {})]
    peers = [peer for peer in PEERS if any("min_ms" in found.get(peer, {}) for _, found in rows)]
    figure, axes = plt.subplots(figsize=(8, 0.5 * len(rows) + 1.2))
    for i, peer in enumerate(peers):
        shown = [found[peer]["min_ms"] / found["graven"]["min_ms"] if "min_ms" in found.get(peer, {}) else 0
                 for _, found in rows]
        places = [row + (i - (len(peers) - 1) / 2) * 0.8 / len(peers) for row in range(len(rows))]
        axes.barh(places, shown, height=0.8 / len(peers), label=PEERS[peer])
    axes.axvline(1, color="black", linewidth=1)
    axes.set_yticks(range(len(rows)), [title for title, _ in rows])
    axes.invert_yaxis()
    axes.set_xlabel(f"time / Graven's time, {threads} thread{'s' if threads != '1' else ''}")
    axes.legend(frameon=False)
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
    figure.tight_layout()
    figure.savefig(path, metadata={"Date": None})


def main():
    source = pathlib.Path(sys.argv[1])
    suffix = source.stem.removeprefix("results")
    results = json.loads(source.read_text())
    models, machine = results["models"], results["machine"]
    matplotlib.rcParams["svg.hashsalt"] = "graven"
    pictures = DOCS / "benchmarks"
    pictures.mkdir(exist_ok=True)
    counts = sorted({threads for entry in models.values() for threads in entry.get("threads", {})}, key=int)
    versions = ", ".join(f"{module} {version}" for module, version in machine["versions"].items())
    lines = ["# Measurements", "",
             "Made by `test/bench/compare.py RESULTS.json` and `test/bench/report.py RESULTS.json`; `test/bench/README.md` says how.",
             f"{machine['date']}, {machine['cpu']}, {machine['cores']} cores, {machine['vectors']}; {versions}; load average "
             f"{machine['load']:.1f} at the end.", "",
             "f32, batch 1 unless the name says otherwise. Milliseconds, minimum / median, through each runtime's Python package:",
             "one process a row, the same inputs, calls interleaved. The error is the largest difference from PyTorch in f64, as",
             "a share of the largest output.", ""]
    for threads in counts:
        name = f"threads{threads}{suffix}.svg"
        picture(models, threads, pictures / name)
        lines += [f"## {threads} thread{'s' if threads != '1' else ''}", "", f"![times of peers over Graven's](benchmarks/{name})",
                  "", *speed_table(models, threads), ""]
    lines += ["## Compiling, sizes, memory", "", "`graven compile MODEL.onnx -o m.so`, least of two, without the cache of kernels "
              "and with what it kept; `graven bench m.so` for the run.", "", *compile_table(models), ""]
    (DOCS / f"benchmarks{suffix}.md").write_text("\n".join(lines))


if __name__ == "__main__":
    main()
