// RUN: graven-opt %s --graven-expand-arith | FileCheck %s

// CHECK-LABEL: func.func @widen
// CHECK-NOT: arith.extf
// CHECK: arith.bitcast %{{.+}} : bf16 to i16
// CHECK: arith.extui %{{.+}} : i16 to i32
// CHECK: arith.shli
// CHECK: arith.bitcast %{{.+}} : i32 to f32
func.func @widen(%x: bf16) -> f32 {
  %0 = arith.extf %x : bf16 to f32
  return %0 : f32
}

// CHECK-LABEL: func.func @narrow
// CHECK-NOT: arith.truncf
// CHECK: arith.bitcast %{{.+}} : i16 to bf16
func.func @narrow(%x: f32) -> bf16 {
  %0 = arith.truncf %x : f32 to bf16
  return %0 : bf16
}

// CHECK-LABEL: func.func @vector
// CHECK-NOT: arith.extf
func.func @vector(%x: vector<8xbf16>) -> vector<8xf32> {
  %0 = arith.extf %x : vector<8xbf16> to vector<8xf32>
  return %0 : vector<8xf32>
}

// CHECK-LABEL: func.func @floor_division
// CHECK-NOT: arith.floordivsi
// CHECK: arith.divsi
func.func @floor_division(%a: i64, %b: i64) -> i64 {
  %0 = arith.floordivsi %a, %b : i64
  return %0 : i64
}

// CHECK-LABEL: func.func @ceil_division
// CHECK-NOT: arith.ceildivsi
// CHECK: arith.divsi
func.func @ceil_division(%a: index, %b: index) -> index {
  %0 = arith.ceildivsi %a, %b : index
  return %0 : index
}

// LLVM knows these.
// CHECK-LABEL: func.func @maximum
// CHECK: arith.maximumf
// CHECK: arith.maxnumf
func.func @maximum(%a: f32, %b: f32) -> f32 {
  %0 = arith.maximumf %a, %b : f32
  %1 = arith.maxnumf %0, %b : f32
  return %1 : f32
}

// f16 has instructions or a function of the support code.
// CHECK-LABEL: func.func @half
// CHECK: arith.extf %{{.+}} : f16 to f32
func.func @half(%x: f16) -> f32 {
  %0 = arith.extf %x : f16 to f32
  return %0 : f32
}

// Rounded to nearest even; the choice for NaN is between 32-bit words.
// CHECK-LABEL: func.func @narrow_vector
// CHECK: %[[NAN:.+]] = arith.cmpf uno
// CHECK: %[[ROUNDED:.+]] = arith.addi %{{.+}}, %{{.+}} : vector<8xi32>
// CHECK: arith.ori
// CHECK: arith.select %[[NAN]], %{{.+}}, %{{.+}} : vector<8xi1>, vector<8xi32>
// CHECK: arith.trunci %{{.+}} : vector<8xi32> to vector<8xi16>
// CHECK: arith.bitcast %{{.+}} : vector<8xi16> to vector<8xbf16>
func.func @narrow_vector(%x: vector<8xf32>) -> vector<8xbf16> {
  %0 = arith.truncf %x : vector<8xf32> to vector<8xbf16>
  return %0 : vector<8xbf16>
}
