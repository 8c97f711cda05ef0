"""A pinned sender whose host was taken over: what it says is authentic, and need not be true.

It may spoil what is its own.  The receiver goes on, and what the others send is delivered as ever.
"""
import json
import os
import signal
import struct
import threading
import time

import harness
from harness import wait_until
from liar import SYMBOL, Liar, record, runs, stored, u48

METRICS = "katamichi.prom"


def start(site, edits=(), more="", wrapper=(), **values):
    """A receiver, and two senders that are pinned there: one that lies, and an honest one."""
    os.makedirs(site.path("keys2"), mode=0o700)
    harness.katamichi("keygen", "sender", site.path("keys2"))
    site.configure(**values)
    harness.edit(site.path("receiver.conf"), *edits, more="[peer beta]\nkey = keys2/sender.pub\n" + more)
    site.start_receiver(*wrapper)
    liar, honest = Liar(site), Liar(site, keys="keys2/sender.key")
    liar.session()
    honest.session()
    return liar, honest


def status(site):
    with open(site.path("receiver-state/status.json")) as f:
        return json.load(f)


def send_honestly(site, honest, seconds=30):
    """One file, sent again and again until it is there, as its sender would."""
    number = honest.number = getattr(honest, "number", 0) + 1
    files = [(b"good.txt", b"honest %d" % number)]
    object_id = os.urandom(16)
    sealed = honest.seal(object_id, stored(honest.records(files, honest.manifest(files, "pittari", number))), "pittari")
    path = site.path("inbox/pittari/%08d/files/good.txt" % number)

    def is_there():
        honest.put(honest.hello)
        honest.send(object_id, sealed)
        return os.path.exists(path)
    wait_until("what the honest sender sent", is_there, seconds, every=0.5, alive=[site.receiver])
    with open(path, "rb") as f:
        assert f.read() == files[0][1]


def tiny(liar):
    """A datagram that completes an object by itself, of which nothing can be opened."""
    return liar.tagged(SYMBOL, struct.pack(">H", 1) + os.urandom(16) + u48(100) + struct.pack(">IH", 0, 0) + os.urandom(100))


def test_numbers_without_end(site):
    """Generations of 2^62 - 1 numbers each: more together than an integer holds, and all of them 2^64, which comes round to none."""
    os.makedirs(site.path("metrics"))
    liar, honest = start(site, receiver_more=f"metrics = {site.path('metrics', METRICS)}\n")
    liar.beat(*[("eltax", os.urandom(16), newest, 1) for newest in [2**62 - 1] * 4 + [4]])
    wait_until("five streams", lambda: status(site)["streams"] == 5, alive=[site.receiver])
    for _ in range(2):
        time.sleep(2.5)  # status and metrics are written each second
        send_honestly(site, honest)
        with open(site.path("metrics", METRICS)) as f:
            assert f'missing_numbers{{channel="eltax"}} {2**63 - 1}\n' in f.read()
        site.receiver.kill()
        site.start_receiver()
        honest.session()
    conf = site.path("receiver.conf")
    done = harness.katamichi("status", "--json", "-c", conf, ok=False)
    assert "gaps" in [t["code"] for t in json.loads(done.out)["todo"]], done.out
    for command, code in (["gaps"], 1), (["gaps", "--slip"], 0), (["report", "--month", time.strftime("%Y-%m")], 0), (["ledger", "verify"], 0):
        done = harness.katamichi(*command, "-c", conf, ok=False)
        assert done.returncode == code, (command, done.out, done.err)


def test_more_generations_than_are_shown(site):
    """Somebody else's missing number is said all the same."""
    liar, honest = start(site)
    honest.transfer("pittari", 2, [(b"b.txt", b"the second")])
    for _ in range(300):
        liar.generation = os.urandom(16)
        liar.transfer("eltax", 1, [(b"a.txt", b"a")])
        time.sleep(0.005)
    wait_until("many generations", lambda: status(site)["streams"] > 270, 60, alive=[site.receiver])
    assert [c for c in status(site)["channels"] if c["channel"] == "pittari" and c["missing"] == 1]
    done = harness.katamichi("status", "--json", "-c", site.path("receiver.conf"), ok=False)
    assert "gaps" in [t["code"] for t in json.loads(done.out)["todo"]], done.out


def test_shorter_than_what_was_read(site):
    """An object is opened while it arrives, then said to be shorter than what was read of it."""
    liar, honest = start(site)
    liar.n = 1024 + 64
    liar.session()
    object_id = os.urandom(16)
    sealed = liar.seal(object_id, stored(os.urandom((1 << 20) + 4096)), "eltax")
    for i in range(1024):
        liar.symbol(object_id, 0, 1024, 0, i, sealed[i * 1024:(i + 1) * 1024])
        if i % 64 == 0:
            time.sleep(0.002)
    wait_until("its first symbols", lambda: [p for p in status(site)["partly"] if p["have"] == 1024], alive=[site.receiver])
    time.sleep(0.5)
    liar.symbol(object_id, (1 << 20) - 500, 1024, 0, 0, sealed[:1024])
    wait_until("its refusal", lambda: status(site)["link"]["counters"]["refused_contradiction"] > 0, alive=[site.receiver])
    send_honestly(site, honest)


