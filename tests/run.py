#!/usr/bin/python3
"""The test runner behind `make test`: every group, one line each, and one sum at the end.

run.py [GROUP...]   groups: checks (of what was built), unit, fuzz (the corpora), e2e, docs (the guides), firmware (emulated); all without arguments.
Several run at a time: programs one a core, and of the others, which mostly wait, more.
A group's full output stands in $B/log/; it is shown only of what failed.
"""
import concurrent.futures
import glob
import importlib.util
import os
import random
import re
import subprocess
import sys
import threading
import time
import xml.etree.ElementTree

TOP = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
B = os.environ.get("B", "build")
LOG = os.path.join(B, "log")
TIME_MAX = 300  # s, of one unit test program

CORES = os.cpu_count() or 1
NONE_SELECTED = 5  # exit code of pytest

total = {"passed": 0, "failed": 0, "skipped": 0}
printing = threading.Lock()


def say(text):
    with printing:
        print(text, flush=True)


def report(name, passed, failed, skipped, seconds, output=""):
    word = "FAIL" if failed else "ok"
    notes = [f"{passed} passed"] + ([f"{failed} failed"] if failed else []) + ([f"{skipped} skipped"] if skipped else [])
    with printing:
        total["passed"] += passed
        total["failed"] += failed
        total["skipped"] += skipped
        print(f"  {word:4}  {name:28} {', '.join(notes)}   {seconds:.1f} s", flush=True)
        if failed and output:
            print("\n".join("        | " + line for line in output.splitlines()[-200:]), flush=True)


def execute(name, argv, limit=TIME_MAX, env=None):
    start = time.monotonic()
    try:
        done = subprocess.run(argv, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL, timeout=limit,
                              env={**os.environ, **(env or {})})
        code, out = done.returncode, done.stdout.decode("utf-8", "backslashreplace")
    except subprocess.TimeoutExpired as e:
        code, out = None, (e.stdout or b"").decode("utf-8", "backslashreplace") + f"\nnot finished after {limit} s"
    except OSError as e:
        code, out = None, str(e)
    with open(os.path.join(LOG, name + ".log"), "w") as f:
        f.write(out)
    return code, out, time.monotonic() - start


# --- programs: one line each ---
def unit_program(source):
    """cmocka says each test by a line; a program that dies in the middle counts as one failure more."""
    name = os.path.basename(source)[:-2]
    code, out, seconds = execute(name, [os.path.join(B, "tests/unit", name)])
    passed = len(re.findall(r"^\[       OK \] ", out, re.M))
    skipped = len(re.findall(r"^\[  SKIPPED \] [^0-9]", out, re.M)) // 2  # said at once and in the list
    asked = sum(int(n) for n in re.findall(r"^\[==========\].*?(\d+) test\(s\)\.", out, re.M))
    failed = max(0, asked - passed - skipped)
    if code != 0 and failed == 0 or asked == 0:
        failed += 1
        out += f"\nexit code {code}"
    report(name, passed, failed, skipped, seconds, out)


def fuzz_program(source):
    name = os.path.basename(source)[:-2]
    corpus = sorted(p for p in glob.glob(f"tests/fuzz/corpus/{name[5:]}/*") if os.path.isfile(p))
    code, out, seconds = execute(name, [os.path.join(B, "tests/fuzz", name)] + corpus)
    report(f"{name} ({len(corpus)} files)", int(code == 0), int(code != 0), 0, seconds, out + f"\nexit code {code}")


def check_script(script):
    name = os.path.basename(script)[:-3]
    code, out, seconds = execute("check_" + name, ["bash", script], env={"B": B})
    report("check " + name.replace("_", " "), int(code == 0), int(code not in (0, 77)), int(code == 77), seconds,
           out + f"\nexit code {code}")


PROGRAMS = {  # the checks first: one of them takes longest
    "checks": (check_script, "tests/checks/*.sh"),
    "unit": (unit_program, "tests/unit/test_*.c"),
    "fuzz": (fuzz_program, "tests/fuzz/fuzz_*.c"),
}


def programs(groups):
    with concurrent.futures.ThreadPoolExecutor(CORES) as pool:
        todo = [pool.submit(one, path) for group, (one, pattern) in PROGRAMS.items() if group in groups
                for path in sorted(glob.glob(pattern))]
        for each in todo:
            each.result()


# --- groups of pytest: a line for each test as it ends, the whole output of failures after the group ---
PYTESTS = {  # title, and how many tests at a time: they mostly wait
    "e2e": ("end to end", 2 * min(CORES, 4)),
    "firmware": ("diode box", min(CORES, 4)),
    "docs": ("guides", 1),
    "monitoring": ("monitoring", 1),
}
ON_DEMAND = {"monitoring"}
WORD = r"(?P<word>PASSED|FAILED|ERROR|SKIPPED)(?: \([^)]*\))?(?: (?P<seconds>[\d.]+) s)?"
LINES = [re.compile(p) for p in (
    r"\[gw\d+\] \[ *\d+%\] " + WORD + r" tests/(?P<name>\S.*?) *$",  # of several at a time
    r"tests/(?P<name>\S+::.*?) " + WORD + r" +\[ *\d+%\]$")]


