// Dynamic extents: one artifact for a range of sizes, and what is said of those that cannot be.
// RUN: rm -rf %t && mkdir -p %t
// RUN: graven compile %s -o %t/m.so --header %t/m.h --dim batch=1..64
// RUN: graven inspect %t/m.so | FileCheck %s --check-prefix=INSPECT
// RUN: FileCheck %s --check-prefix=HEADER --input-file %t/m.h
// RUN: graven bench %t/m.so --dim batch=3 --seconds 0 | FileCheck %s --check-prefix=BENCH
// RUN: %exits 2 graven bench %t/m.so --seconds 0 2>&1 | FileCheck %s --check-prefix=WHICH
// RUN: %exits 2 graven bench %t/m.so --dim batch=65 --seconds 0 2>&1 | FileCheck %s --check-prefix=RANGE
// RUN: graven compile %s -o %t/m.so --dim batch=2,7 && graven inspect %t/m.so | FileCheck %s --check-prefix=LIST
// RUN: %exits 2 graven bench %t/m.so --dim batch=3 --seconds 0 2>&1 | FileCheck %s --check-prefix=NO-CODE
// RUN: graven compile %s -o %t/m.so --dim batch=8 && graven inspect %t/m.so | FileCheck %s --check-prefix=STATIC
// RUN: graven compile %s -o %t/m.so && graven inspect %t/m.so | FileCheck %s --check-prefix=UNBOUNDED
// RUN: %exits 2 graven compile %S/Inputs/mixed.mlir -o %t/m.so 2>&1 | FileCheck %s --check-prefix=MIXED
// RUN: %exits 3 graven compile %s -o %t/m.so --dim batch=one 2>&1 | FileCheck %s --check-prefix=BAD
// RUN: %exits 3 graven compile %s -o %t/m.so --dim batch=5..2 2>&1 | FileCheck %s --check-prefix=EMPTY
// RUN: %exits 3 graven compile %s -o %t/m.so --dim rows=1..2 2>&1 | FileCheck %s --check-prefix=UNKNOWN
// RUN: %exits 3 graven compile %s -o %t/m.ll --dim batch=1..64 2>&1 | FileCheck %s --check-prefix=TEXT

// RUN: graven compile %S/Inputs/mixed.mlir -o %t/m.so --header %t/m.h --dim batch=20,2..150 && graven inspect %t/m.so | FileCheck %s --check-prefix=ROOM
// RUN: FileCheck %s --check-prefix=ROOM-HEADER --input-file %t/m.h
// RUN: graven bench %t/m.so --dim batch=77 --seconds 0 | FileCheck %s --check-prefix=BENCH
// RUN: %exits 2 graven bench %t/m.so --dim batch=151 --seconds 0 2>&1 | FileCheck %s --check-prefix=ROOM-RANGE
// RUN: %exits 2 graven compile %s -o %t/m.so --input x:f32[1..8,3] 2>&1 | FileCheck %s --check-prefix=NAMELESS
// RUN: %exits 3 graven compile %S/Inputs/mixed.mlir -o %t/m.so --dim batch=2..150 --tune --tune-db %t/db 2>&1 | FileCheck %s --check-prefix=TUNE
// RUN: graven compile %S/Inputs/mixed.mlir -o %t/m.so --dim batch=20,2..150 --tune --tune-db %t/db 2>&1 | FileCheck %s --check-prefix=TUNED

// NAMELESS: an extent with a range needs a name, as in x:f32[n] with --dim n=1..8
// TUNE: [GRV0004] --tune measures at extents that are named; name some, as in --dim batch=150,2..150
// TUNED: tuned {{[0-9]+}} of {{[0-9]+}} kernels
// ROOM: extent batch: 2 to 150
// ROOM: sizes  20 2..150 2..75 2..37
// ROOM-HEADER: There is code for 20, 2..150, 2..75, 2..37.
// ROOM-RANGE: expected batch from 2 to 150, got 151
// INSPECT: input  x: f32["batch",3]
// INSPECT: output y: f32["batch",3]
// INSPECT: extent batch: 1 to 64
// INSPECT: sizes  1 4 16 64
// HEADER: batch: 1 to 64
// HEADER: int m_run(int64_t batch, const float *x, float *y, void *workspace);
// BENCH: min
// WHICH: [GRV0301] the extent 'batch' of input 'x' is not given; use --dim batch=8
// RANGE: [GRV0502] model 'm': expected batch from 1 to 64, got 65
// LIST: extent batch: 2 to 7
// LIST: sizes  2 7
// NO-CODE: [GRV0502] model 'm' has no code for batch = 3, only for the sizes it was compiled for
// STATIC: input  x: f32[8,3]
// STATIC-NOT: sizes
// UNBOUNDED: extent batch: 1 or more
// UNBOUNDED: sizes  1 4 16
// MIXED: [GRV0207] extent 'batch' of the inputs has a range of 1 and more, and each of its values needs code of its own, because 'graven.reduce' combines parts of the inputs; give the range an end, as in --dim batch=1..1024, or name up to 64 sizes, as in --dim batch=16,128
// BAD: [GRV0004] dimension 'batch=one': expected an extent or a range such as 1..64, got 'one'
// EMPTY: [GRV0004] dimension 'batch=5..2': the range 5..2 is empty
// UNKNOWN: [GRV0004] the model has no dynamic extent 'rows'; it has batch
// TEXT: [GRV0004] there are 4 sizes, and only .so, .o and .a hold code for more than one

graven.graph @forward(%x: tensor<?x3xf32> {graven.name = "x", graven.symbols = ["batch", ""]})
    -> (tensor<?x3xf32> {graven.name = "y"}) {
  %0 = graven.relu %x : tensor<?x3xf32>
  graven.return %0 : tensor<?x3xf32>
}
