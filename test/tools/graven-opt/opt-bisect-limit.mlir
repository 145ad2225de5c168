// The first steps of passes and patterns happen, and are listed; passes that every compile needs happen in any case.
// RUN: graven-opt %s --pass-pipeline='builtin.module(graven.graph(cse,canonicalize,graven-remove-identities))' --opt-bisect-limit 0 2>&1 \
// RUN:   | FileCheck %s --check-prefix=NONE
// RUN: graven-opt %s --pass-pipeline='builtin.module(graven.graph(cse,canonicalize,graven-remove-identities))' --opt-bisect-limit 1 2>&1 \
// RUN:   | FileCheck %s --check-prefix=ONE
// RUN: graven-opt %s --pass-pipeline='builtin.module(graven.graph(cse,canonicalize,graven-remove-identities))' --opt-bisect-limit -1 2>&1 \
// RUN:   | FileCheck %s --check-prefix=ALL
// RUN: graven-opt %s --graven-infer-shapes --opt-bisect-limit 0 2>&1 | FileCheck %s --check-prefix=REQUIRED
// RUN: graven-opt --help | FileCheck %s --check-prefix=HELP

//  NONE: step 1: cse on @forward: not run
//  NONE: step 2: canonicalize on @forward: not run
//  NONE: step 3: graven-remove-identities on @forward: not run
//  NONE: graven.exp
//  NONE: graven.exp
//   ONE: step 1: cse on @forward{{$}}
//   ONE: step 2: canonicalize on @forward: not run
//   ONE: graven.exp
// ONE-NOT: graven.exp
//   ALL: step 1: cse on @forward{{$}}
//   ALL: step 2 to [[# LAST:]]: canonicalize on @forward{{$}}
//   ALL: step [[# LAST + 1]]
//   ALL: graven.exp
// REQUIRED: step 1 to {{[0-9]+}}: graven-infer-shapes on builtin.module{{$}}
// REQUIRED: graven.exp
//  HELP: --opt-bisect-limit=<int> {{.*}} the first steps of passes and patterns only

graven.graph @forward(%x: tensor<4xf32>) -> tensor<4xf32> {
  %0 = graven.exp %x : tensor<4xf32>
  %1 = graven.exp %x : tensor<4xf32>
  %2 = graven.add %0, %1 : (tensor<4xf32>, tensor<4xf32>) -> tensor<4xf32>
  graven.return %2 : tensor<4xf32>
}
