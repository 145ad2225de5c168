#!/usr/bin/env python3
"""How long importing takes against torch.jit.load of the same file, interleaved, and how it grows with the model.

usage: test/bench/import_time.py [FILE.pt ...] [--rounds 5] [--json]   archives against torch.jit.load
       test/bench/import_time.py --grow                                modules of 10^3 to 10^5 nodes
       test/bench/import_time.py --memory                              peak memory for a state_dict and a model of 500 MB
Graven's time is that of the importer in a fresh process (`compile --to import --time-report`), torch.jit.load's that of
the call in a process that has loaded the file before. `--input` of scripted models follows from the file's name. Memory is
RssAnon at its peak: pages of the mapped file, which the system may take back at any time, are not in it.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""
import argparse
import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
GRAVEN = ROOT / os.environ.get("GRAVEN_BUILD", "build") / "bin" / "graven"
IMAGE = ["0:f32[1,3,224,224]"]
INPUTS = {"mlp": ["0:f32[2,16]"], "convbn": ["0:f32[1,3,8,8]"], "unet": ["0:f32[1,3,16,16]"], "lstm": ["0:i64[2,7]"],
          "gru": ["0:f32[3,2,8]"], "mycell": ["0:f32[3,4]", "1:f32[3,4]"], "myrnn": ["0:f32[5,3,4]"], "xfmr": ["0:f32[2,5,16]"],
          "mha": ["0:f32[2,5,16]"], "vit": ["0:f32[1,3,64,64]"], "maxvit": ["0:f32[1,3,64,64]"],
          "inception": ["0:f32[1,3,299,299]"], "r2plus1d": ["0:f32[1,3,4,32,32]"], "quant_dyn": ["0:f32[2,16]"],
          "stateful": ["0:f32[3]"], "views": ["0:f32[3]"]}
LOADER = """
import sys, time, warnings
warnings.simplefilter("ignore")
import torch
try:
    import torchvision
except ImportError:
    pass
for line in sys.stdin:
    start = time.perf_counter()
    module = torch.jit.load(line.rstrip("\\n"), map_location="cpu")
    took = time.perf_counter() - start
    del module
    print(took, flush=True)
"""


def import_seconds(path):
    """Seconds of the import, or the code of the error."""
    stem = path.stem
    specs = next((INPUTS[key] for key in sorted(INPUTS, key=len, reverse=True) if stem.startswith(key)), IMAGE)
    inputs = [] if stem.endswith("_trace") else [part for spec in specs for part in ("--input", spec)]
    result = subprocess.run([GRAVEN, "compile", path, "--to", "import", "-o", "-", "--time-report", *inputs],
                            stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    if result.returncode:
        codes = re.findall(r"GRV\d+", result.stderr)
        return codes[0] if codes else f"exit {result.returncode}"
    line = next(line for line in result.stderr.splitlines() if line.split()[-1:] == ["import"])
    return float(line.split()[0])


def compare(files, rounds, as_json):
    loader = subprocess.Popen([sys.executable, "-c", LOADER], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                              stderr=subprocess.DEVNULL, text=True)
    rows = []
    for path in files:
        ours, theirs = [], []
        for _ in range(rounds):
            ours.append(import_seconds(path))
            loader.stdin.write(f"{path.resolve()}\n")
            loader.stdin.flush()
            theirs.append(float(loader.stdout.readline() or "nan"))
            if isinstance(ours[-1], str):
                break
        row = {"file": path.name, "torch_ms": 1e3 * min(theirs)}
        row.update({"error": ours[0]} if isinstance(ours[0], str) else {"graven_ms": 1e3 * min(ours)})
        rows.append(row)
        if not as_json:
            got = row.get("error") or f"{row['graven_ms']:.1f}"
            ratio = "" if "error" in row else f"{row['torch_ms'] / row['graven_ms']:.2f}"
            print(f"| {path.stem} | {got} | {row['torch_ms']:.1f} | {ratio} |", flush=True)
    loader.stdin.close()
    if as_json:
        print(json.dumps(rows, indent=1))
    return 1 if any(row.get("graven_ms", 0) > row["torch_ms"] for row in rows) else 0


def grow():
    """A chain of nodes in TorchScript's text and, in archives, modules of one operation each."""
    import torch

    class Step(torch.nn.Module):
        def forward(self, x):
            return torch.relu(x + 1.0)
    print("| nodes | text, s | modules traced, s |")
    for nodes in (1000, 10000, 100000):
        with tempfile.TemporaryDirectory() as folder:
            source = pathlib.Path(folder) / "m.py"
            source.write_text("def forward(x: Tensor) -> Tensor:\n" + "".join(
                f"  x{i + 1} = torch.relu(x{i if i else ''})\n" for i in range(nodes)) + f"  return x{nodes}\n")
            text = subprocess.run([GRAVEN, "compile", source, "--to", "import", "-o", "-", "--time-report", "--input",
                                   "x:f32[4]"], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, check=True)
            seconds = [line.split()[0] for line in text.stderr.splitlines() if line.split()[-1:] == ["import"]]
            archive = pathlib.Path(folder) / "m_trace.pt"
            traced = "-"
            if nodes <= 10000:
                module = torch.nn.Sequential(*[Step() for _ in range(nodes // 2)])
                torch.jit.save(torch.jit.trace(module, torch.ones(4), check_trace=False), archive)
                traced = import_seconds(archive)
            print(f"| {nodes} | {seconds[0]} | {traced} |", flush=True)


def peak_anonymous(arguments):
    """The most RssAnon of a process, in MiB, looked at every millisecond."""
    process = subprocess.Popen(list(map(str, arguments)), stdout=subprocess.DEVNULL)
    most = 0
    while process.poll() is None:
        try:
            status = pathlib.Path(f"/proc/{process.pid}/status").read_text()
            most = max(most, int(re.search(r"RssAnon:\s+(\d+)", status).group(1)))
        except (AttributeError, OSError):
            pass
        time.sleep(0.001)
    assert process.returncode == 0, arguments
    return most / 1024


def memory():
    import torch
    layers = [torch.nn.Linear(2048, 2048) for _ in range(31)]  # 4 million floats each
    module = torch.nn.Sequential(*layers).eval()
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        torch.save(module.state_dict(), folder / "w.pth")
        torch.jit.save(torch.jit.trace(module, torch.ones(1, 2048), check_trace=False), folder / "m_trace.pt")
        del module, layers
        print("| what | RssAnon, MiB |")
        for what, arguments in [("inspect w.pth", ["inspect", folder / "w.pth"]),
                                ("inspect m.pt", ["inspect", folder / "m_trace.pt"]),
                                ("import m.pt -o m.mlir", ["import", folder / "m_trace.pt", "-o", folder / "m.mlir"]),
                                ("import w.pth -o w.safetensors",
                                 ["import", folder / "w.pth", "-o", folder / "w.safetensors"])]:
            print(f"| {what} | {peak_anonymous([GRAVEN, *arguments]):.0f} |", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("files", nargs="*", type=pathlib.Path)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--grow", action="store_true")
    parser.add_argument("--memory", action="store_true")
    arguments = parser.parse_args()
    if arguments.grow:
        grow()
    if arguments.memory:
        memory()
    return compare(arguments.files, arguments.rounds, arguments.json) if arguments.files else 0


if __name__ == "__main__":
    sys.exit(main())
