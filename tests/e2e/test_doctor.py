"""katamichi doctor: a host that stands as the rules ask, and then each item broken alone: that item turns, and no other.

The host is a copy (--root): its files of /proc, /sys and /etc, its packet filter's rules, and the real files of the service.
What the link's items see is shown once more in real namespaces."""
import json
import os
import re
import subprocess

import pytest

import harness

GOOD_ROUTE = "Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT\n"
LINK_ROUTE = "kml\t00004D0A\t00000000\t0001\t0\t0\t0\tFCFFFFFF\t0\t0\t0\n"  # 10.77.0.0/30
OFFICE_ROUTE = "eth1\t000200C0\t00000000\t0001\t0\t0\t0\t00FFFFFF\t0\t0\t0\n"  # 192.0.2.0/24
ETHER = {"S": "02:6b:6d:00:00:01", "R": "02:6b:6d:00:00:02"}
DECLARED = """[declared]
cabling = 配線記録 2026-10-01
sign_in = 認証基盤 2026年度
model = β'モデル、2026-04-01 決裁
audit = 外部監査 2026-09-30
ordinance = 条文と照合済み 2026-11-01
interfaces = eth1
resolvers = 10.1.0.53
time_servers = 10.1.0.123
endpoints = 192.0.2.0/24
""" + "".join(f"[item R{i}]\nnumber = {i}-1\n" for i in range(1, 18))


def rule(chain, *expr):
    return {"rule": {"family": "netdev", "table": "katamichi", "chain": chain, "expr": list(expr)}}


def match(protocol, field, value):
    return {"match": {"op": "==", "left": {"payload": {"protocol": protocol, "field": field}}, "right": value}}


def chain(name, hook, policy="drop"):
    return {"chain": {"family": "netdev", "table": "katamichi", "name": name, "type": "filter", "hook": hook, "policy": policy}}


