# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Work in processes of its own, so that a crash or an endless loop is a verdict like others."""
import collections
import json
import os
import selectors
import signal
import sys
import traceback

LIMIT_SECONDS = 180

Verdict = collections.namedtuple("Verdict", "kind sample note", defaults=("",))


def problems_of(verdicts, expected, shrink):
    """What is wrong with verdicts where `expected` lists what may be refused; `shrink` is the command that takes from it."""
    problems = []
    for name, verdict in verdicts.items():
        said = f"{name}: {verdict.kind}, sample {verdict.sample}: {verdict.note}"
        if verdict.kind in ("wrong", "crash"):
            problems.append(said)
        elif verdict.kind != "pass" and name not in expected:
            problems.append(said + " (it is not in the list)")
        elif verdict.kind == "pass" and name in expected:
            problems.append(f"{name} passes: run {shrink}")
    return problems + [f"{name} is listed, but unknown" for name in sorted(expected.keys() - verdicts.keys())]


def forked(work):
    """Starts work() in a process; returns its id and where its verdict can be read."""
    reader, writer = os.pipe()
    pid = os.fork()
    if pid:
        os.close(writer)
        return pid, reader
    os.close(reader)
    signal.alarm(LIMIT_SECONDS)
    try:
        verdict = work()
    except BaseException:
        verdict = Verdict("wrong", 0, "the driver: " + traceback.format_exc().strip().replace("\n", " | ")[-400:])
    with os.fdopen(writer, "w") as out:
        json.dump(verdict, out)
    os._exit(0)


def finished(pid, reader):
    with os.fdopen(reader) as source:
        text = source.read()
    status = os.waitpid(pid, 0)[1]
    if os.WIFSIGNALED(status):
        number = os.WTERMSIG(status)
        return Verdict("crash", 0, f"over {LIMIT_SECONDS} s" if number == signal.SIGALRM else f"signal {number}")
    return Verdict(*json.loads(text))


def run_all(works, jobs, report):
    """The verdicts of {name: function}, of which `jobs` run at a time."""
    verdicts, waiting, running = {}, list(works.items()), 0
    with selectors.DefaultSelector() as selector:
        while waiting or running:
            while waiting and running < jobs:
                name, work = waiting.pop(0)
                sys.stdout.flush()
                pid, reader = forked(work)
                selector.register(reader, selectors.EVENT_READ, (name, pid))
                running += 1
            for key, _ in selector.select():
                name, pid = key.data
                selector.unregister(key.fd)
                verdicts[name] = finished(pid, key.fd)
                running -= 1
                report(name, verdicts[name])
    return verdicts
