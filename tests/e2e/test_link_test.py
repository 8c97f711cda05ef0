"""katamichi link-test over the two namespaces: what the receiver says of the link is what the relay did to it."""
import json
import os
import re
import signal
import subprocess

import pytest

import harness

RATES = "20M,40M,80M"  # small: the machine may be busy, and the counts must be exact
MARKS = 10 + 10 + 20   # end markers of three steps


class Receiver(harness.Process):
    def __init__(self, net, tmp, *more, wrapper=()):
        self.out = str(tmp / "evidence")
        argv = net.at("r") + list(wrapper) + [harness.program("katamichi"), "link-test", "receive", "--listen", f"{net.receiver}:5150",
                                              "--out", self.out, *more]
        super().__init__("link-test receive", argv, str(tmp / "receive.log"), ready="ready, listening")

    def result(self, code=0, seconds=60):
        try:
            got = self.popen.wait(seconds)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"the receiver does not end\n{self.tail()}") from None
        assert got == code, f"exit code {got}, not {code}\n{self.tail(60)}"
        assert sorted(os.listdir(self.out)) == ["plot.svg", "report.json", "report.txt"]
        with open(self.out + "/report.txt", encoding="utf-8") as f:
            assert f.read() in self.text()
        with open(self.out + "/report.json", encoding="utf-8") as f:
            return json.load(f)


def send(net, *more, to=None, ok=True):
    """The counts that the sender says it sent, by step."""
    done = harness.run(*net.at("s"), harness.program("katamichi"), "link-test", "send", "--to", to or f"{net.receiver}:5150", *more, ok=ok)
    return [int(line.split()[3]) for line in done.out.splitlines() if re.match(r"\s+\d", line)]


def through_relay(net, tmp, *faults, rates=RATES, seconds="0.6"):
    """A whole test over a link with these faults: report, counts of the sender, what the relay did."""
    receiver = Receiver(net, tmp)
    relay = harness.Relay(net, str(tmp / "relay.log"), net.relay, f"{net.receiver}:5150", *faults)
    sent = send(net, "--rates", rates, "--seconds", seconds, to=net.relay)
    report = receiver.result()
    if net.real:
        assert net.frames_back() == (0, 0)
    return report, sent, relay.finish()


def steps(report, key):
    return [s[key] for s in report["run"]["steps"]]


def arrivals(report):
    """Everything of the test that reached the receiver.  Nobody else sends here: "foreign" is one whose first four bytes were hit
    before any other had told the receiver how long those of the test are."""
    at_steps = sum(sum(steps(report, k)) for k in ("received", "duplicated", "damaged", "too_late", "end_marks"))
    return at_steps + report["unreadable"] + report["foreign"]


def test_clean_link(net, tmp_path):
    receiver = Receiver(net, tmp_path)
    sent = send(net, "--rates", RATES, "--seconds", "0.5")
    report = receiver.result()
    assert steps(report, "received") == sent == steps(report, "expected")
    assert steps(report, "lost_link") == steps(report, "lost_host") == steps(report, "late") == [0, 0, 0]
    assert report["run"]["end_seen"] and sum(steps(report, "end_marks")) == MARKS
    proposal = report["proposal"]
    assert abs(proposal["loss_upper_95"] * sum(sent) - 2.9957) < 0.01  # the rule of three
    assert proposal["burst_ns"] == 5000000 and proposal["rate"] <= 80000000
    assert net.frames_back() == (0, 0)


def test_losses_are_those_of_the_link(net, tmp_path):
    report, sent, did = through_relay(net, tmp_path, "--loss", "0.02", "--burst", "15:400")
    assert did["in"] == sum(sent) + MARKS
    assert steps(report, "expected") == sent
    marks_lost = MARKS - sum(steps(report, "end_marks"))
    assert sum(steps(report, "lost_link")) + marks_lost == did["lost"] + did["hole"]
    assert steps(report, "lost_host") == [0, 0, 0] and report["kernel_drops"] == 0
    assert arrivals(report) == did["out"]
    proposal = report["proposal"]
    measured = (did["lost"] + did["hole"]) / did["in"]
    assert abs(proposal["loss_measured"] - measured) < 0.1 * measured + 1e-3  # without the markers
    assert proposal["loss"] >= measured


def test_the_longest_burst_is_found(net, tmp_path):
    # by time of arrival at the relay, so a busy machine makes it longer or shorter: half and double are allowed
    report, sent, did = through_relay(net, tmp_path, "--hole", "300:40", rates="50M", seconds="1")
    step = report["run"]["steps"][0]
    assert step["lost_link"] == step["burst_most"] == did["hole"] and step["bursts"] == 1
    assert 20 <= step["burst_most_ms"] <= 80, step
    assert report["proposal"]["burst_ns"] >= 2e6 * step["burst_most_ms"]