class Host:
    def __init__(self, top, side):
        self.top, self.side = str(top), side
        for d in ("keys", "state", "out/eltax", "inbox", "state/ledger", "state/objects", "state/quarantine"):
            os.makedirs(self.path(d), mode=0o750)
        os.chmod(self.path("keys"), 0o700)
        for role in ("sender", "receiver"):
            harness.katamichi("keygen", role, self.path("keys"))
        other = "daddr" if side == "S" else "saddr"
        peer = ETHER["R" if side == "S" else "S"]
        carries, silent = ("egress", "ingress") if side == "S" else ("ingress", "egress")
        link = [match("ether", other, peer), match("ip", other, "10.77.0.2" if side == "S" else "10.77.0.1"),
                match("udp", "dport", 5150), {"counter": {"packets": 7, "bytes": 1}}, {"accept": None}]
        self.rules = [chain("in", carries), rule("in", *link), rule("in", {"counter": {"packets": 3, "bytes": 9}}, {"drop": None}), chain("out", silent),
                      rule("out", {"counter": {"packets": 0, "bytes": 0}}, {"drop": None})]
        state = os.stat(self.path("state")).st_dev
        self.block = f"sys/dev/block/{os.major(state)}:{os.minor(state)}"
        self.files = {
            "proc/net/route": GOOD_ROUTE + LINK_ROUTE + OFFICE_ROUTE, "proc/net/ipv6_route": "0" * 32 + " 00 " + "0" * 32 + " 00 " +
            "0" * 32 + " ffffffff 00000001 00000000 00200200       lo\n",
            "proc/net/arp": "IP address       HW type     Flags       HW address            Mask     Device\n"
                            f"10.77.0.2        0x1         0x6         {ETHER['R']}     *        kml\n",
            "proc/net/tcp": "  sl  local_address rem_address   st\n   0: 0100007F:0016 00000000:0000 0A 00000000:00000000\n",
            "proc/sys/net/ipv4/ip_forward": "0\n", "proc/sys/net/ipv6/conf/all/forwarding": "0\n",
            "proc/sys/net/ipv6/conf/kml/disable_ipv6": "1\n", "proc/modules": "veth 1 0 - Live 0x0\n", "proc/swaps": "Filename Type\n",
            "proc/mounts": "/dev/mapper/root / ext4 rw 0 0\nsystemd-1 /proc/sys/fs/binfmt_misc autofs rw 0 0\n",
            "sys/class/net/lo/flags": "0x9\n", "sys/class/net/kml/flags": "0x1083\n", "sys/class/net/eth1/flags": "0x1003\n",
            "sys/class/net/kml/statistics/tx_packets": "0\n", self.block + "/dm/uuid": "CRYPT-LUKS2-0123\n",
            "etc/resolv.conf": "# zone\nnameserver 10.1.0.53\n", "etc/systemd/timesyncd.conf": "[Time]\nNTP=10.1.0.123\n#NTP=pool.ntp.org\n",
            "etc/systemd/journald.conf": "[Journal]\nStorage=persistent\nMaxRetentionSec=5year\n",
            "etc/modprobe.d/usb.conf": "install usb-storage /bin/false\n"}
        self.declared = DECLARED
        self.conf = {
            "S": "[sender]\nkeys = keys/sender.key\nreceiver = keys/receiver.pub\nstate = state\nfolders = out\n[link]\n"
                 "destination = 10.77.0.2:5150\nrate = 100M\ninterface = kml\n[channel eltax]\n",
            "R": "[receiver]\nkeys = keys/receiver.key\ninbox = inbox\nstate = state\n[link]\nlisten = 10.77.0.2:5150\n"
                 f"sender = 10.77.0.1\nsender_mac = {ETHER['S']}\ninterface = kml\n[peer mihon]\nkey = keys/sender.pub\n[channel eltax]\n"}[side]
        if side == "R":
            harness.run(harness.program("tests/tools/make_ledger"), self.path("state/ledger/ledger.db"), "50", "2026-11-01", "3")

    def path(self, *parts):
        return os.path.join(self.top, *parts)

    def sql(self, text):
        harness.run("sqlite3", self.path("state/ledger/ledger.db"), text)

    def write(self):
        self.files["nft.json"] = json.dumps({"nftables": self.rules})
        # as nftables 1.0.6 has them: the device in the text only
        self.files["nft.txt"] = "table inet other {\n\tchain in {\n\t\ttype filter hook input priority filter; policy accept;\n\t}\n}\n" + \
            "table netdev katamichi {\n" + "".join(
                f'\tchain {c["name"]} {{\n\t\ttype filter hook {c["hook"]} device "kml" priority -500; policy {c["policy"]};\n\t}}\n'
                for c in (r["chain"] for r in self.rules if "chain" in r)) + "}\n"
        for name, text in self.files.items():
            path = self.path("root", name)
            os.makedirs(os.path.dirname(path), exist_ok=True)
            with open(path, "w") as f:
                f.write(text)
        for name, text in (("host.conf", self.conf), ("doctor.conf", self.declared)):
            with open(self.path(name), "w") as f:
                f.write(text)

    def doctor(self, *options, **env):
        self.write()
        return harness.katamichi("doctor", "-c", self.path("host.conf"), "--root", self.path("root"), *options, ok=False,
                                 env=dict(os.environ, LC_ALL="C.UTF-8", **env))

    def verdicts(self):
        done = self.doctor("--json")
        assert done.returncode in (0, 1) and not done.err, done.err
        return done.returncode, {i["id"]: i["verdict"] for i in json.loads(done.out)}


GOOD = {"R": ["met"] * 17, "S": ["met"] * 17}
for i in (5, 9, 13, 17):
    GOOD["R"][i - 1] = GOOD["S"][i - 1] = "declared"
GOOD["R"][7 - 1] = GOOD["S"][1 - 1] = GOOD["S"][8 - 1] = GOOD["S"][10 - 1] = None  # the other end's


@pytest.fixture(params="SR")
def host(request, tmp_path):
    return Host(tmp_path, request.param)


def good(side):
    return {f"R{i + 1}": v for i, v in enumerate(GOOD[side]) if v}


# --- what breaks an item, and nothing else ---
def undeclare(key):
    def change(h):
        h.declared = re.sub(rf"^{key} = .*\n", "", h.declared, flags=re.M)
    change.__name__ = f"no_{key}"
    return change


def put(name, text):
    def change(h):
        h.files[name.replace("BLOCK", h.block)] = text
    change.__name__ = name.replace("/", "_")
    return change


def append(name, text):
    def change(h):
        h.files[name] = h.files.get(name, "") + text
    change.__name__ = "more_" + name.replace("/", "_")
    return change


def spoil_rule(field):
    def change(h):
        for r in h.rules:
            if "rule" in r:
                r["rule"]["expr"] = [e for e in r["rule"]["expr"] if e.get("match", {}).get("left", {}).get("payload", {}).get("field") != field
                                     and e.get("match", {}).get("left", {}).get("payload", {}).get("protocol") != field]
    change.__name__ = f"any_{field}"
    return change


