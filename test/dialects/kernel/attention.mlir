// RUN: graven-opt %s --split-input-file --verify-diagnostics | FileCheck %s

// CHECK-LABEL: func.func @tensors
//       CHECK:   kernel.attention ins(%{{.*}}, %{{.*}}, %{{.*}} : tensor<80xf32>, tensor<72xf32>, tensor<54xf32>) mask(%{{.*}} : tensor<9xf32>)
//  CHECK-SAME:     outs(%{{.*}}, %{{.*}} : tensor<60xf32>, tensor<960xf32>)
//  CHECK-SAME:     causal
//  CHECK-SAME:     -> tensor<60xf32>, tensor<960xf32>
func.func @tensors(%q: tensor<80xf32>, %k: tensor<72xf32>, %v: tensor<54xf32>, %m: tensor<9xf32>, %o: tensor<60xf32>, %s: tensor<960xf32>) -> tensor<60xf32> {
  %0:2 = kernel.attention ins(%q, %k, %v : tensor<80xf32>, tensor<72xf32>, tensor<54xf32>) mask(%m : tensor<9xf32>) outs(%o, %s : tensor<60xf32>, tensor<960xf32>)
      {extents = array<i64: 1, 2, 1, 5, 9, 8, 6>, q_map = array<i64: 0, 80, 8, 16, 1>, k_map = array<i64: 0, 72, 72, 8, 1>, v_map = array<i64: 0, 54, 54, 6, 1>, out_map = array<i64: 0, 60, 6, 12, 1>, scale = 5.000000e-01 : f64, mr = 4 : i64, panel = 8 : i64, block = 9 : i64, group = 2 : i64, mask_map = array<i64: 0, 0, 0, 0, 1>, causal} -> tensor<60xf32>, tensor<960xf32>
  return %0#0 : tensor<60xf32>
}

// -----

func.func @heads(%q: memref<80xf32>, %k: memref<72xf32>, %v: memref<54xf32>, %o: memref<60xf32>, %s: memref<960xf32>, %m: memref<4xf32>) {
  // expected-error @below {{C2: expects heads that key heads divide, got 2 and 3}}
  kernel.attention ins(%q, %k, %v : memref<80xf32>, memref<72xf32>, memref<54xf32>) outs(%o, %s : memref<60xf32>, memref<960xf32>)
      {extents = array<i64: 1, 2, 3, 5, 9, 8, 6>, q_map = array<i64: 0, 80, 8, 16, 1>, k_map = array<i64: 0, 72, 72, 8, 1>, v_map = array<i64: 0, 54, 54, 6, 1>, out_map = array<i64: 0, 60, 6, 12, 1>, scale = 5.000000e-01 : f64, mr = 4 : i64, panel = 8 : i64, block = 9 : i64, group = 2 : i64}
  return
}

// -----

func.func @extents(%q: memref<80xf32>, %k: memref<72xf32>, %v: memref<54xf32>, %o: memref<60xf32>, %s: memref<960xf32>, %m: memref<4xf32>) {
  // expected-error @below {{C2: expects 'extents' to have 7 entries, got 6}}
  kernel.attention ins(%q, %k, %v : memref<80xf32>, memref<72xf32>, memref<54xf32>) outs(%o, %s : memref<60xf32>, memref<960xf32>)
      {extents = array<i64: 1, 2, 1, 5, 9, 8>, q_map = array<i64: 0, 80, 8, 16, 1>, k_map = array<i64: 0, 72, 72, 8, 1>, v_map = array<i64: 0, 54, 54, 6, 1>, out_map = array<i64: 0, 60, 6, 12, 1>, scale = 5.000000e-01 : f64, mr = 4 : i64, panel = 8 : i64, block = 9 : i64, group = 2 : i64}
  return
}

// -----

func.func @reach(%q: memref<80xf32>, %k: memref<72xf32>, %v: memref<54xf32>, %o: memref<60xf32>, %s: memref<960xf32>, %m: memref<4xf32>) {
  // expected-error @below {{C3: expects 'q' to have element 144 of its map, got 'memref<80xf32>'}}
  kernel.attention ins(%q, %k, %v : memref<80xf32>, memref<72xf32>, memref<54xf32>) outs(%o, %s : memref<60xf32>, memref<960xf32>)
      {extents = array<i64: 1, 2, 1, 5, 9, 8, 6>, q_map = array<i64: 65, 80, 8, 16, 1>, k_map = array<i64: 0, 72, 72, 8, 1>, v_map = array<i64: 0, 54, 54, 6, 1>, out_map = array<i64: 0, 60, 6, 12, 1>, scale = 5.000000e-01 : f64, mr = 4 : i64, panel = 8 : i64, block = 9 : i64, group = 2 : i64}
  return
}

