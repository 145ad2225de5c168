// RUN: %graven-opt %s --graven-outline-kernels | FileCheck %s

#id = affine_map<(i) -> (i)>

// CHECK-LABEL: func.func @forward
// CHECK-SAME: %[[A:.*]]: memref<65536xf32>, %[[B:.*]]: memref<65536xf32>, %[[C:.*]]: memref<64xf32>
func.func @forward(%a: memref<65536xf32>, %b: memref<65536xf32>, %c: memref<64xf32>) {
  %two = arith.constant 2.0 : f32
  %three = arith.constant 3.0 : f32
  // Equal kernels share a function, whatever their operands.
  // CHECK: kernel.launch @k_0(%[[A]], %[[B]] : memref<65536xf32>, memref<65536xf32>) tasks(4)
  // CHECK-SAME: {bytes = 524288 : i64, kind = "memref.copy", multiply_adds = 0 : i64}
  // CHECK: kernel.launch @k_0(%[[B]], %[[A]] : memref<65536xf32>, memref<65536xf32>) tasks(4)
  memref.copy %a, %b : memref<65536xf32> to memref<65536xf32>
  memref.copy %b, %a : memref<65536xf32> to memref<65536xf32>
  // A constant moves along, and makes another kernel.
  // CHECK: kernel.launch @k_1(%[[C]] : memref<64xf32>) tasks(1)
  // CHECK: kernel.launch @k_2(%[[C]] : memref<64xf32>) tasks(1)
  linalg.fill ins(%two : f32) outs(%c : memref<64xf32>)
  linalg.fill ins(%three : f32) outs(%c : memref<64xf32>)
  // A buffer that is used twice is passed once.
  // CHECK: kernel.launch @k_3(%[[A]] : memref<65536xf32>) tasks(4)
  linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel"]} ins(%a : memref<65536xf32>) outs(%a : memref<65536xf32>) {
  ^bb0(%x: f32, %y: f32):
    %0 = arith.addf %x, %two : f32
    linalg.yield %0 : f32
  }
  // A buffer that the region reads is an operand.
  // CHECK: kernel.launch @k_4(%[[C]], %[[A]] : memref<64xf32>, memref<65536xf32>) tasks(1)
  linalg.generic {indexing_maps = [#id], iterator_types = ["parallel"]} outs(%c : memref<64xf32>) {
  ^bb0(%y: f32):
    %i = linalg.index 0 : index
    %0 = memref.load %a[%i] : memref<65536xf32>
    linalg.yield %0 : f32
  }
  return
}

// CHECK-LABEL: func.func @loop
func.func @loop(%c: memref<64xf32>, %n: index) {
  %zero = arith.constant 0 : index
  %one = arith.constant 1 : index
  %two = arith.constant 2.0 : f32
  // CHECK: scf.for
  // CHECK: kernel.launch @k_1
  scf.for %i = %zero to %n step %one {
    linalg.fill ins(%two : f32) outs(%c : memref<64xf32>)
  }
  return
}

// A view with strides is taken by the kernel; only its offset is passed.
// CHECK-LABEL: func.func @views
// CHECK-SAME: %[[A:.*]]: memref<8x64xf32>, %[[B:.*]]: memref<4x16xf32>, %[[I:.*]]: index
func.func @views(%a: memref<8x64xf32>, %b: memref<4x16xf32>, %i: index) {
  // CHECK: kernel.launch @[[VIEWS:.*]](%[[B]], %[[A]], %[[I]] : memref<4x16xf32>, memref<8x64xf32>, index) tasks(1)
  %0 = memref.subview %a[%i, 16] [4, 16] [2, 1] : memref<8x64xf32> to memref<4x16xf32, strided<[128, 1], offset: ?>>
  memref.copy %b, %0 : memref<4x16xf32> to memref<4x16xf32, strided<[128, 1], offset: ?>>
  return
}

// Two views of one buffer would overlap as operands: the buffer is passed.
// CHECK-LABEL: func.func @shared
// CHECK-SAME: %[[A:.*]]: memref<8x64xf32>
func.func @shared(%a: memref<8x64xf32>) {
  // CHECK: kernel.launch @[[SHARED:.*]](%[[A]] : memref<8x64xf32>) tasks(1)
  %0 = memref.collapse_shape %a [[0, 1]] : memref<8x64xf32> into memref<512xf32>
  %1 = memref.expand_shape %a [[0, 1], [2]] output_shape [1, 8, 64] : memref<8x64xf32> into memref<1x8x64xf32>
  linalg.generic {indexing_maps = [affine_map<(i, j, k) -> (511 - j * 64 - k)>, affine_map<(i, j, k) -> (i, j, k)>],
                  iterator_types = ["parallel", "parallel", "parallel"]}
      ins(%0 : memref<512xf32>) outs(%1 : memref<1x8x64xf32>) {
  ^bb0(%x: f32, %y: f32):
    linalg.yield %x : f32
  }
  return
}

