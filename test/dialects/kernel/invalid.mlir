// RUN: %graven-opt %s --split-input-file --verify-diagnostics

func.func @rank(%a: memref<5x6xf32>, %b: memref<1x1x6x8xf32>, %out: memref<1x5x8xf32>) {
  // expected-error @+1 {{C1: expects 'a' of rank 3, got 'memref<5x6xf32>'}}
  kernel.gemm ins(%a, %b : memref<5x6xf32>, memref<1x1x6x8xf32>) outs(%out : memref<1x5x8xf32>) attributes {mr = 4 : i64, kc = 0 : i64}
  return
}

// -----

func.func @element(%a: memref<1x5x6xf64>, %b: memref<1x1x6x8xf32>, %out: memref<1x5x8xf32>) {
  // expected-error @+1 {{C1: expects element types that are computed in one type, got 'f64' and 'f32'}}
  kernel.gemm ins(%a, %b : memref<1x5x6xf64>, memref<1x1x6x8xf32>) outs(%out : memref<1x5x8xf32>) attributes {mr = 4 : i64, kc = 0 : i64}
  return
}

// -----

func.func @dynamic(%a: memref<1x?x6xf32>, %b: memref<1x1x6x8xf32>, %out: memref<1x5x8xf32>) {
  // expected-error @+1 {{operand #0 must be statically shaped tensor or memref of floats}}
  kernel.gemm ins(%a, %b : memref<1x?x6xf32>, memref<1x1x6x8xf32>) outs(%out : memref<1x5x8xf32>) attributes {mr = 4 : i64, kc = 0 : i64}
  return
}

// -----

func.func @panels(%a: memref<1x5x6xf32>, %b: memref<1x2x6x8xf32>, %out: memref<1x5x8xf32>) {
  // expected-error @+1 {{C2: expects 'b' of shape [1, 1, 6, 8], got [1, 2, 6, 8]}}
  kernel.gemm ins(%a, %b : memref<1x5x6xf32>, memref<1x2x6x8xf32>) outs(%out : memref<1x5x8xf32>) attributes {mr = 4 : i64, kc = 0 : i64}
  return
}

// -----

func.func @tile(%a: memref<1x5x6xf32>, %b: memref<1x1x6x8xf32>, %out: memref<1x5x8xf32>) {
  // expected-error @+1 {{C3: expects mr >= 1 and kc >= 0, got -1 and 0}}
  kernel.gemm ins(%a, %b : memref<1x5x6xf32>, memref<1x1x6x8xf32>) outs(%out : memref<1x5x8xf32>) attributes {mr = -1 : i64, kc = 0 : i64}
  return
}

// -----

func.func @epilogue_shape(%a: memref<1x5x6xf32>, %b: memref<1x1x6x8xf32>, %r: memref<7xf32>, %out: memref<1x5x8xf32>) {
  // expected-error @+1 {{C4: expects an epilogue operand of the destination's shape, of 8 elements, or a scalar, got 'memref<7xf32>'}}
  kernel.gemm ins(%a, %b : memref<1x5x6xf32>, memref<1x1x6x8xf32>) epilogue(%r : memref<7xf32>) outs(%out : memref<1x5x8xf32>) attributes {mr = 4 : i64, kc = 0 : i64} {
  ^bb0(%acc: f32, %e: f32):
    kernel.yield %acc : f32
  }
  return
}

// -----

func.func @epilogue_arguments(%a: memref<1x5x6xf32>, %b: memref<1x1x6x8xf32>, %out: memref<1x5x8xf32>) {
  // expected-error @+1 {{epilogue: expects 1 region arguments, got 2}}
  kernel.gemm ins(%a, %b : memref<1x5x6xf32>, memref<1x1x6x8xf32>) outs(%out : memref<1x5x8xf32>) attributes {mr = 4 : i64, kc = 0 : i64} {
  ^bb0(%acc: f32, %e: f32):
    kernel.yield %acc : f32
  }
  return
}

// -----

func.func @epilogue_body(%a: memref<1x5x6xf32>, %b: memref<1x1x6x8xf32>, %m: memref<f32>, %out: memref<1x5x8xf32>) {
  kernel.gemm ins(%a, %b : memref<1x5x6xf32>, memref<1x1x6x8xf32>) outs(%out : memref<1x5x8xf32>) attributes {mr = 4 : i64, kc = 0 : i64} {
  ^bb0(%acc: f32):
    // expected-error @+1 {{is not elementwise, so it cannot stand in an epilogue}}
    %0 = memref.load %m[] : memref<f32>
    kernel.yield %0 : f32
  }
  return
}

// -----

