"""What the host cannot do is said at the start, in one line; what is degraded shows in status; a socket may come from systemd."""
import json
import os
import re
import shutil
import signal
import subprocess
import time

import pytest

import harness
import samples
from test_refusals import refused, refused_conf

needs_root = pytest.mark.skipif(not harness.is_host_root(), reason="only root has what is taken away here")
# Without the right to exceed the system's limits.
UNPRIVILEGED = ["setpriv", "--bounding-set=-net_admin,-sys_resource,-ipc_lock"]


def status(site, side):
    return json.loads(harness.katamichi("status", "--json", "-c", site.path(f"{side}.conf")).out)


# --- the way out ---
def test_no_route(site):
    if not site.net.real:
        pytest.skip("a loopback has a way to everywhere")
    refused_conf(site, "sender", "destination = ", "destination = 10.99.0.2:5150", 5, r"10\.99\.0\.2", "unreachable")


def test_destination_is_this_host(site):
    """Everything would be sent, and nothing cross."""
    if not site.net.real:
        pytest.skip("all addresses of loopback are one host's")
    refused_conf(site, "sender", "destination = ", f"destination = {site.net.sender}:5150", 5, re.escape(site.net.sender), "of this host")
    done = harness.run(*site.net.at("s"), harness.program("katamichi"), "config", "check", site.path("sender.conf"), ok=False)
    assert done.returncode == 1 and f"destination: {site.net.sender}: " in done.err, done.err
    refused_conf(site, "sender", "destination = ", "destination = 0.0.0.0:5150", 3, "one host")


def test_recovery_key_is_the_receivers(site):
    """A second recipient that is lost together with the first."""
    shutil.copy(site.path("keys/receiver.pub"), site.path("keys/recovery.pub"))
    site.configure(sender_more="recovery = keys/recovery.pub\n")
    refused(site, "sender", 4, "recovery", "receiver's own", configured=False)


def test_mtu_larger_than_the_interface(site):
    if not site.net.real:
        pytest.skip("no link that has an MTU")
    refused_conf(site, "sender", "mtu = ", "mtu = 9000", 5, "MTU of 1500", "mtu = 9000")


def test_source_not_here(site):
    refused_conf(site, "sender", "mtu = ", "mtu = 1500\nsource = 10.99.0.1", 5, r"source 10\.99\.0\.1", "address")


@needs_root
@pytest.mark.parametrize("daemon,key", [("sender", "mtu = 1500"), ("receiver", "buffer = 1M")])
def test_unknown_interface(site, daemon, key):
    refused_conf(site, daemon, key.split()[0] + " = ", f"{key}\ninterface = enp99s0", 5, "interface enp99s0", "none")


def test_interface_name_too_long(site):
    refused_conf(site, "sender", "mtu = ", "interface = a-name-that-no-interface-has", 3, "interface")


@needs_root
def test_named_interface(site):
    """Both ends bound to their interface: files cross; on another interface nothing would."""
    site.values["mtu"] = "1500\ninterface = kms"
    site.values["buffer"] = "8M\ninterface = kmr"
    site.start()
    site.put("eltax", "一.csv", samples.table(20))
    site.wait_delivered()
    site.check_inbox()


FASTER_THAN = [("1000", "1000M", None), ("1000", "1001M", "kms can do, 1000000000 bit/s"), ("-1", "90G", None), ("virtual", "90G", None)]