def by_pytest(group, what="", jobs=1, select=()):
    title, xml_file, start, lines = PYTESTS[group][0], os.path.join(LOG, f"{group}{what}.xml"), time.monotonic(), []
    argv = [sys.executable, "-u", "-B", "-m", "pytest", "-v", "--tb=short", "-p", "no:cacheprovider", "-o", "junit_family=xunit2",
            f"--junit-xml={xml_file}", f"--basetemp={os.path.abspath(B)}/{group}{what}-tmp", *select, f"tests/{group}"]
    if jobs > 1:
        argv += ["-n", str(jobs), "--dist", "loadgroup"]
    if os.path.exists(xml_file):
        os.unlink(xml_file)
    run = subprocess.Popen(argv, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL)
    for raw in run.stdout:
        lines.append(raw.decode("utf-8", "backslashreplace").rstrip("\n"))
        found = LINES[jobs == 1].match(lines[-1])
        if found:
            word = {"PASSED": "ok", "SKIPPED": "skip"}.get(found["word"], "FAIL")
            say(f"  {word:4}  {found['name']:75} {found['seconds'] or '0.0'} s")
    run.wait()
    with open(os.path.join(LOG, f"{group}{what}.log"), "w") as f:
        f.write("\n".join(lines))
    passed = failed = skipped = 0
    if os.path.exists(xml_file):
        for suite in xml.etree.ElementTree.parse(xml_file).iter("testsuite"):
            tests, bad, passed_over = (int(suite.get(k)) for k in ("tests", "failures", "skipped"))
            bad += int(suite.get("errors"))
            passed, failed, skipped = passed + tests - bad - passed_over, failed + bad, skipped + passed_over
    if run.returncode not in (0, NONE_SELECTED) and failed == 0:
        failed = 1
    rest = [i for i, line in enumerate(lines) if re.match(r"=+ (FAILURES|ERRORS) =+", line)]
    report(title + what, passed, failed, skipped, time.monotonic() - start)
    if failed:
        say("\n".join(lines[rest[0]:] if rest else lines[-200:]))


def pytests(groups):
    """All groups beside each other; then, one at a time on an idle machine, the tests that are marked "alone"."""
    if not groups:
        return
    os.environ.setdefault("KATAMICHI_SEED", str(random.SystemRandom().randrange(1, 2**31)))
    say(f"  KATAMICHI_SEED={os.environ['KATAMICHI_SEED']}")
    if not importlib.util.find_spec("xdist"):
        for group in groups:
            by_pytest(group)
        return
    with concurrent.futures.ThreadPoolExecutor(len(groups)) as pool:
        for each in [pool.submit(by_pytest, g, "", PYTESTS[g][1], ("-m", "not alone")) for g in groups]:
            each.result()
    if "e2e" in groups:
        by_pytest("e2e", ", alone", 1, ("-m", "alone"))


def own_namespaces():
    """Who is not root may still be root of namespaces of their own, and then test the direction."""
    inner = ["unshare", "--user", "--map-root-user", "--mount", "--net", "sh", "-c"]
    mount = "mount -t tmpfs none /run && ip link set lo up"
    if os.geteuid() == 0 or "KATAMICHI_INNER" in os.environ or os.environ.get("KATAMICHI_LOOPBACK") == "1":
        return
    if subprocess.run(inner + [mount], stderr=subprocess.DEVNULL).returncode == 0:
        os.environ["KATAMICHI_INNER"] = "1"
        os.execvp(inner[0], inner + [f'{mount} && exec "$@"', "sh", sys.executable, os.path.abspath(__file__)] + sys.argv[1:])


def main():
    os.chdir(TOP)
    own_namespaces()
    os.makedirs(LOG, exist_ok=True)
    known = [*PROGRAMS, *PYTESTS]
    groups = sys.argv[1:] or [g for g in known if g not in ON_DEMAND]
    for name in groups:
        if name not in known:
            sys.exit(f"run.py: no group \"{name}\" ({', '.join(known)})")
    programs([g for g in groups if g in PROGRAMS])
    pytests([g for g in groups if g in PYTESTS])
    last = f"{total['passed']} passed, {total['failed']} failed"
    if total["skipped"]:
        last += f", {total['skipped']} skipped"
    print(last)
    return 1 if total["failed"] or not total["passed"] else 0


if __name__ == "__main__":
    sys.exit(main())
