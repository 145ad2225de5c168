//===- Interface.h - what a model declares --------------------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file declares the reading of what stands around the nodes of a model:
// versions of op sets, functions, inputs and their types.
//===----------------------------------------------------------------------===//

#ifndef FRONTENDS_ONNX_INTERFACE_H
#define FRONTENDS_ONNX_INTERFACE_H

#include "frontends/ImportOptions.h"
#include "frontends/onnx/ModelFile.h"
#include "mlir/IR/BuiltinAttributes.h"
#include "mlir/IR/BuiltinTypes.h"
#include "llvm/ADT/MapVector.h"
#include "llvm/ADT/StringMap.h"

#include <map>
#include <string>
#include <vector>

namespace google::protobuf {
template <typename T> class RepeatedPtrField;
} // namespace google::protobuf
namespace onnx {
class FunctionProto;
class GraphProto;
class NodeProto;
class OperatorSetIdProto;
class TypeProto;
class TypeProto_Tensor;
} // namespace onnx

namespace graven::onnx {

/// Domain to version; ai.onnx is "".
using OpsetMap = llvm::StringMap<int64_t>;
/// "domain:name:overload" to the function.
using FunctionMap = std::map<std::string, const pb::FunctionProto *>;

/// "" for both names of the standard domain.
llvm::StringRef normalDomain(llvm::StringRef domain);

/// The function that a node calls; null when it is an op.
const pb::FunctionProto *findFunction(const FunctionMap &functions,
                                      const pb::NodeProto &node);

/// Reads opset_import; a domain imported twice is an error, and so is a version
/// of ai.onnx outside the supported range.
mlir::FailureOr<OpsetMap> readOpsets(
    mlir::Location loc,
    const google::protobuf::RepeatedPtrField<pb::OperatorSetIdProto> &imports);

mlir::FailureOr<FunctionMap> readFunctions(const ModelFile &file);

/// An input of the model: a tensor, some of whose extents may be `?`.
struct GraphInput {
  std::string name;
  mlir::RankedTensorType type;
  /// What the bytes stand for where that is a narrow type (Narrow.h).
  mlir::Type narrow = {};
  /// One entry an axis: the symbol of a `?`, else empty.
  std::vector<std::string> symbols;
  /// Set when the user gives the input by value.
  mlir::DenseElementsAttr value;
};

/// An input or output of the model: a tensor, or what Lists.h resolves.
struct ListInfo {
  std::string name;
  /// As of ListShape.
  int64_t entry;
};

struct ModelInputs {
  std::vector<ListInfo> lists;
  /// Those of `lists`, where a sequence x is x.0, x.1, ...
  std::vector<GraphInput> tensors;
};

/// The inputs that are not initializers, with the user's extents filled in.
/// Reports every unknown name and every disagreement.
mlir::FailureOr<ModelInputs> readInputs(const ModelFile &file,
                                        const ImportOptions &options);

/// What a value is declared as.
struct DeclaredType {
  /// Its type, or that of a sequence's or optional's tensors; null for others.
  const pb::TypeProto_Tensor *tensor = nullptr;
  bool isOptional = false, isSequence = false;
};
DeclaredType declaredType(const pb::TypeProto &type);

/// How callers see sequences, optionals and strings (CallerView.h); empty where
/// there are none. Without inputs where the Graph has not all of them.
/// `stringOutputs` are names, `strings` those of the model by their numbers.
std::string structureText(const ModelInputs &inputs,
                          llvm::ArrayRef<ListInfo> outputs,
                          llvm::ArrayRef<std::string> stringOutputs,
                          llvm::ArrayRef<std::string> strings);

} // namespace graven::onnx

#endif // FRONTENDS_ONNX_INTERFACE_H
