// RUN: graven-opt %s --split-input-file --verify-diagnostics | FileCheck %s

// CHECK-LABEL: func.func @tensors
//       CHECK:   %[[R:.*]]:2 = kernel.winograd ins(%{{.*}}, %{{.*}} : tensor<1x1x10x10x16xf32>, tensor<1x16x16x16xf32>) outs(%{{.*}}, %{{.*}} : tensor<1x1x8x8x16xf32>, tensor<8704xf32>) attributes {block = 16 : i64, in_channels = 16 : i64, mr = 6 : i64, out_channels = 16 : i64, tile = 2 : i64} -> tensor<1x1x8x8x16xf32>, tensor<8704xf32>
func.func @tensors(%x: tensor<1x1x10x10x16xf32>, %w: tensor<1x16x16x16xf32>, %o: tensor<1x1x8x8x16xf32>, %s: tensor<8704xf32>) -> tensor<1x1x8x8x16xf32> {
  %0:2 = kernel.winograd ins(%x, %w : tensor<1x1x10x10x16xf32>, tensor<1x16x16x16xf32>)
      outs(%o, %s : tensor<1x1x8x8x16xf32>, tensor<8704xf32>)
      attributes {in_channels = 16 : i64, out_channels = 16 : i64, tile = 2 : i64, block = 16 : i64, mr = 6 : i64} -> tensor<1x1x8x8x16xf32>, tensor<8704xf32>
  return %0#0 : tensor<1x1x8x8x16xf32>
}

// -----

func.func @element(%x: memref<1x1x10x10x16xf64>, %w: memref<1x16x16x16xf64>, %o: memref<1x1x8x8x16xf64>, %s: memref<8704xf64>) {
  // expected-error @below {{C1: expects f32, got 'f64'}}
  kernel.winograd ins(%x, %w : memref<1x1x10x10x16xf64>, memref<1x16x16x16xf64>)
      outs(%o, %s : memref<1x1x8x8x16xf64>, memref<8704xf64>)
      attributes {in_channels = 16 : i64, out_channels = 16 : i64, tile = 2 : i64, block = 16 : i64, mr = 6 : i64}
  return
}

// -----

func.func @padding(%x: memref<1x1x9x10x16xf32>, %w: memref<1x16x16x16xf32>, %o: memref<1x1x8x8x16xf32>, %s: memref<8704xf32>) {
  // expected-error @below {{C2: expects a padded input extent of at least 10, got 9}}
  kernel.winograd ins(%x, %w : memref<1x1x9x10x16xf32>, memref<1x16x16x16xf32>)
      outs(%o, %s : memref<1x1x8x8x16xf32>, memref<8704xf32>)
      attributes {in_channels = 16 : i64, out_channels = 16 : i64, tile = 2 : i64, block = 16 : i64, mr = 6 : i64}
  return
}

// -----

func.func @weights(%x: memref<1x1x10x10x16xf32>, %w: memref<1x36x16x16xf32>, %o: memref<1x1x8x8x16xf32>, %s: memref<8704xf32>) {
  // expected-error @below {{C2: expects 'w' of shape [1, 16, 16, 16], got [1, 36, 16, 16]}}
  kernel.winograd ins(%x, %w : memref<1x1x10x10x16xf32>, memref<1x36x16x16xf32>)
      outs(%o, %s : memref<1x1x8x8x16xf32>, memref<8704xf32>)
      attributes {in_channels = 16 : i64, out_channels = 16 : i64, tile = 2 : i64, block = 16 : i64, mr = 6 : i64}
  return
}

// -----

func.func @scratch(%x: memref<1x1x10x10x16xf32>, %w: memref<1x16x16x16xf32>, %o: memref<1x1x8x8x16xf32>, %s: memref<1xf32>) {
  // expected-error @below {{C2: expects 'scratch' of shape [8704], got [1]}}
  kernel.winograd ins(%x, %w : memref<1x1x10x10x16xf32>, memref<1x16x16x16xf32>)
      outs(%o, %s : memref<1x1x8x8x16xf32>, memref<1xf32>)
      attributes {in_channels = 16 : i64, out_channels = 16 : i64, tile = 2 : i64, block = 16 : i64, mr = 6 : i64}
  return
}

// -----

func.func @tile(%x: memref<1x1x10x10x16xf32>, %w: memref<1x16x16x16xf32>, %o: memref<1x1x8x8x16xf32>, %s: memref<8704xf32>) {
  // expected-error @below {{C3: expects tiles of 2 or 4 pixels, got 3}}
  kernel.winograd ins(%x, %w : memref<1x1x10x10x16xf32>, memref<1x16x16x16xf32>)
      outs(%o, %s : memref<1x1x8x8x16xf32>, memref<8704xf32>)
      attributes {in_channels = 16 : i64, out_channels = 16 : i64, tile = 3 : i64, block = 16 : i64, mr = 6 : i64}
  return
}

// -----