// -----

func.func @pairs(%q: memref<80xf64>, %k: memref<72xf64>, %v: memref<54xf64>, %o: memref<60xf64>, %s: memref<960xf64>) {
  // expected-error @below {{C1: expects pairs of f32, got 'f64'}}
  kernel.attention ins(%q, %k, %v : memref<80xf64>, memref<72xf64>, memref<54xf64>) outs(%o, %s : memref<60xf64>, memref<960xf64>)
      {extents = array<i64: 1, 2, 1, 5, 9, 8, 6>, q_map = array<i64: 0, 80, 8, 16, 1>, k_map = array<i64: 0, 72, 72, 8, 1>, v_map = array<i64: 0, 54, 54, 6, 1>, out_map = array<i64: 0, 60, 6, 12, 1>, scale = 5.000000e-01 : f64, mr = 4 : i64, panel = 8 : i64, block = 9 : i64, group = 2 : i64, paired}
  return
}

// -----

func.func @overflow(%q: memref<80xf32>, %k: memref<72xf32>, %v: memref<54xf32>, %o: memref<60xf32>, %s: memref<960xf32>, %m: memref<4xf32>) {
  // expected-error @below {{C3: 'q_map' overflows}}
  kernel.attention ins(%q, %k, %v : memref<80xf32>, memref<72xf32>, memref<54xf32>) outs(%o, %s : memref<60xf32>, memref<960xf32>)
      {extents = array<i64: 1, 2, 1, 5, 9, 8, 6>, q_map = array<i64: 0, 80, 8, 9223372036854775807, 1>, k_map = array<i64: 0, 72, 72, 8, 1>, v_map = array<i64: 0, 54, 54, 6, 1>, out_map = array<i64: 0, 60, 6, 12, 1>, scale = 5.000000e-01 : f64, mr = 4 : i64, panel = 8 : i64, block = 9 : i64, group = 2 : i64}
  return
}

// -----

func.func @columns(%q: memref<80xf32>, %k: memref<72xf32>, %v: memref<54xf32>, %o: memref<60xf32>, %s: memref<960xf32>, %m: memref<4xf32>) {
  // expected-error @below {{C3: expects contiguous columns, got a stride of 2}}
  kernel.attention ins(%q, %k, %v : memref<80xf32>, memref<72xf32>, memref<54xf32>) outs(%o, %s : memref<60xf32>, memref<960xf32>)
      {extents = array<i64: 1, 2, 1, 5, 9, 8, 6>, q_map = array<i64: 0, 80, 8, 16, 1>, k_map = array<i64: 0, 72, 72, 8, 1>, v_map = array<i64: 0, 54, 54, 4, 2>, out_map = array<i64: 0, 60, 6, 12, 1>, scale = 5.000000e-01 : f64, mr = 4 : i64, panel = 8 : i64, block = 9 : i64, group = 2 : i64}
  return
}

// -----

func.func @twice(%q: memref<80xf32>, %k: memref<72xf32>, %v: memref<54xf32>, %o: memref<60xf32>, %s: memref<960xf32>, %m: memref<4xf32>) {
  // expected-error @below {{C3: expects every element of 'out' to be written once}}
  kernel.attention ins(%q, %k, %v : memref<80xf32>, memref<72xf32>, memref<54xf32>) outs(%o, %s : memref<60xf32>, memref<960xf32>)
      {extents = array<i64: 1, 2, 1, 5, 9, 8, 6>, q_map = array<i64: 0, 80, 8, 16, 1>, k_map = array<i64: 0, 72, 72, 8, 1>, v_map = array<i64: 0, 54, 54, 6, 1>, out_map = array<i64: 0, 60, 6, 6, 1>, scale = 5.000000e-01 : f64, mr = 4 : i64, panel = 8 : i64, block = 9 : i64, group = 2 : i64}
  return
}

// -----

func.func @mask_map(%q: memref<80xf32>, %k: memref<72xf32>, %v: memref<54xf32>, %o: memref<60xf32>, %s: memref<960xf32>, %m: memref<4xf32>) {
  // expected-error @below {{C3: expects a map for the mask, and only for a mask}}
  kernel.attention ins(%q, %k, %v : memref<80xf32>, memref<72xf32>, memref<54xf32>) outs(%o, %s : memref<60xf32>, memref<960xf32>)
      {extents = array<i64: 1, 2, 1, 5, 9, 8, 6>, q_map = array<i64: 0, 80, 8, 16, 1>, k_map = array<i64: 0, 72, 72, 8, 1>, v_map = array<i64: 0, 54, 54, 6, 1>, out_map = array<i64: 0, 60, 6, 12, 1>, scale = 5.000000e-01 : f64, mr = 4 : i64, panel = 8 : i64, block = 9 : i64, group = 2 : i64, mask_map = array<i64: 0, 0, 0, 0, 1>}
  return
}

