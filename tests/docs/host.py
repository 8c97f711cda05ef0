"""A fresh host for a guide: namespaces of its own with systemd as its first process, on an overlay over this machine's root,
so that what is installed, enabled and written there is gone when it ends.

The guides' commands run as an operator types them, `systemctl` and all, and the units run with all their confinement.
"""
import ctypes
import os
import re
import signal
import subprocess
import time

TOP = os.path.realpath(os.path.join(os.path.dirname(__file__), "..", ".."))
# What may not happen twice on one kernel, or has nothing to do here.
MASKED = ("systemd-sysctl.service systemd-modules-load.service systemd-remount-fs.service systemd-udevd.service systemd-udev-trigger.service"
          " systemd-binfmt.service systemd-tmpfiles-setup.service systemd-tmpfiles-setup-dev.service systemd-tmpfiles-clean.timer systemd-random-seed.service systemd-firstboot.service systemd-update-utmp.service"
          " systemd-networkd-wait-online.service systemd-logind.service dbus.service dbus.socket ldconfig.service apparmor.service"
          " sys-kernel-debug.mount sys-kernel-tracing.mount sys-kernel-config.mount dev-hugepages.mount dev-mqueue.mount"
          " sys-fs-fuse-connections.mount proc-sys-fs-binfmt_misc.automount tmp.mount cron.service nftables.service networking.service")

# Runs in the new namespaces, before systemd: $1 our tree, $2 a directory that both hosts see (the medium that is carried),
# $5 the language that the installer was told, which services get, too.
PREPARE = r"""
set -e
mount --make-rprivate /
mount -t tmpfs none "$3"
mkdir "$3/upper" "$3/work" "$3/root"
root=$3/root
mount -t overlay -o "lowerdir=/,upperdir=$3/upper,workdir=$3/work" none "$root"
mount -t proc proc "$root/proc"
mount --bind "$root/proc/sys" "$root/proc/sys"
mount -o remount,bind,ro "$root/proc/sys"
mount --bind /proc/sys/net "$root/proc/sys/net" 2>/dev/null || true
mount -t sysfs -o ro sysfs "$root/sys" # networkd then does not wait for udev
mount -t cgroup2 cgroup2 "$root/sys/fs/cgroup"
mount -t tmpfs -o mode=755 tmpfs "$root/run"
mount -t tmpfs -o mode=1777 tmpfs "$root/tmp"
mkdir -p "$root$1" "$root/media/usb"
mount --bind "$1" "$root$1"
mount --bind "$2" "$root/media/usb"
mount -t tmpfs -o mode=755 tmpfs "$root/dev"
for d in null zero full random urandom tty; do
	touch "$root/dev/$d"
	mount --bind "/dev/$d" "$root/dev/$d"
done
mkdir "$root/dev/shm" "$root/dev/pts"
mount -t tmpfs -o mode=1777 tmpfs "$root/dev/shm"
mount -t devpts -o newinstance,ptmxmode=0666,mode=620,gid=5 devpts "$root/dev/pts"
ln -s pts/ptmx "$root/dev/ptmx"
ln -s /proc/self/fd "$root/dev/fd"
# As just installed: nothing of ours, no service but systemd's own.
rm -rf "$root/etc/systemd/system" "$root/etc/systemd/network" "$root/etc/katamichi" "$root/srv" "$root/var/lib/katamichi-sender"
mkdir -p "$root/etc/systemd/system" "$root/etc/systemd/network" "$root/srv"
echo "LANG=$5" >"$root/etc/default/locale"
find "$root/usr/local" -name '*katamichi*' -prune -exec rm -rf {} +
for unit in $4; do ln -sf /dev/null "$root/etc/systemd/system/$unit"; done
cd "$root"
mkdir -p mnt
pivot_root . mnt
umount -l /mnt
exec env -i container=lxc PATH=/usr/sbin:/usr/bin:/sbin:/bin /lib/systemd/systemd --unit=basic.target \
	--show-status=0 --log-target=journal </dev/null >/dev/null 2>&1
"""


class Unable(Exception):
    """This machine cannot have such hosts."""


def able():
    if os.geteuid() != 0:
        raise Unable("needs root")
    if not os.path.exists("/lib/systemd/systemd"):
        raise Unable("needs systemd installed")


