#!/usr/bin/python3
"""stack.py OBJDUMP IMAGE.elf OBJECT_DIR LIMIT

The most stack that an image can use: the call graph is read from its own instructions, so nothing that the linker
brings in escapes; the frame of a function is the larger of what the compiler says (-fstack-usage) and what the
instructions take.  Refused: a call through a pointer, recursion, a frame of variable size, a bound above LIMIT, and
a RAM test that uses memory.  Prints "bound N", the deepest chain, and every frame.
"""
import glob
import os
import re
import subprocess
import sys

RETURNS = re.compile(r"^(bx\s+lr|ret\b|mret\b|pop.*pc|ldm.*pc|mov\s+pc, lr|ldr\s+pc, \[sp\])")
BRANCH = re.compile(r"^(b|bl|blx|b(l)?(eq|ne|cs|cc|mi|pl|vs|vc|hi|ls|ge|lt|gt|le|al)(\.n|\.w)?|b\.n|b\.w|cbn?z|j|jal|jalr|jr|call|tail|"
                    r"b(eq|ne|lt|ge|gt|le)u?z?)\s")
INDIRECT = re.compile(r"^(blx\s+(r\d+|ip|lr)|bx\s+(r\d+|ip)|ldr\w*\s+pc|add\w*\s+pc|mov\w*\s+pc|jr\s|jalr\s|tbb|tbh)")


def compiler_frames(folder):
    """Function name -> bytes; the largest where several files have one of this name."""
    frames = {}
    for path in glob.glob(os.path.join(folder, "**/*.su"), recursive=True):
        with open(path) as f:
            for line in f:
                place, size, kind = line.rstrip("\n").split("\t")
                name = place.split(":")[-1].split(".")[0]
                if kind != "static":
                    sys.exit(f"stack.py: {place}: a frame of {kind} size")
                frames[name] = max(frames.get(name, 0), int(size))
    return frames


def pushed(text):
    """Bytes that one instruction takes from the stack."""
    m = re.match(r"^(?:push|stmdb\s+sp!,|stmfd\s+sp!,)\S*\s*\{(.*)\}", text)
    if m:
        count = 0
        for part in m.group(1).split(","):
            ends = re.findall(r"r(\d+)", part)
            count += int(ends[1]) - int(ends[0]) + 1 if len(ends) == 2 else 1
        return 4 * count
    for pattern in (r"^subs?(?:\.w|w)?\s+sp, (?:sp, )?#(\d+)", r"^strd?\S*\s+.*\[sp, #-(\d+)\]!", r"^(?:c\.)?addi?(?:16sp)?\s+sp,sp,-(\d+)"):
        m = re.match(pattern, text)
        if m:
            return int(m.group(1))
    return 0


def disassemble(objdump, image):
    """Address -> {name, frame, calls: set of addresses, indirect: list of instructions}."""
    out = subprocess.run([objdump, "-d", "--no-show-raw-insn", image], check=True, stdout=subprocess.PIPE).stdout.decode()
    functions, current = {}, None
    for line in out.splitlines():
        head = re.match(r"^([0-9a-f]+) <(.+)>:$", line)
        if head:
            current = {"name": head.group(2), "frame": 0, "targets": set(), "indirect": []}
            functions[int(head.group(1), 16)] = current
            continue
        m = re.match(r"^\s*[0-9a-f]+:\s+(.*?)\s*$", line)
        if not m or current is None:
            continue
        text = m.group(1).replace("\t", " ")
        current["frame"] += pushed(text)
        target = re.search(r"\b(?:0x)?([0-9a-f]+) <[^>]+>", text)
        if RETURNS.match(text) or text.startswith("."):
            continue
        if BRANCH.match(text) and target:
            current["targets"].add(int(target.group(1), 16))
        elif INDIRECT.match(text):
            current["indirect"].append(text)
    return functions


def owner(starts, address):
    """The function that an address lies in."""
    low = [s for s in starts if s <= address]
    return max(low) if low else None


def depth(functions, at, path, memo):
    """(bytes, chain) of the deepest way from this function on."""
    if at in path:
        sys.exit("stack.py: recursion: " + " > ".join(functions[a]["name"] for a in path[path.index(at):] + [at]))
    if at not in memo:
        deepest = max((depth(functions, c, path + [at], memo) for c in sorted(functions[at]["calls"])), default=(0, []))
        memo[at] = (functions[at]["frame"] + deepest[0], [at] + deepest[1])
    return memo[at]


def main(objdump, image, folder, limit):
    functions = disassemble(objdump, image)
    compiled = compiler_frames(folder)
    starts = sorted(functions)
    for at, f in functions.items():
        if f["indirect"]:
            sys.exit(f"stack.py: {f['name']}: a call or jump through a pointer: {f['indirect'][0]}")
        f["frame"] = max(f["frame"], compiled.get(f["name"].split(".")[0], 0))
        f["calls"] = {owner(starts, t) for t in f["targets"]} - {at, None}
    memo = {}
    bound, chain = max(depth(functions, at, [], memo) for at in starts)
    march = [f for f in functions.values() if f["name"] == "ram_march"]
    if len(march) != 1 or march[0]["frame"] or march[0]["calls"]:
        sys.exit("stack.py: the RAM test needs memory, or is not there")
    print("bound", bound)
    print("chain", " > ".join(f"{functions[a]['name']} {functions[a]['frame']}" for a in chain))
    for at in starts:
        print(f"{functions[at]['name']} {functions[at]['frame']} {memo[at][0]}")
    if bound > limit - 64:
        sys.exit(f"stack.py: {bound} bytes of stack, of {limit} (64 stay free)")


if __name__ == "__main__":
    if len(sys.argv) != 5:
        sys.exit(__doc__)
    main(sys.argv[1], sys.argv[2], sys.argv[3], int(sys.argv[4]))
