"""What the processor of an emulated board has written to the registers of its Ethernet controllers, from the emulator's own trace
of every access to a device; and which of these writes a one-way port may never make."""
import re

import box as box_module

# direction of (host, fibre)
DIRECTIONS = {"ingress": ("receive", "transmit"), "egress": ("transmit", "receive")}
NCR, RDAR, TDAR = 0x000, 0x010, 0x014


def writes(path):
    """[(address, value)] by a processor, in order.  Accesses of the test protocol have processor -1."""
    found = []
    with open(path, errors="replace") as f:
        for line in f:
            m = re.search(r"memory_region_ops_write cpu (-?\d+) .*? addr 0x([0-9a-f]+) value 0x([0-9a-f]+) size", line)
            if m and int(m.group(1)) >= 0:
                found.append((int(m.group(2), 16), int(m.group(3), 16)))
    return found


def enables(board, base, direction, address, value):
    """Does this write switch that direction of the controller at base on?"""
    if board == "imx6ul":  # one bit enables both halves; each works only when its ring is set going
        return address == base + {"receive": RDAR, "transmit": TDAR}[direction]
    bit = {"receive": box_module.GEM_RECEIVE, "transmit": box_module.GEM_TRANSMIT}[direction]
    return address == base + NCR and value & bit != 0


def judge(board, role, path):
    """(writes that a one-way node never makes, ports that were opened in their own direction)"""
    forbidden, opened = [], set()
    for address, value in writes(path):
        for base, port, direction in zip(box_module.BOARDS[board].macs, ("host", "fibre"), DIRECTIONS[role]):
            other = {"receive": "transmit", "transmit": "receive"}[direction]
            if enables(board, base, other, address, value):
                forbidden.append((port, f"{address:08x} = {value:08x}"))
            if enables(board, base, direction, address, value):
                opened.add(port)
    return forbidden, opened
