// RUN: %graven-opt %s | %graven-opt | FileCheck %s
// RUN: %graven-opt --mlir-print-op-generic %s | %graven-opt | FileCheck %s

// CHECK-LABEL: func.func @gemm
func.func @gemm(%a: tensor<2x7x20xf32>, %b: tensor<1x3x20x16xf32>, %row: tensor<40xf32>, %full: tensor<2x7x40xf32>,
                %scalar: tensor<f32>, %init: tensor<2x7x40xf32>) -> tensor<2x7x40xf32> {
  // CHECK: kernel.gemm ins(%{{.*}}, %{{.*}} : tensor<2x7x20xf32>, tensor<1x3x20x16xf32>)
  // CHECK-SAME: epilogue(%{{.*}}, %{{.*}}, %{{.*}} : tensor<40xf32>, tensor<2x7x40xf32>, tensor<f32>)
  // CHECK-SAME: outs(%{{.*}} : tensor<2x7x40xf32>) attributes {kc = 384 : i64, mr = 6 : i64} {
  // CHECK: kernel.yield %{{.*}} : f32
  // CHECK: } -> tensor<2x7x40xf32>
  %0 = kernel.gemm ins(%a, %b : tensor<2x7x20xf32>, tensor<1x3x20x16xf32>)
      epilogue(%row, %full, %scalar : tensor<40xf32>, tensor<2x7x40xf32>, tensor<f32>)
      outs(%init : tensor<2x7x40xf32>) attributes {mr = 6 : i64, kc = 384 : i64} {
  ^bb0(%acc: f32, %r: f32, %f: f32, %s: f32):
    %1 = arith.addf %acc, %r : f32
    %2 = arith.addf %1, %f : f32
    %3 = arith.mulf %2, %s : f32
    kernel.yield %3 : f32
  } -> tensor<2x7x40xf32>
  return %0 : tensor<2x7x40xf32>
}

// CHECK-LABEL: func.func @gemm_on_views
func.func @gemm_on_views(%a: memref<1x5x6xf64, strided<[80, 16, 1], offset: 1>>, %b: memref<1x1x6x8xf64>, %out: memref<1x5x8xf64>) {
  // CHECK: kernel.gemm ins(%{{.*}}, %{{.*}} : memref<1x5x6xf64, strided<[80, 16, 1], offset: 1>>, memref<1x1x6x8xf64>) outs(%{{.*}} : memref<1x5x8xf64>) attributes {kc = 0 : i64, mr = 4 : i64}{{$}}
  kernel.gemm ins(%a, %b : memref<1x5x6xf64, strided<[80, 16, 1], offset: 1>>, memref<1x1x6x8xf64>)
      outs(%out : memref<1x5x8xf64>) attributes {mr = 4 : i64, kc = 0 : i64}
  return
}

// CHECK-LABEL: func.func @conv
func.func @conv(%x: tensor<1x2x9x9x16xf32>, %w: tensor<3x2x3x3x16x16xf32>, %init: tensor<1x3x4x4x16xf32>) -> tensor<1x3x4x4x16xf32> {
  // CHECK: kernel.conv ins(%{{.*}}, %{{.*}} : tensor<1x2x9x9x16xf32>, tensor<3x2x3x3x16x16xf32>)
  // CHECK-SAME: dilations = array<i64: 1, 1>, in_channels = 20 : i64, out_channels = 40 : i64, row_block = 4 : i64
  // CHECK-SAME: strides = array<i64: 2, 2>, tile = array<i64: 1, 6>
  %0 = kernel.conv ins(%x, %w : tensor<1x2x9x9x16xf32>, tensor<3x2x3x3x16x16xf32>) outs(%init : tensor<1x3x4x4x16xf32>)
      attributes {in_channels = 20 : i64, out_channels = 40 : i64, strides = array<i64: 2, 2>, dilations = array<i64: 1, 1>,
                  tile = array<i64: 1, 6>, row_block = 4 : i64} -> tensor<1x3x4x4x16xf32>
  return %0 : tensor<1x3x4x4x16xf32>
}

// CHECK-LABEL: func.func @conv_planar
func.func @conv_planar(%x: memref<1x3x9x9xf32>, %w: memref<1x1x3x3x3x16xf32>, %b: memref<10xf32>, %out: memref<1x10x7x7xf32>) {
  // CHECK: kernel.conv
  // CHECK: ^bb0(%{{.*}}: f32, %{{.*}}: f32):
  kernel.conv ins(%x, %w : memref<1x3x9x9xf32>, memref<1x1x3x3x3x16xf32>) epilogue(%b : memref<10xf32>) outs(%out : memref<1x10x7x7xf32>)
      attributes {in_channels = 3 : i64, out_channels = 10 : i64, strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>,
                  tile = array<i64: 1, 6>, row_block = 7 : i64} {
  ^bb0(%acc: f32, %e: f32):
    %0 = arith.addf %acc, %e : f32
    kernel.yield %0 : f32
  }
  return
}

