"""What powerloss.c logged, played again: the tree as it is, and the tree as a power cut would have left it.

    layer = Layer(top, program)      # a directory tree, and where the shared file goes
    subprocess.Popen(argv, env=layer.env(kill_at=7), start_new_session=True)   # a group of its own: it is killed whole
    ...
    layer.dead()                     # the 7th operation was done, nothing after it
    Tree.play(layer).difference()    # [] - or what changed without the layer seeing it
    layer.cut_power("lost")          # the tree becomes what was synced
"""
import ctypes
import mmap
import os
import random
import re
import shutil
import stat
import struct

PAGE, MAGIC, ROOM = 4096, 0x504C4F47, 1 << 30
KINDS = "create mkdir write trunc alloc sync sync_dir sync_all rename unlink link chmod read open".split()
NUMBER = {name: i + 1 for i, name in enumerate(KINDS)}
RECORD = struct.Struct("<IHHIIQQQQQHHI")
CHUNK = 4096  # of a write that a power cut may tear


class Control(ctypes.Structure):
    _fields_ = [("magic", ctypes.c_uint32), ("lock", ctypes.c_uint32), ("ops", ctypes.c_uint64), ("kill_at", ctypes.c_uint64),
                ("dead", ctypes.c_uint32), ("error", ctypes.c_uint32), ("fail", ctypes.c_uint32), ("pad", ctypes.c_uint32),
                ("failed", ctypes.c_uint64), ("only", ctypes.c_uint64), ("used", ctypes.c_uint64), ("room", ctypes.c_uint64), ("dev", ctypes.c_uint64 * 4)]


class Layer:
    """One end under the layer.  top: its tree; nothing outside of it is looked at when the log is played.  forget: a regular
    expression; operations() that match it are syncs that this disk does not do (for negative controls)."""

    def __init__(self, top, shared, library):
        self.top, self.shared, self.library, self.forget = str(top), str(shared), library, None
        self.fd = os.open(self.shared, os.O_RDWR | os.O_CREAT | os.O_TRUNC, 0o600)
        os.ftruncate(self.fd, PAGE + ROOM)  # sparse
        self.memory = mmap.mmap(self.fd, PAGE + ROOM)
        self.control = Control.from_buffer(self.memory)
        self.control.magic, self.control.room = MAGIC, ROOM
        self.control.dev[0] = os.stat(self.top).st_dev
        self.begin()

    def begin(self):
        """What is in the tree now counts as durable."""
        self.control.ops = self.control.used = self.control.dead = self.control.lock = self.control.kill_at = 0
        self.before = Tree(self.top)
        self.began = [(os.lstat(self.top).st_ino, self.top)]
        for base, folders, files in os.walk(self.top):
            self.began += [(os.lstat(os.path.join(base, n)).st_ino, os.path.join(base, n)) for n in folders + files]

    def env(self, kill_at=0):
        self.control.kill_at = kill_at
        return {**os.environ, "LD_PRELOAD": self.library, "KATAMICHI_POWERLOSS": self.shared}

    def fail(self, error, kinds, only=None):
        """From now on these kinds of operation fail with this errno, until heal().  only: reading and opening fail of this file alone."""
        self.control.only = os.stat(only).st_ino if only else 0
        self.control.fail = sum(1 << NUMBER[k] for k in kinds)
        self.control.error = error

    def heal(self):
        self.control.error = 0

    def dead(self):
        return self.control.dead != 0

    def freeze(self):
        """No further operation begins: whoever tries dies.  For ends that are killed from outside."""
        self.control.dead = 1

    def records(self):
        """(kind, flag, mode, ino, dir, dir2, off, size, name, name2, data) of each operation."""
        at, log = PAGE, self.memory
        while at < PAGE + self.control.used:
            n, kind, flag, _, mode, ino, dir1, dir2, off, size, n1, n2, _ = RECORD.unpack_from(log, at)
            names = at + RECORD.size
            yield (KINDS[kind - 1], flag, mode, ino, dir1, dir2, off, size, os.fsdecode(log[names:names + n1]),
                   os.fsdecode(log[names + n1:names + n1 + n2]), log[names + n1 + n2:at + n])
            at += (n + 7) & ~7

    def operations(self):
        """What was done, for people: "sync state/objects/1f.tmp".  Paths as they were then."""
        path = {st: os.path.relpath(p, self.top) for st, p in self.began}
        at = lambda d, name: os.path.normpath(os.path.join(path.get(d, "?"), name))  # noqa: E731
        for kind, _, _, ino, dir1, dir2, off, size, name, name2, data in self.records():
            if kind in ("create", "mkdir", "link"):
                path[ino] = at(dir1, name)
                yield f"{kind} {path[ino]}"
            elif kind == "rename":
                path[ino] = at(dir2, name2)
                yield f"rename {at(dir1, name)} to {path[ino]}"
            elif kind == "unlink":
                yield f"unlink {at(dir1, name)}"
            else:
                yield f"{kind} {path.get(ino, '?')}"

    def cut_power(self, mode, seed=0):
        """plain: nothing changes (kill -9).  lost: what was not synced is undone.  mixed: of that, any part."""
        tree = Tree.play(self)
        wrong = tree.difference()
        if wrong:
            raise AssertionError("the layer did not see how this came about: " + "; ".join(wrong[:5]))
        if mode == "mixed":
            tree.settle_some(random.Random(seed))
        if mode != "plain":
            tree.write_durable()
        self.begin()

    def close(self):
        self.control = None
        self.memory.close()
        os.close(self.fd)
        os.unlink(self.shared)