def test_every_fault_is_counted(net, tmp_path):
    report, sent, did = through_relay(net, tmp_path, "--loss", "0.01", "--corrupt", "0.01", "--duplicate", "0.02", "--reorder", "0.02")
    assert steps(report, "expected") == sent
    assert arrivals(report) == did["out"]
    assert sum(steps(report, "received")) + sum(steps(report, "lost_link")) == sum(sent)
    # a doubled one may be a marker or be damaged, a delayed one may be doubled or pass nobody
    damaged = sum(steps(report, "damaged")) + report["unreadable"] + report["foreign"]
    assert did["corrupted"] - MARKS <= damaged <= did["corrupted"] + did["duplicated"] and damaged > 0
    assert 0.8 * did["duplicated"] - MARKS <= sum(steps(report, "duplicated")) <= did["duplicated"]
    assert 0.5 * did["reordered"] - MARKS <= sum(steps(report, "late")) <= did["reordered"] + did["duplicated"]
    assert 0 < max(steps(report, "late_most")) <= 64 + 2 * 64  # held for 64, and a batch


def test_losses_of_this_host_are_its_own(net, tmp_path):
    """The receiver is stopped while its small buffer overflows: not the link's fault, and no proposal beyond."""
    receiver = Receiver(net, tmp_path, "--buffer", "256K")
    argv = net.at("s") + [harness.program("katamichi"), "link-test", "send", "--to", f"{net.receiver}:5150", "--rates", "10M,50M", "--seconds", "1"]
    sender = harness.Process("link-test send", argv, str(tmp_path / "send.log"))
    harness.wait_until("the second step", lambda: net_progress(net) > 1000, 30, alive=[sender])
    os.kill(receiver.processes()[-1], signal.SIGSTOP)
    harness.time.sleep(0.3)
    os.kill(receiver.processes()[-1], signal.SIGCONT)
    assert sender.popen.wait(30) == 0
    report = receiver.result()
    first, second = report["run"]["steps"]
    assert (first["lost_link"], first["lost_host"]) == (0, 0)
    assert second["lost_host"] == report["kernel_drops"] > 0 and second["lost_link"] == 0, second
    assert report["proposal"]["limited_by"] == "host" and report["proposal"]["rate"] <= 10000000


def net_progress(net):
    if not net.real:
        pytest.skip("frames are counted in a namespace of our own")
    return net.frames_arrived()


def test_begun_in_the_middle(net, tmp_path):
    argv = net.at("s") + [harness.program("katamichi"), "link-test", "send", "--to", f"{net.receiver}:5150", "--rates", RATES, "--seconds", "1"]
    sender = harness.Process("link-test send", argv, str(tmp_path / "send.log"))
    harness.wait_until("the first step", lambda: net_progress(net) > 300, 30, alive=[sender])
    receiver = Receiver(net, tmp_path)
    assert sender.popen.wait(30) == 0
    report = receiver.result()
    first = report["run"]["steps"][0]
    assert first["state"] == "before-listening" or (first["begun_before_listening"] and first["received"] < first["planned"])
    assert steps(report, "lost_link") == [0, 0, 0]
    assert report["run"]["steps"][2]["received"] == report["run"]["steps"][2]["expected"] > 0


@pytest.mark.slow
def test_sender_killed_and_begun_again(net, tmp_path):
    receiver = Receiver(net, tmp_path)
    argv = net.at("s") + [harness.program("katamichi"), "link-test", "send", "--to", f"{net.receiver}:5150", "--rates", RATES, "--seconds", "1"]
    sender = harness.Process("link-test send", argv, str(tmp_path / "send.log"))
    harness.wait_until("the first step", lambda: harness.time.sleep(0.5) or True)
    sender.kill()
    sent = send(net, "--rates", RATES, "--seconds", "0.4")
    report = receiver.result()
    assert steps(report, "received") == sent and report["run"]["end_seen"] and report["other_runs"] == 1


def test_killed_sender_leaves_a_report(net, tmp_path):
    receiver = Receiver(net, tmp_path)
    argv = net.at("s") + [harness.program("katamichi"), "link-test", "send", "--to", f"{net.receiver}:5150", "--rates", RATES, "--seconds", "1"]
    sender = harness.Process("link-test send", argv, str(tmp_path / "send.log"))
    harness.time.sleep(0.5)
    sender.kill()
    os.kill(receiver.processes()[-1], signal.SIGINT)
    report = receiver.result(code=1)  # not one step was seen to its end
    assert not report["run"]["end_seen"] and steps(report, "state")[1:] == ["not-seen", "not-seen"]
    assert steps(report, "lost_link") == [0, 0, 0] and report["proposal"] is None