@needs_root
@pytest.mark.parametrize("speed,rate,said", FASTER_THAN, ids=[f"{r} on {s}" for s, r, _ in FASTER_THAN])
def test_faster_than_the_interface(site, speed, rate, said):
    """A card's speed as the kernel shows it, laid over the veth's; a virtual interface's, or none, forbids nothing."""
    fake = site.path("sys/kms")
    os.makedirs(fake if speed == "virtual" else os.path.join(fake, "device"))
    with open(os.path.join(fake, "speed"), "w") as f:
        f.write({"virtual": "10000"}.get(speed, speed) + "\n")
    wrapper = ["unshare", "-m", "sh", "-c", f'mount --bind {site.path("sys")} /sys/class/net && exec "$@"', "sh"]
    if said:
        site.values["rate"] = rate
        refused(site, "sender", 5, "rate = 1001000000", said, wrapper=wrapper)
        return
    site.configure(rate=rate)
    argv = site.net.at("s") + wrapper + [harness.program("katamichi-sender"), "-c", site.path("sender.conf")]
    site.sender = harness.Process("sender", argv, site.path("sender.log"), ready=r"\bready\b")


# --- memory ---
@needs_root
@pytest.mark.parametrize("daemon", ["sender", "receiver"])
def test_locked_memory(site, daemon):
    refused(site, daemon, 5, "65536 bytes", "LimitMEMLOCK", wrapper=UNPRIVILEGED + ["prlimit", "--memlock=65536"])


# --- the size of files ---
@needs_root
@pytest.mark.parametrize("daemon", ["sender", "receiver"])
def test_limited_file_size(site, daemon):
    """It has to allow the largest transfer.  A limit that may be lifted is lifted (SIGXFSZ would end us without a word)."""
    line = refused(site, daemon, 5, "1048576 bytes", "LimitFSIZE", "ulimit -f", wrapper=["prlimit", "--fsize=1048576"])
    needed = int(re.search(r"may need (\d+)", line)[1])
    refused(site, daemon, 5, f"{needed - 1} bytes", configured=False, wrapper=["prlimit", f"--fsize={needed - 1}"])
    start = site.start_sender if daemon == "sender" else site.start_receiver
    for limit in (f"{needed}:{needed}", "1048576:unlimited"):
        start("prlimit", f"--fsize={limit}")
        getattr(site, daemon).stop()


# --- the socket buffer ---
def rmem_max():
    with open("/proc/sys/net/core/rmem_max") as f:
        return int(f.read())


@needs_root
def test_buffer_refused_or_degraded(site):
    """Refused; with --degraded it starts, says so in log and status, and carries files."""
    site.configure(buffer="512M")
    line = refused(site, "receiver", 5, f"{rmem_max()} bytes", "536870912", "rmem_max=536870912", "--degraded", configured=False,
                   wrapper=UNPRIVILEGED)
    assert "buffer" in line
    argv = site.net.at("r") + UNPRIVILEGED + [harness.program("katamichi-receiver"), "-c", site.path("receiver.conf"), "--degraded"]
    site.receiver = harness.Process("receiver", argv, site.path("receiver.log"), ready=r"\bready\b")
    assert re.search(rf"degraded: .*{rmem_max()} bytes, not 536870912", site.receiver.text())
    site.configure(rate="50M", buffer="512M")
    site.start_sender()
    site.put("eltax", "狭い.csv", samples.table(20))
    site.wait_delivered()
    harness.wait_until("status", lambda: status(site, "receiver")["link"]["small_buffer"])
    assert "DEGRADED: the kernel gave a socket buffer" in harness.katamichi("status", "-c", site.path("receiver.conf")).out


SIZES = [("rate = 1G", 31_250_000), ("rate = 1G\nstall = 1s", 125_000_000), ("rate = 1M", 1 << 20), ("stall = 1s", 64 << 20),
         ("buffer = 3M\nrate = 10G", 3 << 20)]


@needs_root
@pytest.mark.parametrize("lines,size", SIZES, ids=[s[0].replace("\n", ", ") for s in SIZES])
def test_buffer_from_rate_and_stall(site, lines, size):
    site.configure()
    with open(site.path("receiver.conf")) as f:
        text = re.sub(r"^buffer = .*$", lines, f.read(), flags=re.M)
    with open(site.path("receiver.conf"), "w") as f:
        f.write(text)
    site.start_receiver()
    link = harness.wait_until("counters", lambda: status(site, "receiver")["link"]["buffer"] and status(site, "receiver")["link"])
    assert link["buffer"] == 2 * size and link["small_buffer"] is False