// CHECK-LABEL: func.func @windows
func.func @windows(%x: memref<1x2x9x9x16xf32>, %w: memref<2x3x3x16xf32>, %out: memref<1x2x7x7x16xf32>, %half: memref<1x2x5x5x16xf32>) {
  // CHECK: kernel.depthwise ins
  kernel.depthwise ins(%x, %w : memref<1x2x9x9x16xf32>, memref<2x3x3x16xf32>) outs(%out : memref<1x2x7x7x16xf32>)
      attributes {channels = 24 : i64, strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>, tile = array<i64: 1, 7>}
  // CHECK: kernel.pool max ins
  kernel.pool max ins(%x : memref<1x2x9x9x16xf32>) outs(%half : memref<1x2x5x5x16xf32>)
      {kernel = array<i64: 3, 3>, strides = array<i64: 2, 2>, dilations = array<i64: 1, 1>, pads = array<i64: 1, 1, 1, 1>}
  // CHECK: kernel.pool avg ins
  // CHECK-SAME: count_include_pad
  kernel.pool avg ins(%x : memref<1x2x9x9x16xf32>) outs(%half : memref<1x2x5x5x16xf32>)
      {kernel = array<i64: 3, 3>, strides = array<i64: 2, 2>, dilations = array<i64: 1, 1>, pads = array<i64: 1, 1, 1, 1>, count_include_pad}
  return
}

// CHECK-LABEL: func.func @rows
func.func @rows(%x: tensor<4x6xf32>, %g: tensor<6xf32>, %init: tensor<4x6xf32>) -> tensor<4x6xf32> {
  // CHECK: kernel.softmax ins(%{{.*}} : tensor<4x6xf32>) outs(%{{.*}} : tensor<4x6xf32>) {log} -> tensor<4x6xf32>
  %0 = kernel.softmax ins(%x : tensor<4x6xf32>) outs(%init : tensor<4x6xf32>) {log} -> tensor<4x6xf32>
  // CHECK: kernel.rownorm layer ins(%{{.*}} : tensor<4x6xf32>) params(%{{.*}}, %{{.*}} : tensor<6xf32>, tensor<6xf32>)
  %1 = kernel.rownorm layer ins(%0 : tensor<4x6xf32>) params(%g, %g : tensor<6xf32>, tensor<6xf32>)
      outs(%init : tensor<4x6xf32>) {epsilon = 1.0e-5 : f64} -> tensor<4x6xf32>
  // CHECK: kernel.rownorm rms ins(%{{.*}} : tensor<4x6xf32>) outs
  %2 = kernel.rownorm rms ins(%1 : tensor<4x6xf32>) outs(%init : tensor<4x6xf32>) {epsilon = 1.0e-5 : f64} -> tensor<4x6xf32>
  return %2 : tensor<4x6xf32>
}

// CHECK-LABEL: func.func @pack
func.func @pack(%x: memref<2x20x40xf32>, %y: memref<2x40x20xf32>, %out: memref<2x3x20x16xf32>) {
  // CHECK: kernel.pack ins(%{{.*}} : memref<2x20x40xf32>) outs(%{{.*}} : memref<2x3x20x16xf32>){{$}}
  kernel.pack ins(%x : memref<2x20x40xf32>) outs(%out : memref<2x3x20x16xf32>)
  // CHECK: kernel.pack ins(%{{.*}} : memref<2x40x20xf32>) outs(%{{.*}} : memref<2x3x20x16xf32>) {transposed}
  kernel.pack ins(%y : memref<2x40x20xf32>) outs(%out : memref<2x3x20x16xf32>) {transposed}
  return
}

// CHECK-LABEL: func.func @structure
func.func @structure(%a: memref<4xf32>) {
  // CHECK: kernel.weight {offset = 1024 : i64} : memref<4xf32>
  %w = kernel.weight {offset = 1024 : i64} : memref<4xf32>
  // CHECK: kernel.launch @k(%{{.*}}, %{{.*}} : memref<4xf32>, memref<4xf32>) tasks(3)
  kernel.launch @k(%w, %a : memref<4xf32>, memref<4xf32>) tasks(3)
  return
}

func.func private @k(%x: memref<4xf32>, %y: memref<4xf32>, %lo: index, %hi: index) attributes {kernel.entry} {
  memref.copy %x, %y : memref<4xf32> to memref<4xf32>
  return
}