def test_nothing_arrives(net, tmp_path):
    report = Receiver(net, tmp_path, "--seconds", "0.3").result(code=1)
    assert report["run"] is None and report["proposal"] is None


def test_picture_in_japanese(net, tmp_path):
    """It goes with the acceptance papers, as the report does."""
    out = str(tmp_path / "evidence")
    done = harness.run(*net.at("r"), "env", "-u", "LC_ALL", "LANG=ja_JP.UTF-8", harness.program("katamichi"), "link-test", "receive",
                       "--listen", f"{net.receiver}:5150", "--out", out, "--seconds", "0.3", ok=False)
    assert done.returncode == 1, done.err
    with open(out + "/plot.svg", encoding="utf-8") as f:
        assert "試験のデータグラムが一つも届いていません" in f.read()


def test_receiver_makes_no_call_that_sends(net, tmp_path):
    trace = str(tmp_path / "trace")
    receiver = Receiver(net, tmp_path, wrapper=("strace", "-f", "-o", trace, "-e", "trace=%network,write,writev"))
    send(net, "--rates", "5M", "--seconds", "0.5")
    receiver.result()
    with open(trace, encoding="utf-8", errors="replace") as f:
        calls = f.read()
    assert "recvmmsg(" in calls and not re.search(r"\b(sendto|sendmsg|sendmmsg|connect)\(", calls)
    sock = re.search(r"bind\((\d+),", calls).group(1)
    assert f"shutdown({sock}, SHUT_WR)" in calls and not re.search(rf"\bwritev?\({sock},", calls.split("bind(")[1].split("recvmmsg(")[-2])


BAD = [
    ("receive", "--out", "x"), ("receive", "--listen", "127.0.0.1:5150"), ("receive", "--listen", "127.0.0.1", "--out", "x"),
    ("receive", "--listen", "127.0.0.1:0", "--out", "x"), ("receive", "--listen", "127.0.0.1:5150", "--out", "x", "--buffer", "0"),
    ("receive", "--listen", "127.0.0.1:5150", "--out", "x", "--seconds", "-1"), ("receive", "--to", "127.0.0.1:5150"),
    ("send",), ("send", "--to", "localhost:5150"), ("send", "--to", "127.0.0.1:65536"), ("send", "--to", "127.0.0.1:5150", "x"),
    ("send", "--to", "127.0.0.1:5150", "--mtu", "100"), ("send", "--to", "127.0.0.1:5150", "--rates", "2M,1M"),
    ("send", "--to", "127.0.0.1:5150", "--rates", "0"), ("send", "--to", "127.0.0.1:5150", "--rates", "1M,"),
    ("send", "--to", "127.0.0.1:5150", "--rates", ",".join(f"{n}M" for n in range(1, 18))),
    ("send", "--to", "127.0.0.1:5150", "--max", "2T"), ("send", "--to", "127.0.0.1:5150", "--max", "1G", "--rates", "1M"),
    ("send", "--to", "127.0.0.1:5150", "--seconds", "0"), ("send", "--to", "127.0.0.1:5150", "--rates", "10k", "--seconds", "1"),
    ("both",), (), ("send", "--to"),
]


@pytest.mark.parametrize("argv", BAD, ids=[" ".join(a)[:40] for a in BAD])
def test_bad_input_is_one_line(argv, tmp_path):
    done = harness.katamichi("link-test", *argv, ok=False, cwd=tmp_path)
    assert done.returncode == 2 and done.out == "" and len(done.err.splitlines()) == 1, done.err
    assert os.listdir(tmp_path) == []


def test_evidence_is_never_replaced(tmp_path):
    (tmp_path / "report.json").write_text("{}")
    done = harness.katamichi("link-test", "receive", "--listen", "127.0.0.1:0005150", "--out", str(tmp_path), ok=False)
    assert done.returncode == 5 and "report.json" in done.err and len(done.err.splitlines()) == 1
    assert (tmp_path / "report.json").read_text() == "{}"


def test_mtu_above_the_link(net, tmp_path):
    if not net.real:
        pytest.skip("the loopback interface takes everything")
    done = harness.run(*net.at("s"), harness.program("katamichi"), "link-test", "send", "--to", f"{net.receiver}:5150", "--mtu", "9000", ok=False)
    assert done.returncode == 5 and "1500" in done.err and len(done.err.splitlines()) == 1
