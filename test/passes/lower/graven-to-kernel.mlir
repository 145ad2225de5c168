// RUN: %graven-opt --graven-to-kernel --split-input-file --verify-diagnostics %s | FileCheck %s

// Parameters are the last arguments; an unsigned type becomes signless.

graven.param @w : tensor<4xf32> = #graven.blob<"f", 0, 16>
// CHECK: graven.param @w
// CHECK-LABEL: func.func @forward
//  CHECK-SAME: %[[X:.*]]: tensor<2x4xf32>, %[[U:.*]]: tensor<3xi8>, %[[W:.*]]: tensor<4xf32> {graven.param = "w"}) -> (tensor<2x4xf32>, tensor<3xi8>) {
//       CHECK: %[[RELU:.*]] = linalg.generic {{.*}} ins(%[[X]] : tensor<2x4xf32>)
//       CHECK: arith.maximumf
//       CHECK: %[[ROW:.*]] = tensor.expand_shape %[[W]]
//       CHECK: %[[SUM:.*]] = linalg.generic {{.*}} ins(%[[RELU]], %[[ROW]] : tensor<2x4xf32>, tensor<1x4xf32>)
//       CHECK: arith.addf
//       CHECK: %[[MAX:.*]] = linalg.generic {{.*}} ins(%[[U]], %[[U]] : tensor<3xi8>, tensor<3xi8>)
//       CHECK: arith.maxui
//       CHECK: return %[[SUM]], %[[MAX]]
graven.graph @forward(%x: tensor<2x4xf32>, %u: tensor<3xui8>) -> (tensor<2x4xf32>, tensor<3xui8>) {
  %w = graven.get_param @w : tensor<4xf32>
  %0 = graven.relu %x : tensor<2x4xf32>
  %1 = graven.reshape %w to [1, 4] : (tensor<4xf32>) -> tensor<1x4xf32>
  %2 = graven.add %0, %1 : (tensor<2x4xf32>, tensor<1x4xf32>) -> tensor<2x4xf32>
  %3 = graven.max %u, %u : (tensor<3xui8>, tensor<3xui8>) -> tensor<3xui8>
  graven.return %2, %3 : tensor<2x4xf32>, tensor<3xui8>
}

// -----

// A Parameter that is read twice is one argument.

graven.param @w : tensor<4xf32> = #graven.blob<"f", 0, 16>
// CHECK-LABEL: func.func @twice
//  CHECK-SAME: (%[[W:.*]]: tensor<4xf32> {graven.param = "w"}) -> tensor<4xf32> {
//       CHECK: ins(%[[W]], %[[W]] :
graven.graph @twice() -> tensor<4xf32> {
  %a = graven.get_param @w : tensor<4xf32>
  %b = graven.get_param @w : tensor<4xf32>
  %0 = graven.mul %a, %b : (tensor<4xf32>, tensor<4xf32>) -> tensor<4xf32>
  graven.return %0 : tensor<4xf32>
}

// -----

// A product packs its right operand and carries its tile; the wide target has the taller one.

// CHECK-LABEL: func.func @matmul
//  CHECK-SAME: %[[A:.*]]: tensor<2x4xf32>, %[[B:.*]]: tensor<4x8xf32>
//   CHECK-DAG: %[[A3:.*]] = tensor.expand_shape %[[A]]
//   CHECK-DAG: %[[B3:.*]] = tensor.expand_shape %[[B]]
//       CHECK: %[[P:.*]] = kernel.pack ins(%[[B3]] : tensor<1x4x8xf32>)
//       CHECK: kernel.gemm ins(%[[A3]], %[[P]] :
//  CHECK-SAME: attributes {kc = {{[0-9]+}} : i64, mr = {{[0-9]+}} : i64} -> tensor<1x2x8xf32>
//       CHECK: tensor.collapse_shape
graven.graph @matmul(%a: tensor<2x4xf32>, %b: tensor<4x8xf32>) -> tensor<2x8xf32> {
  %0 = graven.matmul %a, %b : (tensor<2x4xf32>, tensor<4x8xf32>) -> tensor<2x8xf32>
  graven.return %0 : tensor<2x8xf32>
}

// -----

// A blocked convolution is one kernel on packed weights; without a blocked layout it is a linalg nest.

