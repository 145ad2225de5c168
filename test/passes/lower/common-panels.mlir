// RUN: graven-opt %s --graven-common-panels="vector-bytes=32 vector-registers=16" | FileCheck %s
// RUN: graven-opt %s --graven-common-panels="processor=gpu vector-bytes=16 vector-registers=16" | FileCheck %s --check-prefix=GPU

// Tensor cores have panels of their own, whatever the rows are.
// GPU-LABEL: @widens_panels_of_a_parameter
// GPU: kernel.gemm {{.*}}tensor<1x12x768x64xf32>
// GPU-LABEL: @narrows_panels_of_few_columns
// GPU: kernel.gemm {{.*}}tensor<1x1x33x16xf32>
// GPU-LABEL: @keeps_panels_that_each_run_packs
// GPU: kernel.gemm {{.*}}tensor<1x48x768x16xf32>

// Panels of four vectors for 768 columns, whatever the rows are.
// CHECK-LABEL: @widens_panels_of_a_parameter
// CHECK: kernel.pack {{.*}} -> tensor<1x24x768x32xf32>
// CHECK-NOT: kernel.pack
// CHECK: kernel.gemm {{.*}}tensor<1x24x768x32xf32>{{.*}}mr = 6
func.func @widens_panels_of_a_parameter(%a: tensor<1x128x768xf32>, %w: tensor<1x768x768xf32> {graven.param = "w"}) -> tensor<1x128x768xf32> {
  %i = tensor.empty() : tensor<1x48x768x16xf32>
  %p = kernel.pack ins(%w : tensor<1x768x768xf32>) outs(%i : tensor<1x48x768x16xf32>) -> tensor<1x48x768x16xf32>
  %o = tensor.empty() : tensor<1x128x768xf32>
  %r = kernel.gemm ins(%a, %p : tensor<1x128x768xf32>, tensor<1x48x768x16xf32>) outs(%o : tensor<1x128x768xf32>)
      attributes {mr = 14 : i64, kc = 384 : i64} -> tensor<1x128x768xf32>
  return %r : tensor<1x128x768xf32>
}

// Seven columns fill a part of one vector only.
// CHECK-LABEL: @narrows_panels_of_few_columns
// CHECK: kernel.pack {{.*}}transposed} -> tensor<1x1x33x8xf32>
func.func @narrows_panels_of_few_columns(%a: tensor<1x1x33xf32>, %w: tensor<1x7x33xf32> {graven.param = "w"}) -> tensor<1x1x7xf32> {
  %i = tensor.empty() : tensor<1x1x33x32xf32>
  %p = kernel.pack ins(%w : tensor<1x7x33xf32>) outs(%i : tensor<1x1x33x32xf32>) {transposed} -> tensor<1x1x33x32xf32>
  %o = tensor.empty() : tensor<1x1x7xf32>
  %r = kernel.gemm ins(%a, %p : tensor<1x1x33xf32>, tensor<1x1x33x32xf32>) outs(%o : tensor<1x1x7xf32>)
      attributes {mr = 2 : i64, kc = 384 : i64} -> tensor<1x1x7xf32>
  return %r : tensor<1x1x7xf32>
}

// CHECK-LABEL: @keeps_panels_that_each_run_packs
// CHECK: kernel.gemm {{.*}}tensor<1x48x768x16xf32>{{.*}}mr = 14
func.func @keeps_panels_that_each_run_packs(%a: tensor<1x128x768xf32>, %w: tensor<1x768x768xf32>) -> tensor<1x128x768xf32> {
  %i = tensor.empty() : tensor<1x48x768x16xf32>
  %p = kernel.pack ins(%w : tensor<1x768x768xf32>) outs(%i : tensor<1x48x768x16xf32>) -> tensor<1x48x768x16xf32>
  %o = tensor.empty() : tensor<1x128x768xf32>
  %r = kernel.gemm ins(%a, %p : tensor<1x128x768xf32>, tensor<1x48x768x16xf32>) outs(%o : tensor<1x128x768xf32>)
      attributes {mr = 14 : i64, kc = 384 : i64} -> tensor<1x128x768xf32>
  return %r : tensor<1x128x768xf32>
}
