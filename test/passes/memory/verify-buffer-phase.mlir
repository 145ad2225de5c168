// RUN: graven-opt --graven-verify-buffer-phase --split-input-file --verify-diagnostics %s

func.func @good(%x: memref<16xf32>, %y: memref<16xf32>, %work: memref<128xi8>, %blob: memref<64xi8> {graven.weights})
    attributes {graven.num_inputs = 1 : i64, graven.num_outputs = 1 : i64,
                graven.workspace_size = 128 : i64, graven.weights_size = 64 : i64} {
  %c64 = arith.constant 64 : index
  %a = memref.view %work[%c64][] : memref<128xi8> to memref<16xf32>
  linalg.exp ins(%x : memref<16xf32>) outs(%a : memref<16xf32>)
  linalg.exp ins(%a : memref<16xf32>) outs(%y : memref<16xf32>)
  return
}

// An outlined kernel has another convention.
func.func private @k(%x: memref<16xf32, strided<[1], offset: 16>>, %lo: index, %hi: index) attributes {kernel.entry} {
  return
}

// -----

// expected-error @below {{buffer contract: @bare has no count in the attribute graven.num_inputs}}
// expected-error @below {{buffer contract: @bare has no count in the attribute graven.num_outputs}}
// expected-error @below {{buffer contract: @bare has no count in the attribute graven.workspace_size}}
// expected-error @below {{buffer contract: @bare has no count in the attribute graven.weights_size}}
func.func @bare() {
  return
}

// -----

// expected-error @below {{buffer contract: @few has 3 arguments, expected 1 inputs, 1 outputs, workspace and weights}}
func.func @few(%x: memref<16xf32>, %work: memref<0xi8>, %blob: memref<0xi8> {graven.weights})
    attributes {graven.num_inputs = 1 : i64, graven.num_outputs = 1 : i64,
                graven.workspace_size = 0 : i64, graven.weights_size = 0 : i64} {
  return
}

// -----

// expected-error @below {{buffer contract: @types has 1 results, expected 0}}
// expected-error @below {{buffer contract: argument 0 has type 'memref<4x4xf32, strided<[1, 4]>>', expected a memref of static shape and identity layout}}
// expected-error @below {{buffer contract: the workspace has type 'memref<64xi8>', expected 'memref<128xi8>'}}
// expected-error @below {{buffer contract: argument 2 has no attribute graven.weights}}
func.func @types(%x: memref<4x4xf32, strided<[1, 4]>>, %work: memref<64xi8>, %blob: memref<0xi8>) -> index
    attributes {graven.num_inputs = 1 : i64, graven.num_outputs = 0 : i64,
                graven.workspace_size = 128 : i64, graven.weights_size = 0 : i64} {
  %c = arith.constant 0 : index
  return %c : index
}

// -----

func.func @body(%x: memref<16xf32>, %work: memref<128xi8>, %blob: memref<0xi8> {graven.weights})
    attributes {graven.num_inputs = 1 : i64, graven.num_outputs = 0 : i64,
                graven.workspace_size = 128 : i64, graven.weights_size = 0 : i64} {
  %c8 = arith.constant 8 : index
  %c128 = arith.constant 128 : index
  // expected-error @below {{buffer contract: 'tensor.empty' works on tensors}}
  %e = tensor.empty() : tensor<4xf32>
  // expected-error @below {{buffer contract: 'memref.alloc' manages memory}}
  %a = memref.alloc() : memref<4xf32>
  // expected-error @below {{buffer contract: a weight is not bound to the blob}}
  %w = kernel.weight {offset = 0 : i64} : memref<4xf32>
  // expected-error @below {{buffer contract: a view begins at byte 8, expected a multiple of 64}}
  %v = memref.view %work[%c8][] : memref<128xi8> to memref<4xf32>
  // expected-error @below {{buffer contract: a view of 16 bytes at byte 128 is past the 128 bytes there are}}
  %p = memref.view %work[%c128][] : memref<128xi8> to memref<4xf32>
  return
}

// -----

func.func @moving(%n: memref<index>, %work: memref<128xi8>, %blob: memref<0xi8> {graven.weights})
    attributes {graven.num_inputs = 1 : i64, graven.num_outputs = 0 : i64,
                graven.workspace_size = 128 : i64, graven.weights_size = 0 : i64} {
  %i = memref.load %n[] : memref<index>
  // expected-error @below {{buffer contract: the offset of a view is not constant}}
  %v = memref.view %work[%i][] : memref<128xi8> to memref<4xf32>
  return
}
