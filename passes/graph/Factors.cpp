//===- Factors.cpp - products as sets of factors ----------------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file implements the view of a Value as a product.
//===----------------------------------------------------------------------===//

#include "passes/graph/Factors.h"
#include "passes/graph/GraphUtils.h"
#include <cmath>

using namespace mlir;

namespace graven {

bool nearlyEqual(double a, double b) {
  // Exporters write constants as f32, or with seven digits.
  constexpr double tolerance = 1e-6;
  return std::abs(a - b) <= tolerance * std::max(std::abs(a), std::abs(b));
}

bool Product::isTimes(double expected) const {
  return nearlyEqual(number, expected);
}

bool Product::take(Value value) {
  auto *found = llvm::find(values, value);
  if (found == values.end())
    return false;
  values.erase(found);
  return true;
}

Product productOf(Value value) {
  constexpr size_t maxFactors = 8;
  Product product;
  SmallVector<Value> pending{value};
  while (!pending.empty()) {
    Value next = pending.pop_back_val();
    if (auto splat = splatOf(next)) {
      product.number *= *splat;
      continue;
    }
    auto mul = next.getDefiningOp<MulOp>();
    // What a constant multiplies is cheap to compute once more.
    bool open = next == value || soleUser(next) ||
                (mul && (splatOf(mul.getA()) || splatOf(mul.getB())));
    if (product.values.size() + pending.size() >= maxFactors)
      open = false;
    if (mul && open) {
      pending.append({mul.getA(), mul.getB()});
      continue;
    }
    if (auto div = next.getDefiningOp<DivOp>(); div && open)
      if (auto splat = splatOf(div.getB()); splat && *splat != 0) {
        product.number /= *splat;
        pending.push_back(div.getA());
        continue;
      }
    if (auto pow = next.getDefiningOp<PowOp>())
      if (auto splat = splatOf(pow.getB());
          splat && (*splat == 2 || *splat == 3)) {
        product.values.append(static_cast<size_t>(*splat), pow.getA());
        continue;
      }
    product.values.push_back(next);
  }
  return product;
}

std::optional<Shifted> sumWithConstant(Value value) {
  auto add = value.getDefiningOp<AddOp>();
  if (!add)
    return std::nullopt;
  if (auto splat = splatOf(add.getB()))
    return Shifted{add.getA(), *splat};
  if (auto splat = splatOf(add.getA()))
    return Shifted{add.getB(), *splat};
  return std::nullopt;
}

} // namespace graven
