"""Where lines of the log go besides standard error: the journal's own socket, with fields, and a syslog daemon's, in the forms that
collectors read.  Sandboxed processes write there, too, and nobody waits for whoever reads."""
import os
import re
import socket

import harness
import samples


class Reader:
    """Somebody who listens on a datagram socket."""

    def __init__(self, path):
        self.path = path
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(path)
        self.socket.setblocking(False)
        self.seen = []

    def lines(self):
        while True:
            try:
                self.seen.append(self.socket.recv(65536).decode())
            except BlockingIOError:
                return self.seen

    def wait(self, pattern, alive=()):
        return harness.wait_until(f"a line like {pattern}", lambda: [x for x in self.lines() if re.search(pattern, x)], 20, alive=alive)


RFC5424 = re.compile(r"<(\d+)>1 \d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z \S+ (\S+) (\d+) (\S+) \[katamichi@32473((?: [a-z]+=\"(?:[^\"\\\]]|\\.)*\")+)\]"
                     " \ufeff(.*)", re.S)
CEF = re.compile(r"<(\d+)>[A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d \S+ CEF:0\|katamichi\|(\S+)\|[\d.]+\|(\S+)\|((?:[^|\\]|\\.)*)\|(\d+)\|(.*)", re.S)


def test_syslog_of_both_ends(site):
    readers = {side: Reader(site.path(f"{side}.sock")) for side in ("sender", "receiver")}
    site.start(receiver_more="syslog = receiver.sock\n", sender_more="syslog = sender.sock\nsyslog_format = cef\n")
    site.put("eltax", "一.csv", samples.table(3))
    with open(site.path("out/eltax/.part"), "wb") as f:
        f.write(b"\x7fELF" + bytes(100))
    os.rename(site.path("out/eltax/.part"), site.path("out/eltax/a|b=c].csv"))  # a name that would end a field
    site.wait_delivered()
    line, = readers["receiver"].wait(r" delivered \[", site.daemons())
    found = RFC5424.fullmatch(line)
    assert found, line
    assert found.group(1) == str(3 * 8 + 6) and found.group(2) == "katamichi-receiver"
    fields = dict(re.findall(r' ([a-z]+)="([^"]*)"', found.group(5)))
    assert fields["channel"] == "eltax" and fields["number"] == "1" and fields["peer"] == "mihon" and fields["process"] == "store"
    assert re.fullmatch("[0-9a-f]{32}", fields["object"]) and fields["object"][:8] in found.group(6)
    readers["receiver"].wait(r" session \[.*process=\"open\"")
    for line in readers["receiver"].lines():
        assert RFC5424.fullmatch(line), line
    line, = readers["sender"].wait(r"\|file-refused\|", site.daemons())
    assert "a\\|b=c]" in line and "a|b\\=c]" in line, line
    sent, = readers["sender"].wait(r"\|sent\|", site.daemons())
    assert "cs1Label=channel cs1=eltax cn1Label=number cn1=1 " in sent
    for line in readers["sender"].lines():
        found = CEF.fullmatch(line)
        assert found and found.group(2) == "katamichi-sender", line
    # and standard error has them as ever
    assert "delivered, 1 file" in site.receiver.text()


def test_nobody_reads_syslog(site):
    """A daemon that has stopped reading stops nothing here."""
    stuck = Reader(site.path("log.sock"))
    stuck.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    site.start(receiver_more="syslog = log.sock\n", sender_more="syslog = log.sock\n")
    for i in range(40):
        site.put("eltax", f"{i}.csv", samples.table(3))
        if i % 10 == 9:
            site.wait_delivered()
    stuck.socket.close()
    os.unlink(stuck.path)
    site.put("eltax", "last.csv", samples.table(3))
    site.wait_delivered()
    site.check_inbox()


def test_syslog_that_is_not_there(site):
    site.configure(receiver_more="syslog = nowhere.sock\n", sender_more="syslog = nowhere.sock\n")
    for side in "rs":
        name = {"r": "receiver", "s": "sender"}[side]
        done = harness.run(*site.net.at(side), harness.program(f"katamichi-{name}"), "-c", site.path(f"{name}.conf"), ok=False)
        assert done.returncode == 5 and "nowhere.sock" in done.err and done.err.count("\n") == 1, done.err


def fields_of(datagram):
    return dict(line.split("=", 1) for line in datagram.rstrip("\n").split("\n"))


def test_journal_has_fields(site, monkeypatch):
    journal = Reader(site.path("journal.sock"))
    site.configure()
    log = site.path("receiver.log")
    open(log, "w").close()
    stat = os.stat(log)
    monkeypatch.setenv("JOURNAL_STREAM", f"{stat.st_dev}:{stat.st_ino}")  # as systemd says that this is the journal
    monkeypatch.setenv("KATAMICHI_TEST_JOURNAL", journal.path)
    argv = site.net.at("r") + [harness.program("katamichi-receiver"), "-c", site.path("receiver.conf")]
    site.receiver = harness.Process("receiver", argv, log)
    ready = fields_of(journal.wait("KATAMICHI_EVENT=ready", [site.receiver])[0])
    assert ready["KATAMICHI_PROCESS"] == "store" and ready["SYSLOG_IDENTIFIER"] == "katamichi-receiver" and ready["PRIORITY"] == "6"
    monkeypatch.delenv("JOURNAL_STREAM")
    site.start_sender()
    site.put("eltax", "一.csv", samples.table(3))
    site.wait_delivered()
    delivered = fields_of(journal.wait("KATAMICHI_EVENT=delivered", site.daemons())[0])
    assert delivered["KATAMICHI_CHANNEL"] == "eltax" and delivered["KATAMICHI_NUMBER"] == "1" and delivered["KATAMICHI_PEER"] == "mihon"
    assert delivered["MESSAGE_ID"] == "796ca057b29d4d89b46543b378917b49" and delivered["MESSAGE"].startswith("eltax 1: delivered")
    assert [m for m in journal.lines() if "KATAMICHI_PROCESS=open" in m], "a sandboxed process"
    assert site.receiver.text() == "", "twice in the journal"
    # a journal that goes away: standard error, in the form that it would take as priority and text
    journal.socket.close()
    os.unlink(journal.path)
    site.put("eltax", "二.csv", samples.table(4))
    site.wait_delivered()
    harness.wait_until("the line on standard error", lambda: re.search(r"^<6>\[store\] eltax 2: delivered", site.receiver.text(), re.M))