// Tensors are not kernels yet.
// CHECK-LABEL: func.func @tensors
func.func @tensors(%t: tensor<4xf32>) -> tensor<4xf32> {
  // CHECK: linalg.fill
  %two = arith.constant 2.0 : f32
  %0 = linalg.fill ins(%two : f32) outs(%t : tensor<4xf32>) -> tensor<4xf32>
  return %0 : tensor<4xf32>
}

// Fills of parts of a buffer that follow each other are one kernel; not those of another buffer, or behind a kernel.
// CHECK-LABEL: func.func @border
// CHECK-SAME: %[[A:.*]]: memref<4x16xf32>, %[[B:.*]]: memref<4x16xf32>
func.func @border(%a: memref<4x16xf32>, %b: memref<4x16xf32>) {
  %zero = arith.constant 0.0 : f32
  // CHECK: kernel.launch @[[BORDER:.*]](%[[A]] : memref<4x16xf32>) tasks(1) {bytes = 136 : i64, kind = "linalg.fill"
  %0 = memref.subview %a[0, 0] [1, 16] [1, 1] : memref<4x16xf32> to memref<1x16xf32, strided<[16, 1]>>
  linalg.fill ins(%zero : f32) outs(%0 : memref<1x16xf32, strided<[16, 1]>>)
  %1 = memref.subview %a[3, 0] [1, 16] [1, 1] : memref<4x16xf32> to memref<1x16xf32, strided<[16, 1], offset: 48>>
  linalg.fill ins(%zero : f32) outs(%1 : memref<1x16xf32, strided<[16, 1], offset: 48>>)
  %2 = memref.subview %a[1, 0] [2, 1] [1, 1] : memref<4x16xf32> to memref<2x1xf32, strided<[16, 1], offset: 16>>
  linalg.fill ins(%zero : f32) outs(%2 : memref<2x1xf32, strided<[16, 1], offset: 16>>)
  // CHECK-NOT: kernel.launch @{{.*}}(%[[A]] :
  // CHECK: kernel.launch @{{.*}}(%[[B]] : memref<4x16xf32>) tasks(1)
  %3 = memref.subview %b[3, 0] [1, 16] [1, 1] : memref<4x16xf32> to memref<1x16xf32, strided<[16, 1], offset: 48>>
  linalg.fill ins(%zero : f32) outs(%3 : memref<1x16xf32, strided<[16, 1], offset: 48>>)
  // CHECK: kernel.launch @{{.*}}(%[[A]], %[[B]] : memref<4x16xf32>, memref<4x16xf32>)
  memref.copy %a, %b : memref<4x16xf32> to memref<4x16xf32>
  // CHECK: kernel.launch @{{.*}}(%[[B]] : memref<4x16xf32>) tasks(1)
  %4 = memref.subview %b[3, 0] [1, 16] [1, 1] : memref<4x16xf32> to memref<1x16xf32, strided<[16, 1], offset: 48>>
  linalg.fill ins(%zero : f32) outs(%4 : memref<1x16xf32, strided<[16, 1], offset: 48>>)
  return
}

// What is outlined already stays.
// CHECK-LABEL: func.func private @done
// CHECK: memref.copy
func.func private @done(%a: memref<4xf32>, %b: memref<4xf32>, %lo: index, %hi: index) attributes {kernel.entry} {
  memref.copy %a, %b : memref<4xf32> to memref<4xf32>
  return
}

// Dense parts of buffers at constant places are buffers at other places, so kernels on them are equal.
// CHECK-LABEL: func.func @parts
// CHECK-SAME: %[[BYTES:.*]]: memref<65536xi8>
func.func @parts(%bytes: memref<65536xi8>) {
  %start = arith.constant 1024 : index
  %zero = arith.constant 0.0 : f32
  %buffer = memref.view %bytes[%start][] : memref<65536xi8> to memref<1x4x8x16xf32>
  // CHECK: %[[C:.*]] = arith.constant 1536 : index
  // CHECK: %[[FIRST:.*]] = memref.view %[[BYTES]][%[[C]]][] : memref<65536xi8> to memref<1x2x8x16xf32>
  // CHECK: kernel.launch @[[FILL:.*]](%[[FIRST]] : memref<1x2x8x16xf32>) tasks(1)
  %0 = memref.subview %buffer[0, 1, 0, 0] [1, 2, 8, 16] [1, 1, 1, 1] : memref<1x4x8x16xf32> to memref<1x2x8x16xf32, strided<[512, 128, 16, 1], offset: 128>>
  linalg.fill ins(%zero : f32) outs(%0 : memref<1x2x8x16xf32, strided<[512, 128, 16, 1], offset: 128>>)
  // CHECK: kernel.launch @[[FILL]](%{{.*}} : memref<1x2x8x16xf32>) tasks(1)
  %1 = memref.subview %buffer[0, 2, 0, 0] [1, 2, 8, 16] [1, 1, 1, 1] : memref<1x4x8x16xf32> to memref<1x2x8x16xf32, strided<[512, 128, 16, 1], offset: 256>>
  linalg.fill ins(%zero : f32) outs(%1 : memref<1x2x8x16xf32, strided<[512, 128, 16, 1], offset: 256>>)
  return
}

