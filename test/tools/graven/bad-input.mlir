// What is wrong is said with its code, and nothing is left behind.
// RUN: rm -rf %t && mkdir -p %t/folder.so
// RUN: touch %t/empty.onnx && head -c 100 /bin/sh > %t/binary.pt
// RUN: not graven inspect %t/missing.pt 2>&1 | FileCheck %s --check-prefix=MISSING
// RUN: not graven inspect %t/empty.onnx 2>&1 | FileCheck %s --check-prefix=FORMAT
// RUN: not graven inspect %t/binary.pt 2>&1 | FileCheck %s --check-prefix=FORMAT
// RUN: not graven compile %s -o %t/folder.so 2>&1 | FileCheck %s --check-prefix=FOLDER
// RUN: not graven compile %s -o %t/m.xyz 2>&1 | FileCheck %s --check-prefix=KIND
// RUN: not graven compile %s -o %t/m.so --target-cpu pentium9 2>&1 | FileCheck %s --check-prefix=CPU
// RUN: not graven run %s 2>&1 | FileCheck %s --check-prefix=ABSENT
// RUN: not graven run %s --input z=@%S/Inputs/x.npy 2>&1 | FileCheck %s --check-prefix=UNKNOWN
// RUN: not graven run %s --input x=@%s 2>&1 | FileCheck %s --check-prefix=NPY
// RUN: not graven run %s --input x:q8[1] 2>&1 | FileCheck %s --check-prefix=SPEC
// RUN: not ls %t/m.so
// MISSING: [GRV0001] cannot read
// FORMAT: [GRV0002]
// FOLDER: [GRV0003]
// KIND: [GRV0004]
// CPU: [GRV0005]
// ABSENT: [GRV0301] input 'x' is not given
// UNKNOWN: [GRV0302] the model has no input 'z'
// NPY: [GRV0108]
// SPEC: [GRV0305]
graven.graph @forward(%x: tensor<2x8xf32> {graven.name = "x"}) -> (tensor<2x8xf32> {graven.name = "y"}) {
  %0 = graven.relu %x : tensor<2x8xf32>
  graven.return %0 : tensor<2x8xf32>
}
