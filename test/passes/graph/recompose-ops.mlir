// RUN: graven-opt --graven-recompose-ops --canonicalize --split-input-file %s | FileCheck %s

// CHECK-LABEL: graven.graph @gelu(
//  CHECK-SAME:   %[[X:.*]]: tensor<4x8xf32>
//   CHECK-DAG:   %[[A:.*]] = graven.gelu %[[X]] : tensor<4x8xf32>
//   CHECK-DAG:   %[[B:.*]] = graven.gelu %[[X]] form tanh : tensor<4x8xf32>
//   CHECK-DAG:   %[[C:.*]] = graven.gelu %[[X]] form tanh : tensor<4x8xf32>
//       CHECK:   graven.return %[[A]], %[[B]], %[[C]]
graven.graph @gelu(%x: tensor<4x8xf32>) -> (tensor<4x8xf32>, tensor<4x8xf32>, tensor<4x8xf32>) {
  %root = graven.constant dense<1.41421354> : tensor<1x1xf32>
  %one = graven.constant dense<1.0> : tensor<1x1xf32>
  %half = graven.constant dense<0.5> : tensor<1x1xf32>
  %three = graven.constant dense<3.0> : tensor<1x1xf32>
  %cubic = graven.constant dense<0.044715> : tensor<1x1xf32>
  %outer = graven.constant dense<0.797884583> : tensor<1x1xf32>
  %0 = graven.div %x, %root : (tensor<4x8xf32>, tensor<1x1xf32>) -> tensor<4x8xf32>
  %1 = graven.erf %0 : tensor<4x8xf32>
  %2 = graven.add %1, %one : (tensor<4x8xf32>, tensor<1x1xf32>) -> tensor<4x8xf32>
  %3 = graven.mul %x, %2 : (tensor<4x8xf32>, tensor<4x8xf32>) -> tensor<4x8xf32>
  %4 = graven.mul %3, %half : (tensor<4x8xf32>, tensor<1x1xf32>) -> tensor<4x8xf32>
  %5 = graven.pow %x, %three : (tensor<4x8xf32>, tensor<1x1xf32>) -> tensor<4x8xf32>
  %6 = graven.mul %5, %cubic : (tensor<4x8xf32>, tensor<1x1xf32>) -> tensor<4x8xf32>
  %7 = graven.add %x, %6 : (tensor<4x8xf32>, tensor<4x8xf32>) -> tensor<4x8xf32>
  %8 = graven.mul %7, %outer : (tensor<4x8xf32>, tensor<1x1xf32>) -> tensor<4x8xf32>
  %9 = graven.tanh %8 : tensor<4x8xf32>
  %10 = graven.add %9, %one : (tensor<4x8xf32>, tensor<1x1xf32>) -> tensor<4x8xf32>
  %11 = graven.mul %x, %half : (tensor<4x8xf32>, tensor<1x1xf32>) -> tensor<4x8xf32>
  %12 = graven.mul %11, %10 : (tensor<4x8xf32>, tensor<4x8xf32>) -> tensor<4x8xf32>
  %13 = graven.mul %x, %outer : (tensor<4x8xf32>, tensor<1x1xf32>) -> tensor<4x8xf32>
  %14 = graven.mul %x, %cubic : (tensor<4x8xf32>, tensor<1x1xf32>) -> tensor<4x8xf32>
  %15 = graven.mul %14, %x : (tensor<4x8xf32>, tensor<4x8xf32>) -> tensor<4x8xf32>
  %16 = graven.add %15, %one : (tensor<4x8xf32>, tensor<1x1xf32>) -> tensor<4x8xf32>
  %17 = graven.mul %13, %16 : (tensor<4x8xf32>, tensor<4x8xf32>) -> tensor<4x8xf32>
  %18 = graven.tanh %17 : tensor<4x8xf32>
  %19 = graven.add %18, %one : (tensor<4x8xf32>, tensor<1x1xf32>) -> tensor<4x8xf32>
  %20 = graven.mul %11, %19 : (tensor<4x8xf32>, tensor<4x8xf32>) -> tensor<4x8xf32>
  graven.return %4, %12, %20 : tensor<4x8xf32>, tensor<4x8xf32>, tensor<4x8xf32>
}

// -----

// Another constant is another function.

