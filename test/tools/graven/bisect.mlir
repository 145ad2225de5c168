// Which pass, pattern and Node: by a tolerance that rounding breaks, and by a command.
// RUN: rm -rf %t && mkdir -p %t
// RUN: graven bisect %s | FileCheck %s --check-prefix=RIGHT
// RUN: %exits 1 graven bisect %s --tolerance 1e-8 | FileCheck %s --check-prefix=NUMBERS
// RUN: %exits 1 graven bisect %s --tolerance 1e-8 --json | FileCheck %s --check-prefix=JSON
// RUN: %exits 1 graven bisect %s --to graph --check "grep -q batch_norm {}" | FileCheck %s --check-prefix=COMMAND
// At -O0 there is no such pass, and no step at all that could be left out.
// RUN: graven bisect %s -O0 --to graph --check "grep -q batch_norm" | FileCheck %s --check-prefix=PASSES
// RUN: %exits 1 graven bisect %s -O0 --check "test -s {} && exit 7" | FileCheck %s --check-prefix=REST
// The graph phase keeps the numbers, native code rounds: the Node is one whose kernel does.
// RUN: %exits 1 graven bisect %s -O0 --tolerance 0 | FileCheck %s --check-prefix=KERNEL
// RUN: %exits 3 graven bisect %s --to graph 2>&1 | FileCheck %s --check-prefix=ALONE
// RUN: %exits 3 graven bisect %s --to import --check true 2>&1 | FileCheck %s --check-prefix=PHASE
// RUN: %exits 3 graven bisect %s --tolerance=-1 2>&1 | FileCheck %s --check-prefix=NEGATIVE
// RUN: %exits 3 graven bisect %s --tolerance 1 --check true 2>&1 | FileCheck %s --check-prefix=BOTH
// RUN: %exits 2 graven bisect %t/none.mlir 2>&1 | FileCheck %s --check-prefix=MISSING

// What it says of limits is so: with one step fewer, the norm is still there.
// RUN: %exits 1 graven bisect %s --to graph --check "grep -q batch_norm" --json > %t/found.json
// RUN: %python -c "import json; print(json.load(open('%t/found.json'))['step'] - 1)" > %t/right
// RUN: %python -c "import json; print(json.load(open('%t/found.json'))['step'])" > %t/wrong
// RUN: xargs graven compile %s --to graph -o %t/right.mlir --opt-bisect-limit < %t/right 2>&1 | FileCheck %s --check-prefix=LIMIT
// RUN: grep -q batch_norm %t/right.mlir
// RUN: xargs graven compile %s --to graph -o %t/wrong.mlir --opt-bisect-limit < %t/wrong
// RUN: not grep -q batch_norm %t/wrong.mlir
// RUN: graven compile %s -o %t/m.so --opt-bisect-limit -1 --json | FileCheck %s --check-prefix=STEPS
// RUN: graven compile %s -o %t/none.so --opt-bisect-limit 0 2>&1 | FileCheck %s --check-prefix=NONE
// RUN: graven verify %t/none.so %t/m.so

//       RIGHT: nothing is wrong: the native code gives what the evaluator does
//     NUMBERS: pass 'graven-fuse-conv-bn', pattern 'FuseIntoConv<graven::ConvOp>' on 'graven.batch_norm' at {{.*}}bisect.mlir:[[# @LINE + 39]]:8: output 0 differs by
// NUMBERS-NEXT: step {{[0-9]+}} of {{[0-9]+}}; right with --opt-bisect-limit {{[0-9]+}}
// NUMBERS-NEXT: the first Node with another value is 'conv' at {{.*}}bisect.mlir:[[# @LINE + 36]]:8
// NUMBERS-NEXT: modules were evaluated
//        JSON: "difference": "output 0 differs by
//        JSON: "exit": 1,
//        JSON: "found": true,
//        JSON: "op": "conv",
//        JSON: "on": "graven.batch_norm",
//        JSON: "pass": "graven-fuse-conv-bn",
//        JSON: "pattern": "FuseIntoConv<graven::ConvOp>",
//        JSON: "step": {{[0-9]+}},
//     COMMAND: pass 'graven-fuse-conv-bn', pattern {{.*}} on 'graven.batch_norm' at {{.*}}: --check ends with exit code 1
//     COMMAND: step {{[0-9]+}} of
//      PASSES: nothing is wrong: --check passes
//        REST: wrong without any step that can be left out (-O0 has no other passes), or by the code of a kernel: --check ends with exit code 7
//      KERNEL: the first Node with another value is '{{conv|batch_norm|exp}}' at {{.*}}bisect.mlir
//       ALONE: [GRV0004] --to is for --check, which was not given
//       PHASE: [GRV0004] --to takes graph, kernel, buffer or loops, got 'import'
//    NEGATIVE: [GRV0004] --tolerance takes a number that is not negative
//        BOTH: [GRV0004] --tolerance is for the comparison that --check replaces
//     MISSING: [GRV0001]
//       LIMIT: step 1: graven-inline-calls on builtin.module
//       LIMIT: step {{[0-9]+}} to {{[0-9]+}}: graven-fuse-conv-bn on @forward, up to step {{[0-9]+}}
//       LIMIT: canonicalize on @forward: not run
//       STEPS: "steps": {{[0-9]+}}
//        NONE: canonicalize on @forward: not run
//        NONE: graven-to-kernel on builtin.module{{$}}

graven.param @w : tensor<4x3x3x3xf32> = dense<0.3> : tensor<4x3x3x3xf32>
graven.param @s : tensor<4xf32> = dense<[0.1, 0.7, 1.3, 0.9]> : tensor<4xf32>
graven.param @b : tensor<4xf32> = dense<0.1> : tensor<4xf32>
graven.param @v : tensor<4xf32> = dense<[0.4, 0.7, 1.3, 0.2]> : tensor<4xf32>
graven.graph @forward(%x: tensor<1x3x5x5xf32> {graven.name = "x"}) -> tensor<1x4x3x3xf32> {
  %w = graven.get_param @w : tensor<4x3x3x3xf32>
  %s = graven.get_param @s : tensor<4xf32>
  %b = graven.get_param @b : tensor<4xf32>
  %v = graven.get_param @v : tensor<4xf32>
  %0 = graven.conv %x, %w strides [1, 1] dilations [1, 1] pads [0, 0, 0, 0] : (tensor<1x3x5x5xf32>, tensor<4x3x3x3xf32>) -> tensor<1x4x3x3xf32>
  %1 = graven.batch_norm %0 scale %s bias %b mean %b variance %v epsilon 1.0e-3 : (tensor<1x4x3x3xf32>, tensor<4xf32>, tensor<4xf32>, tensor<4xf32>, tensor<4xf32>) -> tensor<1x4x3x3xf32>
  %2 = graven.exp %1 : tensor<1x4x3x3xf32>
  graven.return %2 : tensor<1x4x3x3xf32>
}
