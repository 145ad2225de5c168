"""Text of optimized graphs, made comparable.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""
import re


def normalized(text):
    """@forward without what is named: values and Parameters by their first use, no names of inputs and outputs."""
    start = text.index("graven.graph @forward")
    body = text[start:text.index("\n  }", start)]
    body = re.sub(r" \{graven\.name = \"[^\"]*\"[^}]*\}", "", body)
    body = re.sub(r"-> \((tensor<[^()]*>)\) \{", r"-> \1 {", body)  # results are in parentheses when one has a name
    lines = [line for line in body.splitlines() if "graven.get_param" not in line]
    reads = dict(re.findall(r"(%\w+) = graven\.get_param (@\"[^\"]*\"|@\S+)", body))
    names = {}

    def rename(match):
        name = match.group(0)
        return names.setdefault(reads.get(name, name), f"{'@' if name in reads else '%'}{len(names)}")

    return [re.sub(r"%\w+", rename, line) for line in lines]