// CHECK-LABEL: graven.graph @no_gelu(
//       CHECK:   graven.erf
//       CHECK:   graven.sigmoid
//   CHECK-NOT:   gelu
//   CHECK-NOT:   silu
//       CHECK:   graven.return
graven.graph @no_gelu(%x: tensor<4xf32>, %y: tensor<4xf32>) -> (tensor<4xf32>, tensor<4xf32>) {
  %root = graven.constant dense<1.5> : tensor<1xf32>
  %one = graven.constant dense<1.0> : tensor<1xf32>
  %half = graven.constant dense<0.5> : tensor<1xf32>
  %0 = graven.div %x, %root : (tensor<4xf32>, tensor<1xf32>) -> tensor<4xf32>
  %1 = graven.erf %0 : tensor<4xf32>
  %2 = graven.add %1, %one : (tensor<4xf32>, tensor<1xf32>) -> tensor<4xf32>
  %3 = graven.mul %x, %2 : (tensor<4xf32>, tensor<4xf32>) -> tensor<4xf32>
  %4 = graven.mul %3, %half : (tensor<4xf32>, tensor<1xf32>) -> tensor<4xf32>
  %5 = graven.sigmoid %x : tensor<4xf32>
  %6 = graven.mul %5, %y : (tensor<4xf32>, tensor<4xf32>) -> tensor<4xf32>
  graven.return %4, %6 : tensor<4xf32>, tensor<4xf32>
}

// -----

// CHECK-LABEL: graven.graph @swish(
//  CHECK-SAME:   %[[X:.*]]: tensor<4xf32>
//   CHECK-DAG:   %[[A:.*]] = graven.silu %[[X]]
//   CHECK-DAG:   %[[B:.*]] = graven.hard_swish %[[X]]
//   CHECK-DAG:   %[[C:.*]] = graven.hard_swish %[[X]]
//       CHECK:   graven.return %[[A]], %[[B]], %[[C]]
graven.graph @swish(%x: tensor<4xf32>) -> (tensor<4xf32>, tensor<4xf32>, tensor<4xf32>) {
  %three = graven.constant dense<3.0> : tensor<1xf32>
  %zero = graven.constant dense<0.0> : tensor<f32>
  %six = graven.constant dense<6.0> : tensor<f32>
  %0 = graven.sigmoid %x : tensor<4xf32>
  %1 = graven.mul %0, %x : (tensor<4xf32>, tensor<4xf32>) -> tensor<4xf32>
  %2 = graven.add %x, %three : (tensor<4xf32>, tensor<1xf32>) -> tensor<4xf32>
  %3 = graven.clamp %2 lo %zero hi %six : (tensor<4xf32>, tensor<f32>, tensor<f32>) -> tensor<4xf32>
  %4 = graven.mul %x, %3 : (tensor<4xf32>, tensor<4xf32>) -> tensor<4xf32>
  %5 = graven.div %4, %six : (tensor<4xf32>, tensor<f32>) -> tensor<4xf32>
  %6 = graven.hard_sigmoid %x : tensor<4xf32>
  %7 = graven.mul %x, %6 : (tensor<4xf32>, tensor<4xf32>) -> tensor<4xf32>
  graven.return %1, %5, %7 : tensor<4xf32>, tensor<4xf32>, tensor<4xf32>
}

// -----

// CHECK-LABEL: graven.graph @layer_norm(
//  CHECK-SAME:   %[[X:.*]]: tensor<2x4x8xf32>
//       CHECK:   graven.reshape %{{.*}} to [8]
//       CHECK:   %[[B:.*]] = graven.reshape %{{.*}} to [8]
//       CHECK:   %[[Y:.*]] = graven.layer_norm %[[X]] scale %{{.*}} bias %[[B]] axis 2 epsilon 9.99
//       CHECK:   graven.return %[[Y]]
graven.param @s : tensor<1x1x8xf32> = dense<2.0> : tensor<1x1x8xf32>
graven.graph @layer_norm(%x: tensor<2x4x8xf32>) -> tensor<2x4x8xf32> {
  %s = graven.get_param @s : tensor<1x1x8xf32>
  %two = graven.constant dense<2.0> : tensor<1x1x1xf32>
  %eps = graven.constant dense<1.0e-5> : tensor<1x1x1xf32>
  %0 = graven.reduce mean %x axes [2] keep : (tensor<2x4x8xf32>) -> tensor<2x4x1xf32>
  %1 = graven.sub %x, %0 : (tensor<2x4x8xf32>, tensor<2x4x1xf32>) -> tensor<2x4x8xf32>
  %2 = graven.pow %1, %two : (tensor<2x4x8xf32>, tensor<1x1x1xf32>) -> tensor<2x4x8xf32>
  %3 = graven.reduce mean %2 axes [2] keep : (tensor<2x4x8xf32>) -> tensor<2x4x1xf32>
  %4 = graven.add %3, %eps : (tensor<2x4x1xf32>, tensor<1x1x1xf32>) -> tensor<2x4x1xf32>
  %5 = graven.sqrt %4 : tensor<2x4x1xf32>
  %6 = graven.div %1, %5 : (tensor<2x4x8xf32>, tensor<2x4x1xf32>) -> tensor<2x4x8xf32>
  %7 = graven.mul %6, %s : (tensor<2x4x8xf32>, tensor<1x1x8xf32>) -> tensor<2x4x8xf32>
  %8 = graven.add %7, %s : (tensor<2x4x8xf32>, tensor<1x1x8xf32>) -> tensor<2x4x8xf32>
  graven.return %8 : tensor<2x4x8xf32>
}

