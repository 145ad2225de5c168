// What is wrong is said with its place and code, the exit code says whose fault it is, and nothing is left behind.
// RUN: rm -rf %t && mkdir -p %t/folder.so
// RUN: touch %t/empty.onnx && printf '\001\002\003\377' > %t/binary.pt
// RUN: %exits 2 graven inspect %t/missing.pt 2>&1 | FileCheck %s --check-prefix=MISSING
// RUN: %exits 2 graven inspect %t 2>&1 | FileCheck %s --check-prefix=IS-FOLDER
// RUN: %exits 2 graven inspect /dev/zero 2>&1 | FileCheck %s --check-prefix=DEVICE
// RUN: %exits 2 graven inspect %t/empty.onnx 2>&1 | FileCheck %s --check-prefix=FORMAT
// RUN: %exits 2 graven inspect %t/binary.pt 2>&1 | FileCheck %s --check-prefix=FORMAT
// RUN: head -c 100 /bin/sh > %t/binary.so
// RUN: %exits 2 graven run %t/binary.so 2>&1 | FileCheck %s --check-prefix=ELF
// RUN: %exits 2 graven compile %s -o %t/folder.so 2>&1 | FileCheck %s --check-prefix=FOLDER
// RUN: %exits 2 graven compile %s -o %t/m.so --header %t/folder.so 2>&1 | FileCheck %s --check-prefix=FOLDER
// RUN: %exits 2 graven compile %s -o %t/none/m.so 2>&1 | FileCheck %s --check-prefix=NOWHERE
// RUN: %exits 2 graven import %s -o %t/folder.so 2>&1 | FileCheck %s --check-prefix=FOLDER
// RUN: %exits 3 graven compile %s -o %t/m.xyz 2>&1 | FileCheck %s --check-prefix=KIND
// RUN: %exits 3 graven compile %s -o %t/m.so --target-cpu pentium9 2>&1 | FileCheck %s --check-prefix=CPU
// RUN: %exits 3 graven compile %s -o %t/m.so -O4 2>&1 | FileCheck %s --check-prefix=LEVEL
// RUN: %exits 3 graven compile %s -o %t/m.so --threads=-1 2>&1 | FileCheck %s --check-prefix=THREADS
// RUN: %exits 3 graven compile %s -o %t/m.so --to moon 2>&1 | FileCheck %s --check-prefix=PHASE
// RUN: %exits 3 graven compile %s -o %t/m.so --header %t/m.so 2>&1 | FileCheck %s --check-prefix=SAME
// RUN: %exits 2 graven run %s 2>&1 | FileCheck %s --check-prefix=ABSENT
// RUN: %exits 2 graven run %s --input z=@%S/Inputs/x.npy 2>&1 | FileCheck %s --check-prefix=UNKNOWN
// RUN: %exits 2 graven run %s --input x=@%S/Inputs/x.npy --input 0=@%S/Inputs/x.npy 2>&1 | FileCheck %s --check-prefix=TWICE
// RUN: %exits 2 graven run %s --input x=@%S/Inputs/x.npy --input x=@%S/Inputs/x.npy 2>&1 | FileCheck %s --check-prefix=TWICE
// RUN: %exits 2 graven run %s --input x=@%s 2>&1 | FileCheck %s --check-prefix=NPY
// RUN: %exits 2 graven run %s --input x=@%t/none.npy 2>&1 | FileCheck %s --check-prefix=NPY
// RUN: %exits 2 graven run %s --input x:q8[1] 2>&1 | FileCheck %s --check-prefix=SPEC
// RUN: %exits 3 graven run %s --input x=@%S/Inputs/x.npy --expect y 2>&1 | FileCheck %s --check-prefix=EXPECT
// RUN: %exits 3 graven run %s --input x=@%S/Inputs/x.npy --rtol=-1 2>&1 | FileCheck %s --check-prefix=RTOL
// RUN: %exits 3 graven bench %s --seconds=-1 2>&1 | FileCheck %s --check-prefix=SECONDS
// RUN: %exits 2 graven run %s --input x=@%S/Inputs/x.npy --save-outputs %s 2>&1 | FileCheck %s --check-prefix=SAVE
// RUN: ls -A %t | FileCheck %s --check-prefix=LEFT
// MISSING: missing.pt: error: [GRV0001] cannot read
// IS-FOLDER: error: [GRV0001] {{.*}} it is a folder
// DEVICE: /dev/zero: error: [GRV0001] {{.*}} not a regular file
// FORMAT: error: [GRV0002]
// ELF: graven: error: [GRV0501] {{.*}}binary.so: truncated: 
// FOLDER: bad-input.mlir:{{.*}}error: [GRV0003] cannot write {{.*}}folder.so': Is a directory
// NOWHERE: error: [GRV0003] {{.*}}: No such file or directory
// KIND: error: [GRV0004]
// CPU: error: [GRV0005]
// LEVEL: graven: error: [GRV0004] -O takes 0 to 3, got 4
// THREADS: graven: error: [GRV0004] --threads takes 0 to 1024, got -1
// PHASE: graven: error: [GRV0004] --to takes
// SAME: graven: error: [GRV0004] --header and -o name the same file
// ABSENT: graven: error: [GRV0301] input 'x' is not given
// UNKNOWN: graven: error: [GRV0302] the model has no input 'z'; it has 'x'
// UNKNOWN: graven: error: [GRV0301] input 'x' is not given
// TWICE: graven: error: [GRV0305] --input gives an array for 'x' twice
// NPY: [GRV0108]
// SPEC: [GRV0305]
// EXPECT: [GRV0004] --expect takes K=@y.npy
// RTOL: [GRV0004]
// SECONDS: [GRV0004]
// SAVE: [GRV0003]
// LEFT: binary.pt
// LEFT-NEXT: binary.so
// LEFT-NEXT: empty.onnx
// LEFT-NEXT: folder.so
// LEFT-NOT: {{.}}
graven.graph @forward(%x: tensor<2x8xf32> {graven.name = "x"}) -> (tensor<2x8xf32> {graven.name = "y"}) {
  %0 = graven.relu %x : tensor<2x8xf32>
  graven.return %0 : tensor<2x8xf32>
}