class Host:
    def __init__(self, name, work, medium, device, mac, locale):
        able()
        self.name, self.device, self.mac = name, device, mac
        self.work = os.path.join(work, name)
        os.makedirs(self.work)
        self.cgroups = os.path.join(work, "cgroup-" + name)
        self.cgroup = os.path.join(self.cgroups, f"km-{os.getpid()}-{name}")
        self.pid = self.outer = self.log = None
        try:
            self._start(medium, locale)
        except BaseException:
            self.end()
            raise

    def _start(self, medium, locale):
        os.makedirs(self.cgroups)
        if subprocess.run(["mount", "-t", "cgroup2", "none", self.cgroups], stderr=subprocess.DEVNULL).returncode != 0:
            raise Unable("cgroup2 cannot be mounted")
        os.mkdir(self.cgroup)

        def enter():
            ctypes.CDLL(None).prctl(1, signal.SIGKILL)  # PR_SET_PDEATHSIG: it ends with us, however we end
            with open(os.path.join(self.cgroup, "cgroup.procs"), "w") as f:
                f.write(str(os.getpid()))
        self.log = open(os.path.join(self.work, "log"), "w+")
        self.outer = subprocess.Popen(
            ["unshare", "--kill-child", "--mount", "--pid", "--fork", "--net", "--uts", "--ipc", "--cgroup", "sh", "-c", f"hostname {self.name}\n{PREPARE}",
             "sh", TOP, medium, self.work, MASKED, locale], preexec_fn=enter, stdin=subprocess.DEVNULL, stdout=self.log, stderr=self.log)
        end = time.monotonic() + 30
        while time.monotonic() < end:
            if self.outer.poll() is not None:
                self.log.seek(0)
                raise Unable(f"systemd does not start in namespaces here: {self.log.read().strip()[-300:]}")
            self.pid = self._first_process()
            if self.pid and self.run("systemctl is-system-running --wait", seconds=30)[1].strip() in ("running", "degraded"):
                return
            time.sleep(0.05)
        raise Unable("systemd did not come up within 30 s")

    def _first_process(self):
        """The child of unshare, once it has become systemd."""
        try:
            with open(f"/proc/{self.outer.pid}/task/{self.outer.pid}/children") as f:
                pid = int(f.read().split()[0])
            with open(f"/proc/{pid}/comm") as f:
                return pid if f.read().strip() == "systemd" else None
        except (OSError, IndexError, ValueError):
            return None

    def run(self, command, seconds=60, environment=()):
        """As typed at this host by root: (exit code, everything it said)."""
        env = {"PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "HOME": "/root", "LC_ALL": "C.UTF-8",
               "B": os.environ.get("B", "build"), **dict(environment)}
        done = subprocess.run(["nsenter", "--target", str(self.pid), "--mount", "--uts", "--ipc", "--net", "--pid",
                               "bash", "-c", f"cd {TOP} && {command}"],
                              stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=seconds, env=env)
        return done.returncode, done.stdout.decode("utf-8", "backslashreplace")

    def ask(self, command, code=0):
        """Its output, without blanks at the ends; it is an error that it ends with anything but code."""
        done, out = self.run(command)
        assert done == code, f"{command}: exit code {done}\n{out}"
        return out.strip()

    def ask_until(self, command, pattern, seconds=20):
        """The same again and again, until pattern is in it."""
        end = time.monotonic() + seconds
        while True:
            out = self.run(command)[1]
            if re.search(pattern, out, re.M):
                return out.strip()
            assert time.monotonic() < end, f"{command}: no {pattern} in\n{out}"
            time.sleep(0.1)

    def end(self):
        if self.pid:
            try:
                os.kill(self.pid, signal.SIGKILL)  # and with it everything in its namespace
            except ProcessLookupError:
                pass
        if self.outer:
            self.outer.kill()
            self.outer.wait()
            self.log.close()
        for _ in range(100):
            for base, _, _ in os.walk(self.cgroup, topdown=False):
                try:
                    os.rmdir(base)
                except OSError:
                    pass
            if not os.path.exists(self.cgroup):
                break
            time.sleep(0.05)
        subprocess.run(["umount", self.cgroups], check=False)


class Pair:
    """Sender and receiver, a fibre between them, and a medium that people carry."""

    def __init__(self, work, locale="C.UTF-8"):
        self.hosts, self.medium = {}, os.path.join(work, "medium")
        os.makedirs(self.medium)
        try:
            for name, mac in (("sender", "02:00:00:00:00:01"), ("receiver", "02:00:00:00:00:02")):
                self.hosts[name] = Host(name, str(work), self.medium, "enp3s0", mac, locale)
            s, r = self.hosts["sender"], self.hosts["receiver"]
            subprocess.run(["ip", "link", "add", s.device, "address", s.mac, "netns", str(s.pid), "type", "veth",
                            "peer", "name", r.device, "address", r.mac, "netns", str(r.pid)], check=True)
            s.run(f"ethtool -K {s.device} tx-udp-segmentation off")  # as on a wire
        except BaseException:
            self.end()
            raise

    def wait_for_session(self):
        """Until the receiver, as it runs now, is ready and has heard the sender: what was sent before comes a minute later."""
        self.hosts["receiver"].ask_until("journalctl -o cat _SYSTEMD_INVOCATION_ID=$(systemctl show -P InvocationID katamichi-receiver)"
                                         " | sort", r"session of epoch(.*\n)*ready|ready(.*\n)*.*session of epoch")

    def put(self, name, text="番号,金額\n"):
        """A file into the sender's folder of channel eltax."""
        self.hosts["sender"].ask(f"cd /srv/katamichi/out/eltax && printf '{text}' >.new && mv .new {name}")

    def end(self):
        for h in self.hosts.values():
            h.end()
