//===- Passes.td - lowering passes ----------------------------*- tablegen -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file defines the passes that lower graphs to kernels and kernels to
// loops.

#ifndef GRAVEN_PASSES_LOWER_PASSES_TD
#define GRAVEN_PASSES_LOWER_PASSES_TD

include "mlir/Pass/PassBase.td"

/// What of a TargetInfo decides code (optionsOf and targetOf in TargetOptions.h).
defvar targetOptions = [
  Option<"vectorBytes", "vector-bytes", "int64_t", /*default=*/"64", "Bytes of a vector register">,
  Option<"vectorRegisters", "vector-registers", "int64_t", /*default=*/"32", "Vector registers">,
  Option<"fma", "fma", "bool", /*default=*/"true", "Whether the target has a fused multiply-add">,
  Option<"l2Bytes", "l2-bytes", "int64_t", /*default=*/"1 << 20", "Bytes of the second level cache">,
  Option<"bf16Dot", "bf16-dot", "bool", /*default=*/"false", "Whether the target multiplies pairs of bf16">,
  Option<"f16Convert", "f16-convert", "bool", /*default=*/"true", "Whether the target widens vectors of f16">,
  Option<"processor", "processor", "::graven::Processor", /*default=*/"::graven::Processor::CPU",
         "What runs the kernels", [{::llvm::cl::values(
           clEnumValN(::graven::Processor::CPU, "cpu", "few fast threads"),
           clEnumValN(::graven::Processor::GPU, "gpu", "blocks of many threads, and tensor cores"))}]>,
];

def OutlineKernels : Pass<"graven-outline-kernels", "::mlir::ModuleOp"> {
  let summary = "move each kernel to a function of its own";
  let description = [{
    Every kernel on memrefs (an operation of the `kernel` dialect, a linalg
    operation, a `memref.copy`) moves to a private function with the attribute
    `kernel.entry` that takes the operands and a range of units of work; a
    `kernel.launch` with the number of units takes its place. Equal kernels
    share one function. A value used twice is passed once. Constants move along,
    and so do views with strides or an offset: what is passed is a contiguous
    memref, whose views the kernel takes itself. But a dense part of a buffer
    that is a view at a constant place becomes a view at another place, if it is
    aligned to 64 bytes and the kernels on it see no other part of the buffer: so
    kernels are equal wherever in their buffers they work.
    Small fills of parts of one buffer that follow each other, as those around an
    image do, are one kernel.

    ```mlir
    linalg.fill ins(%cst : f32) outs(%out : memref<4xf32>)
    ```
    ==>
    ```mlir
    kernel.launch @k_0(%out : memref<4xf32>) tasks(1)

    func.func private @k_0(%out: memref<4xf32>, %lo: index, %hi: index)
        attributes {kernel.entry} {
      %cst = arith.constant 0.0 : f32
      linalg.fill ins(%cst : f32) outs(%out : memref<4xf32>)
      return
    }
    ```

    Preconditions: the kernels are on memrefs of static shape; different operand
    memrefs of a kernel do not overlap. Kernels in functions that have
    `kernel.entry` already stay where they are. Kernels inside the region of a
    kernel are not possible.
  }];
  let dependentDialects = ["::graven::kernel::KernelDialect", "::mlir::func::FuncDialect"];
  let statistics = [
    Statistic<"numPlaced", "placed", "Number of parts of buffers made buffers">,
    Statistic<"numLaunches", "launches", "Number of kernels outlined">,
    Statistic<"numKernels", "kernels", "Number of distinct kernel functions made">,
  ];
}

def ExpandKernels : Pass<"graven-expand-kernels", "::mlir::func::FuncOp"> {
  let summary = "expand the kernel of an outlined function to loops";
  let description = [{
    In a function with the attribute `kernel.entry`, the kernel becomes scf loops
    over vector, memref and arith operations that run the units of work of the
    function's last two arguments.

    ```mlir
    func.func private @k_0(%a: memref<65536xf32>, %out: memref<65536xf32>, %lo: index, %hi: index)
        attributes {kernel.entry} {
      memref.copy %a, %out : memref<65536xf32> to memref<65536xf32>
      return
    }
    ```
    ==>
    ```mlir
    func.func private @k_0(%a: memref<65536xf32>, %out: memref<65536xf32>, %lo: index, %hi: index)
        attributes {kernel.entry} {
      scf.for %task = %lo to %hi step %c1 {
        ...
        scf.for %i = %first to %last step %c1 {
          %v = memref.load %a[%i] : memref<65536xf32>
          memref.store %v, %out[%i] : memref<65536xf32>
        }
      }
      return
    }
    ```

    Preconditions: operands have static shapes and strides. Functions without
    `kernel.entry` do not change.
  }];
  let dependentDialects = [
    "::mlir::arith::ArithDialect", "::mlir::math::MathDialect", "::mlir::memref::MemRefDialect",
    "::mlir::LLVM::LLVMDialect",
    "::mlir::scf::SCFDialect", "::mlir::vector::VectorDialect",
  ];
  let options = targetOptions;
  let statistics = [Statistic<"numExpanded", "expanded", "Number of kernels expanded">];
}

