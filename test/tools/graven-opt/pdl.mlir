// RUN: graven-opt %s --pdl %S/Inputs/by-definition.pdll --pdl-include %root --pdl-include %llvm-include | FileCheck %s
// Before all other passes.
// RUN: graven-opt %s --pdl %S/Inputs/by-definition.pdll --pdl-include %root --pdl-include %llvm-include \
// RUN:   --print-pipeline --cse | FileCheck %s --check-prefix=PIPELINE
// PIPELINE: builtin.module(graven-rewrite-by-pdl{file={{.*}}by-definition.pdll includes={{.*}}},cse)

// What is wrong with a file is said, with its place.
// RUN: not graven-opt %s --pdl %S/Inputs/wrong.pdll 2>&1 | FileCheck %s --check-prefix=WRONG
// RUN: not graven-opt %s --pdl %t.absent.pdll 2>&1 | FileCheck %s --check-prefix=ABSENT
// WRONG: wrong.pdll:3:{{[0-9]+}}: error: undefined reference to `root`
// WRONG: error: cannot read the patterns '{{.*}}wrong.pdll'
// ABSENT: error: cannot read the patterns '{{.*}}.absent.pdll': no such file

// CHECK: graven.add %arg0, %arg1
graven.graph @forward(%x: tensor<4xf32>, %y: tensor<4xf32>) -> tensor<4xf32> {
  %0 = graven.neg %y : tensor<4xf32>
  %1 = graven.sub %x, %0 : (tensor<4xf32>, tensor<4xf32>) -> tensor<4xf32>
  graven.return %1 : tensor<4xf32>
}
