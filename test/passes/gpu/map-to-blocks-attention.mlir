// RUN: graven-opt %s --graven-map-to-blocks --canonicalize --cse -split-input-file | FileCheck %s

// Four warps for 37 rows of a head: keys of 8 columns in whole chunks, values of 6 in halves of them; 32 scores, of which those
// that are later or do not exist are none, and one tile of columns.

// CHECK-LABEL: func.func @forward
//       CHECK:   gpu.launch_func @device::@causal blocks in (%c2, %c1, %c1) threads in (%c128, %c1, %c1)
//       CHECK:   gpu.func @causal
//   CHECK-NOT:     kernel.attention
//       CHECK:     nvvm.cp.async.shared.global %{{.*}}, %{{.*}}, 16, cache = cg, %{{.*}} : !llvm.ptr<3>
//       CHECK:     nvvm.cp.async.shared.global %{{.*}}, %{{.*}}, 8, cache = ca, %{{.*}} : !llvm.ptr<3>
//       CHECK:     scf.for
//       CHECK:       nvvm.cp.async.wait.group 0
//       CHECK:       nvvm.barrier
//       CHECK:       nvvm.ldmatrix
// CHECK-COUNT-12:    nvvm.mma.sync {{.*}}tf32
//   CHECK-NOT:       nvvm.mma.sync
//       CHECK:       %[[SCORE:.*]] = arith.addf %{{.*}}, %{{.*}} : f32
//       CHECK:       arith.select %{{.*}}, %[[SCORE]], %cst
//       CHECK:       gpu.shuffle xor
// CHECK-COUNT-12:    nvvm.mma.sync {{.*}}tf32
//   CHECK-NOT:       nvvm.mma.sync
//       CHECK:     arith.divf
//       CHECK:     llvm.store %{{.*}} {alignment = 4 : i64} : f32, !llvm.ptr<1>
func.func @forward(%q: memref<592xf32>, %k: memref<320xf32>, %v: memref<240xf32>, %m: memref<40xf32>, %o: memref<444xf32>, %s: memref<9920xf32>)
    attributes {graven.num_inputs = 1 : i64} {
  kernel.launch @causal(%q, %k, %v, %m, %o, %s : memref<592xf32>, memref<320xf32>, memref<240xf32>, memref<40xf32>, memref<444xf32>, memref<9920xf32>) tasks(1)
  return
}
func.func private @causal(%q: memref<592xf32>, %k: memref<320xf32>, %v: memref<240xf32>, %m: memref<40xf32>, %o: memref<444xf32>, %s: memref<9920xf32>,
    %lo: index, %hi: index) attributes {kernel.entry} {
  kernel.attention ins(%q, %k, %v : memref<592xf32>, memref<320xf32>, memref<240xf32>) mask(%m : memref<40xf32>) outs(%o, %s : memref<444xf32>, memref<9920xf32>)
      {extents = array<i64: 1, 2, 1, 37, 40, 8, 6>, q_map = array<i64: 0, 592, 8, 16, 1>,
       k_map = array<i64: 0, 320, 320, 8, 1>, v_map = array<i64: 0, 240, 240, 6, 1>,
       out_map = array<i64: 0, 444, 6, 12, 1>, scale = 5.000000e-01 : f64, mr = 4 : i64, panel = 8 : i64,
       block = 40 : i64, group = 2 : i64, mask_map = array<i64: 0, 0, 0, 0, 1>, causal}
  return
}

// -----

// f64, and rows of more than 128 columns, are left to single threads.