func.func @block(%x: memref<1x1x10x10x16xf32>, %w: memref<1x16x16x16xf32>, %o: memref<1x1x8x8x16xf32>, %s: memref<8704xf32>) {
  // expected-error @below {{C3: expects blocks of at least one tile, got 0}}
  kernel.winograd ins(%x, %w : memref<1x1x10x10x16xf32>, memref<1x16x16x16xf32>)
      outs(%o, %s : memref<1x1x8x8x16xf32>, memref<8704xf32>)
      attributes {in_channels = 16 : i64, out_channels = 16 : i64, tile = 2 : i64, block = 0 : i64, mr = 6 : i64}
  return
}

// -----

func.func @panel(%x: memref<1x1x10x10x16xf32>, %w: memref<2x16x16x8xf32>, %o: memref<1x1x8x8x16xf32>, %s: memref<8704xf32>) {
  // expected-error @below {{C4: expects panels of a multiple of 16 channels, got 8}}
  kernel.winograd ins(%x, %w : memref<1x1x10x10x16xf32>, memref<2x16x16x8xf32>)
      outs(%o, %s : memref<1x1x8x8x16xf32>, memref<8704xf32>)
      attributes {in_channels = 16 : i64, out_channels = 16 : i64, tile = 2 : i64, block = 16 : i64, mr = 6 : i64}
  return
}

// -----

func.func @stage(%x: memref<1x1x10x10x16xf32>, %s: memref<8704xf32>, %i: index) {
  // expected-error @below {{C2: expects a padded input extent of at least 12, got 10}}
  kernel.winograd_input ins(%x : memref<1x1x10x10x16xf32>) block(%i) outs(%s : memref<8704xf32>)
      {extents = array<i64: 9, 8>, in_channels = 16 : i64, out_channels = 16 : i64, panel = 16 : i64, tile = 2 : i64, block = 16 : i64}
  return
}

// -----

func.func @rows(%w: memref<1x16x16x16xf32>, %o: memref<1x1x8x8x16xf32>, %s: memref<8704xf32>, %i: index) {
  // expected-error @below {{C3: expects mr >= 1, got 0}}
  kernel.winograd_output ins(%w : memref<1x16x16x16xf32>) block(%i) outs(%o, %s : memref<1x1x8x8x16xf32>, memref<8704xf32>)
      attributes {in_channels = 16 : i64, out_channels = 16 : i64, tile = 2 : i64, block = 16 : i64, mr = 0 : i64}
  return
}

// -----

// CHECK-LABEL: func.func @pooled
//       CHECK:   kernel.winograd ins({{.*}}) whole(%{{.*}} : memref<1x1x8x8x16xf32>) outs({{.*}} : memref<1x1x4x4x16xf32>, memref<8704xf32>) attributes {{.*}}pool = 2
func.func @pooled(%x: memref<1x1x10x10x16xf32>, %w: memref<1x16x16x16xf32>, %y: memref<1x1x8x8x16xf32>, %o: memref<1x1x4x4x16xf32>, %s: memref<8704xf32>) {
  kernel.winograd ins(%x, %w : memref<1x1x10x10x16xf32>, memref<1x16x16x16xf32>) whole(%y : memref<1x1x8x8x16xf32>)
      outs(%o, %s : memref<1x1x4x4x16xf32>, memref<8704xf32>)
      attributes {in_channels = 16 : i64, out_channels = 16 : i64, tile = 2 : i64, block = 16 : i64, mr = 6 : i64, pool = 2 : i64}
  return
}

// -----

func.func @pool(%x: memref<1x1x10x10x16xf32>, %w: memref<1x16x16x16xf32>, %o: memref<1x1x8x8x16xf32>, %s: memref<8704xf32>) {
  // expected-error @below {{C6: expects a pool of 1 or 2, got 0}}
  kernel.winograd ins(%x, %w : memref<1x1x10x10x16xf32>, memref<1x16x16x16xf32>)
      outs(%o, %s : memref<1x1x8x8x16xf32>, memref<8704xf32>)
      attributes {in_channels = 16 : i64, out_channels = 16 : i64, tile = 2 : i64, block = 16 : i64, mr = 6 : i64, pool = 0 : i64}
  return
}

// -----

func.func @whole(%x: memref<1x1x10x10x16xf32>, %w: memref<1x16x16x16xf32>, %y: memref<1x1x8x8x16xf32>, %o: memref<1x1x8x8x16xf32>, %s: memref<8704xf32>) {
  // expected-error @below {{C6: expects 'whole' beside a pool only}}
  kernel.winograd ins(%x, %w : memref<1x1x10x10x16xf32>, memref<1x16x16x16xf32>) whole(%y : memref<1x1x8x8x16xf32>)
      outs(%o, %s : memref<1x1x8x8x16xf32>, memref<8704xf32>)
      attributes {in_channels = 16 : i64, out_channels = 16 : i64, tile = 2 : i64, block = 16 : i64, mr = 6 : i64}
  return
}
