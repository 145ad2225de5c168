"""Kernels written by hand for the simulator of GPUs: a product of matrices as a pipeline of copies, and rows that a block
works on together. Tests plant mistakes into their text.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""

STAGES, ROWS, COLUMNS, DEPTH, THREADS = 3, 32, 8, 64, 64
ROW_BYTES = 2 * DEPTH
A_BYTES, STAGE_BYTES = ROWS * ROW_BYTES, (ROWS + COLUMNS) * ROW_BYTES


def module(main_types, num_inputs, blocks, threads, shared, kernel, name):
    """A main function that launches one kernel on its arguments."""
    arguments = ", ".join(f"%x{i}: {t}" for i, t in enumerate(main_types))
    passed = ", ".join(f"%x{i} : {t}" for i, t in enumerate(main_types))
    return f"""
module attributes {{gpu.container_module}} {{
  func.func @forward({arguments}) attributes {{graven.num_inputs = {num_inputs} : i64}} {{
    %c1 = arith.constant 1 : index
    %blocks = arith.constant {blocks} : index
    %threads = arith.constant {threads} : index
    %shared = arith.constant {shared} : i32
    gpu.launch_func @device::@{name} blocks in (%blocks, %c1, %c1) threads in (%threads, %c1, %c1)
      dynamic_shared_memory_size %shared args({passed})
    return
  }}
  gpu.module @device {{
{kernel}
  }}
}}
"""


def copies(which, count, rows, width, base, stage, step, at):
    """Chunks of 16 bytes of one matrix on their way to a stage; what is outside of it is zero."""
    lines = []
    for j in range(count):
        p = f"%{at}{which}{j}"
        lines.append(f"""
      {p}c = arith.addi %tid, %c{64 * j} : i32
      {p}row = arith.shrui {p}c, %c3 : i32
      {p}chunk = arith.andi {p}c, %c7 : i32
      {p}low = arith.andi {p}row, %c7 : i32
      {p}swizzled = arith.xori {p}chunk, {p}low : i32
      {p}line = arith.shli {p}row, %c7 : i32
      {p}column = arith.shli {p}swizzled, %c4 : i32
      {p}offset = arith.addi {p}line, {p}column : i32
      {p}to = arith.addi {p}offset, {stage} : i32
      {p}dst = llvm.getelementptr %{which}s[{p}to] : (!llvm.ptr<3>, i32) -> !llvm.ptr<3>, i8
      {p}k0 = arith.muli {step}, %c64 : i32
      {p}k1 = arith.shli {p}chunk, %c3 : i32
      {p}k = arith.addi {p}k0, {p}k1 : i32
      {p}r = arith.addi {p}row, {base} : i32
      {p}inK = arith.cmpi ult, {p}k, %K : i32
      {p}inR = arith.cmpi ult, {p}r, %{rows} : i32
      {p}in = arith.andi {p}inK, {p}inR : i1
      {p}size = arith.select {p}in, %c16, %c0 : i32
      {p}rk = arith.muli {p}r, %{width} : i32
      {p}all = arith.addi {p}rk, {p}k : i32
      {p}from = arith.select {p}in, {p}all, %c0 : i32
      {p}src = llvm.getelementptr %{which}g[{p}from] : (!llvm.ptr<1>, i32) -> !llvm.ptr<1>, f16
      nvvm.cp.async.shared.global {p}dst, {p}src, 16, cache = cg, {p}size : !llvm.ptr<3>, !llvm.ptr<1>, i32""")
    return "".join(lines)


def stage_in(step, buffer, at):
    return (f"""
      %{at}stage = arith.muli {buffer}, %stageBytes : i32"""
            + copies("a", 4, "M", "K", "%m0", f"%{at}stage", step, at)
            + copies("b", 1, "N", "K", "%n0", f"%{at}stage", step, at)
            + """
      nvvm.cp.async.commit.group""")


def product_steps():
    """The four products of 16x8x16 of a stage."""
    lines, carried = [], "%acc"
    for s in range(DEPTH // 16):
        for name, count in (("a", 4), ("b", 2)):
            struct = "!llvm.struct<(" + ", ".join(["i32"] * count) + ")>"
            lines.append(f"""
        %{name}c{s} = arith.addi %{name}Chunk, %c{2 * s} : i32
        %{name}s{s} = arith.xori %{name}c{s}, %{name}Low : i32
        %{name}o{s} = arith.shli %{name}s{s}, %c4 : i32
        %{name}t{s} = arith.addi %{name}Line, %{name}o{s} : i32
        %{name}u{s} = arith.addi %{name}t{s}, %stage : i32
        %{name}p{s} = llvm.getelementptr %{name}s[%{name}u{s}] : (!llvm.ptr<3>, i32) -> !llvm.ptr<3>, i8
        %{name}r{s} = nvvm.ldmatrix %{name}p{s} {{layout = #nvvm.mma_layout<row>, num = {count} : i32,
          shape = #nvvm.ld_st_matrix_shape<m = 8, n = 8>, eltType = #nvvm.ld_st_matrix_elt_type<b16>}}
          : (!llvm.ptr<3>) -> {struct}""")
            for i in range(count):
                lines.append(f"""
        %{name}{s}_{i}i = llvm.extractvalue %{name}r{s}[{i}] : {struct}
        %{name}{s}_{i} = llvm.bitcast %{name}{s}_{i}i : i32 to vector<2xf16>""")
        for i in range(4):
            lines.append(f"""
        %c{s}_{i} = llvm.extractvalue {carried}[{i}] : !llvm.struct<(f32, f32, f32, f32)>""")
        lines.append(f"""
        %d{s} = nvvm.mma.sync A[%a{s}_0, %a{s}_1, %a{s}_2, %a{s}_3] B[%b{s}_0, %b{s}_1] C[%c{s}_0, %c{s}_1, %c{s}_2, %c{s}_3]
          {{layoutA = #nvvm.mma_layout<row>, layoutB = #nvvm.mma_layout<col>, shape = #nvvm.shape<m = 16, n = 8, k = 16>}}
          : (vector<2xf16>, vector<2xf16>, f32) -> !llvm.struct<(f32, f32, f32, f32)>""")
        carried = f"%d{s}"
    return "".join(lines), carried


def stores():
    lines = []
    for i in range(4):
        lines.append(f"""
      %w{i}r = arith.addi %rowOut, %c{8 * (i // 2)} : i32
      %w{i}n = arith.addi %columnOut, %c{i % 2} : i32
      %w{i}a = arith.cmpi ult, %w{i}r, %M : i32
      %w{i}b = arith.cmpi ult, %w{i}n, %N : i32
      %w{i}in = arith.andi %w{i}a, %w{i}b : i1
      scf.if %w{i}in {{
        %at = arith.muli %w{i}r, %N : i32
        %to = arith.addi %at, %w{i}n : i32
        %p = llvm.getelementptr %y[%to] : (!llvm.ptr, i32) -> !llvm.ptr, f32
        %v = llvm.extractvalue %sum[{i}] : !llvm.struct<(f32, f32, f32, f32)>
        llvm.store %v, %p : f32, !llvm.ptr
      }}""")
    return "".join(lines)


def gemm(m, n, k):
    """y[m, n] = a[m, k] * b[n, k]^T in f16 with sums in f32; k is a multiple of 8. Blocks of two warps have 32x8 of y, three
    stages of 64 columns in shared memory, whose chunks of 16 bytes are swizzled by the row."""
    products, last = product_steps()
    numbers = [0, 1, 2, 3, 4, 6, 7, 8, 15, 16, 31, 32, 64, 128, 192]
    constants = "".join(f"\n      %c{i} = arith.constant {i} : i32" for i in numbers)
    blocks_m, blocks_n, steps = -(-m // ROWS), -(-n // COLUMNS), -(-k // DEPTH)
    kernel = f"""
    llvm.mlir.global external @shared() {{addr_space = 3 : i32, alignment = 1024 : i64}} : !llvm.array<0 x i8>
    llvm.func @gemm(%a: !llvm.ptr {{llvm.noalias}}, %b: !llvm.ptr {{llvm.noalias}}, %y: !llvm.ptr {{llvm.noalias}})
        attributes {{gpu.kernel, nvvm.kernel}} {{{constants}
      %M = arith.constant {m} : i32
      %N = arith.constant {n} : i32
      %K = arith.constant {k} : i32
      %steps = arith.constant {steps} : i32
      %blocksN = arith.constant {blocks_n} : i32
      %stageBytes = arith.constant {STAGE_BYTES} : i32
      %tid = nvvm.read.ptx.sreg.tid.x : i32
      %block = nvvm.read.ptx.sreg.ctaid.x : i32
      %blockM = arith.divui %block, %blocksN : i32
      %blockN = arith.remui %block, %blocksN : i32
      %m0 = arith.muli %blockM, %c32 : i32
      %n0 = arith.muli %blockN, %c8 : i32
      %lane = arith.andi %tid, %c31 : i32
      %warp = arith.divui %tid, %c32 : i32
      %as = llvm.mlir.addressof @shared : !llvm.ptr<3>
      %bs = llvm.getelementptr %as[{A_BYTES}] : (!llvm.ptr<3>) -> !llvm.ptr<3>, i8
      %ag = llvm.addrspacecast %a : !llvm.ptr to !llvm.ptr<1>
      %bg = llvm.addrspacecast %b : !llvm.ptr to !llvm.ptr<1>
      // Where the lane's rows of the fragments are.
      %warpRow = arith.muli %warp, %c16 : i32
      %aInTile = arith.andi %lane, %c15 : i32
      %aRow = arith.addi %warpRow, %aInTile : i32
      %aChunk = arith.divui %lane, %c16 : i32
      %aLow = arith.andi %aRow, %c7 : i32
      %aLine = arith.shli %aRow, %c7 : i32
      %bLow = arith.andi %lane, %c7 : i32
      %bEight = arith.divui %lane, %c8 : i32
      %bChunk = arith.andi %bEight, %c1 : i32
      %bLine = arith.shli %bLow, %c7 : i32
      // Two stages are on their way before the first step.
      {stage_in("%c0", "%c0", "p0")}
      {stage_in("%c1", "%c1", "p1")}
      %zero = llvm.mlir.zero : !llvm.struct<(f32, f32, f32, f32)>
      %sum = scf.for %step = %c0 to %steps step %c1 iter_args(%acc = %zero) -> (!llvm.struct<(f32, f32, f32, f32)>) : i32 {{
        nvvm.cp.async.wait.group 1
        nvvm.barrier
        %next = arith.addi %step, %c2 : i32
        %nextBuffer = arith.remui %next, %c3 : i32
        {stage_in("%next", "%nextBuffer", "n")}
        %buffer = arith.remui %step, %c3 : i32
        %stage = arith.muli %buffer, %stageBytes : i32{products}
        scf.yield {last} : !llvm.struct<(f32, f32, f32, f32)>
      }}
      %group = arith.divui %lane, %c4 : i32
      %pair = arith.andi %lane, %c3 : i32
      %pair2 = arith.muli %pair, %c2 : i32
      %rowWarp = arith.addi %m0, %warpRow : i32
      %rowOut = arith.addi %rowWarp, %group : i32
      %columnOut = arith.addi %n0, %pair2 : i32{stores()}
      llvm.return
    }}"""
    return module([f"memref<{m}x{k}xf16>", f"memref<{n}x{k}xf16>", f"memref<{m}x{n}xf32>"], 2, blocks_m * blocks_n,
                  THREADS, STAGES * STAGE_BYTES, kernel, "gemm")


def rows(count, length):
    """y = x of the neighbour in each pair of elements / the sum of the row: a block of 128 threads for each row."""
    assert length <= 128
    kernel = f"""
    llvm.mlir.global internal @sums() {{addr_space = 3 : i32, alignment = 16 : i64}} : !llvm.array<8 x f32>
    llvm.mlir.global internal @values() {{addr_space = 3 : i32, alignment = 16 : i64}} : !llvm.array<128 x f32>
    llvm.func @rows(%x: !llvm.ptr, %y: !llvm.ptr) attributes {{gpu.kernel, nvvm.kernel}} {{
      %c0 = arith.constant 0 : i32
      %c1 = arith.constant 1 : i32
      %c4 = arith.constant 4 : i32
      %c31 = arith.constant 31 : i32
      %c32 = arith.constant 32 : i32
      %c64 = arith.constant 64 : i32
      %mask = arith.constant -1 : i32
      %zero = arith.constant 0.0 : f32
      %length = arith.constant {length} : i32
      %tid = nvvm.read.ptx.sreg.tid.x : i32
      %block = nvvm.read.ptx.sreg.ctaid.x : i32
      %lane = arith.andi %tid, %c31 : i32
      %warp = arith.divui %tid, %c32 : i32
      %begin = arith.muli %block, %length : i32
      %at = arith.addi %begin, %tid : i32
      %in = arith.cmpi ult, %tid, %length : i32
      %px = llvm.getelementptr %x[%at] : (!llvm.ptr, i32) -> !llvm.ptr, f32
      %v = scf.if %in -> f32 {{
        %loaded = llvm.load %px : !llvm.ptr -> f32
        scf.yield %loaded : f32
      }} else {{
        scf.yield %zero : f32
      }}
      %values = llvm.mlir.addressof @values : !llvm.ptr<3>
      %mine = llvm.getelementptr %values[%tid] : (!llvm.ptr<3>, i32) -> !llvm.ptr<3>, f32
      llvm.store %v, %mine : f32, !llvm.ptr<3>
      nvvm.bar.warp.sync %mask : i32
      %other = arith.xori %tid, %c1 : i32
      %theirs = llvm.getelementptr %values[%other] : (!llvm.ptr<3>, i32) -> !llvm.ptr<3>, f32
      %neighbour = llvm.load %theirs : !llvm.ptr<3> -> f32"""
    value = "%v"
    for distance in (16, 8, 4, 2, 1):
        kernel += f"""
      %d{distance} = arith.constant {distance} : i32
      %s{distance} = nvvm.shfl.sync bfly %mask, {value}, %d{distance}, %c31 : f32 -> f32
      %v{distance} = arith.addf {value}, %s{distance} : f32"""
        value = f"%v{distance}"
    kernel += f"""
      %sums = llvm.mlir.addressof @sums : !llvm.ptr<3>
      %first = arith.cmpi eq, %lane, %c0 : i32
      scf.if %first {{
        %place = llvm.getelementptr %sums[%warp] : (!llvm.ptr<3>, i32) -> !llvm.ptr<3>, f32
        llvm.store {value}, %place : f32, !llvm.ptr<3>
      }}
      nvvm.barrier
      %sum = scf.for %i = %c0 to %c4 step %c1 iter_args(%acc = %zero) -> (f32) : i32 {{
        %place = llvm.getelementptr %sums[%i] : (!llvm.ptr<3>, i32) -> !llvm.ptr<3>, f32
        %part = llvm.load %place : !llvm.ptr<3> -> f32
        %total = arith.addf %acc, %part : f32
        scf.yield %total : f32
      }}
      %quotient = arith.divf %neighbour, %sum : f32
      %py = llvm.getelementptr %y[%at] : (!llvm.ptr, i32) -> !llvm.ptr, f32
      scf.if %in {{
        llvm.store %quotient, %py : f32, !llvm.ptr
      }}
      llvm.return
    }}"""
    return module([f"memref<{count}x{length}xf32>"] * 2, 1, count, 128, 0, kernel, "rows")


def transposes(is_transposed):
    """y: the matrices of 8x8 of x[16, 16] in f16, each transposed or not, which go through shared memory twice."""
    layout = "col" if is_transposed else "row"
    kernel = f"""
    llvm.mlir.global internal @in() {{addr_space = 3 : i32, alignment = 16 : i64}} : !llvm.array<512 x i8>
    llvm.mlir.global internal @out() {{addr_space = 3 : i32, alignment = 16 : i64}} : !llvm.array<512 x i8>
    llvm.func @transposes(%x: !llvm.ptr, %y: !llvm.ptr) attributes {{gpu.kernel, nvvm.kernel}} {{
      %all = arith.constant -1 : i32
      %c4 = arith.constant 4 : i32
      %c15 = arith.constant 15 : i32
      %c16 = arith.constant 16 : i32
      %c32 = arith.constant 32 : i32
      %lane = nvvm.read.ptx.sreg.tid.x : i32
      %at = arith.muli %lane, %c16 : i32
      %in = llvm.mlir.addressof @in : !llvm.ptr<3>
      %out = llvm.mlir.addressof @out : !llvm.ptr<3>
      %px = llvm.getelementptr %x[%at] : (!llvm.ptr, i32) -> !llvm.ptr, i8
      %v = llvm.load %px {{alignment = 16 : i64}} : !llvm.ptr -> vector<4xi32>
      %pin = llvm.getelementptr %in[%at] : (!llvm.ptr<3>, i32) -> !llvm.ptr<3>, i8
      llvm.store %v, %pin {{alignment = 16 : i64}} : vector<4xi32>, !llvm.ptr<3>
      nvvm.bar.warp.sync %all : i32
      %row = arith.andi %lane, %c15 : i32
      %half = arith.shrui %lane, %c4 : i32
      %line = arith.muli %row, %c32 : i32
      %column = arith.muli %half, %c16 : i32
      %place = arith.addi %line, %column : i32
      %from = llvm.getelementptr %in[%place] : (!llvm.ptr<3>, i32) -> !llvm.ptr<3>, i8
      %m = nvvm.ldmatrix %from {{layout = #nvvm.mma_layout<{layout}>, num = 4 : i32,
        shape = #nvvm.ld_st_matrix_shape<m = 8, n = 8>, eltType = #nvvm.ld_st_matrix_elt_type<b16>}}
        : (!llvm.ptr<3>) -> !llvm.struct<(i32, i32, i32, i32)>
      %m0 = llvm.extractvalue %m[0] : !llvm.struct<(i32, i32, i32, i32)>
      %m1 = llvm.extractvalue %m[1] : !llvm.struct<(i32, i32, i32, i32)>
      %m2 = llvm.extractvalue %m[2] : !llvm.struct<(i32, i32, i32, i32)>
      %m3 = llvm.extractvalue %m[3] : !llvm.struct<(i32, i32, i32, i32)>
      %to = llvm.getelementptr %out[%place] : (!llvm.ptr<3>, i32) -> !llvm.ptr<3>, i8
      nvvm.stmatrix %to, %m0, %m1, %m2, %m3 {{layout = #nvvm.mma_layout<row>,
        shape = #nvvm.ld_st_matrix_shape<m = 8, n = 8>, eltType = #nvvm.ld_st_matrix_elt_type<b16>}}
        : !llvm.ptr<3>, i32, i32, i32, i32
      nvvm.bar.warp.sync %all : i32
      %pout = llvm.getelementptr %out[%at] : (!llvm.ptr<3>, i32) -> !llvm.ptr<3>, i8
      %w = llvm.load %pout {{alignment = 16 : i64}} : !llvm.ptr<3> -> vector<4xi32>
      %py = llvm.getelementptr %y[%at] : (!llvm.ptr, i32) -> !llvm.ptr, i8
      llvm.store %w, %py {{alignment = 16 : i64}} : vector<4xi32>, !llvm.ptr
      llvm.return
    }}"""
    return module(["memref<16x16xf16>"] * 2, 1, 1, 32, 0, kernel, "transposes")


PRODUCTS = {
    # Type of the factors and how it is written in PTX, elements of a register, depth, type of the sums.
    "f16 k16": ("f16", 2, 16, "f32"), "f16 k8": ("f16", 2, 8, "f32"), "f16 k16 sums f16": ("f16", 2, 16, "f16"),
    "bf16 k16": ("bf16", 2, 16, "f32"), "bf16 k8": ("bf16", 2, 8, "f32"), "tf32 k8": ("tf32", 1, 8, "f32"),
    "tf32 k4": ("tf32", 1, 4, "f32"), "s8 k32": ("s8", 4, 32, "i32"), "s8 k16": ("s8", 4, 16, "i32"),
    "u8 k32": ("u8", 4, 32, "i32"),
}


def product(name):
    """y[16, 8] = a[16, k] * b[8, k]^T + c[16, 8] in one instruction, whose registers are loaded as PTX says. Elements of a
    and b are in registers of 32 bits."""
    element, per, depth, sums = PRODUCTS[name]
    width, num_b = depth // per, depth // (4 * per)
    lines = []

    def load(value, base, index, kind):
        lines.append(f"""
      %p{value} = llvm.getelementptr %{base}[{index}] : (!llvm.ptr, i32) -> !llvm.ptr, i32
      %{value} = llvm.load %p{value} : !llvm.ptr -> {kind}""")

    def at(value, row, columns, column):
        lines.append(f"""
      %w{value} = arith.constant {columns} : i32
      %r{value} = arith.muli {row}, %w{value} : i32
      %i{value} = arith.addi %r{value}, {column} : i32""")

    factor = "vector<2xf16>" if element == "f16" else "i32"
    for i in range(num_b):
        lines.append(f"""
      %k{i} = arith.addi %position, %c{4 * i} : i32""")
    for i in range(2 * num_b):
        at(f"a{i}", "%group" if i % 2 == 0 else "%below", width, f"%k{i // 2}")
        load(f"a{i}", "a", f"%ia{i}", factor)
    for i in range(num_b):
        at(f"b{i}", "%group", width, f"%k{i}")
        load(f"b{i}", "b", f"%ib{i}", factor)
    halves = sums == "f16"
    count, total, columns = (2, "vector<2xf16>", 4) if halves else (4, sums, 8)
    for i in range(count):
        row = "%group" if (i if halves else i // 2) == 0 else "%below"
        # Two sums of f16 are one register, others one each.
        at(f"s{i}", row, columns, "%position" if halves else "%odd" if i % 2 else "%twice")
        load(f"s{i}", "c", f"%is{i}", total)
    struct = "!llvm.struct<(" + ", ".join([total] * count) + ")>"
    types = "" if element == "f16" else f"""multiplicandAPtxType = #nvvm.mma_type<{element}>,
        multiplicandBPtxType = #nvvm.mma_type<{element}>, """
    overflow = "intOverflowBehavior = #nvvm.mma_int_overflow<wrapped>, " if sums == "i32" else ""
    names = {which: ", ".join(f"%{which}{i}" for i in range(n))
             for which, n in (("a", 2 * num_b), ("b", num_b), ("s", count))}
    lines.append(f"""
      %d = nvvm.mma.sync A[{names["a"]}] B[{names["b"]}] C[{names["s"]}]
        {{layoutA = #nvvm.mma_layout<row>, layoutB = #nvvm.mma_layout<col>, {types}{overflow}
         shape = #nvvm.shape<m = 16, n = 8, k = {depth}>}} : ({factor}, {factor}, {total}) -> {struct}""")
    for i in range(count):
        lines.append(f"""
      %d{i} = llvm.extractvalue %d[{i}] : {struct}
      %py{i} = llvm.getelementptr %y[%is{i}] : (!llvm.ptr, i32) -> !llvm.ptr, i32
      llvm.store %d{i}, %py{i} : {total}, !llvm.ptr""")
    body = "".join(lines)
    kernel = f"""
    llvm.func @product(%a: !llvm.ptr, %b: !llvm.ptr, %c: !llvm.ptr, %y: !llvm.ptr) attributes {{gpu.kernel, nvvm.kernel}} {{
      %c0 = arith.constant 0 : i32
      %c1 = arith.constant 1 : i32
      %c2 = arith.constant 2 : i32
      %c4 = arith.constant 4 : i32
      %c8 = arith.constant 8 : i32
      %lane = nvvm.read.ptx.sreg.tid.x : i32
      %group = arith.divui %lane, %c4 : i32
      %below = arith.addi %group, %c8 : i32
      %position = arith.remui %lane, %c4 : i32
      %twice = arith.muli %position, %c2 : i32
      %odd = arith.addi %twice, %c1 : i32{body}
      llvm.return
    }}"""
    accumulators = "memref<16x8xf16>" if halves else f"memref<16x8x{sums}>"
    return module([f"memref<16x{width}xi32>", f"memref<8x{width}xi32>", accumulators, accumulators], 3, 1, 32, 0, kernel,
                  "product")