func.func @result(%a: tensor<1x5x6xf32>, %b: tensor<1x1x6x8xf32>, %out: tensor<1x5x8xf32>) {
  // expected-error @+1 {{expects one result of the destination's type 'tensor<1x5x8xf32>'}}
  kernel.gemm ins(%a, %b : tensor<1x5x6xf32>, tensor<1x1x6x8xf32>) outs(%out : tensor<1x5x8xf32>) attributes {mr = 4 : i64, kc = 0 : i64}
  return
}

// -----

func.func @conv_window(%x: memref<1x1x4x9x16xf32>, %w: memref<1x1x3x3x16x16xf32>, %out: memref<1x1x7x7x16xf32>) {
  // expected-error @+1 {{C2: expects a padded input extent of at least 9, got 4}}
  kernel.conv ins(%x, %w : memref<1x1x4x9x16xf32>, memref<1x1x3x3x16x16xf32>) outs(%out : memref<1x1x7x7x16xf32>)
      attributes {in_channels = 16 : i64, out_channels = 16 : i64, strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>, tile = array<i64: 1, 6>, row_block = 7 : i64}
  return
}

// -----

func.func @conv_groups(%x: memref<1x2x9x9x16xf32>, %w: memref<2x1x3x3x16x16xf32>, %out: memref<1x2x7x7x16xf32>) {
  // expected-error @+1 {{C4: expects groups of whole blocks and panels, got 24 and 32 channels in 2 groups with panels of 16}}
  kernel.conv ins(%x, %w : memref<1x2x9x9x16xf32>, memref<2x1x3x3x16x16xf32>) outs(%out : memref<1x2x7x7x16xf32>)
      attributes {in_channels = 24 : i64, out_channels = 32 : i64, groups = 2 : i64, strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>, tile = array<i64: 1, 6>, row_block = 7 : i64}
  return
}

// -----

func.func @conv_panel(%x: memref<1x1x9x9x16xf32>, %w: memref<1x1x3x3x16x24xf32>, %out: memref<1x1x7x7x16xf32>) {
  // expected-error @+1 {{C5: expects a panel width that divides 16 or is a multiple of it, got 24}}
  kernel.conv ins(%x, %w : memref<1x1x9x9x16xf32>, memref<1x1x3x3x16x24xf32>) outs(%out : memref<1x1x7x7x16xf32>)
      attributes {in_channels = 16 : i64, out_channels = 16 : i64, strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>, tile = array<i64: 1, 6>, row_block = 7 : i64}
  return
}

// -----

func.func @conv_strides(%x: memref<1x1x9x9x16xf32>, %w: memref<1x1x3x3x16x16xf32>, %out: memref<1x1x7x7x16xf32>) {
  // expected-error @+1 {{C3: expects the entries of 'strides' to be >= 1, got 0}}
  kernel.conv ins(%x, %w : memref<1x1x9x9x16xf32>, memref<1x1x3x3x16x16xf32>) outs(%out : memref<1x1x7x7x16xf32>)
      attributes {in_channels = 16 : i64, out_channels = 16 : i64, strides = array<i64: 1, 0>, dilations = array<i64: 1, 1>, tile = array<i64: 1, 6>, row_block = 7 : i64}
  return
}

// -----

func.func @depthwise_weights(%x: memref<1x2x9x9x16xf32>, %w: memref<1x3x3x16xf32>, %out: memref<1x2x7x7x16xf32>) {
  // expected-error @+1 {{C2: expects 'w' of shape [2, 3, 3, 16], got [1, 3, 3, 16]}}
  kernel.depthwise ins(%x, %w : memref<1x2x9x9x16xf32>, memref<1x3x3x16xf32>) outs(%out : memref<1x2x7x7x16xf32>)
      attributes {channels = 24 : i64, strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>, tile = array<i64: 1, 7>}
  return
}

// -----

func.func @pack_panels(%x: memref<1x6x8xf32>, %out: memref<1x2x6x8xf32>) {
  // expected-error @+1 {{C2: expects 'out' of shape [1, 1, 6, 8], got [1, 2, 6, 8]}}
  kernel.pack ins(%x : memref<1x6x8xf32>) outs(%out : memref<1x2x6x8xf32>)
  return
}

// -----

func.func @pool_outside(%x: memref<1x3x4x4xf32>, %out: memref<1x3x4x2xf32>) {
  // expected-error @+1 {{C4: window 2 of spatial axis 0 lies outside the input}}
  kernel.pool max ins(%x : memref<1x3x4x4xf32>) outs(%out : memref<1x3x4x2xf32>)
      {kernel = array<i64: 2, 2>, strides = array<i64: 2, 2>, dilations = array<i64: 1, 1>, pads = array<i64: 0, 0, 0, 0>}
  return
}