// CHECK-LABEL: func.func @conv
//  CHECK-SAME: %[[X:.*]]: tensor<1x1x8x8x16xf32>, %[[W:.*]]: tensor<16x16x3x3xf32>
//       CHECK: kernel.conv
//   CHECK-NOT: kernel.conv
//       CHECK: linalg.generic {{.*}} iterator_types = {{.*}}"reduction", "reduction", "reduction"]
graven.graph @conv(%x: tensor<1x1x8x8x16xf32>, %w: tensor<16x16x3x3xf32>, %y: tensor<1x16x8x8xf32>) -> (tensor<1x1x6x6x16xf32>, tensor<1x16x6x6xf32>) {
  %0 = graven.conv %x, %w strides [1, 1] dilations [1, 1] pads [0, 0, 0, 0] layout nchw16c channels 16 : (tensor<1x1x8x8x16xf32>, tensor<16x16x3x3xf32>) -> tensor<1x1x6x6x16xf32>
  %1 = graven.conv %y, %w strides [1, 1] dilations [1, 1] pads [0, 0, 0, 0] : (tensor<1x16x8x8xf32>, tensor<16x16x3x3xf32>) -> tensor<1x16x6x6xf32>
  graven.return %0, %1 : tensor<1x1x6x6x16xf32>, tensor<1x16x6x6xf32>
}

// -----

// A convolution of one pixel is a product with the weights, whose columns fill whole blocks. Of the lanes behind the last
// channel nothing is known, so they are not read.

// CHECK-LABEL: func.func @one_pixel
//       CHECK: tensor.extract_slice {{.*}}[0, 0, 0] [1, 2, 24] [1, 1, 1] : tensor<1x2x32xf32> to tensor<1x2x24xf32>
//       CHECK: kernel.gemm
//  CHECK-SAME: tensor<1x2x48xf32>
//   CHECK-NOT: kernel.conv
graven.graph @one_pixel(%x: tensor<2x2x1x1x16xf32>, %w: tensor<40x24x1x1xf32>) -> tensor<2x3x1x1x16xf32> {
  %0 = graven.conv %x, %w strides [1, 1] dilations [1, 1] pads [0, 0, 0, 0] layout nchw16c channels 24 : (tensor<2x2x1x1x16xf32>, tensor<40x24x1x1xf32>) -> tensor<2x3x1x1x16xf32>
  graven.return %0 : tensor<2x3x1x1x16xf32>
}

// -----

// With a border, or more pixels, it is not.

// CHECK-LABEL: func.func @more_pixels
//       CHECK: kernel.conv
//       CHECK: kernel.conv
//   CHECK-NOT: kernel.gemm
graven.graph @more_pixels(%x: tensor<1x1x1x1x16xf32>, %y: tensor<1x1x1x2x16xf32>, %w: tensor<16x16x1x1xf32>) -> (tensor<1x1x3x3x16xf32>, tensor<1x1x1x2x16xf32>) {
  %0 = graven.conv %x, %w strides [1, 1] dilations [1, 1] pads [1, 1, 1, 1] layout nchw16c channels 16 : (tensor<1x1x1x1x16xf32>, tensor<16x16x1x1xf32>) -> tensor<1x1x3x3x16xf32>
  %1 = graven.conv %y, %w strides [1, 1] dilations [1, 1] pads [0, 0, 0, 0] layout nchw16c channels 16 : (tensor<1x1x1x2x16xf32>, tensor<16x16x1x1xf32>) -> tensor<1x1x1x2x16xf32>
  graven.return %0, %1 : tensor<1x1x3x3x16xf32>, tensor<1x1x1x2x16xf32>
}

// -----

// A transpose reads through a permuted map; a reduction accumulates from its neutral element.

// CHECK-DAG: #[[SWAP:.*]] = affine_map<(d0, d1) -> (d1, d0)>{{$}}
// CHECK-DAG: #[[ID:.*]] = affine_map<(d0, d1) -> (d0, d1)>{{$}}
// CHECK-DAG: #[[ROWS:.*]] = affine_map<(d0, d1) -> (d0)>{{$}}
// CHECK-LABEL: func.func @movement_and_reduction
//       CHECK: linalg.generic {indexing_maps = [#[[SWAP]], #[[ID]]], iterator_types = ["parallel", "parallel"]}
//       CHECK: %[[ZERO:.*]] = arith.constant 0.0
//       CHECK: %[[INIT:.*]] = linalg.fill ins(%[[ZERO]] : f32)
//       CHECK: linalg.generic {indexing_maps = [#[[ID]], #[[ROWS]]], iterator_types = ["parallel", "reduction"]}
//  CHECK-SAME: outs(%[[INIT]] : tensor<2xf32>)
graven.graph @movement_and_reduction(%x: tensor<2x4xf32>) -> (tensor<4x2xf32>, tensor<2xf32>) {
  %0 = graven.transpose %x by [1, 0] : (tensor<2x4xf32>) -> tensor<4x2xf32>
  %1 = graven.reduce sum %x axes [1] : (tensor<2x4xf32>) -> tensor<2xf32>
  graven.return %0, %1 : tensor<4x2xf32>, tensor<2xf32>
}

