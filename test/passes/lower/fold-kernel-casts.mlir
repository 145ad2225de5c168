// RUN: graven-opt --graven-fold-kernel-casts --canonicalize --split-input-file %s | FileCheck %s
// RUN: graven-opt --graven-fold-kernel-casts=f16-convert=false --canonicalize --split-input-file %s | FileCheck %s --check-prefix=NOHALF


// Both sides of a kernel, through reshapes.

// CHECK-LABEL: func.func @both_sides
//  CHECK-SAME: %[[X:.*]]: tensor<2x2x8xbf16>
//   CHECK-DAG: %[[FLAT:.*]] = tensor.collapse_shape %[[X]] {{.*}} : tensor<2x2x8xbf16> into tensor<4x8xbf16>
//   CHECK-DAG: %[[OUT:.*]] = tensor.empty() : tensor<4x8xbf16>
//       CHECK: %[[R:.*]] = kernel.softmax ins(%[[FLAT]] : tensor<4x8xbf16>) outs(%[[OUT]] : tensor<4x8xbf16>)
//       CHECK: tensor.expand_shape %[[R]]
//   CHECK-NOT: linalg
func.func @both_sides(%x: tensor<2x2x8xbf16>) -> tensor<2x2x8xbf16> {
  %e3 = tensor.empty() : tensor<2x2x8xf32>
  %w = linalg.generic {indexing_maps = [affine_map<(a, b, c) -> (a, b, c)>, affine_map<(a, b, c) -> (a, b, c)>], iterator_types = ["parallel", "parallel", "parallel"]}
      ins(%x : tensor<2x2x8xbf16>) outs(%e3 : tensor<2x2x8xf32>) {
  ^bb0(%in: bf16, %out: f32):
    %0 = arith.extf %in : bf16 to f32
    linalg.yield %0 : f32
  } -> tensor<2x2x8xf32>
  %flat = tensor.collapse_shape %w [[0, 1], [2]] : tensor<2x2x8xf32> into tensor<4x8xf32>
  %e = tensor.empty() : tensor<4x8xf32>
  %s = kernel.softmax ins(%flat : tensor<4x8xf32>) outs(%e : tensor<4x8xf32>) -> tensor<4x8xf32>
  %n = tensor.empty() : tensor<2x2x8xbf16>
  %wide = tensor.expand_shape %s [[0, 1], [2]] output_shape [2, 2, 8] : tensor<4x8xf32> into tensor<2x2x8xf32>
  %r = linalg.generic {indexing_maps = [affine_map<(a, b, c) -> (a, b, c)>, affine_map<(a, b, c) -> (a, b, c)>], iterator_types = ["parallel", "parallel", "parallel"]}
      ins(%wide : tensor<2x2x8xf32>) outs(%n : tensor<2x2x8xbf16>) {
  ^bb0(%in: f32, %out: bf16):
    %0 = arith.truncf %in : f32 to bf16
    linalg.yield %0 : bf16
  } -> tensor<2x2x8xbf16>
  return %r : tensor<2x2x8xbf16>
}

// -----

// Panels become narrow; the left-hand side, which is broadcast, stays wide.