// -----

func.func @mask_columns(%q: memref<80xf32>, %k: memref<72xf32>, %v: memref<54xf32>, %o: memref<60xf32>, %s: memref<960xf32>, %m: memref<4xf32>) {
  // expected-error @below {{C3: expects a mask with contiguous or equal columns}}
  kernel.attention ins(%q, %k, %v : memref<80xf32>, memref<72xf32>, memref<54xf32>) mask(%m : memref<4xf32>) outs(%o, %s : memref<60xf32>, memref<960xf32>)
      {extents = array<i64: 1, 2, 1, 5, 2, 8, 6>, q_map = array<i64: 0, 80, 8, 16, 1>, k_map = array<i64: 0, 72, 72, 8, 1>, v_map = array<i64: 0, 54, 54, 6, 1>, out_map = array<i64: 0, 60, 6, 12, 1>, scale = 5.000000e-01 : f64, mr = 4 : i64, panel = 8 : i64, block = 2 : i64, group = 2 : i64, mask_map = array<i64: 0, 0, 0, 0, 3>}
  return
}

// -----

func.func @panel(%q: memref<80xf32>, %k: memref<72xf32>, %v: memref<54xf32>, %o: memref<60xf32>, %s: memref<960xf32>, %m: memref<4xf32>) {
  // expected-error @below {{C4: expects mr, block and group >= 1 and a panel of a multiple of 4, got 4, 9, 2 and 6}}
  kernel.attention ins(%q, %k, %v : memref<80xf32>, memref<72xf32>, memref<54xf32>) outs(%o, %s : memref<60xf32>, memref<960xf32>)
      {extents = array<i64: 1, 2, 1, 5, 9, 8, 6>, q_map = array<i64: 0, 80, 8, 16, 1>, k_map = array<i64: 0, 72, 72, 8, 1>, v_map = array<i64: 0, 54, 54, 6, 1>, out_map = array<i64: 0, 60, 6, 12, 1>, scale = 5.000000e-01 : f64, mr = 4 : i64, panel = 6 : i64, block = 9 : i64, group = 2 : i64}
  return
}

// -----

func.func @block(%q: memref<80xf32>, %k: memref<72xf32>, %v: memref<54xf32>, %o: memref<60xf32>, %s: memref<960xf32>, %m: memref<4xf32>) {
  // expected-error @below {{C4: expects blocks of whole panels, got 5 keys in panels of 8}}
  kernel.attention ins(%q, %k, %v : memref<80xf32>, memref<72xf32>, memref<54xf32>) outs(%o, %s : memref<60xf32>, memref<960xf32>)
      {extents = array<i64: 1, 2, 1, 5, 9, 8, 6>, q_map = array<i64: 0, 80, 8, 16, 1>, k_map = array<i64: 0, 72, 72, 8, 1>, v_map = array<i64: 0, 54, 54, 6, 1>, out_map = array<i64: 0, 60, 6, 12, 1>, scale = 5.000000e-01 : f64, mr = 4 : i64, panel = 8 : i64, block = 5 : i64, group = 2 : i64}
  return
}

// -----

func.func @scratch(%q: memref<80xf32>, %k: memref<72xf32>, %v: memref<54xf32>, %o: memref<60xf32>, %s: memref<7xf32>, %m: memref<4xf32>) {
  // expected-error @below {{C5: expects 'scratch' of shape [960], got [7]}}
  kernel.attention ins(%q, %k, %v : memref<80xf32>, memref<72xf32>, memref<54xf32>) outs(%o, %s : memref<60xf32>, memref<7xf32>)
      {extents = array<i64: 1, 2, 1, 5, 9, 8, 6>, q_map = array<i64: 0, 80, 8, 16, 1>, k_map = array<i64: 0, 72, 72, 8, 1>, v_map = array<i64: 0, 54, 54, 6, 1>, out_map = array<i64: 0, 60, 6, 12, 1>, scale = 5.000000e-01 : f64, mr = 4 : i64, panel = 8 : i64, block = 9 : i64, group = 2 : i64}
  return
}