// -----

// Indices of a run are checked; what the checks found is one more result.

// CHECK-LABEL: func.func @indices
//  CHECK-SAME: -> (tensor<3x8xf32>, tensor<3x8xf32>, tensor<1xi32> {graven.status}) {
//       CHECK: %[[ONE:.*]] = linalg.generic {{.*}} iterator_types = ["reduction"]
//       CHECK: arith.cmpi sge
//       CHECK: tensor.extract
//       CHECK: %[[TWO:.*]] = linalg.generic {{.*}} iterator_types = ["reduction"]
//       CHECK: %[[STATUS:.*]] = linalg.generic {{.*}} ins(%[[ONE]], %[[TWO]] : tensor<1xi32>, tensor<1xi32>)
//       CHECK: arith.ori
//       CHECK: return %{{.*}}, %{{.*}}, %[[STATUS]]
graven.graph @indices(%x: tensor<4x8xf32>, %i: tensor<3xi64>, %j: tensor<3xi64>) -> (tensor<3x8xf32>, tensor<3x8xf32>) {
  %0 = graven.gather %x[%i] axis 0 : (tensor<4x8xf32>, tensor<3xi64>) -> tensor<3x8xf32>
  %1 = graven.gather %x[%j] axis 0 : (tensor<4x8xf32>, tensor<3xi64>) -> tensor<3x8xf32>
  graven.return %0, %1 : tensor<3x8xf32>, tensor<3x8xf32>
}

// -----

// CHECK-LABEL: func.func @control
//       CHECK: %[[WHILE:.*]]:3 = scf.while
//       CHECK: arith.cmpi slt
//       CHECK: scf.condition
//       CHECK: linalg.generic
//       CHECK: scf.yield
//       CHECK: %[[IF:.*]] = scf.if %{{.*}} -> (tensor<2xf32>)
//       CHECK: scf.yield %[[WHILE]]#2
//       CHECK: else
//       CHECK: return %[[IF]]
graven.graph @control(%x: tensor<2xf32>, %n: tensor<i64>, %go: tensor<i1>) -> tensor<2xf32> {
  %0 = graven.loop trip(%n) init(%x : tensor<2xf32>) -> (tensor<2xf32>) {
  ^bb0(%it: tensor<i64>, %v: tensor<2xf32>):
    %neg = graven.neg %v : tensor<2xf32>
    graven.yield %go, %neg : tensor<i1>, tensor<2xf32>
  }
  %1 = graven.if %go -> (tensor<2xf32>) {
    graven.yield %0 : tensor<2xf32>
  } else {
    graven.yield %x : tensor<2xf32>
  }
  graven.return %1 : tensor<2xf32>
}

// -----

// Every input of unknown extents is reported, and nothing else of that Graph.

// expected-error @below {{[GRV0207] input 'a' has type 'tensor<?x4xf32>'; give the extents of the model's inputs with --input}}
// expected-error @below {{[GRV0207] input 'b' has type 'tensor<2x?xf32>'}}
graven.graph @inputs(%a: tensor<?x4xf32> {graven.name = "a"}, %b: tensor<2x?xf32> {graven.name = "b"}) -> tensor<?x4xf32> {
  %0 = graven.relu %a : tensor<?x4xf32>
  graven.return %0 : tensor<?x4xf32>
}

// -----

// An extent that depends on values is reported at its Node.

graven.graph @values(%n: tensor<i64>) -> tensor<?xi64> {
  // expected-error @below {{[GRV0207] result of 'graven.iota' has type 'tensor<?xi64>'}}
  %0 = graven.iota [%n] axis 0 of i64 : (tensor<i64>) -> tensor<?xi64>
  graven.return %0 : tensor<?xi64>
}

// -----

// What a loop stacks is inserted slice by slice; another number of iterations
// than the type says is an error of the run.

