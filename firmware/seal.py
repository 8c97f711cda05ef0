#!/usr/bin/python3
"""seal.py IMAGE.elf --code MAX --ram MAX --stack FILE

Puts the CRC of an image into its section .seal (node/seal.h), so that the node can check itself at start, and
prints one line of sizes.  Fails where the code or the RAM is above its limit.  Code: instructions, constants and
the seal.  RAM: everything that lies in RAM, code too where that runs from there.
"""
import struct
import sys
import zlib

MAGIC = 0x6B6D7365


class Elf:
    """As much of a little-endian ELF file, 32 or 64 bits, as is needed here."""

    def __init__(self, raw):
        self.raw = raw
        self.wide = raw[4] == 2
        head = struct.unpack_from("<QQQIHHHHHH" if self.wide else "<IIIIHHHHHH", raw, 24)
        phoff, shoff, phsize, phnum, shsize, shnum, names = head[1], head[2], head[5], head[6], head[7], head[8], head[9]
        self.sections = []
        for i in range(shnum):
            f = struct.unpack_from("<IIQQQQIIQQ" if self.wide else "<IIIIIIIIII", raw, shoff + i * shsize)
            self.sections.append(dict(name=f[0], type=f[1], flags=f[2], addr=f[3], offset=f[4], size=f[5], link=f[6]))
        table = self.sections[names]["offset"]
        for s in self.sections:
            s["name"] = self.text(table + s["name"])
        self.symbols = dict(self.read_symbols())

    def text(self, at):
        return self.raw[at:self.raw.index(0, at)].decode()

    def read_symbols(self):
        for s in self.sections:
            if s["type"] != 2:
                continue
            names, step = self.sections[s["link"]]["offset"], 24 if self.wide else 16
            for at in range(s["offset"], s["offset"] + s["size"], step):
                if self.wide:
                    name, _, _, _, value, _ = struct.unpack_from("<IBBHQQ", self.raw, at)
                else:
                    name, value, _, _, _, _ = struct.unpack_from("<IIIBBH", self.raw, at)
                yield self.text(names + name), value

    def loaded(self):
        """Sections with bytes that go into the target's memory."""
        return [s for s in self.sections if s["flags"] & 2 and s["type"] != 8 and s["size"]]

    def memory(self, start, end):
        """What the target has from start to end; zero between sections."""
        out = bytearray(end - start)
        for s in self.loaded():
            if start <= s["addr"] < end:
                out[s["addr"] - start:s["addr"] - start + s["size"]] = self.raw[s["offset"]:s["offset"] + s["size"]]
        return bytes(out[:end - start])


def main(path, code_max, ram_max, stack_file):
    with open(path, "rb") as f:
        raw = bytearray(f.read())
    elf = Elf(raw)
    start, end = elf.symbols["image_start"], elf.symbols["image_end"]
    image = elf.memory(start, end)
    seal = next(s for s in elf.sections if s["name"] == ".seal")
    if end - start < 1024 or seal["size"] < 12 or seal["addr"] < end:
        sys.exit(f"{path}: no image, or no room for the seal")
    crc = zlib.crc32(image)
    raw[seal["offset"]:seal["offset"] + 12] = struct.pack("<III", MAGIC, len(image), crc)
    with open(path, "wb") as f:
        f.write(raw)
    sizes = {s["name"]: s["size"] for s in elf.sections if s["flags"] & 2}
    ram_from, ram_to = elf.symbols["ram_start"], elf.symbols["ram_end"]
    code = end - start + seal["size"]
    # The last 64 bytes of RAM are kept over a reset (node/keep.h).
    ram = max(s["addr"] + s["size"] for s in elf.sections if s["flags"] & 2 and ram_from <= s["addr"] < ram_to) - ram_from + 64
    with open(stack_file) as f:
        bound = int(f.readline().split()[1])
    name = path.rsplit("/", 1)[1].split(".elf")[0]
    print(f"  {name:28} code {code:6} (at most {code_max})  data {sizes['.bss'] + sizes.get('.small', 0):6}  stack {bound:4} of {sizes['.stack']}"
          f"  RAM {ram:6} (at most {ram_max})  crc {crc:08x}")
    if code > code_max or ram > ram_max:
        sys.exit(f"{name}: too large")


if __name__ == "__main__":
    if len(sys.argv) != 8:
        sys.exit(__doc__)
    main(sys.argv[1], int(sys.argv[3]), int(sys.argv[5]), sys.argv[7])