def test_buffer_beyond_any_kernel(site):
    site.configure()
    path = site.path("receiver.conf")
    with open(path) as f:
        text = re.sub("^buffer = .*", "rate = 40G", f.read(), flags=re.M)
    with open(path, "w") as f:
        f.write(text)
    done = harness.run(harness.program("katamichi-receiver"), "-c", path, ok=False)
    assert done.returncode == 3 and re.search("rate x stall.*1250000000", done.err), done.err


@needs_root
def test_stall_is_survived(site):
    """What the buffer was sized for: the link process itself stands still for a fifth of a second at the configured rate."""
    site.values["buffer"] = "1M\nrate = 400M"
    site.configure(rate="400M")
    path = site.path("receiver.conf")
    with open(path) as f:
        text = f.read().replace("buffer = 1M\n", "")
    with open(path, "w") as f:
        f.write(text)
    site.start_receiver()
    site.start_sender()
    site.put_random("bulk", "大.bin", 40_000_000)
    link = next(p for p in site.receiver.processes() if "receiver-link" in harness.Process.command(p))
    stalls = 0
    while not site.arrived() and stalls < 20:
        if site.net.frames_arrived() > 500:
            stalls += 1
            os.kill(link, signal.SIGSTOP)
            time.sleep(0.2)
            os.kill(link, signal.SIGCONT)
        time.sleep(0.1)
    site.wait_delivered()
    assert stalls >= 2
    time.sleep(1.2)
    counters = status(site, "receiver")["link"]["counters"]
    assert counters["kernel_drops"] == 0 and counters["repaired"] == 0, counters


# --- the socket from systemd ---
ACTIVATE = shutil.which("systemd-socket-activate")
needs_activate = pytest.mark.skipif(ACTIVATE is None, reason="systemd-socket-activate is not here")


def pass_socket(argv, setup, env=None):
    """Run argv with the descriptors that setup (Python) leaves from 3 on, as a service manager does."""
    code = f"import os, socket, sys\n{setup}\nos.environ.update(LISTEN_PID=str(os.getpid()), **{env or {'LISTEN_FDS': '1'}!r})\nos.execvp(sys.argv[1], sys.argv[1:])"
    return [harness.sys.executable, "-c", code] + argv


def give(kind, bind=None, more=""):
    at = f"s.bind({bind!r})\n" if bind else ""
    return f"s = socket.socket({kind})\n{at}{more}os.dup2(s.fileno(), 20, False)\nos.dup2(20, 3)\n"


UDP, TCP, UNIX = ("socket.AF_INET, socket.SOCK_DGRAM", "socket.AF_INET, socket.SOCK_STREAM", "socket.AF_UNIX, socket.SOCK_DGRAM")
WRONG_SOCKETS = {
    "TCP": (give(TCP, ("10.77.0.2", 5150)), "1", "no IPv4 UDP socket"),
    "Unix": (give(UNIX), "1", "no IPv4 UDP socket"),
    "IPv6": (give("socket.AF_INET6, socket.SOCK_DGRAM"), "1", "no IPv4 UDP socket"),
    "a file": ("os.dup2(os.open('/dev/null', os.O_RDONLY), 3)", "1", "no IPv4 UDP socket"),
    "nothing": ("os.closerange(3, 20)", "1", "no IPv4 UDP socket"),
    "another port": (give(UDP, ("10.77.0.2", 5151)), "1", r"bound to 10\.77\.0\.2:5151"),
    "another address": (give(UDP, ("0.0.0.0", 5150)), "1", r"bound to 0\.0\.0\.0:5150"),
    "connected": (give(UDP, ("10.77.0.2", 5150), "s.connect(('10.77.0.1', 9))\n"), "1", "connected"),
    "two": (give(UDP, ("10.77.0.2", 5150)) + "os.dup2(3, 4)\n", "2", "2 sockets"),
}


