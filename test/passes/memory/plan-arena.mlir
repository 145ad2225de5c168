// RUN: graven-opt --graven-plan-arena --split-input-file --verify-diagnostics %s | FileCheck %s

// A chain needs two buffers; the weights are views; unused room is none.

// CHECK-LABEL: func.func @chain(
//  CHECK-SAME:   %[[X:.*]]: memref<16xf32>, %[[Y:.*]]: memref<16xf32>, %[[WORK:.*]]: memref<128xi8>, %[[BLOB:.*]]: memref<192xi8> {graven.weights})
//  CHECK-SAME:   graven.num_inputs = 1 : i64, graven.num_outputs = 1 : i64
//  CHECK-SAME:   graven.weights_size = 192 : i64
//  CHECK-SAME:   graven.workspace_lower_bound = 128 : i64, graven.workspace_size = 128 : i64
//       CHECK: %[[C128:.*]] = arith.constant 128 : index
//       CHECK: %[[W:.*]] = memref.view %[[BLOB]][%[[C128]]][] : memref<192xi8> to memref<10xf32>
//       CHECK: %[[A:.*]] = memref.view %[[WORK]][%[[AT:.*]]][] : memref<128xi8> to memref<16xf32>
//       CHECK: %[[B:.*]] = memref.view %[[WORK]][%{{.*}}][] : memref<128xi8> to memref<4x4xf32>
//       CHECK: %[[C:.*]] = memref.view %[[WORK]][%{{.*}}][] : memref<128xi8> to memref<16xf32>
//   CHECK-NOT: memref.alloc
//   CHECK-NOT: kernel.weight
//       CHECK: memref.collapse_shape %[[B]]
func.func @chain(%x: memref<16xf32>, %y: memref<16xf32>)
    attributes {graven.num_inputs = 1 : i64, graven.num_outputs = 1 : i64} {
  %w = kernel.weight {offset = 128 : i64} : memref<10xf32>
  %a = memref.alloc() : memref<16xf32>
  %b = memref.alloc() : memref<4x4xf32>
  %c = memref.alloc() : memref<16xf32>
  %unused = memref.alloc() : memref<1024xf32>
  linalg.exp ins(%x : memref<16xf32>) outs(%a : memref<16xf32>)
  %view = memref.collapse_shape %b [[0, 1]] : memref<4x4xf32> into memref<16xf32>
  linalg.exp ins(%a : memref<16xf32>) outs(%view : memref<16xf32>)
  linalg.exp ins(%view : memref<16xf32>) outs(%c : memref<16xf32>)
  linalg.exp ins(%c : memref<16xf32>) outs(%y : memref<16xf32>)
  "kernel.launch"(%w) {callee = @k, tasks = 1 : i64} : (memref<10xf32>) -> ()
  return
}
func.func private @k(%w: memref<10xf32>, %lo: index, %hi: index) attributes {kernel.entry} {
  return
}

// -----

// A view keeps its buffer alive: nothing may share with %a until %s is read.

// CHECK-LABEL: func.func @view_keeps_alive(
//  CHECK-SAME:   memref<192xi8>
//  CHECK-SAME:   graven.workspace_size = 192 : i64
func.func @view_keeps_alive(%x: memref<16xf32>, %y: memref<16xf32>) {
  %a = memref.alloc() : memref<32xf32>
  %b = memref.alloc() : memref<16xf32>
  %s = memref.subview %a[16] [16] [1] : memref<32xf32> to memref<16xf32, strided<[1], offset: 16>>
  linalg.exp ins(%x : memref<16xf32>) outs(%s : memref<16xf32, strided<[1], offset: 16>>)
  linalg.exp ins(%x : memref<16xf32>) outs(%b : memref<16xf32>)
  linalg.add ins(%b, %s : memref<16xf32>, memref<16xf32, strided<[1], offset: 16>>) outs(%y : memref<16xf32>)
  return
}

// -----

// What a loop reads and did not allocate lives through all of it, so %t in the
// loop cannot take the room of %a, whose last use comes before in the text.

// CHECK-LABEL: func.func @loop(
//  CHECK-SAME:   memref<128xi8>
func.func @loop(%x: memref<16xf32>, %y: memref<16xf32>, %n: memref<index>) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %k = memref.load %n[] : memref<index>
  %a = memref.alloc() : memref<16xf32>
  linalg.exp ins(%x : memref<16xf32>) outs(%a : memref<16xf32>)
  scf.for %i = %c0 to %k step %c1 {
    linalg.exp ins(%a : memref<16xf32>) outs(%y : memref<16xf32>)
    %t = memref.alloc() : memref<16xf32>
    linalg.exp ins(%y : memref<16xf32>) outs(%t : memref<16xf32>)
    linalg.exp ins(%t : memref<16xf32>) outs(%y : memref<16xf32>)
  }
  return
}

// -----

// The result of a branch is either buffer; both live until its last use.

