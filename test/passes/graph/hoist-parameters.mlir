// RUN: graven-opt --graven-hoist-parameters --split-input-file %s | FileCheck %s

// What is computed from Parameters alone moves with the constants it reads; @forward reads it as a Parameter, named
// after the one it has the size of.

// CHECK: graven.param @w : tensor<2x3xf32>
// CHECK: graven.param @w.prepared : tensor<2x3xf32> = #graven.prepared<0>
// CHECK-LABEL: graven.graph @prepare() -> tensor<2x3xf32>
//       CHECK: %[[S:.*]] = graven.get_param @s
//       CHECK: %[[C:.*]] = graven.constant
//       CHECK: %[[SUM:.*]] = graven.add %[[S]], %[[C]]
//       CHECK: %[[ROOT:.*]] = graven.sqrt %[[SUM]]
//       CHECK: %[[W:.*]] = graven.get_param @w :
//       CHECK: %[[OUT:.*]] = graven.mul %[[ROOT]], %[[W]]
//       CHECK: graven.return %[[OUT]]
// CHECK-LABEL: graven.graph @forward
//       CHECK: %[[P:.*]] = graven.get_param @w.prepared
//  CHECK-NEXT: %[[Y:.*]] = graven.matmul %{{.*}}, %[[P]]
//  CHECK-NEXT: graven.return %[[Y]]
graven.param @w : tensor<2x3xf32> = dense<1.0> : tensor<2x3xf32>
graven.param @s : tensor<1x3xf32> = dense<2.0> : tensor<1x3xf32>
graven.graph @forward(%x: tensor<4x2xf32>) -> tensor<4x3xf32> {
  %s = graven.get_param @s : tensor<1x3xf32>
  %w = graven.get_param @w : tensor<2x3xf32>
  %c = graven.constant dense<1.0> : tensor<1x3xf32>
  %0 = graven.add %s, %c : (tensor<1x3xf32>, tensor<1x3xf32>) -> tensor<1x3xf32>
  %1 = graven.sqrt %0 : tensor<1x3xf32>
  %2 = graven.mul %1, %w : (tensor<1x3xf32>, tensor<2x3xf32>) -> tensor<2x3xf32>
  %3 = graven.matmul %x, %2 : (tensor<4x2xf32>, tensor<2x3xf32>) -> tensor<4x3xf32>
  graven.return %3 : tensor<4x3xf32>
}

// -----

// A second time, more of it joins what is there.

// CHECK: graven.param @w.prepared : tensor<2xf32> = #graven.prepared<0>
// CHECK: graven.param @w.prepared.prepared : tensor<2xf32> = #graven.prepared<1>
// CHECK-LABEL: graven.graph @prepare() -> (tensor<2xf32>, tensor<2xf32>)
//       CHECK: %[[EXP:.*]] = graven.exp
//       CHECK: %[[NEG:.*]] = graven.neg %[[EXP]]
//       CHECK: graven.return %[[EXP]], %[[NEG]]
// CHECK-LABEL: graven.graph @forward
//       CHECK: graven.get_param @w.prepared.prepared
//  CHECK-NEXT: graven.add
graven.param @w : tensor<2xf32> = dense<1.0> : tensor<2xf32>
graven.param @w.prepared : tensor<2xf32> = #graven.prepared<0>
graven.graph @prepare() -> tensor<2xf32> {
  %w = graven.get_param @w : tensor<2xf32>
  %0 = graven.exp %w : tensor<2xf32>
  graven.return %0 : tensor<2xf32>
}
graven.graph @forward(%x: tensor<2xf32>) -> tensor<2xf32> {
  %w = graven.get_param @w.prepared : tensor<2xf32>
  %0 = graven.neg %w : tensor<2xf32>
  %1 = graven.add %x, %0 : (tensor<2xf32>, tensor<2xf32>) -> tensor<2xf32>
  graven.return %1 : tensor<2xf32>
}

// -----

// Repeating a Parameter would make the blob larger; constants alone are none of it.

// CHECK-NOT: @prepare
// CHECK-LABEL: graven.graph @keeps_what_grows_and_what_is_constant
// CHECK-LABEL: graven.graph @forward
//       CHECK: graven.get_param @b
//       CHECK: graven.broadcast
//       CHECK: graven.exp
graven.param @b : tensor<1x2xf32> = dense<1.0> : tensor<1x2xf32>
graven.graph @keeps_what_grows_and_what_is_constant() -> tensor<2xf32> {
  %c = graven.constant dense<[1.0, 2.0]> : tensor<2xf32>
  graven.return %c : tensor<2xf32>
}
graven.graph @forward(%x: tensor<4x2xf32>) -> (tensor<4x2xf32>, tensor<2xf32>) {
  %b = graven.get_param @b : tensor<1x2xf32>
  %0 = graven.broadcast %b to [4, 2] axes [0, 1] : (tensor<1x2xf32>) -> tensor<4x2xf32>
  %1 = graven.add %x, %0 : (tensor<4x2xf32>, tensor<4x2xf32>) -> tensor<4x2xf32>
  %c = graven.constant dense<[1.0, 2.0]> : tensor<2xf32>
  %2 = graven.exp %c : tensor<2xf32>
  graven.return %1, %2 : tensor<4x2xf32>, tensor<2xf32>
}

// -----

// Nodes that check indices keep their check in @forward.

// CHECK-NOT: @prepare
// CHECK-LABEL: graven.graph @forward
//       CHECK: graven.gather
graven.param @table : tensor<5x2xf32> = dense<1.0> : tensor<5x2xf32>
graven.param @index : tensor<3xi64> = dense<1> : tensor<3xi64>
graven.graph @forward() -> tensor<3x2xf32> {
  %t = graven.get_param @table : tensor<5x2xf32>
  %i = graven.get_param @index : tensor<3xi64>
  %0 = graven.gather %t[%i] axis 0 : (tensor<5x2xf32>, tensor<3xi64>) -> tensor<3x2xf32>
  graven.return %0 : tensor<3x2xf32>
}

// -----

// What is put together is stored already; what is put in twice is not.

// CHECK-LABEL: graven.graph @prepare() -> tensor<3xf32>
//       CHECK:   graven.concat
// CHECK-LABEL: graven.graph @forward
//       CHECK:   graven.get_param @{{.*}}prepared
//       CHECK:   graven.concat {{.*}} -> tensor<4xf32>
graven.param @a : tensor<2xf32> = #graven.blob<"m", 0, 8>
graven.param @b : tensor<1xf32> = #graven.blob<"m", 8, 4>
graven.graph @forward(%x: tensor<3xf32>, %y: tensor<4xf32>) -> (tensor<3xf32>, tensor<4xf32>) {
  %a = graven.get_param @a : tensor<2xf32>
  %b = graven.get_param @b : tensor<1xf32>
  %0 = graven.concat %a, %b axis 0 : (tensor<2xf32>, tensor<1xf32>) -> tensor<3xf32>
  %1 = graven.add %x, %0 : (tensor<3xf32>, tensor<3xf32>) -> tensor<3xf32>
  %2 = graven.concat %a, %a axis 0 : (tensor<2xf32>, tensor<2xf32>) -> tensor<4xf32>
  %3 = graven.add %y, %2 : (tensor<4xf32>, tensor<4xf32>) -> tensor<4xf32>
  graven.return %1, %3 : tensor<3xf32>, tensor<4xf32>
}
