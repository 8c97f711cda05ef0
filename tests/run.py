#!/usr/bin/python3
"""The test runner behind `make test`: every group, one line each, and one sum at the end.

run.py [GROUP...]   groups: unit, fuzz (the corpora), checks (of what was built), e2e, docs (the guides), firmware (emulated); all without arguments.
A group's full output stands in $B/log/; it is shown only of what failed.
"""
import glob
import os
import re
import subprocess
import sys
import time
import xml.etree.ElementTree

TOP = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
B = os.environ.get("B", "build")
LOG = os.path.join(B, "log")
TIME_MAX = 300  # s, of one unit test program

total = {"passed": 0, "failed": 0, "skipped": 0}


def report(name, passed, failed, skipped, seconds, output=""):
    total["passed"] += passed
    total["failed"] += failed
    total["skipped"] += skipped
    word = "FAIL" if failed else "ok"
    notes = [f"{passed} passed"] + ([f"{failed} failed"] if failed else []) + ([f"{skipped} skipped"] if skipped else [])
    print(f"  {word:4}  {name:28} {', '.join(notes)}   {seconds:.1f} s", flush=True)
    if failed:
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


def unit():
    """cmocka says each test by a line; a program that dies in the middle counts as one failure more."""
    for source in sorted(glob.glob("tests/unit/test_*.c")):
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


def fuzz():
    for source in sorted(glob.glob("tests/fuzz/fuzz_*.c")):
        name = os.path.basename(source)[:-2]
        corpus = sorted(p for p in glob.glob(f"tests/fuzz/corpus/{name[5:]}/*") if os.path.isfile(p))
        code, out, seconds = execute(name, [os.path.join(B, "tests/fuzz", name)] + corpus)
        report(f"{name} ({len(corpus)} files)", int(code == 0), int(code != 0), 0, seconds, out + f"\nexit code {code}")


def checks():
    for script in sorted(glob.glob("tests/checks/*.sh")):
        name = os.path.basename(script)[:-3]
        code, out, seconds = execute("check_" + name, ["bash", script], env={"B": B})
        report("check " + name.replace("_", " "), int(code == 0), int(code not in (0, 77)), int(code == 77), seconds,
               out + f"\nexit code {code}")


def by_pytest(group, title):
    """A line for each test while it runs, the whole output of failures after."""
    xml_file = os.path.join(LOG, f"{group}.xml")
    argv = [sys.executable, "-u", "-B", "-m", "pytest", "-v", "--tb=short", "-p", "no:cacheprovider", "-o", "junit_family=xunit2",
            f"--junit-xml={xml_file}", f"--basetemp={os.path.abspath(B)}/{group}-tmp", f"tests/{group}"]
    start = last = time.monotonic()
    if os.path.exists(xml_file):
        os.unlink(xml_file)
    lines = []
    run = subprocess.Popen(argv, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL)
    for raw in run.stdout:
        line = raw.decode("utf-8", "backslashreplace").rstrip("\n")
        lines.append(line)
        if line.startswith("KATAMICHI_SEED"):
            print(f"  {title}, {line}", flush=True)
        found = re.match(r"(tests/\S+?)::(.+) (PASSED|FAILED|ERROR|SKIPPED) ", line)
        if found:
            now = time.monotonic()
            word = {"PASSED": "ok", "SKIPPED": "skip"}.get(found.group(3), "FAIL")
            print(f"  {word:4}  {found.group(2):50} {now - last:.1f} s", flush=True)
            last = now
    run.wait()
    with open(os.path.join(LOG, f"{group}.log"), "w") as f:
        f.write("\n".join(lines))
    passed = failed = skipped = 0
    if os.path.exists(xml_file):
        for suite in xml.etree.ElementTree.parse(xml_file).iter("testsuite"):
            tests, bad, passed_over = (int(suite.get(k)) for k in ("tests", "failures", "skipped"))
            bad += int(suite.get("errors"))
            passed, failed, skipped = passed + tests - bad - passed_over, failed + bad, skipped + passed_over
    if run.returncode != 0 and failed == 0:
        failed = 1
    rest = [i for i, line in enumerate(lines) if re.match(r"=+ (FAILURES|ERRORS) =+", line)]
    report(title, passed, failed, skipped, time.monotonic() - start, "")
    if failed:
        print("\n".join(lines[rest[0]:] if rest else lines[-200:]), flush=True)


def e2e():
    by_pytest("e2e", "end to end")


def firmware():
    by_pytest("firmware", "diode box")


def docs():
    by_pytest("docs", "guides")


def monitoring():
    by_pytest("monitoring", "monitoring")


GROUPS = {"unit": unit, "fuzz": fuzz, "checks": checks, "e2e": e2e, "docs": docs, "firmware": firmware}
ON_DEMAND = {"monitoring": monitoring}


def own_namespaces():
    """Who is not root may still be root of namespaces of their own, and then test the direction."""
    inner = ["unshare", "--user", "--map-root-user", "--mount", "--net", "sh", "-c"]
    mount = "mount -t tmpfs none /run"
    if os.geteuid() == 0 or "KATAMICHI_INNER" in os.environ or os.environ.get("KATAMICHI_LOOPBACK") == "1":
        return
    if subprocess.run(inner + [mount], stderr=subprocess.DEVNULL).returncode == 0:
        os.environ["KATAMICHI_INNER"] = "1"
        os.execvp(inner[0], inner + [f'{mount} && exec "$@"', "sh", sys.executable, os.path.abspath(__file__)] + sys.argv[1:])


def main():
    os.chdir(TOP)
    own_namespaces()
    os.makedirs(LOG, exist_ok=True)
    for name in sys.argv[1:] or GROUPS:
        every = {**GROUPS, **ON_DEMAND}
        if name not in every:
            sys.exit(f"run.py: no group \"{name}\" ({', '.join(every)})")
        every[name]()
    last = f"{total['passed']} passed, {total['failed']} failed"
    if total["skipped"]:
        last += f", {total['skipped']} skipped"
    print(last)
    return 1 if total["failed"] or not total["passed"] else 0


if __name__ == "__main__":
    sys.exit(main())
