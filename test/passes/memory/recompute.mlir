// RUN: graven-opt --graven-recompute --split-input-file %s | FileCheck %s

#id = affine_map<(d0) -> (d0)>
#wide = affine_map<(d0, d1) -> (d0)>
#two = affine_map<(d0, d1) -> (d0, d1)>

// %r waits for its last reader while the wide tensors are there.

// CHECK-LABEL: @waits(
//  CHECK-SAME:   %[[X:.*]]: tensor<64xf32>
//       CHECK:   %[[R:.*]] = linalg.generic {{.*}} ins(%[[X]] : tensor<64xf32>)
//       CHECK:   %[[V:.*]] = linalg.generic {{.*}} ins(%[[R]] : tensor<64xf32>) outs(%{{.*}} : tensor<64x64xf32>)
//       CHECK:   %[[W:.*]] = linalg.generic {{.*}} ins(%[[V]] : tensor<64x64xf32>)
//       CHECK:   linalg.reduce ins(%[[W]] : tensor<64x64xf32>)
//       CHECK:   %[[S:.*]] = linalg.generic {{.*}} ins(%[[X]] : tensor<64xf32>)
//       CHECK:     arith.mulf
//       CHECK:   linalg.generic {{.*}} ins(%{{.*}}, %[[S]] : tensor<64xf32>, tensor<64xf32>)
func.func @waits(%x: tensor<64xf32>) -> tensor<64xf32> {
  %zero = arith.constant dense<0.0> : tensor<64xf32>
  %e = tensor.empty() : tensor<64xf32>
  %f = tensor.empty() : tensor<64x64xf32>
  %r = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel"]} ins(%x : tensor<64xf32>) outs(%e : tensor<64xf32>) {
  ^bb0(%a: f32, %o: f32):
    %m = arith.mulf %a, %a : f32
    linalg.yield %m : f32
  } -> tensor<64xf32>
  %v = linalg.generic {indexing_maps = [#wide, #two], iterator_types = ["parallel", "parallel"]} ins(%r : tensor<64xf32>) outs(%f : tensor<64x64xf32>) {
  ^bb0(%a: f32, %o: f32):
    %m = math.exp %a : f32
    linalg.yield %m : f32
  } -> tensor<64x64xf32>
  %w = linalg.generic {indexing_maps = [#two, #two], iterator_types = ["parallel", "parallel"]} ins(%v : tensor<64x64xf32>) outs(%f : tensor<64x64xf32>) {
  ^bb0(%a: f32, %o: f32):
    %m = math.exp %a : f32
    linalg.yield %m : f32
  } -> tensor<64x64xf32>
  %s = linalg.reduce ins(%w : tensor<64x64xf32>) outs(%zero : tensor<64xf32>) dimensions = [1] (%a: f32, %o: f32) {
    %m = arith.addf %a, %o : f32
    linalg.yield %m : f32
  }
  %t = linalg.generic {indexing_maps = [#id, #id, #id], iterator_types = ["parallel"]} ins(%s, %r : tensor<64xf32>, tensor<64xf32>) outs(%e : tensor<64xf32>) {
  ^bb0(%a: f32, %b: f32, %o: f32):
    %m = arith.addf %a, %b : f32
    linalg.yield %m : f32
  } -> tensor<64xf32>
  return %t : tensor<64xf32>
}

// -----

#id = affine_map<(d0) -> (d0)>
#wide = affine_map<(d0, d1) -> (d0)>
#two = affine_map<(d0, d1) -> (d0, d1)>

// Kept: a function is not cheap.

// CHECK-LABEL: @function(
//       CHECK:   %[[R:.*]] = linalg.generic
//       CHECK:   linalg.generic {{.*}} ins(%{{.*}}, %[[R]] : tensor<64xf32>, tensor<64xf32>)
func.func @function(%x: tensor<64xf32>) -> tensor<64xf32> {
  %zero = arith.constant dense<0.0> : tensor<64xf32>
  %e = tensor.empty() : tensor<64xf32>
  %f = tensor.empty() : tensor<64x64xf32>
  %r = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel"]} ins(%x : tensor<64xf32>) outs(%e : tensor<64xf32>) {
  ^bb0(%a: f32, %o: f32):
    %m = math.exp %a : f32
    linalg.yield %m : f32
  } -> tensor<64xf32>
  %v = linalg.generic {indexing_maps = [#wide, #two], iterator_types = ["parallel", "parallel"]} ins(%r : tensor<64xf32>) outs(%f : tensor<64x64xf32>) {
  ^bb0(%a: f32, %o: f32):
    linalg.yield %a : f32
  } -> tensor<64x64xf32>
  %w = linalg.generic {indexing_maps = [#two, #two], iterator_types = ["parallel", "parallel"]} ins(%v : tensor<64x64xf32>) outs(%f : tensor<64x64xf32>) {
  ^bb0(%a: f32, %o: f32):
    %m = math.exp %a : f32
    linalg.yield %m : f32
  } -> tensor<64x64xf32>
  %s = linalg.reduce ins(%w : tensor<64x64xf32>) outs(%zero : tensor<64xf32>) dimensions = [1] (%a: f32, %o: f32) {
    %m = arith.addf %a, %o : f32
    linalg.yield %m : f32
  }
  %t = linalg.generic {indexing_maps = [#id, #id, #id], iterator_types = ["parallel"]} ins(%s, %r : tensor<64xf32>, tensor<64xf32>) outs(%e : tensor<64xf32>) {
  ^bb0(%a: f32, %b: f32, %o: f32):
    %m = arith.addf %a, %b : f32
    linalg.yield %m : f32
  } -> tensor<64xf32>
  return %t : tensor<64xf32>
}

// -----

#id = affine_map<(d0) -> (d0)>
#wide = affine_map<(d0, d1) -> (d0)>
#two = affine_map<(d0, d1) -> (d0, d1)>

// Kept: what it is computed from (of the same size) would wait instead.

// CHECK-LABEL: @operand_waits(
//       CHECK:   linalg.generic
//       CHECK:   %[[R:.*]] = linalg.generic
//       CHECK:   linalg.generic {{.*}} ins(%{{.*}}, %[[R]] : tensor<64xf32>, tensor<64xf32>)
func.func @operand_waits(%x: tensor<64xf32>) -> tensor<64xf32> {
  %zero = arith.constant dense<0.0> : tensor<64xf32>
  %e = tensor.empty() : tensor<64xf32>
  %f = tensor.empty() : tensor<64x64xf32>
  %q = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel"]} ins(%x : tensor<64xf32>) outs(%e : tensor<64xf32>) {
  ^bb0(%a: f32, %o: f32):
    %m = math.exp %a : f32
    linalg.yield %m : f32
  } -> tensor<64xf32>
  %r = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel"]} ins(%q : tensor<64xf32>) outs(%e : tensor<64xf32>) {
  ^bb0(%a: f32, %o: f32):
    %m = arith.mulf %a, %a : f32
    linalg.yield %m : f32
  } -> tensor<64xf32>
  %v = linalg.generic {indexing_maps = [#wide, #two], iterator_types = ["parallel", "parallel"]} ins(%r : tensor<64xf32>) outs(%f : tensor<64x64xf32>) {
  ^bb0(%a: f32, %o: f32):
    %m = math.exp %a : f32
    linalg.yield %m : f32
  } -> tensor<64x64xf32>
  %w = linalg.generic {indexing_maps = [#two, #two], iterator_types = ["parallel", "parallel"]} ins(%v : tensor<64x64xf32>) outs(%f : tensor<64x64xf32>) {
  ^bb0(%a: f32, %o: f32):
    %m = math.exp %a : f32
    linalg.yield %m : f32
  } -> tensor<64x64xf32>
  %s = linalg.reduce ins(%w : tensor<64x64xf32>) outs(%zero : tensor<64xf32>) dimensions = [1] (%a: f32, %o: f32) {
    %m = arith.addf %a, %o : f32
    linalg.yield %m : f32
  }
  %t = linalg.generic {indexing_maps = [#id, #id, #id], iterator_types = ["parallel"]} ins(%s, %r : tensor<64xf32>, tensor<64xf32>) outs(%e : tensor<64xf32>) {
  ^bb0(%a: f32, %b: f32, %o: f32):
    %m = arith.addf %a, %b : f32
    linalg.yield %m : f32
  } -> tensor<64xf32>
  return %t : tensor<64xf32>
}

// -----

#id = affine_map<(d0) -> (d0)>

// Kept: it is read where memory is fullest.

// CHECK-LABEL: @read_at_the_peak(
//       CHECK:   %[[R:.*]] = linalg.generic
//       CHECK:   %[[S:.*]] = linalg.generic {{.*}} ins(%[[R]] : tensor<64xf32>)
//       CHECK:   linalg.generic {{.*}} ins(%[[S]], %[[R]] : tensor<64xf32>, tensor<64xf32>)
func.func @read_at_the_peak(%x: tensor<64xf32>) -> tensor<64xf32> {
  %e = tensor.empty() : tensor<64xf32>
  %r = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel"]} ins(%x : tensor<64xf32>) outs(%e : tensor<64xf32>) {
  ^bb0(%a: f32, %o: f32):
    %m = arith.mulf %a, %a : f32
    linalg.yield %m : f32
  } -> tensor<64xf32>
  %s = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel"]} ins(%r : tensor<64xf32>) outs(%e : tensor<64xf32>) {
  ^bb0(%a: f32, %o: f32):
    %m = math.exp %a : f32
    linalg.yield %m : f32
  } -> tensor<64xf32>
  %t = linalg.generic {indexing_maps = [#id, #id, #id], iterator_types = ["parallel"]} ins(%s, %r : tensor<64xf32>, tensor<64xf32>) outs(%e : tensor<64xf32>) {
  ^bb0(%a: f32, %b: f32, %o: f32):
    %m = arith.addf %a, %b : f32
    linalg.yield %m : f32
  } -> tensor<64xf32>
  return %t : tensor<64xf32>
}
