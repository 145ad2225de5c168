// RUN: graven-opt %s --graven-fuse-elementwise -split-input-file | FileCheck %s
// RUN: graven-opt %s --graven-fuse-elementwise=max-operands=5 -split-input-file | FileCheck %s --check-prefix=FEW
// RUN: graven-opt %s --graven-fuse-elementwise=max-operations=1 -split-input-file | FileCheck %s --check-prefix=SHORT

// Two nests are one, unless it would have more operands than the limit (each has its destination, too), or more
// operations.

// CHECK-LABEL: func.func @chain
// CHECK-COUNT-1: linalg.generic
//   CHECK-NOT: linalg.generic
//       CHECK: return
//   FEW-LABEL: func.func @chain
// FEW-COUNT-2: linalg.generic
//     FEW-NOT: linalg.generic
//         FEW: return
//   SHORT-LABEL: func.func @chain
// SHORT-COUNT-2: linalg.generic
//     SHORT-NOT: linalg.generic
//         SHORT: return
#id = affine_map<(i) -> (i)>
func.func @chain(%x: tensor<8xf32>, %y: tensor<8xf32>, %z: tensor<8xf32>) -> tensor<8xf32> {
  %e = tensor.empty() : tensor<8xf32>
  %0 = linalg.generic {indexing_maps = [#id, #id, #id], iterator_types = ["parallel"]}
      ins(%x, %y : tensor<8xf32>, tensor<8xf32>) outs(%e : tensor<8xf32>) {
  ^bb0(%a: f32, %b: f32, %out: f32):
    %s = arith.addf %a, %b : f32
    linalg.yield %s : f32
  } -> tensor<8xf32>
  %1 = linalg.generic {indexing_maps = [#id, #id, #id], iterator_types = ["parallel"]}
      ins(%0, %z : tensor<8xf32>, tensor<8xf32>) outs(%e : tensor<8xf32>) {
  ^bb0(%a: f32, %b: f32, %out: f32):
    %s = arith.mulf %a, %b : f32
    linalg.yield %s : f32
  } -> tensor<8xf32>
  return %1 : tensor<8xf32>
}

// -----

// One that is read twice is computed once.

// CHECK-LABEL: func.func @two_users
// CHECK-COUNT-2: linalg.generic
#id = affine_map<(i) -> (i)>
func.func @two_users(%x: tensor<8xf32>) -> (tensor<8xf32>, tensor<8xf32>) {
  %e = tensor.empty() : tensor<8xf32>
  %0 = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel"]}
      ins(%x : tensor<8xf32>) outs(%e : tensor<8xf32>) {
  ^bb0(%a: f32, %out: f32):
    %s = arith.addf %a, %a : f32
    linalg.yield %s : f32
  } -> tensor<8xf32>
  %1 = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel"]}
      ins(%0 : tensor<8xf32>) outs(%e : tensor<8xf32>) {
  ^bb0(%a: f32, %out: f32):
    %s = arith.mulf %a, %a : f32
    linalg.yield %s : f32
  } -> tensor<8xf32>
  return %0, %1 : tensor<8xf32>, tensor<8xf32>
}