def GravenToKernel : Pass<"graven-to-kernel", "::mlir::ModuleOp"> {
  let summary = "lower a graph to kernel and linalg ops on tensors";
  let description = [{
    Each `graven.graph` becomes a `func.func` whose arguments are the inputs and
    then the Parameters it reads (marked `graven.param`). Contractions, pools and
    norms become `kernel` operations with their tile chosen, everything else
    linalg operations and views. Checks of indices, and of the number of slices a
    loop stacks, become one more result, marked `graven.status`: non-zero when
    the run failed; those inside `if` and `loop` are carried out of them. Tensors
    without elements are not computed, and are tensor<0x..> as arguments and
    results.

    ```mlir
    graven.graph @forward(%x: tensor<4xf32>) -> tensor<4xf32> {
      %0 = graven.relu %x : tensor<4xf32>
      graven.return %0 : tensor<4xf32>
    }
    ```
    ==>
    ```mlir
    func.func @forward(%x: tensor<4xf32>) -> tensor<4xf32> {
      %zero = arith.constant 0.0 : f32
      %empty = tensor.empty() : tensor<4xf32>
      %0 = linalg.generic {..} ins(%x) outs(%empty) {
      ^bb0(%e: f32, %out: f32):
        %m = arith.maximumf %e, %zero : f32
        linalg.yield %m : f32
      } -> tensor<4xf32>
      return %0 : tensor<4xf32>
    }
    ```

    Preconditions: every extent is static (otherwise GRV0207 at the Node); calls
    are inlined. A Node that has no native code is GRV0202. Unsigned types become
    signless. Does not choose layouts.
  }];
  let dependentDialects = [
    "::graven::kernel::KernelDialect", "::mlir::arith::ArithDialect", "::mlir::func::FuncDialect",
    "::mlir::linalg::LinalgDialect", "::mlir::math::MathDialect", "::mlir::scf::SCFDialect",
    "::mlir::tensor::TensorDialect",
  ];
  let options = targetOptions;
}

def FoldKernelCasts : Pass<"graven-fold-kernel-casts", "::mlir::func::FuncOp"> {
  let summary = "convert f16 and bf16 where kernels load and store";
  let description = [{
    Tensors that are converted from or to f16 or bf16 around a kernel are read and
    written narrow by the kernel itself: a nest that widens an operand, one that
    rounds the only use of a result, and either of them in front of a
    `kernel.pack`, whose panels become narrow. Reshapes between them stay.

    ```mlir
    %w = linalg.generic {..} ins(%x : tensor<4x8xbf16>) { arith.extf .. } -> tensor<4x8xf32>
    %s = kernel.softmax ins(%w : tensor<4x8xf32>) outs(%e : tensor<4x8xf32>) -> tensor<4x8xf32>
    %r = linalg.generic {..} ins(%s : tensor<4x8xf32>) { arith.truncf .. } -> tensor<4x8xbf16>
    ```
    ==>
    ```mlir
    %r = kernel.softmax ins(%x : tensor<4x8xbf16>) outs(%n : tensor<4x8xbf16>) -> tensor<4x8xbf16>
    ```

    Preconditions: on tensors, and the kernel takes operands of types of their own.
    The left-hand side of `kernel.gemm` and the input of `kernel.conv` stay wide:
    an element of theirs is loaded for each multiplication. Without `f16-convert`, f16
    panels are not made: the target has no instruction that widens them. Softmax
    rounds its exponentials once more before they are divided.
  }];
  let dependentDialects = ["::graven::kernel::KernelDialect", "::mlir::tensor::TensorDialect"];
  let options = targetOptions;
  let statistics = [Statistic<"numFolded", "folded", "Number of conversions folded into kernels">];
}