@needs_root
@pytest.mark.parametrize("what", WRONG_SOCKETS)
def test_wrong_socket_from_systemd(site, what):
    setup, count, said = WRONG_SOCKETS[what]
    refused(site, "receiver", 5, "systemd", said, wrapper=pass_socket([], setup, {"LISTEN_FDS": count}))


@needs_root
def test_socket_of_another_process(site):
    """LISTEN_PID names somebody else: not for us, and the receiver makes its own."""
    site.configure()
    wrapper = ["env", "LISTEN_PID=1", "LISTEN_FDS=1"]
    site.start_receiver(*wrapper)
    site.start_sender()
    site.put("eltax", "一.csv", samples.table(5))
    site.wait_delivered()
    site.check_inbox()


@needs_root
@needs_activate
def test_socket_activation(site):
    """Started by the first datagram, on a socket that was there before it: files cross."""
    site.configure(buffer="1M", repeat="2s 2s 4s")  # a receiver slow to start misses the first round
    argv = site.net.at("r") + [ACTIVATE, "--datagram", "-l", "10.77.0.2:5150", harness.program("katamichi-receiver"),
                               "-c", site.path("receiver.conf")]
    site.receiver = harness.Process("receiver", argv, site.path("receiver.log"), ready=r"Listening")
    site.start_sender()
    site.put("eltax", "呼び水.csv", samples.table(50))
    site.wait_delivered()
    site.check_inbox()
    assert "the socket that systemd passed" in site.receiver.text()


# --- segmentation offload ---
@needs_root
def test_without_segmentation_offload(site):
    """The kernel does not know it: said once, shown in status, and everything crosses all the same."""
    site.configure()
    site.start_receiver()
    argv = site.net.at("s") + [harness.program("tests/tools/without"), "segments", harness.program("katamichi-sender"), "-c",
                               site.path("sender.conf")]
    site.sender = harness.Process("sender", argv, site.path("sender.log"), ready=r"\bready\b")
    site.put_random("bulk", "大.bin", 3_000_000)
    site.wait_delivered()
    site.check_inbox()
    assert len(re.findall("degraded: no segmentation offload", site.sender.text())) == 1
    harness.wait_until("status", lambda: status(site, "sender")["no_segmentation_offload"])
    assert "DEGRADED: no segmentation offload" in harness.katamichi("status", "-c", site.path("sender.conf")).out


def test_with_segmentation_offload(site):
    site.start()
    site.put("eltax", "一.csv", samples.table(5))
    site.wait_delivered()
    time.sleep(1.5)
    assert status(site, "sender")["no_segmentation_offload"] is False
    assert "DEGRADED" not in harness.katamichi("status", "-c", site.path("sender.conf")).out
    assert "DEGRADED" not in harness.katamichi("status", "-c", site.path("receiver.conf")).out


# --- the unit files ---
@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd-analyze is not here")
def test_unit_files(tmp_path):
    """systemd finds nothing to say about them; the programs, which are not installed here, stand in their place."""
    folder, units = os.path.join(harness.TOP, "tools", "packaging", "systemd"), []
    for name in sorted(n for n in os.listdir(folder) if not n.endswith(".sh")):
        with open(os.path.join(folder, name)) as f:
            text = f.read().replace("/usr/sbin/katamichi", harness.program("katamichi")).replace("/usr/local/libexec", folder)
        units.append(str(tmp_path / name))
        with open(units[-1], "w") as f:
            f.write(text)
    assert len(units) >= 6
    done = harness.run("systemd-analyze", "verify", "--man=no", *units, ok=False, env=dict(os.environ, SYSTEMD_UNIT_PATH=f"{tmp_path}:"))
    said = [line for line in (done.out + done.err).splitlines() if "katamichi" in line]
    assert done.returncode == 0 and not said, done.out + done.err