def policy_accept(name):
    def change(h):
        for r in h.rules:
            if r.get("chain", {}).get("name") == name:
                r["chain"]["policy"] = "accept"
    change.__name__ = f"policy_of_{name}"
    return change


def two_ports(h):
    h.rules[1]["rule"]["expr"][2]["match"]["right"] = {"range": [5150, 5151]}


def drops_uncounted(h):
    del h.rules[2]


def no_egress_chain(h):
    del h.rules[3:]


def something_may_leave(h):
    h.rules.append(rule("out", match("udp", "dport", 53), {"accept": None}))


def key_of_the_other_gone(h):
    os.unlink(h.path("keys", "receiver.pub" if h.side == "S" else "sender.pub"))


def key_readable(h):
    os.chmod(h.path("keys", "sender.key" if h.side == "S" else "receiver.key"), 0o640)


def key_of_somebody_else(h):
    if not harness.is_host_root():
        pytest.skip("only root gives files away")
    os.chown(h.path("keys", "sender.key" if h.side == "S" else "receiver.key"), 65534, 65534)


def keys_where_others_write(h):
    os.chmod(h.path("keys"), 0o777)


def key_too_old(h):
    os.utime(h.path("keys", "sender.key" if h.side == "S" else "receiver.key"), (1.6e9, 1.6e9))
    h.declared = h.declared.replace("[declared]", "[declared]\nkey_days = 365")


def peer_expired(h):
    h.conf = h.conf.replace("key = keys/sender.pub", "key = keys/sender.pub\nvalid_until = 2020-03-31")


def any_content(h):
    h.conf += "content = any\n"


def delivery_without_checks(h):
    # the chain of the record itself stays whole: such a row is made by no program of ours, so it is linked in here
    h.sql("CREATE TEMP TABLE t AS SELECT 1; INSERT INTO delivery SELECT sender, channel, generation, 999, manifest, previous, dir, at, 1"
          " FROM delivery LIMIT 1; INSERT OR IGNORE INTO delivery(sender, channel, generation, number, manifest, previous, dir, at, seq)"
          " VALUES('s', 'eltax', 'g', 998, 'm', 'p', 'd', 'a', 1)")


def ledger_changed(h):
    h.sql("UPDATE ledger SET entry = replace(entry, 'files', 'filez') WHERE seq = 5")


def number_missing(h):
    h.declared = h.declared.replace("number = 4-1\n", "")


def objects_open(h):
    os.chmod(h.path("state/objects" if h.side == "S" else "state/quarantine"), 0o755)


BREAKS = [
    ("R", "R1", append("proc/net/route", "eth1\t00000000\tFE0200C0\t0003\t0\t0\t0\t00000000\t0\t0\t0\n")),
    ("R", "R1", append("proc/net/ipv6_route", "0" * 32 + " 00 " + "0" * 32 + " 00 " + "0" * 32 + " 00000400 1 0 00000003     eth1\n")),
    ("R", "R1", append("etc/resolv.conf", "nameserver 192.0.2.53\n")), ("R", "R1", append("etc/chrony/chrony.conf", "pool ntp.example iburst\n")),
    ("R", "R1", put("sys/class/net/eth2/flags", "0x1003\n")), ("R", "R1", put("proc/sys/net/ipv4/ip_forward", "1\n")),
    ("R", "R1", put("proc/sys/net/ipv6/conf/all/forwarding", "1\n")), ("R", "R1", undeclare("interfaces")),
    ("RS", "R2", spoil_rule("ether")), ("RS", "R2", spoil_rule("ip")), ("RS", "R2", drops_uncounted), ("RS", "R2", put("sys/class/net/kml/flags", "0x1003\n")),
    ("RS", "R2", put("proc/sys/net/ipv6/conf/kml/disable_ipv6", "0\n")), ("S", "R2", put("proc/net/arp", "IP address\n")),
    ("RS", "R3", spoil_rule("dport")), ("RS", "R3", two_ports), ("RS", "R3", policy_accept("in")),
    ("RS", "R4", key_of_the_other_gone), ("R", "R4", peer_expired), ("RS", "R5", undeclare("cabling")),
    ("RS", "R6", key_readable), ("RS", "R6", key_too_old), ("RS", "R6", key_of_somebody_else), ("RS", "R6", keys_where_others_write),
    ("S", "R7", append("proc/net/route", "eth1\t00000000\tFE0200C0\t0003\t0\t0\t0\t00000000\t0\t0\t0\n")),
    ("S", "R7", append("proc/net/ipv6_route", "0" * 32 + " 00 " + "0" * 32 + " 00 " + "0" * 32 + " 00000400 1 0 00000003     eth1\n")),
    ("S", "R7", undeclare("endpoints")),
    ("R", "R8", policy_accept("out")), ("R", "R8", no_egress_chain), ("R", "R8", something_may_leave),
    ("RS", "R9", undeclare("sign_in")),
    ("R", "R10", put("etc/modprobe.d/usb.conf", "# install usb-storage /bin/false\n")), ("R", "R10", put("sys/module/usb_storage/refcnt", "0\n")),
    ("R", "R10", append("proc/mounts", "auto.media /media autofs rw 0 0\n")), ("R", "R10", put("etc/exports", "/srv 192.0.2.0/24(rw)\n")),
    ("R", "R10", append("proc/net/tcp", "   1: 00000000:01BD 00000000:0000 0A 00000000:00000000\n")),
    ("RS", "R11", put("sys/class/net/eth1/wireless/status", "0\n")), ("RS", "R11", put("sys/class/bluetooth/hci0/address", "x\n")),
    ("RS", "R12", any_content), ("R", "R12", delivery_without_checks), ("RS", "R13", undeclare("model")), ("RS", "R13", undeclare("audit")),
    ("RS", "R14", put("BLOCK/dm/uuid", "LVM-0123\n")), ("RS", "R14", append("proc/swaps", "/dev/sda2 partition 1 0 -2\n")), ("RS", "R14", objects_open),
    ("RS", "R15", number_missing), ("R", "R16", ledger_changed),
    ("RS", "R16", put("etc/systemd/journald.conf", "[Journal]\nStorage=volatile\n")),
    ("RS", "R16", put("etc/systemd/journald.conf", "[Journal]\nStorage=persistent\nMaxRetentionSec=2month\n")), ("RS", "R17", undeclare("ordinance")),
]
UNKNOWN = {"R5", "R9", "R13", "R15", "R17"}  # nobody has said so: cannot tell