// CHECK-LABEL: func.func @forward
//   CHECK-NOT: gpu.
//       CHECK: kernel.attention
func.func @forward(%q: memref<80xf64>, %k: memref<72xf64>, %v: memref<54xf64>, %o: memref<60xf64>, %s: memref<960xf64>)
    attributes {graven.num_inputs = 1 : i64} {
  kernel.launch @doubles(%q, %k, %v, %o, %s : memref<80xf64>, memref<72xf64>, memref<54xf64>, memref<60xf64>, memref<960xf64>) tasks(1)
  return
}
func.func private @doubles(%q: memref<80xf64>, %k: memref<72xf64>, %v: memref<54xf64>, %o: memref<60xf64>, %s: memref<960xf64>,
    %lo: index, %hi: index) attributes {kernel.entry} {
  kernel.attention ins(%q, %k, %v : memref<80xf64>, memref<72xf64>, memref<54xf64>) outs(%o, %s : memref<60xf64>, memref<960xf64>)
      {extents = array<i64: 1, 2, 1, 5, 9, 8, 6>, q_map = array<i64: 0, 80, 8, 16, 1>,
       k_map = array<i64: 0, 72, 72, 8, 1>, v_map = array<i64: 0, 54, 54, 6, 1>,
       out_map = array<i64: 0, 60, 6, 12, 1>, scale = 5.000000e-01 : f64, mr = 4 : i64, panel = 8 : i64,
       block = 9 : i64, group = 2 : i64}
  return
}

// -----

// Of queries and keys.

// CHECK-LABEL: func.func @forward
//   CHECK-NOT: gpu.
//       CHECK: kernel.attention
func.func @forward(%q: memref<1360xf32>, %k: memref<1224xf32>, %v: memref<54xf32>, %o: memref<60xf32>, %s: memref<6080xf32>)
    attributes {graven.num_inputs = 1 : i64} {
  kernel.launch @wide(%q, %k, %v, %o, %s : memref<1360xf32>, memref<1224xf32>, memref<54xf32>, memref<60xf32>, memref<6080xf32>) tasks(1)
  return
}
func.func private @wide(%q: memref<1360xf32>, %k: memref<1224xf32>, %v: memref<54xf32>, %o: memref<60xf32>, %s: memref<6080xf32>,
    %lo: index, %hi: index) attributes {kernel.entry} {
  kernel.attention ins(%q, %k, %v : memref<1360xf32>, memref<1224xf32>, memref<54xf32>) outs(%o, %s : memref<60xf32>, memref<6080xf32>)
      {extents = array<i64: 1, 2, 1, 5, 9, 136, 6>, q_map = array<i64: 0, 1360, 136, 272, 1>,
       k_map = array<i64: 0, 1224, 1224, 136, 1>, v_map = array<i64: 0, 54, 54, 6, 1>,
       out_map = array<i64: 0, 60, 6, 12, 1>, scale = 5.000000e-01 : f64, mr = 4 : i64, panel = 8 : i64,
       block = 9 : i64, group = 2 : i64}
  return
}

// -----

// Of values.

// CHECK-LABEL: func.func @forward
//   CHECK-NOT: gpu.
//       CHECK: kernel.attention
func.func @forward(%q: memref<80xf32>, %k: memref<72xf32>, %v: memref<1224xf32>, %o: memref<1360xf32>, %s: memref<5056xf32>)
    attributes {graven.num_inputs = 1 : i64} {
  kernel.launch @wide(%q, %k, %v, %o, %s : memref<80xf32>, memref<72xf32>, memref<1224xf32>, memref<1360xf32>, memref<5056xf32>) tasks(1)
  return
}
func.func private @wide(%q: memref<80xf32>, %k: memref<72xf32>, %v: memref<1224xf32>, %o: memref<1360xf32>, %s: memref<5056xf32>,
    %lo: index, %hi: index) attributes {kernel.entry} {
  kernel.attention ins(%q, %k, %v : memref<80xf32>, memref<72xf32>, memref<1224xf32>) outs(%o, %s : memref<1360xf32>, memref<5056xf32>)
      {extents = array<i64: 1, 2, 1, 5, 9, 8, 136>, q_map = array<i64: 0, 80, 8, 16, 1>,
       k_map = array<i64: 0, 72, 72, 8, 1>, v_map = array<i64: 0, 1224, 1224, 136, 1>,
       out_map = array<i64: 0, 1360, 136, 272, 1>, scale = 5.000000e-01 : f64, mr = 4 : i64, panel = 8 : i64,
       block = 9 : i64, group = 2 : i64}
  return
}
