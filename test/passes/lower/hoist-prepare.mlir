// RUN: %graven-opt --graven-hoist-prepare --split-input-file --verify-diagnostics %s | FileCheck %s

// Work on Parameters moves with the constants it reads; @forward reads the packed tensors in the order of first
// use, at multiples of 64 bytes.

// CHECK-LABEL: func.func @prepare
//  CHECK-SAME: (%[[W:.*]]: tensor<20xf32> {graven.param = "w"}, %[[B:.*]]: tensor<20xf32> {graven.param = "b"}) -> (tensor<20xf32>, tensor<20xf32>) attributes {graven.offsets = array<i64: 0, 128>} {
//       CHECK: %[[E:.*]] = tensor.empty
//       CHECK: %[[NEG:.*]] = linalg.negf ins(%[[W]] : tensor<20xf32>) outs(%[[E]]
//       CHECK: %[[EXP:.*]] = linalg.exp ins(%[[NEG]]
//       CHECK: return %[[B]], %[[EXP]]
// CHECK-LABEL: func.func @forward
//  CHECK-SAME: (%[[X:.*]]: tensor<20xf32>) -> tensor<20xf32> attributes {graven.weights_size = 256 : i64} {
//   CHECK-DAG: %[[B0:.*]] = kernel.weight {offset = 0 : i64} : tensor<20xf32>
//   CHECK-DAG: %[[W0:.*]] = kernel.weight {offset = 128 : i64} : tensor<20xf32>
//   CHECK-NOT: linalg.negf
//   CHECK-NOT: linalg.exp
//       CHECK: %[[SUM:.*]] = linalg.add ins(%[[X]], %[[B0]]
//       CHECK: %[[MUL:.*]] = linalg.mul ins(%[[SUM]], %[[W0]]
//       CHECK: return %[[MUL]]
func.func @forward(%x: tensor<20xf32>, %w: tensor<20xf32> {graven.param = "w"}, %b: tensor<20xf32> {graven.param = "b"}) -> tensor<20xf32> {
  %e = tensor.empty() : tensor<20xf32>
  %neg = linalg.negf ins(%w : tensor<20xf32>) outs(%e : tensor<20xf32>) -> tensor<20xf32>
  %exp = linalg.exp ins(%neg : tensor<20xf32>) outs(%e : tensor<20xf32>) -> tensor<20xf32>
  %sum = linalg.add ins(%x, %b : tensor<20xf32>, tensor<20xf32>) outs(%e : tensor<20xf32>) -> tensor<20xf32>
  %mul = linalg.mul ins(%sum, %exp : tensor<20xf32>, tensor<20xf32>) outs(%e : tensor<20xf32>) -> tensor<20xf32>
  return %mul : tensor<20xf32>
}

// -----

// Without Parameters there is no @prepare; what reads only constants stays.

// CHECK-NOT: @prepare
// CHECK-LABEL: func.func @forward
//  CHECK-SAME: graven.weights_size = 0 : i64
//       CHECK: linalg.fill
//       CHECK: linalg.add
func.func @forward(%x: tensor<4xf32>) -> tensor<4xf32> {
  %c = arith.constant 2.0 : f32
  %e = tensor.empty() : tensor<4xf32>
  %f = linalg.fill ins(%c : f32) outs(%e : tensor<4xf32>) -> tensor<4xf32>
  %y = linalg.add ins(%x, %f : tensor<4xf32>, tensor<4xf32>) outs(%e : tensor<4xf32>) -> tensor<4xf32>
  return %y : tensor<4xf32>
}

// -----

// A Parameter that is returned, and a region that reads one.

// CHECK-LABEL: func.func @prepare
//  CHECK-SAME: graven.offsets = array<i64: 0>
// CHECK-LABEL: func.func @forward
//  CHECK-SAME: (%[[X:.*]]: tensor<4xf32>, %[[C:.*]]: i1)
//       CHECK: %[[W:.*]] = kernel.weight {offset = 0 : i64}
//       CHECK: %[[R:.*]] = scf.if %[[C]]
//       CHECK: scf.yield %[[W]]
//       CHECK: scf.yield %[[X]]
//       CHECK: return %[[R]], %[[W]]
func.func @forward(%x: tensor<4xf32>, %c: i1, %w: tensor<4xf32> {graven.param = "w"}) -> (tensor<4xf32>, tensor<4xf32>) {
  %r = scf.if %c -> (tensor<4xf32>) {
    scf.yield %w : tensor<4xf32>
  } else {
    scf.yield %x : tensor<4xf32>
  }
  return %r, %w : tensor<4xf32>, tensor<4xf32>
}

// -----

// expected-error @below {{[GRV0107] the module has no function @forward}}
module {
  func.func @other(%x: tensor<4xf32>) -> tensor<4xf32> {
    return %x : tensor<4xf32>
  }
}

// -----

// What a branch makes of a Parameter alone is made once, with the constant it
// needs.

