"""Rules and dashboard on Debian's prometheus: checked, tried, and fed by a real pair."""
import http.server
import json
import os
import re
import shutil
import socketserver
import threading
import urllib.parse
import urllib.request

import harness
import samples

HERE = os.path.join(harness.TOP, "tools", "monitoring")
RULES = os.path.join(HERE, "katamichi.rules.yml")


def promtool(*argv, **options):
    return harness.run("promtool", *argv, **options)


def test_rules_are_well_formed_and_fire(tmp_path):
    promtool("check", "rules", RULES)
    promtool("test", "rules", os.path.join(HERE, "katamichi.rules.test.yml"))
    # and a rule that is wrong is found: no alert goes untried
    with open(RULES) as f:
        rules = f.read()
    names = re.findall(r"- alert: (\w+)\n", rules)
    shutil.copy(os.path.join(HERE, "katamichi.rules.test.yml"), tmp_path)
    assert len(names) == len(set(names)) >= 15
    for name in names:
        for wrong in ("vector(1)", "absent(up)" if name == "KatamichiLinkSilent" else "vector(1) > 2"):
            spoilt = re.sub(rf"(- alert: {name}\n +expr: ).*", rf"\g<1>{wrong}", rules)
            with open(tmp_path / "katamichi.rules.yml", "w") as f:
                f.write(spoilt)
            done = promtool("test", "rules", str(tmp_path / "katamichi.rules.test.yml"), ok=False)
            assert done.returncode == 1, f"{name} may be {wrong}, and no test sees it"


class Files(http.server.BaseHTTPRequestHandler):
    """What node_exporter does with its directory, for the files of this test."""
    paths = {}

    def do_GET(self):
        with open(self.paths[self.path], "rb") as f:
            body = f.read()
        self.send_response(200)
        self.send_header("Content-Type", "text/plain; version=0.0.4")
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


CONFIG = """global: {{scrape_interval: 1s, evaluation_interval: 1s}}
rule_files: [{rules}]
scrape_configs:
  - {{job_name: receiver, metrics_path: /receiver, static_configs: [{{targets: ["127.0.0.1:{port}"]}}]}}
  - {{job_name: sender, metrics_path: /sender, static_configs: [{{targets: ["127.0.0.1:{port}"]}}]}}
"""


def free_port():
    with socketserver.TCPServer(("127.0.0.1", 0), None) as s:
        return s.server_address[1]


class Prometheus:
    def __init__(self, top, scraped):
        self.port = free_port()
        with open(os.path.join(top, "prometheus.yml"), "w") as f:
            f.write(CONFIG.format(rules=RULES, port=scraped))
        argv = ["prometheus", f"--config.file={top}/prometheus.yml", f"--storage.tsdb.path={top}/tsdb",
                f"--web.listen-address=127.0.0.1:{self.port}"]
        self.process = harness.Process("prometheus", argv, os.path.join(top, "prometheus.log"), ready="Server is ready")

    def get(self, path, **query):
        url = f"http://127.0.0.1:{self.port}/api/v1/{path}?{urllib.parse.urlencode(query)}"
        try:
            with urllib.request.urlopen(url, timeout=10) as answer:
                return json.load(answer)
        except urllib.error.HTTPError as e:
            raise AssertionError(f"{path} {query}: {e.read().decode()}")

    def query(self, expr):
        answer = self.get("query", query=expr)
        assert answer["status"] == "success" and not answer.get("warnings"), answer
        return answer["data"]["result"]


def expressions():
    with open(os.path.join(HERE, "dashboard.json")) as f:
        for panel in json.load(f)["panels"]:
            for target in panel.get("targets", []):
                yield panel["title"], target["expr"].replace("$__rate_interval", "1m").replace("$instance", ".*")


def test_a_real_pair_is_seen(site):
    files = {f"/{side}": site.path(f"{side}.prom") for side in ("sender", "receiver")}
    site.start(sender_more="metrics = sender.prom\n", receiver_more="metrics = receiver.prom\n")
    for i in range(3):
        site.put("eltax", f"{i}.csv", samples.table(i + 3))
    site.wait_delivered()
    for path in files.values():
        harness.wait_until(path, lambda: os.path.exists(path), 10, alive=site.daemons())
        with open(path, "rb") as f:
            done = harness.subprocess.run(["promtool", "check", "metrics"], stdin=f, capture_output=True, timeout=60)
        assert done.returncode == 0 and not done.stdout and not done.stderr, done.stdout + done.stderr
    Files.paths = files
    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Files) as web:
        threading.Thread(target=web.serve_forever, daemon=True).start()
        seen = Prometheus(site.top, web.server_address[1])
        harness.wait_until("three scrapes", lambda: [r for r in seen.query("count_over_time(katamichi_sender_newest_number[1m])")
                                                     if int(r["value"][1]) >= 3], 30, alive=[seen.process])
        harness.wait_until("three deliveries", lambda: [r for r in seen.query('katamichi_receiver_delivered_files_total{channel="eltax"}')
                                                        if r["value"][1] == "3"], 30, alive=[seen.process])
        for title, expr in expressions():
            assert seen.query(expr), f"{title}: {expr} finds nothing"
        rules = seen.get("rules")["data"]["groups"]
        found = [r for g in rules for r in g["rules"]]
        harness.wait_until("every rule evaluated", lambda: all(
            r["health"] == "ok" for g in seen.get("rules")["data"]["groups"] for r in g["rules"]), 20, alive=[seen.process])
        assert len(found) >= 15
        assert not [r["name"] for r in found if r["state"] == "firing"], "an alert although all is well"
        web.shutdown()
        seen.process.stop(code=None)
