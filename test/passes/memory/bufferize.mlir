// RUN: graven-opt --allow-unregistered-dialect --graven-bufferize --split-input-file --verify-diagnostics %s | FileCheck %s

// Results are arguments that the last op writes; a reshape before the return
// becomes a view of the argument.

// CHECK-LABEL: func.func @results(
//  CHECK-SAME:   %[[X:.*]]: memref<4x8xf32> {graven.name = "x"}, %[[FLAT:.*]]: memref<32xf32> {graven.name = "y"}, %[[H:.*]]: memref<4x8xf32>)
//  CHECK-SAME:   attributes {graven.num_inputs = 1 : i64, graven.num_outputs = 2 : i64}
//   CHECK-NOT: memref.alloc
//       CHECK: %[[Y:.*]] = memref.expand_shape %[[FLAT]]
//       CHECK: linalg.exp ins(%[[X]] : {{.*}}) outs(%[[H]] :
//       CHECK: linalg.tanh ins(%[[H]] : {{.*}}) outs(%[[Y]] :
//   CHECK-NOT: linalg.copy
//       CHECK: return{{$}}
func.func @results(%x: tensor<4x8xf32> {graven.name = "x"}) -> (tensor<32xf32> {graven.name = "y"}, tensor<4x8xf32>) {
  %e = tensor.empty() : tensor<4x8xf32>
  %h = linalg.exp ins(%x : tensor<4x8xf32>) outs(%e : tensor<4x8xf32>) -> tensor<4x8xf32>
  %t = linalg.tanh ins(%h : tensor<4x8xf32>) outs(%e : tensor<4x8xf32>) -> tensor<4x8xf32>
  %f = tensor.collapse_shape %t [[0, 1]] : tensor<4x8xf32> into tensor<32xf32>
  return %f, %h : tensor<32xf32>, tensor<4x8xf32>
}

// -----

// An argument or a weight is never written, nor is a result computed twice.

// CHECK-LABEL: func.func @copies(
//  CHECK-SAME:   %[[X:.*]]: memref<8xf32>, %[[A:.*]]: memref<8xf32>, %[[B:.*]]: memref<8xf32>, %[[C:.*]]: memref<8xf32>, %[[BLOB:.*]]: memref<64xi8> {graven.weights})
//       CHECK: linalg.add ins(%[[X]], %[[X]] : {{.*}}) outs(%[[T:.*]] :
//   CHECK-DAG: linalg.copy ins(%[[X]] : {{.*}}) outs(%[[A]] :
//   CHECK-DAG: linalg.copy ins(%[[T]] : {{.*}}) outs(%[[B]] :
//   CHECK-DAG: linalg.copy ins(%[[T]] : {{.*}}) outs(%[[C]] :
//   CHECK-NOT: outs(%[[X]]
func.func @copies(%x: tensor<8xf32>, %blob: memref<64xi8> {graven.weights})
    -> (tensor<8xf32>, tensor<8xf32>, tensor<8xf32>) {
  %w = kernel.weight {offset = 0 : i64} : tensor<8xf32>
  %r = linalg.add ins(%x, %x : tensor<8xf32>, tensor<8xf32>) outs(%w : tensor<8xf32>) -> tensor<8xf32>
  return %x, %r, %r : tensor<8xf32>, tensor<8xf32>, tensor<8xf32>
}

// -----

// Padding: the producer writes into the padded buffer, of which the strips
// around it are filled just before; a kernel's epilogue stays as it is.