// CHECK-LABEL: func.func @prepare
//  CHECK-SAME: (%[[W:.*]]: tensor<4xf32> {graven.param = "w"}) -> tensor<4xf32>
//       CHECK: %[[PACKED:.*]] = linalg.generic {{.*}} ins(%[[W]] :
//       CHECK: return %[[PACKED]]
// CHECK-LABEL: func.func @forward
//       CHECK: %[[READ:.*]] = kernel.weight {offset = 0 : i64} : tensor<4xf32>
//       CHECK: scf.if
//       CHECK: linalg.add ins(%{{.*}}, %[[READ]] :
#id = affine_map<(i) -> (i)>
func.func @forward(%c: i1, %x: tensor<4xf32>, %w: tensor<4xf32> {graven.param = "w"}) -> tensor<4xf32> {
  %0 = scf.if %c -> (tensor<4xf32>) {
    %two = arith.constant 2.0 : f32
    %e = tensor.empty() : tensor<4xf32>
    %packed = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel"]} ins(%w : tensor<4xf32>) outs(%e : tensor<4xf32>) {
    ^bb0(%a: f32, %out: f32):
      %p = arith.mulf %a, %two : f32
      linalg.yield %p : f32
    } -> tensor<4xf32>
    %e2 = tensor.empty() : tensor<4xf32>
    %y = linalg.add ins(%x, %packed : tensor<4xf32>, tensor<4xf32>) outs(%e2 : tensor<4xf32>) -> tensor<4xf32>
    scf.yield %y : tensor<4xf32>
  } else {
    scf.yield %x : tensor<4xf32>
  }
  return %0 : tensor<4xf32>
}

// -----

// The blob holds no numbers: what a loop on data begins with is read out of the weights.

// CHECK-LABEL: func.func @forward
//       CHECK:   %[[C:.*]] = kernel.weight {offset = 0 : i64} : tensor<i1>
//       CHECK:   %[[GO:.*]] = tensor.extract %[[C]][]
//       CHECK:   scf.while (%{{.*}} = %[[GO]]
func.func @forward(%x: tensor<4xf32>, %c: tensor<i1> {graven.param = "c"}) -> tensor<4xf32> {
  %go = tensor.extract %c[] : tensor<i1>
  %stop = arith.constant false
  %0:2 = scf.while (%a = %go, %b = %x) : (i1, tensor<4xf32>) -> (i1, tensor<4xf32>) {
    scf.condition(%a) %a, %b : i1, tensor<4xf32>
  } do {
  ^bb0(%a: i1, %b: tensor<4xf32>):
    %e = tensor.empty() : tensor<4xf32>
    %n = linalg.negf ins(%b : tensor<4xf32>) outs(%e : tensor<4xf32>) -> tensor<4xf32>
    scf.yield %stop, %n : i1, tensor<4xf32>
  }
  return %0#1 : tensor<4xf32>
}

// -----

// A compile does not go through iterations of which nobody knows that they end; what is in front of them moves.

// CHECK-LABEL: func.func @prepare
//       CHECK: linalg.negf
//   CHECK-NOT: scf.while
//   CHECK-NOT: scf.for
// CHECK-LABEL: func.func @forward
//       CHECK: kernel.weight {offset = 0 : i64} : tensor<4xf32>
//       CHECK: scf.while
//       CHECK: scf.for
func.func @forward(%w: tensor<4xf32> {graven.param = "w"}) -> (tensor<4xf32>, tensor<4xf32>) {
  %zero = arith.constant 0 : index
  %one = arith.constant 1 : index
  %most = arith.constant 16777217 : index
  %e = tensor.empty() : tensor<4xf32>
  %neg = linalg.negf ins(%w : tensor<4xf32>) outs(%e : tensor<4xf32>) -> tensor<4xf32>
  %while:2 = scf.while (%i = %zero, %a = %neg) : (index, tensor<4xf32>) -> (index, tensor<4xf32>) {
    %more = arith.cmpi slt, %i, %most : index
    scf.condition(%more) %i, %a : index, tensor<4xf32>
  } do {
  ^bb0(%i: index, %a: tensor<4xf32>):
    %next = arith.addi %i, %one : index
    %b = linalg.exp ins(%a : tensor<4xf32>) outs(%e : tensor<4xf32>) -> tensor<4xf32>
    scf.yield %next, %b : index, tensor<4xf32>
  }
  %for = scf.for %i = %zero to %most step %one iter_args(%a = %neg) -> tensor<4xf32> {
    %b = linalg.exp ins(%a : tensor<4xf32>) outs(%e : tensor<4xf32>) -> tensor<4xf32>
    scf.yield %b : tensor<4xf32>
  }
  return %while#1, %for : tensor<4xf32>, tensor<4xf32>
}

// -----

// A number of trips that is known and small is gone through.

// CHECK-LABEL: func.func @prepare
//       CHECK: scf.for
// CHECK-LABEL: func.func @forward
//   CHECK-NOT: scf.for
func.func @forward(%w: tensor<4xf32> {graven.param = "w"}) -> tensor<4xf32> {
  %zero = arith.constant 0 : index
  %one = arith.constant 1 : index
  %most = arith.constant 16777216 : index
  %e = tensor.empty() : tensor<4xf32>
  %for = scf.for %i = %zero to %most step %one iter_args(%a = %w) -> tensor<4xf32> {
    %b = linalg.exp ins(%a : tensor<4xf32>) outs(%e : tensor<4xf32>) -> tensor<4xf32>
    scf.yield %b : tensor<4xf32>
  }
  return %for : tensor<4xf32>
}
