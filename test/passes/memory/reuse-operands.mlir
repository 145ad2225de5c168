// RUN: graven-opt --graven-reuse-operands --split-input-file %s | FileCheck %s

#id = affine_map<(d0, d1) -> (d0, d1)>
#row = affine_map<(d0, d1) -> (d1)>

// The first operand that dies becomes the destination and leaves the inputs.

// CHECK-LABEL: @dies_here
//  CHECK-SAME: %[[X:.*]]: tensor<4x4xf32>, %[[B:.*]]: tensor<4xf32>
//       CHECK: %[[T:.*]] = linalg.exp
//       CHECK: %[[R:.*]] = linalg.generic {indexing_maps = [#{{.*}}, #{{.*}}, #{{.*}}], {{.*}}} ins(%[[X]], %[[B]] : {{.*}}) outs(%[[T]] : tensor<4x4xf32>)
//       CHECK: ^bb0(%[[IN:.*]]: f32, %[[BIAS:.*]]: f32, %[[OUT:.*]]: f32):
//       CHECK:   %[[D:.*]] = arith.subf %[[IN]], %[[OUT]]
//       CHECK:   arith.addf %[[D]], %[[BIAS]]
//       CHECK: return %[[R]]
func.func @dies_here(%x: tensor<4x4xf32>, %b: tensor<4xf32>) -> tensor<4x4xf32> {
  %e = tensor.empty() : tensor<4x4xf32>
  %t = linalg.exp ins(%x : tensor<4x4xf32>) outs(%e : tensor<4x4xf32>) -> tensor<4x4xf32>
  %r = linalg.generic {indexing_maps = [#id, #id, #row, #id], iterator_types = ["parallel", "parallel"]}
      ins(%x, %t, %b : tensor<4x4xf32>, tensor<4x4xf32>, tensor<4xf32>) outs(%e : tensor<4x4xf32>) {
  ^bb0(%p: f32, %q: f32, %c: f32, %o: f32):
    %d = arith.subf %p, %q : f32
    %s = arith.addf %d, %c : f32
    linalg.yield %s : f32
  } -> tensor<4x4xf32>
  return %r : tensor<4x4xf32>
}

// -----

// Through a reshape, and one after the other.

#flat = affine_map<(d0) -> (d0)>

// CHECK-LABEL: @chain
//       CHECK: %[[T:.*]] = linalg.exp
//       CHECK: %[[F:.*]] = tensor.collapse_shape %[[T]]
//       CHECK: %[[A:.*]] = linalg.generic {{.*}} outs(%[[F]] : tensor<16xf32>)
//       CHECK: linalg.generic {{.*}} outs(%[[A]] : tensor<16xf32>)
func.func @chain(%x: tensor<4x4xf32>) -> tensor<16xf32> {
  %e = tensor.empty() : tensor<4x4xf32>
  %t = linalg.exp ins(%x : tensor<4x4xf32>) outs(%e : tensor<4x4xf32>) -> tensor<4x4xf32>
  %f = tensor.collapse_shape %t [[0, 1]] : tensor<4x4xf32> into tensor<16xf32>
  %e1 = tensor.empty() : tensor<16xf32>
  %a = linalg.generic {indexing_maps = [#flat, #flat], iterator_types = ["parallel"]}
      ins(%f : tensor<16xf32>) outs(%e1 : tensor<16xf32>) {
  ^bb0(%p: f32, %o: f32):
    %n = arith.negf %p : f32
    linalg.yield %n : f32
  } -> tensor<16xf32>
  %b = linalg.generic {indexing_maps = [#flat, #flat], iterator_types = ["parallel"]}
      ins(%a : tensor<16xf32>) outs(%e1 : tensor<16xf32>) {
  ^bb0(%p: f32, %o: f32):
    %n = arith.negf %p : f32
    linalg.yield %n : f32
  } -> tensor<16xf32>
  return %b : tensor<16xf32>
}

// -----

#id = affine_map<(d0, d1) -> (d0, d1)>

// An argument belongs to the caller, and a value with another use is needed.

// CHECK-LABEL: @not_owned
// CHECK-COUNT-2: linalg.generic {{.*}} outs(%[[E:[0-9]+]] : tensor<4x4xf32>)
func.func @not_owned(%x: tensor<4x4xf32>) -> (tensor<4x4xf32>, tensor<4x4xf32>) {
  %e = tensor.empty() : tensor<4x4xf32>
  %a = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel"]}
      ins(%x : tensor<4x4xf32>) outs(%e : tensor<4x4xf32>) {
  ^bb0(%p: f32, %o: f32):
    %n = arith.negf %p : f32
    linalg.yield %n : f32
  } -> tensor<4x4xf32>
  %b = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel"]}
      ins(%a : tensor<4x4xf32>) outs(%e : tensor<4x4xf32>) {
  ^bb0(%p: f32, %o: f32):
    %n = arith.negf %p : f32
    linalg.yield %n : f32
  } -> tensor<4x4xf32>
  return %a, %b : tensor<4x4xf32>, tensor<4x4xf32>
}

// -----

#id = affine_map<(d0, d1) -> (d0, d1)>
#swap = affine_map<(d0, d1) -> (d1, d0)>

// Another map (an element would be overwritten before it is read), a slice, a
// reduction, a destination that is read.

// CHECK-LABEL: @refused
//       CHECK: %[[E:.*]] = tensor.empty()
//       CHECK: linalg.generic {{.*}} outs(%[[E]] : tensor<4x4xf32>)
//       CHECK: %[[S:.*]] = tensor.extract_slice
//       CHECK: linalg.generic {{.*}} ins(%[[S]] : {{.*}}) outs(%[[E]] : tensor<4x4xf32>)
//       CHECK: %[[T:.*]] = linalg.exp
//       CHECK: linalg.generic {{.*}} ins(%[[T]] : {{.*}}) outs(%{{.*}} : tensor<4xf32>)
func.func @refused(%x: tensor<4x4xf32>) -> (tensor<4x4xf32>, tensor<4x4xf32>, tensor<4xf32>) {
  %c = arith.constant 0.0 : f32
  %e = tensor.empty() : tensor<4x4xf32>
  %t = linalg.exp ins(%x : tensor<4x4xf32>) outs(%e : tensor<4x4xf32>) -> tensor<4x4xf32>
  %a = linalg.generic {indexing_maps = [#swap, #id], iterator_types = ["parallel", "parallel"]}
      ins(%t : tensor<4x4xf32>) outs(%e : tensor<4x4xf32>) {
  ^bb0(%p: f32, %o: f32):
    linalg.yield %p : f32
  } -> tensor<4x4xf32>
  %big = tensor.empty() : tensor<8x4xf32>
  %u = linalg.fill ins(%c : f32) outs(%big : tensor<8x4xf32>) -> tensor<8x4xf32>
  %s = tensor.extract_slice %u[4, 0] [4, 4] [1, 1] : tensor<8x4xf32> to tensor<4x4xf32>
  %b = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel"]}
      ins(%s : tensor<4x4xf32>) outs(%e : tensor<4x4xf32>) {
  ^bb0(%p: f32, %o: f32):
    linalg.yield %p : f32
  } -> tensor<4x4xf32>
  %v = linalg.exp ins(%x : tensor<4x4xf32>) outs(%e : tensor<4x4xf32>) -> tensor<4x4xf32>
  %z = tensor.empty() : tensor<4xf32>
  %f = linalg.fill ins(%c : f32) outs(%z : tensor<4xf32>) -> tensor<4xf32>
  %r = linalg.generic {indexing_maps = [#id, affine_map<(d0, d1) -> (d0)>], iterator_types = ["parallel", "reduction"]}
      ins(%v : tensor<4x4xf32>) outs(%f : tensor<4xf32>) {
  ^bb0(%p: f32, %o: f32):
    %n = arith.addf %p, %o : f32
    linalg.yield %n : f32
  } -> tensor<4xf32>
  return %a, %b, %r : tensor<4x4xf32>, tensor<4x4xf32>, tensor<4xf32>
}
