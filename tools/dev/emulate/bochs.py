"""Bochs' CPU inside this process: functions that use AVX-512 run on machines without it, instruction by instruction.

What a pointer names here it names there: the emulated CPU's page tables map every address of this process to itself.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""
import ctypes
import mmap
import os
import pathlib
import subprocess
import sys
import tempfile

PAGE = 4096
REGION_BITS = 30  # of one entry of the page tables: a page of 1 GiB
ARGUMENTS = ("rdi", "rsi", "rdx", "rcx", "r8", "r9")
ARCH_GET_FS = 0x1003
HLT = b"\xf4"


def _import():
    """The module, behind the symbols that sapphire_rapids.c defines."""
    with tempfile.TemporaryDirectory() as folder:
        library = pathlib.Path(folder) / "sapphire_rapids.so"
        source = pathlib.Path(__file__).with_name("sapphire_rapids.c")
        subprocess.run([os.environ.get("CC", "cc"), "-shared", "-fPIC", "-o", library, source, "-ldl"], check=True)
        ctypes.CDLL(str(library), ctypes.RTLD_GLOBAL)
    flags = sys.getdlopenflags()
    sys.setdlopenflags(os.RTLD_GLOBAL | os.RTLD_NOW)
    import bochscpu.cpu
    import bochscpu.memory
    sys.setdlopenflags(flags)
    return bochscpu


bochscpu = _import()


def _address(buffer):
    return ctypes.addressof(ctypes.c_char.from_buffer(buffer))


def _segment(selector, attributes, base=0):
    segment = bochscpu.Segment()
    segment.present, segment.selector, segment.attr = True, selector, attributes
    segment.base, segment.limit = base, 0xFFFFFFFF
    return segment


class _AddressSpace:
    """Page tables that map this process's memory. Physical addresses have fewer bits than ours, so regions of 1 GiB are
    numbered as they come."""

    def __init__(self):
        self.regions, self.numbers, self.nodes = [], {}, {}
        self.memory = mmap.mmap(-1, 256 * PAGE)
        self.root = self._node("root")

    def _node(self, key):
        if key not in self.nodes:
            self.nodes[key] = _address(self.memory) + len(self.nodes) * PAGE
        return self.nodes[key]

    def physical(self, address):
        region = address >> REGION_BITS
        if region not in self.numbers:
            self.numbers[region] = len(self.regions)
            self.regions.append(region)
        return self.numbers[region] << REGION_BITS | address & ((1 << REGION_BITS) - 1)

    def provide(self, physical):
        """Called by the CPU for a page that it has not used before."""
        page = physical & -PAGE
        region = self.regions[page >> REGION_BITS] << REGION_BITS
        bochscpu.memory.page_insert(page, region | page & ((1 << REGION_BITS) - 1))

    def update(self):
        """Maps what this process has mapped by now."""
        for line in pathlib.Path("/proc/self/maps").read_text().splitlines():
            first, end = (int(part, 16) for part in line.split()[0].split("-"))
            for region in range(first >> REGION_BITS, ((end - 1) >> REGION_BITS) + 1):
                if region >> (47 - REGION_BITS):  # the kernel's half
                    continue
                table = self._node(region >> 9)
                self._write(self.root, region >> 9, self.physical(table) | 0x07)
                self._write(table, region & 511, self.physical(region << REGION_BITS) | 0x87)

    @staticmethod
    def _write(table, index, entry):
        ctypes.c_uint64.from_address(table + 8 * index).value = entry


class Emulator:
    """One CPU: Sapphire Rapids, one thread, no operating system: a system call ends the run with an error."""

    def __init__(self, stack_size=1 << 22):
        self.space = _AddressSpace()
        self.session = bochscpu.Session()
        self.session.missing_page_handler = self.space.provide
        self.stack = mmap.mmap(-1, stack_size)
        self.stack_top = _address(self.stack) + stack_size - PAGE
        self.end = mmap.mmap(-1, PAGE, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC)
        self.end[:1] = HLT

    def call(self, function, *arguments):
        """The int64 that the function at this address returns; arguments are integers or addresses, six at most."""
        if len(arguments) > len(ARGUMENTS):
            raise ValueError(f"expected at most {len(ARGUMENTS)} arguments, got {len(arguments)}")
        self.space.update()
        state = self._initial_state()
        for register, argument in zip(ARGUMENTS, arguments):
            setattr(state, register, argument)
        state.rsp = (self.stack_top & -64) - 8  # as behind a call
        ctypes.c_uint64.from_address(state.rsp).value = _address(self.end)
        state.rip = function
        self.session.cpu.state = state
        faults = []

        def fault(session, _cpu, vector, code):
            faults.append((vector, code))
            session.stop()

        hook = bochscpu.Hook()
        hook.hlt = lambda session, _cpu: session.stop()
        hook.exception = fault
        self.session.run([hook])
        state = self.session.cpu.state
        if faults:
            raise RuntimeError(f"exception {faults[0][0]} (code {faults[0][1]}) at {state.rip:#x}")
        return ctypes.c_int64(state.rax).value

    def _initial_state(self):
        base = ctypes.c_uint64()
        ctypes.CDLL(None).syscall(158, ARCH_GET_FS, ctypes.byref(base))  # thread-local storage is found through FS
        state = bochscpu.State()
        bochscpu.cpu.set_long_mode(state)
        state.cr0 = 0x80050033
        state.cr4 = 1 << 5 | 1 << 9 | 1 << 10 | 1 << 16 | 1 << 18  # PAE, SSE, FSGSBASE, XSAVE
        state.cr3 = self.space.physical(self.space.root)
        state.xcr0 = 0xE7  # x87, SSE, AVX and the three parts of AVX-512
        state.rflags, state.mxcsr, state.mxcsr_mask, state.fpcw = 0x2, 0x1F80, 0xFFFF, 0x37F
        state.cs = _segment(0x10, 0xA09B)
        state.ds = state.es = state.ss = state.gs = _segment(0x18, 0xC093)
        state.fs = _segment(0x18, 0xC093, base.value)
        return state