def test_every_item_is_broken_by_something():
    for side in "RS":
        assert {item for sides, item, _ in BREAKS if side in sides} == set(good(side))


def test_a_good_host(host):
    code, verdicts = host.verdicts()
    assert verdicts == good(host.side), host.doctor().out
    assert code == 0


@pytest.mark.parametrize("side, item, change", [(s, i, c) for sides, i, c in BREAKS for s in sides],
                         ids=[f"{s}-{i}-{c.__name__}" for sides, i, c in BREAKS for s in sides])
def test_only_that_item_turns(tmp_path, side, item, change):
    host = Host(tmp_path, side)
    change(host)
    code, verdicts = host.verdicts()
    wanted = "cannot tell" if item in UNKNOWN or change.__name__ == "BLOCK_dm_uuid" else "not met"
    assert verdicts == dict(good(side), **{item: wanted}), host.doctor().out
    assert code == 1


def test_exceptions_are_words_not_results(tmp_path):
    """An Internet-facing sender is not met, with the exception on record; a declared radio, disk, channel are declared."""
    host = Host(tmp_path, "S")
    host.declared = host.declared.replace("[declared]", "[declared]\nexception = 例外承認 第3号\nwireless = 許可 第4号\ndisk_encryption = 仮想基盤\n"
                                          "unchecked = eltax")
    append("proc/net/route", "eth1\t00000000\tFE0200C0\t0003\t0\t0\t0\t00000000\t0\t0\t0\n")(host)
    put("sys/class/net/eth1/wireless/status", "0\n")(host)
    put("BLOCK/dm/uuid", "LVM-0123\n")(host)
    any_content(host)
    _, verdicts = host.verdicts()
    assert verdicts == dict(good("S"), R7="not met", R11="declared", R14="declared")
    assert "例外承認 第3号" in host.doctor().out


def test_a_full_disk_is_no_place_for_records(tmp_path):
    if not harness.may_administer():
        pytest.skip("mounts need root")
    host = Host(tmp_path, "S")
    harness.run("mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", host.path("state"))
    try:
        state = os.stat(host.path("state")).st_dev
        host.files[f"sys/dev/block/{os.major(state)}:{os.minor(state)}/dm/uuid"] = "CRYPT-LUKS2-0123\n"
        assert host.verdicts() == (0, good("S"))
        with open(host.path("state/fills"), "wb") as f:
            f.write(bytes(1000 << 10))
        assert host.verdicts() == (1, dict(good("S"), R16="not met"))
    finally:
        harness.run("umount", host.path("state"))