def HoistPrepare : Pass<"graven-hoist-prepare", "::mlir::ModuleOp"> {
  let summary = "move work on Parameters alone to @prepare";
  let description = [{
    What in `@forward` depends on Parameters and constants alone moves to a
    function `@prepare` that takes the Parameters and returns the packed tensors
    that `@forward` reads. `@forward` reads them with `kernel.weight` at byte
    offsets (multiples of 64) in the order of their first use; `@prepare` lists
    the offsets in `graven.offsets`.

    ```mlir
    func.func @forward(%x: tensor<4xf32>, %w: tensor<4xf32> {graven.param = "w"}) -> tensor<4xf32> {
      %e = tensor.empty() : tensor<4xf32>
      %n = linalg.negf ins(%w : tensor<4xf32>) outs(%e : tensor<4xf32>) -> tensor<4xf32>
      %y = linalg.add ins(%x, %n : tensor<4xf32>, tensor<4xf32>) outs(%e : tensor<4xf32>) -> tensor<4xf32>
      return %y : tensor<4xf32>
    }
    ```
    ==>
    ```mlir
    func.func @prepare(%w: tensor<4xf32> {graven.param = "w"}) -> tensor<4xf32>
        attributes {graven.offsets = array<i64: 0>} {
      %e = tensor.empty() : tensor<4xf32>
      %n = linalg.negf ins(%w : tensor<4xf32>) outs(%e : tensor<4xf32>) -> tensor<4xf32>
      return %n : tensor<4xf32>
    }
    func.func @forward(%x: tensor<4xf32>) -> tensor<4xf32> attributes {graven.weights_size = 64 : i64} {
      %n = kernel.weight {offset = 0 : i64} : tensor<4xf32>
      ...
    }
    ```

    Where there is a `@prepare` from the graph phase, its operations come first
    in the new one, and what they give takes the place of the Parameters that
    `@forward` read it as.

    Preconditions: a function `@forward` of one block. Operations with effects
    stay; constants are not Parameters and stay too. So do loops whose condition
    is computed (`scf.while`), and those of more than 2^24 or an unknown number
    of trips: nobody knows that they end, and a compile has to.
  }];
  let dependentDialects = ["::graven::kernel::KernelDialect", "::mlir::func::FuncDialect"];
  let statistics = [
    Statistic<"numHoisted", "hoisted", "Number of operations moved to @prepare">,
    Statistic<"numWeights", "weights", "Number of tensors in the weights blob">,
  ];
}

def SplitStages : Pass<"graven-split-stages", "::mlir::func::FuncOp"> {
  let summary = "split Winograd's convolutions, Strassen's products and recurrences into stages";
  let description = [{
    A `kernel.winograd` or `kernel.strassen` on memrefs becomes its two stages, one
    after the other for each block of tiles or rows: what the first makes of a block
    is multiplied while it is in the cache, and each stage is shared out among the
    threads.

    ```mlir
    kernel.winograd ins(%x, %w : ...) outs(%out, %scratch : ...) attributes {block = 28, ...}
    ```
    ==>
    ```mlir
    scf.for %i = %c0 to %c7 step %c1 {
      kernel.winograd_input ins(%x : ...) block(%i) outs(%scratch : ...) {block = 28, ...}
      kernel.winograd_output ins(%w : ...) block(%i) outs(%out, %scratch : ...) attributes {block = 28, ...}
    }
    ```

    A `kernel.recurrence` becomes, for each direction in turn, a loop over its steps, the
    units of each shared out among the threads:
    ```mlir
    memref.copy %initial[0], %scratch[0]
    scf.for %t = %c0 to %c64 step %c1 {
      kernel.recurrence_step ins(%x, %r : ...) direction(%c0) position(%t) outs(%y, %scratch : ...)
    }
    memref.copy %scratch[0], %last[0]
    ```

    Preconditions: the operation is on memrefs. One on tensors does not change.
  }];
  let dependentDialects = ["::graven::kernel::KernelDialect", "::mlir::arith::ArithDialect",
                           "::mlir::memref::MemRefDialect", "::mlir::scf::SCFDialect"];
  let statistics = [Statistic<"numSplit", "split", "Number of kernels split">];
}