// CHECK-LABEL: func.func @padded(
//       CHECK: %[[P:.*]] = memref.alloc() {{.*}} : memref<1x6x64xf32>
//       CHECK: kernel.softmax {{.*}} outs(%[[H:[a-z_0-9]+]] :
//       CHECK: %[[TOP:.*]] = memref.subview %[[P]][0, 0, 0] [1, 1, 64]
//       CHECK: linalg.fill {{.*}} outs(%[[TOP]] :
//       CHECK: %[[BOTTOM:.*]] = memref.subview %[[P]][0, 5, 0] [1, 1, 64]
//       CHECK: linalg.fill {{.*}} outs(%[[BOTTOM]] :
//       CHECK: %[[INSIDE:.*]] = memref.subview %[[P]][0, 1, 0] [1, 4, 64]
//       CHECK: kernel.gemm ins(%[[H]], {{.*}} outs(%[[INSIDE]] :
//       CHECK:   kernel.yield
//   CHECK-NOT: linalg.copy
//       CHECK: linalg.exp ins(%[[P]] :
func.func @padded(%x: tensor<1x4x64xf32>) -> tensor<1x6x64xf32> {
  %w = kernel.weight {offset = 0 : i64} : tensor<1x2x64x32xf32>
  %b = kernel.weight {offset = 16384 : i64} : tensor<64xf32>
  %e = tensor.empty() : tensor<1x4x64xf32>
  %h = kernel.softmax ins(%x : tensor<1x4x64xf32>) outs(%e : tensor<1x4x64xf32>) -> tensor<1x4x64xf32>
  %g = kernel.gemm ins(%h, %w : tensor<1x4x64xf32>, tensor<1x2x64x32xf32>)
      epilogue(%b : tensor<64xf32>) outs(%e : tensor<1x4x64xf32>) attributes {mr = 4 : i64, kc = 0 : i64} {
  ^bb0(%acc: f32, %bias: f32):
    %s = arith.addf %acc, %bias : f32
    kernel.yield %s : f32
  } -> tensor<1x4x64xf32>
  %z = arith.constant 0.0 : f32
  %pe = tensor.empty() : tensor<1x6x64xf32>
  %f = linalg.fill ins(%z : f32) outs(%pe : tensor<1x6x64xf32>) -> tensor<1x6x64xf32>
  %p = tensor.insert_slice %g into %f[0, 1, 0] [1, 4, 64] [1, 1, 1] : tensor<1x4x64xf32> into tensor<1x6x64xf32>
  %r = linalg.exp ins(%p : tensor<1x6x64xf32>) outs(%pe : tensor<1x6x64xf32>) -> tensor<1x6x64xf32>
  return %r : tensor<1x6x64xf32>
}

// -----

// Concatenation, the later operand computed first, and used besides.

// CHECK-LABEL: func.func @concat(
//       CHECK: %[[C:.*]] = memref.alloc() {{.*}} : memref<16xf32>
//       CHECK: %[[HIGH:.*]] = memref.subview %[[C]][8] [8] [1]
//       CHECK: %[[T:.*]] = memref.alloc() {{.*}} : memref<8xf32>
//       CHECK: linalg.exp {{.*}} outs(%[[HIGH]] :
//       CHECK: %[[LOW:.*]] = memref.subview %[[C]][0] [8] [1]
//       CHECK: linalg.log ins(%[[HIGH]] : {{.*}} outs(%[[T]] :
//       CHECK: linalg.tanh ins(%[[T]] : {{.*}} outs(%[[LOW]] :
//   CHECK-NOT: linalg.copy
//       CHECK: linalg.exp ins(%[[C]] :
func.func @concat(%x: tensor<8xf32>) -> tensor<16xf32> {
  %e = tensor.empty() : tensor<8xf32>
  %skip = linalg.exp ins(%x : tensor<8xf32>) outs(%e : tensor<8xf32>) -> tensor<8xf32>
  %down = linalg.log ins(%skip : tensor<8xf32>) outs(%e : tensor<8xf32>) -> tensor<8xf32>
  %up = linalg.tanh ins(%down : tensor<8xf32>) outs(%e : tensor<8xf32>) -> tensor<8xf32>
  %ce = tensor.empty() : tensor<16xf32>
  %c0 = tensor.insert_slice %up into %ce[0] [8] [1] : tensor<8xf32> into tensor<16xf32>
  %c1 = tensor.insert_slice %skip into %c0[8] [8] [1] : tensor<8xf32> into tensor<16xf32>
  %r = linalg.exp ins(%c1 : tensor<16xf32>) outs(%ce : tensor<16xf32>) -> tensor<16xf32>
  return %r : tensor<16xf32>
}

// -----

// A loop writes its slices in place and carries its state in one buffer.

