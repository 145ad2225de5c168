//===- ExtentFormulas.h - extents that follow from others -------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file declares the search for how an extent, known at some samples,
// follows from those of Values, and the Nodes that compute it.
//===----------------------------------------------------------------------===//

#ifndef PASSES_GRAPH_EXTENTFORMULAS_H
#define PASSES_GRAPH_EXTENTFORMULAS_H

#include "dialects/graven/Graven.h"
#include "mlir/IR/Builders.h"

namespace graven {

/// A number at each sample.
using Tuple = llvm::SmallVector<int64_t, 8>;

inline bool varies(llvm::ArrayRef<int64_t> tuple) {
  return llvm::any_of(tuple, [&](int64_t n) { return n != tuple.front(); });
}

/// A number that is known at each sample, as a scalar of that type: `find`
/// makes whole numbers; a float may also be the reciprocal of one, its root, or
/// that of its root. Null when none of them follows.
mlir::Value followingNumber(
    mlir::OpBuilder &b, mlir::Location loc, mlir::Type element,
    llvm::ArrayRef<double> numbers,
    llvm::function_ref<mlir::Value(llvm::ArrayRef<int64_t> whole)> find);

class ExtentFormulas {
public:
  /// The extent of `value` along `axis` is that.
  void add(llvm::ArrayRef<int64_t> tuple, mlir::Value value, int64_t axis);

  /// Whether that is the extent of a Value.
  bool has(llvm::ArrayRef<int64_t> tuple) const {
    return llvm::any_of(extents, [&](const Extent &extent) {
      return llvm::ArrayRef<int64_t>(extent.tuple) == tuple;
    });
  }

  /// A scalar i64 with these values, computed where the builder is; null when
  /// it follows from nothing that is known.
  mlir::Value find(mlir::OpBuilder &b, mlir::Location loc,
                   llvm::ArrayRef<int64_t> tuple);

  /// What is added in a Block is forgotten at its end.
  class Scope {
  public:
    explicit Scope(ExtentFormulas &formulas)
        : formulas(formulas), extents(formulas.extents.size()),
          computed(formulas.computed.size()) {}
    ~Scope() {
      formulas.extents.truncate(extents);
      formulas.computed.truncate(computed);
    }

  private:
    ExtentFormulas &formulas;
    size_t extents, computed;
  };

private:
  struct Extent {
    Tuple tuple;
    mlir::Value value;
    int64_t axis;
  };
  /// a x y z + b, of the factors that there are.
  struct Formula {
    llvm::SmallVector<size_t, 3> factors;
    int64_t a = 1, b = 0;
    /// Also of these, each once: x + y + b, x - y + b.
    std::optional<size_t> plus = {}, minus = {};
    /// (x + before) / c times + b; of a rest, (x + before) % rest times + b.
    int64_t before = 0, c = 1, rest = 0, times = 1;
    /// Not less, not more than the other extent or number, before b is added.
    std::optional<size_t> greater = {}, lesser = {};
    std::optional<int64_t> least = {}, most = {};
  };
  std::optional<Formula> search(llvm::ArrayRef<int64_t> tuple) const;
  std::optional<Formula> product(llvm::ArrayRef<int64_t> tuple,
                                 llvm::ArrayRef<size_t> factors) const;
  std::optional<Formula> line(llvm::ArrayRef<int64_t> tuple, size_t x) const;
  std::optional<Formula> quotient(llvm::ArrayRef<int64_t> tuple,
                                  size_t x) const;
  std::optional<Formula> rounded(llvm::ArrayRef<int64_t> tuple, size_t x) const;
  std::optional<Formula> limited(llvm::ArrayRef<int64_t> tuple, size_t x) const;
  std::optional<Formula> extreme(llvm::ArrayRef<int64_t> tuple, size_t x,
                                 size_t y) const;
  mlir::Value emit(mlir::OpBuilder &b, mlir::Location loc,
                   const Formula &formula) const;

  llvm::SmallVector<Extent> extents;
  llvm::SmallVector<std::pair<Tuple, mlir::Value>> computed;
};

} // namespace graven

#endif // PASSES_GRAPH_EXTENTFORMULAS_H