def test_page(host):
    from test_report import check_page
    done = host.doctor("--html", "--lang", "en")
    page = check_page(done.out)
    assert done.returncode == 0
    for words in ("what is audited", "example number", "JIS Q 27002", "notes", "mandatory", "condition 1 of specific communication", "ordinance 80 of 2026", "配線記録 2026-10-01", "8.22", "4-1"):
        assert words in page.text, words
    for item in good(host.side):
        assert re.search(rf"\b{item}\b", page.text), item
    assert page.text.count("\u25cb") == len([i for i in good(host.side) if int(i[1:]) <= 7])


def test_hostile_names_are_shown_as_text(tmp_path):
    host = Host(tmp_path, "R")
    append("etc/resolv.conf", "nameserver <script>alert(1)</script>\x1b[31m\n")(host)
    done = host.doctor("--html")
    assert "<script" not in done.out and "\x1b" not in done.out and "&#60;script" in done.out
    assert "\x1b" not in host.doctor().out


@pytest.mark.parametrize("text, words", [("[declared]\nmodel = x\nmodle = y\n", "doctor.conf:3"), ("[item R18]\nnumber = 1\n", "R1"),
                                         ("[declared]\nlog_years = many\n", "doctor.conf:2")])
def test_a_wrong_declaration(tmp_path, text, words):
    host = Host(tmp_path, "R")
    host.declared = text
    done = host.doctor()
    assert done.returncode == 3 and words in done.err, done.err


def test_usage(tmp_path):
    host = Host(tmp_path, "R")
    assert host.doctor("--lang", "fr").returncode == 2
    assert host.doctor("--json", "--html").returncode == 2
    assert host.doctor("--declared", "/nonexistent").returncode == 5
    assert host.doctor("-o", "/nonexistent/x").returncode == 5


# --- real namespaces ---
def real(net, host, side, *wanted):
    """The verdicts of these items, on the real host, in the namespace."""
    done = subprocess.run(net.at(side) + [harness.program("katamichi"), "doctor", "-c", host.path("host.conf"), "--json"],
                          capture_output=True, timeout=60)
    return {i["id"]: i["verdict"] for i in json.loads(done.stdout) if i["id"] in wanted}


def test_the_receivers_link_in_a_namespace(net, tmp_path):
    if not net.real:
        pytest.skip("no namespaces")
    host = Host(tmp_path, "R")
    host.conf = host.conf.replace("kml", "kmr")
    host.write()
    script = harness.run(*net.at("r"), harness.program("katamichi-receiver"), "-c", host.path("host.conf"), "--harden-print").stdout
    items = ("R2", "R3", "R8")

    def harden():
        subprocess.run(net.at("r") + ["sh", "-s"], input=script, check=True, timeout=60)

    assert real(net, host, "r", *items) == dict.fromkeys(items, "not met"), "before its rules"
    harden()
    assert real(net, host, "r", *items) == dict.fromkeys(items, "met")
    for item, breaks in (("R2", ["ip", "link", "set", "dev", "kmr", "arp", "on"]),
                         ("R3", ["nft", "add rule netdev katamichi in udp dport 53 ether saddr 02:6b:6d:00:00:01 ip saddr 10.77.0.1 accept"]),
                         ("R8", ["nft", "delete chain netdev katamichi out"])):
        harness.run(*net.at("r"), *breaks)
        assert real(net, host, "r", *items) == dict(dict.fromkeys(items, "met"), **{item: "not met"}), breaks
        harden()


def test_frames_that_leave_are_seen_in_a_namespace(net, tmp_path):
    """R8 looks at the interface's own counter, too: something that sends is seen whatever the rules say."""
    if not net.real:
        pytest.skip("no namespaces")
    host = Host(tmp_path, "R")
    host.conf = host.conf.replace("kml", "kmr")
    host.write()
    sends = subprocess.Popen(net.at("r") + ["python3", "-c", "import socket, time\ns = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)\n"
                                            "for i in range(600):\n s.sendto(b'x', ('10.77.0.1', 9)); time.sleep(0.01)"])
    try:
        done = subprocess.run(net.at("r") + [harness.program("katamichi"), "doctor", "-c", host.path("host.conf"), "--json"],
                              capture_output=True, timeout=60)
        facts, = [i["facts"] for i in json.loads(done.stdout) if i["id"] == "R8"]
        assert any(re.search(r"kmr has sent [1-9]\d* frames within a second", f) for f in facts), facts
    finally:
        sends.kill()
        sends.wait()
