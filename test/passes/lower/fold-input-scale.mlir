// RUN: graven-opt --graven-fold-input-scale --split-input-file %s | FileCheck %s

#id = affine_map<(n, c, y, x, l) -> (n, c, y, x, l)>
#channel = affine_map<(n, c, y, x, l) -> (n, c, 0, 0, l)>

// CHECK-DAG: #[[W:.*]] = affine_map<(d0, d1, d2, d3, d4, d5) -> (d0, d1, d2, d3, d4, d5)>
// CHECK-DAG: #[[S:.*]] = affine_map<(d0, d1, d2, d3, d4, d5) -> (0, d1, 0, 0, d4)>
// CHECK-LABEL: @multiplies_the_weights
//  CHECK-SAME: %[[X:.*]]: tensor<1x2x16x16x16xf32>, %[[SCALE:.*]]: tensor<1x2x1x1x16xf32>, %[[WEIGHTS:[^:]*]]:
//       CHECK: %[[V:.*]] = linalg.generic {indexing_maps = [#[[W]], #[[S]], #[[W]]]
//  CHECK-SAME:   ins(%[[WEIGHTS]], %[[SCALE]] :
//       CHECK:   arith.mulf
//   CHECK-NOT: linalg.generic
//       CHECK: kernel.conv ins(%[[X]], %[[V]] :
func.func @multiplies_the_weights(%x: tensor<1x2x16x16x16xf32>, %s: tensor<1x2x1x1x16xf32>,
    %w: tensor<1x2x1x1x16x16xf32>) -> tensor<1x1x16x16x16xf32> {
  %e = tensor.empty() : tensor<1x2x16x16x16xf32>
  %y = linalg.generic {indexing_maps = [#channel, #id, #id],
      iterator_types = ["parallel", "parallel", "parallel", "parallel", "parallel"]}
      ins(%s, %x : tensor<1x2x1x1x16xf32>, tensor<1x2x16x16x16xf32>) outs(%e : tensor<1x2x16x16x16xf32>) {
  ^bb0(%a: f32, %b: f32, %c: f32):
    %0 = arith.mulf %a, %b : f32
    linalg.yield %0 : f32
  } -> tensor<1x2x16x16x16xf32>
  %o = tensor.empty() : tensor<1x1x16x16x16xf32>
  %z = kernel.conv ins(%y, %w : tensor<1x2x16x16x16xf32>, tensor<1x2x1x1x16x16xf32>) outs(%o : tensor<1x1x16x16x16xf32>)
      attributes {in_channels = 20 : i64, out_channels = 16 : i64, strides = array<i64: 1, 1>,
                  dilations = array<i64: 1, 1>, tile = array<i64: 1, 6>, row_block = 8 : i64} -> tensor<1x1x16x16x16xf32>
  return %z : tensor<1x1x16x16x16xf32>
}

// -----

#id = affine_map<(n, c, y, x, l) -> (n, c, y, x, l)>
#channel = affine_map<(n, c, y, x, l) -> (n, c, 0, 0, l)>

// CHECK-LABEL: @keeps_the_product_with_another_user
//       CHECK: %[[Y:.*]] = linalg.generic
//       CHECK: kernel.conv ins(%[[Y]],
func.func @keeps_the_product_with_another_user(%x: tensor<1x2x16x16x16xf32>, %s: tensor<1x2x1x1x16xf32>,
    %w: tensor<1x2x1x1x16x16xf32>) -> (tensor<1x1x16x16x16xf32>, tensor<1x2x16x16x16xf32>) {
  %e = tensor.empty() : tensor<1x2x16x16x16xf32>
  %y = linalg.generic {indexing_maps = [#channel, #id, #id],
      iterator_types = ["parallel", "parallel", "parallel", "parallel", "parallel"]}
      ins(%s, %x : tensor<1x2x1x1x16xf32>, tensor<1x2x16x16x16xf32>) outs(%e : tensor<1x2x16x16x16xf32>) {
  ^bb0(%a: f32, %b: f32, %c: f32):
    %0 = arith.mulf %a, %b : f32
    linalg.yield %0 : f32
  } -> tensor<1x2x16x16x16xf32>
  %o = tensor.empty() : tensor<1x1x16x16x16xf32>
  %z = kernel.conv ins(%y, %w : tensor<1x2x16x16x16xf32>, tensor<1x2x1x1x16x16xf32>) outs(%o : tensor<1x1x16x16x16xf32>)
      attributes {in_channels = 32 : i64, out_channels = 16 : i64, strides = array<i64: 1, 1>,
                  dilations = array<i64: 1, 1>, tile = array<i64: 1, 6>, row_block = 8 : i64} -> tensor<1x1x16x16x16xf32>
  return %z, %y : tensor<1x1x16x16x16xf32>, tensor<1x2x16x16x16xf32>
}

// -----

#id = affine_map<(n, c, y, x, l) -> (n, c, y, x, l)>
#channel = affine_map<(n, c, y, x, l) -> (n, c, 0, 0, l)>

// CHECK-LABEL: @keeps_factors_of_several_images
//       CHECK: %[[Y:.*]] = linalg.generic
//       CHECK: kernel.conv ins(%[[Y]],
func.func @keeps_factors_of_several_images(%x: tensor<2x2x16x16x16xf32>, %s: tensor<2x2x1x1x16xf32>,
    %w: tensor<1x2x1x1x16x16xf32>) -> tensor<2x1x16x16x16xf32> {
  %e = tensor.empty() : tensor<2x2x16x16x16xf32>
  %y = linalg.generic {indexing_maps = [#channel, #id, #id],
      iterator_types = ["parallel", "parallel", "parallel", "parallel", "parallel"]}
      ins(%s, %x : tensor<2x2x1x1x16xf32>, tensor<2x2x16x16x16xf32>) outs(%e : tensor<2x2x16x16x16xf32>) {
  ^bb0(%a: f32, %b: f32, %c: f32):
    %0 = arith.mulf %a, %b : f32
    linalg.yield %0 : f32
  } -> tensor<2x2x16x16x16xf32>
  %o = tensor.empty() : tensor<2x1x16x16x16xf32>
  %z = kernel.conv ins(%y, %w : tensor<2x2x16x16x16xf32>, tensor<1x2x1x1x16x16xf32>) outs(%o : tensor<2x1x16x16x16xf32>)
      attributes {in_channels = 32 : i64, out_channels = 16 : i64, strides = array<i64: 1, 1>,
                  dilations = array<i64: 1, 1>, tile = array<i64: 1, 6>, row_block = 8 : i64} -> tensor<2x1x16x16x16xf32>
  return %z : tensor<2x1x16x16x16xf32>
}

// -----

#id = affine_map<(n, c, y, x, l) -> (n, c, y, x, l)>
#channel = affine_map<(n, c, y, x, l) -> (n, c, 0, 0, l)>

// CHECK-LABEL: @keeps_few_pixels
//       CHECK: %[[Y:.*]] = linalg.generic
//       CHECK: kernel.conv ins(%[[Y]],
func.func @keeps_few_pixels(%x: tensor<1x2x2x2x16xf32>, %s: tensor<1x2x1x1x16xf32>,
    %w: tensor<1x2x1x1x16x16xf32>) -> tensor<1x1x2x2x16xf32> {
  %e = tensor.empty() : tensor<1x2x2x2x16xf32>
  %y = linalg.generic {indexing_maps = [#channel, #id, #id],
      iterator_types = ["parallel", "parallel", "parallel", "parallel", "parallel"]}
      ins(%s, %x : tensor<1x2x1x1x16xf32>, tensor<1x2x2x2x16xf32>) outs(%e : tensor<1x2x2x2x16xf32>) {
  ^bb0(%a: f32, %b: f32, %c: f32):
    %0 = arith.mulf %a, %b : f32
    linalg.yield %0 : f32
  } -> tensor<1x2x2x2x16xf32>
  %o = tensor.empty() : tensor<1x1x2x2x16xf32>
  %z = kernel.conv ins(%y, %w : tensor<1x2x2x2x16xf32>, tensor<1x2x1x1x16x16xf32>) outs(%o : tensor<1x1x2x2x16xf32>)
      attributes {in_channels = 32 : i64, out_channels = 16 : i64, strides = array<i64: 1, 1>,
                  dilations = array<i64: 1, 1>, tile = array<i64: 1, 6>, row_block = 2 : i64} -> tensor<1x1x2x2x16xf32>
  return %z : tensor<1x1x2x2x16xf32>
}

// -----

#id = affine_map<(n, c, y, x, l) -> (n, c, y, x, l)>
#row = affine_map<(n, c, y, x, l) -> (n, c, y, 0, l)>

// CHECK-LABEL: @keeps_factors_of_rows
//       CHECK: %[[Y:.*]] = linalg.generic
//       CHECK: kernel.conv ins(%[[Y]],
func.func @keeps_factors_of_rows(%x: tensor<1x2x16x16x16xf32>, %s: tensor<1x2x16x1x16xf32>,
    %w: tensor<1x2x1x1x16x16xf32>) -> tensor<1x1x16x16x16xf32> {
  %e = tensor.empty() : tensor<1x2x16x16x16xf32>
  %y = linalg.generic {indexing_maps = [#row, #id, #id],
      iterator_types = ["parallel", "parallel", "parallel", "parallel", "parallel"]}
      ins(%s, %x : tensor<1x2x16x1x16xf32>, tensor<1x2x16x16x16xf32>) outs(%e : tensor<1x2x16x16x16xf32>) {
  ^bb0(%a: f32, %b: f32, %c: f32):
    %0 = arith.mulf %a, %b : f32
    linalg.yield %0 : f32
  } -> tensor<1x2x16x16x16xf32>
  %o = tensor.empty() : tensor<1x1x16x16x16xf32>
  %z = kernel.conv ins(%y, %w : tensor<1x2x16x16x16xf32>, tensor<1x2x1x1x16x16xf32>) outs(%o : tensor<1x1x16x16x16xf32>)
      attributes {in_channels = 32 : i64, out_channels = 16 : i64, strides = array<i64: 1, 1>,
                  dilations = array<i64: 1, 1>, tile = array<i64: 1, 6>, row_block = 8 : i64} -> tensor<1x1x16x16x16xf32>
  return %z : tensor<1x1x16x16x16xf32>
}

// -----

#id = affine_map<(n, c, y, x, l) -> (n, c, y, x, l)>
#channel = affine_map<(n, c, y, x, l) -> (n, c, 0, 0, l)>

// CHECK-LABEL: @keeps_sums
//       CHECK: %[[Y:.*]] = linalg.generic
//       CHECK: kernel.conv ins(%[[Y]],
func.func @keeps_sums(%x: tensor<1x2x16x16x16xf32>, %s: tensor<1x2x1x1x16xf32>,
    %w: tensor<1x2x1x1x16x16xf32>) -> tensor<1x1x16x16x16xf32> {
  %e = tensor.empty() : tensor<1x2x16x16x16xf32>
  %y = linalg.generic {indexing_maps = [#channel, #id, #id],
      iterator_types = ["parallel", "parallel", "parallel", "parallel", "parallel"]}
      ins(%s, %x : tensor<1x2x1x1x16xf32>, tensor<1x2x16x16x16xf32>) outs(%e : tensor<1x2x16x16x16xf32>) {
  ^bb0(%a: f32, %b: f32, %c: f32):
    %0 = arith.addf %a, %b : f32
    linalg.yield %0 : f32
  } -> tensor<1x2x16x16x16xf32>
  %o = tensor.empty() : tensor<1x1x16x16x16xf32>
  %z = kernel.conv ins(%y, %w : tensor<1x2x16x16x16xf32>, tensor<1x2x1x1x16x16xf32>) outs(%o : tensor<1x1x16x16x16xf32>)
      attributes {in_channels = 32 : i64, out_channels = 16 : i64, strides = array<i64: 1, 1>,
                  dilations = array<i64: 1, 1>, tile = array<i64: 1, 6>, row_block = 8 : i64} -> tensor<1x1x16x16x16xf32>
  return %z : tensor<1x1x16x16x16xf32>
}