// CHECK-LABEL: func.func @loop(
//  CHECK-SAME:   %[[X:.*]]: memref<10x8xf32>, %[[H0:.*]]: memref<8xf32>, %[[SEQ:.*]]: memref<10x8xf32>, %[[LAST:.*]]: memref<8xf32>)
//       CHECK: %[[H:.*]] = memref.alloc()
//       CHECK: linalg.copy ins(%[[H0]] : {{.*}}) outs(%[[H]] :
//       CHECK: %[[R:.*]]:2 = scf.for {{.*}} iter_args(%[[Q:.*]] = %[[SEQ]], %[[G:.*]] = %[[H]])
//       CHECK:   %[[S:.*]] = memref.subview %[[Q]]
//       CHECK:   linalg.add ins(%{{.*}}, %[[G]] : {{.*}}) outs(%[[S]] :
//       CHECK:   linalg.copy ins(%[[S]] : {{.*}}) outs(%[[G]] :
//       CHECK:   scf.yield %[[Q]], %[[G]]
//       CHECK: linalg.copy ins(%[[R]]#1 : {{.*}}) outs(%[[LAST]] :
func.func @loop(%x: tensor<10x8xf32>, %h0: tensor<8xf32>) -> (tensor<10x8xf32>, tensor<8xf32>) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c10 = arith.constant 10 : index
  %e = tensor.empty() : tensor<10x8xf32>
  %0:2 = scf.for %i = %c0 to %c10 step %c1 iter_args(%seq = %e, %h = %h0) -> (tensor<10x8xf32>, tensor<8xf32>) {
    %xs = tensor.extract_slice %x[%i, 0] [1, 8] [1, 1] : tensor<10x8xf32> to tensor<8xf32>
    %eh = tensor.empty() : tensor<8xf32>
    %hn = linalg.add ins(%xs, %h : tensor<8xf32>, tensor<8xf32>) outs(%eh : tensor<8xf32>) -> tensor<8xf32>
    %s = tensor.insert_slice %hn into %seq[%i, 0] [1, 8] [1, 1] : tensor<8xf32> into tensor<10x8xf32>
    scf.yield %s, %hn : tensor<10x8xf32>, tensor<8xf32>
  }
  return %0#0, %0#1 : tensor<10x8xf32>, tensor<8xf32>
}

// -----

// A swap of two carried values still gives each its value.

// CHECK-LABEL: func.func @swap(
//       CHECK: scf.for {{.*}} iter_args(%[[X:.*]] = %{{.*}}, %[[Y:.*]] = %{{.*}})
//       CHECK:   linalg.copy ins(%[[Y]] : {{.*}}) outs(%[[OLDY:.*]] :
//       CHECK:   linalg.copy ins(%[[X]] : {{.*}}) outs(%[[OLDX:.*]] :
//       CHECK:   linalg.copy ins(%[[OLDY]] : {{.*}}) outs(%[[X]] :
//       CHECK:   linalg.copy ins(%[[OLDX]] : {{.*}}) outs(%[[Y]] :
//       CHECK:   scf.yield %[[X]], %[[Y]]
func.func @swap(%a: tensor<8xf32>, %b: tensor<8xf32>, %n: tensor<index>) -> (tensor<8xf32>, tensor<8xf32>) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %t = tensor.extract %n[] : tensor<index>
  %0:2 = scf.for %i = %c0 to %t step %c1 iter_args(%x = %a, %y = %b) -> (tensor<8xf32>, tensor<8xf32>) {
    scf.yield %y, %x : tensor<8xf32>, tensor<8xf32>
  }
  return %0#0, %0#1 : tensor<8xf32>, tensor<8xf32>
}

// -----

#id = affine_map<(d0) -> (d0)>

// Two values made in place of one: the result that was computed in the other's
// argument leaves it before that is written.

