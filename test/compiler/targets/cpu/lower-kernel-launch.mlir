// RUN: graven-opt %s --graven-lower-kernel-launch | FileCheck %s
// RUN: graven-opt %s --graven-lower-kernel-launch=announces | FileCheck %s --check-prefix=TELL

// TELL-LABEL: func.func @forward
// TELL: %[[FIRST:.+]] = llvm.mlir.constant(-1 : i64)
// TELL: llvm.call @graven.announce(%[[P:.+]], %[[FIRST]])
// TELL: llvm.call @graven.launch(%[[P]],
// TELL: %[[SECOND:.+]] = llvm.mlir.constant(-2 : i64)
// TELL: llvm.call @graven.announce(%[[P]], %[[SECOND]])
// TELL: llvm.call @graven.launch(%[[P]],
// TELL: %[[THIRD:.+]] = llvm.mlir.constant(-3 : i64)
// TELL: llvm.call @graven.announce(%[[P]], %[[THIRD]])
// TELL: call @k_1(
// The callback is the third member of the table.
// TELL-LABEL: llvm.func internal @graven.announce(
// TELL-SAME: %[[TABLE:.+]]: !llvm.ptr, %[[NUMBER:.+]]: i64)
// TELL: llvm.icmp "eq" %[[TABLE]]
// TELL: %[[CONTEXT:.+]] = llvm.load %[[TABLE]]
// TELL: llvm.getelementptr %[[TABLE]][2]
// TELL: llvm.call %{{.+}}(%[[CONTEXT]], %[[NUMBER]], %{{.+}}, %{{.+}})

// CHECK-LABEL: func.func @forward
// CHECK-SAME: %[[X:.+]]: memref<16xf32>, %[[Y:.+]]: memref<16xf32>, %[[WS:.+]]: memref<128xi8>,
// CHECK-SAME: %[[W:.+]]: memref<64xi8>, %[[PARALLEL:.+]]: !llvm.ptr)
// The array is as long as the longest list of operands, and there is one.
// CHECK: %[[SIZE:.+]] = llvm.mlir.constant(3 : i64) : i64
// CHECK: %[[ARGS:.+]] = llvm.alloca %[[SIZE]] x i64
// CHECK-NOT: llvm.alloca
func.func @forward(%x: memref<16xf32>, %y: memref<16xf32>, %ws: memref<128xi8>, %weights: memref<64xi8>)
    attributes {graven.num_inputs = 1 : i64, graven.num_outputs = 1 : i64} {
  %c0 = arith.constant 0 : index
  %c64 = arith.constant 64 : index
  %t = memref.view %ws[%c64][] : memref<128xi8> to memref<16xf32>
  %w = memref.view %weights[%c0][] : memref<64xi8> to memref<16xf32>

  // CHECK: %[[D:.+]] = builtin.unrealized_conversion_cast %[[X]] : memref<16xf32> to !llvm.struct
  // CHECK: %[[P:.+]] = llvm.extractvalue %[[D]][1]
  // CHECK: %[[SLOT:.+]] = llvm.getelementptr %[[ARGS]][0]
  // CHECK: llvm.store %[[P]], %[[SLOT]]
  // CHECK: %[[F:.+]] = constant @k_0.task : (!llvm.ptr, i64, i64) -> ()
  // CHECK: %[[TASK:.+]] = builtin.unrealized_conversion_cast %[[F]] {{.*}} to !llvm.ptr
  // CHECK: %[[N:.+]] = llvm.mlir.constant(4 : i64) : i64
  // CHECK: llvm.call @graven.launch(%[[PARALLEL]], %[[N]], %[[TASK]], %[[ARGS]])
  kernel.launch @k_0(%x, %w, %t : memref<16xf32>, memref<16xf32>, memref<16xf32>) tasks(4)

  // Equal kernels have one task function.
  // CHECK: constant @k_0.task
  kernel.launch @k_0(%t, %w, %y : memref<16xf32>, memref<16xf32>, memref<16xf32>) tasks(4)

  // One task is a call.
  // CHECK: call @k_1({{.+}}) : (memref<16xf32>, index, index) -> ()
  // CHECK-NEXT: return
  kernel.launch @k_1(%y : memref<16xf32>) tasks(1)
  return
}

// The weights are aligned in every launch, the first operand only in one.
// CHECK-LABEL: func.func private @k_0(
// CHECK-SAME: %{{[a-z0-9]+}}: memref<16xf32> {llvm.noalias, llvm.nonnull, llvm.noundef},
// CHECK-SAME: %{{[a-z0-9]+}}: memref<16xf32> {llvm.align = 64 : i64, llvm.noalias, llvm.nonnull, llvm.noundef},
// CHECK-SAME: %{{[a-z0-9]+}}: memref<16xf32> {llvm.noalias, llvm.nonnull, llvm.noundef}, %{{[a-z0-9]+}}: index, %{{[a-z0-9]+}}: index)
func.func private @k_0(%a: memref<16xf32>, %b: memref<16xf32>, %c: memref<16xf32>, %lo: index, %hi: index)
    attributes {kernel.entry} {
  return
}

// CHECK-LABEL: func.func private @k_0.task(%{{.+}}: !llvm.ptr, %{{.+}}: i64, %{{.+}}: i64)
// CHECK-COUNT-3: llvm.load %{{.+}} : !llvm.ptr -> !llvm.ptr
// CHECK: call @k_0

// CHECK-LABEL: func.func private @k_1(
// CHECK-NOT: @k_1.task
func.func private @k_1(%a: memref<16xf32>, %lo: index, %hi: index) attributes {kernel.entry} {
  return
}

// CHECK-LABEL: llvm.func internal @graven.launch(
// CHECK-SAME: %[[PAR:.+]]: !llvm.ptr, %[[COUNT:.+]]: i64, %[[BODY:.+]]: !llvm.ptr, %[[ARRAY:.+]]: !llvm.ptr)
// CHECK: llvm.icmp "eq" %[[PAR]]
// CHECK: llvm.cond_br
// CHECK: llvm.call %[[BODY]](%[[ARRAY]], %{{.+}}, %[[COUNT]])
// CHECK: %[[CONTEXT:.+]] = llvm.load %[[PAR]]
// CHECK: %[[FOR:.+]] = llvm.load
// CHECK: llvm.call %[[FOR]](%[[CONTEXT]], %[[COUNT]], %[[BODY]], %[[ARRAY]])