// CHECK-LABEL: func.func @stack
//       CHECK: %[[LOOP:.*]]:3 = scf.while (%{{.*}} = %{{.*}}, %{{.*}} = %{{.*}}, %{{.*}} = %{{.*}}) : (i64, i1, tensor<3xi64>)
//       CHECK: ^bb0(%[[IT:.*]]: i64, %{{.*}}: i1, %[[STACK:.*]]: tensor<3xi64>):
//       CHECK: %[[AT:.*]] = arith.index_cast %[[IT]]
//       CHECK: %[[SAFE:.*]] = arith.minsi %[[AT]]
//       CHECK: tensor.insert_slice %{{.*}} into %[[STACK]][%[[SAFE]]] [1] [1] : tensor<i64> into tensor<3xi64>
//       CHECK: %[[STATUS:.*]] = linalg.generic
//       CHECK: arith.cmpi ne, %[[LOOP]]#0
//       CHECK: return %[[LOOP]]#2, %[[STATUS]]
graven.graph @stack(%trip: tensor<i64>, %go: tensor<i1>) -> tensor<3xi64> {
  %all = graven.loop trip(%trip) init() stacked(tensor<3xi64>) {
  ^bb0(%it: tensor<i64>):
    graven.yield %go, %it : tensor<i1>, tensor<i64>
  }
  graven.return %all : tensor<3xi64>
}

// -----

// A check inside a branch is carried out of it; the other branch has none.

// CHECK-LABEL: func.func @check_in_branch
//  CHECK-SAME: -> (tensor<2xf32>, tensor<1xi32> {graven.status})
//       CHECK: %[[IF:.*]]:2 = scf.if %{{.*}} -> (tensor<2xf32>, tensor<1xi32>) {
//       CHECK: %[[CHECKED:.*]] = linalg.generic {{.*}} ins(%{{.*}} : tensor<2xi64>) outs(%{{.*}} : tensor<1xi32>)
//       CHECK: scf.yield %{{.*}}, %[[CHECKED]]
//       CHECK: } else {
//       CHECK: %[[NONE:.*]] = linalg.fill
//       CHECK: scf.yield %{{.*}}, %[[NONE]]
//       CHECK: return %[[IF]]#0, %[[IF]]#1
graven.graph @check_in_branch(%c: tensor<i1>, %x: tensor<4xf32>, %y: tensor<2xf32>, %i: tensor<2xi64>) -> tensor<2xf32> {
  %0 = graven.if %c -> (tensor<2xf32>) {
    %1 = graven.gather %x[%i] axis 0 : (tensor<4xf32>, tensor<2xi64>) -> tensor<2xf32>
    graven.yield %1 : tensor<2xf32>
  } else {
    graven.yield %y : tensor<2xf32>
  }
  graven.return %0 : tensor<2xf32>
}

// -----

// Checks inside a loop add up over its iterations.

// CHECK-LABEL: func.func @check_in_loop
//       CHECK: %[[LOOP:.*]]:4 = scf.while ({{.*}}) : (i64, i1, tensor<f32>, tensor<1xi32>)
//       CHECK: ^bb0(%{{.*}}: i64, %{{.*}}: i1, %{{.*}}: tensor<f32>, %[[BEFORE:.*]]: tensor<1xi32>):
//       CHECK: %[[CHECKED:.*]] = linalg.generic {{.*}} outs(%{{.*}} : tensor<1xi32>)
//       CHECK: %[[ALL:.*]] = linalg.generic {{.*}} ins(%[[BEFORE]], %[[CHECKED]] :
//       CHECK: arith.ori
//       CHECK: scf.yield {{.*}}, %[[ALL]] :
//       CHECK: return %[[LOOP]]#2, %[[LOOP]]#3
graven.graph @check_in_loop(%n: tensor<i64>, %go: tensor<i1>, %x: tensor<4xf32>, %y: tensor<f32>) -> tensor<f32> {
  %0 = graven.loop trip(%n) init(%y : tensor<f32>) -> (tensor<f32>) {
  ^bb0(%i: tensor<i64>, %a: tensor<f32>):
    %1 = graven.gather %x[%i] axis 0 : (tensor<4xf32>, tensor<i64>) -> tensor<f32>
    graven.yield %go, %1 : tensor<i1>, tensor<f32>
  }
  graven.return %0 : tensor<f32>
}

// -----

// Tensors without elements are neither computed nor passed on.