// CHECK-LABEL: func.func @gemm
//  CHECK-SAME: %[[A:.*]]: tensor<1x4x8xf16>, %[[B:.*]]: tensor<1x8x16xf16>
//       CHECK: %[[WIDE:.*]] = linalg.generic {{.*}} ins(%[[A]]
//       CHECK: %[[P:.*]] = kernel.pack ins(%[[B]] : tensor<1x8x16xf16>) outs(%{{.*}} : tensor<1x1x8x16xf16>)
//       CHECK: kernel.gemm ins(%[[WIDE]], %[[P]] : tensor<1x4x8xf32>, tensor<1x1x8x16xf16>)
// NOHALF-LABEL: func.func @gemm
//       NOHALF: kernel.gemm ins(%{{.*}}, %{{.*}} : tensor<1x4x8xf32>, tensor<1x1x8x16xf32>)
#id3 = affine_map<(a, b, c) -> (a, b, c)>
func.func @gemm(%a: tensor<1x4x8xf16>, %b: tensor<1x8x16xf16>) -> tensor<1x4x16xf32> {
  %ea = tensor.empty() : tensor<1x4x8xf32>
  %wa = linalg.generic {indexing_maps = [#id3, #id3], iterator_types = ["parallel", "parallel", "parallel"]}
      ins(%a : tensor<1x4x8xf16>) outs(%ea : tensor<1x4x8xf32>) {
  ^bb0(%in: f16, %out: f32):
    %0 = arith.extf %in : f16 to f32
    linalg.yield %0 : f32
  } -> tensor<1x4x8xf32>
  %eb = tensor.empty() : tensor<1x8x16xf32>
  %wb = linalg.generic {indexing_maps = [#id3, #id3], iterator_types = ["parallel", "parallel", "parallel"]}
      ins(%b : tensor<1x8x16xf16>) outs(%eb : tensor<1x8x16xf32>) {
  ^bb0(%in: f16, %out: f32):
    %0 = arith.extf %in : f16 to f32
    linalg.yield %0 : f32
  } -> tensor<1x8x16xf32>
  %ep = tensor.empty() : tensor<1x1x8x16xf32>
  %p = kernel.pack ins(%wb : tensor<1x8x16xf32>) outs(%ep : tensor<1x1x8x16xf32>) -> tensor<1x1x8x16xf32>
  %eo = tensor.empty() : tensor<1x4x16xf32>
  %r = kernel.gemm ins(%wa, %p : tensor<1x4x8xf32>, tensor<1x1x8x16xf32>) outs(%eo : tensor<1x4x16xf32>) attributes {mr = 4 : i64, kc = 0 : i64} -> tensor<1x4x16xf32>
  return %r : tensor<1x4x16xf32>
}

// -----

// A matrix that is rounded to be packed is rounded by the packing.

// CHECK-LABEL: func.func @rounding_pack
//  CHECK-SAME: %[[X:.*]]: tensor<1x8x16xf32>
//       CHECK: kernel.pack ins(%[[X]] : tensor<1x8x16xf32>) outs(%{{.*}} : tensor<1x1x8x16xbf16>)
#id3 = affine_map<(a, b, c) -> (a, b, c)>
func.func @rounding_pack(%x: tensor<1x8x16xf32>) -> tensor<1x1x8x16xbf16> {
  %e = tensor.empty() : tensor<1x8x16xbf16>
  %n = linalg.generic {indexing_maps = [#id3, #id3], iterator_types = ["parallel", "parallel", "parallel"]}
      ins(%x : tensor<1x8x16xf32>) outs(%e : tensor<1x8x16xbf16>) {
  ^bb0(%in: f32, %out: bf16):
    %0 = arith.truncf %in : f32 to bf16
    linalg.yield %0 : bf16
  } -> tensor<1x8x16xbf16>
  %ep = tensor.empty() : tensor<1x1x8x16xbf16>
  %p = kernel.pack ins(%n : tensor<1x8x16xbf16>) outs(%ep : tensor<1x1x8x16xbf16>) -> tensor<1x1x8x16xbf16>
  return %p : tensor<1x1x8x16xbf16>
}

// -----

// A second user needs what was not rounded.

// CHECK-LABEL: func.func @keeps_a_result_with_two_users
//       CHECK: kernel.softmax {{.*}} outs(%{{.*}} : tensor<4x8xf32>)
//       CHECK: arith.truncf
#id = affine_map<(d0, d1) -> (d0, d1)>
func.func @keeps_a_result_with_two_users(%x: tensor<4x8xf32>) -> (tensor<4x8xf32>, tensor<4x8xbf16>) {
  %e = tensor.empty() : tensor<4x8xf32>
  %s = kernel.softmax ins(%x : tensor<4x8xf32>) outs(%e : tensor<4x8xf32>) -> tensor<4x8xf32>
  %n = tensor.empty() : tensor<4x8xbf16>
  %r = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel"]}
      ins(%s : tensor<4x8xf32>) outs(%n : tensor<4x8xbf16>) {
  ^bb0(%in: f32, %out: bf16):
    %0 = arith.truncf %in : f32 to bf16
    linalg.yield %0 : bf16
  } -> tensor<4x8xbf16>
  return %s, %r : tensor<4x8xf32>, tensor<4x8xbf16>
}

// -----

// A nest that does more than convert stays, and so does one that transposes.

// CHECK-LABEL: func.func @keeps_a_nest_that_computes
//       CHECK: arith.extf
//       CHECK: arith.extf
//       CHECK: kernel.softmax ins(%{{.*}} : tensor<4x8xf32>)
//       CHECK: kernel.softmax ins(%{{.*}} : tensor<4x8xf32>)
#id = affine_map<(d0, d1) -> (d0, d1)>
#swap = affine_map<(d0, d1) -> (d1, d0)>
func.func @keeps_a_nest_that_computes(%x: tensor<4x8xbf16>, %t: tensor<8x4xbf16>) -> (tensor<4x8xf32>, tensor<4x8xf32>) {
  %e = tensor.empty() : tensor<4x8xf32>
  %a = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel"]}
      ins(%x : tensor<4x8xbf16>) outs(%e : tensor<4x8xf32>) {
  ^bb0(%in: bf16, %out: f32):
    %0 = arith.extf %in : bf16 to f32
    %1 = arith.addf %0, %0 : f32
    linalg.yield %1 : f32
  } -> tensor<4x8xf32>
  %b = linalg.generic {indexing_maps = [#swap, #id], iterator_types = ["parallel", "parallel"]}
      ins(%t : tensor<8x4xbf16>) outs(%e : tensor<4x8xf32>) {
  ^bb0(%in: bf16, %out: f32):
    %0 = arith.extf %in : bf16 to f32
    linalg.yield %0 : f32
  } -> tensor<4x8xf32>
  %r = kernel.softmax ins(%a : tensor<4x8xf32>) outs(%e : tensor<4x8xf32>) -> tensor<4x8xf32>
  %s = kernel.softmax ins(%b : tensor<4x8xf32>) outs(%e : tensor<4x8xf32>) -> tensor<4x8xf32>
  return %r, %s : tensor<4x8xf32>, tensor<4x8xf32>
}