// -----

// Weights that are no row of the normalised extents stay outside; so does a
// mean over the wrong axes.

// CHECK-LABEL: graven.graph @rms_norm(
//  CHECK-SAME:   %[[X:.*]]: tensor<4x8xf32>
//       CHECK:   %[[R:.*]] = graven.rms_norm %[[X]] axis 1 epsilon
//       CHECK:   graven.mul %[[R]], %{{.*}} : (tensor<4x8xf32>, tensor<4x1xf32>)
//       CHECK:   graven.rsqrt
graven.param @s : tensor<4x1xf32> = dense<2.0> : tensor<4x1xf32>
graven.graph @rms_norm(%x: tensor<4x8xf32>) -> (tensor<4x8xf32>, tensor<4x8xf32>) {
  %s = graven.get_param @s : tensor<4x1xf32>
  %eps = graven.constant dense<1.0e-5> : tensor<1x1xf32>
  %0 = graven.mul %x, %x : (tensor<4x8xf32>, tensor<4x8xf32>) -> tensor<4x8xf32>
  %1 = graven.reduce mean %0 axes [1] keep : (tensor<4x8xf32>) -> tensor<4x1xf32>
  %2 = graven.add %1, %eps : (tensor<4x1xf32>, tensor<1x1xf32>) -> tensor<4x1xf32>
  %3 = graven.rsqrt %2 : tensor<4x1xf32>
  %4 = graven.mul %x, %3 : (tensor<4x8xf32>, tensor<4x1xf32>) -> tensor<4x8xf32>
  %5 = graven.mul %4, %s : (tensor<4x8xf32>, tensor<4x1xf32>) -> tensor<4x8xf32>
  %6 = graven.mul %x, %x : (tensor<4x8xf32>, tensor<4x8xf32>) -> tensor<4x8xf32>
  %7 = graven.reduce mean %6 axes [0] keep : (tensor<4x8xf32>) -> tensor<1x8xf32>
  %8 = graven.add %7, %eps : (tensor<1x8xf32>, tensor<1x1xf32>) -> tensor<1x8xf32>
  %9 = graven.rsqrt %8 : tensor<1x8xf32>
  %10 = graven.mul %x, %9 : (tensor<4x8xf32>, tensor<1x8xf32>) -> tensor<4x8xf32>
  graven.return %5, %10 : tensor<4x8xf32>, tensor<4x8xf32>
}

// -----

// A row of weights becomes its scale; a second one has no place.

// CHECK-LABEL: graven.graph @scale_of_rms_norm(
//       CHECK:   %[[FLAT:.*]] = graven.reshape %{{.*}} to [8]
//       CHECK:   %[[R:.*]] = graven.rms_norm %{{.*}} scale %[[FLAT]] axis 1
//       CHECK:   graven.mul %[[R]], %{{.*}} : (tensor<4x8xf32>, tensor<1x8xf32>)
graven.param @row : tensor<1x8xf32> = dense<2.0> : tensor<1x8xf32>
graven.graph @scale_of_rms_norm(%x: tensor<4x8xf32>) -> tensor<4x8xf32> {
  %s = graven.get_param @row : tensor<1x8xf32>
  %0 = graven.rms_norm %x axis 1 epsilon 1.0e-5 : (tensor<4x8xf32>) -> tensor<4x8xf32>
  %1 = graven.mul %0, %s : (tensor<4x8xf32>, tensor<1x8xf32>) -> tensor<4x8xf32>
  %2 = graven.mul %1, %s : (tensor<4x8xf32>, tensor<1x8xf32>) -> tensor<4x8xf32>
  graven.return %2 : tensor<4x8xf32>
}

