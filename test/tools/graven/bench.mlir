// The table of kernels: each launch with its Node, its share of the peak, and what stays in registers.
// RUN: rm -rf %t && mkdir -p %t
// RUN: graven bench %s --seconds 0.01 --per-kernel | FileCheck %s
// RUN: graven bench %s --seconds 0.01 --per-kernel --threads 2 --json | FileCheck %s --check-prefix=JSON
// RUN: graven compile %s -o %t/m.so
// RUN: not graven bench %t/m.so --seconds 0.01 --per-kernel 2>&1 | FileCheck %s --check-prefix=ARTIFACT
// CHECK: min {{[0-9.]+}} ms, median
// CHECK: us % GFLOP/s % peak GB/s tasks spills kernel
// CHECK-DAG: {{[0-9.]+ [0-9.]+ [0-9.]+ [0-9.]+ [0-9.]+ [0-9]+ [0-9]+}} kernel.gemm k_{{[0-9]+}} {{.*}}bench.mlir:[[#@LINE + 13]]
// CHECK-DAG: {{[0-9.]+ [0-9.]+ - - [0-9.]+ [0-9]+ [0-9]+}} kernel.softmax k_{{[0-9]+}} {{.*}}bench.mlir:[[#@LINE + 13]]
// CHECK: {{[0-9.]+}} 100.0 all kernels; the peak of a thread is {{[0-9.]+}} GFLOP/s
// JSON: "kernels": [
// JSON: "bytes": {{[0-9]+}}
// JSON: "kind": "kernel.gemm"
// JSON: "multiply_adds": 32768
// JSON: "times": 1
// JSON: "peak_gflops": {{[0-9.]+}}
// ARTIFACT: [GRV0004] --per-kernel needs a model, got an artifact
graven.param @w : tensor<64x16xf32> = dense<0.5> : tensor<64x16xf32>
graven.graph @forward(%x: tensor<32x64xf32> {graven.name = "x"}) -> (tensor<32x16xf32> {graven.name = "y"}) {
  %w = graven.get_param @w : tensor<64x16xf32>
  %0 = graven.matmul %x, %w : (tensor<32x64xf32>, tensor<64x16xf32>) -> tensor<32x16xf32>
  %1 = graven.softmax %0 axis 1 : tensor<32x16xf32>
  graven.return %1 : tensor<32x16xf32>
}