class File:
    def __init__(self, mode, data=b""):
        self.mode = self.kept_mode = mode
        self.data, self.kept = bytearray(data), bytearray(data)
        self.pending = []  # what was done since the last sync, in order

    def change(self, kind, off, what):
        self.pending.append((kind, off, what))
        self.apply(self.data, kind, off, what)

    @staticmethod
    def apply(data, kind, off, what):
        if kind == "trunc":
            del data[off:]
            data.extend(bytes(off - len(data)))
            return
        end = off + (what if kind == "alloc" else len(what))
        if len(data) < end:
            data.extend(bytes(end - len(data)))
        if kind == "write":
            data[off:end] = what

    def sync(self):
        for change in self.pending:
            self.apply(self.kept, *change)
        self.pending.clear()
        self.kept_mode = self.mode

    def settle_some(self, rng):
        for kind, off, what in self.pending:
            if kind != "write":
                if rng.random() < 0.5:
                    self.apply(self.kept, kind, off, what)
                continue
            for at in range(0, len(what), CHUNK):
                if rng.random() < 0.5:
                    self.apply(self.kept, "write", off + at, what[at:at + CHUNK])


class Directory:
    def __init__(self, mode):
        self.mode = self.kept_mode = mode
        self.names, self.kept = {}, {}
        self.pending = []  # of Step

    def sync(self):
        for step in list(self.pending):
            step.settle()
        self.kept_mode = self.mode

    def settle_some(self, rng):
        for step in list(self.pending):
            if rng.random() < 0.5:
                step.settle()


class Step:
    """A change of names that happens whole or not at all: [(directory, name, what stands there or None)]."""

    def __init__(self, *deltas):
        self.deltas, self.done = deltas, False
        for directory, name, node in deltas:
            if node is None:
                directory.names.pop(name, None)
            else:
                directory.names[name] = node
            directory.pending.append(self)

    def settle(self):
        """Durable - and before it whatever it builds upon."""
        if self.done:
            return
        self.done = True
        mine = {(id(d), name) for d, name, _ in self.deltas}
        for directory, _, _ in self.deltas:
            for earlier in directory.pending[:directory.pending.index(self)]:
                if any((id(d), name) in mine for d, name, _ in earlier.deltas):
                    earlier.settle()
        for directory, name, node in self.deltas:
            if node is None:
                directory.kept.pop(name, None)
            else:
                directory.kept[name] = node
            directory.pending = [s for s in directory.pending if s is not self]


def passed_over(name):
    return name.endswith("-shm")  # SQLite's index: shared memory, made anew, never synced