// CHECK-LABEL: func.func @empty
//  CHECK-SAME: (%{{.*}}: tensor<0xf32>) -> (tensor<0xf32>, tensor<2x3xf32>)
//   CHECK-NOT: linalg
//       CHECK: %[[SUM:.*]] = arith.constant dense<0.000000e+00> : tensor<2x3xf32>
//   CHECK-NOT: linalg
//       CHECK: return %{{.*}}, %[[SUM]]
graven.graph @empty(%x: tensor<2x0x3xf32>) -> (tensor<2x0x3xf32>, tensor<2x3xf32>) {
  %0 = graven.relu %x : tensor<2x0x3xf32>
  %1 = graven.reduce sum %0 axes [1] : (tensor<2x0x3xf32>) -> tensor<2x3xf32>
  graven.return %0, %1 : tensor<2x0x3xf32>, tensor<2x3xf32>
}

// -----

// A scan is one kernel over [rows before the axis, the axis, columns behind it]; f16 is added up in f32.

// CHECK-LABEL: func.func @sums
//       CHECK: %[[X:.*]] = tensor.expand_shape %{{.*}} {{.*}} : tensor<40x3xf16> into tensor<1x40x3xf16>
//       CHECK: kernel.scan ins(%[[X]] : tensor<1x40x3xf16>) outs(%{{.*}} : tensor<1x40x3xf16>) initial 0.000000e+00 : f32 attributes {reverse}
//       CHECK: ^bb0(%[[S:.*]]: f32, %[[E:.*]]: f32):
//       CHECK:   %[[N:.*]] = arith.addf %[[S]], %[[E]] : f32
//       CHECK:   kernel.yield %[[N]] : f32
graven.graph @sums(%x: tensor<40x3xf16>) -> tensor<40x3xf16> {
  %0 = graven.cum_reduce sum %x axis 0 reverse : (tensor<40x3xf16>) -> tensor<40x3xf16>
  graven.return %0 : tensor<40x3xf16>
}

// -----

// A window whose type promises its extents may start anywhere: it is a view, kept inside.

// CHECK-LABEL: func.func @window(
//  CHECK-SAME: %[[X:[^:]*]]: tensor<4x3xf32>, %[[I:[^:]*]]: tensor<i64>
//       CHECK: %[[AT:.*]] = tensor.extract %[[I]][]
//       CHECK: %[[MOST:.*]] = arith.constant 2 : index
//       CHECK: %[[LOW:.*]] = arith.minsi %{{.*}}, %[[MOST]]
//       CHECK: %[[START:.*]] = arith.maxsi %[[LOW]]
//       CHECK: tensor.extract_slice %[[X]][%[[START]], 0] [2, 3] [1, 1]
graven.graph @window(%x: tensor<4x3xf32>, %i: tensor<i64>, %e: tensor<i64>) -> tensor<2x3xf32> {
  %0 = graven.slice %x[%i, 0] to [%e, 3] by [1, 1] : (tensor<4x3xf32>, tensor<i64>, tensor<i64>) -> tensor<2x3xf32>
  graven.return %0 : tensor<2x3xf32>
}

// -----

// Attention reads the heads of a merged projection in place and writes its
// result as the next product wants it; a bool mask becomes numbers once.