// CHECK-LABEL: func.func @fork(
//  CHECK-SAME:   %[[X:.*]]: memref<8xf32>, %[[P:.*]]: memref<8xf32>, %[[Q:.*]]: memref<8xf32>)
//       CHECK: linalg.exp ins(%[[X]] : {{.*}}) outs(%[[P]] :
//       CHECK: arith.addf
//       CHECK: linalg.copy ins(%[[P]] : {{.*}}) outs(%[[Q]] :
//       CHECK: linalg.copy ins(%{{.*}} : {{.*}}) outs(%[[P]] :
//       CHECK: return
func.func @fork(%x: tensor<8xf32>) -> (tensor<8xf32>, tensor<8xf32>) {
  %e = tensor.empty() : tensor<8xf32>
  %s = linalg.exp ins(%x : tensor<8xf32>) outs(%e : tensor<8xf32>) -> tensor<8xf32>
  %p = linalg.generic {indexing_maps = [#id], iterator_types = ["parallel"]} outs(%s : tensor<8xf32>) {
  ^bb0(%o: f32):
    %n = arith.negf %o : f32
    linalg.yield %n : f32
  } -> tensor<8xf32>
  %q = linalg.generic {indexing_maps = [#id], iterator_types = ["parallel"]} outs(%s : tensor<8xf32>) {
  ^bb0(%o: f32):
    %n = arith.addf %o, %o : f32
    linalg.yield %n : f32
  } -> tensor<8xf32>
  return %p, %q : tensor<8xf32>, tensor<8xf32>
}

// -----

// expected-error @below {{argument 0 has type 'tensor<?xf32>', expected a ranked tensor of static shape}}
func.func @dynamic(%x: tensor<?xf32>) {
  return
}

// -----

// expected-error @below {{result 0 has type 'index', expected a tensor}}
func.func @scalar_result() -> index {
  %c = arith.constant 3 : index
  return %c : index
}

// -----

// expected-error @below {{has 2 blocks, expected 1}}
func.func @blocks(%x: tensor<4xf32>) -> tensor<4xf32> {
  cf.br ^bb1
^bb1:
  return %x : tensor<4xf32>
}

// -----

func.func private @other(tensor<4xf32>) -> tensor<4xf32>
func.func @calls(%x: tensor<4xf32>) -> tensor<4xf32> {
  // expected-error @below {{calls @other on tensors, which has to be inlined before}}
  %0 = call @other(%x) : (tensor<4xf32>) -> tensor<4xf32>
  return %0 : tensor<4xf32>
}

// -----

func.func @unknown(%x: tensor<4xf32>) -> tensor<4xf32> {
  // expected-error @below {{op was not bufferized}}
  %0 = "test.unknown"(%x) : (tensor<4xf32>) -> tensor<4xf32>
  return %0 : tensor<4xf32>
}

// -----

// Both branches write to one buffer, also where one gives a slice of an
// argument.

// CHECK-LABEL: func.func @branches
//       CHECK: %[[BUFFER:.*]] = memref.alloc() {{.*}} : memref<2xf32>
//       CHECK: scf.if
//       CHECK: linalg.copy ins(%{{.*}} : memref<2xf32, strided<[1], offset: 1>>) outs(%[[BUFFER]] : memref<2xf32>)
//       CHECK: } else {
//       CHECK: linalg.copy ins(%{{.*}} : memref<2xf32>) outs(%[[BUFFER]] : memref<2xf32>)
func.func @branches(%c: tensor<i1>, %x: tensor<4xf32>, %y: tensor<2xf32>) -> tensor<2xf32> {
  %condition = tensor.extract %c[] : tensor<i1>
  %0 = scf.if %condition -> (tensor<2xf32>) {
    %1 = tensor.extract_slice %x[1] [2] [1] : tensor<4xf32> to tensor<2xf32>
    scf.yield %1 : tensor<2xf32>
  } else {
    scf.yield %y : tensor<2xf32>
  }
  return %0 : tensor<2xf32>
}

// -----

// A while loop whose body does not use its condition any more; two carried
// tensors change places.

// CHECK-LABEL: func.func @exchange
//       CHECK: scf.while (%{{.*}} = %{{.*}}, %{{.*}} = %{{.*}}, %{{.*}} = %[[A:.*]], %{{.*}} = %[[B:.*]]) : (i64, i1, memref<4xf32>, memref<4xf32>)
//       CHECK: ^bb0(%{{.*}}: i64, %{{.*}}: i1, %[[X:.*]]: memref<4xf32>, %[[Y:.*]]: memref<4xf32>):
//   CHECK-DAG: linalg.copy ins(%[[Y]] : memref<4xf32>) outs(%[[OLDY:.*]] : memref<4xf32>)
//   CHECK-DAG: linalg.copy ins(%[[X]] : memref<4xf32>) outs(%[[OLDX:.*]] : memref<4xf32>)
//       CHECK: linalg.copy ins(%[[OLDY]] : memref<4xf32>) outs(%[[X]] : memref<4xf32>)
//       CHECK: linalg.copy ins(%[[OLDX]] : memref<4xf32>) outs(%[[Y]] : memref<4xf32>)
//       CHECK: scf.yield %{{.*}}, %{{.*}}, %[[X]], %[[Y]]
func.func @exchange(%n: tensor<i64>, %x: tensor<4xf32>, %y: tensor<4xf32>) -> (tensor<4xf32>, tensor<4xf32>) {
  %c0 = arith.constant 0 : i64
  %c1 = arith.constant 1 : i64
  %true = arith.constant true
  %trip = tensor.extract %n[] : tensor<i64>
  %0:3 = scf.while (%i = %c0, %go = %true, %a = %x, %b = %y) : (i64, i1, tensor<4xf32>, tensor<4xf32>) -> (i64, tensor<4xf32>, tensor<4xf32>) {
    %1 = arith.cmpi slt, %i, %trip : i64
    %2 = arith.andi %1, %go : i1
    scf.condition(%2) %i, %a, %b : i64, tensor<4xf32>, tensor<4xf32>
  } do {
  ^bb0(%i: i64, %a: tensor<4xf32>, %b: tensor<4xf32>):
    %1 = arith.addi %i, %c1 : i64
    %2 = arith.cmpi ne, %1, %trip : i64
    scf.yield %1, %2, %b, %a : i64, i1, tensor<4xf32>, tensor<4xf32>
  }
  return %0#1, %0#2 : tensor<4xf32>, tensor<4xf32>
}

// -----

// A kernel takes every second column, and writes to every second one, through
// buffers with contiguous rows.

// CHECK-LABEL: func.func @columns
//       CHECK: %[[IN:.*]] = memref.alloc() : memref<4x8xf32>
//       CHECK: linalg.copy ins(%{{.*}} : memref<4x8xf32, strided<[16, 2]>>) outs(%[[IN]] : memref<4x8xf32>)
//       CHECK: %[[OUT:.*]] = memref.alloc() : memref<4x8xf32>
//       CHECK: kernel.softmax ins(%[[IN]] : memref<4x8xf32>) outs(%[[OUT]] : memref<4x8xf32>)
//       CHECK: linalg.copy ins(%[[OUT]] : memref<4x8xf32>) outs(%{{.*}} : memref<4x8xf32, strided<[16, 2]>>)
func.func @columns(%x: tensor<4x16xf32>) -> tensor<4x16xf32> {
  %zero = arith.constant 0.0 : f32
  %all = tensor.empty() : tensor<4x16xf32>
  %filled = linalg.fill ins(%zero : f32) outs(%all : tensor<4x16xf32>) -> tensor<4x16xf32>
  %columns = tensor.extract_slice %x[0, 0] [4, 8] [1, 2] : tensor<4x16xf32> to tensor<4x8xf32>
  %empty = tensor.empty() : tensor<4x8xf32>
  %soft = kernel.softmax ins(%columns : tensor<4x8xf32>) outs(%empty : tensor<4x8xf32>) -> tensor<4x8xf32>
  %result = tensor.insert_slice %soft into %filled[0, 0] [4, 8] [1, 2] : tensor<4x8xf32> into tensor<4x16xf32>
  return %result : tensor<4x16xf32>
}

// -----

// What a choice is between has one layout: a part of a tensor is copied.

// CHECK-LABEL: func.func @choice(
//  CHECK-SAME:   %[[A:[^:]*]]: memref<11x2xi64>, %[[B:[^:]*]]: memref<1x2xi64>,
//   CHECK-DAG: %[[PART:.*]] = memref.subview %[[A]]
//   CHECK-DAG: %[[OWN:.*]] = memref.alloc() {{.*}}: memref<1x2xi64>
//       CHECK: linalg.copy ins(%[[PART]] : {{.*}}) outs(%[[OWN]] :
//       CHECK: arith.select %{{.*}}, %[[OWN]], %[[B]] : memref<1x2xi64>
//   CHECK-NOT: memref.cast
func.func @choice(%a: tensor<11x2xi64>, %b: tensor<1x2xi64>, %c: i1) -> tensor<1x2xi64> {
  %s = tensor.extract_slice %a[10, 0] [1, 2] [3, 1] : tensor<11x2xi64> to tensor<1x2xi64>
  %r = arith.select %c, %s, %b : tensor<1x2xi64>
  %e = tensor.empty() : tensor<1x2xi64>
  %n = linalg.add ins(%r, %r : tensor<1x2xi64>, tensor<1x2xi64>) outs(%e : tensor<1x2xi64>) -> tensor<1x2xi64>
  return %n : tensor<1x2xi64>
}
