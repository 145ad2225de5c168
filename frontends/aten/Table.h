//===- Table.h - the ATen operators the graph can express ---*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file declares the table from the name of an ATen operator to the
// function that builds its Nodes, and the running of a call: in-place forms,
// views and written arguments are handled here, once for all operators. The
// importers of TorchScript and of torch.export share it.
//
//===----------------------------------------------------------------------===//

#ifndef FRONTENDS_ATEN_TABLE_H
#define FRONTENDS_ATEN_TABLE_H

#include "frontends/DataExtents.h"
#include "frontends/Decisions.h"
#include "frontends/aten/Call.h"
#include "frontends/aten/Widening.h"

#include "llvm/ADT/StringMap.h"

namespace graven::aten {

/// How to build an operator; one of the two is set.
struct Entry {
  TensorBuilder tensor = nullptr;
  Builder general = nullptr;
  Arithmetic arithmetic = Arithmetic::Own;
  /// Looks itself for arguments that are Ragged or complex.
  bool takesExtensions = false;
};

class Table {
public:
  Table();

  /// Names are without `aten::`; several names, divided by blanks, share a
  /// builder.
  void add(llvm::StringRef names, TensorBuilder builder) {
    add(names, Entry{builder, nullptr, Arithmetic::Own});
  }
  void add(llvm::StringRef names, Builder builder) {
    add(names, Entry{nullptr, builder, Arithmetic::Own});
  }
  /// A formula of several Nodes that round: f16 and bf16 are computed in f32.
  void addWide(llvm::StringRef names, TensorBuilder builder) {
    add(names, Entry{builder, nullptr, Arithmetic::Wide});
  }
  void addWide(llvm::StringRef names, Builder builder) {
    add(names, Entry{nullptr, builder, Arithmetic::Wide});
  }
  /// An operator that knows what packed sequences, nested and complex tensors
  /// are, as far as it takes them.
  void addForExtensions(llvm::StringRef names, TensorBuilder builder) {
    add(names, Entry{builder, nullptr, Arithmetic::Own, true});
  }
  void addForExtensions(llvm::StringRef names, Builder builder,
                        Arithmetic arithmetic = Arithmetic::Own) {
    add(names, Entry{nullptr, builder, arithmetic, true});
  }

  /// The entry of "aten::relu" or, for an in-place form without one of its
  /// own, of the name without the underscore; null when there is none.
  const Entry *find(llvm::StringRef name) const;

private:
  void add(llvm::StringRef names, const Entry &entry);
  llvm::StringMap<Entry> entries;
};

/// What the calls of one import share.
struct Session {
  explicit Session(mlir::OpBuilder &builder) : builder(builder) {}
  mlir::OpBuilder &builder;
  SchemaTable schemas;
  Table table;
  ConstantEvaluator constants;
  DataExtents extents = {};
  /// See ImportOptions::onDecision.
  DecisionListener onDecision = {};
  /// While a Block that may not run is walked: what the storages that it
  /// writes held before each write.
  std::vector<Tensor::Contents> *writes = nullptr;
  /// What torch.autocast computes in where the walk is inside of one.
  std::optional<ScalarType> autocast = {};
  bool warnedOfTraining = false;
  /// Blocks that were walked in vain. Tensors may remember Values of them, so
  /// they live as long as the walk.
  std::vector<std::unique_ptr<mlir::Region>> discarded = {};
  bool warnedOfRandom = false;
  /// See Call::noteAlignmentIsChecked().
  bool checksAlignment = false;
  uint64_t calls = 0;
};

/// Runs the matched call `schema(arguments)` at `loc`. The results follow the
/// schema's; on failure, which was reported, they are Unknown.
mlir::LogicalResult run(Session &session, mlir::Location loc,
                        const Schema &schema, llvm::ArrayRef<Value> arguments,
                        llvm::SmallVectorImpl<Value> &results);

/// Tells of the known numbers that an operator such as "lt" compares.
void noteDecision(const Session &session, llvm::StringRef name,
                  llvm::ArrayRef<Value> arguments);

// The families, each in a file of its own.
void addPointwise(Table &table);
void addBinary(Table &table);
void addCreation(Table &table);
void addShape(Table &table);
void addSplitting(Table &table);
void addIndexing(Table &table);
void addScattering(Table &table);
void addRearranging(Table &table);
void addContraction(Table &table);
void addMatrices(Table &table);
void addDecompositions(Table &table);
void addHouseholder(Table &table);
void addComplex(Table &table);
void addConvolution(Table &table);
void addDetection(Table &table);
void addReduction(Table &table);
void addSorting(Table &table);
void addSelecting(Table &table);
void addCounted(Table &table);
void addPooling(Table &table);
void addWindows(Table &table);
void addResampling(Table &table);
void addSampling(Table &table);
void addSpectral(Table &table);
void addNormalisation(Table &table);
void addEmbedding(Table &table);
void addLosses(Table &table);
void addMargins(Table &table);
void addAttention(Table &table);
void addRecurrent(Table &table);
void addQuantization(Table &table);
void addRagged(Table &table);
void addRandom(Table &table);
void addSingularValues(Table &table);
void addCtcLoss(Table &table);
void addBessel(Table &table);
void addGamma(Table &table);
void addGroupedProducts(Table &table);
void addKeypoints(Table &table);
void addOrthogonalPolynomials(Table &table);
void addRepresentation(Table &table);
void addScans(Table &table);
void addSpecialFunctions(Table &table);
void addStatistics(Table &table);
void addStft(Table &table);
void addSignalWindows(Table &table);

} // namespace graven::aten

#endif // FRONTENDS_ATEN_TABLE_H