def ReturnStatus : Pass<"graven-return-status", "::mlir::func::FuncOp"> {
  let summary = "make the status of a run the result of the function";
  let description = [{
    The output marked `graven.status` (bit 0: an index was out of range; bit 1: a loop
    stacked another number of slices than its type says) moves to
    the end of the workspace, and the function returns a status of the runtime.

    ```mlir
    func.func @forward(%x: memref<4xf32>, %s: memref<1xi32> {graven.status}, %w: memref<64xi8>, %p: memref<0xi8>)
    ```
    ==>
    ```mlir
    func.func @forward(%x: memref<4xf32>, %w: memref<128xi8>, %p: memref<0xi8>) -> i32
    ```

    Preconditions: the buffer phase has run. A function without a status does
    not change.
  }];
  let dependentDialects = ["::mlir::arith::ArithDialect", "::mlir::memref::MemRefDialect"];
  let statistics = [Statistic<"numStatuses", "statuses", "Number of functions that return a status">];
}

def RetileKernels : Pass<"graven-retile-kernels", "::mlir::func::FuncOp"> {
  let summary = "give kernels that were made for wider vectors the register tiles of a target";
  let description = [{
    An artifact for several CPUs has one copy of the weights, in panels for its
    widest vectors. Rows and pixels of a register tile are chosen again for
    another CPU, whose kernels work off a panel in parts: an expander takes as
    many vectors of a panel side by side as leave room for that many rows.

    ```mlir
    kernel.gemm ins(%a, %b : memref<1x128x768xf32>, memref<1x24x768x32xf32>)
        outs(%out : memref<1x128x768xf32>) attributes {mr = 14 : i64, kc = 384 : i64}
    ```
    ==> with vector-bytes=32 vector-registers=16
    ```mlir
    kernel.gemm ins(%a, %b : memref<1x128x768xf32>, memref<1x24x768x32xf32>)
        outs(%out : memref<1x128x768xf32>) attributes {mr = 6 : i64, kc = 384 : i64}
    ```

    Preconditions: none. It changes neither operands nor units of work of
    kernels, and no results but for the rounding of sums.
  }];
  let options = targetOptions;
  let statistics = [Statistic<"numRetiled", "retiled", "Number of kernels with other tiles">];
}

def ApplyTuning : Pass<"graven-apply-tuning", "::mlir::func::FuncOp"> {
  let summary = "give kernels the tiles that were measured to be faster";
  let description = [{
    The cost model chooses tiles by counting. A tuning database has those that
    measuring found to be faster, by CPU and signature of the kernel: its
    operation, the shapes of its operands and its attributes but for the tiles.
    Kernels on memrefs that it knows get them: the rows and columns of register
    tiles, and the rows of a convolution's unit of work.

    ```mlir
    kernel.gemm ins(%a, %b : memref<1x128x768xf32>, memref<1x48x768x16xf32>)
        outs(%out : memref<1x128x768xf32>) attributes {mr = 6 : i64, kc = 384 : i64}
    ```
    ==> with a database that has the line
    `znver3 gemm/1x128x768xf32/1x48x768x16xf32/1x128x768xf32/kc=384 5`
    ```mlir
    kernel.gemm ins(%a, %b : memref<1x128x768xf32>, memref<1x48x768x16xf32>)
        outs(%out : memref<1x128x768xf32>) attributes {mr = 5 : i64, kc = 384 : i64}
    ```

    Preconditions: the tiles of an entry fit the registers of the target and the
    extents of the kernel; others are refused with a warning (GRV0009), as is a
    file that is damaged. It changes neither operands of kernels nor their
    layouts, and no results but for the rounding of sums.
  }];
  let options = !listconcat(targetOptions, [
    Option<"cpu", "cpu", "std::string", /*default=*/"", "The CPU whose entries apply">,
    Option<"file", "file", "std::string", /*default=*/"", "The database">,
  ]);
  let statistics = [
    Statistic<"numTuned", "tuned", "Number of kernels with tiles from the database">,
    Statistic<"numRefused", "refused", "Number of kernels for which it has tiles that they cannot have">,
  ];
}