def test_more_held_than_files_may_be_open(site):
    """Complete objects that wait for their sender's key to be valid, each in files of its own; also over a restart."""
    liar, honest = start(site, edits=[("[peer mihon]\n", "[peer mihon]\nvalid_from = 2099-01-01\n")], wrapper=["prlimit", "--nofile=4096"])

    def more():
        for _ in range(200):
            liar.put(tiny(liar))
        return status(site)["waiting"]
    wait_until("many held", lambda: more() > 600, alive=[site.receiver])
    send_honestly(site, honest)
    held = wait_until("more held than files", lambda: (lambda n: n if n > 1500 else 0)(more()), 60, alive=[site.receiver])
    site.receiver.stop()
    site.start_receiver("prlimit", "--nofile=4096")
    wait_until("all that were held", lambda: status(site)["waiting"] >= held, alive=[site.receiver])
    honest.session()
    send_honestly(site, honest)


def test_a_heap_of_another(site):
    """Twenty small objects of a gigabyte each, over a cap: who comes after them does not wait for all of them."""
    liar, honest = start(site, edits=[("max_file = 4G\nmax_transfer = 8G", "max_file = 1M\nmax_transfer = 8G")])
    send_honestly(site, honest)
    unit = [record(2, bytes(1 << 20))[:8], (0, 1 << 20)]
    frame = runs([record(1, struct.pack(">Q", 1 << 30) + b"a.bin")] + unit * 1024)
    store = next(p for p in site.receiver.processes() if "--role store" in site.receiver.command(p))
    os.kill(store, signal.SIGSTOP)  # until all is there
    for _ in range(20):
        object_id = os.urandom(16)
        liar.send(object_id, liar.seal(object_id, frame, "bulk"), pace=16)
    threading.Timer(2, os.kill, (store, signal.SIGCONT)).start()
    send_honestly(site, honest, 60)
    wait_until("the end of the heap", lambda: [e["event"] for e in site.ledger()].count("refused") == 20, 90, alive=[site.receiver])
    order = "".join({"refused": "r", "delivered": "d"}.get(e["event"], "") for e in site.ledger())
    assert order.rindex("d") - order.index("r") < 8, order


def test_a_heap_of_closings(site):
    """Closings are as long as they may be, and true of nothing: what comes meanwhile does not wait for all of them."""
    liar, honest = start(site)
    send_honestly(site, honest)
    head = f"katamichi-closing-1 daily\nat 2026-11-22T00:00:00Z\nsender {liar.me.fingerprint.hex()}\nreceiver {liar.to.fingerprint.hex()}\n"
    lines = "".join(f"{i} {'0' * 64} {'0' * 32}\n" for i in range(1, 32769))
    for number in range(1, 13):
        text = f"{head}channel eltax {os.urandom(16).hex()} 1 32768 32768\n{lines}end\n".encode()
        manifest = liar.manifest([(b"closing.txt", text)], "katamichi", number)
        packed = harness.subprocess.run(["zstd", "-qc", "--no-check"], input=liar.records([(b"closing.txt", text)], manifest),
                                        stdout=harness.subprocess.PIPE, check=True).stdout
        object_id = os.urandom(16)
        liar.send(object_id, liar.seal(object_id, packed, "katamichi"), pace=16)

    def compared():
        return "".join("c" if e["event"] == "closing" else "h" if e.get("channel") == "pittari" else "" for e in site.ledger())
    while compared().count("c") < 12:
        send_honestly(site, honest)
    assert max(len(run) for run in compared().split("h")) <= 4, compared()


def test_held_under_the_name_of_another(site):
    """Whoever sees an object's id on the wire may send one that begins the same: what is held of both is kept."""
    liar, honest = start(site, receiver_content="types = xml csv\n")
    for sender, more in ((liar, b"liar"), (honest, b"honest")):
        sender.transfer("eltax", 1, [(b"a.csv", b"a,b\r\n1,2\r\n"), (b"b.exe", b"MZ" + more)], object_id=b"same" + os.urandom(12))
    held = wait_until("both", lambda: (lambda q: q if len(q) == 2 else None)(status(site)["quarantine"]), alive=[site.receiver])
    assert {q["file"] for q in held} == {"b.exe"} and len({q["entry"] for q in held}) == 2 and len({q["sender"] for q in held}) == 2
    contents = set()
    for q in held:
        with open(site.path("receiver-state/quarantine", q["entry"], "files/b.exe"), "rb") as f:
            contents.add(f.read())
    assert contents == {b"MZliar", b"MZhonest"}
