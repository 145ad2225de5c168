// RUN: graven-opt %s --graven-apply-tuning="vector-bytes=32 vector-registers=16 cpu=znver3 file=%S/Inputs/tiles.db" 2>%t.err | FileCheck %s --check-prefixes=CHECK,TUNED
// RUN: FileCheck %s --check-prefix=REFUSED --input-file=%t.err
// RUN: graven-opt %s --graven-apply-tuning="vector-bytes=32 vector-registers=16 cpu=znver5 file=%S/Inputs/tiles.db" | FileCheck %s --check-prefixes=CHECK,MODEL
// RUN: graven-opt %s --graven-apply-tuning="cpu=znver3 file=%S/Inputs/damaged.db" 2>%t.err | FileCheck %s --check-prefixes=CHECK,MODEL
// RUN: FileCheck %s --check-prefix=DAMAGED --input-file=%t.err
// RUN: not graven-opt %s --graven-apply-tuning="cpu=znver3 file=%t.none" 2>&1 | FileCheck %s --check-prefix=MISSING

// REFUSED: warning: {{.*}}the tuning database has tiles for znver3 and gemm/1x128x768xf32/1x24x768x32xf32/1x128x768xf32/kc=384 that it cannot have; they are not used
// REFUSED-NOT: warning
// DAMAGED: warning: {{.*}}the tuning database '{{.*}}damaged.db' is not used: line 7 has the hash 00000000000000000000000000000000, expected
// MISSING: error: {{.*}}cannot read '{{.*}}none'

// CHECK-LABEL: @gemm
// TUNED: kernel.gemm {{.*}}mr = 5
// MODEL: kernel.gemm {{.*}}mr = 6
func.func @gemm(%a: memref<1x128x768xf32>, %b: memref<1x48x768x16xf32>, %out: memref<1x128x768xf32>) {
  kernel.gemm ins(%a, %b : memref<1x128x768xf32>, memref<1x48x768x16xf32>) outs(%out : memref<1x128x768xf32>)
      attributes {mr = 6 : i64, kc = 384 : i64}
  return
}

// CHECK-LABEL: @conv
// TUNED: kernel.conv {{.*}}row_block = 14 : i64, {{.*}}tile = array<i64: 2, 3>
// MODEL: kernel.conv {{.*}}row_block = 28 : i64, {{.*}}tile = array<i64: 1, 6>
func.func @conv(%x: memref<1x4x30x32x16xf32>, %w: memref<4x4x3x3x16x16xf32>, %out: memref<1x4x28x30x16xf32>) {
  kernel.conv ins(%x, %w : memref<1x4x30x32x16xf32>, memref<4x4x3x3x16x16xf32>) outs(%out : memref<1x4x28x30x16xf32>)
      attributes {in_channels = 64 : i64, out_channels = 64 : i64, strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>,
                  tile = array<i64: 1, 6>, row_block = 28 : i64}
  return
}

// CHECK-LABEL: @depthwise
// TUNED: kernel.depthwise {{.*}}tile = array<i64: 2, 4>
// MODEL: kernel.depthwise {{.*}}tile = array<i64: 1, 8>
func.func @depthwise(%x: memref<1x4x30x32x16xf32>, %w: memref<4x3x3x16xf32>, %out: memref<1x4x28x30x16xf32>) {
  kernel.depthwise ins(%x, %w : memref<1x4x30x32x16xf32>, memref<4x3x3x16xf32>) outs(%out : memref<1x4x28x30x16xf32>)
      attributes {channels = 64 : i64, strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>, tile = array<i64: 1, 8>}
  return
}

// 99 rows have no registers.
// CHECK-LABEL: @illegal
// CHECK: kernel.gemm {{.*}}mr = 6
func.func @illegal(%a: memref<1x128x768xf32>, %b: memref<1x24x768x32xf32>, %out: memref<1x128x768xf32>) {
  kernel.gemm ins(%a, %b : memref<1x128x768xf32>, memref<1x24x768x32xf32>) outs(%out : memref<1x128x768xf32>)
      attributes {mr = 6 : i64, kc = 384 : i64}
  return
}
