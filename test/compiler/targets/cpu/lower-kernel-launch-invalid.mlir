// RUN: graven-opt %s --graven-lower-kernel-launch --split-input-file --verify-diagnostics

func.func @helper(%x: memref<8xf32>) {
  // expected-error @+1 {{expects to be in the main function, the one with 'graven.num_inputs'}}
  kernel.launch @k(%x : memref<8xf32>) tasks(2)
  return
}
func.func private @k(%x: memref<8xf32>, %lo: index, %hi: index) attributes {kernel.entry} {
  return
}

// -----

func.func @forward(%x: memref<8xf32>, %ws: memref<0xi8>, %w: memref<0xi8>)
    attributes {graven.num_inputs = 0 : i64, graven.num_outputs = 1 : i64} {
  %c = memref.cast %x : memref<8xf32> to memref<?xf32>
  // expected-error @+1 {{static shape, strides and offset, got 'memref<?xf32>'}}
  kernel.launch @k(%c : memref<?xf32>) tasks(2)
  return
}
func.func private @k(%x: memref<?xf32>, %lo: index, %hi: index) attributes {kernel.entry} {
  return
}

// -----

func.func @forward(%x: memref<8xf32>, %ws: memref<0xi8>, %w: memref<0xi8>)
    attributes {graven.num_inputs = 0 : i64, graven.num_outputs = 1 : i64} {
  // expected-error @+1 {{expects a kernel with a body, got 'k'}}
  kernel.launch @k(%x : memref<8xf32>) tasks(2)
  return
}
func.func private @k(%x: memref<8xf32>, %lo: index, %hi: index) attributes {kernel.entry}