class Tree:
    def __init__(self, top):
        self.top, self.by_ino = top, {}
        self.root = self._load(top)

    def _load(self, path):
        st = os.lstat(path)
        if stat.S_ISDIR(st.st_mode):
            node = Directory(stat.S_IMODE(st.st_mode))
            for name in os.listdir(path):
                if not passed_over(name):
                    node.names[name] = self._load(os.path.join(path, name))
            node.kept = dict(node.names)
        elif stat.S_ISREG(st.st_mode):
            with open(path, "rb") as f:
                node = File(stat.S_IMODE(st.st_mode), f.read())
        else:
            raise AssertionError(f"{path}: neither a file nor a directory")
        self.by_ino[st.st_ino] = node
        return node

    @classmethod
    def play(cls, layer):
        tree = layer.before
        for record, operation in zip(layer.records(), layer.operations()):
            if layer.forget is None or not re.match(layer.forget, operation):
                tree._one(*record)
        return tree

    def _one(self, kind, flag, mode, ino, dir1, dir2, off, size, name, name2, data):
        node, directory = self.by_ino.get(ino), self.by_ino.get(dir1)
        if kind in ("create", "mkdir"):
            if directory is not None:
                self.by_ino[ino] = node = Directory(mode) if kind == "mkdir" else File(mode)
                Step((directory, name, node))
        elif kind == "rename":
            target = self.by_ino.get(dir2)
            if directory is None and target is None:
                return
            if directory is None or target is None or node is None or flag & 2:
                raise AssertionError(f"{name} -> {name2}: a rename across the border of the tree, or an exchange")
            Step((directory, name, None), (target, name2, node))
        elif kind == "unlink":
            if directory is not None:
                Step((directory, name, None))
        elif kind == "link":
            if directory is not None and node is not None:
                Step((directory, name, node))
        elif kind == "sync_all":
            for each in list(self.by_ino.values()):
                each.sync()
        elif node is None:
            return
        elif kind in ("sync", "sync_dir"):
            node.sync()
        elif kind == "write":
            node.change("write", off, data)
        elif kind == "trunc":
            node.change("trunc", size, None)
        elif kind == "alloc":
            if flag & ~1:
                raise AssertionError("fallocate with a mode that the layer does not know")
            if flag == 0:
                node.change("alloc", off, size)
        elif kind == "chmod":
            node.mode = mode

    def settle_some(self, rng):
        for node in list(self.by_ino.values()):
            node.settle_some(rng)

    def difference(self):
        """Where the tree on the disk is not what the log says."""
        found = []
        self._compare(self.root, self.top, found)
        return found

    def _compare(self, node, path, found):
        if isinstance(node, File):
            with open(path, "rb") as f:
                if f.read() != node.data:
                    found.append(f"{path}: other bytes")
            return
        there = {n for n in os.listdir(path) if not passed_over(n)}
        for name in sorted(there ^ set(node.names)):
            if not passed_over(name):
                found.append(f"{path}/{name}: {'unexpected' if name in there else 'missing'}")
        for name in sorted(there & set(node.names)):
            below = os.path.join(path, name)
            if os.path.isdir(below) != isinstance(node.names[name], Directory):
                found.append(f"{below}: a file for a directory, or the reverse")
            else:
                self._compare(node.names[name], below, found)

    def write_durable(self):
        """A file that stays keeps its inode, as in a power cut: an outbox in a new file would be taken for a restored one."""
        self._write(self.root, self.top, set())

    @staticmethod
    def _clear(node, path):
        """What is in the way, or does not belong there."""
        for name in os.listdir(path):
            there, wanted = os.path.join(path, name), node.kept.get(name)
            if os.path.isdir(there) and not os.path.islink(there):
                if not isinstance(wanted, Directory) or passed_over(name):
                    shutil.rmtree(there)
            elif not isinstance(wanted, File) or passed_over(name) or os.lstat(there).st_nlink > 1:
                os.unlink(there)

    def _write(self, node, path, above):
        if isinstance(node, File):
            with open(path, "wb") as f:
                f.write(node.kept)
        else:
            assert id(node) not in above, f"{path}: a directory within itself"
            os.makedirs(path, exist_ok=True)
            self._clear(node, path)
            for name, below in node.kept.items():
                if not passed_over(name):
                    self._write(below, os.path.join(path, name), above | {id(node)})
        os.chmod(path, node.kept_mode)
