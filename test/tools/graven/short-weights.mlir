// What makes the weights runs once: where it only moves few elements, its kernels are in its module, and compiled fast.
// Products, and what goes on for longer, have kernels like the model's.
// RUN: split-file %s %t
// RUN: graven compile %t/moved.mlir --no-cache --time-report -o %t/moved.so 2>&1 | FileCheck %s --check-prefix=MOVED
// RUN: graven verify %t/moved.mlir | FileCheck %s --check-prefix=VALUES
// RUN: graven compile %t/product.mlir --no-cache --time-report -o %t/product.so 2>&1 | FileCheck %s --check-prefix=OBJECTS
// RUN: graven verify %t/product.mlir | FileCheck %s --check-prefix=VALUES
// RUN: graven compile %t/large.mlir --no-cache --time-report -o %t/large.so 2>&1 | FileCheck %s --check-prefix=OBJECTS
// MOVED: {{ weights}}
// MOVED-NOT: compile kernels
// MOVED: {{ link$}}
// VALUES: the same
// OBJECTS: {{ weights}}
// OBJECTS: compile kernels
// OBJECTS: {{ link$}}

//--- moved.mlir
graven.param @w : tensor<24x16xf32> = dense<0.5> : tensor<24x16xf32>
graven.graph @forward(%x: tensor<8x16xf32> {graven.name = "x"}) -> tensor<8x24xf32> {
  %w = graven.get_param @w : tensor<24x16xf32>
  %y = graven.matmul %x, %w transpose_b : (tensor<8x16xf32>, tensor<24x16xf32>) -> tensor<8x24xf32>
  graven.return %y : tensor<8x24xf32>
}

//--- product.mlir
graven.param @v : tensor<40x16xf32> = dense<0.25> : tensor<40x16xf32>
graven.param @w : tensor<40x24xf32> = dense<0.5> : tensor<40x24xf32>
graven.graph @forward(%x: tensor<8x16xf32> {graven.name = "x"}) -> tensor<8x24xf32> {
  %v = graven.get_param @v : tensor<40x16xf32>
  %w = graven.get_param @w : tensor<40x24xf32>
  %p = graven.matmul %v, %w transpose_a : (tensor<40x16xf32>, tensor<40x24xf32>) -> tensor<16x24xf32>
  %y = graven.matmul %x, %p : (tensor<8x16xf32>, tensor<16x24xf32>) -> tensor<8x24xf32>
  graven.return %y : tensor<8x24xf32>
}

//--- large.mlir
graven.param @w : tensor<1024x1024xf32> = dense<0.5> : tensor<1024x1024xf32>
graven.graph @forward(%x: tensor<8x1024xf32> {graven.name = "x"}) -> tensor<8x1024xf32> {
  %w = graven.get_param @w : tensor<1024x1024xf32>
  %y = graven.matmul %x, %w transpose_b : (tensor<8x1024xf32>, tensor<1024x1024xf32>) -> tensor<8x1024xf32>
  graven.return %y : tensor<8x1024xf32>
}
