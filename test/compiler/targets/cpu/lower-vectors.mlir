// RUN: graven-opt %s --graven-lower-vectors | FileCheck %s
// Whatever was left is what the last conversion takes.
// RUN: graven-opt %s --graven-lower-vectors --graven-convert-to-llvm \
// RUN:   | FileCheck %s --check-prefix=LLVM "--implicit-check-not= vector."

// CHECK-LABEL: func.func @transpose
// CHECK-NOT: vector.transpose
// CHECK: llvm.extractvalue
// LLVM-LABEL: llvm.func @transpose
func.func @transpose(%x: vector<2x4xf32>) -> vector<4x2xf32> {
  %0 = vector.transpose %x, [1, 0] : vector<2x4xf32> to vector<4x2xf32>
  return %0 : vector<4x2xf32>
}

// CHECK-LABEL: func.func @transfer
// CHECK-NOT: vector.transfer_read
// LLVM-LABEL: llvm.func @transfer
func.func @transfer(%x: memref<8xf32>, %i: index) -> vector<4xf32> {
  %pad = arith.constant 0.0 : f32
  %0 = vector.transfer_read %x[%i], %pad {in_bounds = [true]} : memref<8xf32>, vector<4xf32>
  return %0 : vector<4xf32>
}

// CHECK-LABEL: func.func @rows
// CHECK-NOT: vector.broadcast
// LLVM-LABEL: llvm.func @rows
func.func @rows(%x: vector<4xf32>) -> vector<2x4xf32> {
  %0 = vector.broadcast %x : vector<4xf32> to vector<2x4xf32>
  return %0 : vector<2x4xf32>
}

// CHECK-LABEL: func.func @step
// CHECK-NOT: vector.step
// LLVM-LABEL: llvm.func @step
func.func @step() -> vector<4xindex> {
  %0 = vector.step : vector<4xindex>
  return %0 : vector<4xindex>
}

// The ops of register tiles are instructions: they wait for the last conversion.
// CHECK-LABEL: func.func @direct
// CHECK: vector.load
// CHECK: vector.broadcast
// CHECK: vector.fma
// CHECK: vector.shuffle
// CHECK: vector.interleave
// CHECK: vector.bitcast
// CHECK: vector.extract
// CHECK: vector.insert
// CHECK: vector.to_elements
// CHECK: vector.from_elements
// CHECK: vector.maskedload
// CHECK: vector.reduction
// CHECK: vector.maskedstore
// CHECK: vector.store
// LLVM-LABEL: llvm.func @direct
// LLVM: llvm.load {{.+}} -> vector<4xf32>
// LLVM: llvm.intr.{{fma|fmuladd}}
// LLVM: llvm.intr.masked.load
// LLVM: llvm.intr.vector.reduce.fadd{{.+}} <{fastmathFlags = #llvm.fastmath<reassoc>}>
// LLVM: llvm.intr.masked.store
func.func @direct(%x: memref<8xf32>, %i: index, %s: f32, %mask: vector<4xi1>) -> (i16, vector<8xf32>, f32) {
  %zero = arith.constant 0.0 : f32
  %0 = vector.load %x[%i] : memref<8xf32>, vector<4xf32>
  %1 = vector.broadcast %s : f32 to vector<4xf32>
  %2 = vector.fma %0, %1, %1 : vector<4xf32>
  %3 = vector.shuffle %2, %0 [0, 4, 1, 5] : vector<4xf32>, vector<4xf32>
  %4 = vector.interleave %3, %2 : vector<4xf32> -> vector<8xf32>
  %5 = vector.bitcast %3 : vector<4xf32> to vector<8xi16>
  %6 = vector.extract %5[3] : i16 from vector<8xi16>
  %7 = vector.insert %s, %3 [2] : f32 into vector<4xf32>
  %8:4 = vector.to_elements %7 : vector<4xf32>
  %9 = vector.from_elements %8#3, %8#2, %8#1, %8#0 : vector<4xf32>
  %10 = vector.maskedload %x[%i], %mask, %9 : memref<8xf32>, vector<4xi1>, vector<4xf32> into vector<4xf32>
  %11 = vector.reduction <add>, %10, %zero : vector<4xf32> into f32
  vector.maskedstore %x[%i], %mask, %9 : memref<8xf32>, vector<4xi1>, vector<4xf32>
  vector.store %10, %x[%i] : memref<8xf32>, vector<4xf32>
  return %6, %4, %11 : i16, vector<8xf32>, f32
}
