//===- StateDict.h - what torch.save wrote ---*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file declares reading the files of torch.save: state_dicts, whole
// checkpoints and pickled modules, as zip archives and in the legacy form of
// PyTorch before 1.6. Nothing of a pickle is executed.
//
//===----------------------------------------------------------------------===//

#ifndef FRONTENDS_TORCHFILE_STATEDICT_H
#define FRONTENDS_TORCHFILE_STATEDICT_H

#include "frontends/safetensors/Weights.h"
#include "frontends/torchfile/Parameters.h"

namespace graven::torch {

/// Whether an archive is one of torch.save: a pickle, and no program.
bool isSavedObject(const ZipReader &zip);

/// Whether `bytes` begin with the magic number of the legacy form.
bool isLegacyFile(llvm::StringRef bytes);

/// Reads an archive of torch.save. Names are keys on the way to a tensor,
/// divided by dots; values that are neither tensors nor plain data are listed
/// (Weights::opaque).
llvm::Expected<Weights>
readSavedObject(std::shared_ptr<llvm::MemoryBuffer> file, const ZipReader &zip);

/// The same for the legacy form: five pickles, and the storages behind them.
llvm::Expected<Weights>
readLegacyFile(std::shared_ptr<llvm::MemoryBuffer> file);

/// Where the bytes of a storage lie.
using FindStorage =
    llvm::function_ref<llvm::Expected<StorageBytes>(const PickleStorage &)>;

/// Adds a tensor of a pickle under that name.
llvm::Error addTensor(Weights &weights, const PickleTensor &tensor,
                      llvm::StringRef name, FindStorage find,
                      WeightRole role = WeightRole::Parameter);

/// Adds all tensors that `root`, which `record` holds, leads to, and says what
/// it is.
llvm::Error addTensors(Weights &weights, const PickleValue &root,
                       llvm::StringRef record, FindStorage find);

} // namespace graven::torch

#endif // FRONTENDS_TORCHFILE_STATEDICT_H
