// Any pass, and any pattern of any driver, can be left out by its name.
// RUN: graven-opt --graven-fuse-conv-bn --cse %s | FileCheck %s --check-prefix=ALL
// RUN: graven-opt --graven-fuse-conv-bn --cse --disable-pass graven-fuse-conv-bn %s 2>&1 | FileCheck %s --check-prefix=PASS
// RUN: graven-opt --graven-fuse-conv-bn --cse --disable-pass cse %s 2>&1 | FileCheck %s --check-prefix=CSE
// RUN: graven-opt --graven-fuse-conv-bn --cse --disable-pattern 'FuseIntoConv<ConvOp>,ExpandBatchNorm' %s 2>&1 \
// RUN:   | FileCheck %s --check-prefix=PATTERN
// RUN: graven-opt --graven-fuse-conv-bn --cse --disable-pattern FuseIntoConv --disable-pattern ExpandBatchNorm %s 2>&1 \
// RUN:   | FileCheck %s --check-prefix=PATTERN
// RUN: graven-opt --graven-fuse-conv-bn --disable-pass canonicalise --disable-pattern FuseIntoCon %s -o %t.mlir 2>&1 \
// RUN:   | FileCheck %s --check-prefix=UNKNOWN
// RUN: graven compile %s --to graph --disable-pass graven-fuse-conv-bn -o %t.mlir 2>&1 | count 0
// RUN: FileCheck %s --check-prefix=COMPILED --input-file %t.mlir
// RUN: graven compile %s --to graph --disable-pattern FuseIntoConv,ExpandBatchNorm -o %t.mlir 2>&1 | count 0
// RUN: FileCheck %s --check-prefix=COMPILED --input-file %t.mlir
// RUN: graven compile %s --to graph --disable-pass fuse-conv-bn -o %t.mlir 2>&1 | FileCheck %s --check-prefix=MISSPELT

//     ALL-NOT: graven.batch_norm
//         ALL: graven.sqrt
//     ALL-NOT: graven.batch_norm
// ALL-COUNT-1: graven.relu
//     ALL-NOT: graven.relu

// PASS-NOT: warning
//     PASS: graven.batch_norm
// PASS-COUNT-1: graven.relu
// PASS-NOT: graven.relu

// CSE-NOT: graven.batch_norm
// CSE-COUNT-2: graven.relu

// PATTERN-NOT: warning
//     PATTERN: graven.batch_norm
// PATTERN-COUNT-1: graven.relu
// PATTERN-NOT: graven.relu

// UNKNOWN-DAG: warning: --disable-pass: no pass 'canonicalise' was about to run
// UNKNOWN-DAG: warning: --disable-pattern: no pattern 'FuseIntoCon' was about to be applied
// MISSPELT: graven: warning: --disable-pass: no pass 'fuse-conv-bn' was about to run

// COMPILED: graven.batch_norm

graven.param @w : tensor<4x3x3x3xf32> = dense<0.3> : tensor<4x3x3x3xf32>
graven.param @s : tensor<4xf32> = dense<0.5> : tensor<4xf32>
graven.graph @forward(%x: tensor<1x3x5x5xf32>) -> (tensor<1x4x3x3xf32>, tensor<1x4x3x3xf32>) {
  %w = graven.get_param @w : tensor<4x3x3x3xf32>
  %s = graven.get_param @s : tensor<4xf32>
  %0 = graven.conv %x, %w strides [1, 1] dilations [1, 1] pads [0, 0, 0, 0] : (tensor<1x3x5x5xf32>, tensor<4x3x3x3xf32>) -> tensor<1x4x3x3xf32>
  %1 = graven.batch_norm %0 scale %s bias %s mean %s variance %s epsilon 1.0e-3 : (tensor<1x4x3x3xf32>, tensor<4xf32>, tensor<4xf32>, tensor<4xf32>, tensor<4xf32>) -> tensor<1x4x3x3xf32>
  %2 = graven.relu %1 : tensor<1x4x3x3xf32>
  %3 = graven.relu %1 : tensor<1x4x3x3xf32>
  graven.return %2, %3 : tensor<1x4x3x3xf32>, tensor<1x4x3x3xf32>
}