// -----

func.func @pool_pads(%x: memref<1x3x4x4xf32>, %out: memref<1x3x2x2xf32>) {
  // expected-error @+1 {{C3: expects 'pads' to have 4 entries, got 2}}
  kernel.pool max ins(%x : memref<1x3x4x4xf32>) outs(%out : memref<1x3x2x2xf32>)
      {kernel = array<i64: 2, 2>, strides = array<i64: 2, 2>, dilations = array<i64: 1, 1>, pads = array<i64: 0, 0>}
  return
}

// -----

func.func @softmax_empty(%x: memref<4x0xf32>) {
  // expected-error @+1 {{C2: expects a last axis of at least one element, got 'memref<4x0xf32>'}}
  kernel.softmax ins(%x : memref<4x0xf32>) outs(%x : memref<4x0xf32>)
  return
}

// -----

func.func @rownorm_params(%x: memref<4x6xf32>, %g: memref<5xf32>) {
  // expected-error @+1 {{C2: expects 'params' of shape [6], got [5]}}
  kernel.rownorm rms ins(%x : memref<4x6xf32>) params(%g : memref<5xf32>) outs(%x : memref<4x6xf32>) {epsilon = 1.0e-5 : f64}
  return
}

// -----

func.func @rownorm_epsilon(%x: memref<4x6xf32>) {
  // expected-error @+1 {{C3: expects epsilon >= 0, got -1}}
  kernel.rownorm rms ins(%x : memref<4x6xf32>) outs(%x : memref<4x6xf32>) {epsilon = -1.0 : f64}
  return
}

// -----

func.func @scan_shape(%x: memref<2x4x6xf32>, %y: memref<2x4x5xf32>) {
  // expected-error @+1 {{C1: expects 'out' of shape [2, 4, 6], got [2, 4, 5]}}
  kernel.scan ins(%x : memref<2x4x6xf32>) outs(%y : memref<2x4x5xf32>) initial 0.0 : f32 {
  ^bb0(%s: f32, %e: f32):
    kernel.yield %s : f32
  }
  return
}

// -----

func.func @scan_element(%x: memref<2x4x6xi32>, %y: memref<2x4x6xi64>) {
  // expected-error @+1 {{C1: expects equal element types, got 'i32' and 'i64'}}
  kernel.scan ins(%x : memref<2x4x6xi32>) outs(%y : memref<2x4x6xi64>) initial 0 : i32 {
  ^bb0(%s: i32, %e: i32):
    kernel.yield %s : i32
  }
  return
}

// -----

func.func @scan_state(%x: memref<2x4x6xbf16>) {
  // expected-error @+1 {{C2: expects a state of type 'f32', got 'bf16'}}
  kernel.scan ins(%x : memref<2x4x6xbf16>) outs(%x : memref<2x4x6xbf16>) initial 0.0 : bf16 {
  ^bb0(%s: bf16, %e: bf16):
    kernel.yield %s : bf16
  }
  return
}

// -----

func.func @scan_body(%x: memref<2x4x6xf32>) {
  // expected-error @+1 {{C2: expects a region of two values of type 'f32' that yields one}}
  kernel.scan ins(%x : memref<2x4x6xf32>) outs(%x : memref<2x4x6xf32>) initial 0.0 : f32 {
  ^bb0(%s: f32):
    kernel.yield %s : f32
  }
  return
}

// -----

func.func @weight() {
  // expected-error @+1 {{C1: expects an offset that is a multiple of 64, got 100}}
  %0 = kernel.weight {offset = 100 : i64} : tensor<4xf32>
  return
}

// -----

func.func @launch_tasks(%a: memref<4xf32>) {
  // expected-error @+1 {{C1: expects at least one task, got 0}}
  kernel.launch @k(%a : memref<4xf32>) tasks(0)
  return
}

// -----

func.func @launch_nothing(%a: memref<4xf32>) {
  // expected-error @+1 {{C2: no function named @k}}
  kernel.launch @k(%a : memref<4xf32>) tasks(1)
  return
}

// -----

func.func private @k(memref<4xf32>, index, index)

func.func @launch_no_entry(%a: memref<4xf32>) {
  // expected-error @+1 {{C2: expects @k to have the attribute 'kernel.entry'}}
  kernel.launch @k(%a : memref<4xf32>) tasks(1)
  return
}

// -----

func.func private @k(memref<5xf32>, index, index) attributes {kernel.entry}

func.func @launch_types(%a: memref<4xf32>) {
  // expected-error @+1 {{C2: expects @k to take the operands and two indices, got '(memref<5xf32>, index, index) -> ()'}}
  kernel.launch @k(%a : memref<4xf32>) tasks(1)
  return
}
