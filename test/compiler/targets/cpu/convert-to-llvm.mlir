// RUN: graven-opt %s --graven-convert-to-llvm | FileCheck %s

// A memref of static shape is one pointer, an index 64 bits.
// CHECK-LABEL: llvm.func @load(%arg0: !llvm.ptr {llvm.noalias}, %arg1: i64) -> f32
// CHECK: llvm.getelementptr
// CHECK: llvm.load {{.+}} : !llvm.ptr -> f32
func.func @load(%x: memref<4xf32> {llvm.noalias}, %i: index) -> f32 {
  %0 = memref.load %x[%i] : memref<4xf32>
  return %0 : f32
}

// Arguments of blocks are converted with the branches to them.
// CHECK-LABEL: llvm.func @branch
// CHECK: llvm.br ^bb1(%{{.+}} : i64)
// CHECK: ^bb1(%{{.+}}: i64):
// CHECK: llvm.add {{.+}} : i64
func.func @branch(%i: index) -> index {
  cf.br ^next(%i : index)
^next(%j: index):
  %0 = arith.addi %j, %j : index
  return %0 : index
}

// CHECK-LABEL: llvm.func @intrinsic
// CHECK: llvm.intr.sqrt
func.func @intrinsic(%x: vector<8xf32>) -> vector<8xf32> {
  %0 = math.sqrt %x : vector<8xf32>
  return %0 : vector<8xf32>
}

// log(1 + x) would lose all digits of a small x.
// CHECK-LABEL: llvm.func @library
// CHECK-NOT: llvm.intr.log
// CHECK: llvm.call @log1pf(
// CHECK: llvm.call @log1pf(
func.func @library(%x: f32) -> f32 {
  %0 = math.log1p %x : f32
  %1 = math.log1p %0 : f32
  return %1 : f32
}

// CHECK-LABEL: llvm.func @reduction
// CHECK: llvm.intr.vector.reduce.fadd{{.*}}fastmathFlags = #llvm.fastmath<reassoc>
func.func @reduction(%x: vector<8xf32>) -> f32 {
  %0 = vector.reduction <add>, %x : vector<8xf32> into f32
  return %0 : f32
}