// CHECK-LABEL: func.func @attention(
//  CHECK-SAME: %[[X:[^:]*]]: tensor<1x5x48xf32>, %[[M:[^:]*]]: tensor<1x1x1x5xi1>
//   CHECK-DAG: %[[FLAT:.*]] = tensor.collapse_shape %[[X]] {{.*}} into tensor<240xf32>
//   CHECK-DAG: %[[ADDED:.*]] = linalg.generic {{.*}} ins(%[[M]] : tensor<1x1x1x5xi1>)
//       CHECK: kernel.attention ins(%{{.*}}, %{{.*}}, %{{.*}} : tensor<240xf32>, tensor<240xf32>, tensor<240xf32>) mask(%{{.*}} : tensor<5xf32>)
//  CHECK-SAME: causal, extents = array<i64: 1, 2, 2, 5, 5, 8, 8>
//  CHECK-SAME: k_map = array<i64: 16, 0, 8, 48, 1>
//  CHECK-SAME: mask_map = array<i64: 0, 0, 0, 0, 1>
//  CHECK-SAME: out_map = array<i64: 0, 80, 8, 16, 1>
//  CHECK-SAME: q_map = array<i64: 0, 0, 8, 48, 1>
//  CHECK-SAME: v_map = array<i64: 32, 0, 8, 48, 1>
graven.graph @attention(%x: tensor<1x5x48xf32>, %m: tensor<1x1x1x5xi1>) -> tensor<5x16xf32> {
  %0 = graven.reshape %x to [1, 5, 3, 2, 8] : (tensor<1x5x48xf32>) -> tensor<1x5x3x2x8xf32>
  %1 = graven.transpose %0 by [2, 0, 3, 1, 4] : (tensor<1x5x3x2x8xf32>) -> tensor<3x1x2x5x8xf32>
  %2 = graven.slice %1 [0, 0, 0, 0, 0] to [1, 1, 2, 5, 8] by [1, 1, 1, 1, 1] : (tensor<3x1x2x5x8xf32>) -> tensor<1x1x2x5x8xf32>
  %3 = graven.slice %1 [1, 0, 0, 0, 0] to [2, 1, 2, 5, 8] by [1, 1, 1, 1, 1] : (tensor<3x1x2x5x8xf32>) -> tensor<1x1x2x5x8xf32>
  %4 = graven.slice %1 [2, 0, 0, 0, 0] to [3, 1, 2, 5, 8] by [1, 1, 1, 1, 1] : (tensor<3x1x2x5x8xf32>) -> tensor<1x1x2x5x8xf32>
  %q = graven.reshape %2 to [1, 2, 5, 8] : (tensor<1x1x2x5x8xf32>) -> tensor<1x2x5x8xf32>
  %k = graven.reshape %3 to [1, 2, 5, 8] : (tensor<1x1x2x5x8xf32>) -> tensor<1x2x5x8xf32>
  %v = graven.reshape %4 to [1, 2, 5, 8] : (tensor<1x1x2x5x8xf32>) -> tensor<1x2x5x8xf32>
  %y = graven.attention %q, %k, %v mask %m scale 0.5 causal : (tensor<1x2x5x8xf32>, tensor<1x2x5x8xf32>, tensor<1x2x5x8xf32>, tensor<1x1x1x5xi1>) -> tensor<1x2x5x8xf32>
  %5 = graven.transpose %y by [0, 2, 1, 3] : (tensor<1x2x5x8xf32>) -> tensor<1x5x2x8xf32>
  %6 = graven.reshape %5 to [5, 16] : (tensor<1x5x2x8xf32>) -> tensor<5x16xf32>
  graven.return %6 : tensor<5x16xf32>
}

// -----

// A splat of many elements is filled in, and stands in no artifact.

// CHECK-LABEL: func.func @splats
//   CHECK-DAG: %[[SMALL:.*]] = arith.constant dense<2.000000e+00> : tensor<65536xf32>
//   CHECK-DAG: %[[TWO:.*]] = arith.constant 2.000000e+00 : f32
//   CHECK-DAG: %[[ROOM:.*]] = tensor.empty() : tensor<65537xf32>
//       CHECK: %[[BIG:.*]] = linalg.fill ins(%[[TWO]] : f32) outs(%[[ROOM]] : tensor<65537xf32>)
//       CHECK: return %[[SMALL]], %[[BIG]]
graven.graph @splats() -> (tensor<65536xf32>, tensor<65537xf32>) {
  %small = graven.constant dense<2.0> : tensor<65536xf32>
  %big = graven.constant dense<2.0> : tensor<65537xf32>
  graven.return %small, %big : tensor<65536xf32>, tensor<65537xf32>
}

// -----

// What has no native code is a coded error at the Node.

graven.graph @refused(%x: tensor<4xf32>, %y: tensor<2xf32>, %i: tensor<i64>) -> tensor<4xf32> {
  // expected-error @below {{[GRV0202] no native code for 'graven.insert_slice': it has starts that are not constant}}
  %0 = graven.insert_slice %y into %x[%i] by [1] : (tensor<4xf32>, tensor<2xf32>, tensor<i64>) -> tensor<4xf32>
  graven.return %0 : tensor<4xf32>
}

// -----

graven.graph @callee(%x: tensor<4xf32>) -> tensor<4xf32> {
  graven.return %x : tensor<4xf32>
}
graven.graph @calls(%x: tensor<4xf32>) -> tensor<4xf32> {
  // expected-error @below {{[GRV0202] no native code for 'graven.call'}}
  %0 = graven.call @callee(%x) : (tensor<4xf32>) -> tensor<4xf32>
  graven.return %0 : tensor<4xf32>
}
