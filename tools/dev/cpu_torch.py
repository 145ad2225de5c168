#!/usr/bin/env python3
"""Lets PyTorch's wheel be imported without the 4 GB of CUDA libraries that it is linked against.

The tests use PyTorch on the CPU only. PyPI has one build of it for x86-64 Linux, linked against CUDA: without
libcudart.so and its kin the loader refuses it. This script reads from the wheel's own libraries which CUDA functions
they import and puts libraries of those names beside them in which each of these functions returns 100
(cudaErrorNoDevice), which PyTorch understands as "no GPU here".

usage: VENV/bin/python tools/dev/cpu_torch.py      environment: CC, the C compiler (default: clang-22)

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""
import importlib.util
import os
import pathlib
import re
import subprocess
import tempfile

CUDA_LIBRARY = re.compile(r"lib(cu|nv|nccl)\w*\.so")
CUDA_FUNCTION = re.compile(r"(cu|nccl|nv|__cuda)[A-Za-z_]")
# Returns text where the caller would dereference the result; an error code everywhere else.
RETURNS_TEXT = re.compile(r"Error(String|Name)$")


def output(*command):
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def needed_libraries(library):
    return re.findall(r"\(NEEDED\).*\[(.*)\]", output("readelf", "--dynamic", "--wide", library))


def version_names(library):
    """The names of the symbol versions that `library` needs of each of its libraries."""
    wanted, current = {}, None
    for line in output("readelf", "--version-info", "--wide", library).splitlines():
        if match := re.search(r"File: (\S+)", line):
            current = match[1]
        elif current and (match := re.search(r"Name: (\S+)\s+Flags", line)):
            wanted[match[1]] = current
    return wanted


def imported_and_defined(library):
    """Names that `library` imports, as `name` or `name@version`, and names that it defines."""
    imported, defined = set(), set()
    for line in output("nm", "--dynamic", library).splitlines():
        *_, kind, name = line.split()
        if kind == "U":
            imported.add(name)
        else:
            defined.add(name.split("@")[0])
    return imported, defined


def build(soname, functions, version, folder, compiler):
    """Writes folder/soname, which defines `functions`, all of symbol version `version` unless it is None."""
    with tempfile.TemporaryDirectory() as work:
        source = pathlib.Path(work, "library.c")
        source.write_text("".join(
            f'const char *{name}(void) {{ return "no CUDA device"; }}\n' if RETURNS_TEXT.search(name)
            else f"int {name}(void) {{ return 100; }}\n" for name in sorted(functions)))
        command = [compiler, "-w", "-fno-builtin", "-shared", "-fPIC", f"-Wl,-soname,{soname}", str(source),
                   "-o", str(folder / soname)]
        if version:
            script = pathlib.Path(work, "versions")
            script.write_text(f"{version} {{ global: *; }};\n")
            command.append(f"-Wl,--version-script={script}")
        subprocess.run(command, check=True)


def main():
    spec = importlib.util.find_spec("torch")
    if spec is None:
        raise SystemExit("cpu_torch.py: this Python has no torch")
    folder = pathlib.Path(spec.origin).parent / "lib"
    libraries = [str(path) for path in folder.glob("*.so*")]
    needed, versions, imported, defined = set(), {}, set(), set()
    for library in libraries:
        needed.update(name for name in needed_libraries(library) if CUDA_LIBRARY.match(name))
        versions.update(version_names(library))
        more_imported, more_defined = imported_and_defined(library)
        imported |= more_imported
        defined |= more_defined
    nvidia = folder.parent.parent / "nvidia"
    missing = {name for name in needed if not (folder / name).exists() and not list(nvidia.glob(f"**/{name}"))}
    if not missing:
        return
    functions = {name: set() for name in missing}
    of_library = {}
    for name, _, version in (symbol.partition("@") for symbol in imported):
        if name in defined or not CUDA_FUNCTION.match(name):
            continue
        # A function of no version may be defined anywhere: the loader looks through all of the libraries.
        owner = versions.get(version) if version else min(missing)
        if owner in missing:
            functions[owner].add(name)
            of_library[owner] = version or of_library.get(owner)
    for soname in sorted(missing):
        build(soname, functions[soname], of_library.get(soname), folder, os.environ.get("CC", "clang-22"))


if __name__ == "__main__":
    main()
