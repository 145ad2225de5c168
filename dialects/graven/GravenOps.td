//===- GravenOps.td - all ops of the graven dialect --------*- tablegen -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file gathers the op families.
//===----------------------------------------------------------------------===//

#ifndef DIALECTS_GRAVEN_GRAVENOPS_TD
#define DIALECTS_GRAVEN_GRAVENOPS_TD

include "dialects/graven/OpsStructure.td"
include "dialects/graven/OpsElementwise.td"
include "dialects/graven/OpsMovement.td"
include "dialects/graven/OpsContraction.td"
include "dialects/graven/OpsDetection.td"
include "dialects/graven/OpsReduction.td"
include "dialects/graven/OpsNorm.td"
include "dialects/graven/OpsRecurrent.td"

#endif // DIALECTS_GRAVEN_GRAVENOPS_TD