// CHECK-LABEL: func.func @branch(
//  CHECK-SAME:   memref<192xi8>
func.func @branch(%x: memref<16xf32>, %y: memref<16xf32>, %p: memref<i1>) {
  %c = memref.load %p[] : memref<i1>
  %r = scf.if %c -> memref<16xf32> {
    %a = memref.alloc() : memref<16xf32>
    linalg.exp ins(%x : memref<16xf32>) outs(%a : memref<16xf32>)
    scf.yield %a : memref<16xf32>
  } else {
    %b = memref.alloc() : memref<16xf32>
    linalg.log ins(%x : memref<16xf32>) outs(%b : memref<16xf32>)
    scf.yield %b : memref<16xf32>
  }
  %t = memref.alloc() : memref<16xf32>
  linalg.exp ins(%x : memref<16xf32>) outs(%t : memref<16xf32>)
  linalg.add ins(%r, %t : memref<16xf32>, memref<16xf32>) outs(%y : memref<16xf32>)
  return
}

// -----

// A kernel that reads a buffer inside its region uses it from its start.

// CHECK-LABEL: func.func @gather(
//  CHECK-SAME:   memref<128xi8>
func.func @gather(%x: memref<16xf32>, %y: memref<16xf32>) {
  %a = memref.alloc() : memref<16xf32>
  %b = memref.alloc() : memref<16xf32>
  linalg.exp ins(%x : memref<16xf32>) outs(%a : memref<16xf32>)
  linalg.generic {indexing_maps = [affine_map<(i) -> (i)>], iterator_types = ["parallel"]} outs(%b : memref<16xf32>) {
  ^bb0(%o: f32):
    %i = linalg.index 0 : index
    %v = memref.load %a[%i] : memref<16xf32>
    linalg.yield %v : f32
  }
  linalg.exp ins(%b : memref<16xf32>) outs(%y : memref<16xf32>)
  return
}

// -----

// The blob's size is kept where the function says it.

// CHECK-LABEL: func.func @declared(
//  CHECK-SAME:   memref<0xi8>, %{{.*}}: memref<4096xi8> {graven.weights})
func.func @declared(%x: memref<16xf32>) attributes {graven.weights_size = 4096 : i64} {
  return
}

// -----

func.func @past_the_end(%x: memref<16xf32>) attributes {graven.weights_size = 64 : i64} {
  // expected-error @below {{buffer contract: a weight ends at byte 64 + 4, past the 64 bytes of weights}}
  %w = kernel.weight {offset = 64 : i64} : memref<1xf32>
  return
}

// -----

func.func @dynamic(%n: index) {
  // expected-error @below {{buffer contract: cannot place a buffer of type 'memref<?xf32>', expected a static shape}}
  %a = memref.alloc(%n) : memref<?xf32>
  return
}

// -----

func.func @stack() {
  // expected-error @below {{buffer contract: memory is managed outside the arena}}
  %a = memref.alloca() : memref<4xf32>
  return
}

// -----

func.func @carried(%x: memref<16xf32>) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %r = scf.for %i = %c0 to %c1 step %c1 iter_args(%h = %x) -> memref<16xf32> {
    // expected-error @below {{buffer contract: a buffer allocated in a loop is carried to the next iteration}}
    %a = memref.alloc() : memref<16xf32>
    linalg.exp ins(%h : memref<16xf32>) outs(%a : memref<16xf32>)
    scf.yield %a : memref<16xf32>
  }
  return
}

// -----

func.func @parallel(%x: memref<16xf32>) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  scf.parallel (%i) = (%c0) to (%c1) step (%c1) {
    // expected-error @below {{buffer contract: a buffer is allocated in a parallel loop}}
    %a = memref.alloc() : memref<16xf32>
    linalg.exp ins(%x : memref<16xf32>) outs(%a : memref<16xf32>)
  }
  return
}

// -----

// expected-error @below {{buffer contract: @callee is called, and its arguments are about to change}}
func.func @callee() {
  return
}
func.func @caller() {
  call @callee() : () -> ()
  return
}

// -----

// A select of two buffers keeps both alive.
// CHECK-LABEL: func @select
// CHECK-SAME: graven.workspace_size = 128
func.func @select(%x: memref<4xf32>, %c: memref<i1>, %y: memref<4xf32>)
    attributes {graven.num_inputs = 2 : i64, graven.num_outputs = 1 : i64} {
  %a = memref.alloc() : memref<4xf32>
  linalg.copy ins(%x : memref<4xf32>) outs(%a : memref<4xf32>)
  %f = memref.load %c[] : memref<i1>
  %s = arith.select %f, %x, %a : memref<4xf32>
  %b = memref.alloc() : memref<4xf32>
  linalg.copy ins(%x : memref<4xf32>) outs(%b : memref<4xf32>)
  linalg.add ins(%s, %b : memref<4xf32>, memref<4xf32>) outs(%y : memref<4xf32>)
  return
}