// CHECK-LABEL: func.func @parts_that_stay
// CHECK-SAME: %[[BYTES:.*]]: memref<65536xi8>, %[[INPUT:.*]]: memref<4x64xf32>
func.func @parts_that_stay(%bytes: memref<65536xi8>, %input: memref<4x64xf32>) {
  %start = arith.constant 0 : index
  %zero = arith.constant 0.0 : f32
  // CHECK: %[[BUFFER:.*]] = memref.view
  %buffer = memref.view %bytes[%start][] : memref<65536xi8> to memref<4x64xf32>
  // An input is no view of bytes.
  // CHECK: kernel.launch @{{.*}}(%[[INPUT]] : memref<4x64xf32>)
  %0 = memref.subview %input[1, 0] [1, 64] [1, 1] : memref<4x64xf32> to memref<1x64xf32, strided<[64, 1], offset: 64>>
  linalg.fill ins(%zero : f32) outs(%0 : memref<1x64xf32, strided<[64, 1], offset: 64>>)
  // Not at a multiple of 64 bytes.
  // CHECK: kernel.launch @{{.*}}(%[[BUFFER]] : memref<4x64xf32>)
  %1 = memref.subview %buffer[1, 1] [1, 8] [1, 1] : memref<4x64xf32> to memref<1x8xf32, strided<[64, 1], offset: 65>>
  linalg.fill ins(%zero : f32) outs(%1 : memref<1x8xf32, strided<[64, 1], offset: 65>>)
  // The kernel sees another part, which it may overlap.
  // CHECK: kernel.launch @{{.*}}(%[[BUFFER]] : memref<4x64xf32>)
  %3 = memref.subview %buffer[0, 0] [2, 64] [1, 1] : memref<4x64xf32> to memref<2x64xf32, strided<[64, 1]>>
  %4 = memref.subview %buffer[2, 0] [2, 64] [1, 1] : memref<4x64xf32> to memref<2x64xf32, strided<[64, 1], offset: 128>>
  linalg.copy ins(%3 : memref<2x64xf32, strided<[64, 1]>>) outs(%4 : memref<2x64xf32, strided<[64, 1], offset: 128>>)
  // Not dense.
  // CHECK: kernel.launch @{{.*}}(%[[BUFFER]] : memref<4x64xf32>)
  %2 = memref.subview %buffer[0, 16] [2, 16] [1, 1] : memref<4x64xf32> to memref<2x16xf32, strided<[64, 1], offset: 16>>
  linalg.fill ins(%zero : f32) outs(%2 : memref<2x16xf32, strided<[64, 1], offset: 16>>)
  return
}

// CHECK: func.func private @k_0(%[[X:.*]]: memref<65536xf32>, %[[Y:.*]]: memref<65536xf32>, %{{.*}}: index, %{{.*}}: index) attributes {kernel.entry} {
// CHECK-NEXT: memref.copy %[[X]], %[[Y]] : memref<65536xf32> to memref<65536xf32>
// CHECK-NEXT: return
// CHECK: func.func private @k_1
// CHECK-NEXT: arith.constant 2.0
// CHECK-NEXT: linalg.fill
// CHECK: func.func private @k_2
// CHECK-NEXT: arith.constant 3.0
// CHECK: func.func private @k_3(%[[Z:.*]]: memref<65536xf32>, %{{.*}}: index, %{{.*}}: index)
// CHECK: ins(%[[Z]] : memref<65536xf32>) outs(%[[Z]] : memref<65536xf32>)
// CHECK: func.func private @k_4(%{{.*}}: memref<64xf32>, %{{.*}}: memref<65536xf32>, %{{.*}}: index, %{{.*}}: index)
// CHECK: func.func private @[[VIEWS]](%[[Y:.*]]: memref<4x16xf32>, %[[X:.*]]: memref<8x64xf32>, %[[I:.*]]: index, %{{.*}}: index, %{{.*}}: index)
// CHECK-NEXT: %[[VIEW:.*]] = memref.subview %[[X]][%[[I]], 16] [4, 16] [2, 1]
// CHECK-NEXT: memref.copy %[[Y]], %[[VIEW]]
// CHECK: func.func private @[[SHARED]](%[[X:.*]]: memref<8x64xf32>, %{{.*}}: index, %{{.*}}: index)
// CHECK-NEXT: memref.collapse_shape %[[X]]
// CHECK-NEXT: memref.expand_shape %[[X]]
