// RUN: graven-opt %s --graven-to-kernel="processor=gpu vector-bytes=16 vector-registers=16" -split-input-file | FileCheck %s
// RUN: graven-opt %s --graven-to-kernel="vector-bytes=16 vector-registers=16" -split-input-file | FileCheck %s --check-prefix=CPU

// Panels for tensor cores have 64 columns; bf16 is multiplied as it is, and not in pairs.

// CHECK-LABEL: func.func @product
//       CHECK:   kernel.pack ins(%{{.*}} : tensor<1x96x200xbf16>) outs(%{{.*}} : tensor<1x4x96x64xbf16>)
//       CHECK:   kernel.gemm ins(%{{.*}}, %{{.*}} : tensor<1x40x96xbf16>, tensor<1x4x96x64xbf16>)
//  CHECK-SAME:     outs(%{{.*}} : tensor<1x40x200xf32>)
// CPU-LABEL: func.func @product
//       CPU:   kernel.gemm ins(%{{.*}}, %{{.*}} : tensor<1x40x96xf32>
graven.graph @product(%x: tensor<40x96xbf16>, %w: tensor<96x200xbf16>) -> tensor<40x200xbf16> {
  %0 = graven.matmul %x, %w : (tensor<40x96xbf16>, tensor<96x200xbf16>) -> tensor<40x200xbf16>
  graven.return %0 : tensor<40x200xbf16>
}

// -----

// One tile of rows has narrow panels, so that there are more blocks; few columns have them, too.

// CHECK-LABEL: func.func @row
//       CHECK:   kernel.gemm ins(%{{.*}}, %{{.*}} : tensor<1x1x96xf32>, tensor<1x64x96x16xf32>)
graven.graph @row(%x: tensor<1x96xf32>, %w: tensor<96x1024xf32>) -> tensor<1x1024xf32> {
  %0 = graven.matmul %x, %w : (tensor<1x96xf32>, tensor<96x1024xf32>) -> tensor<1x1024xf32>
  graven.return %0 : tensor<1x1024xf32>
}

// -----

// CHECK-LABEL: func.func @classes
//       CHECK:   kernel.gemm ins(%{{.*}}, %{{.*}} : tensor<1x400x96xf32>, tensor<1x1x96x32xf32>)
graven.graph @classes(%x: tensor<400x96xf32>, %w: tensor<96x20xf32>) -> tensor<400x20xf32> {
  %0 = graven.matmul %x, %w : (tensor<400x96xf32>, tensor<96x20xf32>) -> tensor<400x20xf32>
  graven.return %0 : tensor<400x20xf32>
}

// -----

// f64 has the panels of single threads.

// CHECK-LABEL: func.func @double
//       CHECK:   kernel.gemm ins(%{{.*}}, %{{.*}} : tensor<1x400x96xf64>, tensor<1x5x96x4xf64>)
graven.graph @double(%x: tensor<400x96xf64>, %w: tensor<96x20xf64>) -> tensor<400x20xf64> {
  %0 = graven.matmul %x, %w : (tensor<400x96xf64>, tensor<96x20xf64>) -> tensor<400x20xf64>
  graven.return %0 : tensor<400x20xf64>
}

// -----

// Output channels of a convolution are panels, too, those of one group at most; f16 stays as it is.

// CHECK-LABEL: func.func @groups
//       CHECK:   kernel.conv ins(%{{.*}}, %{{.*}} : tensor<1x4x9x9x16xf16>, tensor<2x2x3x3x16x32xf16>)
graven.graph @groups(%x: tensor<1x4x9x9x16xf16>, %w: tensor<64x32x3x3xf16>) -> tensor<1x4x7x7x16xf16> {
  %0 = graven.conv %x, %w strides [1, 1] dilations [1, 1] pads [0, 0, 0, 0] groups 2 layout nchw16c channels 64
      : (tensor<1x4x9x9x16xf16>, tensor<64x32x3x3xf16>) -> tensor<1x4x7x7x16xf16>
  graven.return %0 : tensor<1x4x7x7x16xf16>
}