// -----

// A normalisation takes no epsilon below 0.

// CHECK-LABEL: graven.graph @keeps_an_epsilon_below_zero(
//   CHECK-NOT:   graven.rms_norm
//       CHECK:   graven.rsqrt
graven.graph @keeps_an_epsilon_below_zero(%x: tensor<4x8xf32>) -> tensor<4x8xf32> {
  %eps = graven.constant dense<-0.5> : tensor<1x1xf32>
  %0 = graven.mul %x, %x : (tensor<4x8xf32>, tensor<4x8xf32>) -> tensor<4x8xf32>
  %1 = graven.reduce mean %0 axes [1] keep : (tensor<4x8xf32>) -> tensor<4x1xf32>
  %2 = graven.add %1, %eps : (tensor<4x1xf32>, tensor<1x1xf32>) -> tensor<4x1xf32>
  %3 = graven.rsqrt %2 : tensor<4x1xf32>
  %4 = graven.mul %x, %3 : (tensor<4x8xf32>, tensor<4x1xf32>) -> tensor<4x8xf32>
  graven.return %4 : tensor<4x8xf32>
}

// -----

// What is normalised is a product itself, as Gemma's embeddings are.

// CHECK-LABEL: graven.graph @rms_norm_of_a_product(
//       CHECK:   %[[P:.*]] = graven.mul %{{.*}}, %{{.*}} : (tensor<4x8xf32>, tensor<f32>)
//       CHECK:   %[[R:.*]] = graven.rms_norm %[[P]] axis 1
//       CHECK:   graven.return %[[R]], %[[P]]
graven.graph @rms_norm_of_a_product(%x: tensor<4x8xf32>) -> (tensor<4x8xf32>, tensor<4x8xf32>) {
  %c = graven.constant dense<7.0> : tensor<f32>
  %eps = graven.constant dense<1.0e-6> : tensor<f32>
  %0 = graven.mul %x, %c : (tensor<4x8xf32>, tensor<f32>) -> tensor<4x8xf32>
  %1 = graven.mul %0, %0 : (tensor<4x8xf32>, tensor<4x8xf32>) -> tensor<4x8xf32>
  %2 = graven.reduce mean %1 axes [1] keep : (tensor<4x8xf32>) -> tensor<4x1xf32>
  %3 = graven.add %2, %eps : (tensor<4x1xf32>, tensor<f32>) -> tensor<4x1xf32>
  %4 = graven.rsqrt %3 : tensor<4x1xf32>
  %5 = graven.mul %0, %4 : (tensor<4x8xf32>, tensor<4x1xf32>) -> tensor<4x8xf32>
  graven.return %5, %0 : tensor<4x8xf32>, tensor<4x8xf32>
}

// -----

// The square of one value beside another is no norm of it.

// CHECK-LABEL: graven.graph @keeps_the_square_of_another(
//   CHECK-NOT:   graven.rms_norm
//       CHECK:   graven.rsqrt
graven.graph @keeps_the_square_of_another(%x: tensor<4x8xf32>) -> tensor<4x8xf32> {
  %c = graven.constant dense<7.0> : tensor<f32>
  %eps = graven.constant dense<1.0e-6> : tensor<f32>
  %0 = graven.mul %x, %c : (tensor<4x8xf32>, tensor<f32>) -> tensor<4x8xf32>
  %1 = graven.mul %0, %0 : (tensor<4x8xf32>, tensor<4x8xf32>) -> tensor<4x8xf32>
  %2 = graven.reduce mean %1 axes [1] keep : (tensor<4x8xf32>) -> tensor<4x1xf32>
  %3 = graven.add %2, %eps : (tensor<4x1xf32>, tensor<f32>) -> tensor<4x1xf32>
  %4 = graven.rsqrt %3 : tensor<4x1xf32>
  %5 = graven.mul %x, %4 : (tensor<4x8xf32>, tensor<4x1xf32>) -> tensor<4x8xf32>
  graven.return %5 : tensor<4x8xf32>
}