def CommonPanels : Pass<"graven-common-panels", "::mlir::func::FuncOp"> {
  let summary = "pack constant right-hand sides alike for any number of rows";
  let description = [{
    How wide the best panels of a product are depends on its rows. Where one
    model is compiled for several sizes, panels get a width that follows from
    the columns alone, so that all sizes read one copy of the weights; the
    register tile then takes as many vectors of a panel side by side as are best
    for it.

    ```mlir
    %p = kernel.pack ins(%w : tensor<1x768x768xf32>) outs(%i : tensor<1x48x768x16xf32>) -> tensor<1x48x768x16xf32>
    %r = kernel.gemm ins(%a, %p : ...) outs(%o : ...) attributes {mr = 14 : i64, kc = 384 : i64} -> ...
    ```
    ==> with vector-bytes=32 vector-registers=16
    ```mlir
    %p = kernel.pack ins(%w : tensor<1x768x768xf32>) outs(%i : tensor<1x24x768x32xf32>) -> tensor<1x24x768x32xf32>
    %r = kernel.gemm ins(%a, %p : ...) outs(%o : ...) attributes {mr = 6 : i64, kc = 384 : i64} -> ...
    ```

    Preconditions: the right-hand side is packed by a kernel.pack of what follows
    from Parameters alone. What is packed in each run keeps its panels.
  }];
  let options = targetOptions;
  let dependentDialects = ["::mlir::tensor::TensorDialect"];
  let statistics = [Statistic<"numRepacked", "repacked", "Number of products with other panels">];
}

def FoldInputScale : Pass<"graven-fold-input-scale", "::mlir::func::FuncOp"> {
  let summary = "multiply the weights of a convolution instead of its input";
  let description = [{
    A squeeze-and-excitation block multiplies each channel of an image before a
    convolution of few weights: the factor is multiplied to the weights, which are in
    the cache, and the image is read and written once less.

    ```mlir
    %y = linalg.generic {...} ins(%x, %s : tensor<1x8x28x28x16xf32>, tensor<1x8x1x1x16xf32>) { x * s }
    %z = kernel.conv ins(%y, %w : tensor<1x8x28x28x16xf32>, tensor<3x8x1x1x16x16xf32>) ...
    ```
    ==>
    ```mlir
    %v = linalg.generic {...} ins(%w, %s : tensor<3x8x1x1x16x16xf32>, tensor<1x8x1x1x16xf32>) { w * s }
    %z = kernel.conv ins(%x, %v : tensor<1x8x28x28x16xf32>, tensor<3x8x1x1x16x16xf32>) ...
    ```

    Preconditions: one image; no groups; one element type; the product has one user, the
    convolution, and nothing else in its region; the weights are at most a quarter
    of the elements of the image. Runs on tensors, after what depends on Parameters alone has
    left @forward. Products are rounded as often as before, in another order.

    Not for padded inputs, depthwise or Winograd convolutions.
  }];
  let statistics = [Statistic<"numFolded", "folded", "Number of factors multiplied to weights">];
}

def FuseElementwise : Pass<"graven-fuse-elementwise", "::mlir::func::FuncOp"> {
  let summary = "make one pass over memory of elementwise nests, up to a size";
  let description = [{
    MLIR's fusion of elementwise linalg operations, with what it needs around it, where the nest that comes of it has at
    most `max-operands` operands and `max-operations` operations. Without the first limit a sum of thousands of tensors
    became one nest, which read from more places at once than a CPU can follow. Each fusion copies both bodies, so
    without the second a chain of thousands takes time by the square of its length.

    ```mlir
    %0 = linalg.generic {...} ins(%x, %y : tensor<8xf32>, tensor<8xf32>) { x + y }
    %1 = linalg.generic {...} ins(%0, %z : tensor<8xf32>, tensor<8xf32>) { 0 * z }
    ```
    ==>
    ```mlir
    %1 = linalg.generic {...} ins(%x, %y, %z : tensor<8xf32>, tensor<8xf32>, tensor<8xf32>) { (x + y) * z }
    ```

    Preconditions: the first one has one user. Reshapes between the two are moved where that lets them meet.
  }];
  let options = [Option<"maxOperands", "max-operands", "unsigned", "32",
                        "most operands of a nest that is fused">,
                 Option<"maxOperations", "max-operations", "unsigned", "256",
                        "most operations on elements of a nest that is fused">];
  let dependentDialects = [
    "::mlir::affine::AffineDialect", "::mlir::linalg::LinalgDialect", "::mlir::tensor::TensorDialect",
  ];
}

#endif // GRAVEN_PASSES_LOWER_PASSES_TD
