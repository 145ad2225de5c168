#!/usr/bin/env python3
"""No path of somebody's machine in any committed file, also not in binary ones (a TorchScript trace records paths).

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""
import re
import zipfile

from common import Finding, run_lint

MACHINE = re.compile(rb"(?<![\w./~$}-])/(?:home|root|Users|work|workspace|mnt)/[\w.@-]+[^\s\"'`)>]*")
TEMPORARY = re.compile(rb"(?<![\w./~$}-])/tmp/[\w.@-]+/lib/python")


def parts(tree, name):
    """The bytes of the file or, of a zip archive, of its members."""
    path = tree.root / name
    if zipfile.is_zipfile(path):
        with zipfile.ZipFile(path) as archive:
            for member in archive.namelist():
                yield f" in {member}", archive.read(member)
    else:
        yield "", path.read_bytes()


def lint(tree):
    for name in tree.matching(skip=("third_party/",)):
        for where, data in parts(tree, name):
            for match in (*MACHINE.finditer(data), *TEMPORARY.finditer(data)):
                text = match[0][:80].decode("utf-8", "replace")
                yield Finding(name, data.count(b"\n", 0, match.start()) + 1, f"a path of one machine{where}: {text}")


if __name__ == "__main__":
    run_lint(lint, __doc__)
